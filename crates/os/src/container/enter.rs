//! The way into a machine that runs: a program, a shell, or this program's own checks.

use crate::Error;
use crate::error::Doing as _;
use nival_sys::{cgroup, namespace, process, pty, socket};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is run in a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Process 1 of the machine, as the supervisor sees it.
    pub first: i32,
    /// The machine's control group.
    pub group: PathBuf,
    pub what: What,
    /// Whether a connection to report to is open as descriptor 3.
    pub linked: bool,
}

/// The kinds of things to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// A program; nothing means the user's login shell.
    Program {
        command: Vec<String>,
        user: String,
        terminal: Option<Terminal>,
        environment: Vec<(String, String)>,
    },
    /// The health checks of the current generation; the outcome goes to the output.
    Checks,
}

/// The terminal that a program gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Terminal {
    pub rows: u16,
    pub columns: u16,
}

/// What is told to the one who asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// The terminal's side that shows it comes with this message.
    Terminal,
    /// The program ended with this code.
    Ended(i32),
    /// It could not be started.
    Failed(Error),
}

/// `internal enter`.
pub(crate) fn main(entry: &str) -> ExitCode {
    let link = process::take_fd(3).ok().map(UnixStream::from);
    let run = || -> Result<i32, Error> {
        let entry: Entry = serde_json::from_str(entry).map_err(|error| Error::Manifest(error.to_string()))?;
        enter(&entry)?;
        match &entry.what {
            What::Checks => checks(),
            What::Program { command, user, terminal, environment } => {
                program(command, user, terminal.as_ref(), environment, link.as_ref().filter(|_| entry.linked))
            }
        }
    };
    let outcome = run();
    if let Some(link) = &link {
        let said = match &outcome {
            Ok(code) => Said::Ended(*code),
            Err(error) => Said::Failed(error.clone()),
        };
        let _ = say(link, &said, &[]);
    }
    match outcome {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(255)),
        Err(error) => {
            eprintln!("nival: {error}");
            ExitCode::from(125)
        }
    }
}

fn enter(entry: &Entry) -> Result<(), Error> {
    let group = entry.group.join("nival.enter");
    let doing = || "enter the machine".to_owned();
    nival_sys::fs::create_dir_all(&group).doing(doing)?;
    cgroup::join(&group, 0).doing(doing)?;
    let first = process::descriptor(entry.first).doing(doing)?;
    let kinds =
        namespace::HOST_NAME | namespace::IPC | namespace::NETWORK | namespace::CGROUP | namespace::PROCESS;
    namespace::enter(&first, kinds | namespace::MOUNT).doing(doing)?;
    std::env::set_current_dir("/").doing(doing)
}

/// Runs the checks in a child: a thread cannot be made by a process whose children go to another namespace.
fn checks() -> Result<i32, Error> {
    match process::fork().doing(|| "start the checks".to_owned())? {
        None => {
            process::die_with_my_parent();
            std::process::exit(crate::checks::main());
        }
        Some(child) => wait(child, None),
    }
}

