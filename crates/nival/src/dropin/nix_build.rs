//! `nix-build`

use super::Common;
use crate::building::{self, Building};
use crate::commands::build::single_outputs;
use crate::commands::evaluation::{Evaluation, file_expression};
use crate::context::{Context, current_folder};
use crate::error::Error;
use clap::Parser;
use nival_build::Request;
use nival_engine::{Automatic, Expression, Session};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Build derivations that expressions give, and link to the results
#[derive(Parser)]
#[command(name = "nix-build", version = crate::dropin::VERSION, args_override_self = true)]
struct DropIn {
    /// Files, derivations of the store, or with `--expr` expressions; without any it is `./default.nix`
    files: Vec<String>,
    /// The arguments are expressions, not files
    #[arg(short = 'E', long, alias = "expr")]
    expression: bool,
    /// Select what this path leads to; may be given several times
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    attributes: Vec<String>,
    /// Where the links to the results are made
    #[arg(short = 'o', long, value_name = "LINK", default_value = "result")]
    out_link: PathBuf,
    /// Make no links to the results
    #[arg(long, alias = "no-link")]
    no_out_link: bool,
    /// Show nothing of what builders say
    #[arg(short = 'Q', long)]
    no_build_output: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    common: Common,
}

/// Does what `nix-build` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let mut arguments = DropIn::parse_from(words);
    arguments.building.plain_logs = !arguments.no_build_output && !arguments.common.quiet;
    super::run(&arguments.common, |context| build(context, &arguments))
}

fn build(context: &mut Context, arguments: &DropIn) -> Result<ExitCode, Error> {
    let other = context.take_other_store()?;
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &[])?;
    let found = requests(&mut session, arguments);
    context.show_messages(&session);
    let requests = found.map_err(|error| context.failed(&session, &error))?;
    if let Some(other) = other {
        let settings = arguments.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
        let building = &arguments.building;
        let paths = building::for_other(
            context,
            session.builds(),
            &progress,
            &requests,
            building,
            &settings,
            &*other,
        )?;
        let Some(paths) = paths else { return Ok(ExitCode::FAILURE) };
        let printed: Vec<String> = paths.iter().map(|path| other.dir().print(path)).collect();
        context.output.text(&printed.join("\n"), !printed.is_empty());
        return Ok(ExitCode::SUCCESS);
    }
    let (answers, code) =
        building::build(context, session.builds(), &progress, &requests, &arguments.building)?;
    if arguments.building.dry_run {
        return Ok(code);
    }
    let made = building::made(requests, answers);
    let store = context.store()?;
    if code == ExitCode::SUCCESS {
        if !arguments.no_out_link {
            for (name, path) in building::link_names(&arguments.out_link, &made) {
                building::link(&store, &name, &path)?;
            }
        }
        for path in made.iter().flat_map(|(_, outputs)| outputs.values()) {
            context.output.text(&store.dir().print(path), true);
        }
    }
    Ok(code)
}

fn requests(session: &mut Session, arguments: &DropIn) -> Result<Vec<Request>, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let base = current_folder();
    let mut found = Vec::new();
    let usual = [String::from("./default.nix")];
    let files =
        if arguments.files.is_empty() && !arguments.expression { &usual[..] } else { &arguments.files };
    for word in files {
        let expression = if word == "-" {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| nival_engine::Error::Io("standard input".into(), error))?;
            Expression::Text(text, base.clone())
        } else if arguments.expression {
            Expression::Text(word.clone(), base.clone())
        } else if let Some(request) = session.stored_request(word)?.filter(|request| is_stored(request, word))
        {
            found.push(request);
            continue;
        } else {
            file_expression(word)
        };
        select(session, &expression, arguments, &automatic, &mut found)?;
    }
    Ok(found)
}

/// Whether a word is meant as what is to be built, and not as a file with an expression.
fn is_stored(request: &Request, word: &str) -> bool {
    matches!(request, Request::Outputs(..)) || !word.ends_with(".nix")
}

fn select(
    session: &mut Session,
    expression: &Expression,
    arguments: &DropIn,
    automatic: &Automatic,
    found: &mut Vec<Request>,
) -> Result<(), nival_engine::Error> {
    let root = session.evaluate(expression)?;
    let whole = [String::new()];
    let paths = if arguments.attributes.is_empty() { &whole[..] } else { &arguments.attributes };
    for path in paths {
        let value = session.select(root, path, automatic)?;
        found.extend(single_outputs(session, value, automatic)?);
    }
    Ok(())
}
