//! Processes: starting, signals, waiting, ids.

use crate::fault;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

/// Starts a program.
///
/// # Errors
/// Whatever std says.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    fault::point("spawn", &command.get_program())?;
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))
}

/// Lets the program that is started lead a session of its own, without a terminal.
pub fn new_session(command: &mut Command) -> &mut Command {
    // SAFETY: the closure makes one async-signal-safe call.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        })
    }
}

/// Lets the program that is started inherit a descriptor under the same number.
pub fn pass_fd(command: &mut Command, fd: impl AsFd) -> &mut Command {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the closure makes one async-signal-safe call.
    unsafe {
        command.pre_exec(move || {
            if libc::fcntl(fd, libc::F_SETFD, 0) < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        })
    }
}

/// Takes over a descriptor that the parent passed by number.
///
/// # Errors
/// When no such descriptor is open.
pub fn take_fd(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: plain integers.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and the parent passed it for this process to own.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Asks that this process be killed when its parent ends.
pub fn die_with_my_parent() {
    // SAFETY: plain integers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// Keeps the memory of this process from others of the same user.
pub fn hide_memory() {
    // SAFETY: plain integers.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}

/// Leads a new session.
pub fn lead_session() {
    // SAFETY: no arguments.
    unsafe {
        libc::setsid();
    }
}

/// Makes a child that goes on from here; `None` is returned in the child. This process must have one thread.
///
/// # Errors
/// Whatever the kernel says.
pub fn fork() -> io::Result<Option<i32>> {
    fault::point("fork", &"self")?;
    // SAFETY: callers have one thread, so no lock of another thread stays held in the child.
    match unsafe { libc::fork() } {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some(pid)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes a child that goes on from here as process 1 of a new process namespace; `None` is returned in the child.
/// Further children of this process stay in its own namespace. This process must have one thread.
///
/// # Errors
/// Whatever the kernel says.
pub fn fork_first() -> io::Result<Option<i32>> {
    fork_into(libc::CLONE_NEWPID)
}

/// Makes a child that goes on from here in new namespaces, of the kinds that [`crate::namespace`] names; `None` is
/// returned in the child. This process must have one thread.
///
/// # Errors
/// Whatever the kernel says.
pub fn fork_into(namespaces: i32) -> io::Result<Option<i32>> {
    fault::point("fork", &"into namespaces")?;
    let flags = namespaces | libc::SIGCHLD;
    // SAFETY: without a stack of its own the child goes on with a copy of this one, as after `fork`; callers have
    // one thread, so no lock of another thread stays held in the child.
    match unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(flags), 0, 0, 0, 0) } {
        0 => Ok(None),
        pid if pid > 0 => Ok(i32::try_from(pid).ok()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// `ESRCH` when it is gone.
pub fn signal(pid: i32, number: i32) -> io::Result<()> {
    fault::point("kill", &(pid, number))?;
    // SAFETY: plain integers.
    if unsafe { libc::kill(pid, number) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The signal that asks a systemd that is process 1 to power off.
#[must_use]
pub fn power_off_signal() -> i32 {
    libc::SIGRTMIN() + 4
}

/// The signal that asks a systemd that is process 1 to halt.
#[must_use]
pub fn halt_signal() -> i32 {
    libc::SIGRTMIN() + 3
}

/// How a process ended: its code, or 128 and the signal.
///
/// # Errors
/// When it is no child of this process.
pub fn wait(pid: i32) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: the pointer is to a live integer.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } >= 0 {
            return Ok(code(status));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn code(status: i32) -> i32 {
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

/// The code that a program ended with, or 128 and the signal.
#[must_use]
pub fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Replaces this process by a program. Returns only with an error.
#[must_use]
pub fn exec(program: &OsStr, arguments: &[&OsStr], environment: &[(&str, &str)]) -> io::Error {
    let arguments: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
    let environment: Vec<Vec<u8>> =
        environment.iter().map(|(k, v)| format!("{k}={v}").into_bytes()).collect();
    exec_bytes(program.as_bytes(), &arguments, &environment)
}

/// Replaces this process by a program; the environment is `NAME=VALUE` each. Returns only with an error.
#[must_use]
pub fn exec_bytes<A: AsRef<[u8]>, E: AsRef<[u8]>>(
    program: &[u8],
    arguments: &[A],
    environment: &[E],
) -> io::Error {
    if let Err(error) = fault::point("exec", &OsStr::from_bytes(program)) {
        return error;
    }
    let text = |text: &[u8]| CString::new(text).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let all = || {
        let arguments: io::Result<Vec<CString>> = arguments.iter().map(|word| text(word.as_ref())).collect();
        let environment: io::Result<Vec<CString>> =
            environment.iter().map(|pair| text(pair.as_ref())).collect();
        Ok((text(program)?, arguments?, environment?))
    };
    let (path, arguments, environment) = match all() {
        Ok(all) => all,
        Err(error) => return error,
    };
    let pointers = |strings: &[CString]| {
        strings.iter().map(|s| s.as_ptr()).chain(std::iter::once(std::ptr::null())).collect::<Vec<_>>()
    };
    let (argv, envp) = (pointers(&arguments), pointers(&environment));
    // SAFETY: path, argv and envp are C strings and arrays that end with null and live through the call; the
    // signal set is plain integers, and only signals that the standard library ignores go back to their defaults.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    io::Error::last_os_error()
}

/// Replaces this process's input, output and error output by two descriptors: what is read, and what is written to.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_input_and_outputs(input: impl AsFd, output: impl AsFd) -> io::Result<()> {
    let (input, output) = (input.as_fd().as_raw_fd(), output.as_fd().as_raw_fd());
    for (fd, number) in [(input, 0), (output, 1), (output, 2)] {
        // SAFETY: plain integers; the descriptors are open.
        if unsafe { libc::dup2(fd, number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// Waits for a child, or for any of this process's where `pid` is `None`. `None` is returned where there is none.
///
/// # Errors
/// Whatever the kernel says.
pub fn wait_for(pid: Option<i32>) -> io::Result<Option<(i32, Ended)>> {
    let mut status = 0;
    loop {
        // SAFETY: the pointer is to a live integer.
        let found = unsafe { libc::waitpid(pid.unwrap_or(-1), &raw mut status, 0) };
        if found >= 0 {
            let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
            let ended = signal.map_or_else(|| Ended::Code(libc::WEXITSTATUS(status)), Ended::Signal);
            return Ok(Some((found, ended)));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

/// Takes leave of a child that has ended, whichever it is; `None` where none has.
#[must_use]
pub fn reap() -> Option<(i32, Ended)> {
    let mut status = 0;
    // SAFETY: the pointer is to a live integer.
    let found = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    let ended = signal.map_or_else(|| Ended::Code(libc::WEXITSTATUS(status)), Ended::Signal);
    (found > 0).then_some((found, ended))
}

/// Turns the machine off that this process is the first of; does nothing in the host's own process namespace.
pub fn power_off() {
    let is_inside = std::process::id() == 1 && crate::cgroup::of("self").is_ok_and(|group| group == "/");
    if is_inside && fault::point("power off", &"self").is_ok() {
        // SAFETY: in a process namespace the call ends its processes and nothing else.
        unsafe {
            libc::reboot(libc::LINUX_REBOOT_CMD_POWER_OFF);
        }
    }
}

/// A descriptor that becomes readable when a process ends.
///
/// # Errors
/// `ESRCH` when it is gone.
pub fn descriptor(pid: i32) -> io::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
}

/// Waits until one of the descriptors can be read or is closed, or the time is over; tells which.
///
/// # Errors
/// Whatever the kernel says.
pub fn wait_readable(fds: &[&dyn AsReadable], milliseconds: i32) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> =
        fds.iter().map(|fd| libc::pollfd { fd: fd.raw(), events: libc::POLLIN, revents: 0 }).collect();
    // SAFETY: the array lives through the call and its length is given.
    let result = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, milliseconds) };
    if result < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(polled.iter().map(|entry| entry.revents != 0).collect())
}

/// Waits until nobody is left at the other end of a pipe or socket; what they sent before may be unread.
///
/// # Errors
/// Whatever the kernel says.
pub fn wait_hung_up(fd: &dyn AsReadable) -> io::Result<()> {
    let mut polled = libc::pollfd { fd: fd.raw(), events: 0, revents: 0 };
    loop {
        // SAFETY: the entry lives through the call.
        let result = unsafe { libc::poll(&raw mut polled, 1, -1) };
        if result > 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if result < 0 && error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Something with a descriptor to wait for.
pub trait AsReadable {
    /// The descriptor's number.
    fn raw(&self) -> i32;
}

impl<T: AsFd> AsReadable for T {
    fn raw(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }
}

/// Becomes a user and group and keeps the further groups, where a namespace forbids that they change.
///
/// # Errors
/// Whatever the kernel says.
pub fn become_mapped_user(uid: u32, gid: u32) -> io::Result<()> {
    fault::point("setuid", &uid)?;
    // SAFETY: plain integers.
    let result =
        unsafe { if libc::setresgid(gid, gid, gid) < 0 { -1 } else { libc::setresuid(uid, uid, uid) } };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Drops the groups that this process is in beside its own; `false` where that is not allowed.
pub fn drop_groups() -> bool {
    // SAFETY: an empty list needs no pointer.
    unsafe { libc::setgroups(0, std::ptr::null()) == 0 }
}

/// Becomes a user: group, further groups, then user; nothing of the old one is left.
///
/// # Errors
/// Whatever the kernel says.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    fault::point("setuid", &uid)?;
    // SAFETY: the pointer and the length belong to a live slice; the rest are integers.
    let result = unsafe {
        if libc::setgroups(groups.len(), groups.as_ptr()) < 0
            || libc::setresgid(gid, gid, gid) < 0
            || libc::setresuid(uid, uid, uid) < 0
        {
            -1
        } else {
            0
        }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets this process have as many files open as it may allow itself.
pub fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

/// The process that started this one, as long as it lives.
#[must_use]
pub fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

/// The user id that this process acts as.
#[must_use]
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The group id that this process acts as.
#[must_use]
pub fn group_id() -> u32 {
    rustix::process::getegid().as_raw()
}

/// Sets the mask of bits that new files never have.
pub fn set_file_mask(mask: u32) {
    // SAFETY: plain integer.
    unsafe {
        libc::umask(mask);
    }
}

/// Makes a descriptor this process's input, output and error output.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_standard_streams(fd: impl AsFd) -> io::Result<()> {
    for number in 0..3 {
        // SAFETY: plain integers; the descriptor is open.
        if unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Takes capabilities (by number) away from every program that this process becomes.
pub fn forbid_capabilities(numbers: &[u32]) {
    for number in numbers {
        // SAFETY: plain integers; a number that the kernel does not know is refused.
        unsafe {
            libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(*number), 0, 0, 0);
        }
    }
}

/// Makes processes whose parent ends children of this one.
pub fn adopt_orphans() {
    // SAFETY: plain integers.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
}

/// Lets the program that is started have a descriptor under a number of its own.
pub fn pass_fd_as(command: &mut Command, fd: impl AsFd, number: i32) -> &mut Command {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the closure makes async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            let result =
                if fd == number { libc::fcntl(fd, libc::F_SETFD, 0) } else { libc::dup2(fd, number) };
            if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        })
    }
}

/// Makes a descriptor this process's input.
///
/// # Errors
/// Whatever the kernel says.
pub fn replace_input(fd: impl AsFd) -> io::Result<()> {
    // SAFETY: plain integers; the descriptor is open.
    if unsafe { libc::dup2(fd.as_fd().as_raw_fd(), 0) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A second descriptor of what the parent passed by number; the first one stays open.
///
/// # Errors
/// When no such descriptor is open.
pub fn copy_fd(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: plain integers.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was made just now and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Ends this process, which has done what it was started for: what was printed goes out, and nothing else is put in order,
/// since the kernel takes all memory back at once.
pub fn end_well() -> ! {
    use std::io::Write as _;
    let _ = io::stdout().flush();
    // SAFETY: it ends here.
    unsafe { libc::_exit(0) }
}
