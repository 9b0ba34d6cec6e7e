//! Running a program that finds the store at its logical place.
//!
//! Where the store lies somewhere else on the disk, this process moves into a mount namespace of its own (without
//! root also a user namespace), in which the store is mounted at `/nix`; everything else stays as it is.

use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use nival_diagnostics::Diagnostic;
use nival_store::LocalStore;
use nival_sys::mount::{self, Attributes};
use nival_sys::{fs, namespace, process};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A program with its arguments and environment.
pub struct Program {
    /// The program: a path, or a name that is looked up in the environment's PATH.
    pub name: OsString,
    /// Its arguments, without the name in front.
    pub arguments: Vec<OsString>,
    /// All of its environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// Replaces this process by a program; returns only with an error.
pub fn run(context: &mut Context, program: &Program) -> Error {
    match enter(context).and_then(|()| find(program)) {
        Ok(path) => {
            let words: Vec<&[u8]> = std::iter::once(&program.name)
                .chain(&program.arguments)
                .map(|word| word.as_bytes())
                .collect();
            let environment: Vec<Vec<u8>> = program
                .environment
                .iter()
                .map(|(k, v)| [k.as_bytes(), b"=", v.as_bytes()].concat())
                .collect();
            let error = process::exec_bytes(path.as_os_str().as_bytes(), &words, &environment);
            cannot_run(&program.name, &error)
        }
        Err(error) => error,
    }
}

fn cannot_run(name: &OsStr, error: &io::Error) -> Error {
    let message = format!("cannot run `{}`: {error}", name.display());
    let diagnostic = Diagnostic::error(&diagnostics::cannot_run::ENTRY, message);
    Error::plain(diagnostic.help("check that the program exists and can be executed"))
}

/// The program's path: names are looked up as a shell does it.
fn find(program: &Program) -> Result<PathBuf, Error> {
    if program.name.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(&program.name));
    }
    let path = program.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let found = std::env::split_paths(&path.unwrap_or_default())
        .map(|folder| folder.join(&program.name))
        .find(|path| path.is_file());
    found.ok_or_else(|| cannot_run(&program.name, &io::Error::from(io::ErrorKind::NotFound)))
}

/// Makes the store appear at its logical place for this process, where it is not there already.
pub fn enter(context: &mut Context) -> Result<(), Error> {
    let store = context.store()?;
    let Some((physical, logical)) = elsewhere(&store) else { return Ok(()) };
    let failed = |error: io::Error| {
        let message = format!("cannot mount the store at `{}`: {error}", logical.display());
        let help = "user namespaces may be switched off on this host; then run this as root, or with a store at /nix";
        Error::plain(Diagnostic::error(&diagnostics::cannot_run::ENTRY, message).help(help))
    };
    mount_store(&physical, &logical).map_err(failed)
}

/// The folder that has to be mounted, and where: the one that holds the store's, as `/nix` holds `/nix/store`.
fn elsewhere(store: &LocalStore) -> Option<(PathBuf, PathBuf)> {
    let (logical, physical) = (Path::new(store.dir().as_str()), &store.config().physical);
    (logical != physical).then_some(())?;
    Some((physical.parent()?.to_owned(), logical.parent()?.to_owned()))
}

fn mount_store(physical: &Path, logical: &Path) -> io::Result<()> {
    let here = std::env::current_dir();
    let (user, group) = (process::user_id(), process::group_id());
    if user == 0 {
        namespace::unshare(namespace::MOUNT)?;
    } else {
        namespace::unshare(namespace::USER | namespace::MOUNT)?;
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        namespace::write_map(own, "setgroups", "deny")?;
        namespace::write_map(own, "uid_map", &format!("{user} {user} 1"))?;
        namespace::write_map(own, "gid_map", &format!("{group} {group} 1"))?;
    }
    mount::make_private(Path::new("/"))?;
    let store = mount::bind(physical, true, Attributes::default())?;
    if logical.is_dir() {
        mount::attach(&store, logical)?;
    } else {
        new_root(&store, logical)?;
    }
    // The folder that was current is one of the new tree now.
    here.and_then(std::env::set_current_dir)
}

/// A root with everything that the old one has, and the store.
fn new_root(store: &mount::Detached, logical: &Path) -> io::Result<()> {
    let place = std::env::temp_dir().join(format!("nival-root-{}", std::process::id()));
    fs::create_dir_all(&place)?;
    mount::attach(&mount::filesystem("tmpfs", &[("mode", Some("0755"))], Attributes::default())?, &place)?;
    for entry in Path::new("/").read_dir()? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, place.join(entry.file_name()));
        if kind.is_symlink() {
            fs::symlink(&entry.path().read_link()?, &target)?;
        } else if kind.is_dir() {
            fs::create_dir_all(&target)?;
            mount::attach(&mount::bind(&entry.path(), true, Attributes::default())?, &target)?;
        }
    }
    let inner = place.join(logical.strip_prefix("/").unwrap_or(logical));
    fs::create_dir_all(&inner)?;
    mount::attach(store, &inner)?;
    mount::pivot(&place)
}
