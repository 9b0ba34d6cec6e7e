//! Roots from packages and declarations.

use crate::fixture::{World, is_root, manifest, unit};
use nival_os::Error;
use nival_os::compose::{collect, compose};
use nival_os::manifest::{Content, Directory, FileDefinition, ModeOverride, User};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn text(text: &str) -> FileDefinition {
    FileDefinition {
        content: Content::Text(text.to_owned()),
        mode: "0640".to_owned(),
        user: "root".to_owned(),
        group: "root".to_owned(),
        origin: Vec::new(),
        options: Vec::new(),
    }
}

#[test]
fn two_packages_with_one_file_are_refused() {
    let world = World::new();
    let first = world.package("one", &[("usr/bin/tool", "a")], "{}");
    let second = world.package("second", &[("usr/bin/tool", "b"), ("usr/share/x", "x")], "{}");
    let mut manifest = manifest(vec![first, second]);
    let error = compose(&world.store(), &world.state(), &manifest).unwrap_err();
    let wanted =
        Error::FileClash { path: "/usr/bin/tool".into(), first: "one".into(), second: "second".into() };
    assert_eq!(error, wanted);
    assert_eq!(error.diagnostic().entry.code, "NV0605");
    manifest.root.diversions.insert("/usr/bin/tool".into(), "one".into());
    let composition = compose(&world.store(), &world.state(), &manifest).unwrap();
    let layer = world.state().layers().join(&composition.layers[0]);
    assert_eq!(fs::read_to_string(layer.join("usr/bin/tool")).unwrap(), "a");
}

#[test]
fn equal_files_and_folders_are_no_clash() {
    let world = World::new();
    let first = world.package("one", &[("usr/share/doc/x", "same"), ("usr/lib/l", "->x")], "{}");
    let second = world.package("second", &[("usr/share/doc/x", "same"), ("usr/lib/l", "->x")], "{}");
    compose(&world.store(), &world.state(), &manifest(vec![first, second])).unwrap();
}

#[test]
fn composing_again_takes_what_is_there() {
    let world = World::new();
    let mut manifest = manifest(vec![world.package("one", &[("usr/bin/tool", "a")], "{}")]);
    let first = compose(&world.store(), &world.state(), &manifest).unwrap();
    let again = compose(&world.store(), &world.state(), &manifest).unwrap();
    assert_eq!(first, again);
    manifest.root.files.insert("/etc/x".into(), text("y"));
    let other = compose(&world.store(), &world.state(), &manifest).unwrap();
    assert_ne!(first.key, other.key);
    assert_eq!(collect(&world.state(), &[other]).unwrap(), 1);
}

#[test]
fn an_owner_that_is_not_declared_is_refused() {
    let world = World::new();
    let owners = r#"{"attributes": {"usr/bin/tool": {"mode": 1517, "user": "root", "group": "nosuch"}}}"#;
    let package = world.package("one", &[("usr/bin/tool", "a")], owners);
    let error = compose(&world.store(), &world.state(), &manifest(vec![package])).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0606");
    assert!(world.state().layers().read_dir().is_ok_and(|mut left| left.next().is_none()));
}

#[test]
fn a_missing_package_is_named() {
    let world = World::new();
    let package = world.package("one", &[("usr/bin/tool", "a")], "{}");
    fs::remove_dir_all(world.store().physical(&package.path)).unwrap();
    let error = compose(&world.store(), &world.state(), &manifest(vec![package])).unwrap_err();
    assert!(matches!(error, Error::MissingPackage { .. }), "{error}");
}

#[test]
fn a_path_outside_is_refused() {
    let world = World::new();
    for path in ["/proc/x", "/etc/../x", "etc/x", "/var/x", "/etc//x"] {
        let mut manifest = manifest(Vec::new());
        manifest.root.files.insert(path.into(), text(""));
        let error = compose(&world.store(), &world.state(), &manifest).unwrap_err();
        assert_eq!(error.diagnostic().entry.code, "NV0619", "{path}");
    }
    let mut manifest = manifest(Vec::new());
    manifest.directories.push(Directory {
        path: "/etc/x".into(),
        mode: "0755".into(),
        user: "root".into(),
        group: "root".into(),
    });
    assert!(compose(&world.store(), &world.state(), &manifest).is_err());
}

