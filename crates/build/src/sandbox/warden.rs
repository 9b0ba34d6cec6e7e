//! The process that holds one builder.

use super::{cell::Cell, inside};
use nival_sys::process::{self, Ended};
use nival_sys::{confine, namespace};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Runs one builder: the words are the cell's file and the process that asks; the terminal is the output, and answers go
/// to the descriptor in the input's place.
pub fn main(words: &[OsString]) -> ExitCode {
    process::die_with_my_parent();
    let [cell, parent] = words else { return ExitCode::from(2) };
    if parent.to_str() != Some(&process::parent_id().to_string()) {
        // Who asked was gone before it could be noticed.
        return ExitCode::FAILURE;
    }
    let Ok(answers) = process::copy_fd(0) else { return ExitCode::from(2) };
    let mut answers = File::from(answers);
    let line = match held(Path::new(cell), &mut answers) {
        Ok(Ended::Code(code)) => format!("code {code}\n"),
        Ok(Ended::Signal(signal)) => format!("signal {signal}\n"),
        Err(Failure { doing, error }) => {
            format!("failed cannot {doing}: {error}\n").replace('\n', " ") + "\n"
        }
    };
    // Nobody reads it when the build was given up.
    let _ = answers.write_all(line.as_bytes());
    ExitCode::SUCCESS
}

/// A step of making the place for a builder that did not work.
pub(super) struct Failure {
    pub(super) doing: String,
    pub(super) error: io::Error,
}

pub(super) trait Step<T> {
    fn step(self, doing: &str) -> Result<T, Failure>;
}

impl<T> Step<T> for io::Result<T> {
    fn step(self, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure { doing: doing.to_owned(), error })
    }
}

fn held(file: &Path, answers: &mut File) -> Result<Ended, Failure> {
    let text = std::fs::read(file).step("read what is to be built")?;
    nival_sys::fs::remove_file(file).step("read what is to be built")?;
    let cell: Cell =
        serde_json::from_slice(&text).map_err(io::Error::from).step("read what is to be built")?;
    drop(text);
    nival_sys::cgroup::limits::join_all(&cell.groups).step("join the builder's control groups")?;
    confine::raise_open_files();
    if !cell.confined {
        process::adopt_orphans();
    }
    let child = start(&cell, answers)?;
    let ended = loop {
        match process::wait_for(None).step("wait for the builder")? {
            Some((pid, ended)) if pid == child => break ended,
            Some(_) => {}
            None => return Err(io::Error::from(io::ErrorKind::NotFound)).step("find the builder again"),
        }
    };
    if !cell.confined {
        end_descendants();
    }
    Ok(ended)
}

/// Forks the builder's process, gives it its place among the host's users, and waits until it is about to become the
/// builder.
fn start(cell: &Cell, answers: &mut File) -> Result<i32, Failure> {
    let (go, mut told) = io::pipe().step("make a pipe")?;
    let (mut said, say) = io::pipe().step("make a pipe")?;
    let kinds = if cell.confined {
        process::drop_groups();
        let network = if cell.host_network { 0 } else { namespace::NETWORK };
        namespace::USER
            | namespace::PROCESS
            | namespace::MOUNT
            | namespace::IPC
            | namespace::HOST_NAME
            | network
    } else {
        0
    };
    let forked = process::fork_into(kinds).map_err(|error| match error.raw_os_error() {
        _ if !cell.confined => error,
        _ => io::Error::new(error.kind(), format!("{error}; this host may not allow user namespaces")),
    });
    let Some(child) = forked.step("make namespaces for the builder")? else {
        drop((told, said));
        inside::become_builder(cell, go, say);
    };
    drop((go, say));
    // Only the builder holds its terminal from here on: where it lets go, the build is over.
    let nothing = File::open("/dev/null").step("open /dev/null")?;
    process::set_input_and_outputs(&nothing, &nothing).step("let go of the builder's terminal")?;
    if cell.confined {
        map_user(child, cell)?;
    }
    told.write_all(b"g").step("tell the builder to begin")?;
    let mut failure = String::new();
    said.read_to_string(&mut failure).step("hear from the builder's process")?;
    if !failure.is_empty() {
        let text = failure.trim_start_matches("cannot ").to_owned();
        let (doing, error) = text.split_once(": ").unwrap_or((&text, ""));
        return Err(Failure { doing: doing.to_owned(), error: io::Error::other(error.to_owned()) });
    }
    answers.write_all(b"started\n").step("say that the builder was started")?;
    Ok(child)
}

/// Lets the builder's one user and group stand for one of the host's.
fn map_user(child: i32, cell: &Cell) -> Result<(), Failure> {
    let own = || super::OutsideUser { user: process::user_id(), group: process::group_id() };
    let outside = cell.outside.unwrap_or_else(own);
    let doing = "give the builder a user of its own";
    namespace::write_map(child, "uid_map", &format!("{} {} 1", cell.user, outside.user)).step(doing)?;
    namespace::write_map(child, "setgroups", "deny").step(doing)?;
    namespace::write_map(child, "gid_map", &format!("{} {} 1", cell.group, outside.group)).step(doing)
}

/// Ends what a builder that was not confined left behind: all of it are children of this process by now, or of one.
fn end_descendants() {
    loop {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        let children = std::fs::read_to_string(Path::new(&path)).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // One that ended by itself meanwhile is what was wanted.
            let _ = process::signal(pid, 9);
        }
        if !matches!(process::wait_for(None), Ok(Some(_))) {
            return;
        }
    }
}
