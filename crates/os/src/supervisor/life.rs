//! The life of one machine: made, booted, checked, waited for, started again, cleaned up.

use super::adopt::Found;
use super::boot::{Running, alive_still};
use super::network::Hub;
use super::protocol::{Event, Known, Lines, News, Orders, Publish};
use super::record::{self, Turn};
use super::restart::{self, Crashes};
use super::{Client, order, publish, serve};
use crate::checks::Outcome;
use crate::compose::{self, Store};
use crate::container::Launch;
use crate::container::enter::{Entry, What};
use crate::container::link::Role;
use crate::error::Doing as _;
use crate::host::Groups;
use crate::{Ended, Error, MachineFolder, names};
use nival_sys::{fs, process};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Running,
    Stopping,
    Ended,
}

/// What changes while a machine lives.
#[derive(Clone, Copy, Debug)]
struct Now {
    phase: Phase,
    first: i32,
    since: u64,
    checked: bool,
}

/// What all machines of a supervisor share.
pub(super) struct Parts<'a> {
    pub orders: &'a Orders,
    /// The machine's place in the orders.
    pub index: usize,
    /// The record of this supervisor.
    pub turn: &'a Arc<Turn>,
    pub hub: &'a Arc<Hub>,
    pub alive: &'a Arc<AtomicUsize>,
}

/// One machine of a supervisor.
pub(super) struct Machine {
    pub name: String,
    pub folder: MachineFolder,
    pub groups: Groups,
    launch: Launch,
    socket: PathBuf,
    ports: Vec<Publish>,
    pub inside: publish::Inside,
    /// What the monitor keeps for the next supervisor.
    pub keep: Mutex<Vec<(Role, OwnedFd)>>,
    stop_mark: PathBuf,
    address: Option<Ipv4Addr>,
    hub: Arc<Hub>,
    pub connect: Box<dyn Fn(i32) -> Result<(), Error> + Send + Sync>,
    /// How many machines of this supervisor have not ended.
    alive: Arc<AtomicUsize>,
    turn: Arc<Turn>,
    index: usize,
    /// How many clients wait for an answer about the end of the machine.
    pub answering: AtomicUsize,
    now: Mutex<Now>,
    changed: Condvar,
}

impl Machine {
    /// Prepares a machine; nothing is started yet.
    pub(super) fn new(
        parts: &Parts<'_>,
        lock: OwnedFd,
        listeners: Vec<TcpListener>,
        wanted: bool,
    ) -> Result<Self, Error> {
        let (orders, index, hub) = (parts.orders, parts.index, parts.hub);
        let order = order(orders, index)?;
        let folder = MachineFolder::new(&orders.data, &order.name);
        let base = orders.groups.as_deref().unwrap_or(Path::new("/"));
        let groups = Groups::of(base, folder.path(), &order.name);
        let address = hub.address(index);
        let inside = publish::Inside::default();
        let mut keep = vec![(Role::Lock, lock)];
        keep.extend(hub.bridge().doing(|| "keep the network".to_owned())?.map(|fd| (Role::Bridge, fd)));
        for (number, (port, listener)) in order.publish.iter().zip(listeners).enumerate() {
            let copy = listener.try_clone().doing(|| "keep a port".to_owned())?;
            keep.push((Role::Port(number), copy.into()));
            publish::serve(listener, port.guest, Arc::clone(&inside), address);
        }
        let launch = Launch {
            name: order.name.clone(),
            generation: order.generation,
            folder: folder.path().to_owned(),
            store: orders.store.clone(),
            user: orders.user,
            group: groups.machine.clone(),
            monitor_group: groups.monitor.clone(),
            runtime: orders.runtime.clone(),
            sockets: orders.sockets.clone(),
            record: parts.turn.path.clone(),
            hosts: hub.hosts(orders, index),
            resolv: hub.resolv.clone(),
        };
        let phase = if wanted { Phase::Starting } else { Phase::Stopping };
        let (own_hub, outside) = (Arc::clone(hub), groups.outside.clone());
        Ok(Self {
            name: order.name.clone(),
            folder,
            groups,
            launch,
            socket: record::socket(&orders.sockets, &order.name),
            ports: order.publish.clone(),
            inside,
            keep: Mutex::new(keep),
            stop_mark: record::stop_mark(&orders.sockets, &order.name),
            address,
            hub: Arc::clone(hub),
            connect: Box::new(move |first| own_hub.connect(index, first, &outside)),
            alive: Arc::clone(parts.alive),
            turn: Arc::clone(parts.turn),
            index,
            answering: AtomicUsize::new(0),
            now: Mutex::new(Now { phase, first: 0, since: 0, checked: false }),
            changed: Condvar::new(),
        })
    }

