//! Source packages in a lock.

use crate::archive::{Archive, hex, request, sign};
use nival_inputs::{Lock, Mode, RootRequest, resolve};
use nival_transport::NoProgress;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Publishes a suite with source packages of these names and versions.
fn publish(archive: &Archive, suite: &str, sources: &[(&str, &str)]) {
    let mut index = String::new();
    for (name, version) in sources {
        let hash = hex(&Sha256::digest(version));
        index.push_str(&format!(
            "Package: {name}\nVersion: {version}\nDirectory: pool/{name}\nChecksums-Sha256:\n {hash} 3 \
             {name}_{version}.tar.xz\n {hash} 4 {name}_{version}.dsc\n\n"
        ));
    }
    let folder = archive.root().join("dists").join(suite);
    std::fs::create_dir_all(folder.join("main/source")).expect("made");
    std::fs::write(folder.join("main/source/Sources"), &index).expect("written");
    let text = archive.release(
        suite,
        &[("base", "1", "Essential: yes\n")],
        "amd64",
        "Date: Sat, 01 Nov 2025 00:00:00 UTC\n",
    );
    let hash = hex(&Sha256::digest(&index));
    let text = format!("{text} {hash} {} main/source/Sources\n", index.len());
    archive.write_release(suite, &sign(&text, &archive.key));
}

fn asking(sources: &[&str]) -> RootRequest {
    RootRequest { sources: sources.iter().map(|name| (*name).to_owned()).collect(), ..request(&[]) }
}

fn versions(lock: &Lock) -> Vec<String> {
    let sources = lock.releases.get("trixie").into_iter().flat_map(|release| &release.sources);
    sources.map(|source| format!("{}={}", source.name, source.version)).collect()
}

#[test]
fn source_packages_are_locked_with_their_files_and_stay() {
    let archive = Archive::new();
    publish(&archive, "trixie", &[("hello", "2-1"), ("zlib", "1-1")]);
    publish(&archive, "trixie-security", &[("zlib", "1-1+deb13u1")]);
    let lock = |sources: &[&str], old: Option<&Lock>, mode: &Mode| {
        resolve(&archive.inputs(), &[asking(sources)], &[], old, mode, &NoProgress)
    };
    let first = lock(&["hello"], None, &Mode::Keep).expect("it is there");
    assert_eq!(versions(&first), ["hello=2-1"]);
    assert!(first.packages_of("web").is_empty(), "no packages were asked for");
    let source = first.releases["trixie"].find_source("hello").expect("it is locked");
    let paths: Vec<&str> = source.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["pool/hello/hello_2-1.dsc", "pool/hello/hello_2-1.tar.xz"]);
    let read = Lock::parse(first.text().as_bytes(), Path::new("nival.lock")).expect("it can be read back");
    assert_eq!(read, first);
    let both = lock(&["hello", "zlib"], Some(&first), &Mode::Keep).expect("they are there");
    assert_eq!(versions(&both), ["hello=2-1", "zlib=1-1+deb13u1"]);
    publish(&archive, "trixie", &[("hello", "3-1"), ("zlib", "1-1")]);
    let kept = lock(&["hello", "zlib=1-1"], Some(&both), &Mode::Keep).expect("they are there");
    assert_eq!(versions(&kept), ["hello=2-1", "zlib=1-1"]);
    let updated = lock(&["hello"], Some(&both), &Mode::UpdateAll).expect("it is there");
    assert_eq!(versions(&updated), ["hello=3-1"]);
    let unknown = lock(&["nothing"], None, &Mode::Keep).expect_err("there is none");
    assert_eq!(unknown.diagnostic().entry.code, "NV0401");
}

#[test]
fn a_source_package_outside_of_its_repository_is_no_lock() {
    let archive = Archive::new();
    publish(&archive, "trixie", &[("hello", "2-1")]);
    let lock = resolve(&archive.inputs(), &[asking(&["hello"])], &[], None, &Mode::Keep, &NoProgress);
    let text = lock.expect("it can be locked").text();
    for bad in [text.replace("pool/hello/hello_2-1.dsc", "../x.dsc"), text.replace("\"hello\"]", "\"gone\"]")]
    {
        assert_ne!(bad, text);
        let error = Lock::parse(bad.as_bytes(), Path::new("nival.lock")).expect_err("it is refused");
        assert_eq!(error.diagnostic().entry.code, "NV0409");
    }
}
