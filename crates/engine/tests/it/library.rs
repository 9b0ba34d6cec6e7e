//! The library documents itself, and each code's example ends in that code.

use super::session;
use nival_diagnostics::{Entry, Example};
use nival_engine::{Machine, Project, Session};
use std::collections::BTreeSet;
use std::io::Write as _;

#[test]
fn every_option_has_a_description_and_an_example_that_fits_its_type() {
    let (_folder, mut session) = session();
    let machine = session.empty_machine().expect("the library evaluates");
    let options = machine.options(&mut session).expect("options can be listed");
    let (all, mut tried) = (options.len(), 0);
    assert!(all > 150, "only {all} options were found");
    let mut wrong = Vec::new();
    for option in options {
        assert!(!option.description.is_empty(), "{} has no description", option.name);
        let Some(example) = option.example else { panic!("{} has no example", option.name) };
        // What only the library itself may set cannot be set again.
        if option.internal {
            continue;
        }
        tried += 1;
        if let Some(error) = refused(&mut session, &option.name, &example) {
            wrong.push(format!("{} = {example}: {error}", option.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Not by `println!`: it is to be seen where tests pass, too.
    let said = format!(
        "options: {all} of {all} described, with an example; {tried} examples checked against types\n"
    );
    std::io::stderr().write_all(said.as_bytes()).expect("written");
}

/// A module with an option for a value to look at, and the secrets that examples name.
const TRIED: &str = r#"{ lib, ... }: {
  options.tried = lib.mkOption { type = lib.types.raw; };
  config.secrets = lib.genAttrs [ "alice-chat" "app" "backup" "s3" "token" ] (_: { });
}"#;

/// The error that the modules raise where an option, in whose path `<name>` and `*` stand for any element, has a value.
fn refused(session: &mut Session, option: &str, value: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("configuration.nix");
    // A path that an example names has to be there.
    for path in value.split("./").skip(1) {
        let name: String =
            path.chars().take_while(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
        std::fs::create_dir_all(folder.path().join(name)).expect("made");
    }
    let (mut set, mut got) = (String::new(), "config".to_owned());
    let mut closing = String::new();
    for part in option.split('.') {
        if part == "*" {
            set += " = [ { ";
            closing.insert_str(0, "; } ]");
            got = format!("(builtins.head {got})");
            continue;
        }
        let part = if part == "<name>" { "example" } else { part };
        set += &format!(".{part}");
        got += &format!(".{part}");
    }
    let set = set.replace("{ .", "{ ");
    let set = set.trim_start_matches('.');
    let text = format!(
        "{{ config, lib, services, ... }}: {{ imports = [ ./tried.nix ]; config = {{ {set} = {value}{closing}; tried = {got}; }}; }}"
    );
    std::fs::write(folder.path().join("tried.nix"), TRIED).expect("written");
    std::fs::write(&file, text).expect("written");
    let machine = first(session, &file);
    // As if nothing was locked: what packages are there is of no matter here.
    machine.set_locked(nival_engine::LockedVersions::new());
    let value = machine.option(session, "tried");
    let value =
        value.and_then(|value| session.print(value, nival_engine::Format::Expression { strict: true }));
    let error = value.err()?;
    // Which secret it is says nothing about the option `secrets` itself.
    let is_secret = error.diagnostic().entry.code == "NV0242" && option.starts_with("secrets.");
    (!is_secret).then(|| error.to_string())
}

#[test]
fn configurations_in_guides_evaluate() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guides = std::fs::read_dir(root.join("docs/guides")).expect("there are guides");
    let mut files: Vec<_> = guides.map(|entry| entry.expect("readable").path()).collect();
    files.push(root.join("README.md"));
    let (_folder, mut session) = session();
    let mut tried = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        for (n, block) in text.split("```nix\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap_or_default();
            let folder = tempfile::tempdir().expect("a temporary folder");
            let configuration = folder.path().join("configuration.nix");
            std::fs::create_dir(folder.path().join("site")).expect("made");
            std::fs::write(&configuration, block).expect("written");
            let machine = first(&mut session, &configuration);
            machine.set_locked(nival_engine::LockedVersions::new());
            let manifest = machine.manifest(&mut session);
            if let Err(error) = manifest {
                panic!("{} {}: {error}", file.display(), n + 1);
            }
            tried += 1;
        }
    }
    assert!(tried > 5, "only {tried} configurations were found");
}

fn first(session: &mut Session, file: &std::path::Path) -> Machine {
    let project = Project::find(file).expect("the file is there");
    session.machines(&project).expect("the configuration evaluates").remove(0)
}

#[test]
fn examples_of_codes_end_in_their_codes() {
    let all: [&[&'static Entry]; 4] = [
        nival_syntax::diagnostics::ENTRIES,
        nival_eval::diagnostics::ENTRIES,
        nival_modules::diagnostics::ENTRIES,
        nival_engine::diagnostics::ENTRIES,
    ];
    let mut wrong = Vec::new();
    for entry in all.into_iter().flatten() {
        let (_folder, mut session) = session();
        let result = match entry.example {
            Example::Expression(text) => shown(&mut session, text).map(drop),
            Example::Configuration(text) => configuration(&mut session, text),
            Example::Situation { .. } => continue,
        };
        match result {
            Ok(()) => wrong.push(format!("the example of {} is fine", entry.code)),
            Err(error) if error.diagnostic().entry.code == entry.code => {}
            Err(error) => wrong.push(format!("{}: {} {error}", entry.code, error.diagnostic().entry.code)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(session: &mut Session, text: &str) -> Result<String, nival_engine::Error> {
    let value = session.evaluate_with_library(text, "/")?;
    session.print(value, nival_engine::Format::Expression { strict: true })
}

fn configuration(session: &mut Session, text: &str) -> Result<(), nival_engine::Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("configuration.nix");
    std::fs::write(&file, text).expect("written");
    let project = Project::find(&file)?;
    let machine = session.machines(&project)?.remove(0);
    machine.roots(session)?;
    machine.set_locked(Default::default());
    machine.manifest(session).map(drop)
}

#[test]
fn missing_configuration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = Project::find(folder.path()).expect_err("there is none");
    assert_eq!(error.diagnostic().entry.code, "NV0802");
}

#[test]
fn selection_that_leads_nowhere() {
    let (_folder, mut session) = session();
    let automatic = nival_engine::Automatic::default();
    let value = session.evaluate_with_library("{ packages.hello = [ 1 ]; }", "/").expect("it evaluates");
    let found = session.select(value, "packages.hello.0", &automatic).expect("it is there");
    assert_eq!(session.print(found, nival_engine::Format::Shown).expect("a number"), "1");
    for path in ["packages.helo", "packages.hello.1", "packages.0", "packages.\"a"] {
        let error = session.select(value, path, &automatic).expect_err("it is not there").diagnostic();
        assert_eq!(error.entry.code, "NV0820", "{path}");
        assert!(!error.help.is_empty(), "{path}");
    }
}

#[test]
fn only_derivations_are_instantiated() {
    let (_folder, mut session) = session();
    let automatic = nival_engine::Automatic::default();
    let value = session.evaluate_with_library("{ a = 1; }", "/").expect("it evaluates");
    assert_eq!(session.derivations(value, &automatic).expect("none").len(), 0);
    let value = session.evaluate_with_library("1", "/").expect("it evaluates");
    let error = session.derivations(value, &automatic).expect_err("it is a number");
    assert_eq!(error.diagnostic().entry.code, "NV0821");
}

#[test]
fn examples_of_library_functions_are_true() {
    let (_folder, mut session) = session();
    let mut wrong = Vec::new();
    let mut count = 0;
    for function in nival_engine::library_functions() {
        let file = function.name.split('.').next().unwrap_or_default();
        for (expression, value) in function.examples {
            count += 1;
            let is_true = shown(&mut session, &format!("with lib.{file}; ({expression}) == ({value})"));
            if !is_true.as_ref().is_ok_and(|text| text == "true") {
                let got = shown(&mut session, &format!("with lib.{file}; {expression}"));
                wrong.push(format!("{}: {expression} is not {value} but {got:?}", function.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} examples were found");
}

#[test]
fn every_function_of_the_library_has_a_description_and_an_example() {
    let (_folder, mut session) = session();
    let functions = nival_engine::library_functions();
    let files: BTreeSet<&str> =
        functions.iter().filter_map(|function| function.name.split('.').next()).collect();
    let (mut all, mut wrong) = (0, Vec::new());
    // What takes whole services, or makes them, has its examples in the guide of services.
    for file in files.into_iter().filter(|file| *file != "services") {
        let text = format!(
            "builtins.concatStringsSep \" \" (builtins.attrNames (removeAttrs lib.{file} (builtins.attrNames builtins)))"
        );
        let value = session.evaluate_with_library(&text, "/").expect("the library evaluates");
        let names = session.print(value, nival_engine::Format::Raw).expect("a text");
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            all += 1;
            // Some stand in a second file, too, as nixpkgs' library has them.
            let told =
                |function: &&nival_engine::LibraryFunction| function.name.rsplit('.').next() == Some(name);
            if !functions.iter().filter(told).any(|function| !function.examples.is_empty()) {
                wrong.push(format!("{file}.{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "without a description or an example: {wrong:?}");
    assert!(all > 300, "only {all} functions were found");
    let said = format!("functions of the library: {all} of {all} described, with examples\n");
    std::io::stderr().write_all(said.as_bytes()).expect("written");
}

#[test]
fn wrong_addresses_sizes_and_durations_say_what_would_be_right() {
    let (_folder, mut session) = session();
    for (expression, said) in [
        ("lib.net.parseHostPort \"localhost\"", "HOST:PORT"),
        ("lib.net.parseHostPort \"a:b:80\"", "HOST:PORT"),
        ("lib.net.parseHostPort \"a:65536\"", "at most 65535"),
        ("lib.net.parseAddress \"1.2.3\"", "IP address"),
        ("lib.net.parseAddress \"1::2::3\"", "IP address"),
        ("lib.net.parseAddress \"1:2:3:4:5:6:7\"", "IP address"),
        ("lib.net.parseAddress \"12345::\"", "IP address"),
        ("lib.net.parseCIDR \"10.0.0.0/33\"", "at most 32"),
        ("lib.net.parseCIDR \"10.0.0.0\"", "network"),
        ("lib.net.nth \"10.0.0.0/30\" 4", "no address"),
        ("lib.url.parse \"example.org\"", "URL"),
        ("lib.url.parse \"http://a:99999/\"", "at most 65535"),
        ("lib.units.bytes \"12 parsecs\"", "size"),
        ("lib.units.seconds \"1 fortnight\"", "unit of time"),
        ("lib.units.seconds \"soon\"", "duration"),
    ] {
        let error = shown(&mut session, &format!("builtins.deepSeq ({expression}) 1")).expect_err(expression);
        assert!(error.to_string().contains(said), "{expression}: {error}");
    }
}