    fn set(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        self.changed.notify_all();
    }

    fn now(&self) -> Now {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, time: Duration, good: impl Fn(&Now) -> bool) -> bool {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(now, time, |now| !good(now));
        waited.is_ok_and(|(now, _)| good(&now))
    }

    /// Waits until the machine was checked, or has ended.
    pub(super) fn wait_until_up(&self) {
        self.wait_for(Duration::from_secs(3600), |now| now.checked || now.phase == Phase::Ended);
    }

    /// What is known to tell a client.
    pub(super) fn known(&self) -> Known {
        let now = self.now();
        let phase = match now.phase {
            Phase::Starting => "starting",
            Phase::Running => "running",
            Phase::Stopping => "stopping",
            Phase::Ended => "ended",
        };
        Known {
            phase: phase.to_owned(),
            since: now.since,
            ports: self.ports.clone(),
            address: self.address,
            outside: self.hub.outside(),
            first: now.first,
            supervisor: std::process::id(),
        }
    }

    /// Lives through; returns when the machine has ended for good and everything is cleaned up.
    pub(super) fn live(self: &Arc<Self>, client: &Client, start: Instant, mut found: Option<Found>) {
        let served = persist(|| serve::start(self, &self.socket));
        if let Err(error) = served {
            client.tell(&News::Failed(error));
            let _ = self.groups.remove();
            return self.end();
        }
        if found.is_some() && self.is_stopping() {
            // Who was asked to stop it before was killed.
            let own = Arc::clone(self);
            std::thread::spawn(move || own.stop(Duration::from_secs(90)));
        }
        let mut crashes = Crashes::default();
        loop {
            let code = match found.take() {
                Some(found) => self.take_over(found),
                None if self.is_stopping() => Ok(0),
                None => self.start(client, start),
            };
            if let Ok(mut inside) = self.inside.lock() {
                *inside = None;
            }
            if let Err(error) = persist(|| self.groups.remove()) {
                eprintln!("nival: machine {}: {error}", self.name);
            }
            if !self.is_to_run_again(code, client, &mut crashes) {
                break;
            }
        }
        let _ = std::fs::remove_dir(self.folder.mount_point());
        self.end();
        record::clean(&self.launch.sockets, &self.name);
        let _ = std::fs::remove_dir(&self.launch.sockets);
    }

    fn is_stopping(&self) -> bool {
        self.now().phase == Phase::Stopping
    }

