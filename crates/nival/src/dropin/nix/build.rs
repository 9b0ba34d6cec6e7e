//! `nix build`

use super::target::Target;
use crate::building;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use nival_store_model::StorePath;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nix build`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    /// Where the links to the results are made
    #[arg(short = 'o', long, value_name = "LINK", default_value = "result")]
    out_link: PathBuf,
    /// Make no links to the results
    #[arg(long)]
    no_link: bool,
    /// Print the paths of the results
    #[arg(long)]
    print_out_paths: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

/// Builds.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let other = context.take_other_store()?;
    let flakes = arguments.target.installables.flakes();
    let (mut session, progress) =
        building::session(context, &arguments.target.evaluation, &arguments.target.building, &flakes)?;
    let found = arguments.target.installables.requests(context, &mut session, &arguments.target.evaluation);
    context.show_messages(&session);
    let requests = found.map_err(|error| context.failed(&session, &error))?;
    if let Some(other) = other {
        let settings =
            arguments.target.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
        let (builds, building) = (session.builds(), &arguments.target.building);
        let made = building::for_other(context, builds, &progress, &requests, building, &settings, &*other)?;
        let Some(paths) = made else { return Ok(ExitCode::FAILURE) };
        for path in paths.iter().filter(|_| arguments.print_out_paths) {
            context.output.text(&other.dir().print(path), true);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (answers, code) =
        building::build(context, session.builds(), &progress, &requests, &arguments.target.building)?;
    let store = context.store()?;
    let print = |path: &StorePath| store.dir().print(path);
    let made = building::made(requests, answers);
    if code == ExitCode::SUCCESS && !arguments.no_link && !arguments.target.building.dry_run {
        for (name, path) in building::link_names(&arguments.out_link, &made) {
            building::link(&store, &name, &path)?;
        }
    }
    if arguments.json && code == ExitCode::SUCCESS {
        let one = |(request, outputs): &(Request, BTreeMap<String, StorePath>)| match request {
            Request::Outputs(drv, _) => {
                let named: BTreeMap<&String, String> =
                    outputs.iter().map(|(name, path)| (name, print(path))).collect();
                json!({ "drvPath": print(drv), "outputs": named })
            }
            Request::Path(path) => json!(print(path)),
        };
        context.output.text(&serde_json::Value::from_iter(made.iter().map(one)).to_string(), true);
    }
    if arguments.print_out_paths {
        for path in made.iter().flat_map(|(_, outputs)| outputs.values()) {
            context.output.text(&print(path), true);
        }
    }
    // Unlike the older programs this one ends with 1 whatever failed.
    Ok(if code == ExitCode::SUCCESS { code } else { ExitCode::FAILURE })
}
