//! What must end in a coded error, and never in a crash.

use crate::disk_world::DiskWorld;
use nival_eval::{EvalResult, Evaluator, Settings};
use std::rc::Rc;
use std::sync::atomic::Ordering;

fn evaluator(settings: Settings) -> Evaluator {
    Evaluator::new(Rc::new(DiskWorld::default()), settings)
}

fn run(evaluator: &mut Evaluator, text: &str) -> EvalResult {
    let value = evaluator.eval_text("test", text, "/", None)?;
    evaluator.force_deep(value)
}

fn code(evaluator: &mut Evaluator, text: &str) -> String {
    match run(evaluator, text) {
        Ok(value) => evaluator.print(value),
        Err(error) => error.diagnostic().entry.code.to_owned(),
    }
}

#[test]
fn interruption_ends_an_evaluation() {
    let mut evaluator = evaluator(Settings::default());
    evaluator.interrupt_flag().store(true, Ordering::Relaxed);
    assert_eq!(
        code(&mut evaluator, "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 10000)"),
        "NV0215"
    );
}

#[test]
fn memory_is_limited() {
    let settings = Settings { max_memory: 32 << 20, ..Settings::default() };
    let mut small = evaluator(settings.clone());
    let endless =
        "let f = xs: n: if n == 0 then xs else f (xs ++ [ n ]) (n - 1); in builtins.length (f [ ] 9000)";
    assert_eq!(code(&mut small, endless), "NV0216");
    let mut small = evaluator(settings);
    assert_eq!(code(&mut small, "builtins.length (builtins.genList (x: x) 100000000)"), "NV0216");
}

#[test]
fn deep_recursion_is_an_error() {
    let mut evaluator = evaluator(Settings::default());
    for text in [
        "let f = x: f x; in f 1",
        "let f = x: 1 + f x; in f 1",
        "let f = x: [ (f x) ]; in f 1",
        "let s = { __functor = self: x: self x; }; in s 1",
        "(x: x x) (x: x x)",
    ] {
        assert_eq!(code(&mut evaluator, text), "NV0208", "{text}");
    }
    assert_eq!(code(&mut evaluator, "let x = x; in x"), "NV0207");
    assert_eq!(code(&mut evaluator, "rec { a = { b = a.b; }; c = a.b; }.c"), "NV0207");
    // The evaluator is as good as new after it.
    assert_eq!(code(&mut evaluator, "1 + 1"), "2");
}

#[test]
fn long_chains_of_delayed_values_work() {
    let mut evaluator = evaluator(Settings::default());
    let text =
        "let go = n: acc: if n == 0 then acc else go (n - 1) { v = acc.v + 1; }; in (go 9000 { v = 0; }).v";
    assert_eq!(code(&mut evaluator, text), "9000");
}

#[test]
fn import_from_derivation_can_be_refused() {
    let mut evaluator = evaluator(Settings { import_from_derivation: false, ..Settings::default() });
    let text = r#"import (derivation { name = "x"; builder = "/b"; system = "s"; })"#;
    assert_eq!(code(&mut evaluator, text), "NV0226");
}

#[test]
fn a_derivation_name_may_not_refer_to_the_store() {
    let mut evaluator = evaluator(Settings::default());
    let text = r#"
      let d = derivation { name = "x"; builder = "/b"; system = "s"; };
      in (derivation { name = "${d}"; builder = "/b"; system = "s"; }).drvPath
    "#;
    assert_eq!(code(&mut evaluator, text), "NV0224");
}

#[test]
fn warnings_reach_the_world() {
    let world = Rc::new(DiskWorld::default());
    let shared: Rc<dyn nival_eval::World> = world.clone();
    let mut evaluator = Evaluator::new(shared, Settings::default());
    assert_eq!(code(&mut evaluator, r#"builtins.warn "careful" (builtins.trace "seen" 1)"#), "1");
    assert_eq!(*world.traces.borrow(), ["evaluation warning: careful", "seen"]);
}

/// A small, fixed sample of broken texts; nothing may panic.
#[test]
fn mutated_texts_never_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below.max(1) as u64) as usize
    };
    let pieces: &[&[u8]] = &[
        b"${", b"''", b"\"", b"{", b"}", b"inherit", b";", b"/", b"a/${", b"\\", b"\xff", b"rec", b"let",
        b"in", b"...", b"@", b":", b"1.", b"<x>", b"~/", b"/*",
    ];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "nix") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let mut evaluator = evaluator(Settings::default());
        for _ in 0..60 {
            let mut broken = text.clone();
            for _ in 0..=random(4) {
                let at = random(broken.len());
                match random(3) {
                    0 => drop(broken.drain(at..(at + random(9)).min(text.len()).max(at).min(broken.len()))),
                    1 => drop(broken.splice(at..at, pieces[random(pieces.len())].iter().copied())),
                    _ => broken.truncate(at.max(1)),
                }
            }
            evaluator.check("mutated", &broken, "/");
        }
    }
}
