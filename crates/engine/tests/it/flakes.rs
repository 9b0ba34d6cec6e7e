//! Locking and calling flakes; the lock files are what C++ Nix 2.34.8 writes.

use super::world::{Folder, read};
use nival_engine::{Error, LockFlags, LockedFlake, OutputSearch, Session};
use serde_json::{Value, json};
use std::path::Path;

const OUTPUTS: &str = "outputs = inputs: { x = 1; };";

fn lock(session: &Session, folder: &Path, flags: &LockFlags) -> Result<LockedFlake, Error> {
    let (reference, _) = session.parse_flake(".", folder)?;
    session.lock_flake(&reference, flags)
}

fn code(result: Result<LockedFlake, Error>) -> String {
    result.expect_err("it fails").diagnostic().entry.code.to_owned()
}

/// Three flakes: `top` uses `mid` and `base`, and `mid` follows the `base` of `top`.
fn flakes(folder: &Folder) {
    folder.repository("base", &[("flake.nix", &format!("{{ description = \"b\"; {OUTPUTS} }}"))]);
    let base = folder.text("base");
    let mid = format!("{{ inputs.base.url = \"git+file://{base}\"; {OUTPUTS} }}");
    folder.repository("mid", &[("flake.nix", &mid)]);
    let top = format!(
        "{{ inputs.base.url = \"git+file://{base}\"; inputs.mid = {{ url = \"git+file://{}\"; inputs.base.follows = \"base\"; }};
            inputs.sub.url = \"path:./sub\"; inputs.data = {{ url = \"path:./sub\"; flake = false; }};
            outputs = {{ self, base, mid, ... }}: {{
              same = mid.inputs.base.rev == base.rev;
              packages.x86_64-linux.default = \"p\";
              legacyPackages.x86_64-linux.a.b = \"q\";
              info = self.sourceInfo;
            }}; }}",
        folder.text("mid")
    );
    folder.repository("top", &[("flake.nix", &top), ("sub/flake.nix", &format!("{{ {OUTPUTS} }}"))]);
}

#[test]
fn lock_files_are_those_of_nix() {
    let folder = Folder::new();
    flakes(&folder);
    let session = folder.session("");
    let locked = lock(&session, &folder.path("top"), &LockFlags::default()).expect("it locks");
    assert!(locked.changes.contains("Added input 'mid/base':\n    follows 'base'"), "{}", locked.changes);
    let text = read(&folder.path("top/flake.lock"));
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    assert!(text.starts_with(
        "{\n  \"nodes\": {\n    \"base\": {\n      \"locked\": {\n        \"lastModified\": 1704164645,\n"
    ));
    assert!(text.ends_with("\n  \"root\": \"root\",\n  \"version\": 7\n}\n"));
    assert_eq!(file["nodes"]["mid"]["inputs"], json!({ "base": ["base"] }));
    let sub = json!({
        "locked": { "path": "./sub", "type": "path" }, "original": { "path": "./sub", "type": "path" }, "parent": [],
    });
    assert_eq!(file["nodes"]["sub"], sub);
    let base = file["nodes"]["base"]["locked"].take();
    assert_eq!(base["ref"], "refs/heads/main");
    assert_eq!(base["narHash"], "sha256-3H/Uws1450ow9D0kF1AfAzCPzQpCi+JD06XJdv/dGFo=");
    assert_eq!(base["revCount"], 1);
    // What is locked needs nothing that it came from.
    std::fs::rename(folder.path("base"), folder.path("gone")).expect("moved");
    let again = lock(&session, &folder.path("top"), &LockFlags::default()).expect("it is locked");
    assert_eq!(again.changes, "");
}

#[test]
fn outputs_are_found_and_inputs_are_one() {
    let folder = Folder::new();
    flakes(&folder);
    let mut session = folder.session("");
    let locked = lock(&session, &folder.path("top"), &LockFlags::default()).expect("it locks");
    let search = OutputSearch::packages("x86_64-linux");
    for (fragment, path, wanted) in [
        ("", "packages.x86_64-linux.default", json!("p")),
        ("a.b", "legacyPackages.x86_64-linux.a.b", json!("q")),
        ("same", "same", json!(true)),
    ] {
        let (value, found) = session.flake_output(&locked, fragment, &search).expect(fragment);
        let shown = session.evaluator().to_json(value, false).expect("JSON").0;
        assert_eq!((found.as_str(), serde_json::from_str::<Value>(&shown).expect("JSON")), (path, wanted));
    }
    let missing = session.flake_output(&locked, "nothing", &search).expect_err("there is none");
    assert_eq!(missing.diagnostic().entry.code, "NV0820");
    let top = folder.text("top");
    let text = format!(
        r#"let f = builtins.getFlake "git+file://{top}"; in {{ inherit (f) _type; x = f.inputs.sub.x; d = f.inputs.data ? outputs; }}"#
    );
    let got = super::world::json(&mut session, &text).expect("a flake");
    assert_eq!(
        serde_json::from_str::<Value>(&got).expect("JSON"),
        json!({ "_type": "flake", "x": 1, "d": false })
    );
}

