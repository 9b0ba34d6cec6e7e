//! Published ports: listened to in the host's network, connected in the machine's, and nothing in between.

use super::network::inside;
use super::protocol::Publish;
use crate::Error;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The network namespace of a machine while it runs, and its address there.
pub(super) type Inside = Arc<Mutex<Option<Arc<File>>>>;

/// Listens for all ports of one machine, and notes the ports that were chosen.
pub(super) fn listen(ports: &mut [Publish]) -> Result<Vec<TcpListener>, Error> {
    ports
        .iter_mut()
        .map(|port| {
            let listener = listen_one(port)?;
            let taken = |error: std::io::Error| Error::Port { port: port.host, error: error.to_string() };
            port.host = listener.local_addr().map_err(taken)?.port();
            Ok(listener)
        })
        .collect()
}

/// Listens for one port.
pub(super) fn listen_one(port: &Publish) -> Result<TcpListener, Error> {
    let taken = |error: std::io::Error| Error::Port { port: port.host, error: error.to_string() };
    TcpListener::bind(SocketAddr::new(port.address, port.host)).map_err(taken)
}

/// Serves one port until nobody is to listen there any more.
pub(super) fn serve(listener: TcpListener, guest: u16, machine: Inside, address: Option<Ipv4Addr>) {
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let outer = match connection {
                Ok(outer) => outer,
                // The listener was shut down.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return,
                Err(_) => {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
            };
            let machine = machine.lock().ok().and_then(|space| space.clone());
            let Some(machine) = machine else { continue };
            std::thread::spawn(move || {
                if let Ok(inner) = inside(&machine, move || connect(guest, address)) {
                    join(outer, inner);
                }
            });
        }
    });
}

/// Connects to a port of the machine, whichever of its addresses it listens on.
fn connect(port: u16, address: Option<Ipv4Addr>) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let local = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)),
    ];
    for target in local.into_iter().chain(address.map(|address| SocketAddr::from((address, port)))) {
        match TcpStream::connect_timeout(&target, Duration::from_secs(10)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Carries bytes both ways until both sides have ended.
fn join(outer: TcpStream, inner: TcpStream) {
    let _ = (outer.set_nodelay(true), inner.set_nodelay(true));
    let (Ok(outer_back), Ok(inner_back)) = (outer.try_clone(), inner.try_clone()) else { return };
    let back = std::thread::spawn(move || carry(inner_back, outer_back));
    carry(outer, inner);
    let _ = back.join();
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut piece = vec![0u8; 64 * 1024];
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                if to.write_all(&piece[..length]).is_err() {
                    let _ = from.shutdown(Shutdown::Read);
                    break;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = holder.local_addr().unwrap().port();
        let error =
            listen(&mut [Publish { address: Ipv4Addr::LOCALHOST.into(), host, guest: 80 }]).unwrap_err();
        assert!(matches!(error, Error::Port { port, .. } if port == host));
    }
}
