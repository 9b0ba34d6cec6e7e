//! Taking rights away from a process before it becomes a program that nobody trusts.

use crate::fault;
use std::io;

/// One instruction of a filter of system calls, as the kernel takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many to skip where a comparison holds.
    pub if_true: u8,
    /// How many to skip where it does not.
    pub if_false: u8,
    /// What is compared, loaded or answered.
    pub value: u32,
}

/// Lets no program that this process becomes gain rights that it does not have now.
///
/// # Errors
/// Whatever the kernel says.
pub fn no_new_privileges() -> io::Result<()> {
    // SAFETY: plain integers.
    checked(i64::from(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }))
}

/// Puts a filter between this process, all that it becomes, and the kernel.
///
/// # Errors
/// Whatever the kernel says: it checks the filter.
pub fn filter_calls(filter: &[Instruction]) -> io::Result<()> {
    #[repr(C)]
    struct Program {
        length: u16,
        filter: *const Instruction,
    }
    fault::point("seccomp", &filter.len())?;
    let length = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = Program { length, filter: filter.as_ptr() };
    // SAFETY: the struct has the form of `sock_fprog`; it and the filter live through the call.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) })
}

/// Lets this process and all that it becomes reach no abstract socket of a process outside. `false` where the kernel
/// is too old for it.
///
/// # Errors
/// Whatever the kernel says.
pub fn scope_abstract_sockets() -> io::Result<bool> {
    #[repr(C)]
    struct Ruleset {
        files: u64,
        network: u64,
        scoped: u64,
    }
    const VERSION: u32 = 1;
    const ABSTRACT_UNIX_SOCKET: u64 = 1;
    // SAFETY: without attributes the call tells its version.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    if version < 6 {
        return Ok(false);
    }
    let ruleset = Ruleset { files: 0, network: 0, scoped: ABSTRACT_UNIX_SOCKET };
    // SAFETY: the struct lives through the call, with its own size given.
    let fd = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const ruleset, size_of::<Ruleset>(), 0)
    };
    checked(fd)?;
    // SAFETY: plain integers; the descriptor was made just now and is closed here.
    let result = unsafe {
        let result = libc::syscall(libc::SYS_landlock_restrict_self, fd, 0);
        libc::close(i32::try_from(fd).unwrap_or(-1));
        result
    };
    checked(result)?;
    Ok(true)
}

/// Gives every program the same places in memory, and a 32-bit one the name of a 32-bit machine.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_personality(is_32_bit: bool) -> io::Result<()> {
    const PER_LINUX32: i32 = 0x0008;
    let base = if is_32_bit { PER_LINUX32 } else { 0 };
    let wanted = libc::c_ulong::try_from(base | libc::ADDR_NO_RANDOMIZE).unwrap_or(0);
    // SAFETY: plain integer.
    checked(i64::from(unsafe { libc::personality(wanted) }))
}

/// Lets no program write its memory to the disk when it crashes, unless it asks for it.
pub fn no_core_dumps() {
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the struct lives through the call. Without the right to raise the limit only the soft one is lowered.
    unsafe {
        if libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) < 0 {
            let mut now = limit;
            libc::getrlimit(libc::RLIMIT_CORE, &raw mut now);
            now.rlim_cur = 0;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const now);
        }
    }
}

/// Lets this process have as many open files as it may.
pub fn raise_open_files() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct lives through the calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Closes every descriptor from a number upward.
pub fn close_from(first: u32) {
    // SAFETY: plain integers; nothing that owns one of them is used after this.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, u32::MAX, 0);
    }
}

/// Closes a descriptor by its number; nothing that owns it may be used after this.
pub fn close(number: u32) {
    // SAFETY: plain integer; callers own no object of it.
    unsafe {
        libc::syscall(libc::SYS_close, number);
    }
}

/// Sets the domain name of this namespace.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_domain_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length belong to a live text.
    checked(i64::from(unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) }))
}

fn checked(result: i64) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
