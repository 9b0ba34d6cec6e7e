//! Evaluates like `nix-instantiate --eval`, for measurements and comparisons; no part of the product.

#[path = "../tests/it/disk_world.rs"]
mod disk_world;

use disk_world::DiskWorld;
use nival_diagnostics::{RenderOptions, render};
use nival_eval::{EvalResult, Evaluator, Kind, Settings, Value, own_file_first};
use std::process::ExitCode;
use std::rc::Rc;

#[derive(Default)]
struct Options {
    expression: Option<String>,
    file: Option<String>,
    attributes: Vec<String>,
    arguments: Vec<(String, String, bool)>,
    strict: bool,
    json: bool,
    xml: bool,
    places: bool,
    raw: bool,
    parse: bool,
    stats: bool,
    frames: usize,
    instantiate: bool,
    each: bool,
    as_written: bool,
    /// MiB; 0: never.
    collect_from: usize,
    collect_always: bool,
}

fn main() -> ExitCode {
    let mut world = DiskWorld { print_traces: true, env: std::env::vars().collect(), ..DiskWorld::default() };
    let mut options = Options { frames: 3, places: true, ..Options::default() };
    let mut words = std::env::args().skip(1);
    let add_path = |world: &mut DiskWorld, text: &str| {
        let (prefix, path) = text.split_once('=').unwrap_or(("", text));
        let path =
            std::path::absolute(path).map_or_else(|_| path.to_owned(), |p| p.to_string_lossy().into_owned());
        world.search_path.push((prefix.to_owned(), path));
    };
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap_or_default();
        match word.as_str() {
            "-E" | "--expr" => options.expression = Some(next()),
            "-A" => options.attributes.push(next()),
            "-I" => add_path(&mut world, &next()),
            "--arg" => options.arguments.push((next(), next(), false)),
            "--argstr" => options.arguments.push((next(), next(), true)),
            "--forget" => world.forgets = true,
            "--strict" => options.strict = true,
            "--json" => options.json = true,
            "--xml" => options.xml = true,
            "--no-location" => options.places = false,
            "--raw" => options.raw = true,
            "--parse" => options.parse = true,
            "--stats" => options.stats = true,
            "--instantiate" => options.instantiate = true,
            "--show-trace" => options.frames = 1000,
            "--collect-from" => options.collect_from = next().parse().unwrap_or(0),
            "--collect-always" => (options.collect_from, options.collect_always) = (1, true),
            "--as-written" => options.as_written = true,
            "--each" => options.each = true,
            "--eval" | "--readonly-mode" => {}
            _ => options.file = Some(word),
        }
    }
    if let Ok(paths) = std::env::var("NIX_PATH") {
        paths.split(':').filter(|p| !p.is_empty()).for_each(|p| add_path(&mut world, p));
    }
    let collect_from = options.collect_from << 20;
    let settings = Settings { collect_from, collect_always: options.collect_always, ..Settings::default() };
    let mut evaluator = Evaluator::new(Rc::new(world), settings);
    if options.as_written {
        evaluator.delay_as_written();
    }
    let result = run(&mut evaluator, &options);
    if options.stats {
        let (times, live) = evaluator.collections();
        eprintln!(
            "heap: {} KiB, {times} collections, {} KiB in use",
            evaluator.heap_bytes() >> 10,
            live >> 10
        );
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        let mut name = "";
        for line in maps.lines() {
            match line.split_once(':') {
                Some(("Rss", size)) => {
                    let size: u64 = size.trim().trim_end_matches(" kB").parse().unwrap_or(0);
                    if size > 2000 {
                        eprintln!("resident: {size} KiB {name}");
                    }
                }
                _ if line.contains('-') => name = line,
                _ => {}
            }
        }
    }
    let code = match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let options = RenderOptions { frames: options.frames, ..RenderOptions::default() };
            let diagnostic =
                own_file_first(error.diagnostic(), evaluator.sources(), |name| !name.contains("nixpkgs"));
            eprintln!("{}", render(&diagnostic, evaluator.sources(), options));
            ExitCode::FAILURE
        }
    };
    std::mem::forget(evaluator);
    code
}

