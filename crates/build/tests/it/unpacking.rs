//! Packages that are fit.

use crate::package::{ar, control, end, entry, entry_of, package, write};
use nival_build::{Error, Limits, PackageMetadata, Unpack, unpack_deb, unpack_many};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn data() -> Vec<u8> {
    let mut tar = Vec::new();
    entry(&mut tar, "./", b'5', 0o755, "", b"");
    entry(&mut tar, "./lib/", b'5', 0o755, "", b"");
    entry(&mut tar, "./lib/systemd/system/a.service", b'0', 0o644, "", b"[Unit]\n");
    entry(&mut tar, "./usr/bin/a", b'0', 0o755, "", b"program");
    entry_of(&mut tar, "./usr/bin/s", b'0', 0o4754, "", b"s", ("root", 0), ("messagebus", 104));
    entry(&mut tar, "./usr/bin/b", b'1', 0o755, "./usr/bin/a", b"");
    entry(&mut tar, "./usr/bin/c", b'2', 0o777, "/etc/alternatives/c", b"");
    entry(&mut tar, "./var/run/a/", b'5', 0o755, "", b"");
    entry(&mut tar, "./var/lib/a/", b'5', 0o1777, "", b"");
    entry(&mut tar, "./etc/a", b'0', 0o640, "", b"x");
    entry(&mut tar, "./usr/lib/sysusers.d/a.conf", b'0', 0o644, "", b"u a\n");
    entry(&mut tar, "./usr/lib/tmpfiles.d/a.conf", b'0', 0o644, "", b"d /run/a\n");
    end(tar)
}

/// Every path with its mode, contents or target.
fn tree(root: &Path) -> BTreeMap<String, (u32, i64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut work = vec![root.to_owned()];
    while let Some(folder) = work.pop() {
        for entry in std::fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            let metadata = std::fs::symlink_metadata(&path).expect("it is there");
            let contents = if metadata.is_dir() {
                work.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                std::fs::read_link(&path).expect("it is one").into_os_string().into_encoded_bytes()
            } else {
                std::fs::read(&path).expect("it can be read")
            };
            let name = path.strip_prefix(root).expect("it is below").display().to_string();
            all.insert(name, (metadata.mode() & 0o7777, metadata.mtime(), contents));
        }
    }
    all
}

#[test]
fn a_package_becomes_a_tree_and_metadata() {
    let folder = tempfile::tempdir().expect("there is one");
    let deb = write(folder.path(), &package(&data()));
    let out = folder.path().join("out");
    let metadata = unpack_deb(&deb, &out, &Limits::default()).expect("it is fit");
    let tree = tree(&out.join("root"));
    assert_eq!(tree["usr/bin/a"], (0o555, 1, b"program".to_vec()));
    assert_eq!(tree["usr/bin/b"], tree["usr/bin/a"]);
    assert_eq!(tree["usr/bin/c"].2, b"/etc/alternatives/c");
    assert_eq!(tree["usr/bin/c"].1, 1);
    assert_eq!(tree["etc/a"].0, 0o444);
    assert_eq!((tree["usr/lib"].0, tree["usr/lib"].1), (0o555, 1));
    assert!(!tree.contains_key("lib") && !tree.contains_key("var/run"));
    assert_eq!((metadata.package.as_str(), metadata.version.as_str()), ("a", "1:1~2"));
    assert_eq!(metadata.conffiles, ["etc/a", "etc/b"]);
    assert_eq!(metadata.units, ["a.service"]);
    assert_eq!(
        (metadata.sysusers.as_slice(), metadata.tmpfiles.as_slice()),
        (&["a.conf".to_owned()][..], &["a.conf".to_owned()][..])
    );
    assert_eq!(metadata.triggers, ["activate-noawait ldconfig"]);
    assert_eq!(metadata.maintainer_scripts, ["postinst"]);
    assert_eq!(metadata.empty_directories, ["var/lib/a"]);
    let odd: Vec<(&str, u32, &str)> =
        metadata.attributes.iter().map(|(path, a)| (path.as_str(), a.mode, a.group.as_str())).collect();
    assert_eq!(
        odd,
        [("etc/a", 0o640, "root"), ("usr/bin/s", 0o4754, "messagebus"), ("var/lib/a", 0o1777, "root")]
    );
    assert_eq!(PackageMetadata::read(&out.join("metadata.json")).expect("it is one"), metadata);
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

#[test]
fn every_compression_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("there is one");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&data()).expect("memory takes it");
    let parts = [
        ("data.tar", data()),
        ("data.tar.gz", gz.finish().expect("memory takes it")),
        ("data.tar.xz", xz(&data())),
        ("data.tar.zst", zstd::encode_all(&data()[..], 1).expect("memory takes it")),
    ];
    let mut first = None;
    for (at, (name, bytes)) in parts.iter().enumerate() {
        let deb = write(
            folder.path(),
            &ar(&[("debian-binary", b"2.0\n"), ("control.tar.xz", &xz(&control(10))), (name, bytes)]),
        );
        let out = folder.path().join(at.to_string());
        unpack_deb(&deb, &out, &Limits::default()).expect("it is fit");
        let tree = tree(&out);
        assert_eq!(*first.get_or_insert(tree.clone()), tree, "{name}");
    }
}

#[test]
fn several_are_unpacked_at_the_same_time() {
    let folder = tempfile::tempdir().expect("there is one");
    let deb = write(folder.path(), &package(&data()));
    let all: Vec<Unpack> = (0..9)
        .map(|at| Unpack { deb: deb.clone(), destination: folder.path().join(at.to_string()) })
        .collect();
    let count = AtomicUsize::new(0);
    let done = |_| {
        count.fetch_add(1, Ordering::SeqCst);
    };
    let metadata =
        unpack_many(&all, 2, &Limits::default(), &AtomicBool::new(false), &done).expect("they are fit");
    assert_eq!((metadata.len(), count.into_inner()), (9, 9));
}

#[test]
fn unpacking_ends_when_it_is_cancelled() {
    let folder = tempfile::tempdir().expect("there is one");
    let deb = write(folder.path(), &package(&data()));
    let all = [Unpack { deb, destination: folder.path().join("out") }];
    let result = unpack_many(&all, 1, &Limits::default(), &AtomicBool::new(true), &|_| {});
    assert!(matches!(result, Err(Error::Cancelled)));
    assert!(!all[0].destination.exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().expect("there is one");
    let deb = write(folder.path(), &package(&data()));
    let error = unpack_deb(&deb, &folder.path().join("no/such/place"), &Limits::default())
        .expect_err("it is not there");
    assert_eq!(error.diagnostic().entry.code, "NV0524");
}
