//! What is refused before anything is touched, and what a full disk does.

use crate::world::World;
use std::process::Command;

#[test]
fn unknown_packages_are_named_with_their_neighbours() {
    let world = World::new();
    world.write("configuration.nix", "{ environment.systemPackages = [ \"htpo\" ]; }");
    let text = world.refused(&["lock"], "NV0401");
    assert!(text.contains("`htop`"), "{text}");
    assert!(!world.folder.path().join("nival.lock").exists());
}

#[test]
fn sites_that_claim_one_name_are_both_marked() {
    let world = World::new();
    let text = "{\n  services.nginx.enable = true;\n  services.nginx.virtualHosts.a.serverName = \"x\";\n  services.nginx.virtualHosts.b.serverName = \"x\";\n}\n";
    world.write("configuration.nix", text);
    let text = world.refused(&["build"], "NV0801");
    assert!(text.contains("`services.nginx.virtualHosts.a` is defined here"), "{text}");
    assert!(text.contains("`services.nginx.virtualHosts.b` is defined here"), "{text}");
}

#[test]
fn without_lock_and_network_the_mirror_is_named() {
    let world = World::new();
    world.write("configuration.nix", "{ }");
    let mut command = world.command(&["lock", "--mirror", "http://127.0.0.1:9/debian"]);
    let data = tempfile::tempdir().expect("a temporary folder");
    let output = command.env("NIVAL_DATA_DIR", data.path()).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("error[NV0"), "{text}");
    assert!(text.contains("127.0.0.1:9"), "{text}");
}

#[test]
fn full_disk_loses_nothing() {
    let world = World::new();
    world.write("configuration.nix", "{ }");
    let data = tempfile::tempdir().expect("a temporary folder");
    let build = |fault: Option<&str>| {
        let mut command: Command = world.command(&["build"]);
        command.env("NIVAL_DATA_DIR", data.path());
        if let Some(fault) = fault {
            command.env("NIVAL_FAULT", fault);
        }
        command.output().expect("runs")
    };
    for point in ["full@1", "full@40", "full@3000"] {
        let output = build(Some(point));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{point}");
        assert!(text.contains("error[NV"), "{point}: {text}");
        assert!(text.contains("o space") || text.contains("full"), "{point}: {text}");
    }
    let output = build(None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut verify = world.command(&["verify"]);
    assert!(verify.env("NIVAL_DATA_DIR", data.path()).output().expect("runs").status.success());
}
