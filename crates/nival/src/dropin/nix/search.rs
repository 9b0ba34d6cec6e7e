//! `nix search`

use crate::commands::evaluation::Evaluation;
use crate::commands::installables::{Installables, Named};
use crate::commands::store::name_and_version;
use crate::context::{Context, current_folder};
use crate::dropin::Common;
use crate::dropin::words::usage;
use crate::error::Error;
use crate::patterns::{Case, Pattern};
use clap::Args;
use nival_engine::{OutputSearch, Session};
use nival_eval::{EvalResult, Evaluator, Kind, Value};
use serde_json::{Map, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// What can be typed behind `nix search`.
#[derive(Args)]
pub struct Arguments {
    /// What is searched, and patterns that all must be found in a package's name, path or description
    #[arg(value_name = "INSTALLABLE [PATTERN]")]
    words: Vec<String>,
    /// Leave out packages in which this pattern is found
    #[arg(short = 'e', long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Search attributes of this file
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "expr")]
    file: Option<String>,
    /// Search attributes of this expression
    #[arg(long, value_name = "EXPRESSION")]
    expr: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    pub(super) common: Common,
}

/// One package that was found.
struct Hit {
    path: String,
    name: String,
    version: String,
    description: String,
}

struct Search {
    wanted: Vec<Pattern>,
    excluded: Vec<Pattern>,
    hits: Vec<Hit>,
}

/// Searches packages.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (place, patterns) = match arguments.words.split_first() {
        Some((place, patterns)) if !patterns.is_empty() => (place, patterns),
        _ => return Err(usage("name what is searched and at least one pattern; `^` is found in everything")),
    };
    let mut search =
        Search { wanted: read(patterns)?, excluded: read(&arguments.exclude)?, hits: Vec::new() };
    let installables = Installables {
        file: arguments.file.clone(),
        expr: arguments.expr.clone(),
        ..Installables::default()
    }
    .only(place);
    let mut session = arguments.evaluation.session(context, true, &installables.flakes())?;
    let done = visit_all(context, &mut session, &installables, arguments, &mut search);
    context.show_messages(&session);
    done.map_err(|error| context.failed(&session, &error))?;
    if arguments.json {
        let one = |hit: &Hit| {
            (
                hit.path.clone(),
                json!({ "pname": hit.name, "version": hit.version, "description": hit.description }),
            )
        };
        let all: Map<_, _> = search.hits.iter().map(one).collect();
        context.output.text(&serde_json::Value::Object(all).to_string(), true);
        return Ok(ExitCode::SUCCESS);
    }
    if search.hits.is_empty() {
        return Err(usage("no results for the given search term(s)!"));
    }
    let shown: Vec<String> = search.hits.iter().map(|hit| shown(hit, &search.wanted)).collect();
    context.output.text(&shown.join("\n"), true);
    Ok(ExitCode::SUCCESS)
}

fn read(patterns: &[String]) -> Result<Vec<Pattern>, Error> {
    let one = |pattern: &String| {
        Pattern::of_parts(pattern, Case::Any)
            .map_err(|error| usage(&format!("`{pattern}` is no pattern: {error}")))
    };
    patterns.iter().map(one).collect()
}

