//! Garbage: `nix-store --gc` and `nix-store --delete`.

use super::Call;
use crate::collecting::{Collector, megabytes};
use crate::dropin::words::usage;
use crate::error::Error;
use nival_store::{DeleteOptions, GcAction, GcOptions};
use std::process::ExitCode;

/// Collects garbage, or lists roots, live or dead paths.
pub fn collect(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let print_roots = call.take(&["--print-roots"]);
    let (live, dead) = (call.take(&["--print-live"]), call.take(&["--print-dead"]));
    let limit = call.take_value("--max-freed");
    call.no_more_flags()?;
    call.no_words()?;
    let max_freed = limit.as_deref().map(bytes).transpose()?;
    if max_freed.is_some() && (print_roots || live || dead) {
        return Err(usage(
            "option `--max-freed` cannot be combined with `--print-live`, `--print-dead`, or `--print-roots`",
        ));
    }
    let store = call.store()?;
    let collector = Collector::new(call.context, call.verbose)?;
    if print_roots {
        for root in collector.roots(&store)? {
            call.print(&format!("{} -> {}", root.source, store.dir().print(&root.path)));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let action = match (live, dead) {
        (true, _) => GcAction::Live,
        (_, true) => GcAction::Dead,
        _ => GcAction::Delete,
    };
    let lists = action != GcAction::Delete;
    let result = collector.collect(&store, GcOptions { action, max_freed, ..GcOptions::default() })?;
    if lists {
        let lines: Vec<_> =
            result.names.iter().map(|name| format!("{}/{name}\n", store.dir().as_str())).collect();
        call.context.output.text(&lines.concat(), false);
    } else {
        call.print(&freed(result.names.len(), result.bytes));
    }
    Ok(ExitCode::SUCCESS)
}

/// A number of bytes, with `K`, `M`, `G` or `T` behind it.
pub fn bytes(text: &str) -> Result<u64, Error> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = found.unwrap_or((text, 0));
    let wrong = || usage(&format!("`{text}` is no number of bytes"));
    match digits.parse::<i64>() {
        Ok(number) => u64::try_from(number).unwrap_or(0).checked_mul(1 << shift).ok_or_else(wrong),
        Err(_) => Err(wrong()),
    }
}

/// What was freed, in the words of Nix.
pub fn freed(count: usize, bytes: u64) -> String {
    format!("{count} store paths deleted, {} freed", megabytes(bytes))
}

/// Deletes paths if nothing needs them.
pub fn delete(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let options = DeleteOptions { ignore_liveness: call.take(&["--ignore-liveness"]) };
    call.no_more_flags()?;
    let store = call.store()?;
    let paths = call.paths()?;
    let collector = Collector::new(call.context, call.verbose)?;
    let result = collector.delete(&store, &paths, options)?;
    call.print(&freed(result.names.len(), result.bytes));
    Ok(ExitCode::SUCCESS)
}
