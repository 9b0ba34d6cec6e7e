//! Bringing machines up and down.

use super::Machines;
use crate::error::Doing as _;
use crate::host::{self, IdRange, Place};
use crate::supervisor::protocol::{Answer, Event, Lines, News, Order, Orders, Publish, Request, send};
use crate::{Error, Manifest};
use nival_sys::{fs, owner, process};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::Duration;

/// One machine to bring up.
#[derive(Clone, Debug)]
pub struct Up {
    /// What it is made of.
    pub manifest: Manifest,
    /// The ports of it that are reachable on this host.
    pub publish: Vec<Publish>,
}

/// For how long somebody may hold a machine's lock only to see whether it is free.
const LOOKED_AT: Duration = Duration::from_millis(200);

impl Machines {
    /// Brings machines up that reach each other by name; returns when all their checks have passed.
    ///
    /// They are held by a process of their own that survives this one. A manifest that differs from the current
    /// generation's becomes the next one. A machine that is up but not well is left running.
    ///
    /// # Errors
    /// The first thing that went wrong: [`Error::Running`], [`Error::IdRange`], [`Error::Check`], ...
    pub fn up(&self, machines: &[Up], show: &mut dyn FnMut(&Event)) -> Result<(), Error> {
        let user = !host::is_root();
        let range = if user { Some(IdRange::find()?) } else { None };
        let names: Vec<&str> = machines.iter().map(|up| up.manifest.name.as_str()).collect();
        let place = host::place(&names)?;
        let mut orders = Orders {
            data: self.config.data.clone(),
            store: self.config.store.clone(),
            sockets: self.config.runtime.clone(),
            runtime: host::install(&self.config.data)?,
            groups: if let Place::Here(groups) = &place { Some(groups.clone()) } else { None },
            user,
            machines: Vec::new(),
        };
        self.sweep();
        fs::create_dir_all(&self.config.runtime).doing(|| "make the runtime folder".to_owned())?;
        for up in machines {
            orders.machines.push(self.order(up)?);
        }
        let (stream, there) = UnixStream::pair().doing(|| "start the supervisor".to_owned())?;
        let supervisor = self.spawn_supervisor(&orders, &place, there)?;
        follow(stream, &supervisor, range, &orders, show)
    }

    /// Checks that a machine is not up and stores its manifest where it is new.
    fn order(&self, up: &Up) -> Result<Order, Error> {
        let name = up.manifest.name.clone();
        crate::check_machine(&name)?;
        let folder = self.folder(&name);
        let state = folder.state();
        fs::create_dir_all(&folder.data())
            .and_then(|()| fs::create_dir_all(state.path()))
            .doing(|| format!("make the folder of `{name}`"))?;
        let lock = fs::open_rw(&folder.lock()).doing(|| "lock the machine".to_owned())?;
        if !owner::lock_within(&lock, LOOKED_AT).doing(|| "lock the machine".to_owned())? {
            return Err(Error::Running(name));
        }
        let current = state.current();
        let same = |number: u64| state.manifest(number).is_ok_and(|old| old == up.manifest);
        let generation = match current {
            Some(number) if same(number) => number,
            _ => {
                let number = state.add(&up.manifest, "up", &[])?;
                state.set_current(number)?;
                number
            }
        };
        Ok(Order { name, generation, publish: up.publish.clone(), ended: false })
    }

    fn spawn_supervisor(&self, orders: &Orders, place: &Place, there: UnixStream) -> Result<Child, Error> {
        let doing = || "start the supervisor".to_owned();
        let first = orders.machines.first().map(|order| order.name.as_str()).unwrap_or_default();
        let log = self.folder(first).path().join("supervisor.log");
        let _ = fs::remove_file(&log);
        let log = fs::append(&log).doing(doing)?;
        let mut command = match place {
            Place::Here(_) => Command::new("/proc/self/exe"),
            // It becomes this program in the same process, with the same streams.
            Place::Scope(words) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]).arg(std::env::current_exe().doing(doing)?);
                command
            }
        };
        command.args(["internal", "supervisor", &serde_json::to_string(orders).unwrap_or_default()]);
        command.stdin(OwnedFd::from(there)).stdout(log.try_clone().doing(doing)?).stderr(log);
        command.current_dir("/");
        process::new_session(&mut command);
        process::spawn(&mut command).doing(doing)
    }

    /// Stops a machine; returns when nothing of it is left.
    ///
    /// # Errors
    /// [`Error::NotRunning`], or what kept it from ending.
    pub fn down(&self, name: &str) -> Result<(), Error> {
        let supervisor = self
            .running(name)
            .and_then(|known| process::descriptor(known.supervisor.cast_signed()).ok())
            .ok_or_else(|| Error::NotRunning(name.to_owned()))?;
        let last = match self.ask(name, &Request::Down { seconds: 90 }, &[]) {
            Ok(Answer::Down { last }) => last,
            // The supervisor was killed after its machine had ended.
            Err(Error::NotRunning(_)) => false,
            Ok(_) => {
                let reason = "it answered something else".to_owned();
                return Err(Error::Supervisor { machine: name.to_owned(), reason });
            }
            Err(error) => return Err(error),
        };
        if last {
            process::wait_readable(&[&supervisor], 10_000)
                .doing(|| "wait for the supervisor to end".to_owned())?;
        }
        self.sweep();
        Ok(())
    }

    /// Cleans up after machines whose supervisor and monitor were all killed.
    pub fn sweep(&self) {
        crate::supervisor::record::sweep(&self.config.runtime);
        if host::is_root() {
            crate::supervisor::sweep_network();
        }
    }
}

/// Follows the supervisor until all its machines are up, or one cannot be.
fn follow(
    stream: UnixStream,
    supervisor: &Child,
    range: Option<IdRange>,
    orders: &Orders,
    show: &mut dyn FnMut(&Event),
) -> Result<(), Error> {
    let copy = stream.try_clone().doing(|| "talk to the supervisor".to_owned())?;
    let mut lines = Lines::new(copy);
    let mut failure = None;
    loop {
        match lines.next::<News>().doing(|| "wait for the supervisor".to_owned())? {
            Some((News::WantsIds, _)) => {
                if let Some(range) = &range {
                    host::hand_out(range, supervisor.id())?;
                }
                send(&stream, &true, &[]).doing(|| "talk to the supervisor".to_owned())?;
            }
            Some((News::Event(event), _)) => show(&event),
            Some((News::Failed(error), _)) => {
                failure.get_or_insert(error);
            }
            Some((News::Done, _)) => return failure.map_or(Ok(()), Err),
            None => {
                let machine = orders.machines.first().map(|order| order.name.clone()).unwrap_or_default();
                let gone =
                    Error::Supervisor { machine, reason: "it ended before the machines were up".to_owned() };
                return Err(failure.unwrap_or(gone));
            }
        }
    }
}
