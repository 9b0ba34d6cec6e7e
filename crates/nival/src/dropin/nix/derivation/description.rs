//! Derivations as JSON, in the form that Nix's version 4 has.

use crate::error::Error;
use nival_store_model::{
    Algorithm, ContentMethod, Derivation, Hash, Output, OutputKind, StoreDir, StorePath,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A derivation in the form of JSON that Nix's version 4 has.
pub fn write(derivation: &Derivation, dir: &StoreDir) -> Result<Value, Error> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut outputs = Map::new();
    for (name, output) in &derivation.outputs {
        let path = output.path(dir, &derivation.name, name).map_err(nival_store::Error::from)?;
        let method = |method: nival_store_model::ContentMethod| match method {
            nival_store_model::ContentMethod::Flat => "flat",
            nival_store_model::ContentMethod::Recursive => "nar",
            nival_store_model::ContentMethod::Text => "text",
            nival_store_model::ContentMethod::Git => "git",
        };
        outputs.insert(
            name.clone(),
            match &output.kind {
                OutputKind::InputAddressed(_) => {
                    json!({ "path": path.map(|path| path.base_name().to_owned()) })
                }
                OutputKind::Fixed { method: how, hash } => {
                    json!({ "hash": hash.sri(), "method": method(*how) })
                }
                OutputKind::Floating { method: how, algorithm } => {
                    json!({ "hashAlgo": algorithm.name(), "method": method(*how) })
                }
                OutputKind::Deferred => json!({}),
                OutputKind::Impure { method: how, algorithm } => {
                    json!({ "hashAlgo": algorithm.name(), "impure": true, "method": method(*how) })
                }
            },
        );
    }
    let drvs: BTreeMap<&str, Value> = derivation
        .input_derivations
        .iter()
        .map(|(drv, outputs)| (drv.base_name(), json!({ "dynamicOutputs": {}, "outputs": outputs })))
        .collect();
    let sources: BTreeSet<&str> = derivation.input_sources.iter().map(StorePath::base_name).collect();
    let mut environment: BTreeMap<String, String> =
        derivation.environment.iter().map(|(name, value)| (text(name), text(value))).collect();
    let structured = environment.remove("__json").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let mut all = Map::new();
    all.insert("args".to_owned(), json!(derivation.arguments.iter().map(|a| text(a)).collect::<Vec<_>>()));
    all.insert("builder".to_owned(), json!(text(&derivation.builder)));
    all.insert("env".to_owned(), json!(environment));
    all.insert("inputs".to_owned(), json!({ "drvs": drvs, "srcs": sources }));
    all.insert("name".to_owned(), json!(derivation.name));
    all.insert("outputs".to_owned(), Value::Object(outputs));
    if let Some(structured) = structured {
        all.insert("structuredAttrs".to_owned(), structured);
    }
    all.insert("system".to_owned(), json!(text(&derivation.system)));
    all.insert("version".to_owned(), json!(4));
    Ok(Value::Object(all))
}

/// Reads a derivation; the text of an error says what is wrong.
pub fn read(json: &Value, dir: &StoreDir) -> Result<Derivation, String> {
    let fields = json.as_object().ok_or("a derivation is a set of fields")?;
    if fields.get("version").and_then(Value::as_u64) != Some(4) {
        return Err("only version 4 of the format is known, and `version` must say so".to_owned());
    }
    let mut environment: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (name, value) in object(fields, "env")? {
        let value = value.as_str().ok_or_else(|| format!("`env.{name}` is no string"))?;
        environment.insert(name.clone().into_bytes(), value.as_bytes().to_vec());
    }
    if let Some(structured) = fields.get("structuredAttrs").filter(|value| !value.is_null()) {
        environment.insert(b"__json".to_vec(), structured.to_string().into_bytes());
    }
    let inputs = object(fields, "inputs")?;
    let mut derivation = Derivation {
        name: text(fields, "name")?.to_owned(),
        system: text(fields, "system")?.as_bytes().to_vec(),
        builder: text(fields, "builder")?.as_bytes().to_vec(),
        environment,
        ..Derivation::default()
    };
    for argument in texts(fields.get("args"), "args")? {
        derivation.arguments.push(argument.into_bytes());
    }
    for source in texts(inputs.get("srcs"), "inputs.srcs")? {
        derivation.input_sources.insert(path(&source, dir)?);
    }
    for (drv, wanted) in object(inputs, "drvs")? {
        if wanted["dynamicOutputs"].as_object().is_some_and(|outputs| !outputs.is_empty()) {
            return Err(format!("`inputs.drvs.{drv}` has dynamic outputs, which are not supported"));
        }
        let names = texts(wanted.get("outputs"), &format!("inputs.drvs.{drv}.outputs"))?;
        derivation.input_derivations.insert(path(drv, dir)?, names.into_iter().collect());
    }
    for (name, output) in object(fields, "outputs")? {
        let kind = output_kind(output, dir).map_err(|why| format!("`outputs.{name}`: {why}"))?;
        derivation.outputs.insert(name.clone(), Output { kind });
    }
    Ok(derivation)
}

fn output_kind(output: &Value, dir: &StoreDir) -> Result<OutputKind, String> {
    let fields = output.as_object().ok_or("it is no set of fields")?;
    if let Some(named) = fields.get("path").and_then(Value::as_str) {
        return Ok(OutputKind::InputAddressed(path(named, dir)?));
    }
    let Some(method) = fields.get("method").and_then(Value::as_str) else {
        return Ok(OutputKind::Deferred);
    };
    let method = match method {
        "flat" => ContentMethod::Flat,
        "nar" => ContentMethod::Recursive,
        "text" => ContentMethod::Text,
        "git" => ContentMethod::Git,
        other => return Err(format!("the method `{other}` is not known")),
    };
    if let Some(hash) = fields.get("hash").and_then(Value::as_str) {
        let hash = Hash::parse(hash, None).map_err(|error| error.to_string())?;
        return Ok(OutputKind::Fixed { method, hash });
    }
    let name = fields.get("hashAlgo").and_then(Value::as_str).ok_or("it has no `hashAlgo`")?;
    let algorithm =
        Algorithm::from_name(name).ok_or_else(|| format!("`{name}` is no algorithm of hashes"))?;
    Ok(match fields.get("impure").and_then(Value::as_bool) {
        Some(true) => OutputKind::Impure { method, algorithm },
        _ => OutputKind::Floating { method, algorithm },
    })
}

fn object<'j>(fields: &'j Map<String, Value>, name: &str) -> Result<&'j Map<String, Value>, String> {
    fields.get(name).and_then(Value::as_object).ok_or_else(|| format!("`{name}` is no set of fields"))
}

fn text<'j>(fields: &'j Map<String, Value>, name: &str) -> Result<&'j str, String> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is no string"))
}

fn texts(list: Option<&Value>, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{name}` is no list of strings");
    let list = list.and_then(Value::as_array).ok_or_else(wrong)?;
    list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// A path by its base name, or written out.
fn path(text: &str, dir: &StoreDir) -> Result<StorePath, String> {
    let parsed = if text.starts_with('/') { dir.parse(text) } else { StorePath::parse(text) };
    parsed.map_err(|error| error.to_string())
}
