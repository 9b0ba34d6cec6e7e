//! Every `tests/lang/NAME.nix` evaluates to `NAME.exp`, which C++ Nix wrote.

use crate::disk_world::DiskWorld;
use nival_diagnostics::{RenderOptions, render};
use nival_eval::{Evaluator, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("it can be done")
        .map(|entry| entry.expect("it can be done").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "nix"))
        .collect();
    found.sort();
    found
}

fn evaluate(path: &Path, settings: Settings) -> String {
    let mut evaluator = Evaluator::new(Rc::new(DiskWorld::default()), settings);
    let result = evaluator.import(&path.to_string_lossy()).and_then(|value| evaluator.force_deep(value));
    match result {
        Ok(value) => evaluator.print(value),
        Err(error) => render(&error.diagnostic(), evaluator.sources(), RenderOptions::default()),
    }
}

#[test]
fn cases_evaluate_as_in_nix() {
    compare(&Settings::default());
}

/// Collecting every few calls, where what is free holds nonsense.
#[test]
fn cases_evaluate_the_same_while_values_are_collected() {
    compare(&Settings { collect_from: 1, collect_always: true, ..Settings::default() });
}

fn compare(settings: &Settings) {
    let mut wrong = Vec::new();
    for path in cases() {
        // Searching its stack of some hundred MiB again and again would take minutes.
        if settings.collect_always && path.file_stem().is_some_and(|name| name == "deep") {
            continue;
        }
        let folder = path.parent().expect("it can be done").to_string_lossy().into_owned();
        let got = evaluate(&path, settings.clone()).replace(&folder, "/pwd");
        let expected = fs::read_to_string(path.with_extension("exp")).expect("it can be done");
        if got.trim_end() != expected.trim_end() {
            wrong.push(format!("{}\n  expected {expected}\n  got      {got}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_golden_has_its_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    for entry in fs::read_dir(folder).expect("it can be done") {
        let path = entry.expect("it can be done").path();
        if path.extension().is_some_and(|extension| extension == "exp") {
            assert!(path.with_extension("nix").exists(), "{} has no case", path.display());
        }
    }
}

#[test]
fn what_is_read_is_printed_as_nix_prints_it() {
    let text = r####"{ a, b ? 1, ... }@args: let inherit (a) x y; z = ./p/q; in rec { inherit z; v = a.b."c d" or (-x); w = [ (x < y) (x >= 1) (a.b.c x y) <n/m> ./a/${z}/b 1.5 ]; "if" = x |> v; ${x} = ''a ''$ b${"c"}''; q = a ? b.c && !(x -> y) || a // b != x ++ y; r = with a; assert b; if x then y - 1 else x * y / 2; s = let { body = 1; }; f = (a b) x; t = "x${y}z\n\${"; }"####;
    let wanted = r####"({ a, b ? 1, ... } @ args: (let inherit (a) x y; z = /tmp/p/q; in rec { inherit z; f = (a b x); "if" = (v x); q = ((((a) ? b.c) && (! (x -> y))) || ((a // b) != (x ++ y))); r = (with a; assert b; (if x then (__sub y 1) else (__div (__mul x y) 2))); s = (rec { body = 1; }).body; t = ("x" + y + "z\n\${"); v = (a).b."c d" or ((__sub 0 x)); w = [ ((__lessThan x y)) ((! (__lessThan x 1))) (((a).b.c x y)) ((__findFile __nixPath "n/m")) ((/tmp/a/ + z + "/b")) (1.5) ]; "${x}" = ("a " + "$" + " b" + "c"); }))"####;
    let mut evaluator = Evaluator::new(Rc::new(DiskWorld::default()), Settings::default());
    let got = evaluator.print_parsed("(text)", text.as_bytes(), "/tmp").expect("it is well-formed");
    assert_eq!(String::from_utf8_lossy(&got), wanted);
    assert!(evaluator.print_parsed("(text)", b"{ a = ; }", "/").is_err());
}

#[test]
fn pipes_are_printed_as_one_call_with_what_is_called() {
    let text = "a: f: g: [ (a |> f 1 |> g 2 3) (f <| g 1 <| a) ((a |> f) g) (a |> (x: x)) ]";
    let wanted = "(a: (f: (g: [ ((g 2 3 (f 1 a))) ((f (g 1 a))) ((f a g)) (((x: x) a)) ])))";
    let mut evaluator = Evaluator::new(Rc::new(DiskWorld::default()), Settings::default());
    let got = evaluator.print_parsed("(text)", text.as_bytes(), "/tmp").expect("it is well-formed");
    assert_eq!(String::from_utf8_lossy(&got), wanted);
}
