//! `nival profile`: packages that a user installed, with a history

mod add;
pub mod history;
mod list;
mod remove;
mod upgrade;

use crate::context::Context;
use crate::environment::{self, Element, Extra, Manifest, default_profile};
use crate::error::Error;
use crate::patterns::{Case, Pattern};
use clap::{Args, Subcommand};
use nival_build::Package;
use nival_store::{LocalStore, Profile};
use nival_store_model::StorePath;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival profile`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install packages
    #[command(visible_alias = "install")]
    Add(add::Arguments),
    /// Remove packages
    Remove(remove::Arguments),
    /// Bring packages of flakes to their newest versions
    Upgrade(upgrade::Arguments),
    /// List what is installed
    List(Place),
    /// Show which packages came and went with each generation
    History(Place),
    /// Show how sizes and versions changed with each generation
    DiffClosures(Place),
    /// Go back to an earlier generation
    Rollback(history::Rollback),
    /// Remove earlier generations
    WipeHistory(history::WipeHistory),
}

/// Which profile is meant.
#[derive(Args, Clone)]
pub struct Place {
    /// The profile, in place of the user's own
    #[arg(long, value_name = "LINK")]
    profile: Option<PathBuf>,
}

/// Which packages are meant.
#[derive(Args)]
pub struct Which {
    /// Names of packages as `nival profile list` shows them, or their store paths
    packages: Vec<String>,
    /// Packages whose source this pattern matches as a whole; may be given several times
    #[arg(long, value_name = "PATTERN")]
    regex: Vec<String>,
    /// All packages
    #[arg(long)]
    all: bool,
}

/// Works on a profile.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Add(arguments) => add::run(context, arguments),
        Command::Remove(arguments) => remove::run(context, arguments),
        Command::Upgrade(arguments) => upgrade::run(context, arguments),
        Command::List(place) => list::run(context, place),
        Command::History(place) => history::show(context, place),
        Command::DiffClosures(place) => history::diff_closures(context, place),
        Command::Rollback(arguments) => history::rollback(context, arguments),
        Command::WipeHistory(arguments) => history::wipe(context, arguments),
    }
}

impl Place {
    fn profile(&self, context: &mut Context) -> Result<Profile, Error> {
        match &self.profile {
            Some(link) => Ok(Profile::new(&crate::context::absolute(link.clone()))),
            None => default_profile(context),
        }
    }
}

/// What a profile holds now.
fn manifest(context: &mut Context, profile: &Profile) -> Result<Manifest, Error> {
    manifest_at(context, profile.link())
}

/// What a generation or a profile holds.
fn manifest_at(context: &mut Context, link: &std::path::Path) -> Result<Manifest, Error> {
    let store = context.store()?;
    let Some(path) = environment::target(context, link)? else { return Ok(Manifest::default()) };
    let folder = store.physical(&path);
    if folder.join("manifest.json").exists() || folder.join("manifest.nix").symlink_metadata().is_err() {
        return Manifest::read(&store, &folder);
    }
    let mut manifest = Manifest::default();
    for element in environment::of_nix_env(context, &folder)? {
        manifest.add(element);
    }
    Ok(manifest)
}

/// Lets a profile hold this.
fn set(store: &LocalStore, profile: &Profile, manifest: &Manifest) -> Result<(), Error> {
    let package = |element: &Element, path: &StorePath| Package {
        path: store.dir().print(path),
        active: element.active,
        priority: element.priority,
    };
    let elements = manifest.elements.values();
    let packages =
        elements.clone().flat_map(|element| element.paths.iter().map(move |path| package(element, path)));
    let references: Vec<_> = elements.flat_map(|element| element.paths.iter().cloned()).collect();
    let text = manifest.to_text(store);
    let file = ("manifest.json", Extra::Text(text.as_bytes()));
    let path = environment::build(store, "profile", packages.collect(), file, &references)?;
    environment::set(store, profile, &path)?;
    Ok(())
}

impl Which {
    /// The names of the packages that are meant; what fits nothing is said.
    fn names(&self, context: &mut Context, manifest: &Manifest) -> Result<Vec<String>, Error> {
        if self.all && !(self.packages.is_empty() && self.regex.is_empty()) {
            return Err(refused("--all cannot be used with package names or regular expressions."));
        }
        if !self.all && self.packages.is_empty() && self.regex.is_empty() {
            return Err(refused("No packages specified."));
        }
        if self.all {
            return Ok(manifest.elements.keys().cloned().collect());
        }
        let dir = context.store()?.dir().clone();
        let mut names = Vec::new();
        let mut take = |what: String, fits: &dyn Fn(&str, &Element) -> bool| {
            let found = manifest.elements.iter().filter(|(name, element)| fits(name, element));
            let found: Vec<_> = found.map(|(name, _)| name.clone()).collect();
            if found.is_empty() {
                context.output.say(&format!("warning: {what} does not match any packages in the profile."));
            }
            names.extend(found);
        };
        for text in &self.packages {
            match dir.parse(text) {
                Ok(path) => {
                    take(format!("Store path '{}'", path.base_name()), &|_, e| e.paths.contains(&path));
                }
                Err(_) => take(format!("Package name '{text}'"), &|name, _| name == text),
            }
        }
        for pattern in &self.regex {
            let regex = Pattern::of_whole(pattern, Case::Any)
                .map_err(|error| refused(&format!("invalid regex '{pattern}': {error}")))?;
            take(format!("Regex '{pattern}'"), &|_, element| regex.matches(&element.identifier()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

fn refused(text: &str) -> Error {
    use crate::diagnostics::profile_refused;
    let help = "`nival profile list` shows what is installed";
    Error::plain(nival_diagnostics::Diagnostic::error(&profile_refused::ENTRY, text.to_owned()).help(help))
}
