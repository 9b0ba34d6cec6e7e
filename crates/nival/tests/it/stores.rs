//! Stores, caches and single paths from the command line.

use crate::world::World;
use serde_json::Value as Json;

/// A world with a file and a tree in the store; the tree's path.
fn with_tree() -> (World, String) {
    let world = World::new();
    world.write("tree/bin/run", "#!/bin/sh\n");
    world.write("tree/data", "some data");
    let path = world.fine(&["store", "add", "tree", "--name", "a-tree-1.0"]);
    (world, path)
}

#[test]
fn paths_go_to_a_cache_and_back() {
    let (world, path) = with_tree();
    let folder = world.folder.path().display().to_string();
    world.write("secret", &world.fine(&["key", "generate", "cache-1"]));
    let secret = std::fs::read_to_string(world.folder.path().join("secret")).expect("written");
    let mut convert = world.command(&["key", "convert"]);
    let file = std::fs::File::open(world.folder.path().join("secret")).expect("written");
    let public = convert.stdin(file).output().expect("it starts").stdout;
    let public = String::from_utf8(public).expect("text");
    assert!(public.starts_with("cache-1:") && secret.starts_with("cache-1:"));
    let cache = format!("file://{folder}/cache?secret-key={folder}/secret&compression=zstd");
    world.fine(&["copy", "--to", &cache, &path]);
    let read = format!("file://{folder}/cache");
    let info: Json =
        serde_json::from_str(&world.fine(&["--store", &read, "--json", "path-info", &path])).expect("JSON");
    assert_eq!(info[&path]["compression"], "zstd");
    // Other tests sign the same path with other keys.
    assert!(info[&path]["signatures"].to_string().contains("cache-1:"), "{info}");
    let other = format!("{folder}/other");
    world.fine(&["copy", "--from", &read, "--to", &other, &path, "--trusted-public-keys", &public]);
    assert_eq!(world.fine(&["--store", &other, "path-info", &path]), path);
    assert_eq!(world.fine(&["--store", &other, "store", "cat", &format!("{path}/data")]), "some data");
    world.refused(&["copy", "--from", "file:///nowhere-at-all", &path], "NV0541");
    world.refused(&["copy", "--to", "gopher://x", &path], "NV0546");
}

#[test]
fn signatures_are_added() {
    let (world, path) = with_tree();
    world.write("secret", &world.fine(&["key", "generate", "own-1"]));
    world.fine(&["store", "sign", "--key-file", "secret", &path]);
    let shown = world.fine(&["path-info", "--sigs", &path]);
    assert!(shown.contains("ca:fixed:r:sha256:") && shown.contains("own-1:"), "{shown}");
    world.write("broken", "own-1:AAAA");
    world.refused(&["store", "sign", "--key-file", "broken", &path], "NV0545");
}

#[test]
fn contents_are_looked_at_without_unpacking() {
    let (world, path) = with_tree();
    let listed = world.fine(&["store", "ls", "-R", &path]);
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["./bin", "./bin/run", "./data"]);
    let nar = world.command(&["store", "dump-path", &path]).output().expect("it starts").stdout;
    std::fs::write(world.folder.path().join("x.nar"), nar).expect("written");
    assert_eq!(world.fine(&["nar", "ls", "-R", "x.nar"]), listed);
    assert_eq!(world.fine(&["nar", "cat", "x.nar", "/data"]), "some data");
    let json: Json = serde_json::from_str(&world.fine(&["--json", "store", "ls", &path])).expect("JSON");
    assert_eq!(json, serde_json::json!({ "type": "directory", "entries": { "bin": {}, "data": {} } }));
    world.refused(&["nar", "cat", "x.nar", "/bin"], "NV0841");
    world.refused(&["store", "ls", &format!("{path}/nothing")], "NV0841");
}

