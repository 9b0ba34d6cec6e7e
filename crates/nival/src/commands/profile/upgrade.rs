//! `nival profile upgrade`

use super::add::{built, find};
use super::{Place, Which, manifest, set};
use crate::building::{self, Building};
use crate::commands::evaluation::Evaluation;
use crate::context::{Context, current_folder};
use crate::environment::Source;
use crate::error::Error;
use clap::Args;
use nival_build::Wanted;
use nival_engine::{LockFlags, Session};
use serde_json::Value as Json;
use std::path::Path;
use std::process::ExitCode;

/// What can be typed behind `nival profile upgrade`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// Brings packages to their newest versions.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let profile = arguments.place.profile(context)?;
    let before = manifest(context, &profile)?;
    let names = arguments.which.names(context, &before)?;
    if names.is_empty() {
        let text = "warning: No packages to upgrade. Use 'nix profile list' to see the current profile.";
        context.output.say(text);
        return Ok(ExitCode::SUCCESS);
    }
    let originals =
        names.iter().filter_map(|name| Some(before.elements.get(name)?.source.as_ref()?.original.clone()));
    let flakes: Vec<String> = originals.collect();
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &flakes)?;
    let (mut wanted, mut found) = (Vec::new(), Vec::new());
    for name in names {
        let Some(element) = before.elements.get(&name) else { continue };
        let Some(source) = &element.source else {
            let shown = element.identifier();
            context.output.say(&format!(
                "warning: Found package '{shown}', but it was not added from a flake, so it can't be checked for upgrades!"
            ));
            continue;
        };
        let newest = newest(&mut session, arguments, source);
        context.show_messages(&session);
        let newest = newest.map_err(|error| context.failed(&session, &error))?;
        if newest.source.as_ref().is_some_and(|new| new.locked == source.locked) {
            continue;
        }
        let to = newest.source.as_ref().map_or("", |source| source.locked.as_str());
        let (attribute, from) = (&source.attribute, &source.locked);
        context.output.say(&format!("upgrading '{attribute}' from flake '{from}' to '{to}'"));
        wanted.push(name);
        found.push(newest);
    }
    let (elements, code) = built(context, &session, &progress, found, &arguments.building)?;
    let Some(elements) = elements.filter(|_| !arguments.building.dry_run) else { return Ok(code) };
    let _lock = profile.lock()?;
    let mut manifest = manifest(context, &profile)?;
    for (name, new) in wanted.into_iter().zip(elements) {
        if let Some(element) = manifest.elements.get_mut(&name) {
            element.paths = new.paths;
            element.source = new.source;
        }
    }
    set(&*context.store()?, &profile, &manifest)?;
    Ok(code)
}

fn newest(
    session: &mut Session,
    arguments: &Arguments,
    source: &Source,
) -> Result<super::add::Found, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let (reference, _) = session.parse_flake(&source.original, Path::new(&current_folder()))?;
    let outputs = source.outputs.as_array().map(|names| {
        let names: Vec<_> = names.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        if names == ["*"] { Wanted::All } else { Wanted::Names(names.into_iter().collect()) }
    });
    find(session, &automatic, &reference, &source.attribute, outputs.as_ref(), &LockFlags::default())
}
