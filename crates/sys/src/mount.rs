//! Mounts by the calls that work on detached mounts: nothing is seen by anybody until it is attached.

use crate::{fault, fs::at};
use rustix::fs::CWD;
use rustix::mount as kernel;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What a mount forbids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Nothing can be written.
    pub read_only: bool,
    /// Set-user-id bits and file capabilities mean nothing.
    pub no_suid: bool,
    /// Device nodes mean nothing.
    pub no_dev: bool,
    /// No program can be started.
    pub no_exec: bool,
}

/// A mount that is attached nowhere; it is gone when this is dropped unless it was attached.
#[derive(Debug)]
pub struct Detached(OwnedFd);

impl Detached {
    /// The mount's descriptor.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes a file system of a kind with options; an option without a value is a flag.
///
/// # Errors
/// Whatever the kernel says, with the option that it refused.
pub fn filesystem(
    kind: &str,
    options: &[(&str, Option<&str>)],
    attributes: Attributes,
) -> io::Result<Detached> {
    fault::point("fsmount", &kind)?;
    let context = kernel::fsopen(kind, kernel::FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        match value {
            Some(value) => kernel::fsconfig_set_string(context.as_fd(), *key, *value),
            None => kernel::fsconfig_set_flag(context.as_fd(), *key),
        }
        .map_err(|error| named(&format!("{kind}: option {key}"), error.into()))?;
    }
    kernel::fsconfig_create(context.as_fd()).map_err(|error| named(kind, error.into()))?;
    finish(context, attributes)
}

/// Makes a read-only overlay of layers, the topmost first. `user` is for a mount inside of a user namespace.
///
/// # Errors
/// `EINVAL` beyond 500 layers; whatever else the kernel says, with the layer that it refused.
pub fn overlay(layers: &[&Path], user: bool) -> io::Result<Detached> {
    fault::point("fsmount", &"overlay")?;
    let context = kernel::fsopen("overlay", kernel::FsOpenFlags::FSOPEN_CLOEXEC)?;
    for layer in layers {
        kernel::fsconfig_set_string(context.as_fd(), "lowerdir+", *layer)
            .map_err(|error| named(&layer.display().to_string(), error.into()))?;
    }
    if user {
        kernel::fsconfig_set_flag(context.as_fd(), "userxattr")?;
    }
    kernel::fsconfig_create(context.as_fd()).map_err(|error| named("overlay", error.into()))?;
    finish(context, Attributes { read_only: true, no_dev: true, ..Attributes::default() })
}

fn finish(context: OwnedFd, attributes: Attributes) -> io::Result<Detached> {
    let mut flags = kernel::MountAttrFlags::empty();
    flags.set(kernel::MountAttrFlags::MOUNT_ATTR_RDONLY, attributes.read_only);
    flags.set(kernel::MountAttrFlags::MOUNT_ATTR_NOSUID, attributes.no_suid);
    flags.set(kernel::MountAttrFlags::MOUNT_ATTR_NODEV, attributes.no_dev);
    flags.set(kernel::MountAttrFlags::MOUNT_ATTR_NOEXEC, attributes.no_exec);
    Ok(Detached(kernel::fsmount(context, kernel::FsMountFlags::FSMOUNT_CLOEXEC, flags)?))
}

/// Makes a second mount of what is at a path; `recursive` takes the mounts below along.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn bind(source: &Path, recursive: bool, attributes: Attributes) -> io::Result<Detached> {
    fault::point("open_tree", &source)?;
    let mut flags = kernel::OpenTreeFlags::OPEN_TREE_CLONE | kernel::OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(kernel::OpenTreeFlags::AT_RECURSIVE, recursive);
    let mount = at(source, kernel::open_tree(CWD, source, flags).map_err(io::Error::from))?;
    let mount = Detached(mount);
    if attributes != Attributes::default() {
        at(source, restrict(&mount, attributes, recursive))?;
    }
    Ok(mount)
}

fn restrict(mount: &Detached, attributes: Attributes, recursive: bool) -> io::Result<()> {
    let mut set = 0;
    for (wanted, flag) in [
        (attributes.read_only, libc::MOUNT_ATTR_RDONLY),
        (attributes.no_suid, libc::MOUNT_ATTR_NOSUID),
        (attributes.no_dev, libc::MOUNT_ATTR_NODEV),
        (attributes.no_exec, libc::MOUNT_ATTR_NOEXEC),
    ] {
        if wanted {
            set |= flag;
        }
    }
    let attribute = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string and the struct lives through the call, with its own size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.0.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attribute,
            size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets nothing be written to the mount at a path from now on; mounts below it stay as they are.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn make_read_only(target: &Path) -> io::Result<()> {
    fault::point("mount_setattr", &target)?;
    let attribute =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let path = CString::new(target.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string and the struct lives through the call, with its own size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            0,
            &raw const attribute,
            size_of::<libc::mount_attr>(),
        )
    };
    at(target, if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

/// Attaches a mount on top of what is at a path.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn attach(mount: &Detached, target: &Path) -> io::Result<()> {
    fault::point("move_mount", &target)?;
    move_mount(mount, target, 0)
}

/// Attaches a mount beneath the topmost one at a path, which must be a mount point: nobody sees it yet.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn attach_beneath(mount: &Detached, target: &Path) -> io::Result<()> {
    const MOVE_MOUNT_BENEATH: u32 = 0x200;
    fault::point("move_mount_beneath", &target)?;
    move_mount(mount, target, MOVE_MOUNT_BENEATH)
}

fn move_mount(mount: &Detached, target: &Path, extra: u32) -> io::Result<()> {
    const MOVE_MOUNT_F_EMPTY_PATH: u32 = 4;
    let path = CString::new(target.as_os_str().as_bytes())?;
    // SAFETY: both paths are C strings that live through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.0.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | extra,
        )
    };
    at(target, if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

/// Takes the topmost mount at a path out of the tree; who has it open keeps it.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn detach(target: &Path) -> io::Result<()> {
    fault::point("umount", &target)?;
    at(target, kernel::unmount(target, kernel::UnmountFlags::DETACH).map_err(io::Error::from))
}

/// Lets no mount of this namespace be seen in another from now on, nor the other way round.
///
/// # Errors
/// Whatever the kernel says.
pub fn make_private(target: &Path) -> io::Result<()> {
    fault::point("mount_private", &target)?;
    let flags = kernel::MountPropagationFlags::PRIVATE | kernel::MountPropagationFlags::REC;
    at(target, kernel::mount_change(target, flags).map_err(io::Error::from))
}

/// Makes `root` the root of this mount namespace and drops the old one.
///
/// # Errors
/// Whatever the kernel says; `root` must be a mount point.
pub fn pivot(root: &Path) -> io::Result<()> {
    fault::point("pivot_root", &root)?;
    at(root, std::env::set_current_dir(root))?;
    at(root, rustix::process::pivot_root(".", ".").map_err(io::Error::from))?;
    kernel::unmount(".", kernel::UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")
}

/// How many mounts are stacked at a path in this process's namespace.
///
/// # Errors
/// When `/proc/self/mountinfo` cannot be read.
pub fn stacked_at(target: &Path) -> io::Result<usize> {
    let table = std::fs::read_to_string("/proc/self/mountinfo")?;
    let target = target.to_string_lossy();
    Ok(table.lines().filter(|line| line.split(' ').nth(4) == Some(&*target)).count())
}

fn named(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