#[test]
fn hashes_are_converted() {
    let world = World::new();
    world.write("abc", "abc");
    let sri = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    assert_eq!(world.fine(&["hash", "file", "abc"]), sri);
    let nix32 = "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s";
    assert_eq!(world.fine(&["hash", "convert", "--to", "nix32", sri]), nix32);
    assert_eq!(world.fine(&["hash", "convert", "--hash-algo", "sha256", nix32]), sri);
    world.refused(&["hash", "convert", nix32], "NV0845");
    let said = world.refused(&["hash", "convert", "--from", "base16", sri], "NV0845");
    assert!(said.contains("has format 'sri', but '--from base16'"), "{said}");
}

#[test]
fn changes_between_paths_are_told() {
    let (world, path) = with_tree();
    world.write("tree/more", &"x".repeat(20_000));
    let newer = world.fine(&["store", "add", "tree", "--name", "a-tree-1.1"]);
    let said = world.fine(&["store", "diff-closures", &path, &newer]);
    assert_eq!(said, "a-tree: 1.0 → 1.1, +19.7 KiB");
}

#[test]
fn files_are_downloaded_into_the_store() {
    let world = World::new();
    world.write("thing", "abc");
    let address = format!("file://{}/thing", world.folder.path().display());
    let said: Json =
        serde_json::from_str(&world.fine(&["--json", "store", "prefetch-file", &address])).expect("JSON");
    let hash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    assert_eq!(said["hash"], hash);
    let path = said["storePath"].as_str().expect("a path");
    assert_eq!(world.fine(&["store", "cat", path]), "abc");
    let wrong = hash.replace("ungW", "AAAA");
    world.refused(&["store", "prefetch-file", "--expected-hash", &wrong, &address], "NV0845");
}

#[test]
fn paths_get_names_of_their_contents() {
    let (world, path) = with_tree();
    let said: Json = serde_json::from_str(&world.fine(&["--json", "store", "make-content-addressed", &path]))
        .expect("JSON");
    // It was added by its contents, so it keeps its name.
    assert_eq!(said["rewrites"][&path], path.as_str());
}

#[test]
fn what_a_cache_has_lost_is_built() {
    let world = World::new();
    let expression = r#"derivation {
        name = "lost"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo built > $out" ];
    }"#;
    let host = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];
    let build = ["build", "--no-link", "-E", expression];
    let path = world.fine(&[&build[..], &host].concat());
    let cache = format!("file://{}/cache", world.folder.path().display());
    world.fine(&["copy", "--to", &cache, &path]);
    let other = world.folder.path().join("other").display().to_string();
    let from =
        ["--data-dir", &other, "--option", "substituters", &cache, "--option", "require-sigs", "false"];
    let words = [&build[..], &host, &from].concat();
    std::fs::rename(world.folder.path().join("cache/nar"), world.folder.path().join("cache/lost"))
        .expect("moved");
    let said = world.run(&words);
    assert_eq!((said.code, said.out.trim()), (0, path.as_str()), "{}", said.err);
    assert!(said.err.contains("does not exist in binary cache"), "{}", said.err);
    assert_eq!(world.fine(&["--data-dir", &other, "store", "cat", &path]), "built");
    world.fine(&["--data-dir", &other, "store", "delete", &path]);
    std::fs::rename(world.folder.path().join("cache/lost"), world.folder.path().join("cache/nar"))
        .expect("moved");
    let said = world.run(&words);
    assert_eq!((said.code, said.out.trim()), (0, path.as_str()), "{}", said.err);
    assert!(!said.err.contains("will be built"), "{}", said.err);
}

