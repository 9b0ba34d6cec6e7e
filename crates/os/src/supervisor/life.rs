//! The life of one machine: made, booted, checked, waited for, cleaned up.

use super::network::Hub;
use super::protocol::{Event, Known, Lines, News, Order, Orders, Publish};
use super::{Client, publish, serve};
use crate::checks::Outcome;
use crate::compose::{self, Store};
use crate::container::enter::{Entry, What};
use crate::container::{Launch, Report};
use crate::error::Doing as _;
use crate::host::Groups;
use crate::{Error, MachineFolder, names};
use nival_sys::{fs, namespace, process};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
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

/// One machine of a supervisor.
pub(super) struct Machine {
    pub name: String,
    pub folder: MachineFolder,
    pub groups: Groups,
    launch: Launch,
    socket: PathBuf,
    ports: Vec<Publish>,
    inside: publish::Inside,
    address: Option<Ipv4Addr>,
    outside: String,
    connect: Box<dyn Fn(i32) -> Result<(), Error> + Send + Sync>,
    /// How many machines of this supervisor have not ended.
    alive: Arc<AtomicUsize>,
    /// How many clients wait for an answer about the end of the machine.
    pub answering: AtomicUsize,
    now: Mutex<Now>,
    changed: Condvar,
}

impl Machine {
    /// Takes the ports and the socket of a machine; nothing is started yet.
    pub(super) fn new(
        orders: &Orders,
        groups: &Path,
        (order, index): (&Order, usize),
        hub: &Arc<Hub>,
        alive: &Arc<AtomicUsize>,
    ) -> Result<Self, Error> {
        let folder = MachineFolder::new(&orders.data, &order.name);
        let groups = Groups::of(groups, folder.path(), &order.name);
        let address = hub.address(index);
        let inside = publish::Inside::default();
        let mut ports = Vec::new();
        for (port, listener) in publish::listen(&order.publish)? {
            publish::serve(listener, port.guest, Arc::clone(&inside), address);
            ports.push(port);
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
            hosts: hub.hosts(orders, index),
            resolv: hub.resolv.clone(),
        };
        let outside = hub.outside.clone();
        let hub = Arc::clone(hub);
        Ok(Self {
            name: order.name.clone(),
            folder,
            groups,
            launch,
            socket: orders.sockets.join(format!("{}.sock", order.name)),
            ports,
            inside,
            address,
            outside,
            connect: Box::new(move |first| hub.connect(index, first)),
            alive: Arc::clone(alive),
            answering: AtomicUsize::new(0),
            now: Mutex::new(Now { phase: Phase::Starting, first: 0, since: 0, checked: false }),
            changed: Condvar::new(),
        })
    }

