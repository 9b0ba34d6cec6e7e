//! The process that holds the machines of one `up`: it starts them, publishes their ports, lets clients in,
//! starts them again when they crash, and cleans up when they have ended. It outlives the command and the session
//! that started it. When it is killed, the machines' monitors start another one that takes over.

mod adopt;
mod boot;
mod life;
mod network;
mod pasta;
pub(crate) mod protocol;
mod publish;
pub(crate) mod record;
mod restart;
mod serve;

use crate::container::link::Role;
use crate::error::Doing as _;
use crate::{Error, MachineFolder, host};
use adopt::Found;
use life::{Machine, Parts};
use network::Hub;
use nival_sys::{cgroup, fs, namespace, owner, process};
use protocol::{Lines, News, Order, Orders};
use record::{Record, Turn};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) use network::sweep as sweep_network;

/// The stream to the client that started the supervisor; there may be none any more.
pub(crate) struct Client(Option<Mutex<UnixStream>>);

impl Client {
    pub(crate) fn tell(&self, news: &News) {
        if let Some(stream) = &self.0
            && let Ok(stream) = stream.lock()
        {
            let _ = protocol::send(&stream, news, &[]);
        }
    }
}

/// `internal supervisor`: input is the stream to the client.
pub(crate) fn main(orders: &str) -> ExitCode {
    let start = Instant::now();
    let Ok(orders) = serde_json::from_str::<Orders>(orders) else { return ExitCode::from(2) };
    let Ok(stream) = process::copy_fd(0).map(UnixStream::from) else {
        return ExitCode::from(2);
    };
    let Ok(copy) = stream.try_clone() else { return ExitCode::from(2) };
    let client = Arc::new(Client(Some(Mutex::new(copy))));
    ended(supervise(orders, stream, &client, start), &client)
}

/// `internal adopt`: takes the machines of a supervisor that was killed over.
pub(crate) fn adopt_main(path: &str) -> ExitCode {
    let client = Arc::new(Client(None));
    ended(adopt(Path::new(path), &client), &client)
}

fn ended(result: Result<(), Error>, client: &Client) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nival: supervisor: {error}");
            client.tell(&News::Failed(error));
            ExitCode::FAILURE
        }
    }
}

fn supervise(
    mut orders: Orders,
    stream: UnixStream,
    client: &Arc<Client>,
    start: Instant,
) -> Result<(), Error> {
    process::lead_session();
    process::set_file_mask(0o022);
    if orders.user {
        wait_for_ids(stream, client)?;
    } else {
        drop(stream);
    }
    let null = std::fs::File::open("/dev/null").doing(|| "open /dev/null".to_owned())?;
    process::replace_input(&null).doing(|| "open /dev/null".to_owned())?;
    let locks =
        orders.machines.iter().map(|order| lock(&orders, &order.name)).collect::<Result<Vec<_>, _>>()?;
    for order in &orders.machines {
        fs::remove_file(&record::stop_mark(&orders.sockets, &order.name))
            .and_then(|()| fs::remove_file(&MachineFolder::new(&orders.data, &order.name).ended()))
            .doing(|| format!("start `{}`", order.name))?;
    }
    if orders.groups.is_none() {
        orders.groups = Some(host::base()?);
    }
    let mut starts = Vec::new();
    for (order, lock) in orders.machines.iter_mut().zip(locks) {
        let listeners = publish::listen(&mut order.publish)?;
        starts.push(Some(Start { lock, listeners, found: None, wanted: true }));
    }
    let hub = Hub::make(&orders)?;
    let turn = Turn::begin(&orders.sockets)?;
    hold(orders, hub, turn, starts, client, start)
}

fn adopt(path: &Path, client: &Arc<Client>) -> Result<(), Error> {
    let Some((turn, Record { orders, hub })) = Turn::inherit(path)? else { return Ok(()) };
    process::lead_session();
    process::set_file_mask(0o022);
    write_to_log(&orders);
    if let Some(group) = &orders.groups {
        cgroup::join(group, 0).doing(|| "leave the monitor's control group".to_owned())?;
    }
    let mut bridge = None;
    let mut starts = Vec::new();
    for order in &orders.machines {
        let mut start = if order.ended { None } else { Some(Start::after_a_kill(&orders, order, path)?) };
        if let Some(found) = start.as_mut().and_then(|start| start.found.as_mut()) {
            bridge = found.take(&Role::Bridge).or(bridge);
        }
        starts.push(start);
    }
    let hub = hub.revive(bridge, &orders)?;
    hold(orders, hub, turn, starts, client, Instant::now())
}