#[test]
fn computed_inputs_are_refused() {
    let folder = Folder::new();
    let session = folder.session("");
    for (at, text) in [
        format!("{{ inputs.a.url = \"x\" + \"y\"; {OUTPUTS} }}"),
        format!("{{ inputs = import ./inputs.nix; {OUTPUTS} }}"),
        format!("let x = 1; in {{ {OUTPUTS} }}"),
        "{ outputs = import ./outputs.nix; }".to_owned(),
        format!("{{ other = 1; {OUTPUTS} }}"),
        "{ }".to_owned(),
        format!("{{ inputs.self.url = 1.5; {OUTPUTS} }}"),
        format!("{{ {OUTPUTS} "),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("flake{at}");
        folder.write(&format!("{name}/flake.nix"), text);
        assert_eq!(code(lock(&session, &folder.path(&name), &LockFlags::default())), "NV0423", "{text}");
    }
}

#[test]
fn locks_that_may_not_change_are_an_error() {
    let folder = Folder::new();
    flakes(&folder);
    let session = folder.session("");
    let flags = LockFlags { update: false, ..LockFlags::default() };
    assert_eq!(code(lock(&session, &folder.path("top"), &flags)), "NV0424");
    assert!(!folder.path("top/flake.lock").exists());
    let kept = LockFlags { write: false, ..LockFlags::default() };
    let locked = lock(&session, &folder.path("top"), &kept).expect("it locks in memory");
    assert!(locked.force_dirty && !folder.path("top/flake.lock").exists());
    let circle = format!("{{ inputs.a.follows = \"b\"; inputs.b.follows = \"a\"; {OUTPUTS} }}");
    folder.write("circle/flake.nix", &circle);
    assert_eq!(code(lock(&session, &folder.path("circle"), &LockFlags::default())), "NV0424");
    folder.write("broken/flake.nix", &format!("{{ {OUTPUTS} }}"));
    folder.write("broken/flake.lock", "{ \"version\": 9 }");
    assert_eq!(code(lock(&session, &folder.path("broken"), &LockFlags::default())), "NV0424");
}

#[test]
fn registries_resolve_names() {
    let folder = Folder::new();
    flakes(&folder);
    let base = folder.text("base");
    let registry = json!({ "version": 2, "flakes": [
        { "from": { "type": "indirect", "id": "base" }, "to": { "type": "git", "url": format!("file://{base}") } },
        { "from": { "type": "indirect", "id": "inner" }, "to": { "type": "indirect", "id": "base" } },
    ] });
    folder.write("registry.json", &registry.to_string());
    let conf = format!("flake-registry = {}", folder.text("registry.json"));
    folder.write(
        "user/flake.nix",
        "{ outputs = { self, base, inner }: { x = base.narHash == inner.narHash; }; }",
    );
    let mut session = folder.session(&conf);
    let locked = lock(&session, &folder.path("user"), &LockFlags::default()).expect("it locks");
    let (value, _) = session.flake_output(&locked, "x", &OutputSearch::default()).expect("an output");
    assert!(session.evaluator().expect_bool(value).expect("a Boolean"));
    assert_eq!(folder.failure(&conf, r#"builtins.getFlake "unknown""#).0, "NV0422");
    assert_eq!(folder.failure("use-registries = false", r#"builtins.getFlake "base""#).0, "NV0421");
}

#[test]
fn references_are_read_and_printed() {
    let folder = Folder::new();
    let got = folder.eval(
        r#"map (r: builtins.flakeRefToString (builtins.parseFlakeRef r)) [ "nixpkgs/x" "github:o/r/b?dir=d"
           "git+https://h/r?ref=m&submodules=1" "https://h/a.tar.gz" "/a/b" ]"#,
    );
    let wanted = json!([
        "flake:nixpkgs/x",
        "github:o/r/b?dir=d",
        "git+https://h/r?ref=m&submodules=1",
        "https://h/a.tar.gz",
        "path:/a/b"
    ]);
    assert_eq!(got, wanted);
}
