//! C++ Nix as a process that answers one line after the other.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What an expression came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A value, as text.
    Value(String),
    /// An error that `tryEval` catches.
    Caught,
    /// Any other error.
    Error,
    /// The program ended, or gave no answer in time.
    Ended,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `nix repl`.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// The message of the last error.
    pub message: String,
}

impl Peer {
    /// Starts the program; its store and settings are below `folder`.
    pub fn start(program: &str, folder: &Path) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let mut child = Command::new(program)
            .args(["--extra-experimental-features", "nix-command pipe-operators", "repl", "--quiet"])
            .args([
                "--option",
                "substituters",
                "",
                "--option",
                "build-users-group",
                "",
                "--option",
                "use-xdg-base-directories",
                "true",
            ])
            .arg("--store")
            .arg(folder.join("peer-store"))
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .env("HOME", folder)
            // Only what is said here is switched on, whatever settings the machine has.
            .env("NIX_CONF_DIR", folder)
            .env_remove("NIX_CONFIG")
            .env_remove("NIX_USER_CONF_FILES")
            .env_remove("NIX_PATH")
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let input = child.stdin.take().ok_or_else(|| io::Error::other("the program takes no input"))?;
        // Both of its outputs share one pipe, so that their order stays.
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if sender.send(without_colors(&String::from_utf8_lossy(&line))).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Ok(Self { child, input, lines, message: String::new() })
    }

    /// Evaluates a line that gives a string; `number` marks the end of the answer.
    pub fn ask(&mut self, line: &str, number: u64) -> io::Result<Outcome> {
        let end = format!("\"@@end{number}@@\"");
        writeln!(self.input, "{line}\n\"@@\" + \"end{number}@@\"")?;
        self.input.flush()?;
        let (mut value, mut failed) = (None, false);
        self.message.clear();
        loop {
            // Some regular expressions take it longer than anybody waits.
            let Ok(text) = self.lines.recv_timeout(PATIENCE) else { return Ok(Outcome::Ended) };
            let text = text.trim_end();
            if text == end {
                break;
            }
            if text.starts_with("nix-repl>") {
                continue;
            }
            if let Some(message) = text.trim_start().strip_prefix("error:") {
                failed = true;
                // The cause comes last.
                message.trim().clone_into(&mut self.message);
            } else if !failed && text.starts_with("\"@@") {
                value = Some(text.to_owned());
            }
        }
        Ok(match value {
            Some(text) if text == "\"@@caught\"" => Outcome::Caught,
            Some(text) => Outcome::Value(text),
            None => Outcome::Error,
        })
    }
}

/// The text without the sequences that set colours.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
