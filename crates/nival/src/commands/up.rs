//! `nival up`

use crate::commands::realise::{Realised, Source, realise};
use crate::commands::secrets::Secrets;
use crate::context::Context;
use crate::error::Error;
use crate::memory;
use clap::Args;
use nival_engine::Project;
use nival_os::manifest::{Port, Protocol};
use nival_os::{Event, Machines, Manifest, Publish, Up};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What can be typed behind `nival up`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration (a file or folder), or the name of a machine that was started from one before
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Which machines; all of them where none is named
    machines: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Stay as without `--detach`, but show no journals, and end in an error when a machine ends without being asked to:
    /// for service managers, which are told when the machines are up
    #[arg(long, conflicts_with = "detach")]
    hold: bool,
    #[command(flatten)]
    source: Source,
}

/// How machines are started, and what is done while they run.
#[derive(Args)]
pub struct How {
    /// Make a machine's port reachable on this host: GUEST, HOST:GUEST or MACHINE:HOST:GUEST. Without this option all
    /// ports that services declare are published; a host port that is not named is a free one, and the same each time
    #[arg(long, short, value_name = "HOST:GUEST")]
    publish: Vec<PublishArgument>,
    /// The address of this host that ports are published on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,
    /// Return when the machines are up, and let them run on, also after logout; otherwise their journals are shown until
    /// Ctrl-C, which stops them
    #[arg(long, short)]
    detach: bool,
    #[command(flatten)]
    secrets: Secrets,
}

/// A port to publish, as it is typed.
#[derive(Clone, Debug)]
struct PublishArgument {
    machine: Option<String>,
    host: u16,
    guest: u16,
}

impl std::str::FromStr for PublishArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| word.parse::<u16>().map_err(|_| format!("`{word}` is no port"));
        let words: Vec<&str> = text.split(':').collect();
        match words.as_slice() {
            [guest] => Ok(Self { machine: None, host: 0, guest: number(guest)? }),
            [host, guest] => Ok(Self { machine: None, host: number(host)?, guest: number(guest)? }),
            [address, ..] if address.parse::<Ipv4Addr>().is_ok() => {
                Err(format!("the address is named apart: `--address {address}`, and here HOST:GUEST"))
            }
            [machine, host, guest] => {
                Ok(Self { machine: Some((*machine).to_owned()), host: number(host)?, guest: number(guest)? })
            }
            _ => Err("a port is published as GUEST, HOST:GUEST or MACHINE:HOST:GUEST".to_owned()),
        }
    }
}

/// Starts machines and waits until they are well.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (path, mut names) = match memory::source(&context.machines(), &arguments.path.to_string_lossy()) {
        // What is there under that name is a configuration.
        Some((file, key)) if !arguments.path.exists() => (file, vec![key]),
        _ => (arguments.path.clone(), Vec::new()),
    };
    names.extend(arguments.machines.iter().cloned());
    let (project, realised) = realise(context, &path, &names, &arguments.source)?;
    start(context, &project, &realised, &arguments.how, arguments.hold)
}

/// Starts machines that are made already, waits until they are well, and stays with them unless they are to run alone.
pub fn start(
    context: &mut Context,
    project: &Project,
    realised: &[Realised],
    arguments: &How,
    is_held: bool,
) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let names: Vec<String> = realised.iter().map(|machine| machine.name.clone()).collect();
    let strange = arguments.publish.iter().filter_map(|publish| publish.machine.as_ref());
    if let Some(name) = strange.into_iter().find(|name| !names.contains(name)) {
        let error = nival_engine::Error::UnknownMachine { name: name.clone(), known: names };
        return Err(Error::from(error));
    }
    let mut ups = Vec::new();
    for machine in realised {
        ups.push(one(&machines, machine, &names, arguments)?);
    }
    memory::check_owner(&machines, project, realised)?;
    let manifests: Vec<&Manifest> = ups.iter().map(|up| &up.manifest).collect();
    arguments.secrets.give(&machines, &manifests)?;
    let output = context.output;
    let started = context.phase("start and wait for health checks", |_| {
        Ok(machines.up(&ups, &mut |event| {
            if let Some(line) = describe(event) {
                output.say(&line);
            }
        }))
    })?;
    memory::remember(&machines, project, realised)?;
    started.map_err(|error| left_running(&machines, &names, &error))?;
    report(context, &machines, realised)?;
    if arguments.detach {
        return Ok(ExitCode::SUCCESS);
    }
    if is_held {
        tell_service_manager();
        return hold(context, &machines, &names);
    }
    attach(context, &machines, &names)
}

