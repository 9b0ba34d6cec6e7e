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
        "let f = xs: n: if n == 0 then xs else f ([ n ] ++ xs) (n - 1); in builtins.length (f [ ] 9000)";
    assert_eq!(code(&mut small, endless), "NV0216");
    let mut small = evaluator(settings);
    assert_eq!(code(&mut small, "builtins.length (builtins.genList (x: x) 100000000)"), "NV0216");
}

#[test]
fn texts_that_are_being_made_count_as_memory() {
    for text in [
        r#"let f = s: n: if n == 0 then s else f "${s}${s}" (n - 1); in f "0123456789abcdef" 40"#,
        r#"builtins.concatStringsSep "0123456789" (builtins.genList (x: builtins.concatStringsSep "" (builtins.genList (y: "0123456789") 10000)) 2000)"#,
        r#"let s = builtins.concatStringsSep "" (builtins.genList (x: "aaaaaaaaaa") 100000); in builtins.replaceStrings [ "a" ] [ s ] s"#,
        r#"let s = builtins.concatStringsSep "" (builtins.genList (x: "aaaaaaaaaa") 100000); in builtins.toJSON (builtins.genList (x: s) 1000)"#,
        r#"let s = builtins.concatStringsSep "" (builtins.genList (x: "aaaaaaaaaa") 100000); in builtins.toXML (builtins.genList (x: s) 1000)"#,
        r#"let s = builtins.concatStringsSep "" (builtins.genList (x: "aaaaaaaaaa") 100000); in toString (builtins.genList (x: s) 1000)"#,
    ] {
        let mut small = evaluator(Settings { max_memory: 64 << 20, ..Settings::default() });
        assert_eq!(code(&mut small, text), "NV0216", "{text}");
    }
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

#[test]
fn attributes_that_do_nothing_are_told() {
    let world = Rc::new(DiskWorld::default());
    let shared: Rc<dyn nival_eval::World> = world.clone();
    let mut evaluator = Evaluator::new(shared, Settings::default());
    let of =
        |more: &str| format!(r#"(derivation {{ name = "a"; system = "s"; builder = "b"; {more} }}).drvPath"#);
    // `nix-instantiate` says the same, and of what a text hands over the order of the text does not count.
    let handed = code(&mut evaluator, &of(r#"__json = "{ \"b\": [1], \"a\": 2 }";"#));
    assert_eq!(handed, code(&mut evaluator, &of(r#"__json = ''{"a":2,"b":[1]}'';"#)));
    assert_eq!(world.traces.borrow().len(), 2, "{:?}", world.traces.borrow());
    assert!(
        world.traces.borrow()[0].contains("in derivation `a`: setting structured attributes via `__json`")
    );
    code(&mut evaluator, &of("__structuredAttrs = true; maxSize = 1; outputChecks.out.maxSize = 1;"));
    assert_eq!(world.traces.borrow().len(), 3, "{:?}", world.traces.borrow());
    assert!(world.traces.borrow()[2].contains("use `outputChecks.<output>.maxSize` instead"));
    assert_eq!(code(&mut evaluator, &of(r#"__json = "[ ]";"#)), "NV0203");
}

#[test]
fn lints_warn_or_refuse() {
    let world = Rc::new(DiskWorld::default());
    let shared: Rc<dyn nival_eval::World> = world.clone();
    let mut settings = Settings::default();
    settings.lints.short_paths = nival_eval::Lint::Fatal;
    settings.lints.absolute_paths = nival_eval::Lint::Warn;
    settings.lints.urls = nival_eval::Lint::Warn;
    let mut evaluator = Evaluator::new(shared, settings);
    assert_eq!(code(&mut evaluator, "a/b"), "NV0243");
    assert_eq!(code(&mut evaluator, "builtins.length [ ./a/b ../a ]"), "2");
    assert!(world.traces.borrow().is_empty());
    assert_eq!(code(&mut evaluator, r#"builtins.length [ /a x://y "z://y" ]"#), "3");
    assert_eq!(world.traces.borrow().len(), 2, "{:?}", world.traces.borrow());
}

#[test]
fn a_pure_evaluation_has_no_home_folder() {
    let mut evaluator =
        Evaluator::new(Rc::new(DiskWorld::default()), Settings { pure: true, ..Settings::default() });
    assert_eq!(code(&mut evaluator, "~/x"), "NV0240");
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
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "nix"));
    // A folder's order differs between machines, and the sample is to be the same on all.
    paths.sort();
    for path in paths {
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

/// Infinite data is counted as nested calls are.
#[test]
fn infinite_data_is_an_error() {
    let mut evaluator = evaluator(Settings::default());
    for text in [
        "let f = x: { inherit x; next = f (x + 1); }; in builtins.deepSeq (f 1) 1",
        "let f = x: { inherit x; next = f (x + 1); }; in builtins.toJSON (f 1)",
        "let a = { b = a; }; in builtins.toJSON a",
        "let a = { b = a; }; in builtins.toXML a",
        "let a = { b = a; }; c = { b = c; }; in a == c",
        r#"let f = { __toString = self: self; }; in "${f}""#,
        r#"let f = { outPath = f; }; in "${f}""#,
        "let f = [ f ]; in toString f",
        "let f = { __functor = self: self; }; in f 1",
    ] {
        assert_eq!(code(&mut evaluator, text), "NV0208", "{text}");
    }
}

/// A tree as deep as calls may nest is read, evaluated, printed and compared; a deeper one is refused.
#[test]
fn nesting_ends_in_a_value_or_an_error() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let mut evaluator = evaluator(Settings::default());
    for (open, middle, close) in [
        ("[", "1", "]"),
        ("(", "1", ")"),
        ("{ a = ", "1", "; }"),
        ("rec { a = ", "1", "; }"),
        ("\"${", "\"x\"", "}\""),
        ("x: ", "1", ""),
        ("{ x }: ", "1", ""),
        ("let a = 1; in ", "a", ""),
        ("with { }; ", "1", ""),
        ("if true then ", "1", " else 2"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("1 + ", "1", ""),
        ("", "1", "+1"),
        ("", "{ }", ".a or 1"),
        ("", "[ ]", " ++ [ ]"),
        ("(x: x) (", "1", ")"),
        ("assert true; ", "1", ""),
    ] {
        for depth in [3_000, 200_000] {
            let text = nested(open, middle, close, depth);
            let _ = code(&mut evaluator, &text);
        }
    }
    for text in [
        format!("let x = {}; in x == x", nested("[", "1", "]", 3_000)),
        format!("let x = {}; in builtins.toJSON x == \"\"", nested("{ a = ", "1", "; }", 3_000)),
        format!("let x = {}; y = {}; in x < y", nested("[", "1", "]", 3_000), nested("[", "2", "]", 3_000)),
    ] {
        let shown = code(&mut evaluator, &text);
        assert!(["true", "false"].contains(&shown.as_str()), "{shown}");
    }
}

/// What the data nests is counted too, and reading it needs no stack of its own.
#[test]
fn nested_json_is_read() {
    let mut evaluator = evaluator(Settings::default());
    let json = |depth: usize| {
        format!(
            "let s = c: n: builtins.concatStringsSep \"\" (builtins.genList (x: c) n); \
             in builtins.typeOf (builtins.fromJSON (s \"[\" {depth} + s \"]\" {depth}))"
        )
    };
    assert_eq!(code(&mut evaluator, &json(200_000)), "\"list\"");
    assert_eq!(code(&mut evaluator, "builtins.fromJSON \"[1, 2\""), "NV0222");
}

/// Characters of paths and URIs are looked at once, not once for each token.
#[test]
fn long_runs_of_operators_are_read_in_linear_time() {
    let mut evaluator = evaluator(Settings::default());
    assert_eq!(code(&mut evaluator, &format!("1{}", "+1".repeat(100_000))), "100001");
    assert_eq!(code(&mut evaluator, &format!("{{ }}{}", ".a".repeat(200_000))), "NV0202");
}

#[test]
fn long_texts_and_lists_work() {
    let mut evaluator = evaluator(Settings::default());
    let text =
        "builtins.stringLength (builtins.foldl' (a: i: a + a) \"0123456789\" (builtins.genList (x: x) 24))";
    assert_eq!(code(&mut evaluator, text), "167772160");
    let text = "builtins.elemAt (builtins.sort builtins.lessThan \
                (builtins.genList (x: builtins.bitAnd (x * 7919) 1048575) 1000000)) 5";
    assert_eq!(code(&mut evaluator, text), "5");
}

/// Long builtins look at the flag too, within 100 ms.
#[test]
fn long_builtins_are_interrupted() {
    for text in [
        "builtins.length (builtins.sort builtins.lessThan (builtins.genList (x: 0 - x) 3000000))",
        "builtins.length (builtins.genList (x: x) 100000000)",
        "builtins.stringLength (builtins.concatStringsSep \"\" (builtins.genList (x: \"0123456789\") 10000000))",
        "builtins.genericClosure { startSet = [ { key = 0; } ]; operator = x: [ { key = x.key + 1; } ]; }",
    ] {
        let mut evaluator = evaluator(Settings::default());
        let flag = evaluator.interrupt_flag();
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(150));
            flag.store(true, Ordering::Relaxed);
            let since = std::time::Instant::now();
            let _ = wait.recv();
            since.elapsed()
        });
        let ended = code(&mut evaluator, text);
        drop(done);
        let took = watch.join().unwrap();
        assert_eq!(ended, "NV0215", "{text}");
        // The bound is 100 ms; a loaded machine gets some more.
        assert!(took < std::time::Duration::from_millis(500), "{text}: {took:?}");
    }
}

#[test]
fn a_value_that_is_forced_from_outside_may_be_too_large() {
    for text in [
        "{ a = builtins.length (builtins.genList (x: x) 100000000); }",
        "[ (builtins.genList (x: x) 100000000) ]",
    ] {
        for json in [false, true] {
            let mut small = evaluator(Settings { max_memory: 32 << 20, ..Settings::default() });
            let value = small.eval_text("(text)", text, "/", None).expect("it is lazy");
            let error = match json {
                true => small.to_json(value, false).map(drop),
                false => small.force_deep(value).map(drop),
            };
            assert_eq!(error.expect_err("it is too large").diagnostic().entry.code, "NV0216");
        }
    }
}