    fn set(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut now);
        self.changed.notify_all();
    }

    fn now(&self) -> Now {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn wait_for(&self, time: Duration, good: impl Fn(&Now) -> bool) -> bool {
        let now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
            outside: self.outside.clone(),
            first: now.first,
            supervisor: std::process::id(),
        }
    }

    /// Lives through; returns when the machine has ended for good and everything is cleaned up.
    pub(super) fn live(self: &Arc<Self>, client: &Client, start: Instant) {
        let served = serve::start(self, &self.socket);
        if let Err(error) = served {
            client.tell(&News::Failed(error));
            return self.end();
        }
        loop {
            let code = self.once(client, start);
            if let Ok(mut inside) = self.inside.lock() {
                *inside = None;
            }
            let cleaned = self.groups.remove();
            let again = matches!(code, Ok(129)) && self.now().phase == Phase::Running;
            match (&code, &cleaned) {
                (Err(error), _) | (_, Err(error)) if !again => {
                    eprintln!("nival: machine {}: {error}", self.name);
                }
                _ => {}
            }
            if let Err(error) = code {
                client.tell(&News::Failed(error));
            }
            if !again {
                break;
            }
        }
        let _ = fs::remove_file(&self.socket);
        let _ = std::fs::remove_dir(self.folder.mount_point());
        self.end();
    }

    fn end(&self) {
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

    /// One boot, from making to the end; gives the code that the machine ended with.
    fn once(self: &Arc<Self>, client: &Client, start: Instant) -> Result<i32, Error> {
        let since = |start: Instant| u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
        let state = self.folder.state();
        crate::switch::settle(&state)?;
        let mut launch = self.launch.clone();
        if let Some(current) = state.current() {
            launch.generation = current;
        }
        let composing = Instant::now();
        let manifest = state.manifest(launch.generation)?;
        let composition = compose::compose(&Store::below(&launch.store), &state, &manifest)?;
        // Nothing runs on other layers now; those that are wanted again are made again.
        compose::collect(&state, &[composition])?;
        let event = Event::Composed { machine: self.name.clone(), milliseconds: since(composing) };
        client.tell(&News::Event(event));
        self.groups.make()?;
        let (mut monitor, control, alive) = self.spawn(&launch)?;
        let booted = self.boot(&control, &alive);
        drop(control);
        let first = match booted {
            Ok(first) => first,
            Err(error) => {
                drop(alive);
                let _ = monitor.wait();
                return Err(error);
            }
        };
        self.set(|now| {
            now.phase = if now.phase == Phase::Stopping { Phase::Stopping } else { Phase::Running };
            (now.first, now.since) = (first, names::now());
        });
        client.tell(&News::Event(Event::Booting { machine: self.name.clone(), milliseconds: since(start) }));
        if !self.ports.is_empty() {
            let event = Event::Published { machine: self.name.clone(), ports: self.ports.clone() };
            client.tell(&News::Event(event));
        }
        if !self.now().checked {
            self.check_beside(client, start, &mut monitor);
        }
        let status = monitor.wait().doing(|| "wait for the machine".to_owned())?;
        drop(alive);
        self.set(|now| now.first = 0);
        Ok(process::exit_code(status))
    }

    /// Checks the machine's health while watching that it does not end meanwhile.
    fn check_beside(self: &Arc<Self>, client: &Client, start: Instant, monitor: &mut Child) {
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
        let ended = monitor.try_wait().is_ok_and(|status| status.is_some());
        let machine = self.name.clone();
        match outcome {
            _ if ended => {
                let reason = "process 1 ended".to_owned();
                client.tell(&News::Failed(Error::Boot { machine, reason, log: self.console_lines() }));
            }
            Some(Outcome { failure: None, warnings }) => {
                for text in warnings {
                    client.tell(&News::Event(Event::Warning { machine: machine.clone(), text }));
                }
                let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
                client.tell(&News::Event(Event::Healthy { machine, milliseconds }));
            }
            Some(Outcome { failure: Some(error), .. }) => client.tell(&News::Failed(error)),
            None => {
                let reason = "its health cannot be checked".to_owned();
                client.tell(&News::Failed(Error::Boot { machine, reason, log: self.console_lines() }));
            }
        }
        self.set(|now| now.checked = true);
    }

    fn console_lines(&self) -> Vec<String> {
        let text = std::fs::read(self.folder.console()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(15)..].to_vec()
    }

    fn spawn(&self, launch: &Launch) -> Result<(Child, UnixStream, UnixStream), Error> {
        let doing = || "start the machine's monitor".to_owned();
        let (control, control_there) = UnixStream::pair().doing(doing)?;
        let (alive, alive_there) = UnixStream::pair().doing(doing)?;
        let launch = serde_json::to_string(launch).unwrap_or_default();
        let mut command = Command::new("/proc/self/exe");
        command.args(["internal", "machine", &launch]);
        command.stdin(OwnedFd::from(control_there)).stdout(OwnedFd::from(alive_there));
        Ok((process::spawn(&mut command).doing(doing)?, control, alive))
    }

    /// Follows process 1 until it is systemd; gives its id.
    fn boot(&self, control: &UnixStream, alive: &UnixStream) -> Result<i32, Error> {
        let lost = |reason: &str| Error::Boot {
            machine: self.name.clone(),
            reason: reason.to_owned(),
            log: self.console_lines(),
        };
        let mut line = String::new();
        BufReader::new(alive).read_line(&mut line).doing(|| "wait for the monitor".to_owned())?;
        let first: i32 = line.trim().parse().map_err(|_| lost("its monitor ended"))?;
        let copy = control.try_clone().doing(|| "talk to the machine".to_owned())?;
        let mut reports = Lines::new(copy);
        loop {
            let report = reports.next::<Report>().doing(|| "wait for the machine".to_owned())?;
            match report {
                Some((Report::Ready, _)) => {
                    (self.connect)(first)?;
                    let space =
                        namespace::open(first, "net").doing(|| "enter the machine's network".to_owned())?;
                    if let Ok(mut inside) = self.inside.lock() {
                        *inside = Some(Arc::new(space));
                    }
                    (&mut &*control).write_all(b"go\n").doing(|| "let the machine go on".to_owned())?;
                }
                Some((Report::Console, fds)) => {
                    if let Ok([shown, terminal]) = <[OwnedFd; 2]>::try_from(fds) {
                        self.keep_console(shown, terminal, first);
                    }
                }
                Some((Report::Failed(error), _)) => return Err(self.named(error)),
                None if alive_still(first) => return Ok(first),
                None => return Err(lost("process 1 ended")),
            }
        }
    }

    fn named(&self, error: Error) -> Error {
        match error {
            Error::Boot { reason, log, .. } => Error::Boot { machine: self.name.clone(), reason, log },
            other => other,
        }
    }

    /// Writes what the console shows to a file, up to a megabyte. The terminal is held open: without anybody
    /// who has it open, who opens it next is told that it is gone, and systemd tries that for a second each time.
    fn keep_console(&self, console: OwnedFd, terminal: OwnedFd, first: i32) {
        const MOST: usize = 1024 * 1024;
        let path = self.folder.console();
        std::thread::spawn(move || {
            let _ = fs::remove_file(&path);
            let Ok(ended) = process::descriptor(first) else { return };
            let mut console = std::fs::File::from(console);
            let mut written = 0;
            let mut piece = [0u8; 4096];
            while let Ok(ready) = process::wait_readable(&[&console, &ended], -1) {
                if ready[0] {
                    let Ok(length @ 1..) = console.read(&mut piece) else { break };
                    let keep = written < MOST;
                    if keep && fs::append(&path).and_then(|mut file| file.write_all(&piece[..length])).is_ok()
                    {
                        written += length;
                    }
                } else if ready[1] {
                    break;
                }
            }
            drop(terminal);
        });
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
        self.set(|now| {
            if now.phase != Phase::Ended {
                now.phase = Phase::Stopping;
            }
        });
        if before.first > 0 {
            let _ = process::signal(before.first, process::halt_signal());
        } else if before.phase != Phase::Ended {
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

fn alive_still(pid: i32) -> bool {
    process::descriptor(pid).is_ok_and(|fd| process::wait_readable(&[&fd], 0).is_ok_and(|ready| !ready[0]))
}
