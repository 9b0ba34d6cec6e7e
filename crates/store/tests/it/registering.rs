//! What is registered, by whom and with which claims; questions over many paths.

use crate::{code, store, text};
use nival_store::{Error, Follow, LocalStore, PathInfo, Realisation, StoreConfig, archive};
use nival_store_model::derivation::{Modulo, Output, OutputKind};
use nival_store_model::{Algorithm, ContentAddress, ContentMethod, Derivation, Hash, StoreDir, StorePath};
use std::collections::BTreeSet;
use std::fs;

fn path(text: &str) -> StorePath {
    StorePath::parse(text).expect("a path")
}

/// A file at the place of a path, and what is to be registered of it.
fn placed(store: &LocalStore, path: &StorePath, contents: &str) -> PathInfo {
    let place = store.physical(path);
    fs::write(&place, contents).expect("written");
    nival_store::canonicalise(&place).expect("canonical");
    let (hash, size) = archive::hash(&place, None).expect("hashed");
    PathInfo::new(path.clone(), hash, size)
}

fn derivation(name: &str) -> Derivation {
    let mut drv = Derivation {
        name: name.to_owned(),
        system: b"x86_64-linux".to_vec(),
        builder: b"/bin/sh".to_vec(),
        ..Derivation::default()
    };
    drv.outputs.insert("out".to_owned(), Output { kind: OutputKind::Deferred });
    drv.environment.insert(b"out".to_vec(), Vec::new());
    drv
}

#[test]
fn everything_of_a_path_is_kept() {
    let (_folder, store) = store();
    let reference = text(&store, "a", "a", &[]);
    let itself = path("11111111111111111111111111111111-b");
    let mut info = placed(&store, &itself, "b");
    info.references = vec![itself.clone(), reference.clone()];
    info.deriver = Some(path("00000000000000000000000000000000-b.drv"));
    info.signatures = BTreeSet::from(["k:AAAA".to_owned()]);
    info.ultimate = true;
    info.registered = 1234;
    store.register_all(std::slice::from_ref(&info)).expect("registered");
    info.references.sort();
    assert_eq!(store.info(&itself).expect("asked"), Some(info));
    store.add_signatures(&itself, &BTreeSet::from(["l:BBBB".to_owned()])).expect("signed");
    assert_eq!(store.valid_info(&itself).expect("asked").signatures.len(), 2);
    assert_eq!(store.referrers(&reference).expect("asked"), std::slice::from_ref(&itself));
    assert_eq!(store.path_from_hash_part(itself.hash_part()).expect("asked"), Some(itself.clone()));
    assert_eq!(store.path_from_hash_part("22222222222222222222222222222222").expect("asked"), None);
    assert_eq!(store.closure(std::slice::from_ref(&itself)).expect("asked"), [itself, reference]);
}

#[test]
fn added_things_have_their_address() {
    let (_folder, store) = store();
    let plain = text(&store, "t", "t", &[]);
    let info = store.valid_info(&plain).expect("asked");
    assert_eq!(info.content_address, Some(ContentAddress::text(Hash::sha256(b"t"))));
    let address = ContentAddress { method: ContentMethod::Flat, hash: Hash::sha256(b"f") };
    let file = address.path(store.dir(), "f", &Default::default()).expect("named");
    store.add_file_at(&file, b"f", &address).expect("added");
    assert_eq!(store.valid_info(&file).expect("asked").content_address, Some(address));
}

#[test]
fn claimed_address_is_checked() {
    let (_folder, store) = store();
    let mut info = placed(&store, &path("11111111111111111111111111111111-b"), "b");
    info.content_address = Some(ContentAddress::text(Hash::sha256(b"other")));
    assert_eq!(code(store.register_all(&[info])), "NV0511");
}

#[test]
fn claimed_hash_is_checked() {
    let (_folder, store) = store();
    let staged = store.staging("x");
    fs::write(&staged, "x").expect("written");
    let info = PathInfo::new(path("11111111111111111111111111111111-x"), Hash::sha256(b"y"), 3);
    assert_eq!(code(store.adopt_as(&staged, &info)), "NV0512");
    assert!(!store.is_valid(&info.path).expect("asked"));
}

#[test]
fn unknown_path_is_said() {
    let (_folder, store) = store();
    let unknown = path("11111111111111111111111111111111-x");
    assert_eq!(code(store.closure(std::slice::from_ref(&unknown))), "NV0509");
    assert_eq!(code(store.add_signatures(&unknown, &BTreeSet::new())), "NV0509");
}

#[test]
fn referred_path_stays() {
    let (_folder, store) = store();
    let below = text(&store, "a", "a", &[]);
    let above = text(&store, "b", "b", std::slice::from_ref(&below));
    assert_eq!(code(store.remove_unreferenced(&below)), "NV0510");
    store.remove_unreferenced(&above).expect("removed");
    store.remove_unreferenced(&below).expect("removed");
    assert!(!store.physical(&below).exists());
    assert_eq!(store.all().expect("asked"), []);
}

