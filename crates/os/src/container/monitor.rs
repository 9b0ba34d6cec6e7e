//! The process that makes a machine's process 1, waits for it, and finds a new supervisor where the old one is gone.

use super::link::{FromMonitor, Role, ToMonitor, send};
use super::{Launch, first, link};
use crate::error::Doing as _;
use crate::supervisor::protocol::Lines;
use crate::{Ended, Error, MachineFolder, names};
use nival_sys::{cgroup, fs, process};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// `internal machine`: input is the stream to the supervisor on which process 1 is set up, output the link to it.
pub(crate) fn main(launch: &str) -> ExitCode {
    let run = || -> Result<i32, Error> {
        let launch: Launch =
            serde_json::from_str(launch).map_err(|error| Error::Manifest(error.to_string()))?;
        let control = process::copy_fd(0).doing(|| "take the control stream".to_owned())?;
        let supervisor = process::copy_fd(1).doing(|| "take the link".to_owned())?;
        monitor(&launch, UnixStream::from(control), UnixStream::from(supervisor))
    };
    match run() {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(255)),
        Err(error) => {
            eprintln!("nival: machine: {error}");
            ExitCode::from(254)
        }
    }
}

fn monitor(launch: &Launch, control: UnixStream, supervisor: UnixStream) -> Result<i32, Error> {
    cgroup::join(&launch.monitor_group, 0).doing(|| "join the monitor's control group".to_owned())?;
    let path = link::socket(&launch.sockets, &launch.name);
    let listener = nival_sys::socket::listen(&path).doing(|| "listen for a supervisor".to_owned())?;
    let Some(pid) = process::fork_first().doing(|| "start process 1".to_owned())? else {
        drop((listener, supervisor));
        first::become_first(launch, &control);
        std::process::exit(254);
    };
    drop(control);
    let ended = process::descriptor(pid).doing(|| "watch process 1".to_owned())?;
    let null = std::fs::File::open("/dev/null").doing(|| "open /dev/null".to_owned())?;
    process::set_standard_streams(&null).doing(|| "open /dev/null".to_owned())?;
    let mut monitor = Monitor {
        launch,
        first: pid,
        since: names::now(),
        ended,
        listener,
        link: None,
        kept: Vec::new(),
        console: Console::default(),
        booted: false,
        successor: Successor::default(),
    };
    monitor.welcome(supervisor);
    let code = monitor.watch();
    let _ = fs::remove_file(&path);
    code
}

struct Monitor<'a> {
    launch: &'a Launch,
    first: i32,
    since: u64,
    ended: OwnedFd,
    listener: UnixListener,
    link: Option<(UnixStream, Lines)>,
    kept: Vec<(Role, OwnedFd)>,
    console: Console,
    booted: bool,
    successor: Successor,
}

