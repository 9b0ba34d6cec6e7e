//! From a fresh process in namespaces of its own to the builder.
//!
//! What the builder sees is put together on a file system in memory that is read-only in the end: the inputs, its
//! own folder of the store, a folder to build in, a few devices.

use super::cell::{BindKind, Cell};
use super::filter;
use super::warden::{Failure, Step as _};
use nival_sys::mount::{self, Attributes, Detached};
use nival_sys::{confine, fs, namespace, network, process};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Makes the place and becomes the builder. What goes wrong is written to `say`, which is closed by becoming it.
pub(super) fn become_builder(cell: &Cell, mut go: PipeReader, mut say: PipeWriter) -> ! {
    let mut byte = [0];
    let begun = match go.read(&mut byte) {
        Ok(1) => prepared(cell, &mut say),
        _ => std::process::exit(1),
    };
    let Err(Failure { doing, error }) = begun;
    let _ = say.write_all(format!("cannot {doing}: {error}").as_bytes());
    std::process::exit(1)
}

fn prepared(cell: &Cell, say: &mut PipeWriter) -> Result<Infallible, Failure> {
    process::die_with_my_parent();
    process::lead_session();
    let nothing = File::open("/dev/null").step("open /dev/null")?;
    process::set_input_and_outputs(&nothing, io::stdout()).step("connect the builder's output")?;
    // Its number is closed with all others before the builder begins.
    drop(nothing);
    if cell.confined {
        set_names(cell)?;
        enter_root(cell)?;
    } else if let Some(outside) = cell.outside {
        process::become_user(outside.user, outside.group, &[]).step("become the builder's user")?;
    }
    let directory = cell.directory.display();
    std::env::set_current_dir(&cell.directory).step(&format!("enter `{directory}`"))?;
    confine::no_core_dumps();
    if !cell.allow_new_privileges {
        confine::no_new_privileges().step("forbid new rights")?;
    }
    confine::set_personality(cell.is_32_bit).step("set the personality")?;
    confine::scope_abstract_sockets().step("close off abstract sockets")?;
    if cell.filter_calls {
        confine::filter_calls(&filter::program()).step("filter system calls")?;
    }
    process::set_file_mask(0o022);
    // The pipe is closed by becoming the builder, which tells the warden that all is well.
    let say_number = std::os::fd::AsRawFd::as_raw_fd(say);
    close_others(say_number);
    if let Some(debugging) = &cell.debugging {
        confine::close(u32::try_from(say_number).unwrap_or(u32::MAX));
        return super::debugging::hold(cell, debugging);
    }
    let error = process::exec_bytes(&cell.builder, &cell.arguments, &cell.environment);
    let builder = String::from_utf8_lossy(&cell.builder);
    Err(error).step(&format!("{} `{builder}`", super::STARTING))
}

/// Closes every descriptor but the standard ones and the pipe, which closes itself.
fn close_others(keep: i32) {
    let Ok(keep) = u32::try_from(keep) else { return };
    let open = Path::new("/proc/self/fd").read_dir();
    let numbers =
        open.into_iter().flatten().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let numbers: Vec<u32> = numbers.collect();
    if numbers.is_empty() {
        // Without /proc: everything is marked to be closed by exec anyway.
        return;
    }
    confine::close_from(numbers.iter().copied().chain([keep]).max().unwrap_or(keep).max(keep) + 1);
    for number in numbers {
        if number > 2 && number != keep {
            confine::close(number);
        }
    }
}

fn set_names(cell: &Cell) -> Result<(), Failure> {
    namespace::set_host_name("localhost").step("set the host name")?;
    confine::set_domain_name("(none)").step("set the domain name")?;
    if !cell.host_network {
        let mut links = network::Network::open().step("open the network of the builder's own")?;
        links.up("lo", None).step("switch the loopback on")?;
    }
    Ok(())
}

/// What is seen of the host, taken while this process may still look at it.
struct Taken {
    mount: Option<Detached>,
    /// The target of a link, which is made anew.
    link: Option<PathBuf>,
    is_folder: bool,
    target: PathBuf,
}

