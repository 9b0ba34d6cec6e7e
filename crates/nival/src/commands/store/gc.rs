//! `nival store gc`, which is also `nival gc`

use crate::collecting::Collector;
use crate::commands::why::kind;
use crate::context::Context;
use crate::dropin::bytes;
use crate::error::Error;
use crate::output::bytes as sized;
use crate::retention::{self, Keep};
use clap::Args;
use nival_store::{GcAction, GcOptions, LocalStore};
use nival_store_model::StorePath;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival gc`, and as Nix has it behind `store gc`.
#[derive(Args)]
pub struct Arguments {
    /// Show what would go, what would stay and why, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop when so much is free, such as 10G
    #[arg(long, value_name = "SIZE", alias = "max", conflicts_with = "dry_run")]
    max_freed: Option<String>,
    /// Before that, forget generations of profiles but for the newest ones
    #[arg(long, value_name = "COUNT")]
    keep_last: Option<usize>,
    /// Before that, forget generations of profiles but for the newest one of each of the last days that have any
    #[arg(long, value_name = "DAYS")]
    keep_daily: Option<usize>,
    /// Before that, forget generations of profiles that were not in use for this long, such as 30d
    #[arg(long, value_name = "TIME")]
    unused_for: Option<String>,
}

/// What of a profile's generations goes.
struct Forgotten {
    profile: PathBuf,
    numbers: Vec<u64>,
    before: u64,
    after: u64,
}

/// Forgets generations where that is asked for, and collects garbage.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let max_freed = arguments.max_freed.as_deref().map(bytes).transpose()?;
    let collector = Collector::new(context, 0)?;
    let forgotten = forget(&store, arguments)?;
    if arguments.dry_run {
        return show(context, &store, &collector, &forgotten);
    }
    let options = GcOptions { action: GcAction::Delete, max_freed, ..GcOptions::default() };
    let result = collector.quiet().collect(&store, options)?;
    let mut text = profiles_told(&forgotten, "forgot");
    let _ = writeln!(text, "removed {} paths; {} are free", result.names.len(), sized(result.bytes));
    if result.shared > 0 {
        let _ = writeln!(text, "equal files that are one save {}", sized(result.shared));
    }
    context.output.result(&text, || {
        json!({
            "removed": result.names, "bytes": result.bytes, "shared_bytes": result.shared,
            "profiles": profiles_json(&forgotten),
        })
    });
    Ok(ExitCode::SUCCESS)
}

fn forget(store: &LocalStore, arguments: &Arguments) -> Result<Vec<Forgotten>, Error> {
    let since = arguments.unused_for.as_deref().map(retention::before_now).transpose()?;
    if since.is_none() && arguments.keep_last.is_none() && arguments.keep_daily.is_none() {
        return Ok(Vec::new());
    }
    let keep =
        Keep { last: arguments.keep_last.unwrap_or(0), daily: arguments.keep_daily.unwrap_or(0), since };
    let mut all = Vec::new();
    for profile in retention::profile_folders(store).iter().flat_map(|folder| retention::profiles(folder)) {
        let links = |gone: &[u64]| {
            let all = retention::generations(&profile).into_iter();
            all.filter(|one| !gone.contains(&one.number)).map(|one| one.link).collect::<Vec<_>>()
        };
        let before = size_of(store, &links(&[]))?;
        let gone = retention::prune(&profile, &keep, true)?;
        let numbers: Vec<_> = gone.iter().map(|one| one.number).collect();
        let after = size_of(store, &links(&numbers))?;
        if !arguments.dry_run {
            retention::prune(&profile, &keep, false)?;
        }
        all.push(Forgotten { profile, numbers, before, after });
    }
    Ok(all)
}

/// The bytes of all that links lead to.
fn size_of(store: &LocalStore, links: &[PathBuf]) -> Result<u64, Error> {
    let targets: Vec<_> = links.iter().filter_map(|link| store.in_store(&link.read_link().ok()?)).collect();
    sum(store, &store.closure_of_valid(&targets)?)
}

fn sum(store: &LocalStore, paths: &BTreeSet<StorePath>) -> Result<u64, Error> {
    let mut total = 0;
    for path in paths {
        total += store.info(path)?.map_or(0, |info| info.nar_size);
    }
    Ok(total)
}

fn profiles_told(forgotten: &[Forgotten], verb: &str) -> String {
    let mut text = String::new();
    for one in forgotten.iter().filter(|one| !one.numbers.is_empty()) {
        let numbers: Vec<_> = one.numbers.iter().map(u64::to_string).collect();
        let _ = writeln!(
            text,
            "{verb} generations {} of {}: {} before, {} after",
            numbers.join(", "),
            one.profile.display(),
            sized(one.before),
            sized(one.after)
        );
    }
    text
}

fn profiles_json(forgotten: &[Forgotten]) -> Vec<Value> {
    let one = |one: &Forgotten| {
        json!({
            "profile": one.profile, "generations": one.numbers, "bytes_before": one.before,
            "bytes_after": one.after,
        })
    };
    forgotten.iter().map(one).collect()
}

/// Shows each root and what it keeps, and what would go.
fn show(
    context: &Context,
    store: &LocalStore,
    collector: &Collector,
    forgotten: &[Forgotten],
) -> Result<ExitCode, Error> {
    let gone: Vec<PathBuf> = forgotten
        .iter()
        .flat_map(|one| {
            let all = retention::generations(&one.profile).into_iter();
            all.filter(|found| one.numbers.contains(&found.number)).map(|found| found.link)
        })
        .collect();
    let is_gone = |root: &nival_store::Root| matches!(&root.source, nival_store::RootSource::Link(link) if gone.contains(link));
    let roots: Vec<_> = collector.roots(store)?.into_iter().filter(|root| !is_gone(root)).collect();
    let mut text = profiles_told(forgotten, "would forget");
    let mut kept = BTreeSet::new();
    let mut all = Vec::new();
    for root in &roots {
        let closure = store.closure_of_valid([&root.path])?;
        let size = sum(store, &closure)?;
        let (short, reason) = kind(&root.source);
        let _ = writeln!(
            text,
            "{} keeps {} ({} paths, {}): {reason}",
            root.source,
            store.dir().print(&root.path),
            closure.len(),
            sized(size)
        );
        all.push(json!({
            "root": root.source.to_string(), "kind": short, "path": store.dir().print(&root.path),
            "paths": closure.len(), "bytes": size,
        }));
        kept.extend(closure);
    }
    let settings = &store.config().settings;
    let follow = nival_store::Follow {
        referrers: false,
        outputs: settings.keep_outputs,
        derivers: settings.keep_derivations,
    };
    let rooted: Vec<_> = kept.into_iter().collect();
    let alive: BTreeSet<_> = store.closure_with(&rooted, follow)?.into_iter().collect();
    let dead: BTreeSet<_> = store.all()?.into_iter().filter(|path| !alive.contains(path)).collect();
    let size = sum(store, &dead)?;
    let _ = writeln!(text, "{} paths would be removed, {} would be free", dead.len(), sized(size));
    let names: Vec<_> = dead.iter().map(|path| store.dir().print(path)).collect();
    context.output.result(
        &text,
        || json!({ "roots": all, "dead": names, "bytes": size, "profiles": profiles_json(forgotten) }),
    );
    Ok(ExitCode::SUCCESS)
}
