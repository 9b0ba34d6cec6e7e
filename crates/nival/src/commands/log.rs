//! `nival log`

use crate::commands::evaluation::{Evaluation, Target};
use crate::context::{Context, current_folder};
use crate::error::Error;
use crate::stores::path_of;
use clap::Args;
use nival_build::Request;
use nival_diagnostics::Diagnostic;
use nival_engine::NixSettings;
use nival_store::Store;
use nival_store::stores::{Address, Reference};
use nival_store_model::StorePath;
use std::process::ExitCode;
use std::sync::Arc;

/// What can be typed behind `nival log`.
#[derive(Args)]
pub struct Arguments {
    /// A derivation or one of its outputs: a path of the store, a flake such as .#name, or a file
    target: Option<String>,
    /// Of what this expression gives
    #[arg(short = 'E', long, value_name = "EXPRESSION", conflicts_with = "target")]
    expr: Option<String>,
    /// Select what this path leads to
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    attribute: Option<String>,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Prints the log of a build.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let word = arguments.target.clone().unwrap_or_else(|| ".".to_owned());
    let settings = arguments.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
    if let Some(store) = other_store(context, &settings)? {
        print_log_of(context, &*store, &word)?;
        return Ok(ExitCode::SUCCESS);
    }
    let target = Target::parse(&word);
    let targets = std::slice::from_ref(&target);
    let flakes = if arguments.expr.is_some() { Vec::new() } else { Target::flakes(targets) };
    let mut session = arguments.evaluation.session(context, false, &flakes)?;
    let found = (|| {
        if arguments.expr.is_none()
            && let Some(request) = session.stored_request(&word)?
        {
            return Ok(vec![request]);
        }
        let automatic = arguments.evaluation.automatic(&mut session)?;
        let mut value = match &arguments.expr {
            Some(text) => session.evaluate_with_library(text, &current_folder())?,
            None => target.evaluate(context, &mut session, &automatic)?,
        };
        if let Some(path) = &arguments.attribute {
            value = session.select(value, path, &automatic)?;
        }
        super::build::derivation_requests(&mut session, value, &automatic)
    })();
    context.show_messages(&session);
    for request in found.map_err(|error| context.failed(&session, &error))? {
        print_log(context, &request, &settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the log of what a request names.
pub fn print_log(context: &mut Context, request: &Request, settings: &NixSettings) -> Result<(), Error> {
    let store = context.store()?;
    let mut candidates: Vec<StorePath> = Vec::new();
    let subject = match request {
        Request::Outputs(drv, _) => drv,
        Request::Path(path) => path,
    };
    candidates.push(subject.clone());
    candidates.extend(store.info(subject)?.and_then(|info| info.deriver));
    candidates.extend(store.valid_derivers(subject)?);
    for drv in &candidates {
        let found = nival_build::log::read(&store.config().log, drv);
        let failed = |error: std::io::Error| {
            Error::plain(nival_engine::Error::Io(store.config().log.clone(), error).diagnostic())
        };
        if let Some(text) = found.map_err(failed)? {
            context.output.text(&String::from_utf8_lossy(&text), false);
            return Ok(());
        }
    }
    if !candidates.iter().any(StorePath::is_derivation) {
        candidates.extend(deriver_elsewhere(context, subject, settings)?);
    }
    let caches = context.caches(settings)?;
    for from in caches.substituters().stores() {
        for drv in candidates.iter().filter(|path| path.is_derivation()) {
            if let Some(text) = from.log(drv)? {
                context.output.text(&String::from_utf8_lossy(&text), false);
                return Ok(());
            }
        }
    }
    let message = format!("build log of '{}' is not available", store.dir().print(subject));
    Err(unavailable(message))
}

fn unavailable(message: String) -> Error {
    Error::plain(
        Diagnostic::error(&crate::diagnostics::no_log::ENTRY, message)
            .help("it was brought from a cache, built before logs were kept, or never built"),
    )
}

/// The store that was named, where it is not one of this disk.
pub fn other_store(context: &mut Context, settings: &NixSettings) -> Result<Option<Arc<dyn Store>>, Error> {
    let Some(address) = context.named_store() else { return Ok(None) };
    if matches!(Reference::parse(address)?.address(), Address::Local(_)) {
        return Ok(None);
    }
    let address = address.to_owned();
    Ok(Some(context.opener(settings)?.open(&address, false)?.0))
}

/// Prints the log of a path, as another store keeps it.
pub fn print_log_of(context: &Context, store: &dyn Store, word: &str) -> Result<(), Error> {
    let (path, _) = path_of(store.dir(), word.split(['^', '!']).next().unwrap_or(word))?;
    let deriver = store.info(&path)?.and_then(|info| info.deriver).filter(|_| !path.is_derivation());
    match store.log(&deriver.unwrap_or_else(|| path.clone()))? {
        Some(text) => {
            context.output.text(&String::from_utf8_lossy(&text), false);
            Ok(())
        }
        None => Err(unavailable(format!("build log of '{}' is not available", store.dir().print(&path)))),
    }
}

/// The derivation that made a path, where only a cache knows it.
fn deriver_elsewhere(
    context: &mut Context,
    path: &StorePath,
    settings: &NixSettings,
) -> Result<Option<StorePath>, Error> {
    let caches = context.caches(settings)?;
    Ok(caches.substituters().find(path).0.and_then(|found| found.info.deriver))
}