fn run(evaluator: &mut Evaluator, options: &Options) -> EvalResult<String> {
    let here = std::env::current_dir().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    if options.parse {
        let text = match &options.file {
            Some(file) if file != "-" => std::fs::read(file).unwrap_or_default(),
            _ => std::io::read_to_string(std::io::stdin()).unwrap_or_default().into_bytes(),
        };
        let base = match &options.file {
            Some(file) if file != "-" => {
                std::path::Path::new(file).parent().map(|p| p.to_string_lossy().into_owned())
            }
            _ => None,
        };
        return match evaluator.print_parsed("«stdin»", &text, &base.unwrap_or(here)) {
            Ok(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(errors) => Err(errors.into_iter().next().map_or_else(
                || evaluator.throw(&nival_eval::diagnostics::invalid_data::ENTRY, "nothing was read", None),
                nival_eval::EvalError::new,
            )),
        };
    }
    let mut value = match (&options.expression, &options.file) {
        (Some(text), _) => evaluator.eval_text("«string»", text, &here, None)?,
        (None, Some(file)) if file == "-" => {
            let text = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
            evaluator.eval_text("«stdin»", &text, &here, None)?
        }
        (None, file) => {
            let file = file.as_deref().unwrap_or("default.nix");
            let path = std::path::absolute(file).unwrap_or_default();
            evaluator.import(&path.to_string_lossy())?
        }
    };
    value = auto_call(evaluator, value, options, &here)?;
    for path in &options.attributes {
        for name in path.split('.').filter(|name| !name.is_empty()) {
            value = match name.parse::<usize>() {
                Ok(index) if evaluator.kind(value)? == Kind::List => evaluator.expect_list(value)?[index],
                _ => evaluator.select(value, name)?,
            };
            value = auto_call(evaluator, value, options, &here)?;
        }
    }
    if options.each {
        return each(evaluator, value);
    }
    if options.instantiate {
        let path = evaluator.select(value, "drvPath")?;
        return Ok(evaluator.expect_string_context(path)?.0);
    }
    if options.strict && !options.json && !options.xml {
        value = evaluator.force_deep(value)?;
    }
    if options.json {
        return Ok(evaluator.to_json(value, true)?.0);
    }
    if options.xml {
        let text = evaluator.to_xml(value, options.places, options.strict)?.0;
        return Ok(String::from_utf8_lossy(&text).trim_end().to_owned());
    }
    if options.raw {
        return Ok(evaluator.expect_string_context(value)?.0);
    }
    let value = evaluator.force(value)?;
    Ok(evaluator.print(value))
}

/// The path of each derivation of a set, a line each; errors are marked, not fatal.
fn each(evaluator: &mut Evaluator, set: Value) -> EvalResult<String> {
    let mut lines = Vec::new();
    for attribute in evaluator.attributes(set)? {
        let name = evaluator.name(attribute.name).to_owned();
        let path = match evaluator.is_derivation(attribute.value) {
            Ok(true) => match evaluator.select(attribute.value, "drvPath") {
                Ok(path) => evaluator.expect_string_context(path)?.0,
                Err(error) => format!("! {}", error.diagnostic().message),
            },
            Ok(false) => "-".to_owned(),
            Err(error) => format!("! {}", error.diagnostic().message),
        };
        lines.push(format!("{name} {path}"));
    }
    Ok(lines.join("\n"))
}

/// A function whose arguments all have defaults, or are given, is called.
fn auto_call(evaluator: &mut Evaluator, value: Value, options: &Options, here: &str) -> EvalResult {
    let value = evaluator.force(value)?;
    let Some(formals) = evaluator.formals(value)? else { return Ok(value) };
    let mut arguments = Vec::new();
    for (name, text, is_text) in &options.arguments {
        let name = evaluator.symbol(name);
        if formals.ellipsis || formals.names.iter().any(|formal| formal.name == name) {
            let argument = if *is_text {
                evaluator.string(text)
            } else {
                evaluator.eval_text("«argument»", text, here, None)?
            };
            arguments.push((name, argument));
        }
    }
    let arguments = evaluator.attrs(&arguments);
    evaluator.call(value, &[arguments])
}
