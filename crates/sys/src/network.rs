//! Network links, addresses and routes of this thread's network namespace, by rtnetlink.

use crate::fault;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_EXCL: u16 = 0x200;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;

/// A connection to the network configuration of the namespace that it was opened in.
#[derive(Debug)]
pub struct Network {
    socket: OwnedFd,
    sequence: u32,
}

/// Where the other end of a pair of links goes.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its name there.
    pub name: &'a str,
    /// The network namespace.
    pub namespace: std::os::fd::BorrowedFd<'a>,
}

impl Network {
    /// Connects to the namespace that this thread is in now.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn open() -> io::Result<Self> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None, // the protocol 0 of netlink is routes
        )?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Makes a bridge.
    ///
    /// # Errors
    /// `EEXIST` when the name is taken; whatever else the kernel says.
    pub fn add_bridge(&mut self, name: &str) -> io::Result<()> {
        fault::point("link_add", &name)?;
        let mut message = Message::new(libc::RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        message.link(0, 0, 0);
        message.text(libc::IFLA_IFNAME, name);
        message.nested(libc::IFLA_LINKINFO, |message| message.text(IFLA_INFO_KIND, "bridge"));
        self.ask(message)
    }

    /// Makes a pair of links, one here and one in another namespace.
    ///
    /// # Errors
    /// `EEXIST` when a name is taken; whatever else the kernel says.
    pub fn add_pair(&mut self, name: &str, peer: Peer<'_>) -> io::Result<()> {
        fault::point("link_add", &name)?;
        let mut message = Message::new(libc::RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        message.link(0, 0, 0);
        message.text(libc::IFLA_IFNAME, name);
        message.nested(libc::IFLA_LINKINFO, |message| {
            message.text(IFLA_INFO_KIND, "veth");
            message.nested(IFLA_INFO_DATA, |message| {
                message.nested(VETH_INFO_PEER, |message| {
                    message.link(0, 0, 0);
                    message.text(libc::IFLA_IFNAME, peer.name);
                    let number = peer.namespace.as_fd().as_raw_fd();
                    message.attribute(libc::IFLA_NET_NS_FD, &number.to_ne_bytes());
                });
            });
        });
        self.ask(message)
    }

    /// Removes a link; one that is not there is fine.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn remove(&mut self, name: &str) -> io::Result<()> {
        fault::point("link_remove", &name)?;
        let mut message = Message::new(libc::RTM_DELLINK, 0);
        message.link(0, 0, 0);
        message.text(libc::IFLA_IFNAME, name);
        match self.ask(message) {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
            other => other,
        }
    }

    /// Switches a link on, as a port of a bridge where one is named.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn up(&mut self, name: &str, bridge: Option<&str>) -> io::Result<()> {
        fault::point("link_up", &name)?;
        let index = index(name)?;
        let mut message = Message::new(libc::RTM_NEWLINK, 0);
        message.link(index, libc::IFF_UP as u32, libc::IFF_UP as u32);
        if let Some(bridge) = bridge {
            message.attribute(libc::IFLA_MASTER, &index_of(bridge)?.to_ne_bytes());
        }
        self.ask(message)
    }

    /// Gives a link an address in a network of so many leading bits.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn add_address(&mut self, name: &str, address: Ipv4Addr, bits: u8) -> io::Result<()> {
        fault::point("address_add", &name)?;
        let mut message = Message::new(libc::RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
        message.bytes.extend([libc::AF_INET as u8, bits, 0, 0]);
        message.bytes.extend(index_of(name)?.to_ne_bytes());
        message.attribute(libc::IFA_LOCAL, &address.octets());
        message.attribute(libc::IFA_ADDRESS, &address.octets());
        self.ask(message)
    }

    /// Sends everything that has no nearer way to a gateway.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn add_default_route(&mut self, gateway: Ipv4Addr) -> io::Result<()> {
        fault::point("route_add", &gateway)?;
        let mut message = Message::new(libc::RTM_NEWROUTE, NLM_F_CREATE);
        message.bytes.extend([libc::AF_INET as u8, 0, 0, 0]);
        message.bytes.extend([
            libc::RT_TABLE_MAIN,
            libc::RTPROT_BOOT,
            libc::RT_SCOPE_UNIVERSE,
            libc::RTN_UNICAST,
        ]);
        message.bytes.extend(0u32.to_ne_bytes());
        message.attribute(libc::RTA_GATEWAY, &gateway.octets());
        self.ask(message)
    }

    fn ask(&mut self, mut message: Message) -> io::Result<()> {
        self.sequence += 1;
        let length = message.bytes.len() as u32;
        message.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        message.bytes[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
        rustix::net::send(&self.socket, &message.bytes, SendFlags::empty())?;
        let mut answer = [0u8; 8192];
        let (length, _) = rustix::net::recv(&self.socket, &mut answer[..], RecvFlags::empty())?;
        let code = answer.get(HEADER..HEADER + 4).filter(|_| length >= HEADER + 4);
        match code.and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes) {
            Some(0) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(-code)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The number of a link, if it is there.
///
/// # Errors
/// `ENODEV` when there is none of that name.
pub fn index_of(name: &str) -> io::Result<u32> {
    let name = std::ffi::CString::new(name)?;
    // SAFETY: the name is a C string that lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

fn index(name: &str) -> io::Result<i32> {
    i32::try_from(index_of(name)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        Self { bytes }
    }

    fn link(&mut self, index: i32, flags: u32, change: u32) {
        self.bytes.extend([0u8; 4]);
        self.bytes.extend(index.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(change.to_ne_bytes());
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = (value.len() + 4) as u16;
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.pad();
    }

    fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes);
    }

    fn nested(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0u8; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        inside(self);
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.pad();
    }

    fn pad(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }
}
