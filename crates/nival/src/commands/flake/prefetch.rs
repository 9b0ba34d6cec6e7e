//! `nival flake prefetch`

use super::{reference, typed, with_session};
use crate::building;
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival flake prefetch`.
#[derive(Args)]
pub struct Arguments {
    /// The flake, or any other tree; that of the current folder where none is named
    flake: Option<String>,
    /// Make a link to what was fetched, which the collector regards as a root
    #[arg(short, long, value_name = "LINK")]
    out_link: Option<PathBuf>,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Fetches a tree.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut session = arguments.evaluation.session(context, false, &typed(arguments.flake.as_deref()))?;
    let (asked, tree) = with_session(context, &mut session, |_, session| {
        let (asked, _) = reference(session, arguments.flake.as_deref())?;
        let tree = session.fetch_tree(&asked)?;
        Ok((asked, tree))
    })?;
    let store = context.store()?;
    if let Some(link) = &arguments.out_link {
        building::link(&store, link, &tree.path)?;
    }
    // What is fetched whole says so of itself, for this program alone.
    let mut locked = tree.input.attributes.clone();
    locked.remove("__final");
    let locked = locked.json();
    let (path, hash) = (store.dir().print(&tree.path), tree.hash.sri());
    let text = format!("Downloaded '{}' to '{path}' (hash '{hash}').", tree.input.shown());
    context.output.result(&text, || {
        json!({
            "hash": hash,
            "locked": locked,
            "original": asked.attributes().json(),
            "storePath": path,
        })
    });
    Ok(ExitCode::SUCCESS)
}
