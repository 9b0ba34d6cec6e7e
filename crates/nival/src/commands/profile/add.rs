//! `nival profile add`

use super::{Place, manifest, set};
use crate::building::{self, Building};
use crate::commands::build::derivation_requests;
use crate::commands::evaluation::Evaluation;
use crate::commands::installables::{Installables, outputs_of};
use crate::context::{Context, current_folder};
use crate::environment::{Element, Source, USUAL_PRIORITY};
use crate::error::Error;
use clap::Args;
use nival_build::{Request, Wanted};
use nival_engine::{Automatic, OutputSearch, Session};
use nival_eval::Value;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::ExitCode;

/// What can be typed behind `nival profile add`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    installables: Installables,
    /// Which of two packages that bring the same file wins: the lower number
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i64>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// Something to be installed, before it is built.
pub(super) struct Found {
    pub(super) requests: Vec<Request>,
    pub(super) source: Option<Source>,
    pub(super) priority: i64,
}

/// Installs packages.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let flakes = arguments.installables.flakes();
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &flakes)?;
    let found = find_all(context, &mut session, arguments);
    context.show_messages(&session);
    let found = found.map_err(|error| context.failed(&session, &error))?;
    let profile = arguments.place.profile(context)?;
    let built = built(context, &session, &progress, found, &arguments.building)?;
    let (elements, code) = match built {
        (Some(elements), code) if !arguments.building.dry_run => (elements, code),
        (_, code) => return Ok(code),
    };
    let _lock = profile.lock()?;
    let mut manifest = manifest(context, &profile)?;
    for mut element in elements {
        element.priority = arguments.priority.unwrap_or(element.priority);
        let name = element.name();
        let known =
            manifest.elements.get(&name).and_then(|known| Some((known.priority, known.source.clone()?)));
        let is_same = match (&known, &element.source) {
            (Some((priority, known)), Some(source)) => {
                *priority == element.priority
                    && known.original == source.original
                    && known.attribute == source.attribute
            }
            _ => false,
        };
        if is_same {
            context.output.say(&format!("warning: '{name}' is already added"));
            continue;
        }
        manifest.add(element);
    }
    set(&*context.store()?, &profile, &manifest)?;
    Ok(code)
}

/// Builds what was found; nothing where something failed.
pub(super) fn built(
    context: &mut Context,
    session: &Session,
    progress: &crate::build_progress::BuildProgress,
    found: Vec<Found>,
    building: &Building,
) -> Result<(Option<Vec<Element>>, ExitCode), Error> {
    let requests: Vec<_> = found.iter().flat_map(|found| found.requests.iter().cloned()).collect();
    let (answers, code) = building::build(context, session.builds(), progress, &requests, building)?;
    let mut answers = answers.into_iter();
    let mut elements = Vec::new();
    for found in found {
        let mut element = Element {
            paths: Default::default(),
            source: found.source,
            active: true,
            priority: found.priority,
        };
        for answer in answers.by_ref().take(found.requests.len()) {
            match answer {
                Ok(outputs) => element.paths.extend(outputs.into_values()),
                Err(_) => return Ok((None, ExitCode::FAILURE)),
            }
        }
        elements.push(element);
    }
    Ok((Some(elements), if code == ExitCode::SUCCESS { code } else { ExitCode::FAILURE }))
}

fn find_all(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
) -> Result<Vec<Found>, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let installables = &arguments.installables;
    if installables.file.is_some() || installables.expr.is_some() {
        let requests = installables.requests(context, session, &arguments.evaluation)?;
        let one = |request| Found { requests: vec![request], source: None, priority: USUAL_PRIORITY };
        return Ok(requests.into_iter().map(one).collect());
    }
    let usual = [".".to_owned()];
    let words = if installables.installables.is_empty() { &usual[..] } else { &installables.installables };
    let mut all = Vec::new();
    for word in words {
        if let Some(request) = session.stored_request(word)? {
            all.push(Found { requests: vec![request], source: None, priority: USUAL_PRIORITY });
            continue;
        }
        let (text, outputs) = outputs_of(word);
        let (reference, fragment) = session.parse_flake(text, Path::new(&current_folder()))?;
        let flags = installables.lock.flags(session)?;
        all.push(find(session, &automatic, &reference, &fragment, outputs.as_ref(), &flags)?);
    }
    Ok(all)
}

/// What a flake has at a place.
pub(super) fn find(
    session: &mut Session,
    automatic: &Automatic,
    reference: &nival_engine::FlakeReference,
    fragment: &str,
    outputs: Option<&Wanted>,
    flags: &nival_engine::LockFlags,
) -> Result<Found, nival_engine::Error> {
    let locked = session.lock_flake(reference, flags)?;
    let search = OutputSearch::packages(session.system());
    let (value, attribute) = session.flake_output(&locked, fragment, &search)?;
    let priority = priority(session, value)?.unwrap_or(USUAL_PRIORITY);
    let mut requests = derivation_requests(session, value, automatic)?;
    if let Some(wanted) = outputs {
        for request in &mut requests {
            if let Request::Outputs(_, names) = request {
                *names = wanted.clone();
            }
        }
    }
    let source = Source {
        original: locked.original.to_string(),
        locked: locked.locked.to_string(),
        attribute,
        outputs: match outputs {
            None => Json::Null,
            Some(Wanted::All) => json!(["*"]),
            Some(Wanted::Names(names)) => json!(names),
        },
    };
    Ok(Found { requests, source: Some(source), priority })
}

/// What `meta.priority` says.
fn priority(session: &mut Session, value: Value) -> Result<Option<i64>, nival_engine::Error> {
    let evaluator = session.evaluator();
    let Some(meta) = evaluator.select_opt(value, "meta")? else { return Ok(None) };
    let Some(priority) = evaluator.select_opt(meta, "priority")? else { return Ok(None) };
    Ok(Some(evaluator.expect_int(priority)?))
}
