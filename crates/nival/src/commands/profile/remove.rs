//! `nival profile remove`

use super::{Place, Which, manifest, set};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use std::process::ExitCode;

/// What can be typed behind `nival profile remove`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
}

/// Removes packages.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let profile = arguments.place.profile(context)?;
    let _lock = profile.lock()?;
    let mut manifest = manifest(context, &profile)?;
    let names = arguments.which.names(context, &manifest)?;
    if names.is_empty() {
        let text = "warning: No packages to remove. Use 'nix profile list' to see the current profile.";
        context.output.say(text);
        return Ok(ExitCode::SUCCESS);
    }
    for name in &names {
        if let Some(element) = manifest.elements.remove(name) {
            context.output.say(&format!("removing '{}'", element.identifier()));
        }
    }
    let kept = manifest.elements.len();
    context.output.say(&format!("removed {} packages, kept {kept} packages", names.len()));
    set(&*context.store()?, &profile, &manifest)?;
    Ok(ExitCode::SUCCESS)
}