/// The error of a start, with what can be done with machines that run on although a health check failed.
fn left_running(machines: &Machines, names: &[String], error: &nival_os::Error) -> Error {
    let mut diagnostic = error.diagnostic();
    if matches!(error, nival_os::Error::Check { .. }) {
        for name in names.iter().filter(|name| machines.is_running(name)) {
            diagnostic = diagnostic.help(format!(
                "`{name}` is left running, so that you can look: `nival logs {name}`, `nival shell {name}`; `nival down {name}` stops it"
            ));
        }
    }
    Error::plain(diagnostic)
}

/// Says that all machines are up, where a service manager waits for that (sd_notify(3)).
fn tell_service_manager() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let bytes = path.as_encoded_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let _ = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(b"READY=1\n", &address));
}

/// Waits for a signal, which stops the machines, or for the end of one.
fn hold(context: &Context, machines: &Machines, names: &[String]) -> Result<ExitCode, Error> {
    let stop = catch_signals()?;
    while !stop.is_set() && names.iter().all(|name| machines.is_running(name)) {
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut code = ExitCode::SUCCESS;
    for name in names {
        if machines.is_running(name) {
            context.output.say(&format!("{name}: stopping"));
            machines.down(name)?;
        } else if machines.ended_unasked(name)? {
            context.output.say(&format!("{name}: ended without being asked to"));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn catch_signals() -> Result<nival_sys::signal::Caught, Error> {
    nival_sys::signal::catch(&[nival_sys::signal::INTERRUPT, nival_sys::signal::TERMINATE])
        .map_err(|error| Error::from(nival_engine::Error::Io(PathBuf::from("signals"), error)))
}

fn one(machines: &Machines, machine: &Realised, names: &[String], arguments: &How) -> Result<Up, Error> {
    let manifest = Manifest::from_json(&serde_json::to_vec(&machine.manifest).unwrap_or_default())?;
    let asked: Vec<&PublishArgument> = arguments
        .publish
        .iter()
        .filter(|publish| match &publish.machine {
            Some(name) => *name == machine.name,
            None => names.len() == 1 || manifest.ports.iter().any(|port| port.port == publish.guest),
        })
        .collect();
    let before = memory::published(machines, &machine.name);
    let declared = manifest.ports.iter().filter(|port| port.protocol == Protocol::Tcp).map(|port| port.port);
    let wanted: Vec<(u16, u16)> = if arguments.publish.is_empty() {
        let mut ports: Vec<u16> = declared.collect();
        ports.sort_unstable();
        ports.dedup();
        ports.into_iter().map(|guest| (0, guest)).collect()
    } else {
        asked.iter().map(|publish| (publish.host, publish.guest)).collect()
    };
    let publish = wanted
        .into_iter()
        .map(|(host, guest)| {
            let again = before.iter().find(|old| old.guest == guest && host == 0).map(|old| old.host);
            let host = again.filter(|port| is_free(arguments.address, *port)).unwrap_or(host);
            Publish { address: arguments.address, host, guest }
        })
        .collect();
    Ok(Up { manifest, publish })
}

fn is_free(address: IpAddr, port: u16) -> bool {
    TcpListener::bind((address, port)).is_ok()
}

fn describe(event: &Event) -> Option<String> {
    let seconds = |milliseconds: &u64| Duration::from_millis(*milliseconds).as_secs_f64();
    match event {
        Event::Composed { machine, milliseconds } => {
            Some(format!("{machine}: composed in {milliseconds} ms"))
        }
        Event::Booting { .. } | Event::Published { .. } => None,
        Event::Healthy { machine, milliseconds } => {
            Some(format!("{machine}: all health checks pass after {:.1} s", seconds(milliseconds)))
        }
        Event::Warning { machine, text } => Some(format!("{machine}: warning: {text}")),
    }
}

/// The line for a published port: an address to open where it is a web server's.
fn line(name: &str, publish: &Publish, ports: &[Port]) -> String {
    let about = ports.iter().find(|port| port.port == publish.guest);
    let what = about.map_or("", |port| port.description.as_str());
    let address =
        if publish.address.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { publish.address };
    let place = std::net::SocketAddr::new(address, publish.host);
    match what {
        "http" | "https" => format!("{name}: {what}://{place}/"),
        "" => format!("{name}: port {} at {place}", publish.guest),
        other => format!("{name}: {other} at {place}"),
    }
}

fn report(context: &mut Context, machines: &Machines, realised: &[Realised]) -> Result<(), Error> {
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    for machine in realised {
        let status = machines.status(&machine.name)?;
        memory::set_published(machines, &machine.name, &status.ports)?;
        if let Some(outside) = &status.outside {
            context.output.say(&format!("{}: network outside: {outside}", machine.name));
        }
        let manifest = Manifest::from_json(&serde_json::to_vec(&machine.manifest).unwrap_or_default())?;
        let mut ports = status.ports.clone();
        // Web pages come last: the command ends with an address to open.
        let is_page = |publish: &Publish| {
            let is_web = |port: &Port| matches!(port.description.as_str(), "http" | "https");
            manifest.ports.iter().any(|port| port.port == publish.guest && is_web(port))
        };
        ports.sort_by_key(|publish| (is_page(publish), publish.guest));
        if ports.is_empty() {
            lines.push(format!("{}: up", machine.name));
        }
        lines.extend(ports.iter().map(|publish| line(&machine.name, publish, &manifest.ports)));
        all.push(json!({ "name": machine.name, "generation": status.generation, "ports": ports, "outside": status.outside }));
    }
    for (name, seconds) in context.phases() {
        context.output.say(&format!("{seconds:7.2} s  {name}"));
    }
    context.output.say(&format!("{:7.2} s  in all", context.elapsed()));
    let phases: Vec<_> = context
        .phases()
        .into_iter()
        .map(|(name, seconds)| json!({ "name": name, "seconds": seconds }))
        .collect();
    context.output.result(&lines.join("\n"), || json!({ "machines": all, "phases": phases }));
    Ok(())
}

/// Shows the journals until Ctrl-C or until all machines are down, then stops what runs.
fn attach(context: &Context, machines: &Machines, names: &[String]) -> Result<ExitCode, Error> {
    context.output.say("\nShowing the logs; Ctrl-C stops the machines. (`--detach` lets them run on.)");
    let stop = catch_signals()?;
    let threads: Vec<_> = names
        .iter()
        .map(|name| {
            let (machines, name) = (machines.clone(), name.clone());
            std::thread::spawn(move || machines.logs(&name, &["--follow".to_owned(), "--lines=0".to_owned()]))
        })
        .collect();
    while !stop.is_set() && names.iter().any(|name| machines.is_running(name)) {
        std::thread::sleep(Duration::from_millis(200));
    }
    for name in names.iter().filter(|name| machines.is_running(name)) {
        context.output.say(&format!("{name}: stopping"));
        machines.down(name)?;
    }
    for thread in threads {
        let _ = thread.join();
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{PublishArgument, line};
    use nival_os::Publish;
    use nival_os::manifest::{Port, Protocol};

    #[test]
    fn ports_to_publish_have_three_forms() {
        let read = |text: &str| text.parse::<PublishArgument>().map(|p| (p.machine, p.host, p.guest));
        assert_eq!(read("80"), Ok((None, 0, 80)));
        assert_eq!(read("8080:80"), Ok((None, 8080, 80)));
        assert_eq!(read("web:8080:80"), Ok((Some("web".to_owned()), 8080, 80)));
        assert!(read("127.0.0.1:8080:80").is_err_and(|text| text.contains("--address 127.0.0.1")));
        assert!(read("70000").is_err() && read("a:b:c:d").is_err());
    }
    #[test]
    fn what_browsers_open_is_an_address() {
        let declared = |description: &str| Port {
            port: 443,
            protocol: Protocol::Tcp,
            unit: "nginx.service".to_owned(),
            description: description.to_owned(),
        };
        let publish = Publish { address: [0, 0, 0, 0].into(), host: 4430, guest: 443 };
        assert_eq!(line("web", &publish, &[declared("https")]), "web: https://127.0.0.1:4430/");
        assert_eq!(line("web", &publish, &[declared("http")]), "web: http://127.0.0.1:4430/");
        assert_eq!(line("web", &publish, &[declared("mail")]), "web: mail at 127.0.0.1:4430");
    }
}