#[test]
fn no_file_is_written_through_a_declared_link() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let mut manifest = manifest(Vec::new());
    let link = FileDefinition { content: Content::Link(outside.to_str().unwrap().into()), ..text("") };
    manifest.root.files.insert("/etc/a".into(), link);
    manifest.root.files.insert("/etc/a/b".into(), text("harm"));
    assert!(matches!(compose(&world.store(), &world.state(), &manifest), Err(Error::Path { .. })));
    assert!(outside.read_dir().unwrap().next().is_none());
}

#[test]
fn a_unit_that_nobody_brings_is_refused() {
    let world = World::new();
    let mut manifest = manifest(Vec::new());
    let mut nobodys = unit("");
    nobodys.text = None;
    nobodys.overrides = Some("[Service]\nNice=1\n".into());
    manifest.units.insert("nosuch.service".into(), nobodys);
    let error = compose(&world.store(), &world.state(), &manifest).unwrap_err();
    assert_eq!(error, Error::NoUnit("nosuch.service".into()));
}

#[test]
fn units_users_and_links_are_written() {
    let world = World::new();
    let package = world.package("pg", &[("usr/lib/systemd/system/pg@.service", "[Service]\n")], "{}");
    let mut manifest = manifest(vec![package]);
    manifest.units.insert("own.service".into(), unit("[Service]\nExecStart=/x\n"));
    let mut instance = unit("");
    instance.text = None;
    manifest.units.insert("pg@main.service".into(), instance);
    manifest.masks.push("bad.timer".into());
    let keys = vec!["ssh-ed25519 AAAA alice".to_owned()];
    manifest.users.insert(
        "alice".into(),
        User { groups: vec!["wheel".into()], authorized_keys: keys, ..User::default() },
    );
    manifest.root.alternatives.insert("/usr/bin/awk".into(), "/usr/bin/mawk".into());
    let composition = compose(&world.store(), &world.state(), &manifest).unwrap();
    let layer = world.state().layers().join(&composition.layers[0]);
    let link = |path: &str| fs::read_link(layer.join(path)).unwrap().to_str().unwrap().to_owned();
    let wants = "etc/systemd/system/multi-user.target.wants";
    assert_eq!(link(&format!("{wants}/own.service")), "/etc/systemd/system/own.service");
    assert_eq!(link(&format!("{wants}/pg@main.service")), "/usr/lib/systemd/system/pg@.service");
    assert_eq!(link("etc/systemd/system/bad.timer"), "/dev/null");
    assert_eq!(link("usr/bin/awk"), "/usr/bin/mawk");
    let passwd = fs::read_to_string(layer.join("etc/passwd")).unwrap();
    assert!(passwd.contains("alice:x:1000:1000::/home/alice:/bin/bash\n"), "{passwd}");
    assert!(layer.join("etc/ssh/authorized_keys.d/alice").exists());
}

#[test]
fn modes_that_a_store_cannot_hold_are_in_the_layer() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let owners = r#"{"attributes": {"usr/bin/su": {"mode": 2541, "user": "root", "group": "root"}}}"#;
    let package =
        world.package("one", &[("usr/bin/su", "s"), ("usr/bin/ping", "p"), ("usr/bin/agent", "a")], owners);
    let mut manifest = manifest(vec![package]);
    manifest.root.capabilities.insert("/usr/bin/ping".into(), "cap_net_raw+ep".into());
    let agent = ModeOverride { mode: "2755".into(), user: "root".into(), group: "root".into() };
    manifest.root.modes.insert("/usr/bin/agent".into(), agent);
    let composition = compose(&world.store(), &world.state(), &manifest).unwrap();
    let layer = world.state().layers().join(&composition.layers[0]);
    let mode = |path: &str| fs::metadata(layer.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("usr/bin/su"), mode("usr/bin/agent")), (0o4755, 0o2755));
    assert!(layer.join("usr/bin/ping").exists());
}

#[test]
fn beyond_the_kernels_limit_packages_share_a_layer() {
    let world = World::new();
    let packages: Vec<_> = (0..600)
        .map(|number| {
            let mut package =
                world.package(&format!("p{number}"), &[(&format!("usr/share/f{number}"), "x")], "{}");
            let path = format!("/nix/store/{number:0>32}-p{number}");
            fs::rename(world.store().physical(&package.path), world.store().physical(&path)).unwrap();
            package.path = path;
            package
        })
        .collect();
    let composition = compose(&world.store(), &world.state(), &manifest(packages)).unwrap();
    assert!(composition.layers.len() < 500, "{}", composition.layers.len());
    let shared = world.state().layers().join(composition.layers.last().unwrap());
    assert_eq!(shared.join("usr/share").read_dir().unwrap().count() + composition.layers.len() - 2, 600);
}
