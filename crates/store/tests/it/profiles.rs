//! Profiles and their generations.

use crate::caches::done;
use nival_store::{LocalStore, Profile};

#[test]
fn generations_are_made_switched_and_removed() {
    let folder = tempfile::tempdir().expect("it can be done");
    let store = done(LocalStore::open(folder.path()));
    let profile = Profile::new(&folder.path().join("profiles/own"));
    assert!(done(profile.generations()).all.is_empty());
    let (one, two) = (done(store.add_text("one", b"1", &[])), done(store.add_text("two", b"2", &[])));
    {
        let _lock = done(profile.lock());
        for path in [&one, &one, &two] {
            done(profile.set(&store, path));
        }
    }
    let found = done(profile.generations());
    assert_eq!(found.all.iter().map(|generation| generation.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(found.current, Some(2));
    assert_eq!(profile.link().read_link().expect("a link").to_str(), Some("own-2-link"));
    done(profile.switch_to(found.previous().expect("there is one")));
    assert_eq!(done(profile.generations()).current, Some(1));
    assert_eq!(done(profile.delete(&[1, 2, 3])), [2], "the current one stays");
    // A generation of a number that was removed is a new one.
    assert_eq!(done(profile.set(&store, &two)).number, 2);
    let roots = done(store.roots(&mut |_| {}));
    assert!(roots.iter().any(|root| format!("{root:?}").contains("own-1-link")), "{roots:?}");
}
