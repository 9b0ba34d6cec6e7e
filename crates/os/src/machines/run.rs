//! Programs and shells in a running machine.

use super::Machines;
use crate::Error;
use crate::container::enter::{Said, Terminal};
use crate::container::look::Look;
use crate::error::Doing as _;
use crate::supervisor::protocol::{self, Lines, Request};
use nival_sys::{process, pty};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::process::Stdio;

/// What is run in a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The words of the command; none for the user's login shell.
    pub command: Vec<String>,
    /// The user; empty for root.
    pub user: String,
    /// Whether it gets a terminal of the machine, shown on this process's own.
    pub terminal: bool,
    /// Further variables.
    pub environment: Vec<(String, String)>,
}

impl Machines {
    /// Runs a program in a machine with this process's input and output; gives the code that it ended with.
    ///
    /// # Errors
    /// [`Error::NotRunning`], or what kept the program from being started.
    pub fn exec(&self, name: &str, program: &Program) -> Result<i32, Error> {
        let (input, output, errors) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        self.exec_with(name, program, [input.as_fd(), output.as_fd(), errors.as_fd()])
    }

    /// The same with streams of the caller's choice.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub fn exec_with(
        &self,
        name: &str,
        program: &Program,
        streams: [BorrowedFd<'_>; 3],
    ) -> Result<i32, Error> {
        let size = pty::size(streams[0]).filter(|_| program.terminal);
        let mut environment = program.environment.clone();
        if let (Some(_), Ok(term)) = (size, std::env::var("TERM")) {
            environment.insert(0, ("TERM".to_owned(), term));
        }
        let request = Request::Run {
            command: program.command.clone(),
            user: if program.user.is_empty() { "root".to_owned() } else { program.user.clone() },
            terminal: size.map(|(rows, columns)| Terminal { rows, columns }),
            environment,
        };
        let stream = self.connect(name)?;
        let doing = || "run a program in the machine".to_owned();
        protocol::send(&stream, &request, &streams).doing(doing)?;
        let mut lines = Lines::new(stream);
        let mut shown = None;
        loop {
            match lines.next::<Said>().doing(doing)? {
                Some((Said::Terminal, mut fds)) => {
                    shown = fds
                        .pop()
                        .map(|terminal| Shown::start(terminal, &streams))
                        .transpose()
                        .doing(doing)?;
                }
                Some((Said::Ended(code), _)) => {
                    if let Some(shown) = shown {
                        shown.finish();
                    }
                    return Ok(code);
                }
                Some((Said::Failed(error), _)) => return Err(error),
                None => {
                    let reason = "the connection was closed".to_owned();
                    return Err(Error::Supervisor { machine: name.to_owned(), reason });
                }
            }
        }
    }

    /// What a program says on its output.
    pub(crate) fn output(&self, name: &str, command: &[&str]) -> Result<String, Error> {
        let doing = || "run a program in the machine".to_owned();
        let (mut reader, writer) = std::io::pipe().doing(doing)?;
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").doing(doing)?;
        let program = Program {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            ..Program::default()
        };
        let reading = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = reader.read_to_end(&mut text);
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let result = self.exec_with(name, &program, [null.as_fd(), writer.as_fd(), null.as_fd()]);
        drop(writer);
        let text = reading.join().unwrap_or_default();
        result.map(|_| text)
    }

