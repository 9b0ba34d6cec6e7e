//! Interruptions: the command is stopped at points where it changes something; a running machine is wholly the old or
//! the new generation, and the next command works. `NIVAL_TORTURE=SEED` tries every point and random moments.

use crate::world::{World, eventually, get};
use std::process::Stdio;
use std::time::Duration;

/// Points of a command's run: all of them under torture, else a few that are spread evenly.
fn points(count: u64, sample: u64) -> Vec<u64> {
    if std::env::var_os("NIVAL_TORTURE").is_some() || count <= sample {
        return (1..=count).collect();
    }
    (0..sample).map(|n| 1 + n * (count - 1) / (sample - 1)).collect()
}

/// How many points a command passes.
fn count(world: &World, words: &[&str]) -> u64 {
    let log = world.folder.path().join("points");
    let _ = std::fs::remove_file(&log);
    let output =
        world.command(words).env("NIVAL_FAULT", "count").env("NIVAL_FAULT_LOG", &log).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).max().unwrap_or(0)
}

fn site(text: &str) -> String {
    format!(
        "{{ services.nginx.enable = true; services.nginx.virtualHosts.site = {{ default = true; locations.\"/\".return = \"200 {text}\"; }}; }}"
    )
}

#[test]
fn interrupted_switches_end_in_the_old_or_the_new_generation() {
    let world = World::of(&["broken"]);
    world.write("broken/configuration.nix", &site("page-0"));
    world.fine(&["up", "--detach", "broken"]);
    let port = world.port("broken", 80);
    world.write("broken/configuration.nix", &site("page-1"));
    let passed = count(&world, &["switch", "broken"]);
    println!("a switch passes {passed} points");
    assert!(passed > 3, "only {passed} points");
    let (mut now, mut wholly) = (1, (0, 0));
    for point in points(passed, 6) {
        let next = now + 1;
        world.write("broken/configuration.nix", &site(&format!("page-{next}")));
        let _ = world.command(&["switch", "broken"]).env("NIVAL_FAULT", format!("stop@{point}")).output();
        let (old, new) = (format!("page-{now}"), format!("page-{next}"));
        eventually("an answer of one generation", 10, || {
            get(port, "site").is_some_and(|page| page.contains(&old) || page.contains(&new))
        });
        if get(port, "site").is_some_and(|page| page.contains(&new)) {
            wholly.1 += 1
        } else {
            wholly.0 += 1
        }
        eventually("the next switch works", 30, || world.run(&["switch", "broken"]).code == 0);
        assert!(get(port, "site").is_some_and(|page| page.contains(&new)), "point {point}");
        now = next;
    }
    println!("after the interruption {} were old, {} new", wholly.0, wholly.1);
}

#[test]
fn killed_switches_end_in_the_old_or_the_new_generation() {
    let world = World::of(&["killed"]);
    world.write("killed/configuration.nix", &site("page-0"));
    world.fine(&["up", "--detach", "killed"]);
    let port = world.port("killed", 80);
    let tries = if std::env::var_os("NIVAL_TORTURE").is_some() { 50 } else { 4 };
    for turn in 1..=tries {
        world.write("killed/configuration.nix", &site(&format!("page-{turn}")));
        let mut command = world.command(&["switch", "killed"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(turn * 37 % 1200));
        let _ = child.kill();
        let _ = child.wait();
        let (old, new) = (format!("page-{}", turn - 1), format!("page-{turn}"));
        eventually("an answer of one generation", 10, || {
            get(port, "site").is_some_and(|page| page.contains(&old) || page.contains(&new))
        });
        eventually("the next switch works", 30, || world.run(&["switch", "killed"]).code == 0);
        assert!(get(port, "site").is_some_and(|page| page.contains(&new)), "turn {turn}");
    }
}

#[test]
fn interrupted_builds_leave_a_store_that_is_whole() {
    let world = World::new();
    world.write("configuration.nix", "{ }");
    let data = tempfile::tempdir().expect("a temporary folder");
    for point in [1, 12, 200, 4000, 9000] {
        let mut command = world.command(&["build"]);
        let output =
            command.env("NIVAL_DATA_DIR", data.path()).env("NIVAL_FAULT", format!("stop@{point}")).output();
        assert!(!output.expect("runs").status.success(), "point {point} is passed by a build");
    }
    for words in [["build"], ["verify"]] {
        let output = world.command(&words).env("NIVAL_DATA_DIR", data.path()).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let staging = data.path().join("store/nix/var/nix/staging");
    assert_eq!(staging.read_dir().expect("there").count(), 0, "nothing unfinished is left");
}

#[test]
fn ctrl_c_in_a_download_or_an_unpacking_breaks_nothing() {
    let world = World::new();
    world.write("configuration.nix", "{ }");
    // While indices come, while packages come, and while they are unpacked: each is told by what lies on the disk, each in a
    // folder of its own, so that nothing of an earlier one is taken for it.
    let moments = [
        ("indices", "cache/indices", 0),
        ("packages", "cache/packages", 3),
        ("unpacking", "store/nix/var/nix/staging", 0),
    ];
    for (what, folder, most) in moments {
        let data = tempfile::tempdir().expect("a temporary folder");
        let entries = |folder: &str| data.path().join(folder).read_dir().map_or(0, Iterator::count);
        let mut command = world.command(&["build"]);
        command.env("NIVAL_DATA_DIR", data.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().expect("starts");
        eventually(what, 60, || entries(folder) > most);
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
        let output = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{what}: it was fast");
        assert!(said.contains("error[NV0706]") || said.contains("error[NV0525]"), "{what}: {said}");
        for words in [["build"], ["verify"]] {
            let output = world.command(&words).env("NIVAL_DATA_DIR", data.path()).output().expect("runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(entries("store/nix/var/nix/staging"), 0, "nothing unfinished is left");
    }
}
