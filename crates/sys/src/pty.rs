//! Pseudo terminals and the settings of terminals.

use crate::fault;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

/// Makes a pseudo terminal in a devpts file system: the side of the program that shows it, and the terminal itself.
///
/// # Errors
/// Whatever the kernel says.
pub fn open(devices: &Path) -> io::Result<(OwnedFd, OwnedFd)> {
    fault::point("openpty", &devices)?;
    let open =
        |path: &Path| crate::fs::at(path, std::fs::OpenOptions::new().read(true).write(true).open(path));
    // A host's own file system of terminals is mostly reached by the device beside it.
    let shown = open(&devices.join("ptmx")).or_else(|error| match devices.parent() {
        Some(above) if error.kind() == io::ErrorKind::PermissionDenied => open(&above.join("ptmx")),
        _ => Err(error),
    })?;
    rustix::pty_unlock(&shown)?;
    let number = rustix::pty_number(&shown)?;
    let terminal = devices.join(number.to_string());
    let terminal = crate::fs::at(
        &terminal,
        std::fs::OpenOptions::new().read(true).write(true).custom_no_ctty().open(&terminal),
    )?;
    Ok((shown.into(), terminal.into()))
}

trait NoControllingTerminal {
    fn custom_no_ctty(&mut self) -> &mut Self;
}

impl NoControllingTerminal for std::fs::OpenOptions {
    fn custom_no_ctty(&mut self) -> &mut Self {
        use std::os::unix::fs::OpenOptionsExt as _;
        self.custom_flags(libc::O_NOCTTY)
    }
}

mod rustix {
    use std::io;
    use std::os::fd::AsRawFd as _;

    pub(super) fn pty_unlock(shown: &std::fs::File) -> io::Result<()> {
        let zero: libc::c_int = 0;
        // SAFETY: the pointer is to a live integer, as this request wants it.
        let result = unsafe { libc::ioctl(shown.as_raw_fd(), libc::TIOCSPTLCK, &raw const zero) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub(super) fn pty_number(shown: &std::fs::File) -> io::Result<u32> {
        let mut number: libc::c_uint = 0;
        // SAFETY: the pointer is to a live integer, as this request wants it.
        let result = unsafe { libc::ioctl(shown.as_raw_fd(), libc::TIOCGPTN, &raw mut number) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(number) }
    }
}

/// Makes a terminal the controlling one of this process, which must lead a session.
///
/// # Errors
/// Whatever the kernel says.
pub fn control(terminal: impl AsFd) -> io::Result<()> {
    // SAFETY: plain integers.
    let result = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSCTTY, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The size of a terminal in rows and columns, if it is one.
#[must_use]
pub fn size(terminal: impl AsFd) -> Option<(u16, u16)> {
    // SAFETY: winsize is plain integers, for which zero is a value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live winsize, as this request wants it.
    let result = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_row > 0).then_some((size.ws_row, size.ws_col))
}

/// Sets the size of a terminal.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_size(terminal: impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the pointer is to a live winsize, as this request wants it.
    let result = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets a terminal change nothing of what is written to it.
///
/// # Errors
/// Whatever the kernel says.
pub fn make_raw(terminal: impl AsFd) -> io::Result<()> {
    // SAFETY: termios is plain integers, for which zero is a value; the pointers are to a live one.
    let result = unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(terminal.as_fd().as_raw_fd(), &raw mut settings) < 0 {
            -1
        } else {
            libc::cfmakeraw(&raw mut settings);
            libc::tcsetattr(terminal.as_fd().as_raw_fd(), libc::TCSANOW, &raw const settings)
        }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets a terminal be one that people type to: lines, an echo, keys that interrupt.
///
/// # Errors
/// Whatever the kernel says.
pub fn make_sane(terminal: impl AsFd) -> io::Result<()> {
    // SAFETY: termios is plain integers, for which zero is a value; the pointers are to a live one.
    let result = unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(terminal.as_fd().as_raw_fd(), &raw mut settings) < 0 {
            -1
        } else {
            settings.c_iflag |= libc::ICRNL | libc::IXON | libc::BRKINT;
            settings.c_oflag |= libc::OPOST | libc::ONLCR;
            settings.c_lflag |=
                libc::ISIG | libc::ICANON | libc::IEXTEN | libc::ECHO | libc::ECHOE | libc::ECHOK;
            libc::tcsetattr(terminal.as_fd().as_raw_fd(), libc::TCSADRAIN, &raw const settings)
        }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The settings of a terminal as they were; they come back when this is dropped.
pub struct Raw {
    terminal: OwnedFd,
    before: libc::termios,
}

impl Raw {
    /// Lets every key through as it is typed. `None` where it is no terminal.
    #[must_use]
    pub fn start(terminal: impl AsFd) -> Option<Self> {
        let terminal = terminal.as_fd().try_clone_to_owned().ok()?;
        // SAFETY: termios is plain integers, for which zero is a value.
        let mut before: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live termios.
        if unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut before) } < 0 {
            return None;
        }
        let mut raw = before;
        // SAFETY: the pointers are to live termios structs.
        unsafe {
            libc::cfmakeraw(&raw mut raw);
            libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const raw);
        }
        Some(Self { terminal, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the pointer is to a live termios, the descriptor is owned.
        unsafe {
            libc::tcsetattr(self.terminal.as_raw_fd(), libc::TCSANOW, &raw const self.before);
        }
    }
}
