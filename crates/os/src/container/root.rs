//! The file tree of a machine: links into the composed root, its data, and the kernel's own file systems.

use super::{Launch, switch_unit};
use crate::compose::{self, Store};
use crate::error::Doing as _;
use crate::{Error, MachineFolder, State};
use nival_sys::mount::{self, Attributes};
use nival_sys::{fs, pty};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The two sides of the machine's console.
pub(super) struct Console {
    pub shown: OwnedFd,
    pub terminal: OwnedFd,
}

const NO_DEVICES: Attributes = Attributes { read_only: false, no_suid: false, no_dev: true, no_exec: false };
const HARMLESS: Attributes = Attributes { read_only: false, no_suid: true, no_dev: true, no_exec: false };
const INERT: Attributes = Attributes { read_only: false, no_suid: true, no_dev: true, no_exec: true };
const INERT_READ_ONLY: Attributes = Attributes { read_only: true, ..INERT };

/// Builds the tree and makes it this process's root. The process is the first of its new namespaces.
pub(super) fn build(launch: &Launch) -> Result<Console, Error> {
    let place = PathBuf::from(&launch.folder).join("root");
    let state = State::new(launch.folder.join("state"));
    let store = Store::below(&launch.store);
    let manifest = state.manifest(launch.generation)?;
    let composition = compose::compose(&store, &state, &manifest)?;
    let io = |result: std::io::Result<()>, what: &str| result.doing(|| format!("make the machine's {what}"));
    io(mount::make_private(Path::new("/")), "mount namespace")?;
    io(fs::create_dir_all(&place), "root")?;
    let tree = Tree(place.clone());
    io(tree.filesystem("tmpfs", "", &[("mode", Some("0755")), ("size", Some("16m"))], NO_DEVICES), "root")?;
    io(tree.skeleton(), "root")?;
    let system = composition.mount(&store, &state, launch.user)?;
    io(mount::attach(&system, &place.join("system")), "system")?;
    io(tree.data(launch), "data")?;
    io(tree.kernel(launch), "kernel file systems")?;
    io(tree.devices(), "devices")?;
    io(tree.run(launch), "run folder")?;
    for (name, root) in &composition.roots {
        let point = place.join("run/nival/roots").join(name);
        io(fs::create_dir_all(&point), "roots")?;
        io(mount::attach(&root.mount(&store, &state, launch.user)?, &point), "roots")?;
    }
    io(mount::pivot(&place), "root")?;
    composition.prepare()?;
    let (shown, terminal) = pty::open(Path::new("/dev/pts")).doing(|| "make the console".to_owned())?;
    io(tree_console(), "console")?;
    Ok(Console { shown, terminal })
}

/// Builds as much of the tree as a program needs that only looks at the machine's data, and makes it the root.
pub(super) fn build_view(folder: &Path, store: &Path, generation: u64, user: bool) -> Result<(), Error> {
    let folder = MachineFolder::from(folder.to_owned());
    let (state, store) = (folder.state(), Store::below(store));
    let composition = compose::compose(&store, &state, &state.manifest(generation)?)?;
    let io = |result: std::io::Result<()>| result.doing(|| "make a view of the machine".to_owned());
    let place = folder.mount_point();
    io(mount::make_private(Path::new("/")))?;
    io(fs::create_dir_all(&place))?;
    let tree = Tree(place.clone());
    io(tree.filesystem("tmpfs", "", &[("mode", Some("0755")), ("size", Some("16m"))], NO_DEVICES))?;
    io(tree.skeleton())?;
    io(mount::attach(&composition.mount(&store, &state, user)?, &place.join("system")))?;
    io(tree.bind(&folder.data().join("var"), "var", Attributes { read_only: true, ..HARMLESS }))?;
    io(mount::pivot(&place))
}

/// Refuses to go on as process 1 in a control group that is not the machine's own.
pub(super) fn refuse_foreign_group() -> Result<(), Error> {
    let refuse = |reason: &str| {
        Err(Error::Boot { machine: String::new(), reason: reason.to_owned(), log: Vec::new() })
    };
    let own = nival_sys::cgroup::of("self").doing(|| "read the control group".to_owned())?;
    let root = Path::new("/sys/fs/cgroup");
    let members = fs::read_to_string(root.join("cgroup.procs")).unwrap_or_default();
    if own != "/" {
        return refuse("the control group namespace is not the machine's own");
    }
    if !root.join("cgroup.events").exists() {
        return refuse("the control groups that are mounted are the host's");
    }
    if !members.lines().any(|line| line == "1") {
        return refuse("process 1 is not in the machine's control group");
    }
    Ok(())
}

struct Tree(PathBuf);

impl Tree {
    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn filesystem(
        &self,
        kind: &str,
        path: &str,
        options: &[(&str, Option<&str>)],
        attributes: Attributes,
    ) -> std::io::Result<()> {
        let target = self.at(path);
        fs::create_dir_all(&target)?;
        mount::attach(&mount::filesystem(kind, options, attributes)?, &target)
    }

    fn bind(&self, source: &Path, path: &str, attributes: Attributes) -> std::io::Result<()> {
        let target = self.at(path);
        fs::create_dir_all(&target)?;
        mount::attach(&mount::bind(source, false, attributes)?, &target)
    }

