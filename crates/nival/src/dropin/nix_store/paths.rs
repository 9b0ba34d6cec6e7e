//! Operations on single paths: building, adding, keys, logs.

use super::{Call, failed, store_path};
use crate::build_progress::BuildProgress;
use crate::building::{self, Building};
use crate::commands::log::print_log;
use crate::commands::realise::Source;
use crate::context::Context;
use crate::dropin::words::usage;
use crate::error::Error;
use nival_build::{Request, Wanted};
use nival_engine::NixSettings;
use nival_store_model::signature::SecretKey;
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentMethod, Hash, StorePath};
use nival_sys::fs as sys;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Brings paths into the store, and prints them or the links to them.
pub fn realise(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let ignore_unknown = call.take(&["--ignore-unknown"]);
    let building = building(call)?;
    let requests = requests(call, ignore_unknown)?;
    let (answers, code) = build(call.context, &requests, &building)?;
    if building.dry_run || code != ExitCode::SUCCESS || ignore_unknown {
        return Ok(code);
    }
    let store = call.store()?;
    let made = building::made(requests, answers);
    if let Some(root) = call.root.clone() {
        for (link, path) in building::link_names(&root, &made) {
            let link = building::link(&store, &link, &path)?;
            if !call.no_output {
                call.print(&link.display().to_string());
            }
        }
        return Ok(code);
    }
    if !call.no_output {
        for path in made.iter().flat_map(|(_, outputs)| outputs.values()) {
            call.print(&store.dir().print(path));
        }
    }
    Ok(code)
}

/// The options of a build that were given.
fn building(call: &mut Call<'_>) -> Result<Building, Error> {
    let max_jobs = call.take_value("-j").or_else(|| call.take_value("--max-jobs"));
    let number = |text: Option<String>, name: &str| {
        let parse = |text: String| text.parse().map_err(|_| usage(&format!("`{name}` needs a number")));
        text.map(parse).transpose()
    };
    let timeout = number(call.take_value("--timeout"), "--timeout")?;
    let max_silent_time = number(call.take_value("--max-silent-time"), "--max-silent-time")?;
    let cores = number(call.take_value("--cores"), "--cores")?;
    let building = Building {
        max_jobs,
        timeout,
        max_silent_time,
        cores: cores.and_then(|cores| usize::try_from(cores).ok()),
        dry_run: call.take(&["--dry-run"]),
        check: call.take(&["--check"]),
        repair: call.take(&["--repair"]),
        keep_going: call.take(&["-k", "--keep-going"]),
        keep_failed: call.take(&["-K", "--keep-failed"]),
        fallback: call.take(&["--fallback"]),
        plain_logs: !call.take(&["-Q", "--no-build-output"]),
        ..Building::default()
    };
    call.no_more_flags()?;
    Ok(building)
}

/// Builds requests without evaluating anything.
pub fn build(
    context: &mut Context,
    requests: &[Request],
    building: &Building,
) -> Result<(Vec<nival_build::Answer>, ExitCode), Error> {
    let store = context.store()?;
    let output = context.output;
    let progress = Arc::new(BuildProgress::new(&output, building.wishes(), store.dir().as_str()));
    let mut nix = NixSettings::read(&crate::context::environment())
        .map_err(|error| Error::plain(error.diagnostic()))?;
    for (name, value) in crate::context::given_settings() {
        nix.set(&name, &value);
    }
    building.apply(&mut nix);
    let builds = building::builds(context, &nix, &Source::default(), progress.clone())?;
    building::build(context, &builds, &progress, requests, building)
}

fn requests(call: &mut Call<'_>, ignore_unknown: bool) -> Result<Vec<Request>, Error> {
    let store = call.store()?;
    let mut requests = Vec::new();
    for word in &call.words {
        let (name, outputs) = word.split_once('!').map_or((word.as_str(), None), |(p, o)| (p, Some(o)));
        let path = store_path(&store, name)?;
        if ignore_unknown && !store.is_valid(&path)? {
            continue;
        }
        requests.push(match outputs {
            Some(names) if path.is_derivation() => {
                let names: BTreeSet<String> = names.split(',').map(str::to_owned).collect();
                Request::Outputs(path, Wanted::Names(names))
            }
            None if path.is_derivation() => Request::Outputs(path, Wanted::All),
            _ => Request::Path(path),
        });
    }
    Ok(requests)
}

