//! From a lock to its files.

use crate::archive::{Archive, request};
use nival_inputs::{Lock, Mode, fetch, resolve};
use nival_transport::NoProgress;

fn locked() -> (Archive, Lock) {
    let archive = Archive::new();
    archive.publish("trixie", &[("a", "1:1", "Essential: yes\n"), ("b", "1", "")]);
    let lock = resolve(&archive.inputs(), &[request(&["b"])], &[], None, &Mode::Keep, &NoProgress);
    (archive, lock.expect("it can be locked"))
}

fn run(archive: &Archive, lock: &Lock) -> Result<Vec<std::path::PathBuf>, nival_inputs::Error> {
    let folder = archive.folder.path().join("downloads");
    fetch(&archive.inputs(), lock, "trixie", &lock.packages_of("web"), &folder, &NoProgress)
}

#[test]
fn packages_are_fetched_once_and_then_need_no_mirror() {
    let (archive, lock) = locked();
    let files = run(&archive, &lock).expect("they are there");
    assert_eq!(files.len(), 2);
    assert_eq!(std::fs::read_to_string(&files[0]).expect("it is there"), "a 1:1".repeat(10));
    std::fs::remove_dir_all(archive.root()).expect("it is there");
    assert_eq!(run(&archive, &lock).expect("they are here"), files);
}

#[test]
fn a_package_that_is_gone_names_the_update() {
    let (archive, lock) = locked();
    std::fs::remove_dir_all(archive.root().join("pool")).expect("it is there");
    let error = run(&archive, &lock).expect_err("it is gone");
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.entry.code, "NV0410");
    assert!(diagnostic.help.join(" ").contains("nival update "), "{:?}", diagnostic.help);
}

#[test]
fn an_archive_of_past_packages_is_asked_last() {
    let (archive, lock) = locked();
    let past = archive.folder.path().join("past");
    std::fs::create_dir(&past).expect("it can be made");
    std::fs::rename(archive.root().join("pool"), past.join("pool")).expect("it is there");
    let mut inputs = archive.inputs();
    inputs.mirrors.past = vec![past.display().to_string()];
    let folder = archive.folder.path().join("downloads");
    fetch(&inputs, &lock, "trixie", &lock.packages_of("web"), &folder, &NoProgress).expect("they are there");
}

#[test]
fn the_time_of_the_lock_finds_the_archive_of_past_packages() {
    let (archive, lock) = locked();
    let past = archive.folder.path().join("past/20251101T060000Z");
    std::fs::create_dir_all(&past).expect("it can be made");
    std::fs::rename(archive.root().join("pool"), past.join("pool")).expect("it is there");
    let mut inputs = archive.inputs();
    inputs.mirrors.past = vec![archive.folder.path().join("past/@SNAPSHOTID@").display().to_string()];
    let lock = Lock::parse(lock.text().as_bytes(), std::path::Path::new("nival.lock")).expect("it is a lock");
    let folder = archive.folder.path().join("downloads");
    fetch(&inputs, &lock, "trixie", &lock.packages_of("web"), &folder, &NoProgress).expect("they are there");
}

#[test]
fn a_package_with_one_flipped_byte_is_refused() {
    let (archive, lock) = locked();
    let path = archive.root().join("pool/b_1_amd64.deb");
    let mut bytes = std::fs::read(&path).expect("it is there");
    bytes[3] ^= 1;
    std::fs::write(&path, bytes).expect("it can be written");
    assert_eq!(run(&archive, &lock).expect_err("it is another").diagnostic().entry.code, "NV0703");
}
