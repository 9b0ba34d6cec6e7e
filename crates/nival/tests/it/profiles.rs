//! Profiles: what is installed, removed, rolled back.

use crate::world::World;
use serde_json::Value as Json;

/// A world with two packages in the store, and the words that name its profile.
fn world() -> (World, [String; 2]) {
    let world = World::new();
    world.write("one/bin/tool", "one");
    world.write("two/bin/tool", "two");
    world.write("two/share/doc", "doc");
    let paths =
        ["one", "two"].map(|name| world.fine(&["store", "add", name, "--name", &format!("{name}-1.0")]));
    (world, paths)
}

fn link(world: &World) -> String {
    world.folder.path().join("profiles/own").display().to_string()
}

fn names(world: &World) -> Vec<String> {
    let listed = world.fine(&["--json", "profile", "list", "--profile", &link(world)]);
    let listed: Json = serde_json::from_str(&listed).expect("JSON");
    listed["elements"].as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn profiles_are_changed_and_rolled_back() {
    let (world, [one, two]) = world();
    let link = link(&world);
    let profile = ["--profile", link.as_str()];
    let run = |words: &[&str]| world.fine(&[&["profile"], words, &profile].concat());
    run(&["add", &one]);
    assert_eq!(names(&world), ["one"]);
    run(&["add", &two, "--priority", "4"]);
    assert_eq!(names(&world), ["one", "two"]);
    let target = std::fs::read_link(
        std::fs::canonicalize(world.folder.path().join("profiles")).expect("there").join("own"),
    );
    assert_eq!(target.expect("a link").to_str(), Some("own-2-link"));
    let environment = std::fs::read_link(format!("{link}-2-link")).expect("a link").display().to_string();
    let listed = world.fine(&["store", "ls", "-lR", &environment]);
    assert!(
        listed.contains(&format!("./bin -> {two}/bin"))
            || listed.contains(&format!("tool -> {two}/bin/tool")),
        "{listed}"
    );
    let history = run(&["history"]);
    assert!(history.contains("two: ∅ -> 1.0") && history.contains("Version 2"), "{history}");
    run(&["remove", "one"]);
    assert_eq!(names(&world), ["two"]);
    run(&["rollback"]);
    assert_eq!(names(&world), ["one", "two"]);
    run(&["rollback", "--to", "3"]);
    assert_eq!(names(&world), ["two"]);
    world.refused(&[&["profile", "rollback", "--to", "9"], &profile[..]].concat(), "NV0844");
    world.refused(&[&["profile", "remove"], &profile[..]].concat(), "NV0844");
    run(&["wipe-history"]);
    let history = run(&["history"]);
    assert_eq!(history.matches("Version").count(), 1, "{history}");
}

#[test]
fn clashes_in_a_profile_are_told() {
    let (world, [one, two]) = world();
    let link = link(&world);
    world.fine(&["profile", "add", &one, "--profile", &link]);
    let said = world.refused(&["profile", "add", &two, "--profile", &link], "NV0842");
    assert!(said.contains(&one) && said.contains(&two), "{said}");
    assert_eq!(names(&world), ["one"]);
}

#[test]
fn broken_profile_is_said() {
    let (world, _) = world();
    world.write("broken/manifest.json", "{ \"version\": 77 }");
    let path = world.fine(&["store", "add", "broken"]);
    let link = link(&world);
    std::fs::create_dir_all(world.folder.path().join("profiles")).expect("made");
    std::os::unix::fs::symlink(&path, &link).expect("made");
    world.refused(&["profile", "list", "--profile", &link], "NV0843");
}