impl Monitor<'_> {
    /// Waits until process 1 has ended; gives its code.
    fn watch(&mut self) -> Result<i32, Error> {
        loop {
            let ready = self.wait()?;
            if ready.console {
                self.console.keep(&MachineFolder::from(self.launch.folder.clone()));
            }
            if ready.link {
                self.listen();
            }
            if ready.caller
                && let Ok((stream, _)) = self.listener.accept()
            {
                self.admit(stream);
            }
            if ready.ended {
                return self.finish();
            }
            if self.link.is_none() && self.successor.is_due() {
                self.find_successor();
            }
        }
    }

    fn wait(&self) -> Result<Ready, Error> {
        let mut watched: Vec<&dyn process::AsReadable> = vec![&self.ended, &self.listener];
        if let Some((stream, _)) = &self.link {
            watched.push(stream);
        }
        if let Some(console) = &self.console.shown {
            watched.push(console);
        }
        let time = if self.link.is_some() { -1 } else { self.successor.milliseconds() };
        let ready = process::wait_readable(&watched, time).doing(|| "wait for process 1".to_owned())?;
        let linked = usize::from(self.link.is_some());
        Ok(Ready {
            ended: ready[0],
            caller: ready[1],
            link: self.link.is_some() && ready[2],
            console: self.console.shown.is_some() && ready[2 + linked],
        })
    }

    /// Takes what the supervisor says; one that is gone is missed.
    fn listen(&mut self) {
        let Some((_, lines)) = &mut self.link else { return };
        loop {
            match lines.next::<ToMonitor>() {
                Ok(Some((ToMonitor::Keep { role }, mut fds))) => {
                    if let Some(fd) = fds.pop() {
                        self.kept.retain(|(old, _)| *old != role);
                        if role == Role::Console {
                            self.console.shown = fd.try_clone().ok().map(std::fs::File::from);
                        }
                        self.kept.push((role, fd));
                    }
                }
                Ok(Some((ToMonitor::Booted, _))) => self.booted = true,
                Ok(Some((ToMonitor::TakeOver { .. }, _))) => {}
                Ok(None) | Err(_) => {
                    self.link = None;
                    self.successor = Successor::default();
                    if !self.booted {
                        let _ = process::signal(self.first, libc::SIGKILL);
                    }
                    return;
                }
            }
            if !lines.holds_more() {
                return;
            }
        }
    }

    /// Hands the machine over to the successor of its supervisor, and to nobody else.
    fn admit(&mut self, stream: UnixStream) {
        let ask = || -> std::io::Result<Option<ToMonitor>> {
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            let word = Lines::new(stream.try_clone()?).next::<ToMonitor>()?;
            stream.set_read_timeout(None)?;
            Ok(word.map(|(word, _)| word))
        };
        if let Ok(Some(ToMonitor::TakeOver { record })) = ask()
            && record == self.launch.record
        {
            self.welcome(stream);
        }
    }

    /// Hands everything to a supervisor that connected.
    fn welcome(&mut self, stream: UnixStream) {
        let tell = || -> std::io::Result<Lines> {
            for (role, fd) in &self.kept {
                send(&stream, &FromMonitor::Kept { role: role.clone() }, &[fd.as_fd()])?;
            }
            send(&stream, &FromMonitor::Holds { first: self.first, since: self.since }, &[])?;
            Ok(Lines::new(stream.try_clone()?))
        };
        if let Ok(lines) = tell() {
            self.link = Some((stream, lines));
        }
    }

    fn find_successor(&mut self) {
        if !self.booted {
            return self.successor.give_up();
        }
        if self.successor.start(&self.launch.record) {
            return;
        }
        let reason = "no new supervisor could be started for it".to_owned();
        let error = Error::Crashed { machine: self.launch.name.clone(), reason, times: MOST_TRIES };
        let _ = Ended { at: names::now(), error }.write(&MachineFolder::from(self.launch.folder.clone()));
        let _ = process::signal(self.first, process::halt_signal());
        self.successor.give_up();
    }

    fn finish(&mut self) -> Result<i32, Error> {
        let code = process::wait(self.first).doing(|| "wait for process 1".to_owned())?;
        match &self.link {
            Some((stream, _)) => {
                let _ = send(stream, &FromMonitor::Ended { code }, &[]);
            }
            // Whoever takes over starts the machine anew, or cleans up what is left of it.
            None if self.booted => {
                let _ = fs::remove_file(&link::socket(&self.launch.sockets, &self.launch.name));
                self.kept.clear();
                self.successor.start(&self.launch.record);
            }
            None => {}
        }
        Ok(code)
    }
}

#[derive(Clone, Copy)]
struct Ready {
    ended: bool,
    caller: bool,
    link: bool,
    console: bool,
}

/// How many times a new supervisor is started before the machine is given up.
const MOST_TRIES: u32 = 8;

/// The search for a new supervisor: at once, then after rising pauses.
struct Successor {
    tries: u32,
    due: Option<Instant>,
    children: Vec<Child>,
}

impl Default for Successor {
    fn default() -> Self {
        Self { tries: 0, due: Some(Instant::now()), children: Vec::new() }
    }
}

impl Successor {
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// How long to wait; -1 is for ever.
    fn milliseconds(&self) -> i32 {
        let left = |due: Instant| due.saturating_duration_since(Instant::now()).as_millis();
        self.due.map_or(-1, |due| i32::try_from(left(due)).unwrap_or(i32::MAX).saturating_add(1))
    }

    fn give_up(&mut self) {
        self.due = None;
    }

    /// Starts a candidate; false when there were too many. Of several monitors' candidates one becomes the supervisor.
    fn start(&mut self, record: &std::path::Path) -> bool {
        self.children.retain_mut(|child| !child.try_wait().is_ok_and(|status| status.is_some()));
        if self.tries == MOST_TRIES {
            return false;
        }
        self.due = Some(Instant::now() + Duration::from_millis(250 << self.tries.min(4)));
        self.tries += 1;
        let mut command = Command::new("/proc/self/exe");
        command.args(["internal", "adopt"]).arg(record).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(child) = process::spawn(process::new_session(&mut command)) {
            self.children.push(child);
        }
        true
    }
}

/// What process 1 shows before the journal runs.
#[derive(Default)]
struct Console {
    shown: Option<std::fs::File>,
    file: Option<std::fs::File>,
    written: usize,
}

impl Console {
    /// Writes what came to the machine's file, up to a megabyte.
    fn keep(&mut self, folder: &MachineFolder) {
        const MOST: usize = 1024 * 1024;
        let Some(shown) = &mut self.shown else { return };
        let mut piece = [0u8; 4096];
        let Ok(length @ 1..) = shown.read(&mut piece) else {
            self.shown = None;
            return;
        };
        if self.file.is_none() && self.written == 0 {
            let _ = fs::remove_file(&folder.console());
            self.file = fs::append(&folder.console()).ok();
        }
        if let Some(file) = &mut self.file
            && self.written < MOST
            && file.write_all(&piece[..length]).is_ok()
        {
            self.written += length;
        }
    }
}
