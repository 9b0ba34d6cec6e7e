//! `nival why`: why a path is kept, in the closure of another one, built again, or downloaded

mod rebuilt;
mod target;

use crate::collecting::Collector;
use crate::context::Context;
use crate::dropin::store_path;
use crate::error::Error;
use clap::Args;
use nival_store::{LocalStore, RootSource};
use nival_store_model::StorePath;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival why`.
#[derive(Args)]
pub struct Arguments {
    /// A store path, or a link or file that leads to one; with `--rebuilt` also a flake such as .#name, or an attribute
    path: String,
    /// Show how this path comes to need it, instead of which roots keep it
    #[arg(long = "in", value_name = "PATH")]
    within: Option<String>,
    /// Show why building this needs it, so that it is built or downloaded: a flake, an attribute, or a derivation
    #[arg(long = "for", value_name = "TARGET", conflicts_with = "within")]
    target: Option<String>,
    /// Show why it is built again: what differs from the derivation of the same name that was built last
    #[arg(long, conflicts_with_all = ["within", "target"])]
    rebuilt: bool,
    /// What is to be built is an attribute of this file
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<String>,
    /// Show the files that name each step
    #[arg(long)]
    files: bool,
    /// Show this many ways; the shortest come first
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    most: usize,
}

/// Tells why a path is in the store, or in the closure of another one.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    if arguments.rebuilt {
        let drv = target::derivation(context, &arguments.path, arguments.file.as_deref())?;
        return rebuilt::tell(context, &drv, arguments.most);
    }
    let store = context.store()?;
    let path = store_path(&store, &arguments.path)?;
    if let Some(target) = &arguments.target {
        let drv = target::derivation(context, target, arguments.file.as_deref())?;
        return target::tell(context, &drv, &path);
    }
    match &arguments.within {
        Some(within) => {
            let within = store_path(&store, within)?;
            needed(context, &store, arguments, &within, &path)
        }
        None => kept(context, &store, arguments, &path),
    }
}

fn needed(
    context: &Context,
    store: &LocalStore,
    arguments: &Arguments,
    from: &StorePath,
    to: &StorePath,
) -> Result<ExitCode, Error> {
    let print = |path: &StorePath| store.dir().print(path);
    let Some(steps) = store.way_between(from, to)? else {
        let text = format!("{} does not need {}", print(from), print(to));
        context.output.result(&text, || json!({ "path": print(to), "in": print(from), "way": null }));
        return Ok(ExitCode::FAILURE);
    };
    let (text, json) = drawn(store, &steps, arguments.files, "")?;
    context.output.result(&text, || json!({ "path": print(to), "in": print(from), "way": json }));
    Ok(ExitCode::SUCCESS)
}

fn kept(
    context: &mut Context,
    store: &LocalStore,
    arguments: &Arguments,
    path: &StorePath,
) -> Result<ExitCode, Error> {
    let roots = Collector::new(context, 0)?.roots(store)?;
    let ways = store.ways_from(&roots, path)?;
    let printed = store.dir().print(path);
    let mut text = match ways.len() {
        0 => format!("{printed}\nis kept by nothing: the next collection removes it\n"),
        1 => format!("{printed}\nis kept by one root\n"),
        count => format!("{printed}\nis kept by {count} roots\n"),
    };
    let mut all = Vec::new();
    for way in ways.iter().take(arguments.most) {
        let _ = writeln!(text, "\n{} ({})", way.root.source, kind(&way.root.source).1);
        let (drawn, json) = drawn(store, &way.steps, arguments.files, "")?;
        text.push_str(&drawn);
        all.push(json!({
            "root": way.root.source.to_string(), "kind": kind(&way.root.source).0, "way": json,
        }));
    }
    if ways.len() > arguments.most {
        let _ = writeln!(text, "\nand {} more (--most {})", ways.len() - arguments.most, ways.len());
    }
    context.output.result(&text, || json!({ "path": printed, "roots": ways.len(), "ways": all }));
    Ok(ExitCode::SUCCESS)
}

/// What a root is: for programs, and for people.
pub fn kind(source: &RootSource) -> (&'static str, &'static str) {
    match source {
        RootSource::Link(_) => ("link", "a link; remove it to let go"),
        RootSource::Named(_) => ("named", "known to this program"),
        RootSource::Temporary(_) => ("temporary", "a program at work"),
        RootSource::Process(_) => ("process", "a running process uses it"),
    }
}

/// A way as a tree, and as JSON.
fn drawn(
    store: &LocalStore,
    steps: &[StorePath],
    files: bool,
    indentation: &str,
) -> Result<(String, Vec<Value>), Error> {
    let (mut text, mut all) = (String::new(), Vec::new());
    for (depth, step) in steps.iter().enumerate() {
        let space = format!("{indentation}{}", "   ".repeat(depth));
        let _ = writeln!(text, "{space}└─ {}", store.dir().print(step));
        let mut mentions = Vec::new();
        if let Some(next) = steps.get(depth + 1).filter(|_| files) {
            for mention in store.mentions(step, next)? {
                let file = if mention.file.as_os_str().is_empty() {
                    "itself".to_owned()
                } else {
                    mention.file.display().to_string()
                };
                let _ = writeln!(text, "{space}     {file}: {}", mention.context.trim());
                mentions.push(json!({ "file": mention.file, "text": mention.context }));
            }
        }
        all.push(if files {
            json!({ "path": store.dir().print(step), "files": mentions })
        } else {
            json!(store.dir().print(step))
        });
    }
    Ok((text, all))
}
