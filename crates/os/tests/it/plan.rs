//! What a switch does, and why.

use crate::fixture::{World, manifest, unit};
use nival_os::Manifest;
use nival_os::manifest::{Content, Definition, FileDefinition, Origin, ReloadOn};
use nival_os::plan::{Action, Plan, Snapshot, What, plan};

fn file(text: &str) -> FileDefinition {
    FileDefinition {
        content: Content::Text(text.to_owned()),
        mode: "0644".to_owned(),
        user: "root".to_owned(),
        group: "root".to_owned(),
        origin: Vec::new(),
        options: vec!["services.nginx".to_owned()],
    }
}

fn web(world: &World) -> Manifest {
    let mut package = world.package(
        "nginx",
        &[("usr/lib/systemd/system/nginx.service", "[Service]\nExecStart=/n\n")],
        "{}",
    );
    package.depends.push("libc6".to_owned());
    let libc = world.package("libc6", &[("usr/lib/libc.so", "c")], "{}");
    let mut manifest = manifest(vec![package, libc]);
    let mut nginx = unit("");
    nginx.text = None;
    nginx.reload_on = ReloadOn::Reload;
    nginx.files = vec!["/etc/nginx/".to_owned()];
    nginx.options = vec!["services.nginx".to_owned()];
    manifest.units.insert("nginx.service".into(), nginx);
    manifest.units.insert("own.service".into(), unit("[Service]\nExecStart=/x\n"));
    manifest.root.files.insert("/etc/nginx/nginx.conf".into(), file("a"));
    manifest.definitions.insert("services.nginx.virtualHosts.a.root".into(), definition("/a", 3));
    manifest.definitions.insert("services.nginxish.x".into(), definition("no", 9));
    manifest
}

fn definition(value: &str, line: u32) -> Definition {
    let origin = Origin { file: "machine.nix".into(), line, column: 5, option: None };
    Definition { value: value.into(), origin: vec![origin] }
}

fn between(world: &World, old: &Manifest, new: &Manifest) -> Plan {
    plan(&Snapshot::new(&world.store(), old.clone()), &Snapshot::new(&world.store(), new.clone()))
}

fn steps(plan: &Plan) -> Vec<(&str, Action)> {
    plan.steps.iter().map(|step| (step.unit.as_str(), step.action)).collect()
}

#[test]
fn nothing_changes_between_equals() {
    let world = World::new();
    let manifest = web(&world);
    let plan = between(&world, &manifest, &manifest);
    assert!(plan.is_empty() && plan.text() == "nothing changes\n");
}

#[test]
fn a_changed_file_reloads_its_unit_and_names_the_line() {
    let world = World::new();
    let old = web(&world);
    let mut new = old.clone();
    new.root.files.insert("/etc/nginx/nginx.conf".into(), file("b"));
    new.definitions.insert("services.nginx.virtualHosts.a.root".into(), definition("/b", 4));
    new.definitions.insert("services.nginxish.x".into(), definition("yes", 9));
    let plan = between(&world, &old, &new);
    assert_eq!(steps(&plan), [("nginx.service", Action::Reload)]);
    let cause = &plan.steps[0].causes[0];
    assert_eq!(cause.what, What::File("/etc/nginx/nginx.conf".into()));
    assert_eq!(cause.definitions.len(), 1);
    assert!(
        plan.text().contains("machine.nix:4:5  services.nginx.virtualHosts.a.root: \"/a\" -> \"/b\""),
        "{}",
        plan.text()
    );
}

#[test]
fn a_unit_with_its_own_view_is_restarted_instead() {
    let world = World::new();
    let mut old = web(&world);
    old.units.get_mut("nginx.service").unwrap().overrides = Some("[Service]\nPrivateTmp=yes\n".into());
    let mut new = old.clone();
    new.root.files.insert("/etc/nginx/nginx.conf".into(), file("b"));
    let plan = between(&world, &old, &new);
    assert_eq!(steps(&plan), [("nginx.service", Action::Restart)]);
    assert!(plan.steps[0].causes.iter().any(|cause| cause.what == What::OwnView("PrivateTmp".into())));
}

#[test]
fn a_changed_package_restarts_all_that_need_it() {
    let world = World::new();
    let old = web(&world);
    let mut new = old.clone();
    let libc = new.root.packages.iter_mut().find(|package| package.name == "libc6").unwrap();
    libc.version = "2".into();
    libc.path = "/nix/store/99999999999999999999999999999999-libc6-2".into();
    let plan = between(&world, &old, &new);
    assert_eq!(steps(&plan), [("nginx.service", Action::Restart)]);
    assert!(plan.text().contains("package libc6 1 -> 2"), "{}", plan.text());
}

#[test]
fn the_package_of_the_program_counts_where_another_one_brings_the_unit() {
    let world = World::new();
    let mut old = web(&world);
    let program = world.package("nginx-program", &[("usr/sbin/n", "n")], "{}");
    old.root.packages.push(program);
    old.units.insert("own.service".into(), unit("[Service]\nExecStart=-/sbin/n -g x\n"));
    let mut new = old.clone();
    let again = world.package("nginx-program-again", &[("usr/sbin/n", "other")], "{}");
    let place = new.root.packages.iter_mut().find(|package| package.name == "nginx-program").unwrap();
    place.path = again.path;
    assert_eq!(steps(&between(&world, &old, &new)), [("own.service", Action::Restart)]);
}

#[test]
fn units_come_and_go_and_followers_follow() {
    let world = World::new();
    let mut old = web(&world);
    old.units
        .insert("follower.service".into(), unit("[Unit]\nRequires=own.service\n[Service]\nExecStart=/f\n"));
    let mut new = old.clone();
    new.units.remove("nginx.service");
    new.units.insert("new.service".into(), unit("[Service]\nExecStart=/n\n"));
    new.units.insert("own.service".into(), unit("[Service]\nExecStart=/y\n"));
    let plan = between(&world, &old, &new);
    let wanted = [
        ("nginx.service", Action::Stop),
        ("follower.service", Action::Restart),
        ("own.service", Action::Restart),
        ("new.service", Action::Start),
    ];
    assert_eq!(steps(&plan), wanted);
}

#[test]
fn what_ends_by_itself_waits_for_its_next_start() {
    let world = World::new();
    let mut old = web(&world);
    old.units.insert("job.service".into(), unit("[Service]\nType=oneshot\nExecStart=/a\n"));
    let mut new = old.clone();
    new.units
        .insert("job.service".into(), unit("[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/a\n"));
    assert!(between(&world, &old, &new).steps.is_empty(), "a description means nothing for a running unit");
    new.units.insert("job.service".into(), unit("[Service]\nType=oneshot\nExecStart=/b\n"));
    assert_eq!(steps(&between(&world, &old, &new)), [("job.service", Action::Later)]);
}

#[test]
fn a_plan_survives_json() {
    let world = World::new();
    let old = web(&world);
    let mut new = old.clone();
    new.root.files.insert("/etc/nginx/nginx.conf".into(), file("b"));
    let plan = between(&world, &old, &new);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