    /// Decides what is done after an end: what nobody asked for is mended, up to a limit.
    fn is_to_run_again(&self, code: Result<i32, Error>, client: &Client, crashes: &mut Crashes) -> bool {
        const REBOOTED: i32 = 128 + libc::SIGHUP;
        const POWERED_OFF: i32 = 128 + libc::SIGINT;
        let never_up = !self.now().checked;
        self.set(|now| {
            now.first = 0;
            if now.phase == Phase::Running {
                now.phase = Phase::Starting;
            }
        });
        if self.is_stopping() || matches!(code, Ok(POWERED_OFF)) {
            return false;
        }
        if matches!(code, Ok(REBOOTED)) {
            return true;
        }
        let error = code.map_or_else(|error| error, |code| self.lost(&ended_by(code)));
        let reason = if let Error::Boot { reason, .. } = &error { reason.clone() } else { error.to_string() };
        eprintln!("nival: machine {}: {reason}", self.name);
        if never_up {
            client.tell(&News::Failed(error.clone()));
            let _ = Ended { at: names::now(), error }.write(&self.folder);
            return false;
        }
        if let Some(pause) = crashes.count(Instant::now()) {
            return !self.wait_for(pause, |now| now.phase == Phase::Stopping);
        }
        let times = u32::try_from(restart::MOST).unwrap_or(u32::MAX);
        let error = Error::Crashed { machine: self.name.clone(), reason, times };
        eprintln!("nival: machine {}: {error}", self.name);
        let _ = Ended { at: names::now(), error }.write(&self.folder);
        false
    }