fn say(link: &UnixStream, said: &Said, fds: &[std::os::fd::BorrowedFd<'_>]) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(said).unwrap_or_default();
    text.push(b'\n');
    socket::send(link, &text, fds)
}

fn program(
    command: &[String],
    user: &str,
    terminal: Option<&Terminal>,
    environment: &[(String, String)],
    link: Option<&UnixStream>,
) -> Result<i32, Error> {
    let account = Account::find(user)?;
    let terminal = match (terminal, link) {
        (Some(wanted), Some(link)) => {
            let (shown, inner) =
                pty::open(std::path::Path::new("/dev/pts")).doing(|| "make a terminal".to_owned())?;
            let _ = pty::set_size(&inner, wanted.rows, wanted.columns);
            let _ = nival_sys::owner::set_owner_of(&inner, account.uid, 5);
            say(link, &Said::Terminal, &[shown.as_fd()]).doing(|| "hand out the terminal".to_owned())?;
            Some(inner)
        }
        _ => None,
    };
    let Some(child) = process::fork().doing(|| "start a program".to_owned())? else {
        let error = start(command, &account, terminal, environment);
        eprintln!("nival: {error}");
        std::process::exit(if error.to_string().contains("not found") { 127 } else { 126 });
    };
    drop(terminal);
    wait(child, link)
}

/// Waits for the program; when the one who asked is gone, so is the program.
fn wait(child: i32, link: Option<&UnixStream>) -> Result<i32, Error> {
    let ended = process::descriptor(child).doing(|| "watch the program".to_owned())?;
    loop {
        let ready = match link {
            Some(link) => process::wait_readable(&[&ended, link], -1),
            None => process::wait_readable(&[&ended], -1),
        }
        .doing(|| "wait for the program".to_owned())?;
        if ready[0] {
            break;
        }
        if ready.get(1) == Some(&true) {
            let _ = process::signal(child, libc::SIGHUP);
            std::thread::sleep(std::time::Duration::from_millis(200));
            let _ = process::signal(child, libc::SIGKILL);
            break;
        }
    }
    process::wait(child).doing(|| "wait for the program".to_owned())
}

fn start(
    command: &[String],
    account: &Account,
    terminal: Option<OwnedFd>,
    environment: &[(String, String)],
) -> std::io::Error {
    process::die_with_my_parent();
    process::lead_session();
    if let Some(terminal) = terminal {
        let _ = pty::control(&terminal);
        if let Err(error) = process::set_standard_streams(&terminal) {
            return error;
        }
    }
    if let Err(error) = process::become_user(account.uid, account.gid, &account.groups) {
        return error;
    }
    if std::env::set_current_dir(&account.home).is_err() {
        let _ = std::env::set_current_dir("/");
    }
    let login = format!("-{}", account.shell.rsplit('/').next().unwrap_or("sh"));
    let words: Vec<&OsStr> =
        if command.is_empty() { vec![OsStr::new(&login)] } else { command.iter().map(OsStr::new).collect() };
    let mut variables: Vec<(&str, &str)> = vec![
        ("HOME", &account.home),
        ("USER", &account.name),
        ("LOGNAME", &account.name),
        ("SHELL", &account.shell),
        ("PATH", PATH),
    ];
    variables.extend(environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let program = if command.is_empty() { Some(account.shell.clone()) } else { find(&command[0]) };
    match program {
        Some(program) => process::exec(OsStr::new(&program), &words, &variables),
        None => std::io::Error::other(format!("not found in the machine: `{}`", command[0])),
    }
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

fn find(program: &str) -> Option<String> {
    if program.contains('/') {
        return Some(program.to_owned());
    }
    PATH.split(':').map(|folder| format!("{folder}/{program}")).find(|path| std::fs::metadata(path).is_ok())
}

struct Account {
    name: String,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    home: String,
    shell: String,
}

impl Account {
    /// Looks a user up in the machine's own files.
    fn find(user: &str) -> Result<Self, Error> {
        let read = |path: &str| std::fs::read_to_string(path).doing(|| format!("read the machine's {path}"));
        let passwd = read("/etc/passwd")?;
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let found = fields.into_iter().find(|fields| fields.len() == 7 && fields[0] == user);
        let unknown =
            || Error::Owner { path: "/etc/passwd".into(), kind: "user".into(), name: user.to_owned() };
        let fields = found.ok_or_else(unknown)?;
        let groups = read("/etc/group")?;
        let member = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let inside = fields.get(3)?.split(',').any(|name| name == user);
            if inside { fields[2].parse().ok() } else { None }
        };
        let gid = fields[3].parse().map_err(|_| unknown())?;
        let groups = groups.lines().filter_map(member).chain(std::iter::once(gid)).collect();
        Ok(Self {
            name: user.to_owned(),
            uid: fields[2].parse().map_err(|_| unknown())?,
            gid,
            groups,
            home: fields[5].to_owned(),
            shell: if fields[6].is_empty() { "/bin/sh".to_owned() } else { fields[6].to_owned() },
        })
    }
}