#[test]
fn folder_has_no_bytes() {
    let (_folder, store) = store();
    let staged = store.staging("x");
    fs::create_dir(&staged).expect("made");
    assert_eq!(code(store.adopt_fixed("x", &staged, ContentMethod::Flat, Algorithm::Sha256)), "NV0508");
}

#[test]
fn git_address_is_what_git_says() {
    let (_folder, store) = store();
    let staged = store.staging("x");
    fs::create_dir(&staged).expect("made");
    fs::write(staged.join("a"), "hello\n").expect("written");
    // git init; printf 'hello\n' > a; git add a; git write-tree
    let hash = archive::content_hash(&staged, ContentMethod::Git, Algorithm::Sha1).expect("hashed");
    assert_eq!(hash.base16(), "0976950c1fdbcb52435a433913017bf044b3a58f");
}

#[test]
fn damaged_derivation_is_said() {
    let (_folder, store) = store();
    let drv = text(&store, "a.drv", "nonsense", &[]);
    assert_eq!(code(store.read_derivation(&drv)), "NV0513");
}

#[test]
fn forged_output_is_refused() {
    let (_folder, store) = store();
    let mut forged = derivation("a");
    let victim = path("11111111111111111111111111111111-a");
    forged.outputs.insert("out".to_owned(), Output { kind: OutputKind::InputAddressed(victim) });
    let drv = forged.path(store.dir()).expect("named");
    let text = forged.to_aterm(store.dir()).expect("written");
    let info = placed(&store, &drv, std::str::from_utf8(&text).expect("text"));
    assert_eq!(code(store.register_all(&[info])), "NV0514");
}

#[test]
fn derivation_knows_its_outputs() {
    let (_folder, store) = store();
    let mut drv = derivation("a");
    drv.fill_outputs(store.dir(), |_| Ok::<_, Error>(Modulo::Deferred)).expect("filled");
    let added = store.add_derivation(&drv).expect("added");
    let outputs = store.outputs_of(&added).expect("asked");
    let output = outputs["out"].clone().expect("known");
    assert_eq!(store.valid_derivers(&output).expect("asked"), std::slice::from_ref(&added));
    let info = placed(&store, &output, "built");
    store.register_all(&[info]).expect("registered");
    let follow = Follow { outputs: true, ..Follow::default() };
    assert_eq!(store.closure_with(std::slice::from_ref(&added), follow).expect("asked").len(), 2);
    assert_eq!(store.read_derivation(&added).expect("read"), drv);
}

fn add_soon(store: &LocalStore, derivation: &Derivation) -> StorePath {
    let file = derivation.file(store.dir()).expect("a name");
    let path = file.path.clone();
    store.add_derivation_soon(file, derivation).expect("added");
    path
}

#[test]
fn derivations_of_one_evaluation_are_written_together() {
    let (_folder, store) = store();
    let mut paths = Vec::new();
    for number in 0..1700 {
        let mut drv = derivation(&format!("d{number}"));
        if let Some(before) = paths.last() {
            drv.input_derivations.insert(StorePath::clone(before), BTreeSet::from(["out".to_owned()]));
        }
        drv.fill_outputs(store.dir(), |_| Ok::<_, Error>(Modulo::Deferred)).expect("filled");
        paths.push(add_soon(&store, &drv));
    }
    let written = paths.iter().filter(|path| store.physical(path).exists()).count();
    assert_eq!(written, 1600, "twice as many as may wait");
    // Any question comes behind them.
    assert_eq!(store.valid_of(&paths).expect("asked").len(), paths.len());
    let again = add_soon(&store, &store.read_derivation(&paths[9]).expect("read"));
    assert_eq!(again, paths[9]);
    assert_eq!(store.verify(true).expect("verified"), vec![]);
    assert_eq!(store.all().expect("asked").len(), paths.len());
}

#[test]
fn derivation_that_cannot_be_written_is_said_until_it_can() {
    let (folder, store) = store();
    let mut drv = derivation("a");
    drv.fill_outputs(store.dir(), |_| Ok::<_, Error>(Modulo::Deferred)).expect("filled");
    let path = add_soon(&store, &drv);
    // A folder that is in the way of its lock.
    let lock = folder.path().join(format!("nix/store/{}.lock", path.base_name()));
    fs::create_dir_all(&lock).expect("made");
    assert_eq!(code(store.write_pending()), "NV0502");
    assert_eq!(code(store.is_valid(&path)), "NV0502");
    fs::remove_dir(&lock).expect("removed");
    assert!(store.is_valid(&path).expect("asked"));
}

