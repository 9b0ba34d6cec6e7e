//! How machines reach each other and the outside: a bridge in a network namespace of its own.

use super::pasta;
use super::protocol::Orders;
use crate::Error;
use crate::error::Doing as _;
use crate::host;
use nival_sys::namespace;
use nival_sys::network::{Network, Peer};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The network of the machines of one supervisor.
#[derive(Debug)]
pub(super) struct Hub {
    bridge: Option<File>,
    /// The third part of the addresses `10.213.N.x`.
    number: u8,
    /// Whether the host's side of a pair of links was made.
    linked: bool,
    /// Whether the host forwarded nothing before.
    closed: bool,
    /// What connects machines without root.
    pasta: Option<PathBuf>,
    /// How the outside is reached, or why not.
    outside: String,
    /// Why it is not reached after all.
    trouble: Mutex<Option<String>>,
    pub resolv: String,
}

/// What of a network the next supervisor must know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct HubRecord {
    bridged: bool,
    number: u8,
    linked: bool,
    closed: bool,
    pasta: Option<PathBuf>,
    outside: String,
    resolv: String,
}

impl HubRecord {
    /// Lets the host forward nothing again, where it did so before and nobody needs it.
    pub(super) fn close(&self) {
        if self.closed && !others_linked() {
            let _ = nival_sys::fs::write_setting(Path::new(FORWARDING), "0");
        }
    }

    /// The network whose bridge a monitor kept; where nobody did, nothing of it is left and it is made anew.
    pub(super) fn revive(self, bridge: Option<OwnedFd>, orders: &Orders) -> Result<Hub, Error> {
        if self.bridged && bridge.is_none() {
            return Hub::make(orders);
        }
        Ok(Hub {
            bridge: bridge.map(File::from),
            number: self.number,
            linked: self.linked,
            closed: self.closed,
            pasta: self.pasta,
            outside: self.outside,
            trouble: Mutex::default(),
            resolv: self.resolv,
        })
    }
}

/// The most machines that one supervisor gives addresses to.
const MOST: usize = 250;

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

impl Hub {
    /// Makes the bridge where it is of use, and the way outside where the host offers one.
    pub(super) fn make(orders: &Orders) -> Result<Self, Error> {
        let none = "none: the host offers no way";
        let mut hub = Self {
            bridge: None,
            number: 0,
            linked: false,
            closed: false,
            pasta: None,
            outside: none.to_owned(),
            trouble: Mutex::default(),
            resolv: no_names(),
        };
        let translator = if orders.user { None } else { Translator::find() };
        if orders.user {
            match pasta::find() {
                Ok(program) => {
                    hub.pasta = Some(program);
                    hub.outside = "by `pasta`".to_owned();
                    hub.resolv = pasta::resolv();
                }
                Err(missing) => hub.outside = format!("none: {missing}"),
            }
        } else if translator.is_none() {
            hub.outside = "none: neither `nft` nor `iptables` is installed on the host".to_owned();
        }
        if orders.machines.len() < 2 && translator.is_none() {
            return Ok(hub);
        }
        if orders.machines.len() > MOST {
            let error = std::io::Error::other(format!("at most {MOST} machines share a network"));
            return Err(Error::io("make the machines' network", &error));
        }
        let bridge = make_bridge().doing(|| "make the machines' network".to_owned())?;
        if let Some(translator) = translator {
            match hub.link_outside(&bridge, translator) {
                Ok(()) => {}
                Err(error) => hub.outside = format!("none: {error}"),
            }
        }
        hub.bridge = Some(bridge);
        Ok(hub)
    }

    /// How machines reach the outside, or why not.
    pub(super) fn outside(&self) -> String {
        let trouble = self.trouble.lock().ok().and_then(|trouble| trouble.clone());
        trouble.unwrap_or_else(|| self.outside.clone())
    }

    /// What the next supervisor must know.
    pub(super) fn record(&self) -> HubRecord {
        HubRecord {
            bridged: self.bridge.is_some(),
            number: self.number,
            linked: self.linked,
            closed: self.closed,
            pasta: self.pasta.clone(),
            outside: self.outside.clone(),
            resolv: self.resolv.clone(),
        }
    }

