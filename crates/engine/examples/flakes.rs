//! Evaluates expressions and locks flakes, for comparisons with Nix; no part of the product.
//! `flakes STORE eval EXPRESSION | lock REFERENCE [--update INPUT | --override INPUT REFERENCE | --no-write] | show REFERENCE#OUTPUT`

use nival_diagnostics::{RenderOptions, render};
use nival_engine::{
    Error, Expression, FlakeReference, Format, LockFlags, NixSettings, OutputSearch, Session, SessionOptions,
};
use nival_inputs::flakes::{How, parse_input_path};
use nival_store::LocalStore;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let store = LocalStore::open(Path::new(&words[0])).expect("a store");
    let nix = NixSettings::read(&environment).unwrap_or_else(|error| panic!("{error}"));
    let paths = environment.get("NIX_PATH").cloned().unwrap_or_default();
    let search_path = paths.split_whitespace().map(|entry| {
        let (prefix, path) = entry.split_once('=').unwrap_or(("", entry));
        (prefix.to_owned(), path.to_owned())
    });
    let options = SessionOptions {
        search_path: search_path.collect(),
        cache: environment.get("XDG_CACHE_HOME").map(|folder| PathBuf::from(folder).join("nival")),
        environment,
        current_dir: std::env::current_dir().unwrap_or_default(),
        now: Some(1_700_000_000),
        system: "x86_64-linux".to_owned(),
        nix,
        ..SessionOptions::default()
    };
    let mut session = Session::new(Arc::new(store), options);
    let result = run(&mut session, &words[1..]);
    let (traces, warnings) = session.take_messages();
    traces.iter().for_each(|text| eprintln!("trace: {text}"));
    for warning in warnings {
        eprintln!("{}", render(&warning, session.sources(), RenderOptions::default()));
    }
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", render(&error.diagnostic(), session.sources(), RenderOptions::default()));
            ExitCode::FAILURE
        }
    }
}

fn run(session: &mut Session, words: &[String]) -> Result<String, Error> {
    let here = std::env::current_dir().unwrap_or_default();
    match words[0].as_str() {
        "eval" => {
            let text = Expression::Text(words[1].clone(), here.to_string_lossy().into_owned());
            let value = session.evaluate(&text)?;
            session.print(value, Format::Json)
        }
        "lock" => {
            let (reference, _) = session.parse_flake(&words[1], &here)?;
            let mut flags = LockFlags { fail_on_unlocked: true, ..LockFlags::default() };
            let mut rest = words[2..].iter();
            while let Some(word) = rest.next() {
                match word.as_str() {
                    "--update" => {
                        flags.updates.insert(parse_input_path(rest.next().expect("an input"))?);
                    }
                    "--recreate" => flags.recreate = true,
                    "--no-write" => flags.write = false,
                    "--override" => {
                        let path = parse_input_path(rest.next().expect("an input"))?;
                        let settings = nival_inputs::fetchers::FetchSettings {
                            features: ["flakes".to_owned()].into(),
                            ..Default::default()
                        };
                        let how = How { base: Some(&here), ..How::default() };
                        let text = rest.next().expect("a reference");
                        flags.overrides.insert(path, FlakeReference::parse_whole(&settings, text, &how)?);
                    }
                    other => panic!("{other}"),
                }
            }
            let locked = session.lock_flake(&reference, &flags)?;
            Ok(format!("{}\n{}{}", locked.locked, locked.changes, locked.lock_file.text().0))
        }
        _ => {
            let (reference, fragment) = session.parse_flake(&words[1], &here)?;
            let locked = session.lock_flake(&reference, &LockFlags::default())?;
            let search = OutputSearch::packages("x86_64-linux");
            let (value, _) = session.flake_output(&locked, &fragment, &search)?;
            Ok(session.evaluator().to_json(value, true)?.0)
        }
    }
}
