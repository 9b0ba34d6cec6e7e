//! Whole machines, with what a switch does to them. See the module above for what they want.

use crate::fixture::{program, unit};
use nival_os::Manifest;
use nival_os::manifest::{Check, CheckKind, Content, FileDefinition, Preflight};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A machine of the given manifest in a folder of its own; it is stopped and deleted in the end.
struct Running {
    folder: tempfile::TempDir,
    store: PathBuf,
    manifest: Manifest,
}

impl Running {
    fn start(name: &str) -> Option<Self> {
        let (manifest, store) =
            (std::env::var_os("NIVAL_TEST_MANIFEST")?, std::env::var_os("NIVAL_TEST_STORE")?);
        let mut manifest = Manifest::from_json(&fs::read(manifest).unwrap()).unwrap();
        manifest.name = name.to_owned();
        manifest.root.files.insert("/etc/nival-test".into(), file("one"));
        let mut quiet = unit("[Service]\nExecStart=/usr/bin/sleep infinity\nExecReload=/usr/bin/true\n");
        quiet.files = vec!["/etc/nival-test".into()];
        quiet.reload_on = nival_os::manifest::ReloadOn::Reload;
        manifest.units.insert("quiet.service".into(), quiet);
        let running = Self { folder: tempfile::tempdir().unwrap(), store: store.into(), manifest };
        let up = running.with(&running.manifest.clone(), "up", &[]);
        assert!(up.status.success(), "{}", said(&up));
        Some(running)
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.arg(self.folder.path()).args(words).env("NIVAL_STORE", &self.store).output().unwrap()
    }

    fn with(&self, manifest: &Manifest, verb: &str, variables: &[(&str, &str)]) -> Output {
        let file = self.folder.path().join(format!("{verb}.json"));
        fs::write(&file, manifest.to_json()).unwrap();
        let mut command = Command::new(program());
        command.arg(self.folder.path()).arg(verb).arg(&file).env("NIVAL_STORE", &self.store);
        command.envs(variables.iter().copied()).output().unwrap()
    }

