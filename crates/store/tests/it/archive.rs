//! Archives to the disk and back.

use nival_store::archive;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

const GOLDEN: &[u8] = include_bytes!("../../../store-model/src/nar/decode/golden.nar");

#[test]
fn archive_of_nix_is_unpacked_in_canonical_form() {
    let folder = tempfile::tempdir().expect("it can be done");
    let target = folder.path().join("tree");
    let restored = archive::restore(GOLDEN, &target).expect("it can be done");
    assert_eq!(restored.size, GOLDEN.len() as u64);
    assert_eq!(restored.hash, nival_store_model::Hash::sha256(GOLDEN));
    let mut again = Vec::new();
    archive::dump(&target, &mut again, None).expect("it can be done");
    assert!(again == GOLDEN, "the tree is another one");
    for (name, mode) in [("", 0o40555), ("a.txt", 0o100_444), ("run", 0o100_555), ("sub/eight", 0o100_444)] {
        let metadata = target.join(name).symlink_metadata().expect("it is there");
        assert_eq!((metadata.permissions().mode(), metadata.mtime()), (mode, 1), "{name}");
    }
    assert_eq!(target.join("sub/link").symlink_metadata().expect("it is there").mtime(), 1);
    nival_sys::fs::remove_tree(&target).expect("it can be done");
}

#[test]
fn archive_that_lies_is_refused() {
    let folder = tempfile::tempdir().expect("it can be done");
    let error = archive::restore(&b"nonsense"[..], &folder.path().join("a")).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0540");
    let error = archive::restore(&GOLDEN[..GOLDEN.len() - 8], &folder.path().join("b")).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0540");
    assert!(error.to_string().contains("ends early"), "{error}");
    let longer = [GOLDEN, b"x"].concat();
    assert!(archive::restore(&longer[..], &folder.path().join("c")).is_err());
}

#[test]
fn what_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().expect("it can be done");
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).expect("it can be done");
    let target = folder.path().join("tree");
    symlink(&outside, &target).expect("it can be done");
    let error = archive::restore(GOLDEN, &target).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0502");
    assert_eq!(outside.read_dir().expect("it is there").count(), 0);
    let file = nival_store_model::nar::of_file(false, b"new");
    fs::write(folder.path().join("file"), "old").expect("it can be done");
    assert!(archive::restore(&file[..], &folder.path().join("file")).is_err());
    assert_eq!(fs::read(folder.path().join("file")).expect("it is there"), b"old");
}

#[test]
fn archives_follow_each_other_in_a_stream() {
    let folder = tempfile::tempdir().expect("it can be done");
    let stream = [GOLDEN, GOLDEN, b"end"].concat();
    let mut input = stream.as_slice();
    let first = archive::skip_next(&mut input).expect("it can be done");
    let second =
        archive::restore_next(&mut input, Path::new(&folder.path().join("x"))).expect("it can be done");
    assert_eq!(first, second);
    assert_eq!(input, b"end");
}
