//! The generations of a profile.

use super::refused;
use crate::building::Building;
use crate::commands::profile::history;
use crate::context::{Context, absolute};
use crate::environment::failed;
use crate::error::Error;
use crate::output::date_time;
use nival_store::Profile;
use nival_sys::fs as sys;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Goes to another generation.
pub(super) fn switch(
    context: &mut Context,
    profile: &Profile,
    to: Option<u64>,
    building: &Building,
) -> Result<ExitCode, Error> {
    history::switch(context, profile, to, building.dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the generations.
pub(super) fn list(context: &mut Context, profile: &Profile) -> Result<ExitCode, Error> {
    let _lock = profile.lock()?;
    let generations = profile.generations()?;
    for generation in &generations.all {
        let mark = if Some(generation.number) == generations.current { "(current)" } else { "" };
        let line = format!("{:>4}   {}   {mark}", generation.number, date_time(generation.created));
        context.output.text(&line, true);
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes generations.
pub(super) fn delete(
    context: &mut Context,
    profile: &Profile,
    words: &[String],
    building: &Building,
) -> Result<ExitCode, Error> {
    let _lock = profile.lock()?;
    let generations = profile.generations()?;
    let numbers: Vec<u64> = generations.all.iter().map(|generation| generation.number).collect();
    let wanted = match words {
        [word] if word == "old" => numbers,
        [word] if word.ends_with('d') => {
            let age = history::days(word).map_err(refused)?;
            history::older_than(&generations.all, history::now() - age)
        }
        [word] if word.starts_with('+') => {
            let count: usize = word[1..].parse().map_err(|_| refused(format!("'{word}' is no number")))?;
            if count == 0 {
                return Err(refused("number of generations to keep must be positive"));
            }
            // Generations behind the current one count as little as they do for Nix: they stay.
            let current = generations.current.unwrap_or(0);
            let until_current: Vec<_> = numbers.into_iter().filter(|number| *number <= current).collect();
            until_current[..until_current.len().saturating_sub(count)].to_vec()
        }
        words => words
            .iter()
            .map(|word| word.parse().map_err(|_| refused(format!("invalid generation number '{word}'"))))
            .collect::<Result<_, _>>()?,
    };
    if let Some(current) = generations.current.filter(|current| words != ["old"] && wanted.contains(current))
    {
        return Err(refused(format!("cannot delete current version of profile ({current})")));
    }
    history::delete(context, profile, &wanted, building.dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the user's own link lead to another profile.
pub(super) fn switch_profile(words: &[String]) -> Result<ExitCode, Error> {
    let [profile] = words else { return Err(refused("exactly one argument expected")) };
    let home = std::env::var_os("HOME").ok_or_else(|| refused("there is no home folder"))?;
    let link = Path::new(&home).join(".nix-profile");
    sys::symlink_atomic(&absolute(PathBuf::from(profile)), &link).map_err(failed("switch the profile"))?;
    Ok(ExitCode::SUCCESS)
}