fn write_to_log(orders: &Orders) {
    let Some(order) = orders.machines.first() else { return };
    let log = MachineFolder::new(&orders.data, &order.name).path().join("supervisor.log");
    if let Ok(file) = fs::append(&log) {
        let _ = process::set_standard_streams(&file);
    }
}

/// What a machine is started, or taken over, with.
struct Start {
    lock: OwnedFd,
    listeners: Vec<std::net::TcpListener>,
    found: Option<Found>,
    /// Whether it is to run; otherwise it is only stopped and cleaned up.
    wanted: bool,
}

impl Start {
    /// Finds out what became of a machine whose supervisor was killed.
    fn after_a_kill(orders: &Orders, order: &Order, record: &Path) -> Result<Self, Error> {
        let mut found = Found::look(&orders.sockets, &order.name, record)?;
        let what = if found.is_some() { "taken over" } else { "gone" };
        eprintln!("nival: supervisor: the last one was killed, `{}` is {what}", order.name);
        let lock = match found.as_mut().and_then(|found| found.take(&Role::Lock)) {
            Some(lock) => lock,
            None => lock(orders, &order.name)?,
        };
        let mut listeners = Vec::new();
        for (number, port) in order.publish.iter().enumerate() {
            let kept = found.as_mut().and_then(|found| found.port(number));
            listeners.push(kept.map_or_else(|| publish::listen_one(port), Ok)?);
        }
        let wanted = !record::stop_mark(&orders.sockets, &order.name).exists();
        Ok(Self { lock, listeners, found, wanted })
    }
}

/// Holds all machines until the last one has ended.
fn hold(
    orders: Orders,
    hub: Hub,
    turn: Turn,
    starts: Vec<Option<Start>>,
    client: &Arc<Client>,
    start: Instant,
) -> Result<(), Error> {
    turn.write(Record { orders: orders.clone(), hub: hub.record() })?;
    let (hub, turn) = (Arc::new(hub), Arc::new(turn));
    let alive = Arc::new(AtomicUsize::new(starts.iter().flatten().count()));
    let mut machines = Vec::new();
    for (index, start) in starts.into_iter().enumerate() {
        let Some(start) = start else { continue };
        let parts = Parts { orders: &orders, index, turn: &turn, hub: &hub, alive: &alive };
        let machine = Machine::new(&parts, start.lock, start.listeners, start.wanted)?;
        machines.push((Arc::new(machine), start.found));
    }
    let mut threads = Vec::new();
    let machines: Vec<Arc<Machine>> = machines
        .into_iter()
        .map(|(machine, found)| {
            let (own, client) = (Arc::clone(&machine), Arc::clone(client));
            threads.push(std::thread::spawn(move || own.live(&client, start, found)));
            machine
        })
        .collect();
    for machine in &machines {
        machine.wait_until_up();
    }
    client.tell(&News::Done);
    for thread in threads {
        let _ = thread.join();
    }
    hub.remove();
    for machine in &machines {
        machine.wait_until_told();
    }
    turn.end();
    Ok(())
}

/// Makes the user namespace that all machines of this supervisor share, and becomes its root.
fn wait_for_ids(stream: UnixStream, client: &Client) -> Result<(), Error> {
    namespace::unshare(namespace::USER).doing(|| "make a user namespace".to_owned())?;
    client.tell(&News::WantsIds);
    let given = Lines::new(stream).next::<bool>().doing(|| "wait for ids".to_owned())?;
    if given.is_none() {
        return Err(Error::IdRange { missing: "no ids were handed out".to_owned(), commands: Vec::new() });
    }
    process::become_user(0, 0, &[]).doing(|| "become root of the user namespace".to_owned())
}

/// Takes the lock of a machine; others hold it for a moment when they look whether it is free.
fn lock(orders: &Orders, name: &str) -> Result<OwnedFd, Error> {
    let path = MachineFolder::new(&orders.data, name).lock();
    let file = fs::open_rw(&path).doing(|| format!("open `{}`", path.display()))?;
    if owner::lock_within(&file, Duration::from_millis(500)).doing(|| "lock the machine".to_owned())? {
        Ok(file.into())
    } else {
        Err(Error::Running(name.to_owned()))
    }
}

/// What the order of a machine says, by its place.
fn order(orders: &Orders, index: usize) -> Result<&Order, Error> {
    orders.machines.get(index).ok_or_else(|| Error::Manifest("a machine has no orders".to_owned()))
}
