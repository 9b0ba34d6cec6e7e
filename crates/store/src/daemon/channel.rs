//! Ways to a daemon: a socket of this machine, or a program whose input and output it speaks on.

use super::DEFAULT_SOCKET;
use nival_sys::process;
use nival_transport::ssh::{KnownHost, SshHost};
use std::fmt;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The way to a daemon.
#[derive(Clone, Debug)]
pub enum Way {
    /// A socket that it listens on.
    Socket(PathBuf),
    /// A program of another machine.
    Ssh {
        /// The machine.
        host: Box<SshHost>,
        /// Makes the machine's own key known.
        known: Option<KnownHost>,
        /// The program with its arguments.
        words: Vec<String>,
        /// The address of the store.
        url: String,
    },
}

impl Way {
    /// The address of what is behind it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Socket(socket) if socket == Path::new(DEFAULT_SOCKET) => "daemon".to_owned(),
            Self::Socket(socket) => format!("unix://{}", socket.display()),
            Self::Ssh { url, .. } => url.clone(),
        }
    }

    /// What messages call it.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Socket(socket) => socket.display().to_string(),
            Self::Ssh { url, .. } => url.clone(),
        }
    }

    pub(crate) fn open(&self) -> io::Result<Channel> {
        match self {
            Self::Socket(socket) => {
                let stream = nival_sys::socket::connect(socket)?;
                Ok(Channel::new(stream.try_clone()?, stream, None))
            }
            Self::Ssh { host, known, words, .. } => {
                let mut command = host.command(known.as_ref(), words);
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut child = process::spawn(&mut command)?;
                let (Some(input), Some(output)) = (child.stdout.take(), child.stdin.take()) else {
                    return Err(io::Error::other("it has no input and output"));
                };
                Ok(Channel::new(input, output, Some(Process(child))))
            }
        }
    }
}

/// Both directions to a daemon.
pub(crate) struct Channel {
    pub(crate) input: BufReader<Box<dyn Read + Send>>,
    // It is closed before the program is waited for.
    pub(crate) output: BufWriter<Box<dyn Write + Send>>,
    _process: Option<Process>,
}

impl Channel {
    fn new(
        input: impl Read + Send + 'static,
        output: impl Write + Send + 'static,
        process: Option<Process>,
    ) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 16, Box::new(input)),
            output: BufWriter::with_capacity(1 << 16, Box::new(output)),
            _process: process,
        }
    }
}

/// Something that speaks on a channel.
pub(crate) trait Connected {
    fn channel(&mut self) -> &mut Channel;
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}

/// A program that ends where nobody speaks with it any more.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let until = Instant::now() + Duration::from_secs(2);
        while matches!(self.0.try_wait(), Ok(None)) {
            if Instant::now() > until {
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