/// Looks at what was named; a flake without a name is searched in its packages.
fn visit_all(
    context: &Context,
    session: &mut Session,
    installables: &Installables,
    arguments: &Arguments,
    search: &mut Search,
) -> Result<(), nival_engine::Error> {
    if installables.flakes().is_empty() {
        let automatic = arguments.evaluation.automatic(session)?;
        for named in installables.named(context, session, &automatic)? {
            if let Named::Value(value, _) = named {
                let value = session.call_automatically(value, &automatic)?;
                search.visit(session.evaluator(), value, &mut Vec::new(), true)?;
            }
        }
        return Ok(());
    }
    let word = installables.installables.first().map_or(".", String::as_str);
    let (reference, fragment) = session.parse_flake(word, Path::new(&current_folder()))?;
    let flags = installables.lock.flags(session)?;
    let locked = session.lock_flake(&reference, &flags)?;
    let system = session.system().to_owned();
    let mut outputs = OutputSearch::packages(&system);
    let all = [format!("packages.{system}"), format!("legacyPackages.{system}")];
    let mut any = false;
    let places = if fragment.is_empty() { &all[..] } else { &[String::new()][..] };
    for place in places {
        outputs.defaults = vec![place.clone()];
        let found = session.flake_output(&locked, &fragment, &outputs);
        let (value, path) = match found {
            Ok(found) => found,
            Err(error) if fragment.is_empty() => {
                if any || place != &all[1] {
                    continue;
                }
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        any = true;
        search.visit(session.evaluator(), value, &mut nival_engine::attribute_path(&path), true)?;
    }
    Ok(())
}

impl Search {
    fn visit(
        &mut self,
        ev: &mut Evaluator,
        value: Value,
        path: &mut Vec<String>,
        is_first: bool,
    ) -> EvalResult<()> {
        let is_legacy = path.first().is_some_and(|name| name == "legacyPackages");
        match self.look(ev, value, path, is_first) {
            // Packages that do not evaluate are many in large sets, and nobody asked for them.
            Err(_) if is_legacy && !is_first => Ok(()),
            other => other,
        }
    }

    fn look(
        &mut self,
        ev: &mut Evaluator,
        value: Value,
        path: &mut Vec<String>,
        is_first: bool,
    ) -> EvalResult<()> {
        if ev.kind(value)? != Kind::Attrs {
            return Ok(());
        }
        if ev.is_derivation(value)? {
            return self.package(ev, value, path);
        }
        let top = path.first().map(String::as_str);
        let is_outer =
            path.is_empty() || matches!(top, Some("packages" | "legacyPackages")) && path.len() <= 2;
        let mut goes_on = is_first || is_outer;
        if !goes_on
            && top == Some("legacyPackages")
            && let Some(wish) = ev.select_opt(value, "recurseForDerivations")?
        {
            goes_on = ev.kind(wish)? == Kind::Bool && ev.expect_bool(wish)?;
        }
        if goes_on {
            for attribute in ev.attributes(value)? {
                path.push(ev.name(attribute.name).to_owned());
                self.visit(ev, attribute.value, path, false)?;
                path.pop();
            }
        }
        Ok(())
    }

    fn package(&mut self, ev: &mut Evaluator, value: Value, path: &[String]) -> EvalResult<()> {
        let name = ev.select(value, "name")?;
        let (name, version) = name_and_version(&ev.expect_string_context(name)?.0);
        let mut description = String::new();
        if let Some(meta) = ev.select_opt(value, "meta")?
            && ev.kind(meta)? == Kind::Attrs
            && let Some(text) = ev.select_opt(meta, "description")?
        {
            description = ev.expect_string_context(text)?.0.replace('\n', " ");
        }
        let hit = Hit { path: path.join("."), name, version, description };
        let found = |pattern: &Pattern| {
            pattern.matches(&hit.path) || pattern.matches(&hit.name) || pattern.matches(&hit.description)
        };
        if self.wanted.iter().all(found) && !self.excluded.iter().any(found) {
            self.hits.push(hit);
        }
        Ok(())
    }
}

/// A package as text, with what was searched in green.
fn shown(hit: &Hit, wanted: &[Pattern]) -> String {
    let mut text = format!("* \x1b[0;1m{}\x1b[0m", marked(&hit.path, wanted, "\x1b[0;1m"));
    if !hit.version.is_empty() {
        let _ = write!(text, " ({})", hit.version);
    }
    text.push('\n');
    if !hit.description.is_empty() {
        let _ = writeln!(text, "  {}", marked(&hit.description, wanted, "\x1b[0m"));
    }
    text
}

/// A text with everything that a pattern finds in green; what overlaps is one mark.
fn marked(text: &str, wanted: &[Pattern], after: &str) -> String {
    let mut found: Vec<_> = wanted.iter().flat_map(|pattern| pattern.parts(text)).collect();
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<std::ops::Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let (mut all, mut at) = (String::new(), 0);
    for range in merged {
        let before = text.get(at..range.start).unwrap_or_default();
        let inner = text.get(range.clone()).unwrap_or_default();
        let _ = write!(all, "{before}\x1b[32;1m{inner}{after}");
        at = range.end;
    }
    all.push_str(text.get(at..).unwrap_or_default());
    all
}

#[cfg(test)]
mod tests {
    use super::{marked, read};

    #[test]
    fn overlapping_finds_are_one_mark() {
        let patterns = ["oo", "foo"].map(str::to_owned);
        let Ok(wanted) = read(&patterns) else { panic!("they are patterns") };
        assert_eq!(marked("a foo", &wanted, "]"), "a \x1b[32;1mfoo]");
        assert_eq!(marked("FOO oo", &wanted, "]"), "\x1b[32;1mFOO] \x1b[32;1moo]");
    }
}
