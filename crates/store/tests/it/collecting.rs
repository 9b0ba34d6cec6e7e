//! The garbage collector: what goes, what stays, and why.

use crate::{code, store, text};
use nival_store::{DeleteOptions, GcAction, GcOptions, GcResult, LocalStore, Root, RootSource, StoreConfig};
use nival_store_model::StorePath;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A store whose temporary roots are gone, as another program sees it.
fn settled(folder: &Path, change: impl FnOnce(&mut StoreConfig)) -> LocalStore {
    let mut config = StoreConfig::below(folder);
    change(&mut config);
    LocalStore::open_with(config).expect("opened")
}

/// Makes a root as another program does: its temporary roots go with it.
fn root(folder: &Path, link: &str, path: &StorePath) {
    settled(folder, |_| {}).add_indirect_root(&folder.join(link), path).expect("a root");
}

fn collect(store: &LocalStore, action: GcAction) -> GcResult {
    let options = GcOptions { action, ..GcOptions::default() };
    store.collect_garbage(&options, &mut |_| {}).expect("collected")
}

fn names(paths: &[&StorePath]) -> BTreeSet<String> {
    paths.iter().map(|path| path.base_name().to_owned()).collect()
}

fn set(result: GcResult) -> BTreeSet<String> {
    result.names.into_iter().collect()
}

