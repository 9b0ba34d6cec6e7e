//! The process that holds the machines of one `up`: it starts them, publishes their ports, lets clients in,
//! and cleans up when they have ended. It outlives the command and the session that started it.

mod life;
mod network;
pub(crate) mod protocol;
mod publish;
mod serve;

use crate::error::Doing as _;
use crate::{Error, MachineFolder, host};
use life::Machine;
use nival_sys::{namespace, owner, process};
use protocol::{Lines, News, Orders};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The stream to the client that started the supervisor; it may be gone.
pub(crate) struct Client(Mutex<UnixStream>);

impl Client {
    pub(crate) fn tell(&self, news: &News) {
        if let Ok(stream) = self.0.lock() {
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
    let client = Arc::new(Client(Mutex::new(copy)));
    match supervise(&orders, stream, &client, start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nival: supervisor: {error}");
            client.tell(&News::Failed(error));
            ExitCode::FAILURE
        }
    }
}

fn supervise(orders: &Orders, stream: UnixStream, client: &Arc<Client>, start: Instant) -> Result<(), Error> {
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
        orders.machines.iter().map(|order| lock(orders, &order.name)).collect::<Result<Vec<_>, _>>()?;
    let groups = match &orders.groups {
        Some(groups) => groups.clone(),
        None => host::base()?,
    };
    let hub = Arc::new(network::Hub::make(orders)?);
    let mut machines = Vec::new();
    let alive = Arc::new(AtomicUsize::new(orders.machines.len()));
    for (index, order) in orders.machines.iter().enumerate() {
        machines.push(Arc::new(Machine::new(orders, &groups, (order, index), &hub, &alive)?));
    }
    let threads: Vec<_> = machines
        .iter()
        .map(|machine| {
            let (machine, client) = (Arc::clone(machine), Arc::clone(client));
            std::thread::spawn(move || machine.live(&client, start))
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
    drop(locks);
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

fn lock(orders: &Orders, name: &str) -> Result<std::fs::File, Error> {
    let path = MachineFolder::new(&orders.data, name).lock();
    let file = nival_sys::fs::open_rw(&path).doing(|| format!("open `{}`", path.display()))?;
    if owner::try_lock(&file).doing(|| "lock the machine".to_owned())? {
        Ok(file)
    } else {
        Err(Error::Running(name.to_owned()))
    }
}