    fn inside(&self, script: &str) -> String {
        let output = self.run(&["exec", &self.manifest.name, "sh", "-c", script]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/machines").join(&self.manifest.name).join("state").join(name)
    }

    fn current(&self) -> PathBuf {
        fs::read_link(self.state("current")).unwrap()
    }

    fn stage(&self) -> String {
        let text = fs::read(self.state("switch.json")).unwrap_or_default();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        value["stage"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.run(&["down", &self.manifest.name]);
        self.run(&["delete", &self.manifest.name]);
    }
}

fn file(text: &str) -> FileDefinition {
    FileDefinition {
        content: Content::Text(format!("{text}\n")),
        mode: "0644".into(),
        user: "root".into(),
        group: "root".into(),
        origin: Vec::new(),
        options: Vec::new(),
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The manifest with a file changed and a unit added.
fn changed(manifest: &Manifest, text: &str, script: &str, settle: f64) -> Manifest {
    let mut new = manifest.clone();
    new.root.files.insert("/etc/nival-test".into(), file(text));
    let mut added = unit(&format!("[Service]\nExecStart=/bin/sh -c '{script}'\n"));
    added.settle_seconds = Some(settle);
    new.units.insert("added.service".into(), added);
    new
}

#[test]
fn a_switch_does_what_its_plan_says_and_is_taken_back_by_a_rollback() {
    let Some(machine) = Running::start("it-switch") else { return };
    let pid = machine.inside("systemctl show --value -p MainPID quiet.service");
    let new = changed(&machine.manifest, "two", "sleep infinity", 0.2);
    let plan = String::from_utf8(machine.with(&new, "plan", &[]).stdout).unwrap();
    assert!(
        plan.contains("reload      quiet.service") && plan.contains("start       added.service"),
        "{plan}"
    );
    let start = Instant::now();
    let switched = machine.with(&new, "switch", &[]);
    assert!(switched.status.success(), "{}", said(&switched));
    println!("switch: {:?}", start.elapsed());
    assert_eq!(machine.inside("cat /etc/nival-test; systemctl is-active added"), "two\nactive");
    assert_eq!(
        machine.inside("systemctl show --value -p MainPID quiet.service"),
        pid,
        "it was reloaded, not restarted"
    );
    let journal = machine.inside("journalctl --sync; journalctl -t systemd -o cat --no-pager | tail -40");
    assert!(
        journal.contains("Reloaded quiet.service") && journal.contains("Started added.service"),
        "{journal}"
    );
    assert!(machine.run(&["rollback", "it-switch"]).status.success());
    assert_eq!(machine.inside("cat /etc/nival-test; systemctl is-active added"), "one\ninactive");
}

#[test]
fn preflight_refuses_before_anything_changes() {
    let Some(machine) = Running::start("it-preflight") else { return };
    let before = machine.current();
    let mut new = changed(&machine.manifest, "two", "sleep infinity", 0.2);
    let words = ["/bin/sh", "-c", "cat /etc/nival-test; exit 3"].map(str::to_owned).to_vec();
    new.preflight.push(Preflight {
        name: "look".into(),
        unit: String::new(),
        command: words,
        origin: Vec::new(),
    });
    let output = machine.with(&new, "switch", &[]);
    assert!(!output.status.success() && said(&output).starts_with("error[NV0615]"), "{}", said(&output));
    assert!(said(&output).contains("two"), "the preflight sees the new root: {}", said(&output));
    assert_eq!((machine.current(), machine.inside("cat /etc/nival-test")), (before, "one".to_owned()));
}

#[test]
fn a_service_that_dies_takes_the_switch_back() {
    let Some(machine) = Running::start("it-dies") else { return };
    let before = machine.current();
    let output = machine.with(
        &changed(&machine.manifest, "two", "sleep 3; echo farewell; exit 3", 5.0),
        "switch",
        &[],
    );
    let said = said(&output);
    assert!(
        !output.status.success() && said.starts_with("error[NV0614]") && said.contains("farewell"),
        "{said}"
    );
    assert_eq!((machine.current(), machine.inside("cat /etc/nival-test")), (before, "one".to_owned()));
    assert_eq!(machine.inside("systemctl is-system-running"), "running");
}

#[test]
fn a_check_that_fails_is_named() {
    let Some(machine) = Running::start("it-check") else { return };
    let mut new = changed(&machine.manifest, "two", "sleep infinity", 0.2);
    let kind = CheckKind::Command(vec!["/bin/sh".into(), "-c".into(), "echo no thanks >&2; exit 9".into()]);
    let check = Check {
        name: "grumpy".into(),
        unit: "added.service".into(),
        kind,
        timeout_seconds: 1.0,
        grace_seconds: 0.5,
        origin: Vec::new(),
    };
    new.checks.push(check);
    let output = machine.with(&new, "switch", &[]);
    assert!(
        said(&output).contains("`grumpy` failed") && said(&output).contains("no thanks"),
        "{}",
        said(&output)
    );
    assert_eq!(machine.inside("cat /etc/nival-test"), "one");
    assert!(machine.run(&["down", "it-check"]).status.success());
    let output = machine.with(&new, "up", &[]);
    assert!(said(&output).starts_with("error[NV0613]"), "{}", said(&output));
}

#[test]
fn a_killed_supervisor_leaves_its_machine_to_the_next_one() {
    let Some(machine) = Running::start("it-killed") else { return };
    let supervisor = || {
        let status: serde_json::Value =
            serde_json::from_slice(&machine.run(&["status", "it-killed"]).stdout).unwrap();
        i32::try_from(status["supervisor"].as_i64().unwrap()).unwrap()
    };
    let (first, boot) = (supervisor(), machine.inside("cat /proc/1/stat | cut -d' ' -f22"));
    nival_sys::process::signal(first, libc::SIGKILL).unwrap();
    assert_ne!(supervisor(), first, "the next one answers");
    assert_eq!(machine.inside("cat /proc/1/stat | cut -d' ' -f22"), boot, "process 1 is the same");
    let up = machine.with(&machine.manifest.clone(), "up", &[]);
    assert!(said(&up).starts_with("error[NV0609]"), "{}", said(&up));
}

#[test]
fn a_second_switch_is_refused() {
    let Some(machine) = Running::start("it-second") else { return };
    let slow = changed(&machine.manifest, "two", "sleep infinity", 3.0);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| machine.with(&slow, "switch", &[]));
        let end = Instant::now() + Duration::from_secs(10);
        while machine.stage() != "checking" && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = machine.run(&["rollback", "it-second", "1"]);
        assert!(said(&output).starts_with("error[NV0618]"), "{}", said(&output));
        assert!(first.join().unwrap().status.success());
    });
}

/// Stops the executor at its points, one after the other: each time the machine is wholly old or wholly new.
#[test]
fn a_killed_executor_takes_the_switch_back() {
    let Some(machine) = Running::start("it-faults") else { return };
    let every: usize = std::env::var("NIVAL_TEST_EVERY").ok().and_then(|n| n.parse().ok()).unwrap_or(7);
    let new = changed(&machine.manifest, "two", "sleep infinity", 0.1);
    fault(&machine, "count");
    assert!(machine.with(&new, "switch", &[]).status.success());
    let log = machine.inside("cat /run/nival/points");
    let process = log.split_whitespace().nth(1).unwrap().to_owned();
    let points = log.lines().filter(|line| line.split_whitespace().nth(1) == Some(&process)).count();
    let (mut old, mut committed) = (0, 0);
    for point in (1..=points).step_by(every) {
        fault(&machine, "");
        let back = machine.with(&machine.manifest.clone(), "switch", &[]);
        assert!(back.status.success(), "the next command works: {}", said(&back));
        machine.inside(FORGET);
        fault(&machine, &format!("stop@{point}"));
        let start = Instant::now();
        machine.with(&new, "switch", &[]);
        assert!(start.elapsed() < Duration::from_secs(10), "point {point}: {:?}", start.elapsed());
        let shown = machine
            .inside("cat /etc/nival-test; systemctl is-active added; grep -c ' /system ' /proc/1/mountinfo");
        let wanted = if machine.stage() == "committed" { "two\nactive\n1" } else { "one\ninactive\n1" };
        assert_eq!(shown, wanted, "point {point} of {points}, {}", machine.stage());
        if wanted.starts_with("two") { committed += 1 } else { old += 1 }
    }
    println!("executor stopped at {} of {points} points: {old} old, {committed} new", old + committed);
}

/// The executor's last events cannot be written: the client goes by the journal instead of waiting for ever.
#[test]
fn a_lost_event_holds_no_client() {
    let Some(machine) = Running::start("it-lost") else { return };
    let new = changed(&machine.manifest, "two", "sleep infinity", 0.1);
    fault(&machine, "count");
    assert!(machine.with(&new, "switch", &[]).status.success());
    let log = machine.inside("cat /run/nival/points");
    let process = log.split_whitespace().nth(1).unwrap().to_owned();
    let points = log.lines().filter(|line| line.split_whitespace().nth(1) == Some(&process)).count();
    for point in points - 3..=points {
        fault(&machine, "");
        assert!(machine.with(&machine.manifest.clone(), "switch", &[]).status.success());
        machine.inside(FORGET);
        fault(&machine, &format!("fail@{point}"));
        let start = Instant::now();
        machine.with(&new, "switch", &[]);
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "point {point} of {points}: {:?}",
            start.elapsed()
        );
    }
}

/// Removes all layers but the one that is shown, so that composing is interrupted too.
const FORGET: &str =
    "cd /var/lib/nival/layers && for one in *; do [ $one = $(cat /system/.nival) ] || rm -rf $one; done";

/// Lets the next executor have a fault; an empty text lets none have one.
fn fault(machine: &Running, fault: &str) {
    let lines = if fault.is_empty() {
        String::new()
    } else {
        format!(
            "NIVAL_FAULT={fault}\\nNIVAL_FAULT_ONCE=/run/nival/once\\nNIVAL_FAULT_LOG=/run/nival/points\\n"
        )
    };
    machine.inside(&format!(
        "rm -f /run/nival/once /run/nival/points; printf '{lines}' > /run/nival/switch.env"
    ));
    assert!(Path::new(&program()).exists());
}