#[test]
fn second_realisation_is_refused() {
    let (_folder, store) = store();
    let mut drv = derivation("a");
    let floating = OutputKind::Floating { method: ContentMethod::Recursive, algorithm: Algorithm::Sha256 };
    drv.outputs.insert("out".to_owned(), Output { kind: floating });
    let added = store.add_derivation(&drv).expect("added");
    assert_eq!(store.outputs_of(&added).expect("asked")["out"], None);
    let hash = store.output_hashes(&drv).expect("hashed")["out"].clone();
    let (one, two) = (text(&store, "a", "1", &[]), text(&store, "a", "2", &[]));
    let realised = |path: &StorePath| Realisation {
        derivation: hash.clone(),
        output: "out".to_owned(),
        path: path.clone(),
        signatures: BTreeSet::new(),
    };
    store.register_realisation(&realised(&one)).expect("registered");
    store.register_realisation(&realised(&one)).expect("registered again");
    assert_eq!(code(store.register_realisation(&realised(&two))), "NV0515");
    assert_eq!(store.outputs_of(&added).expect("asked")["out"], Some(one));
}

#[test]
fn another_logical_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = StoreConfig {
        logical: StoreDir::new("/other/store"),
        physical: folder.path().join("store"),
        state: folder.path().join("state"),
        log: folder.path().join("log"),
        settings: Default::default(),
    };
    let store = LocalStore::open_with(config).expect("opened");
    let added = text(&store, "foo", "bar", &[]);
    assert_ne!(added.base_name(), "vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-foo");
    assert!(folder.path().join("store").join(added.base_name()).exists());
    assert_eq!(store.verify(true).expect("verified"), vec![]);
}

#[test]
fn store_that_is_only_read_must_exist() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = StoreConfig::below(folder.path());
    config.settings.read_only = true;
    assert_eq!(code(LocalStore::open_with(config.clone())), "NV0518");
    let writable = LocalStore::open(folder.path()).expect("opened");
    let added = text(&writable, "foo", "bar", &[]);
    drop(writable);
    let store = LocalStore::open_with(config).expect("opened");
    assert!(store.is_valid(&added).expect("asked"));
    assert_eq!(store.add_text("foo", b"bar", &[]).expect("it is there already"), added);
    assert_eq!(store.verify(true).expect("verified"), vec![]);
}

#[test]
fn exported_paths_can_be_imported() {
    let (_folder, store) = store();
    let below = text(&store, "below", "1", &[]);
    let above = text(&store, "above", "2", std::slice::from_ref(&below));
    let mut whole = Vec::new();
    store.export(&[above.clone(), below.clone()], &mut whole).expect("exported");
    let mut alone = Vec::new();
    store.export(std::slice::from_ref(&above), &mut alone).expect("exported");
    let (_other_folder, other) = crate::store();
    assert_eq!(code(other.import(&mut &alone[..])), "NV0507");
    assert_eq!(other.import(&mut &whole[..]).expect("imported"), [below.clone(), above.clone()]);
    assert_eq!(other.references(&above).expect("asked"), [below]);
    assert_eq!(other.verify(true).expect("verified"), vec![]);
    for cut in [8, 100, whole.len() - 1] {
        assert_ne!(code(other.import(&mut &whole[..cut])), "none", "cut at {cut}");
    }
}

#[test]
fn what_is_wrong_is_mended_where_it_can_be() {
    use nival_store::{Corruption, Remedy, Verification};
    let (_folder, store) = store();
    let below = text(&store, "below", "1", &[]);
    let above = text(&store, "above", "2", std::slice::from_ref(&below));
    let alone = text(&store, "alone", "3", &[]);
    for path in [&below, &alone] {
        fs::remove_file(store.physical(path)).expect("removed");
    }
    let place = store.physical(&above);
    fs::remove_file(&place).expect("removed");
    fs::write(&place, "other").expect("written");
    let mut repair = |path: &StorePath| {
        if *path == above {
            fs::write(&place, "2").map_err(|error| error.to_string())
        } else {
            Err("nowhere to fetch it from".to_owned())
        }
    };
    let how = Verification { contents: true, forget: true, repair: Some(&mut repair) };
    let found = store.verify_with(how, &mut |_| {}).expect("verified");
    let remedy = |path: &StorePath| {
        found.iter().find_map(|(corruption, remedy)| match corruption {
            Corruption::Missing(found) | Corruption::Modified { path: found, .. } if found == path => {
                Some(*remedy)
            }
            _ => None,
        })
    };
    assert_eq!(remedy(&alone), Some(Remedy::Forgotten));
    assert_eq!(remedy(&below), Some(Remedy::None), "above needs it");
    assert_eq!(remedy(&above), Some(Remedy::Repaired));
    assert!(!store.is_valid(&alone).expect("asked"));
}

#[test]
fn many_may_open_a_new_store_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::thread::scope(|scope| {
            let open = || LocalStore::open(folder.path()).map(|_| ());
            let all: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
            for one in all {
                one.join().expect("ends").expect("opened");
            }
        });
    }
}