    /// Shows the journal of a machine with arguments of journalctl, whether it runs or not; gives the exit code.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`], or what kept journalctl from being started.
    pub fn logs(&self, name: &str, arguments: &[String]) -> Result<i32, Error> {
        let folder = self.known(name)?;
        let state = folder.state();
        let current = state.current().unwrap_or(0);
        if state.manifest(current).is_ok_and(|manifest| manifest.alone.is_some()) {
            return self.show_console(name, arguments);
        }
        if self.is_running(name) {
            let command =
                ["journalctl", "--no-pager"].map(str::to_owned).into_iter().chain(arguments.iter().cloned());
            return self.exec(name, &Program { command: command.collect(), ..Program::default() });
        }
        let words = ["/usr/bin/journalctl", "--no-pager", "--directory=/var/log/journal"].map(str::to_owned);
        let look = Look {
            folder: folder.path().to_owned(),
            store: self.config.store.clone(),
            generation: current,
            command: words.into_iter().chain(arguments.iter().cloned()).collect(),
        };
        let mut command = std::process::Command::new("/proc/self/exe");
        command.args(["internal", "look", &serde_json::to_string(&look).unwrap_or_default()]);
        let child = process::spawn(command.stdin(Stdio::null()));
        let mut child = child.doing(|| "start `journalctl`".to_owned())?;
        let status = child.wait().doing(|| "wait for `journalctl`".to_owned())?;
        Ok(process::exit_code(status))
    }
}

impl Machines {
    /// Shows what a service that runs alone has written; it has no journal.
    fn show_console(&self, name: &str, arguments: &[String]) -> Result<i32, Error> {
        let doing = || format!("show what `{name}` has written");
        let (mut follow, mut last) = (false, None);
        for argument in arguments {
            match (argument.as_str(), argument.strip_prefix("--lines=")) {
                ("--follow", _) => follow = true,
                ("--no-pager", _) => {}
                (_, Some(count)) => last = count.parse::<usize>().ok(),
                _ => return Err(Error::NoJournal { machine: name.to_owned(), argument: argument.clone() }),
            }
        }
        let mut file = std::fs::File::open(self.known(name)?.console()).doing(doing)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).doing(doing)?;
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        let shown =
            text.split_inclusive(|byte| *byte == b'\n').skip(last.map_or(0, |n| lines.saturating_sub(n)));
        let mut output = std::io::stdout();
        let mut written = output.write_all(&shown.collect::<Vec<_>>().concat());
        while follow && written.is_ok() && self.is_running(name) {
            std::thread::sleep(std::time::Duration::from_millis(100));
            text.clear();
            file.read_to_end(&mut text).doing(doing)?;
            written = output.write_all(&text).and_then(|()| output.flush());
        }
        Ok(0)
    }
}

/// A terminal of the machine that is shown on this process's own.
struct Shown {
    raw: Option<pty::Raw>,
    output: std::thread::JoinHandle<()>,
}

impl Shown {
    fn start(terminal: OwnedFd, streams: &[BorrowedFd<'_>; 3]) -> std::io::Result<Self> {
        let raw = pty::Raw::start(streams[0]);
        let (mut typed, mut shows) = (
            std::fs::File::from(streams[0].try_clone_to_owned()?),
            std::fs::File::from(streams[1].try_clone_to_owned()?),
        );
        let mut inner = std::fs::File::from(terminal.try_clone()?);
        let mut inner_out = std::fs::File::from(terminal);
        let own = typed.try_clone()?;
        std::thread::spawn(move || {
            let mut piece = [0u8; 4096];
            let mut size = pty::size(&own);
            loop {
                let ready = process::wait_readable(&[&typed.as_fd()], 250).unwrap_or_default();
                let now = pty::size(&own);
                if now != size {
                    size = now;
                    if let Some((rows, columns)) = size {
                        let _ = pty::set_size(&inner, rows, columns);
                    }
                }
                if ready.first() != Some(&true) {
                    continue;
                }
                match typed.read(&mut piece) {
                    Ok(length @ 1..) if inner.write_all(&piece[..length]).is_ok() => {}
                    _ => break,
                }
            }
        });
        let output = std::thread::spawn(move || {
            let mut piece = [0u8; 4096];
            while let Ok(length @ 1..) = inner_out.read(&mut piece) {
                if shows.write_all(&piece[..length]).is_err() {
                    break;
                }
            }
            debug_assert!(inner_out.as_raw_fd() >= 0);
        });
        Ok(Self { raw, output })
    }

    /// Shows what is left, then gives the terminal back as it was.
    fn finish(self) {
        let end = std::time::Instant::now() + std::time::Duration::from_millis(500);
        while !self.output.is_finished() && std::time::Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(self.raw);
    }
}
