//! `nix-collect-garbage`

use super::nix_store::{bytes, freed};
use super::words::{Words, usage};
use crate::collecting::{Collector, megabytes};
use crate::context::Context;
use crate::error::Error;
use crate::retention::{self, Keep};
use nival_store::{GcAction, GcOptions};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does what `nix-collect-garbage` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let parsed = match Words::read(words) {
        Ok(parsed) => parsed,
        Err(error) => return super::run(&super::Common::default(), |_| Err(error)),
    };
    if parsed.version {
        println!("nix-collect-garbage {}", crate::dropin::VERSION);
        return ExitCode::SUCCESS;
    }
    super::run(&parsed.common.clone(), |context| collect(context, parsed))
}

fn collect(context: &mut Context, parsed: Words) -> Result<ExitCode, Error> {
    let (mut keep, mut dry, mut max_freed) = (None, false, None);
    let mut words = parsed.rest.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| usage(&format!("`{word}` needs a value")));
        match word.as_str() {
            "-d" | "--delete-old" => keep = Some(Keep { last: 1, ..Keep::default() }),
            "--delete-older-than" => {
                let since = retention::before_now(&value()?)?;
                keep = Some(Keep { last: 1, since: Some(since), ..Keep::default() });
            }
            "--dry-run" => dry = true,
            "--max-freed" => max_freed = Some(bytes(&value()?)?),
            "--help" => {
                context.output.text(
                    "Usage: nix-collect-garbage [-d] [--delete-older-than DAYSd] [--dry-run] [--max-freed BYTES]",
                    true,
                );
                return Ok(ExitCode::SUCCESS);
            }
            _ => return Err(usage(&format!("unknown flag `{word}`"))),
        }
    }
    if dry && max_freed.is_some() {
        return Err(usage("options `--max-freed` and `--dry-run` cannot be combined"));
    }
    let store = context.store()?;
    if let Some(keep) = keep {
        let below = retention::profile_folders(&store).into_iter();
        let mut profiles: BTreeSet<_> = below.flat_map(|folder| retention::profiles(&folder)).collect();
        profiles.extend(retention::linked_profile());
        for profile in profiles {
            context.output.say(&format!("removing old generations of profile {}", profile.display()));
            for gone in retention::prune(&profile, &keep, dry)? {
                let verb = if dry { "would remove" } else { "removing" };
                context.output.say(&format!("{verb} profile version {}", gone.number));
            }
        }
    }
    let collector = Collector::new(context, parsed.common.verbose)?;
    let action = if dry { GcAction::Dead } else { GcAction::Delete };
    let result = collector.collect(&store, GcOptions { action, max_freed, ..GcOptions::default() })?;
    let text = if dry {
        format!(
            "{} store paths would be deleted, {} would be freed",
            result.names.len(),
            megabytes(result.bytes)
        )
    } else {
        freed(result.names.len(), result.bytes)
    };
    context.output.text(&text, true);
    Ok(ExitCode::SUCCESS)
}
