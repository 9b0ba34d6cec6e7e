//! `nix-daemon`: serves the own store to clients, by its input and output or on a socket.

use super::words::{Words, usage};
use crate::context::{Context, environment, given_settings};
use crate::error::Error;
use crate::serving::OwnBuilder;
use nival_engine::NixSettings;
use nival_store::daemon::DEFAULT_SOCKET;
use nival_store::serving::{Host, serve_legacy, serve_worker};
use nival_sys::{process, socket};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Does what `nix-daemon` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let parsed = match Words::read(words) {
        Ok(parsed) => parsed,
        Err(error) => return super::run(&super::Common::default(), |_| Err(error)),
    };
    if parsed.version {
        println!("nix-daemon {}", crate::dropin::VERSION);
        return ExitCode::SUCCESS;
    }
    super::run(&parsed.common.clone(), |context| run(context, &parsed.rest))
}

/// Serves as the words say: `--stdio` one client, else all who come to the socket.
pub fn run(context: &mut Context, words: &[String]) -> Result<ExitCode, Error> {
    let (mut stdio, mut is_trusted) = (false, None);
    for word in words {
        match word.as_str() {
            "--stdio" => stdio = true,
            "--daemon" => {}
            "--force-trusted" => is_trusted = Some(true),
            "--force-untrusted" => is_trusted = Some(false),
            "--default-trust" => is_trusted = None,
            "--help" => {
                let text = "Usage: nix-daemon [--stdio | --daemon] [--force-trusted | --force-untrusted] [--store STORE]";
                context.output.text(text, true);
                return Ok(ExitCode::SUCCESS);
            }
            _ => return Err(usage(&format!("unknown flag `{word}`"))),
        }
    }
    if stdio {
        // Who could start this program could use the store by itself.
        return serve(context, Protocol::Daemon { is_trusted: is_trusted.unwrap_or(true) });
    }
    listen(context, is_trusted)
}

/// How a client is spoken with.
pub enum Protocol {
    /// As `nix-daemon` does.
    Daemon {
        /// Whether the client may do all that the store's owner may.
        is_trusted: bool,
    },
    /// As `nix-store --serve` does.
    Legacy {
        /// Whether the client may change the store.
        may_write: bool,
    },
}

/// Serves one client by input and output.
pub fn serve(context: &mut Context, protocol: Protocol) -> Result<ExitCode, Error> {
    let mut settings = NixSettings::read(&environment()).map_err(|error| Error::plain(error.diagnostic()))?;
    for (name, value) in given_settings() {
        settings.set(&name, &value);
    }
    let store = context.store()?;
    let is_trusted = !matches!(protocol, Protocol::Daemon { is_trusted: false });
    let host = Host { store: &store, is_trusted, trust: settings.trust()?, version: &version() };
    let (input, output) = (std::io::stdin(), std::io::stdout());
    if matches!(protocol, Protocol::Daemon { .. }) {
        end_with_the_client(context);
    }
    let mut builder = OwnBuilder::new(context, settings)?;
    let served = match protocol {
        Protocol::Daemon { .. } => serve_worker(input, output, &host, &mut builder),
        Protocol::Legacy { may_write } => serve_legacy(input, output, &host, &mut builder, may_write),
    };
    match served {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // It went without a word.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Error::from(nival_store::Error::Io { doing: "serve the store".to_owned(), error })),
    }
}

/// Ends what is done for a client once it is gone: nobody waits for it.
fn end_with_the_client(context: &Context) {
    let cancel = context.cancel.clone();
    std::thread::spawn(move || {
        if process::wait_hung_up(&std::io::stdin()).is_ok() {
            cancel.cancel();
        }
    });
}

/// The version that clients are told, which begins with a number.
fn version() -> String {
    let numbers = crate::dropin::VERSION.rsplit(' ').next().unwrap_or_default();
    format!("{numbers}-nival")
}

/// Serves all who come to the socket, each by a process of its own.
fn listen(context: &mut Context, forced: Option<bool>) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let place = socket_of(&store);
    let failed = |error| {
        Error::from(nival_store::Error::Io { doing: format!("listen on `{}`", place.display()), error })
    };
    if let Some(folder) = place.parent() {
        nival_sys::fs::create_dir_all(folder).map_err(failed)?;
    }
    nival_sys::fs::remove_file(&place).map_err(failed)?;
    let listener = socket::listen_for_all(&place).map_err(failed)?;
    let settings = NixSettings::read(&environment()).map_err(|error| Error::plain(error.diagnostic()))?;
    context.output.say(&format!("listening on {}", place.display()));
    for stream in listener.incoming() {
        let stream = stream.map_err(failed)?;
        let is_trusted = forced.unwrap_or_else(|| trusts(&settings, &stream));
        if let Err(error) = serve_apart(stream, is_trusted) {
            context.output.say(&format!("cannot serve a client: {error}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn socket_of(store: &nival_store::LocalStore) -> PathBuf {
    let named = environment().get("NIX_DAEMON_SOCKET_PATH").map(PathBuf::from);
    let usual = || match store.state() == Path::new("/nix/var/nix") {
        true => PathBuf::from(DEFAULT_SOCKET),
        false => store.state().join("daemon-socket/socket"),
    };
    named.unwrap_or_else(usual)
}

/// Whether the one behind a socket is this process's own user, root, or named by `trusted-users`.
fn trusts(settings: &NixSettings, stream: &UnixStream) -> bool {
    let Ok(user) = socket::peer_user(stream) else { return false };
    user == 0 || user == process::user_id() || {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        is_named(&settings.list("trusted-users"), user, &read("/etc/passwd"), &read("/etc/group"))
    }
}

/// Whether a user is among names: of users, of groups behind `@`, or `*` for all.
fn is_named(names: &[String], user: u32, passwd: &str, group: &str) -> bool {
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    });
    let is_member = |wanted: &str| {
        let line = group.lines().find_map(|line| line.strip_prefix(wanted)?.strip_prefix(':'));
        let members = line.and_then(|line| line.rsplit(':').next()).unwrap_or_default();
        name.is_some_and(|name| members.split(',').any(|member| member == name))
    };
    names.iter().any(|wanted| match wanted.strip_prefix('@') {
        _ if wanted == "*" => true,
        Some(group) => is_member(group),
        None => name == Some(wanted),
    })
}

/// Starts the process that serves a client, and waits for it in a thread.
fn serve_apart(stream: UnixStream, is_trusted: bool) -> std::io::Result<()> {
    let output = OwnedFd::from(stream.try_clone()?);
    let mut command = Command::new("/proc/self/exe");
    command.arg0("nix-daemon").args(std::env::args_os().skip(1)).arg("--stdio");
    command.arg(if is_trusted { "--force-trusted" } else { "--force-untrusted" });
    command.stdin(OwnedFd::from(stream)).stdout(output);
    let mut child = process::spawn(&mut command)?;
    drop(command);
    std::thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn trusted_users_are_named_by_themselves_or_their_groups() {
        let passwd = "root:x:0:0::/:/bin/sh\nann:x:1000:100::/:/bin/sh\nbob:x:1001:100::/:/bin/sh\n";
        let group = "wheel:x:10:ann,carl\n";
        let named = |names: &[&str], user| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            is_named(&names, user, passwd, group)
        };
        assert!(named(&["ann"], 1000) && named(&["x", "@wheel"], 1000) && named(&["*"], 77));
        assert!(!named(&["ann", "@wheel"], 1001) && !named(&[], 1000) && !named(&["ann"], 77));
    }
}