#[test]
fn what_a_cache_lacks_of_a_closure_is_built() {
    let world = World::new();
    let expression = r#"let
        shell = name: script: derivation {
            inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ];
        };
        lacking = shell "lacking" "echo lacking > $out";
    in shell "whole" "echo ${lacking} ${shell "kept" "echo kept > $out"} > $out""#;
    let host = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];
    let build = ["build", "--no-link", "-E", expression];
    let path = world.fine(&[&build[..], &host].concat());
    let cache = world.folder.path().join("cache");
    let address = format!("file://{}", cache.display());
    world.fine(&["copy", "--to", &address, &path]);
    for entry in cache.read_dir().expect("a folder").flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if text.lines().any(|line| line.starts_with("StorePath: ") && line.ends_with("-lacking")) {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    let other = world.folder.path().join("other").display().to_string();
    let from =
        ["--data-dir", &other, "--option", "substituters", &address, "--option", "require-sigs", "false"];
    let said = world.run(&[&build[..], &host, &from].concat());
    assert_eq!((said.code, said.out.trim()), (0, path.as_str()), "{}", said.err);
    let (plan, done) = said.err.split_once("building ").expect("something is built");
    assert!(plan.contains("don't know how to build") && plan.contains("1 paths will be fetched"), "{plan}");
    assert!(done.contains("lacking") && done.contains("building whole"), "{done}");
    assert!(said.err.contains("-kept' from") && !done.contains("building kept"), "{}", said.err);
}

#[test]
fn paths_of_any_store_are_verified() {
    let (world, path) = with_tree();
    let cache = world.folder.path().join("cache");
    let address = format!("file://{}", cache.display());
    world.fine(&["copy", "--to", &address, &path]);
    world.fine(&["store", "verify", &path]);
    world.fine(&["store", "verify", "--all", "--store", &address, "--no-trust"]);
    let archive = cache.join("nar").read_dir().expect("a folder").flatten().next().expect("an archive");
    std::fs::write(archive.path(), "").expect("emptied");
    let said = world.run(&["store", "verify", "--all", "--store", &address, "--no-trust"]);
    assert_eq!(said.code, 4, "{}", said.err);
    let built = world.fine(&[
        "build",
        "--no-link",
        "-E",
        r#"derivation { name = "own"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }"#,
        "--option",
        "sandbox-paths",
        "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?",
    ]);
    world.fine(&["store", "verify", &built]);
    assert_eq!(world.run(&["store", "verify", &built, "--sigs-needed", "1"]).code, 2);
}

#[test]
fn closures_are_fetched_from_caches() {
    let world = World::new();
    let at = |name: &str| world.folder.path().join(name).display().to_string();
    let (plain, host) =
        (at("plain"), ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"]);
    let expression = r#"derivation {
        name = "named"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo $out > $out" ];
    }"#;
    let path =
        world.fine(&[&["--data-dir", &plain, "build", "--no-link", "-E", expression][..], &host].concat());
    let cache = format!("file://{}", at("cache"));
    world.fine(&["--data-dir", &plain, "copy", "--to", &cache, &path]);
    let fetch = |more: &str| {
        let text = format!("builtins.fetchClosure {{ fromStore = \"{cache}\"; fromPath = {path}; {more} }}");
        let words =
            ["--data-dir", &at("other"), "eval", "--raw", "--extra-experimental-features", "fetch-closure"];
        let words = [&words[..], &["--option", "require-sigs", "false", "-E", &text]].concat();
        let output = world.command(&words).env("_NIX_IN_TEST", "1").output().expect("it starts");
        let said = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        (output.status.success(), said(output.stdout), said(output.stderr))
    };
    assert!(fetch("").2.contains("is not named by its contents"));
    assert_eq!(fetch("inputAddressed = true;"), (true, path.clone(), String::new()));
    let (fine, _, told) = fetch("toPath = \"\";");
    let new = told
        .split("write `toPath = ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .expect("it is told")
        .to_owned();
    assert!(!fine && new.ends_with("-named") && new != path, "{told}");
    assert_eq!(fetch(&format!("toPath = {new};")), (true, new.clone(), String::new()));
    assert_eq!(world.fine(&["--data-dir", &at("other"), "store", "cat", &new]), new);
    assert!(fetch(&format!("toPath = {path};")).2.contains("is not what `toPath` can be"));
    assert!(fetch("inputAddressed = true; toPath = \"\";").2.contains("leave one of them out"));
    assert!(fetch("other = 1;").2.contains("takes no argument `other`"));
    let words = ["eval", "-E", "builtins ? fetchClosure"];
    assert_eq!(world.fine(&words), "false");
}
