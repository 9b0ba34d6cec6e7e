//! `nival profile list`

use super::{Place, manifest};
use crate::context::Context;
use crate::error::Error;
use serde_json::{Value as Json, json};
use std::process::ExitCode;

/// Lists what is installed.
pub fn run(context: &mut Context, place: &Place) -> Result<ExitCode, Error> {
    let profile = place.profile(context)?;
    let manifest = manifest(context, &profile)?;
    let store = context.store()?;
    if context.output.is_json() {
        let text = manifest.to_text(&store);
        context.output.result("", || serde_json::from_str(&text).unwrap_or_else(|_| json!(null)));
        return Ok(ExitCode::SUCCESS);
    }
    let mut blocks = Vec::new();
    for (name, element) in &manifest.elements {
        let mut lines =
            vec![format!("Name:               {name}{}", if element.active { "" } else { " (inactive)" })];
        if let Some(source) = &element.source {
            let outputs = source.outputs.as_array().map(|names| {
                format!("^{}", names.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","))
            });
            lines.push(format!("Flake attribute:    {}{}", source.attribute, outputs.unwrap_or_default()));
            lines.push(format!("Original flake URL: {}", source.original));
            lines.push(format!("Locked flake URL:   {}", source.locked));
        }
        let paths: Vec<_> = element.paths.iter().map(|path| store.dir().print(path)).collect();
        lines.push(format!("Store paths:        {}", paths.join(" ")));
        blocks.push(lines.join("\n"));
    }
    if !blocks.is_empty() {
        context.output.text(&blocks.join("\n\n"), true);
    }
    Ok(ExitCode::SUCCESS)
}
