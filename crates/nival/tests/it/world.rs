//! A folder of configurations, and the command that is run in it.

use serde_json::Value as Json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nothing is left of it when the next run begins: what a process has in a static is never dropped.
static DATA: LazyLock<PathBuf> = LazyLock::new(|| {
    let mine = format!("nival-it-{}", std::process::id());
    for entry in std::env::temp_dir().read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("nival-it-").and_then(|number| number.parse::<u32>().ok());
        if process.is_some_and(|number| !Path::new(&format!("/proc/{number}")).exists()) {
            let _ = Command::new("rm").arg("-rf").arg(entry.path()).status();
        }
    }
    let folder = std::env::temp_dir().join(mine);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
});
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder of configurations, and the command that is run in it.
pub struct World {
    /// The folder.
    pub folder: tempfile::TempDir,
    machines: Vec<String>,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// What a command said.
pub struct Said {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl World {
    /// A world for commands that start no machine.
    pub fn new() -> Self {
        Self::with(Vec::new(), None)
    }

    /// A world for machines of these names, which are stopped and deleted in the end.
    pub fn of(machines: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let machines = machines.iter().map(|name| (*name).to_owned()).collect();
        Self::with(machines, Some(turn))
    }

    fn with(machines: Vec<String>, turn: Option<MutexGuard<'static, ()>>) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), machines, _turn: turn }
    }

    /// The data folder that all worlds share.
    pub fn data() -> &'static Path {
        &DATA
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// The command, ready to be run in the folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nival"));
        command.stdin(std::process::Stdio::null());
        command.args(words).current_dir(self.folder.path()).env("NIVAL_DATA_DIR", Self::data());
        command.env("NO_COLOR", "1").env("HOME", self.folder.path()).env_remove("NIVAL_FAULT");
        command
    }

    /// Runs the command.
    pub fn run(&self, words: &[&str]) -> Said {
        Said::of(&self.command(words).output().expect("the command starts"))
    }

    /// Runs the command, which must succeed; returns what it printed.
    pub fn fine(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "nival {}\n{}{}", words.join(" "), said.out, said.err);
        said.out.trim().to_owned()
    }

    /// Runs the command, which must end in the code; returns its messages.
    pub fn refused(&self, words: &[&str], code: &str) -> String {
        let said = self.run(words);
        assert_ne!(said.code, 0, "nival {}\n{}", words.join(" "), said.out);
        assert!(said.err.contains(&format!("error[{code}]")), "nival {}\n{}", words.join(" "), said.err);
        said.err
    }

    /// The host's port for a port of a machine.
    pub fn port(&self, machine: &str, guest: u16) -> u16 {
        let status: Json = serde_json::from_str(&self.fine(&["status", "--json", machine])).expect("JSON");
        let ports = status[0]["ports"].as_array().cloned().unwrap_or_default();
        let port = ports.iter().find(|port| port["guest"] == guest).expect("the port is published");
        u16::try_from(port["host"].as_u64().expect("a number")).expect("a port")
    }

    /// Asks a machine's web server for its page under a host name.
    pub fn page(&self, machine: &str, host: &str) -> String {
        get(self.port(machine, 80), host).expect("an answer")
    }
}

impl Said {
    /// What a process said that ended.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for machine in &self.machines {
            let _ = self.command(&["down", "--delete-data", "--yes", machine]).output();
        }
    }
}

/// One request for `/`; the whole answer, or `None` where there is none.
pub fn get(port: u16, host: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

/// Waits until something holds.
pub fn eventually(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The examples of the repository.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Copies a folder, without locks.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in from.read_dir().expect("read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.path().extension().is_none_or(|extension| extension != "lock") {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
