//! What is refused before anything happens, each with its code.

use crate::fixture::{World, is_root, manifest, program};
use nival_os::{Error, Manifest, Program, Publish, Up};
use std::fs;
use std::process::Command;

fn code(error: &Error) -> &'static str {
    error.diagnostic().entry.code
}

fn up(manifest: Manifest) -> Up {
    Up { manifest, publish: Vec::new() }
}

#[test]
fn a_manifest_of_another_version_is_refused() {
    let error = Manifest::from_json(br#"{"version": 99, "name": "web"}"#).unwrap_err();
    assert_eq!(code(&error), "NV0603");
    assert_eq!(code(&Manifest::from_json(b"{").unwrap_err()), "NV0603");
}

#[test]
fn a_bad_machine_name_is_refused() {
    for name in ["", "Web_1", "-a", "a-", "a/b", "..", &"x".repeat(64)] {
        let text = serde_json::json!({ "version": 1, "name": name }).to_string();
        assert_eq!(code(&Manifest::from_json(text.as_bytes()).unwrap_err()), "NV0604", "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let world = World::new();
    fs::write(world.state().path(), "a file in the way").unwrap();
    let error = world.state().add(&manifest(Vec::new()), "test", &[]).unwrap_err();
    assert_eq!(code(&error), "NV0601");
    assert!(error.to_string().contains("state"), "{error}");
}

#[test]
fn a_full_disk_is_coded() {
    let world = World::new();
    let package = world.package("one", &[("usr/bin/tool", "a")], "{}");
    let file = world.folder.path().join("manifest.json");
    fs::write(&file, manifest(vec![package]).to_json()).unwrap();
    for point in 1..40 {
        let output = Command::new(program())
            .env_remove("NIVAL_STORE")
            .arg(world.folder.path())
            .arg("compose")
            .arg(&file)
            .env("NIVAL_FAULT", format!("full@{point}"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.starts_with("error[NV0602]"), "point {point}: {said}");
    }
    let output = Command::new(program())
        .env_remove("NIVAL_STORE")
        .arg(world.folder.path())
        .arg("compose")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "the next command works");
}

#[test]
fn an_unknown_machine_is_refused() {
    let world = World::new();
    fs::create_dir_all(world.folder.path().join("data/machines/web")).unwrap();
    let error = world.machines().status("wbe").unwrap_err();
    assert_eq!(error, Error::UnknownMachine { name: "wbe".into(), known: vec!["web".into()] });
    assert_eq!(code(&world.machines().status("../x").unwrap_err()), "NV0611");
}

#[test]
fn a_machine_that_is_down_has_no_shell() {
    let world = World::new();
    fs::create_dir_all(world.folder.path().join("data/machines/web")).unwrap();
    let error = world.machines().exec("web", &Program::default()).unwrap_err();
    assert_eq!(error, Error::NotRunning("web".into()));
}

#[test]
fn an_unknown_generation_is_refused() {
    let world = World::new();
    fs::create_dir_all(world.folder.path().join("data/machines/web")).unwrap();
    let error = world.machines().rollback("web", Some(99), &mut |_| {}).unwrap_err();
    assert_eq!(error, Error::Generation { machine: "web".into(), number: 99 });
}

#[test]
fn a_user_without_ids_is_told_the_command() {
    use std::os::unix::process::CommandExt as _;
    if !is_root() {
        return;
    }
    let world = World::new();
    let copy = world.folder.path().join("machine");
    fs::copy(program(), &copy).unwrap();
    let file = world.folder.path().join("manifest.json");
    fs::write(&file, manifest(Vec::new()).to_json()).unwrap();
    let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    fs::set_permissions(world.folder.path(), open).unwrap();
    let mut command = Command::new(copy);
    let output =
        command.arg(world.folder.path()).arg("up").arg(file).uid(64_321).gid(64_321).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error[NV0607]") && said.contains("usermod --add-subuids"), "{said}");
}

#[test]
fn a_second_up_is_refused() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = world.folder.path().join("data/machines/web");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let error = world.machines().up(&[up(manifest(Vec::new()))], &mut |_| {}).unwrap_err();
    assert_eq!(error, Error::Running("web".into()));
    assert_eq!(world.machines().delete("web").unwrap_err(), Error::Running("web".into()));
}

#[test]
fn a_host_without_systemd_cannot_enable() {
    let world = World::new();
    fs::create_dir_all(world.folder.path().join("data/machines/web")).unwrap();
    if !std::path::Path::new("/run/systemd/system").exists() {
        let error = world.machines().enable("web", world.folder.path(), &program(), &[]).unwrap_err();
        assert_eq!(code(&error), "NV0622");
    }
}

#[test]
fn a_root_without_systemd_is_refused() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let package = world.package("one", &[("usr/bin/tool", "a")], "{}");
    let file = world.folder.path().join("manifest.json");
    fs::write(&file, manifest(vec![package]).to_json()).unwrap();
    let output = Command::new(program())
        .env_remove("NIVAL_STORE")
        .arg(world.folder.path())
        .arg("up")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error[NV0612]") && said.contains("systemd cannot be started"), "{said}");
    let publish = Publish { address: std::net::Ipv4Addr::LOCALHOST.into(), host: 0, guest: 80 };
    assert_eq!(publish.guest, 80);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(world.folder.path().to_str().unwrap()), "nothing is left mounted");
}
