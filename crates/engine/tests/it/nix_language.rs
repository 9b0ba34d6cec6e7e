//! The language tests of Nix itself, where `NIVAL_NIX_TESTS` names the folder `tests/functional` of its sources.

use nival_engine::{Argument, Automatic, Expression, Format, NixSettings, Session, SessionOptions};
use nival_store::LocalStore;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is not as in Nix, and why.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("eval-fail-abs-path-fatal", "the lint `lint-absolute-path-literals` is not one of ours"),
    ("eval-fail-home-path-fatal", "the lint `lint-absolute-path-literals` is not one of ours"),
    ("eval-fail-short-path-literal", "the lint `lint-short-path-literals` is not one of ours"),
    ("eval-fail-url-literal", "the lint `lint-url-literals` is not one of ours"),
];

/// The flags of one case.
#[derive(Default)]
struct Flags {
    arguments: Vec<(String, Argument)>,
    selection: Option<String>,
    search_path: Vec<(String, String)>,
    settings: Vec<(String, String)>,
}

fn flags(functional: &Path, case: &Path) -> Flags {
    let mut flags = Flags::default();
    let text = std::fs::read_to_string(case.with_extension("flags")).unwrap_or_default();
    let mut words = text.lines().flat_map(|line| line.split('#').next().unwrap_or("").split_whitespace());
    let base = functional.to_string_lossy().into_owned();
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap_or_default().to_owned();
        match word {
            "--arg" => flags.arguments.push((next(), Argument::Expression(next(), base.clone()))),
            "--argstr" => flags.arguments.push((next(), Argument::Text(next()))),
            "-A" => flags.selection = Some(next()),
            "-I" => flags.search_path.push(entry(functional, &next())),
            "--extra-experimental-features" => {
                flags.settings.push(("extra-experimental-features".to_owned(), next()));
            }
            "--max-call-depth" => flags.settings.push(("max-call-depth".to_owned(), next())),
            "--eval" | "--strict" | "--impure" | "--no-show-trace" => {}
            lint if lint.starts_with("--lint-") => drop(next()),
            other => panic!("{}: the flag {other} is not known", case.display()),
        }
    }
    flags
}

fn entry(functional: &Path, text: &str) -> (String, String) {
    let (prefix, path) = text.split_once('=').unwrap_or(("", text));
    (prefix.to_owned(), functional.join(path).to_string_lossy().into_owned())
}

fn session(functional: &Path, store: &Path, flags: &Flags) -> Session {
    let environment: BTreeMap<String, String> =
        [("TEST_VAR", "foo"), ("HOME", "/fake-home")].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    let mut nix = NixSettings::default();
    nix.set("experimental-features", "nix-command flakes pipe-operators");
    flags.settings.iter().for_each(|(name, value)| nix.set(name, value));
    let mut search_path = flags.search_path.clone();
    search_path.extend(["lang/dir3", "lang/dir4"].map(|path| entry(functional, path)));
    let options = SessionOptions {
        environment,
        search_path,
        now: Some(1),
        system: "x86_64-linux".to_owned(),
        nix,
        ..SessionOptions::default()
    };
    Session::new(Arc::new(LocalStore::open(store).expect("a store")), options)
}

fn evaluated(functional: &Path, store: &Path, case: &Path, format: Format) -> Result<String, String> {
    let flags = flags(functional, case);
    let mut session = session(functional, store, &flags);
    let run = |session: &mut Session| {
        let automatic = session.automatic(&flags.arguments)?;
        let value = session.evaluate(&Expression::File(case.to_string_lossy().into_owned()))?;
        let value = match &flags.selection {
            Some(path) => session.select(value, path, &automatic)?,
            None => value,
        };
        let value = called(session, value, &automatic)?;
        session.print(value, format)
    };
    run(&mut session).map_err(|error| error.diagnostic().message)
}

fn called(
    session: &mut Session,
    value: nival_eval::Value,
    automatic: &Automatic,
) -> Result<nival_eval::Value, nival_engine::Error> {
    session.call_automatically(value, automatic)
}

/// What is wrong with one case; `None` for nothing.
fn fault(functional: &Path, store: &Path, case: &Path, name: &str) -> Option<String> {
    let golden = |extension: &str| std::fs::read_to_string(case.with_extension(extension)).ok();
    let differs = |wanted: &str, got: &str| {
        (wanted.trim() != got.trim()).then(|| format!("wanted {wanted}\n  got {got}"))
    };
    if name.starts_with("parse-") {
        let text = std::fs::read(case).expect("the case");
        let mut session = session(functional, store, &Flags::default());
        let shown = session.evaluator().print_parsed("(stdin)", &text, &functional.to_string_lossy());
        return match (shown, name.starts_with("parse-okay"), golden("exp")) {
            (Ok(shown), true, Some(wanted)) => differs(&wanted, &String::from_utf8_lossy(&shown)),
            (Ok(_), true, None) | (Err(_), false, _) => None,
            (Ok(_), false, _) => Some("it is read".to_owned()),
            (Err(errors), true, _) => Some(errors[0].message.clone()),
        };
    }
    let xml = golden("exp.xml");
    let format = match &xml {
        Some(_) => Format::Xml { strict: true, places: false },
        None => Format::Expression { strict: true },
    };
    let shown = evaluated(functional, store, case, format);
    if name.starts_with("eval-fail") {
        return shown.ok().map(|shown| format!("it evaluates: {shown}"));
    }
    match (shown, xml.or_else(|| golden("exp"))) {
        (Ok(shown), Some(wanted)) => differs(&wanted, &shown.replace(&*functional.to_string_lossy(), "/pwd")),
        (Ok(_), None) => None,
        (Err(error), _) => Some(error),
    }
}

fn cases(functional: &Path) -> Vec<PathBuf> {
    let entries = functional.join("lang").read_dir().expect("the folder `lang`").flatten();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "nix"));
    cases.sort();
    cases
}

#[test]
fn the_language_is_that_of_nix() {
    let Some(functional) = std::env::var_os("NIVAL_NIX_TESTS").map(PathBuf::from) else { return };
    let store = tempfile::tempdir().expect("a temporary folder");
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for case in cases(&functional) {
        let name = case.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let kinds = ["parse-okay", "parse-fail", "eval-okay", "eval-fail"];
        let Some(kind) = kinds.into_iter().find(|kind| name.starts_with(kind)) else { continue };
        if case.with_extension("exp-disabled").exists() {
            continue;
        }
        *counts.entry(kind).or_insert(0) += 1;
        let fault = fault(&functional, store.path(), &case, &name);
        let expected = EXCEPTIONS.iter().any(|(exception, _)| *exception == name);
        match fault {
            Some(fault) if !expected => wrong.push(format!("{name}: {fault}")),
            None if expected => wrong.push(format!("{name} is right: it is no exception any more")),
            _ => {}
        }
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<i32>() > 250, "only {counts:?}");
    assert!(wrong.is_empty(), "{} of {counts:?}:\n{}", wrong.len(), wrong.join("\n"));
}
