//! The library documents itself, and each code's example ends in that code.

use super::session;
use nival_diagnostics::{Entry, Example};
use nival_engine::{Machine, Project, Session};

#[test]
fn every_option_has_a_description_and_an_example() {
    let (_folder, mut session) = session();
    let machine = session.empty_machine().expect("the library evaluates");
    let options = machine.options(&mut session).expect("options can be listed");
    assert!(options.len() > 150, "only {} options were found", options.len());
    for option in options {
        assert!(!option.description.is_empty(), "{} has no description", option.name);
        assert!(option.example.is_some(), "{} has no example", option.name);
    }
}

#[test]
fn examples_of_options_fit_their_types() {
    let (_folder, mut session) = session();
    let machine = session.empty_machine().expect("the library evaluates");
    let options = machine.options(&mut session).expect("options can be listed");
    let mut tried = 0;
    for option in options {
        let plain = !option.internal && !option.name.contains(['<', '*']);
        let Some(example) = option.example.filter(|text| plain && !text.starts_with("./")) else { continue };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("configuration.nix");
        let text = format!("{{ config, lib, services, ... }}: {{ {} = {example}; }}", option.name);
        std::fs::write(&file, text).expect("written");
        let machine = first(&mut session, &file);
        let value = machine.option(&mut session, &option.name);
        let value =
            value.and_then(|value| session.print(value, nival_engine::Format::Expression { strict: true }));
        if let Err(error) = value {
            let code = error.diagnostic().entry.code;
            assert!(!code.starts_with("NV03"), "{} = {example}: {error}", option.name);
        }
        tried += 1;
    }
    assert!(tried > 20, "only {tried} examples were tried");
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