    fn skeleton(&self) -> std::io::Result<()> {
        for name in ["usr", "etc", "opt"] {
            fs::symlink(Path::new(&format!("system/{name}")), &self.at(name))?;
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            fs::symlink(Path::new(&format!("usr/{name}")), &self.at(name))?;
        }
        for name in
            ["system", "nix/store", "mnt", "media", "boot", "var", "home", "root", "srv", "dev", "proc"]
        {
            fs::create_dir_all(&self.at(name))?;
        }
        Ok(())
    }

    fn data(&self, launch: &Launch) -> std::io::Result<()> {
        let folder = MachineFolder::from(launch.folder.clone());
        let read_only = Attributes { read_only: true, no_suid: true, no_dev: true, no_exec: false };
        self.bind(&launch.store.join("nix/store"), "nix/store", read_only)?;
        for (name, mode) in [("var", 0o755), ("home", 0o755), ("root", 0o700), ("srv", 0o755)] {
            let source = folder.data().join(name);
            if !source.is_dir() {
                fs::create_dir_all(&source)?;
                fs::set_mode(&source, mode)?;
            }
            self.bind(&source, name, NO_DEVICES)?;
        }
        fs::create_dir_all(&self.at("var/lib/nival"))?;
        self.bind(folder.state().path(), "var/lib/nival", NO_DEVICES)?;
        for (name, target) in [("run", "/run"), ("lock", "/run/lock")] {
            let link = self.at("var").join(name);
            if fs::symlink_metadata(&link).is_err() {
                fs::symlink(Path::new(target), &link)?;
            }
        }
        Ok(())
    }

    fn kernel(&self, launch: &Launch) -> std::io::Result<()> {
        self.filesystem("proc", "proc", &[], INERT)?;
        if !launch.user {
            self.protect_proc()?;
        }
        self.filesystem("sysfs", "sys", &[], INERT_READ_ONLY)?;
        mount::attach(&mount::filesystem("cgroup2", &[], INERT)?, &self.at("sys/fs/cgroup"))
    }

    /// Root without a user namespace is the host's root: what it could change for the host is made read-only.
    fn protect_proc(&self) -> std::io::Result<()> {
        let network = mount::bind(&self.at("proc/sys/net"), false, Attributes::default())?;
        for name in ["proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus"] {
            let path = self.at(name);
            if path.exists() {
                mount::attach(&mount::bind(&path, false, INERT_READ_ONLY)?, &path)?;
            }
        }
        mount::attach(&network, &self.at("proc/sys/net"))?;
        for name in ["proc/kcore", "proc/keys", "proc/timer_list"] {
            let path = self.at(name);
            if path.exists() {
                mount::attach(&mount::bind(Path::new("/dev/null"), false, Attributes::default())?, &path)?;
            }
        }
        Ok(())
    }

    fn devices(&self) -> std::io::Result<()> {
        let suid = Attributes { no_suid: true, ..Attributes::default() };
        self.filesystem("tmpfs", "dev", &[("mode", Some("0755")), ("size", Some("4m"))], suid)?;
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            let source = Path::new("/dev").join(name);
            let target = self.at("dev").join(name);
            fs::write_new(&target, b"", 0o666)?;
            mount::attach(&mount::bind(&source, false, Attributes::default())?, &target)?;
        }
        let options =
            [("newinstance", None), ("ptmxmode", Some("0666")), ("mode", Some("0620")), ("gid", Some("5"))];
        self.filesystem(
            "devpts",
            "dev/pts",
            &options,
            Attributes { no_suid: true, no_exec: true, ..Attributes::default() },
        )?;
        self.filesystem("tmpfs", "dev/shm", &[("mode", Some("1777"))], HARMLESS)?;
        self.filesystem("mqueue", "dev/mqueue", &[], INERT)?;
        for (link, target) in [
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            fs::symlink(Path::new(target), &self.at("dev").join(link))?;
        }
        fs::write_new(&self.at("dev/console"), b"", 0o600)
    }

    fn run(&self, launch: &Launch) -> std::io::Result<()> {
        self.filesystem("tmpfs", "run", &[("mode", Some("0755"))], HARMLESS)?;
        self.filesystem("tmpfs", "tmp", &[("mode", Some("1777"))], HARMLESS)?;
        fs::create_dir_all(&self.at("run/lock"))?;
        fs::create_dir_all(&self.at("run/nival/roots"))?;
        fs::write_new(&self.at("run/nival/hosts"), launch.hosts.as_bytes(), 0o644)?;
        fs::write_new(&self.at("run/nival/resolv.conf"), launch.resolv.as_bytes(), 0o644)?;
        let read_only = Attributes { read_only: true, no_suid: true, no_dev: true, no_exec: false };
        self.bind(&launch.runtime, "run/nival/runtime", read_only)?;
        let units = self.at("run/systemd/system");
        fs::create_dir_all(&units)?;
        let text = switch_unit::text(launch.runtime.join("loader").exists());
        fs::write_new(&units.join(switch_unit::NAME), text.as_bytes(), 0o644)
    }
}

fn tree_console() -> std::io::Result<()> {
    let console = mount::bind(Path::new("/dev/pts/0"), false, Attributes::default())?;
    mount::attach(&console, Path::new("/dev/console"))
}
