//! Processes that hold a machine are killed: it comes back by itself, and `down` still ends everything.

use crate::machines::{link, remains};
use crate::world::{World, eventually, get};

/// The processes of this program that were started as `internal WORD` for the machines of the tests.
fn processes(word: &str) -> Vec<i32> {
    let data = World::data().to_string_lossy().into_owned();
    let folders = std::fs::read_dir("/proc").expect("proc").flatten();
    let numbers = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let ours = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> =
            line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        words.get(1).is_some_and(|word| word == "internal")
            && words.get(2).is_some_and(|second| second == word)
            && String::from_utf8_lossy(&environment).contains(&data)
    };
    numbers.filter(ours).collect()
}

pub fn kill(words: &[&str]) {
    let found: Vec<i32> = words.iter().flat_map(|word| processes(word)).collect();
    assert!(!found.is_empty(), "there is a process `{}`", words.join("` or `"));
    for pid in found {
        let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

const SUPERVISOR: [&str; 2] = ["supervisor", "adopt"];

/// When the machine's process 1 was started; one that is just being started again is waited for.
fn boot(world: &World) -> String {
    let words = ["shell", "killed", "--", "stat", "-c", "%Z %i", "/proc/1/ns/pid"];
    eventually("a machine to enter", 10, || world.run(&words).code == 0);
    world.fine(&words)
}

#[test]
fn a_machine_outlives_whoever_holds_it() {
    let world = World::of(&["killed"]);
    world.write(
        "killed/configuration.nix",
        "{ services.nginx.enable = true; services.nginx.virtualHosts.site = { default = true; locations.\"/\".return = \"200 here\"; }; }",
    );
    world.fine(&["up", "--detach", "killed"]);
    let port = world.port("killed", 80);
    let answers = || get(port, "site").is_some_and(|page| page.contains("here"));
    let before = boot(&world);
    for _ in 0..2 {
        kill(&SUPERVISOR);
        eventually("the page", 10, &answers);
        assert_eq!(boot(&world), before, "its services noticed nothing");
    }
    kill(&["machine"]);
    eventually("the page", 10, &answers);
    assert_ne!(boot(&world), before, "it was started again");
    // The web server may answer before systemd can be asked.
    let asked = ["shell", "killed", "--", "systemctl", "is-active", "dbus.service"];
    eventually("systemd to be asked", 10, || world.run(&asked).code == 0);
    world.fine(&["shell", "killed", "--", "systemctl", "reboot"]);
    eventually("the page", 10, &answers);

    let link = link(&world, "killed");
    let mut down = world.command(&["down", "killed"]).spawn().expect("starts");
    std::thread::sleep(std::time::Duration::from_millis(30));
    kill(&SUPERVISOR);
    assert!(down.wait().expect("ends").success(), "its successor goes on stopping it");
    assert_eq!(remains("killed", link.as_deref()), Vec::<String>::new());
}

#[test]
fn a_machine_that_keeps_crashing_is_left_alone() {
    let world = World::of(&["killed"]);
    world.write("killed/configuration.nix", "{ }");
    world.fine(&["up", "--detach", "killed"]);
    let phase = |phase: &str| world.run(&["status", "killed"]).out.contains(phase);
    for _ in 0..30 {
        if phase("down") {
            break;
        }
        if !processes("machine").is_empty() {
            kill(&["machine"]);
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert!(phase("NV0626"), "{}", world.run(&["status", "killed"]).out);
    assert!(world.run(&["logs", "killed", "-n", "1"]).err.contains("NV0626"));
    assert_eq!(remains("killed", None), Vec::<String>::new());
    world.fine(&["up", "--detach", "killed"]);
    assert!(!phase("NV0626"));
}