    /// The bridge's namespace, which lives as long as anybody has it open.
    pub(super) fn bridge(&self) -> std::io::Result<Option<OwnedFd>> {
        self.bridge.as_ref().map(|file| file.try_clone().map(OwnedFd::from)).transpose()
    }

    /// The address of the machine at a place in the orders, if there is a network.
    pub(super) fn address(&self, index: usize) -> Option<Ipv4Addr> {
        self.bridge.as_ref()?;
        u8::try_from(index + 2).ok().map(|last| Ipv4Addr::new(10, 213, self.number, last))
    }

    /// The hosts file of a machine: itself and all machines beside it.
    pub(super) fn hosts(&self, orders: &Orders, index: usize) -> String {
        let mut text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned();
        for (other, order) in orders.machines.iter().enumerate() {
            match self.address(other) {
                Some(address) => text += &format!("{address} {}\n", order.name),
                None if other == index => text += &format!("127.0.1.1 {}\n", order.name),
                None => {}
            }
        }
        text
    }

    /// Connects a machine whose namespaces are made and whose services have not started.
    pub(super) fn connect(&self, index: usize, first: i32, group: &Path) -> Result<(), Error> {
        if let Some(program) = &self.pasta
            && let Err(error) = pasta::start(program, first, group)
            && let Ok(mut trouble) = self.trouble.lock()
        {
            *trouble = Some(format!("none: {error}"));
        }
        let (Some(bridge), Some(address)) = (&self.bridge, self.address(index)) else { return Ok(()) };
        let connect = || -> std::io::Result<()> {
            let machine = namespace::open(first, "net")?;
            let name = format!("m{index}");
            inside(bridge, || {
                let mut network = Network::open()?;
                network.remove(&name)?;
                network.add_pair(&name, Peer { name: "eth0", namespace: machine.as_fd() })?;
                network.up(&name, Some("hub"))
            })?;
            inside(&machine, || {
                let mut network = Network::open()?;
                network.up("lo", None)?;
                network.add_address("eth0", address, 24)?;
                network.up("eth0", None)?;
                if self.linked {
                    network.add_default_route(Ipv4Addr::new(10, 213, self.number, 1))?;
                }
                Ok(())
            })
        };
        connect().doing(|| "connect the machine to the network".to_owned())
    }

    fn link_outside(&mut self, bridge: &File, translator: Translator) -> std::io::Result<()> {
        let mut here = Network::open()?;
        for number in 1..=254 {
            let name = format!("nival{number}");
            match here.add_pair(&name, Peer { name: "up", namespace: bridge.as_fd() }) {
                Err(error) if error.raw_os_error() == Some(libc::EEXIST) => continue,
                other => other?,
            }
            self.number = number;
            self.linked = true;
            break;
        }
        let name = format!("nival{}", self.number);
        here.add_address(&name, Ipv4Addr::new(10, 213, self.number, 1), 24)?;
        here.up(&name, None)?;
        inside(bridge, || Network::open()?.up("up", Some("hub")))?;
        self.closed = std::fs::read_to_string(FORWARDING).is_ok_and(|text| text.trim() == "0");
        nival_sys::fs::write_setting(Path::new(FORWARDING), "1")?;
        translator.start(self.number)?;
        self.outside = format!("by `{name}`, translated by {}", translator.name());
        self.resolv = resolvers();
        Ok(())
    }

    /// Removes what lies in the host's own namespace.
    pub(super) fn remove(&self) {
        if self.linked {
            if let Some(translator) = Translator::find() {
                translator.stop(self.number);
            }
            let _ = Network::open().and_then(|mut here| here.remove(&format!("nival{}", self.number)));
            self.record().close();
        }
    }
}

/// Removes the rules of supervisors and monitors that were all killed: their links are gone, the rules are not.
pub(crate) fn sweep() {
    let Some(translator) = Translator::find() else { return };
    for number in translator.numbers() {
        if nival_sys::network::index_of(&format!("nival{number}")).is_err() {
            translator.stop(number);
        }
    }
}

