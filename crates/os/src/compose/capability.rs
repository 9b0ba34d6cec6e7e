//! File capabilities from the text form of `setcap` to the bytes that the kernel keeps.

use crate::Error;

/// The names of capabilities in the order of their numbers (capability.h of Linux 6).
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The bytes of `security.capability`, version 2: flags, then permitted and inheritable halves.
///
/// # Errors
/// [`Error::Capability`].
pub(crate) fn encode(path: &str, text: &str) -> Result<Vec<u8>, Error> {
    let bad = || Error::Capability { path: path.to_owned(), text: text.to_owned() };
    let split = text.find(['+', '=']).ok_or_else(bad)?;
    let (names, flags) = (&text[..split], &text[split + 1..]);
    if flags.is_empty() || !flags.chars().all(|c| matches!(c, 'e' | 'p' | 'i')) {
        return Err(bad());
    }
    let mut mask = 0u64;
    for name in names.split(',') {
        let name = name.trim().to_ascii_lowercase();
        let number =
            NAMES.iter().position(|known| name.strip_prefix("cap_") == Some(known)).ok_or_else(bad)?;
        mask |= 1 << number;
    }
    let set = |flag: char| if flags.contains(flag) { mask } else { 0 };
    let (permitted, inheritable) = (set('p'), set('i'));
    let revision = 0x0200_0000u32 | u32::from(flags.contains('e'));
    let halves = [permitted as u32, inheritable as u32, (permitted >> 32) as u32, (inheritable >> 32) as u32];
    Ok(std::iter::once(revision).chain(halves).flat_map(u32::to_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ping_is_encoded_as_setcap_does() {
        let bytes = encode("/usr/bin/ping", "cap_net_raw+ep").unwrap();
        assert_eq!(bytes[..8], [1, 0, 0, 2, 0, 0x20, 0, 0]);
        assert_eq!(bytes.len(), 20);
    }

    #[test]
    fn an_unknown_capability_is_refused() {
        assert!(matches!(encode("/usr/bin/x", "cap_fly+ep"), Err(Error::Capability { .. })));
    }
}