#[test]
fn what_no_root_leads_to_goes() {
    let (folder, store) = store();
    let below = text(&store, "below", "1", &[]);
    let above = text(&store, "above", "2", std::slice::from_ref(&below));
    let dead = text(&store, "dead", "3", &[]);
    let dead_too = text(&store, "dead-too", "4", &[dead.clone(), below.clone()]);
    drop(store);
    root(folder.path(), "result", &above);
    let store = settled(folder.path(), |_| {});
    fs::write(store.physical(&dead).with_file_name("stray"), "stray").expect("written");
    fs::create_dir(store.physical(&dead).with_file_name("tmp-1-1")).expect("made");
    assert_eq!(set(collect(&store, GcAction::Live)), names(&[&below, &above]));
    assert_eq!(set(collect(&store, GcAction::Dead)), names(&[&dead, &dead_too]));
    let done = collect(&store, GcAction::Delete);
    assert_eq!(done.bytes, 7);
    assert_eq!(done.names.len(), 4);
    assert_eq!(
        store.all().expect("asked"),
        [above.clone(), below.clone()].into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    assert_eq!(store.verify(true).expect("verified"), vec![]);
    let left: BTreeSet<_> = store
        .config()
        .physical
        .read_dir()
        .expect("read")
        .map(|entry| entry.expect("read").file_name().into_string().expect("text"))
        .collect();
    let mut wanted = names(&[&below, &above]);
    wanted.insert(".links".to_owned());
    assert_eq!(left, wanted);
    fs::remove_file(folder.path().join("result")).expect("removed");
    assert_eq!(set(collect(&store, GcAction::Delete)), names(&[&below, &above]));
    assert_eq!(
        store.state().join("gcroots/auto").read_dir().expect("read").count(),
        0,
        "the stale link is gone"
    );
}

#[test]
fn every_kind_of_root_counts() {
    let (folder, store) = store();
    let all: Vec<_> = ["direct", "profile", "file", "indirect", "environment", "named"]
        .iter()
        .map(|name| text(&store, name, name, &[]))
        .collect();
    let state = store.state().to_owned();
    let print = |path: &StorePath| store.dir().print(path);
    symlink(print(&all[0]), state.join("gcroots/direct")).expect("linked");
    symlink(print(&all[1]), state.join("profiles/default-1-link")).expect("linked");
    fs::write(state.join("gcroots").join(all[2].base_name()), "").expect("written");
    let mut child =
        std::process::Command::new("sleep").arg("100").env("USED", print(&all[4])).spawn().expect("started");
    let options = GcOptions {
        action: GcAction::Live,
        roots: vec![Root { path: all[5].clone(), source: RootSource::Named("test".to_owned()) }],
        ..GcOptions::default()
    };
    drop(store);
    root(folder.path(), "sub/result", &all[3]);
    let store = settled(folder.path(), |_| {});
    let live = store.collect_garbage(&options, &mut |_| {}).expect("collected");
    let found = store.roots(&mut |_| {}).expect("found");
    child.kill().expect("killed");
    child.wait().expect("waited");
    assert_eq!(set(live), names(&all.iter().collect::<Vec<_>>()));
    let text: Vec<_> = found.iter().map(|root| root.source.to_string()).collect();
    assert!(text.contains(&folder.path().join("sub/result").display().to_string()), "{text:?}");
    assert!(text.contains(&format!("/proc/{}/environ", child.id())), "{text:?}");
}

#[test]
fn derivations_and_outputs_are_kept_as_asked() {
    use nival_store::{PathInfo, archive};
    use nival_store_model::derivation::{Modulo, Output, OutputKind};
    let (folder, store) = store();
    let mut drv = nival_store_model::Derivation { name: "a".to_owned(), ..Default::default() };
    drv.outputs.insert("out".to_owned(), Output { kind: OutputKind::Deferred });
    drv.fill_outputs(store.dir(), |_| Ok::<_, nival_store::Error>(Modulo::Deferred)).expect("filled");
    let derivation = store.add_derivation(&drv).expect("added");
    let output = store.outputs_of(&derivation).expect("asked")["out"].clone().expect("known");
    fs::write(store.physical(&output), "built").expect("written");
    nival_store::canonicalise(&store.physical(&output)).expect("canonical");
    let (hash, size) = archive::hash(&store.physical(&output), None).expect("hashed");
    let info = PathInfo { deriver: Some(derivation.clone()), ..PathInfo::new(output.clone(), hash, size) };
    store.register_all(&[info]).expect("registered");
    drop(store);
    for (keep_derivations, keep_outputs, start, stays) in [
        (true, false, &output, vec![&output, &derivation]),
        (false, false, &output, vec![&output]),
        (true, true, &derivation, vec![&output, &derivation]),
        (true, false, &derivation, vec![&derivation]),
    ] {
        root(folder.path(), "result", start);
        let store = settled(folder.path(), |config| {
            config.settings.keep_derivations = keep_derivations;
            config.settings.keep_outputs = keep_outputs;
        });
        assert_eq!(set(collect(&store, GcAction::Live)), names(&stays));
    }
}

#[test]
fn limit_stops_the_collection() {
    let (folder, store) = store();
    for number in 0..10 {
        text(&store, &format!("dead-{number}"), "12345678", &[]);
    }
    drop(store);
    let store = settled(folder.path(), |_| {});
    let options = GcOptions { max_freed: Some(20), ..GcOptions::default() };
    let done = store.collect_garbage(&options, &mut |_| {}).expect("collected");
    assert_eq!((done.names.len(), done.bytes), (3, 24));
    assert_eq!(store.all().expect("asked").len(), 7);
}

#[test]
fn rooted_path_is_not_deleted() {
    let (folder, store) = store();
    let below = text(&store, "below", "1", &[]);
    let above = text(&store, "above", "2", std::slice::from_ref(&below));
    drop(store);
    root(folder.path(), "result", &above);
    let store = settled(folder.path(), |_| {});
    let delete = |paths: &[&StorePath], ignore_liveness| {
        let paths: Vec<_> = paths.iter().map(|path| (*path).clone()).collect();
        store.delete_paths(&paths, DeleteOptions { ignore_liveness }, &mut |_| {})
    };
    assert_eq!(code(delete(&[&above], false)), "NV0516");
    assert_eq!(code(delete(&[&below], true)), "NV0516");
    assert_eq!(delete(&[&below, &above], true).expect("deleted").bytes, 2);
    assert_eq!(store.all().expect("asked"), []);
}

#[test]
fn file_in_place_of_a_root_stays() {
    let (folder, store) = store();
    let path = text(&store, "a", "1", &[]);
    let file = folder.path().join("notes.txt");
    fs::write(&file, "mine").expect("written");
    assert_eq!(code(store.add_indirect_root(&file, &path)), "NV0517");
    assert_eq!(fs::read_to_string(&file).expect("read"), "mine");
}

#[test]
fn adding_while_collecting_loses_nothing() {
    let (folder, store) = store();
    for number in 0..600 {
        text(&store, "old", &number.to_string(), &[]);
    }
    drop(store);
    let store = settled(folder.path(), |_| {});
    let added = std::thread::scope(|scope| {
        let adding = scope.spawn(|| {
            let mut previous: Vec<StorePath> = Vec::new();
            for number in 0..150 {
                let path = text(&store, "old", &(number * 4).to_string(), &[]);
                previous.push(text(&store, "new", &number.to_string(), &[path]));
            }
            previous
        });
        while !adding.is_finished() {
            collect(&store, GcAction::Delete);
        }
        adding.join().expect("no panic")
    });
    for path in &added {
        assert!(store.is_valid(path).expect("asked"), "{path} is gone");
    }
    assert_eq!(store.verify(true).expect("verified"), vec![]);
}