/// Whether machines of another supervisor reach the outside through this host.
fn others_linked() -> bool {
    let links = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    links.into_iter().any(|link| {
        let name = link.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("nival"));
        number.is_some_and(|number| number.parse::<u8>().is_ok())
    })
}

/// Runs something in another network namespace, in a thread of its own that ends there.
pub(super) fn inside<T: Send>(
    space: &File,
    run: impl FnOnce() -> std::io::Result<T> + Send,
) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            namespace::enter(space, namespace::NETWORK)?;
            run()
        });
        thread.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread ended")))
    })
}

fn make_bridge() -> std::io::Result<File> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            namespace::unshare(namespace::NETWORK)?;
            let mut network = Network::open()?;
            network.add_bridge("hub")?;
            network.up("hub", None)?;
            File::open("/proc/thread-self/ns/net")
        });
        thread.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread ended")))
    })
}

/// The host's program that lets machines share its address.
#[derive(Clone, Copy, Debug)]
enum Translator {
    Nft,
    Iptables,
}

impl Translator {
    fn find() -> Option<Self> {
        if host::find_program("nft").is_some() {
            Some(Self::Nft)
        } else {
            host::find_program("iptables").map(|_| Self::Iptables)
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Iptables => "iptables",
        }
    }

    fn start(self, number: u8) -> std::io::Result<()> {
        let net = format!("10.213.{number}.0/24");
        match self {
            Self::Nft => {
                let table = format!("nival{number}");
                // What a killed supervisor left is dropped first.
                for verb in ["add", "delete", "add"] {
                    self.run(&[verb, "table", "ip", &table])?;
                }
                self.run(&["add chain ip", &table, "post { type nat hook postrouting priority 100 ; }"])?;
                self.run(&["add rule ip", &table, "post ip saddr", &net, "ip daddr !=", &net, "masquerade"])
            }
            Self::Iptables => {
                self.run(&["-t", "nat", "-A", "POSTROUTING", "-s", &net, "!", "-d", &net, "-j", "MASQUERADE"])
            }
        }
    }

    fn stop(self, number: u8) {
        let net = format!("10.213.{number}.0/24");
        let _ = match self {
            Self::Nft => self.run(&["delete", "table", "ip", &format!("nival{number}")]),
            Self::Iptables => {
                self.run(&["-t", "nat", "-D", "POSTROUTING", "-s", &net, "!", "-d", &net, "-j", "MASQUERADE"])
            }
        };
    }

    /// The numbers of the networks that there are rules for.
    fn numbers(self) -> Vec<u8> {
        let text = match self {
            Self::Nft => self.output(&["list", "tables", "ip"]),
            Self::Iptables => self.output(&["-t", "nat", "-S", "POSTROUTING"]),
        };
        let text = text.unwrap_or_default();
        let numbers = text.lines().filter_map(|line| {
            let number = match self {
                Self::Nft => line.strip_prefix("table ip nival")?.trim(),
                Self::Iptables => line.split("-s 10.213.").nth(1)?.split('.').next()?,
            };
            number.parse().ok()
        });
        numbers.collect()
    }

    fn run(self, words: &[&str]) -> std::io::Result<()> {
        self.output(words).map(drop)
    }

    fn output(self, words: &[&str]) -> std::io::Result<String> {
        let program = host::find_program(self.name()).unwrap_or_else(|| self.name().into());
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = nival_sys::process::spawn(&mut command)?.wait_with_output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(std::io::Error::other(format!("`{}` refused: {said}", self.name())))
    }
}

/// The host's name servers that are reachable from a machine.
fn resolvers() -> String {
    for path in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let useful = |line: &&str| {
            line.split_whitespace().nth(1).is_some_and(|word| !word.starts_with("127.") && word != "::1")
                && (line.starts_with("nameserver") || line.starts_with("search"))
        };
        let lines: Vec<&str> = text.lines().filter(useful).collect();
        if lines.iter().any(|line| line.starts_with("nameserver")) {
            return lines.join("\n") + "\n";
        }
    }
    no_names()
}

fn no_names() -> String {
    "# this machine has no way outside\n".to_owned()
}
