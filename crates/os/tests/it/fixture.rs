//! Packages, manifests and folders for tests.

use nival_os::compose::Store;
use nival_os::manifest::{Package, UnitDefinition};
use nival_os::{Config, Machines, Manifest, State};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A folder with a store, data and sockets.
pub struct World {
    pub folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("nix/store")).unwrap();
        Self { folder }
    }

    pub fn store(&self) -> Store {
        Store::below(self.folder.path())
    }

    pub fn state(&self) -> State {
        State::new(self.folder.path().join("state"))
    }

    pub fn machines(&self) -> Machines {
        let at = |name: &str| self.folder.path().join(name);
        Machines::new(Config { data: at("data"), store: at(""), runtime: at("run") })
    }

    /// Makes a package of files (a text that starts with `->` is a link) and what `metadata.json` says.
    pub fn package(&self, name: &str, files: &[(&str, &str)], metadata: &str) -> Package {
        let path = format!("/nix/store/{:0>32}-{name}", name.len());
        let root = self.store().physical(&path).join("root");
        fs::create_dir_all(&root).unwrap();
        for (file, text) in files {
            let place = root.join(file.trim_start_matches('/'));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            match text.strip_prefix("->") {
                Some(target) => std::os::unix::fs::symlink(target, place).unwrap(),
                None => {
                    fs::write(&place, text).unwrap();
                    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
        fs::write(self.store().physical(&path).join("metadata.json"), metadata).unwrap();
        Package { name: name.to_owned(), version: "1".to_owned(), path, ..Package::default() }
    }
}

/// A manifest without anything in it.
pub fn manifest(packages: Vec<Package>) -> Manifest {
    let mut manifest = Manifest { version: 1, name: "web".to_owned(), ..Manifest::default() };
    manifest.root.packages = packages;
    manifest
}

/// A unit with a text that is enabled.
pub fn unit(text: &str) -> UnitDefinition {
    UnitDefinition {
        text: Some(text.to_owned()),
        enable: true,
        wanted_by: vec!["multi-user.target".to_owned()],
        ..UnitDefinition::default()
    }
}

pub fn is_root() -> bool {
    nival_sys::process::user_id() == 0
}

/// The example program that stands for `nival` where processes of its own are wanted.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().parent().unwrap().join("examples/machine")
}
