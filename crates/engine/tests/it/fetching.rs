//! Fetching builtins; the hashes are what C++ Nix 2.34.8 computes of the same contents.

use super::world::{Folder, json};
use serde_json::json as object;
use std::os::unix::fs::PermissionsExt as _;

const FILES: [(&str, &str); 4] =
    [("a", "hi\n"), ("sub/b", "b\n"), ("sub/x", "x\n"), (".gitattributes", "sub/x export-ignore\n")];

fn repository(folder: &Folder) -> String {
    folder.repository("repo", &FILES);
    folder.text("repo")
}

#[test]
fn git_trees_have_the_hashes_of_nix() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let got =
        folder.eval(&format!(r#"removeAttrs (builtins.fetchGit "{repo}") [ "outPath" "rev" "shortRev" ]"#));
    let wanted = object!({
        "lastModified": 1_704_164_645, "lastModifiedDate": "20240102030405", "revCount": 1, "submodules": false,
        "narHash": "sha256-VvnxJfsY7va2l2wTICNKL6HQmXtRv+uaNdrFiNoWPA0=",
    });
    assert_eq!(got, wanted);
    let whole = folder.eval(&format!(r#"(builtins.fetchTree {{ type = "git"; url = "{repo}"; }}).narHash"#));
    assert_eq!(whole, "sha256-Nivot1G5t6cXP0U3I89budiBxqDExycN2wbKLVuVmhI=");
    let bare = folder.path("bare.git").to_string_lossy().into_owned();
    folder.git("repo", &["clone", "-q", "--bare", ".", &bare]);
    let cloned = folder.eval(&format!(r#"(builtins.fetchGit "file://{bare}").narHash"#));
    assert_eq!(cloned, "sha256-VvnxJfsY7va2l2wTICNKL6HQmXtRv+uaNdrFiNoWPA0=");
}

#[test]
fn working_trees_are_taken_as_they_are() {
    let folder = Folder::new();
    let repo = repository(&folder);
    folder.write("repo/a", "changed\n");
    folder.write("repo/untracked", "no\n");
    let mut session = folder.session("");
    let text = format!(
        r#"let t = builtins.fetchGit "{repo}"; in {{ inherit (t) rev revCount; d = t ? dirtyRev; u = builtins.pathExists "${{t}}/untracked";
           a = builtins.readFile "${{t}}/a"; }}"#
    );
    let got = super::world::json(&mut session, &text).expect("it is fetched");
    let rev = "0".repeat(40);
    let wanted = object!({ "rev": rev, "revCount": 0, "d": true, "u": false, "a": "changed\n" });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&got).expect("JSON"), wanted);
    let (_, warnings) = session.take_messages();
    assert_eq!(warnings.first().map(|warning| warning.entry.code), Some("NV0427"));
    let text = format!(r#"builtins.fetchGit "{repo}""#);
    assert_eq!(folder.failure("allow-dirty = false", &text).0, "NV0421");
}

#[test]
fn submodules_are_fetched_where_they_are_wanted() {
    let folder = Folder::new();
    repository(&folder);
    folder.repository("outer", &[("o", "o\n")]);
    let inner = folder.text("repo");
    folder.git("outer", &["submodule", "--quiet", "add", &inner, "m"]);
    folder.git("outer", &["commit", "-q", "-m", "two"]);
    let outer = folder.text("outer");
    for more in ["", "ref = \"main\";"] {
        let text = |flag: &str| {
            format!(
                r#"builtins.pathExists "${{builtins.fetchGit {{ url = "{outer}"; submodules = {flag}; {more} }}}}/m/sub/b""#
            )
        };
        assert_eq!(folder.eval(&text("true")), true, "{more}");
        assert_eq!(folder.eval(&text("false")), false, "{more}");
    }
}

fn tar(folder: &Folder, name: &str, entries: &[(&str, tar::EntryType, &str)]) -> String {
    let file = std::fs::File::create(folder.path(name)).expect("a file");
    let mut archive = tar::Builder::new(file);
    for (path, kind, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_mtime(77);
        let is_file = *kind == tar::EntryType::Regular;
        header.set_size(if is_file { text.len() as u64 } else { 0 });
        if !is_file {
            header.set_link_name_literal(text).expect("a target");
        }
        // Written as it stands: a library would refuse hostile names.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(&header, if is_file { text.as_bytes() } else { b"" }).expect("written");
    }
    archive.into_inner().expect("written");
    format!("file://{}", folder.text(name))
}

#[test]
fn archives_are_unpacked_below_their_folder() {
    use tar::EntryType::{Regular, Symlink};
    let folder = Folder::new();
    let url =
        tar(&folder, "a.tar", &[("../../up", Regular, "u"), ("/abs", Regular, "a"), ("l", Symlink, "/etc")]);
    let got = folder.eval(&format!(r#"builtins.readDir (builtins.fetchTarball "{url}")"#));
    assert_eq!(got, object!({ "up": "regular", "abs": "regular", "l": "symlink" }));
    assert!(!folder.path("up").exists());
}

#[test]
fn archives_do_not_write_through_links() {
    use tar::EntryType::{Char, Link, Regular, Symlink};
    let folder = Folder::new();
    let outside = folder.text("outside");
    std::fs::create_dir(&outside).expect("a folder");
    let cases: [&[(&str, tar::EntryType, &str)]; 3] = [
        &[("l", Symlink, &outside), ("l/evil", Regular, "x")],
        &[("h", Link, "../outside/secret")],
        &[("d", Char, "")],
    ];
    for (at, entries) in cases.into_iter().enumerate() {
        let url = tar(&folder, &format!("{at}.tar"), entries);
        let (code, message) = folder.failure("", &format!(r#"builtins.fetchTarball "{url}""#));
        assert_eq!(code, "NV0420", "{message}");
    }
    assert_eq!(folder.path("outside").read_dir().expect("it is there").count(), 0);
}

#[test]
fn another_hash_is_shown_with_the_one_that_was_wanted() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let zeros = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let text = format!(r#"builtins.fetchTree {{ type = "git"; url = "{repo}"; narHash = "{zeros}"; }}"#);
    let (code, message) = folder.failure("", &text);
    assert_eq!(code, "NV0418");
    assert!(
        message.contains(zeros)
            && message.contains("narHash = \\\"sha256-Nivot1G5t6cXP0U3I89budiBxqDExycN2wbKLVuVmhI=\\\";"),
        "{message}"
    );
    folder.write("file", "x");
    let url = format!("file://{}", folder.text("file"));
    let (code, message) =
        folder.failure("", &format!(r#"builtins.fetchurl {{ url = "{url}"; sha256 = ""; }}"#));
    assert_eq!(code, "NV0808");
    assert!(message.contains("got `sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=`"), "{message}");
}

#[test]
fn what_was_fetched_is_there_without_its_source() {
    let folder = Folder::new();
    let url = tar(&folder, "a.tar", &[("top/x", tar::EntryType::Regular, "x")]);
    let text = format!(r#"builtins.readDir (builtins.fetchTarball "{url}")"#);
    assert_eq!(folder.eval(&text), object!({ "x": "regular" }));
    std::fs::remove_file(folder.path("a.tar")).expect("removed");
    assert_eq!(folder.eval(&text), object!({ "x": "regular" }));
    let mut late = folder.session("tarball-ttl = 0");
    super::world::json(&mut late, &text).expect("what is there is taken");
    let (_, warnings) = late.take_messages();
    assert_eq!(warnings.len(), 1);
    assert_eq!(folder.failure("", r#"builtins.fetchTarball "file:///nothing/a.tar""#).0, "NV0702");
}

#[test]
fn features_that_are_off_say_so() {
    let folder = Folder::new();
    let text = r#"builtins.fetchTree { type = "path"; path = "/"; }"#;
    assert_eq!(folder.failure("experimental-features = fetch-tree", text).0, "NV0417");
    assert_eq!(folder.failure("experimental-features =", text).0, "NV0202");
    assert_eq!(folder.failure("experimental-features =", r#"builtins.getFlake "x""#).0, "NV0202");
    assert_eq!(folder.failure("experimental-features =", "1 |> (x: x)").0, "NV0241");
    let floating =
        "(derivation { name = \"n\"; system = \"s\"; builder = \"b\"; __contentAddressed = true; }).drvPath";
    assert_eq!(folder.failure("experimental-features =", floating).0, "NV0241");
}

#[test]
fn pure_evaluation_wants_pins() {
    let folder = Folder::new();
    let repo = repository(&folder);
    for text in [
        format!(r#"builtins.fetchGit "{repo}""#),
        format!(r#"builtins.fetchTarball "file://{repo}/a.tar""#),
        format!(r#"builtins.getFlake "git+file://{repo}""#),
    ] {
        assert_eq!(folder.failure("pure-eval = true", &text).0, "NV0421", "{text}");
    }
}

#[test]
fn pure_evaluation_sees_nothing_of_the_machine() {
    let folder = Folder::new();
    folder.write("file", "1");
    let file = folder.text("file");
    let code = |text: &str| folder.failure("pure-eval = true", text).0;
    assert_eq!(code(&format!("builtins.readFile {file}")), "NV0809");
    assert_eq!(code(&format!("import {file}")), "NV0809");
    assert_eq!(code("<nixpkgs>"), "NV0240");
    assert_eq!(code("builtins.storePath /nix/store/x"), "NV0240");
    assert_eq!(code("builtins.currentTime"), "NV0202");
    let mut session = folder.session("pure-eval = true");
    let text = format!(
        r#"[ (builtins.getEnv "SECRET") (builtins.pathExists {file}) (builtins ? currentSystem) builtins.nixPath ]"#
    );
    let value = session.evaluator().eval_text("test", &text, "/", None).expect("it evaluates");
    let shown = session.evaluator().to_json(value, false).expect("JSON").0;
    assert_eq!(shown, r#"["",false,false,[]]"#);
}

#[test]
fn restricted_evaluation_sees_what_it_is_given() {
    let folder = Folder::new();
    folder.write("in/file", "1");
    folder.write("out/file", "1");
    let (inside, outside) = (folder.text("in"), folder.text("out"));
    let conf = format!("restrict-eval = true\nnix-path = x={inside}\nallowed-uris = http://a.example");
    let mut session = folder.session(&conf);
    let text = format!("import <x/file> + import {inside}/file");
    let value = session.evaluator().eval_text("test", &text, "/", None).expect("it may be seen");
    assert_eq!(session.evaluator().expect_int(value).expect("a number"), 2);
    assert_eq!(folder.failure(&conf, &format!("import {outside}/file")).0, "NV0809");
    assert_eq!(folder.failure(&conf, &format!(r#"builtins.fetchGit "{outside}""#)).0, "NV0809");
    assert_eq!(folder.failure(&conf, r#"builtins.fetchurl "http://a.examples/x""#).0, "NV0809");
}

#[test]
fn executable_files_and_links_stay_so() {
    let folder = Folder::new();
    folder.write("tree/run", "#!");
    let run = folder.path("tree/run");
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).expect("set");
    std::os::unix::fs::symlink("run", folder.path("tree/link")).expect("linked");
    let tree = folder.text("tree");
    let got = folder.eval(&format!(r#"(builtins.fetchTree {{ type = "path"; path = "{tree}"; }}).narHash"#));
    assert_eq!(got, "sha256-lk+5r/x4Car2bP3ajD4GC4w74ejncAMR9xLHlraK9hM=");
}

#[test]
fn commits_are_signed_by_the_keys_that_are_named() {
    let folder = Folder::new();
    let repo = repository(&folder);
    let key = |name: &str| {
        let file = folder.text(name);
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &file])
            .status();
        assert!(made.expect("ssh-keygen starts").success());
        let text = std::fs::read_to_string(format!("{file}.pub")).expect("a key");
        text.split(' ').nth(1).expect("three words").to_owned()
    };
    let (mine, other) = (key("mine"), key("other"));
    let conf = "extra-experimental-features = verified-fetches";
    let fetch = |keys: &str| format!(r#"(builtins.fetchGit {{ url = "{repo}"; {keys} }}).rev"#);
    let by = |key: &str| fetch(&format!(r#"publicKey = "{key}";"#));
    let (code, said) = folder.failure(conf, &by(&mine));
    assert!(code == "NV0419" && said.contains("verify the commit"), "{code} {said}");
    let signing = format!("user.signingkey={}", folder.text("mine"));
    folder
        .git("repo", &["-c", "gpg.format=ssh", "-c", &signing, "commit", "-q", "-S", "--amend", "-m", "two"]);
    let fine = |text: &str| json(&mut folder.session(conf), text).map_err(|error| error.diagnostic().message);
    assert_eq!(fine(&by(&mine)).expect("it is signed").len(), 42);
    let several =
        format!(r#"publicKeys = [ {{ key = "{other}"; }} {{ type = "ssh-ed25519"; key = "{mine}"; }} ];"#);
    assert_eq!(fine(&fetch(&several)).expect("it is signed").len(), 42);
    assert_eq!(
        fine(&fetch("ref = \"main\"; verifyCommit = false; publicKey = \"x\";")).expect("not asked").len(),
        42
    );
    assert_eq!(folder.failure(conf, &by(&other)).0, "NV0419");
    assert_eq!(folder.failure(conf, &fetch(r#"keytype = "none"; publicKey = "x";"#)).0, "NV0416");
    folder.write("repo/a", "changed\n");
    assert_eq!(folder.failure(conf, &by(&mine)).0, "NV0421");
    assert_eq!(folder.failure("", &by(&mine)).0, "NV0417");
}
