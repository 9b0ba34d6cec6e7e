//! Module systems of trees of their own: native code gives what the language gives, and only where it is asked to.

use super::session;
use nival_engine::{Session, SessionOptions};
use nival_store::LocalStore;
use std::path::Path;
use std::sync::Arc;

const FILES: [(&str, &str); 5] = [
    ("default.nix", include_str!("native_modules/default.nix")),
    ("modules.nix", include_str!("native_modules/modules.nix")),
    ("options.nix", include_str!("native_modules/options.nix")),
    ("types.nix", include_str!("native_modules/types.nix")),
    ("cases.nix", include_str!("native_modules/cases.nix")),
];

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text).expect("a file of the tree");
    }
    folder
}

fn evaluated(session: &mut Session, folder: &Path, name: &str) -> String {
    let text = format!("builtins.toJSON (import {0}/cases.nix (import {0})).{name}", folder.display());
    let value = session.evaluator().eval_text("(test)", &text, "/", None);
    let value = value.unwrap_or_else(|error| panic!("{name}: {}", error.diagnostic().message));
    session.evaluator().expect_string(value).expect("a text")
}

fn names(session: &mut Session, folder: &Path) -> Vec<String> {
    let text = format!(
        "builtins.concatStringsSep \" \" (builtins.attrNames (import {0}/cases.nix (import {0})))",
        folder.display()
    );
    let value = session.evaluator().eval_text("(test)", &text, "/", None).expect("the names of the cases");
    let names = session.evaluator().expect_string(value).expect("a text");
    names.split(' ').map(str::to_owned).collect()
}

#[test]
fn native_modules_give_what_the_language_gives() {
    let tree = tree();
    let (_one, mut plain) = session();
    let (_other, mut native) = session();
    native.trust_module_system(&tree.path().display().to_string());
    for name in names(&mut plain, tree.path()) {
        let expected = evaluated(&mut plain, tree.path(), &name);
        assert_eq!(evaluated(&mut native, tree.path(), &name), expected, "{name}");
    }
    assert!(native.module_systems()[0].contains("native, as"), "{:?}", native.module_systems());
    assert!(plain.module_systems()[0].contains("not native"), "{:?}", plain.module_systems());
}

#[test]
fn native_modules_are_the_same_while_values_are_collected() {
    let tree = tree();
    let (_one, mut plain) = session();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = LocalStore::open(folder.path()).expect("an empty store");
    let mut options = SessionOptions { system: "x86_64-linux".to_owned(), ..SessionOptions::default() };
    (options.settings.collect_from, options.settings.collect_always) = (1, true);
    let mut native = Session::new(Arc::new(store), options);
    native.trust_module_system(&tree.path().display().to_string());
    for name in names(&mut plain, tree.path()) {
        let expected = evaluated(&mut plain, tree.path(), &name);
        assert_eq!(evaluated(&mut native, tree.path(), &name), expected, "{name}");
    }
}

#[test]
fn a_module_system_that_was_not_compared_is_evaluated_as_it_is_written() {
    let tree = tree();
    let (_store, mut session) = session();
    evaluated(&mut session, tree.path(), "defaults");
    let notes = session.module_systems();
    let expected = format!(
        "the modules of {}: not native, since this state of them was not compared",
        tree.path().display()
    );
    assert_eq!(notes, [expected]);
}

#[test]
fn an_error_of_native_modules_names_the_option_and_the_place() {
    let tree = tree();
    let (_store, mut session) = session();
    session.trust_module_system(&tree.path().display().to_string());
    let text = format!(
        "let lib = import {}; in (lib.evalModules {{ modules = [ {{ options.a.b = lib.mkOption {{ type = lib.types.int; }}; config.a.b = \"text\"; }} ]; }}).config.a.b",
        tree.path().display()
    );
    let error = session.evaluator().eval_text("(test)", &text, "/", None).expect_err("a wrong type");
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.entry.code, "NV0302");
    assert!(diagnostic.message.contains("`a.b`"), "{}", diagnostic.message);
    let label = diagnostic.labels.first().expect("the place of the definition");
    assert_eq!(label.text, "defined here");
    let marked = text.get(label.span.start as usize..label.span.end as usize);
    assert_eq!(marked, Some("config.a.b"));
}
