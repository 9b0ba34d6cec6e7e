//! Sockets that carry open descriptors between processes.

use crate::fault;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// How many descriptors one message carries at most.
pub const MOST_DESCRIPTORS: usize = 8;

/// Sends bytes with descriptors; the bytes go in one piece with them.
///
/// # Errors
/// Whatever the kernel says; `WriteZero` when not all bytes went.
pub fn send(stream: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let sent = rustix::net::sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    if sent < bytes.len() {
        use std::io::Write as _;
        (&mut &*stream).write_all(&bytes[sent..])?;
    }
    Ok(())
}

/// Receives some bytes and the descriptors that came with them; no byte means that the other side closed.
///
/// # Errors
/// Whatever the kernel says.
pub fn receive(stream: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let result =
        rustix::net::recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    Ok((result.bytes, fds))
}

/// Listens at a path, in place of a socket that nobody listens at any more; only this user can connect.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    fault::point("bind", &path)?;
    let _ = std::fs::remove_file(path);
    let listener = crate::fs::at(path, UnixListener::bind(path))?;
    crate::fs::set_mode(path, 0o600)?;
    Ok(listener)
}

/// Listens at a path as [`listen`] does, where any user can connect; the path may be longer than an address of a
/// socket.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn listen_for_all(path: &Path) -> io::Result<UnixListener> {
    fault::point("bind", &path)?;
    let _ = std::fs::remove_file(path);
    let bound = short(path).and_then(|(_folder, short)| UnixListener::bind(short));
    let listener = crate::fs::at(path, bound)?;
    crate::fs::set_mode(path, 0o666)?;
    Ok(listener)
}

/// Connects to a path that may be longer than an address of a socket.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    crate::fs::at(path, short(path).and_then(|(_folder, short)| UnixStream::connect(short)))
}

/// A short name of a socket's path, by a descriptor of its folder that must stay open.
fn short(path: &Path) -> io::Result<(std::fs::File, std::path::PathBuf)> {
    use std::os::fd::AsRawFd as _;
    let folder = std::fs::File::open(path.parent().unwrap_or(Path::new("/")))?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((folder, short))
}

/// The user on the other side of a connection.
///
/// # Errors
/// Whatever the kernel says.
pub fn peer_user(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

/// Ends the listening of a socket in all its copies: who waits for a connection gets `EINVAL`.
///
/// # Errors
/// Whatever the kernel says.
pub fn stop_listening(listener: impl std::os::fd::AsFd) -> io::Result<()> {
    fault::point("shutdown", &"listener")?;
    Ok(rustix::net::shutdown(listener, rustix::net::Shutdown::Both)?)
}
