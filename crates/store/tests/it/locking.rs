//! Locks, temporary roots, and links between equal files.

use crate::{store, text};
use nival_store_model::StorePath;
use nival_sys::lock::{self, Kind};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;

#[test]
fn lock_is_held_by_one() {
    let (_folder, store) = store();
    let path = StorePath::parse("11111111111111111111111111111111-b").expect("a path");
    let all = std::slice::from_ref(&path);
    let first = store.lock_paths(all, false).expect("locked").expect("free");
    let name = store.physical(&path).with_file_name("11111111111111111111111111111111-b.lock");
    assert!(name.exists());
    assert!(store.lock_paths(all, false).expect("asked").is_none());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.wait_for_locks(all).expect("locked at last"));
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!waiting.is_finished());
        first.finish();
        // The one that waited has a file of its own now: the first one's is gone.
        let second = waiting.join().expect("no panic");
        assert!(name.exists());
        assert!(store.lock_paths(all, false).expect("asked").is_none());
        second.finish();
    });
    assert!(!name.exists());
}

#[test]
fn temporary_roots_are_written_and_removed() {
    let (folder, store) = store();
    let path = StorePath::parse("11111111111111111111111111111111-b").expect("a path");
    store.temp_root(&path).expect("a root");
    store.temp_root(&path).expect("a root once");
    let file = folder.path().join("nix/var/nix/temproots").join(std::process::id().to_string());
    assert_eq!(fs::read_to_string(&file).expect("read"), format!("/nix/store/{path}\0"));
    let other = File::open(&file).expect("opened");
    assert!(!lock::take(&other, Kind::Shared, false).expect("asked"), "a collector sees that we live");
    drop(store);
    assert!(!file.exists());
}

#[test]
fn running_collector_is_told() {
    let (folder, store) = store();
    let state = folder.path().join("nix/var/nix");
    let path = text(&store, "a", "a", &[]);
    let collector = File::options().write(true).create(true).truncate(false).open(state.join("gc.lock"));
    let collector = collector.expect("opened");
    assert!(lock::take(&collector, Kind::Exclusive, true).expect("locked"));
    fs::create_dir(state.join("gc-socket")).expect("made");
    let socket = UnixListener::bind(state.join("gc-socket/socket")).expect("bound");
    // Also of a path that was a root before it began: it may have read that list already when this program ends.
    let told = std::thread::spawn(move || {
        let (stream, _) = socket.accept().expect("connected");
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).expect("read");
        (&stream).write_all(b"1").expect("answered");
        line
    });
    store.temp_root(&path).expect("a root");
    assert_eq!(told.join().expect("no panic"), format!("/nix/store/{path}\n"));
}

#[test]
fn a_file_that_was_changed_in_its_place_is_shared_no_more() {
    let (_folder, store) = store();
    let damaged = text(&store, "a", "same", &[]);
    store.optimise(&mut |_| {}).expect("optimised");
    let place = store.physical(&damaged);
    let change = |bytes: &str| {
        fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).expect("writable");
        fs::write(&place, bytes).expect("written");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o444)).expect("sealed");
    };
    // Its time tells it.
    change("XXXX");
    let second = text(&store, "b", "same", &[]);
    store.optimise_path(&second).expect("optimised");
    assert_eq!(fs::read_to_string(store.physical(&second)).expect("read"), "same");
    // Nothing but the contents tells it.
    let place = store.physical(&second);
    fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).expect("writable");
    fs::write(&place, "YYYY").expect("written");
    nival_store::canonicalise(&place).expect("canonical");
    let third = text(&store, "c", "same", &[]);
    store.optimise_mended(&third).expect("optimised");
    assert_eq!(fs::read_to_string(store.physical(&third)).expect("read"), "same");
}

#[test]
fn equal_files_become_one() {
    let (folder, store) = store();
    let source = folder.path().join("source");
    fs::create_dir(&source).expect("made");
    fs::write(source.join("a"), "same").expect("written");
    fs::write(source.join("b"), "same").expect("written");
    let tree = store.add_tree("source", &source, &mut |_, _| Ok(true)).expect("added");
    let alone = text(&store, "c", "same", &[]);
    let done = store.optimise(&mut |_| {}).expect("optimised");
    assert_eq!((done.files, done.bytes), (2, 8));
    let inode = |path: std::path::PathBuf| path.metadata().expect("there").ino();
    let tree = store.physical(&tree);
    assert_eq!(inode(tree.join("a")), inode(tree.join("b")));
    assert_eq!(inode(tree.join("a")), inode(store.physical(&alone)));
    assert_eq!(
        (tree.metadata().expect("there").mode() & 0o7777, tree.metadata().expect("there").mtime()),
        (0o555, 1)
    );
    assert_eq!(store.verify(true).expect("verified"), vec![]);
    assert_eq!(store.optimise(&mut |_| {}).expect("again").files, 0);
}
