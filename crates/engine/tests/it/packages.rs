//! Debian packages as derivations: the same for the library and for machines, and roots that are made of them.

use nival_build::{Addresses, Answer, Named, Request, Run, Wanted};
use nival_engine::{Builds, Session, SessionOptions, packages};
use nival_inputs::Lock;
use nival_store::LocalStore;
use nival_store_model::{Hash, StorePath};
use nival_transport::Cancel;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with packages, a lock of them, and a session over a store that builds.
struct Place {
    folder: tempfile::TempDir,
    session: Session,
    store: Arc<LocalStore>,
}

/// Finds packages in a folder.
#[derive(Debug)]
struct Folder(PathBuf);

impl Addresses for Folder {
    fn of(&self, file: &Named) -> Result<Vec<String>, String> {
        assert_eq!((file.kind.as_str(), file.attribute("repository")), ("debian", "debian"));
        Ok(vec![self.0.join(file.attribute("path")).display().to_string()])
    }
}

fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_mode(if path.contains("bin/") { 0o755 } else { 0o644 });
        builder.append_data(&mut header, path, contents.as_bytes()).expect("it fits");
    }
    builder.into_inner().expect("in memory")
}

/// A package with these files, as `dpkg-deb` would make it.
fn deb(name: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let control =
        format!("Package: {name}\nVersion: 1:2~a\nArchitecture: all\nMaintainer: M <m@x>\nDescription: d\n");
    let mut bytes = b"!<arch>\n".to_vec();
    for (member, contents) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", tar_of(&[("./control", &control)])),
        ("data.tar", tar_of(files)),
    ] {
        bytes.extend(
            format!("{member:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, contents.len()).bytes(),
        );
        bytes.extend(&contents);
        bytes.extend((contents.len() % 2 == 1).then_some(b'\n'));
    }
    bytes
}

impl Place {
    fn new(all: &[(&str, &[(&str, &str)])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut lines, mut names) = (Vec::new(), Vec::new());
        for (name, files) in all {
            let bytes = deb(name, files);
            std::fs::write(folder.path().join(format!("{name}.deb")), &bytes).expect("written");
            lines.push(format!(
                r#"{{"name": "{name}", "version": "1:2~a", "architecture": "all", "repository": "debian",
                    "path": "{name}.deb", "size": {}, "sha256": "{}"}}"#,
                bytes.len(),
                Hash::sha256(&bytes).base16()
            ));
            names.push(format!("\"{name}\""));
        }
        let lock = format!(
            r#"{{"nival-lock": 1, "releases": {{"trixie": {{"architecture": "amd64", "repositories": {{"debian":
                {{"suite": "trixie", "dates": ["2025-11-01T00:00:00Z"]}}}}, "packages": [{}]}}}}, "roots":
                {{"trixie/build": {{"release": "trixie", "requests": ["a"], "recommends": false, "packages": [{}]}}}}}}"#,
            lines.join(","),
            names.join(",")
        );
        std::fs::write(folder.path().join("nival.lock"), lock).expect("written");
        let store = Arc::new(LocalStore::open(&folder.path().join("store")).expect("an empty store"));
        let mut builds = Builds::default();
        builds.settings.addresses = Arc::new(Folder(folder.path().to_owned()));
        let options =
            SessionOptions { system: "x86_64-linux".to_owned(), builds, ..SessionOptions::default() };
        Self { session: Session::new(store.clone(), options), folder, store }
    }

    fn text(&mut self, expression: &str) -> String {
        let lock = self.folder.path().join("nival.lock");
        let whole = format!(
            "let debian = import <nival/packages> {{ lock = {}; roots.build = [ \"a\" ]; }}; in {expression}",
            lock.display()
        );
        let value = self.session.evaluate_with_library(&whole, "/").expect("it evaluates");
        self.session.evaluator().expect_string_context(value).expect("a text").0
    }

    fn build(&mut self, expression: &str) -> Answer {
        let drv = self.text(&format!("{expression}.drvPath"));
        let drv = self.store.dir().parse(&drv).expect("a store path");
        let requests = [Request::Outputs(drv, Wanted::All)];
        let outcome = self.session.builds().build(&self.store, &Cancel::default(), &requests, Run::default());
        let mut outcome = outcome.expect("it can be planned");
        match outcome.failures.pop() {
            Some(failure) => Err(failure),
            None => outcome.answers.remove(0),
        }
    }

    fn physical(&self, path: &StorePath) -> PathBuf {
        self.store.physical(path)
    }
}

#[test]
fn the_library_and_machines_name_a_package_alike() {
    let mut place = Place::new(&[("a", &[("./usr/bin/a", "program")])]);
    let lock =
        Lock::read(&place.folder.path().join("nival.lock")).expect("it can be read").expect("it is there");
    let release = &lock.releases["trixie"];
    let dir = place.store.dir().clone();
    let stored =
        packages::stored(&dir, &release.packages[0], &release.repositories["debian"]).expect("it is fit");
    assert_eq!(place.text("debian.packages.a.outPath"), dir.print(&stored.path));
    assert_eq!(place.text("debian.packages.a.drvPath"), dir.print(&stored.deriver));
    assert!(stored.path.name() == "a-1=3A2=7Ea", "{}", stored.path.name());
}

#[test]
fn a_root_is_the_tree_of_its_packages_with_their_alternatives() {
    let mut place = Place::new(&[
        ("a", &[("./bin/a", "program"), ("./etc/shared", "same")]),
        ("gcc", &[("./usr/bin/gcc", "compiler"), ("./etc/shared", "same")]),
    ]);
    let made = place.build("debian.roots.build").expect("it is built");
    let root = place.physical(&made["out"]);
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    assert_eq!(
        (read("usr/bin/a"), read("bin/a"), read("etc/shared")),
        ("program".into(), "program".into(), "same".into())
    );
    assert_eq!(std::fs::read_link(root.join("usr/bin/cc")).expect("a link"), Path::new("/usr/bin/gcc"));
    assert!(root.join("usr/bin/c++").symlink_metadata().is_err(), "its package is not there");
    assert_eq!(std::fs::read_link(root.join("lib64")).expect("a link"), Path::new("usr/lib64"));
}

#[test]
fn a_file_of_two_packages_is_refused_and_both_are_named() {
    let mut place = Place::new(&[("a", &[("./etc/x", "one")]), ("b", &[("./etc/x", "two")])]);
    let error = place.build("debian.roots.build").expect_err("it is refused").diagnostic();
    let text = format!("{error:?}");
    assert!(text.contains("`/etc/x` is of `a` and of `b`"), "{text}");
    let diverted = "(import <nival/packages> { lock = debian.lock; roots.build = [ \"a\" ]; diversions.\"/etc/x\" = \"b\"; })";
    let made = place.build(&format!("{diverted}.roots.build")).expect("it is built");
    let root = place.physical(&made["out"]);
    assert_eq!(std::fs::read_to_string(root.join("etc/x")).expect("a file"), "two");
}

#[test]
fn a_root_that_is_no_input_is_refused() {
    let mut place = Place::new(&[("a", &[("./usr/share/x", "x")])]);
    let drv = r#"(derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; __debianRoot = "/none"; })"#;
    let error = place.build(drv).expect_err("it is no input").to_string();
    assert!(error.contains("__debianRoot"), "{error}");
}