    /// Lets go of everything, so that another supervisor may start the machine.
    fn end(&self) {
        if let Err(error) = self.turn.forget(self.index) {
            eprintln!("nival: machine {}: {error}", self.name);
        }
        for (role, fd) in self.keep.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Role::Port(_) = role {
                let _ = nival_sys::socket::stop_listening(&fd);
            }
        }
        self.alive.fetch_sub(1, Ordering::SeqCst);
        self.set(|now| now.phase = Phase::Ended);
    }

    /// Waits until clients that wait for the end have been told of it.
    pub(super) fn wait_until_told(&self) {
        let end = Instant::now() + Duration::from_secs(2);
        while self.answering.load(Ordering::SeqCst) > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether no machine of this supervisor is left.
    pub(super) fn was_last(&self) -> bool {
        self.alive.load(Ordering::SeqCst) == 0
    }

    /// Goes on with a machine that outlived its supervisor; gives the code that it ended with.
    fn take_over(self: &Arc<Self>, found: Found) -> Result<i32, Error> {
        if alive_still(found.first) {
            self.open_network(found.first)?;
        }
        let link = Lines::new(found.link);
        let running = Running { first: found.first, since: found.since, link, monitor: None };
        self.set(|now| now.checked = true);
        self.runs(&running);
        Ok(running.wait())
    }

    fn runs(&self, running: &Running) {
        self.set(|now| {
            if now.phase == Phase::Starting {
                now.phase = Phase::Running;
            }
            (now.first, now.since) = (running.first, running.since);
        });
    }

    /// One boot, from making to the end; gives the code that the machine ended with.
    fn start(self: &Arc<Self>, client: &Client, start: Instant) -> Result<i32, Error> {
        let since = |start: Instant| u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
        let state = self.folder.state();
        crate::switch::settle(&state)?;
        let mut launch = self.launch.clone();
        if let Some(current) = state.current() {
            launch.generation = current;
        }
        let composing = Instant::now();
        let manifest = state.manifest(launch.generation)?;
        let keep = usize::try_from(manifest.keep_generations).unwrap_or(usize::MAX);
        if let Err(error) = state.prune(keep, None) {
            eprintln!("nival: machine {}: {error}", self.name);
        }
        let composition = compose::compose(&Store::below(&launch.store), &state, &manifest)?;
        // Nothing runs on other layers now; those that are wanted again are made again.
        compose::collect(&state, &[composition])?;
        let event = Event::Composed { machine: self.name.clone(), milliseconds: since(composing) };
        client.tell(&News::Event(event));
        self.groups.make()?;
        let running = self.boot(&launch)?;
        self.runs(&running);
        if self.is_stopping() {
            // Asked to stop while there was no process 1 yet to be told.
            let _ = process::signal(running.first, libc::SIGKILL);
        }
        client.tell(&News::Event(Event::Booting { machine: self.name.clone(), milliseconds: since(start) }));
        if !self.ports.is_empty() {
            let event = Event::Published { machine: self.name.clone(), ports: self.ports.clone() };
            client.tell(&News::Event(event));
        }
        if !self.now().checked {
            self.check_beside(client, start, running.first);
        }
        Ok(running.wait())
    }

    /// Checks the machine's health while watching that it does not end meanwhile.
    fn check_beside(self: &Arc<Self>, client: &Client, start: Instant, first: i32) {
        let mut checking = match self.spawn_inside(What::Checks) {
            Ok(child) => child,
            Err(error) => {
                client.tell(&News::Failed(error));
                return self.set(|now| now.checked = true);
            }
        };
        let mut text = String::new();
        if let Some(mut output) = checking.stdout.take() {
            let _ = output.read_to_string(&mut text);
        }
        let _ = checking.wait();
        let outcome: Option<Outcome> = serde_json::from_str(&text).ok();
        let machine = self.name.clone();
        match outcome {
            // That is told when its end is looked into.
            _ if !alive_still(first) => return,
            Some(Outcome { failure: None, warnings }) => {
                for text in warnings {
                    client.tell(&News::Event(Event::Warning { machine: machine.clone(), text }));
                }
                let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
                client.tell(&News::Event(Event::Healthy { machine, milliseconds }));
            }
            Some(Outcome { failure: Some(error), .. }) => client.tell(&News::Failed(error)),
            None => client.tell(&News::Failed(self.lost("its health cannot be checked"))),
        }
        self.set(|now| now.checked = true);
    }

    /// Starts this program inside of the machine.
    pub(super) fn spawn_inside(&self, what: What) -> Result<Child, Error> {
        let mut command = self.enter(what, false)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        process::spawn(&mut command).doing(|| "enter the machine".to_owned())
    }

    /// The command that enters the machine.
    pub(super) fn enter(&self, what: What, linked: bool) -> Result<Command, Error> {
        let first = self.now().first;
        if first == 0 {
            return Err(Error::NotRunning(self.name.clone()));
        }
        let entry = Entry { first, group: self.groups.machine.clone(), what, linked };
        let mut command = Command::new("/proc/self/exe");
        command.args(["internal", "enter", &serde_json::to_string(&entry).unwrap_or_default()]);
        Ok(command)
    }

    /// Stops the machine: asks systemd, then kills what is left after the time. Returns when all is cleaned up.
    pub(super) fn stop(&self, time: Duration) -> Result<(), Error> {
        let before = self.now();
        fs::write_atomic(&self.stop_mark, b"", 0o600).doing(|| format!("stop `{}`", self.name))?;
        self.set(|now| {
            if now.phase != Phase::Ended {
                now.phase = Phase::Stopping;
            }
        });
        let asked = before.first > 0 && process::signal(before.first, process::halt_signal()).is_ok();
        if !asked && before.phase != Phase::Ended {
            let _ = nival_sys::cgroup::kill(&self.groups.whole);
        }
        if !self.wait_for(time, |now| now.phase == Phase::Ended) {
            nival_sys::cgroup::kill(&self.groups.machine).doing(|| "kill the machine".to_owned())?;
        }
        if self.wait_for(Duration::from_secs(10), |now| now.phase == Phase::Ended) {
            Ok(())
        } else {
            let error = std::io::Error::other("its processes do not end");
            Err(Error::io(format!("stop `{}`", self.name), &error))
        }
    }
}

/// Tries something a few times that a machine cannot do without.
fn persist(attempt: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
    let mut result = attempt();
    for _ in 0..3 {
        if result.is_err() {
            std::thread::sleep(Duration::from_millis(100));
            result = attempt();
        }
    }
    result
}

/// The end of process 1 in words.
fn ended_by(code: i32) -> String {
    match code.checked_sub(128) {
        Some(signal) if signal > 0 => format!("process 1 was ended by signal {signal}"),
        _ => format!("process 1 ended with code {code}"),
    }
}
