//! Mercurial repositories; the hashes are what C++ Nix 2.34.8 computes of the same contents.

use super::world::{Folder, json, read};
use serde_json::json as object;
use std::process::Command;

fn hg(folder: &Folder, repository: &str, words: &[&str]) -> String {
    let output = Command::new("hg")
        .arg("--cwd")
        .arg(folder.path(repository))
        .args(["--config", "ui.username=A <a@b>"])
        .args(words)
        .env("HGRCPATH", "")
        .env("HGPLAIN", "")
        .output()
        .expect("hg runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Two commits on the main branch, the first of them with a tag, and two on another branch.
fn repository(folder: &Folder) -> String {
    folder.write("repo/hello", "utrecht\n");
    folder.write("repo/sub/b", "b\n");
    hg(folder, "repo", &["init"]);
    hg(folder, "repo", &["add", "hello", "sub/b"]);
    hg(folder, "repo", &["commit", "-d", "0 0", "-m", "one"]);
    folder.write("repo/hello", "world\n");
    hg(folder, "repo", &["commit", "-d", "0 0", "-m", "two"]);
    hg(folder, "repo", &["branch", "-q", "other"]);
    folder.write("repo/hello", "other\n");
    hg(folder, "repo", &["commit", "-d", "0 0", "-m", "three"]);
    hg(folder, "repo", &["tag", "-d", "0 0", "-r", "0", "v1"]);
    hg(folder, "repo", &["update", "-q", "default"]);
    folder.text("repo")
}

const ONE: &str = "b9aecea1b1776e229a466b35924a6c286997f42f";
const TWO: &str = "78418e60ce92392daabd19a04b4d2be13d9626de";

#[test]
fn mercurial_trees_have_the_hashes_and_attributes_of_nix() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let got = folder.eval(&format!(r#"builtins.fetchMercurial "{repo}""#));
    assert_eq!(got, folder.eval(&format!(r#"(builtins.fetchMercurial "file://{repo}").outPath"#)));
    let all = folder.eval(&format!(
        r#"removeAttrs (builtins.fetchMercurial {repo}) [ "outPath" ] // {{ out = baseNameOf (builtins.fetchMercurial {repo}).outPath; }}"#
    ));
    let wanted = object!({
        "branch": "default", "rev": TWO, "shortRev": &TWO[..12], "revCount": 1,
        "out": "rv4y59cnvzrz832ga2p58pm3ws2rikww-source",
    });
    assert_eq!(all, wanted);
    let tree = folder.eval(&format!(
        r#"removeAttrs (builtins.fetchTree {{ type = "hg"; url = "file://{repo}"; }}) [ "outPath" ]"#
    ));
    let wanted = object!({ "narHash": "sha256-d0KzFyJKH5Lhqt26K2SW3YubFowuh40MeYkoLc1qnZ4=", "rev": TWO, "shortRev": &TWO[..7], "revCount": 1 });
    assert_eq!(tree, wanted);
}

#[test]
fn a_revision_can_be_a_branch_or_a_tag_to_fetch_mercurial() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let hello = |rev: &str| {
        folder.eval(&format!(
            r#"let t = builtins.fetchMercurial {{ url = "file://{repo}"; rev = "{rev}"; name = "foo"; }}; in
               [ (builtins.readFile "${{t}}/hello") t.branch t.revCount (builtins.substring 33 99 (baseNameOf t)) ]"#
        ))
    };
    assert_eq!(hello("other"), object!(["other\n", "other", 3, "foo"]));
    assert_eq!(hello("v1"), object!(["utrecht\n", "default", 0, "foo"]));
    assert_eq!(hello(ONE), object!(["utrecht\n", "default", 0, "foo"]));
    let text = |rev: &str| format!(r#"builtins.fetchMercurial {{ url = "file://{repo}"; rev = "{rev}"; }}"#);
    assert_eq!(folder.failure("", &text("nothing")).0, "NV0419");
    assert_eq!(folder.failure("", &text("--config=x")).0, "NV0416");
    assert_eq!(
        folder.failure("", &format!(r#"builtins.fetchMercurial {{ url = "{repo}"; ref = "x"; }}"#)).0,
        "NV0227"
    );
}

#[test]
fn changed_mercurial_trees_are_taken_as_they_are() {
    let folder = Folder::new();
    let repo = repository(&folder);
    folder.write("repo/new", "new\n");
    folder.write("repo/no", "no\n");
    folder.write("repo/hello", "changed\n");
    hg(&folder, "repo", &["add", "new"]);
    hg(&folder, "repo", &["remove", "-f", "sub/b"]);
    let mut session = folder.session("");
    let text = format!(
        r#"let t = builtins.fetchMercurial "{repo}"; in {{ inherit (t) rev shortRev branch; count = t ? revCount;
           files = builtins.attrNames (builtins.readDir t); hello = builtins.readFile "${{t}}/hello"; }}"#
    );
    let got = json(&mut session, &text).expect("it is fetched");
    let wanted = object!({
        "rev": "0".repeat(40), "shortRev": "0".repeat(12), "branch": "default", "count": false,
        "files": ["hello", "new"], "hello": "changed\n",
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&got).expect("JSON"), wanted);
    let (_, warnings) = session.take_messages();
    assert_eq!(warnings.first().map(|warning| warning.entry.code), Some("NV0427"));
    let text = format!(r#"builtins.fetchMercurial "{repo}""#);
    assert_eq!(folder.failure("allow-dirty = false", &text).0, "NV0421");
    let pinned = format!(
        r#"builtins.readFile "${{builtins.fetchMercurial {{ url = "{repo}"; rev = "default"; }}}}/hello""#
    );
    assert_eq!(folder.eval(&pinned), "world\n");
}

#[test]
fn pure_evaluation_fetches_mercurial_by_revision_and_keeps_it() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let text = format!(r#"builtins.fetchMercurial "{repo}""#);
    assert_eq!(folder.failure("pure-eval = true", &text).0, "NV0421");
    let text = format!(
        r#"builtins.readFile "${{builtins.fetchMercurial {{ url = "{repo}"; rev = "{ONE}"; }}}}/hello""#
    );
    let mut session = folder.session("pure-eval = true");
    assert_eq!(json(&mut session, &text).expect("it is fetched"), "\"utrecht\\n\"");
    // What a revision stands for is known from now on, and a branch for an hour.
    folder.eval(&format!(r#"builtins.fetchMercurial "file://{repo}""#));
    std::fs::rename(folder.path("repo"), folder.path("gone")).expect("moved");
    assert_eq!(folder.eval(&text), "utrecht\n");
    let branch = format!(r#"(builtins.fetchMercurial "file://{repo}").rev"#);
    assert_eq!(folder.eval(&branch), TWO);
    assert_eq!(folder.failure("tarball-ttl = 0", &branch).0, "NV0419");
}

#[test]
fn a_flake_in_mercurial_is_locked_and_told_about_its_lock_file() {
    let folder = Folder::new();
    folder.write("base/flake.nix", "{ outputs = _: { x = 1; }; }");
    hg(&folder, "base", &["init"]);
    hg(&folder, "base", &["add", "flake.nix"]);
    hg(&folder, "base", &["commit", "-d", "0 0", "-m", "one"]);
    let base = folder.text("base");
    folder.write(
        "top/flake.nix",
        &format!(
            "{{ inputs.base.url = \"hg+file://{base}\"; outputs = {{ base, ... }}: {{ y = base.x; }}; }}"
        ),
    );
    hg(&folder, "top", &["init"]);
    hg(&folder, "top", &["add", "flake.nix"]);
    let session = folder.session("");
    let (reference, _) = session
        .parse_flake(&format!("hg+file://{}", folder.text("top")), &folder.path(""))
        .expect("a reference");
    session.lock_flake(&reference, &nival_engine::LockFlags::default()).expect("it locks");
    let file: serde_json::Value = serde_json::from_str(&read(&folder.path("top/flake.lock"))).expect("JSON");
    let wanted = object!({
        "narHash": "sha256-07GLRODIEZRxuYpwPse1HtoyxTS/0XYeJ5NsIx7NUl0=", "ref": "default", "rev": "af7f00d33aa9eb66521630f8fcdaf26e7d672051", "revCount": 0, "type": "hg", "url": format!("file://{base}"),
    });
    assert_eq!(file["nodes"]["base"]["locked"], wanted);
    assert_eq!(file["nodes"]["base"]["original"], object!({ "type": "hg", "url": format!("file://{base}") }));
    assert_eq!(hg(&folder, "top", &["status"]), "A flake.lock\nA flake.nix\n");
    let text = format!(r#"(builtins.getFlake "hg+file://{}").y"#, folder.text("top"));
    assert_eq!(folder.eval(&text), 1);
}
