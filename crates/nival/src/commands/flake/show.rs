//! `nival flake show`

use super::{LockArguments, locked, reference, typed, with_session};
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_eval::{EvalResult, Evaluator, Kind, Value};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival flake show`.
#[derive(Args)]
pub struct Arguments {
    /// The flake; that of the current folder where none is named
    flake: Option<String>,
    /// Show the contents of `legacyPackages`
    #[arg(long)]
    legacy: bool,
    /// Show the outputs for all systems
    #[arg(long)]
    all_systems: bool,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Shows the outputs of a flake as a tree.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut session = arguments.evaluation.session(context, true, &typed(arguments.flake.as_deref()))?;
    let (tree, address) = with_session(context, &mut session, |context, session| {
        let (reference, _) = reference(session, arguments.flake.as_deref())?;
        let flags = arguments.lock.flags(session)?;
        let flake = locked(context, session, &reference, &flags)?;
        let address = flake.locked.to_string();
        let system = session.system().to_owned();
        let value = session.call_flake(&flake)?;
        let ev = session.evaluator();
        let outputs = ev.select(value, "outputs")?;
        let walk = Walk { system, legacy: arguments.legacy, all_systems: arguments.all_systems };
        Ok((walk.node(ev, outputs, &mut Vec::new())?, address))
    })?;
    let mut text = format!("{address}\n");
    draw(&tree, "", &mut text);
    context.output.result(&text, || as_json(&tree));
    Ok(ExitCode::SUCCESS)
}

/// What stands at one place of the outputs.
enum Node {
    /// More outputs by name.
    Inner(Vec<(String, Node)>),
    /// One output: what it is called, and how it is shown for programs.
    Leaf(String, Json),
}

/// How the outputs are walked through.
struct Walk {
    system: String,
    legacy: bool,
    all_systems: bool,
}

/// What is known of the output at a path.
enum Meaning {
    Set,
    Derivation(&'static str),
    Hydra,
    Legacy,
    App,
    Template,
    Other(&'static str),
}

fn meaning(path: &[String]) -> Meaning {
    let top = path.first().map(String::as_str).unwrap_or_default();
    match (top, path.len()) {
        (_, 0)
        | (
            "defaultPackage"
            | "devShell"
            | "formatter"
            | "nixosConfigurations"
            | "nixosModules"
            | "defaultApp"
            | "templates"
            | "overlays",
            1,
        )
        | ("checks" | "packages" | "devShells" | "apps", 1 | 2) => Meaning::Set,
        ("devShell", 2) | ("devShells", 3) => Meaning::Derivation("development environment"),
        ("defaultPackage", 2) | ("packages", 3) => Meaning::Derivation("package"),
        ("formatter", 2) | ("checks", 3) => Meaning::Derivation("derivation"),
        ("hydraJobs", _) => Meaning::Hydra,
        ("legacyPackages", 1) => Meaning::Set,
        ("legacyPackages", _) => Meaning::Legacy,
        ("defaultApp", 2) | ("apps", 3) => Meaning::App,
        ("defaultTemplate", 1) | ("templates", 2) => Meaning::Template,
        ("overlay", 1) | ("overlays", 2) => Meaning::Other("Nixpkgs overlay"),
        ("nixosConfigurations", 2) => Meaning::Other("NixOS configuration"),
        ("nixosModule", 1) | ("nixosModules", 2) => Meaning::Other("NixOS module"),
        _ => Meaning::Other("unknown"),
    }
}

impl Walk {
    fn node(&self, ev: &mut Evaluator, value: Value, path: &mut Vec<String>) -> EvalResult<Node> {
        match meaning(path) {
            Meaning::Set => self.set(ev, value, path),
            Meaning::Derivation(kind) => {
                if !self.all_systems && path.get(1).is_some_and(|system| *system != self.system) {
                    return Ok(Node::Leaf("omitted (use '--all-systems' to show)".to_owned(), json!({})));
                }
                derivation(ev, value, kind)
            }
            Meaning::Hydra if ev.is_derivation(value)? => derivation(ev, value, "derivation"),
            Meaning::Hydra => self.set(ev, value, path),
            Meaning::Legacy => self.legacy(ev, value, path),
            Meaning::App => {
                let text = described(ev, value, "app", true)?;
                Ok(Node::Leaf(text, json!({ "type": "app" })))
            }
            Meaning::Template => {
                let text = described(ev, value, "template", false)?;
                Ok(Node::Leaf(text, json!({ "type": "template" })))
            }
            Meaning::Other(kind) => {
                let name = match kind {
                    "Nixpkgs overlay" => "nixpkgs-overlay",
                    "NixOS configuration" => "nixos-configuration",
                    "NixOS module" => "nixos-module",
                    other => other,
                };
                Ok(Node::Leaf(kind.to_owned(), json!({ "type": name })))
            }
        }
    }

    fn legacy(&self, ev: &mut Evaluator, value: Value, path: &mut Vec<String>) -> EvalResult<Node> {
        if !self.legacy {
            return Ok(Node::Leaf("omitted (use '--legacy' to show)".to_owned(), json!({})));
        }
        if !self.all_systems && path.get(1).is_some_and(|system| *system != self.system) {
            return Ok(Node::Leaf("omitted (use '--all-systems' to show)".to_owned(), json!({})));
        }
        if ev.is_derivation(value)? {
            return derivation(ev, value, "package");
        }
        let mut goes_on = path.len() <= 2;
        if !goes_on
            && ev.kind(value)? == Kind::Attrs
            && let Some(wish) = ev.select_opt(value, "recurseForDerivations")?
        {
            goes_on = ev.kind(wish)? == Kind::Bool && ev.expect_bool(wish)?;
        }
        if goes_on { self.set(ev, value, path) } else { Ok(Node::Leaf("unknown".to_owned(), json!({}))) }
    }

    fn set(&self, ev: &mut Evaluator, value: Value, path: &mut Vec<String>) -> EvalResult<Node> {
        let mut all = Vec::new();
        for attribute in ev.attributes(value)? {
            let name = ev.name(attribute.name).to_owned();
            path.push(name.clone());
            let node = self.node(ev, attribute.value, path);
            path.pop();
            match node {
                Ok(node) => all.push((name, node)),
                // What cannot be evaluated in a large set is left out; elsewhere it is an error.
                Err(_) if path.first().is_some_and(|top| top == "legacyPackages") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Node::Inner(all))
    }
}

fn description(ev: &mut Evaluator, value: Value, in_meta: bool) -> EvalResult<Option<String>> {
    let from = match in_meta {
        true => ev.select_opt(value, "meta")?,
        false => Some(value),
    };
    let Some(from) = from else { return Ok(None) };
    if ev.kind(from)? != Kind::Attrs {
        return Ok(None);
    }
    let Some(text) = ev.select_opt(from, "description")? else { return Ok(None) };
    Ok(Some(ev.expect_string_context(text)?.0))
}

fn described(ev: &mut Evaluator, value: Value, kind: &str, in_meta: bool) -> EvalResult<String> {
    let text = description(ev, value, in_meta)?;
    Ok(text.map_or_else(|| kind.to_owned(), |text| format!("{kind}: {text}")))
}

fn derivation(ev: &mut Evaluator, value: Value, kind: &str) -> EvalResult<Node> {
    if ev.kind(value)? != Kind::Attrs || !ev.is_derivation(value)? {
        let message = "a derivation was expected here".to_owned();
        return Err(ev.throw(&nival_engine::diagnostics::no_derivation::ENTRY, message, None));
    }
    let name = ev.select(value, "name")?;
    let name = ev.expect_string_context(name)?.0;
    let text = description(ev, value, true)?;
    let mut shown = format!("{kind} '{name}'");
    if let Some(line) = text.as_deref().and_then(|text| text.lines().next()).filter(|line| !line.is_empty()) {
        let _ = write!(shown, " - '{line}'");
    }
    let mut json = json!({ "name": name, "type": "derivation" });
    if let Some(text) = text {
        json["description"] = json!(text);
    }
    Ok(Node::Leaf(shown, json))
}

fn draw(node: &Node, padding: &str, text: &mut String) {
    let Node::Inner(all) = node else { return };
    for (at, (name, inner)) in all.iter().enumerate() {
        let (branch, rest) =
            if at + 1 == all.len() { ("└───", "    ") } else { ("├───", "│   ") };
        match inner {
            Node::Leaf(shown, _) if shown.starts_with("omitted") => {
                let _ = writeln!(text, "{padding}{branch}{name} {shown}");
            }
            Node::Leaf(shown, _) => {
                let _ = writeln!(text, "{padding}{branch}{name}: {shown}");
            }
            Node::Inner(_) => {
                let _ = writeln!(text, "{padding}{branch}{name}");
                draw(inner, &format!("{padding}{rest}"), text);
            }
        }
    }
}

fn as_json(node: &Node) -> Json {
    match node {
        Node::Leaf(_, json) => json.clone(),
        Node::Inner(all) => {
            let all: Map<_, _> = all.iter().map(|(name, node)| (name.clone(), as_json(node))).collect();
            Json::Object(all)
        }
    }
}