fn enter_root(cell: &Cell) -> Result<(), Failure> {
    mount::make_private(Path::new("/")).step("part with the host's mounts")?;
    let taken = take(cell)?;
    let (user, group) = (cell.user.to_string(), cell.group.to_string());
    let options = [("uid", Some(&*user)), ("gid", Some(&*group)), ("mode", Some("0755"))];
    let root = mount::filesystem("tmpfs", &options, Attributes { no_suid: true, ..Attributes::default() })
        .step("make the builder's root")?;
    mount::attach(&root, &cell.root).step("attach the builder's root")?;
    std::env::set_current_dir(&cell.root).step("enter the builder's root")?;
    process::become_mapped_user(cell.user, cell.group).step("become the builder's user")?;
    // A change of the user takes it back.
    process::die_with_my_parent();
    process::set_file_mask(0o022);
    for folder in ["etc", "dev/pts", "dev/shm", "proc"] {
        fs::create_dir_all(Path::new(folder)).step("make the builder's root")?;
    }
    for file in &cell.files {
        let path = relative(&file.path);
        make_parent(path)?;
        fs::write_new(path, file.contents.as_bytes(), 0o444).step("write into the builder's root")?;
    }
    for one in taken {
        attach(&one)?;
    }
    own_mounts(cell)?;
    for (link, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "/dev/pts/ptmx"),
    ] {
        fs::symlink(Path::new(target), &Path::new("dev").join(link)).step("make the builder's devices")?;
    }
    mount::make_read_only(Path::new(".")).step("seal the builder's root")?;
    mount::pivot(Path::new(".")).step("enter the builder's root")
}

fn own_mounts(cell: &Cell) -> Result<(), Failure> {
    let strict = Attributes { no_suid: true, no_dev: true, no_exec: true, read_only: false };
    let processes = mount::filesystem("proc", &[], strict).step("mount /proc (is it whole on this host?)")?;
    mount::attach(&processes, Path::new("proc")).step("mount /proc")?;
    let size = [("size", Some(&*cell.shared_memory)), ("mode", Some("1777"))];
    let shared =
        mount::filesystem("tmpfs", &size, Attributes { no_exec: false, ..strict }).step("mount /dev/shm")?;
    mount::attach(&shared, Path::new("dev/shm")).step("mount /dev/shm")?;
    let options = [("newinstance", None), ("mode", Some("0620")), ("ptmxmode", Some("0666"))];
    let terminals = mount::filesystem("devpts", &options, Attributes { no_dev: false, ..strict })
        .step("mount /dev/pts")?;
    mount::attach(&terminals, Path::new("dev/pts")).step("mount /dev/pts")
}

fn take(cell: &Cell) -> Result<Vec<Taken>, Failure> {
    let mut taken = Vec::with_capacity(cell.binds.len());
    for bind in &cell.binds {
        let doing = format!("show `{}` to the builder", bind.source.display());
        let metadata = match bind.source.symlink_metadata() {
            Err(_) if bind.kind == BindKind::Optional => continue,
            other => other.step(&doing)?,
        };
        let target = relative(&bind.target).to_owned();
        if metadata.is_symlink() {
            let link = bind.source.read_link().step(&doing)?;
            taken.push(Taken { mount: None, link: Some(link), is_folder: false, target });
            continue;
        }
        let read_only = bind.kind == BindKind::ReadOnly;
        let attributes = Attributes { read_only, no_suid: true, ..Attributes::default() };
        let mount = mount::bind(&bind.source, true, attributes).step(&doing)?;
        taken.push(Taken { mount: Some(mount), link: None, is_folder: metadata.is_dir(), target });
    }
    Ok(taken)
}

fn attach(one: &Taken) -> Result<(), Failure> {
    let doing = format!("show `/{}` to the builder", one.target.display());
    make_parent(&one.target)?;
    if let Some(link) = &one.link {
        return fs::symlink(link, &one.target).step(&doing);
    }
    let Some(mount) = &one.mount else { return Ok(()) };
    let exists = one.target.symlink_metadata().is_ok();
    if !exists && one.is_folder {
        fs::create_dir(&one.target).step(&doing)?;
    } else if !exists {
        fs::create_new(&one.target, 0o444).step(&doing)?;
    }
    mount::attach(mount, &one.target).step(&doing)
}

fn make_parent(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            fs::create_dir_all(parent).step("make the builder's root")
        }
        _ => Ok(()),
    }
}

/// A path of the root, seen from the root.
fn relative(path: &Path) -> &Path {
    let bytes = path.as_os_str().as_bytes();
    let start = bytes.iter().position(|byte| *byte != b'/').unwrap_or(bytes.len());
    Path::new(OsStr::from_bytes(&bytes[start..]))
}