/// Copies files into the store.
pub fn add(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    add_each(call, ContentMethod::Recursive, Algorithm::Sha256)
}

/// Copies files into the store under an address of one's choice.
pub fn add_fixed(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let method = if call.take(&["--recursive"]) { ContentMethod::Recursive } else { ContentMethod::Flat };
    call.no_more_flags()?;
    if call.words.is_empty() {
        return Err(usage("first argument must be hash algorithm"));
    }
    let name = call.words.remove(0);
    let algorithm =
        Algorithm::from_name(&name).ok_or_else(|| usage(&format!("unknown hash algorithm `{name}`")))?;
    add_each(call, method, algorithm)
}

fn add_each(call: &mut Call<'_>, method: ContentMethod, algorithm: Algorithm) -> Result<ExitCode, Error> {
    let store = call.store()?;
    for word in call.words.clone() {
        let source = PathBuf::from(&word);
        let source = crate::context::absolute(source);
        let name = source.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let staged = store.staging(&format!("add-{name}"));
        sys::remove_tree(&staged).map_err(|error| failed("clean the staging folder", error))?;
        store.copy_to(&source, &staged)?;
        let info = store.adopt_fixed(&name, &staged, method, algorithm)?;
        call.print(&store.dir().print(&info.path));
    }
    Ok(ExitCode::SUCCESS)
}

/// Computes the path of contents that are known by their hash.
pub fn print_fixed_path(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let method = if call.take(&["--recursive"]) { ContentMethod::Recursive } else { ContentMethod::Flat };
    call.no_more_flags()?;
    let store = call.store()?;
    let [algorithm, hash, name] = call.words.as_slice() else {
        return Err(usage("`--print-fixed-path` requires three arguments"));
    };
    let known = Algorithm::from_name(algorithm)
        .ok_or_else(|| usage(&format!("unknown hash algorithm `{algorithm}`")))?;
    let hash = Hash::parse(hash, Some(known)).map_err(|error| usage(&error.to_string()))?;
    let path = store.dir().fixed_output_path(method, &hash, &References::default(), name);
    let path = path.map_err(nival_store::Error::from)?;
    call.print(&store.dir().print(&path));
    Ok(ExitCode::SUCCESS)
}

/// Prints a derivation's environment for a shell to read.
pub fn print_environment(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let store = call.store()?;
    let paths = call.paths()?;
    let [path] = paths.as_slice() else {
        return Err(usage("`--print-env` requires one derivation store path"));
    };
    let derivation = store.read_derivation(path)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (name, value) in &derivation.environment {
        let name = text(name);
        call.print(&format!("export {name}; {name}={}\n", quoted(&text(value))));
    }
    let arguments: Vec<_> = derivation.arguments.iter().map(|argument| text(argument)).collect();
    call.print(&format!("export _args; _args={}", quoted(&arguments.join(" "))));
    Ok(ExitCode::SUCCESS)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Prints the logs of builds.
pub fn read_log(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let mut settings = NixSettings::read(&crate::context::environment())
        .map_err(|error| Error::plain(error.diagnostic()))?;
    for (name, value) in crate::context::given_settings() {
        settings.set(&name, &value);
    }
    for path in call.paths()? {
        print_log(call.context, &log_request(path), &settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn log_request(path: StorePath) -> Request {
    if path.is_derivation() { Request::Outputs(path, Wanted::All) } else { Request::Path(path) }
}

/// Makes a pair of keys for signatures.
pub fn generate_key(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let [name, secret, public] = call.words.as_slice() else { return Err(usage("three arguments expected")) };
    let mut seed = [0; 32];
    let random = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut seed));
    random.map_err(|error| failed("read `/dev/urandom`", error))?;
    let key = SecretKey::from_seed(name, seed);
    let write = |path: &str, text: &str, mode: u32| {
        let path = crate::context::absolute(Path::new(path).to_owned());
        sys::write_atomic(&path, text.as_bytes(), mode).map_err(|error| failed("write a key", error))
    };
    write(public, &key.public().to_string(), 0o644)?;
    write(secret, &key.to_text(), 0o600)?;
    Ok(ExitCode::SUCCESS)
}
