//! `derivationStrict`: from attributes to a derivation with its store paths.

use super::Row;
use crate::Coercion;
use crate::attrs;
use crate::context::{Gained, Gathered};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use nival_diagnostics::Span;
use nival_store_model::derivation::{Addressing, Inputs, Modulo, OutputKind};
use nival_store_model::{
    Algorithm, ContentMethod, Derivation, Hash, Output, StoreDir, StorePath, StorePathError,
};
use nival_syntax::Symbol;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const ROWS: &[Row] = &[Row("derivationStrict", 1, 1, derivation_strict)];

/// What stands for each derivation that was made or read.
pub(crate) type Known = FxHashMap<StorePath, Modulo>;

/// What the attributes say, before it becomes a derivation.
#[derive(Default)]
struct Wanted {
    /// Without arguments and environment.
    outline: Derivation,
    arguments: Vec<Vec<u8>>,
    /// The values of all variables, one behind the other.
    values: Vec<u8>,
    /// The variables in their order, with where their values begin and end.
    variables: Vec<(Symbol, usize, usize)>,
    outputs: Vec<String>,
    context: Gathered,
    structured: Option<BTreeMap<String, String>>,
    ignore_nulls: bool,
    floating: bool,
    impure: bool,
    hash: Option<String>,
    hash_algorithm: Option<String>,
    hash_mode: Option<String>,
}

fn wrong(message: String) -> EvalError {
    EvalError::of(&diagnostics::invalid_derivation::ENTRY, message)
}

fn bad_path(error: StorePathError) -> EvalError {
    wrong(error.to_string())
}

fn derivation_strict(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let Some((slot, position)) = attrs::find(&evaluator.heap, set.handle(), symbols::NAME) else {
        return Err(wrong("the derivation has no attribute `name`".to_owned()));
    };
    let span = evaluator.name_span(symbols::NAME, position);
    let name = evaluator
        .expect_string(Value::reference(slot))
        .map_err(|error| attribute(error, span, "name", "?"))?;
    match strict(evaluator, set, &name) {
        Ok(value) => Ok(value),
        Err(error) => Err(error.frame(span, format!("while evaluating the derivation `{name}`"))),
    }
}

fn attribute(error: EvalError, span: Option<Span>, name: &str, derivation: &str) -> EvalError {
    error.frame(span, format!("while evaluating the attribute `{name}` of the derivation `{derivation}`"))
}

fn strict(evaluator: &mut Evaluator, set: Value, name: &str) -> EvalResult {
    let mut wanted = Wanted { outputs: vec!["out".to_owned()], ..Wanted::default() };
    name.clone_into(&mut wanted.outline.name);
    wanted.values = evaluator.take_buffer();
    if option(evaluator, set, symbols::STRUCTURED_ATTRS)? {
        wanted.structured = Some(BTreeMap::new());
    }
    wanted.ignore_nulls = option(evaluator, set, symbols::IGNORE_NULLS)?;
    let mut entries = attrs::entries(&mut evaluator.heap, set.handle());
    evaluator.sort_by_name(&mut entries);
    wanted.variables.reserve(entries.len() + 1);
    for (key, position, slot) in entries {
        if key == symbols::IGNORE_NULLS {
            continue;
        }
        if let Err(error) = take(evaluator, &mut wanted, key, Value::reference(slot)) {
            let span = evaluator.name_span(key, position);
            let key = evaluator.name(key).to_owned();
            return Err(attribute(error, span, &key, name));
        }
    }
    finish(evaluator, wanted)
}

fn option(evaluator: &mut Evaluator, set: Value, name: Symbol) -> EvalResult<bool> {
    match attrs::find(&evaluator.heap, set.handle(), name) {
        Some((slot, _)) => evaluator.expect_bool(Value::reference(slot)),
        None => Ok(false),
    }
}

/// Takes one attribute.
fn take(evaluator: &mut Evaluator, wanted: &mut Wanted, key: Symbol, value: Value) -> EvalResult<()> {
    if wanted.ignore_nulls && evaluator.force(value)? == Value::NULL {
        return Ok(());
    }
    match key {
        symbols::CONTENT_ADDRESSED => {
            wanted.floating = evaluator.expect_bool(value)?;
            if wanted.floating {
                evaluator.require("ca-derivations", "`__contentAddressed`")?;
            }
            return Ok(());
        }
        symbols::IMPURE => {
            wanted.impure = evaluator.expect_bool(value)?;
            if wanted.impure {
                evaluator.require("impure-derivations", "`__impure`")?;
            }
            return Ok(());
        }
        symbols::ARGS => {
            for item in evaluator.expect_list(value)? {
                let text = coerce(evaluator, wanted, item)?;
                wanted.arguments.push(text);
            }
            return Ok(());
        }
        _ => {}
    }
    if wanted.structured.is_some() {
        take_structured(evaluator, wanted, key, value)
    } else {
        take_plain(evaluator, wanted, key, value)
    }
}

fn coerce(evaluator: &mut Evaluator, wanted: &mut Wanted, value: Value) -> EvalResult<Vec<u8>> {
    let mut text = Vec::new();
    evaluator.append(&mut text, &mut wanted.context, value, Coercion { more: true, copy_to_store: true })?;
    Ok(text)
}

fn take_plain(evaluator: &mut Evaluator, wanted: &mut Wanted, key: Symbol, value: Value) -> EvalResult<()> {
    let start = wanted.values.len();
    let how = Coercion { more: true, copy_to_store: true };
    evaluator.append(&mut wanted.values, &mut wanted.context, value, how)?;
    if key == symbols::JSON {
        let text = wanted.values.split_off(start);
        let text = super::structured::handed_over(evaluator, &wanted.outline.name, text)?;
        wanted.values.extend(text);
    }
    wanted.variables.push((key, start, wanted.values.len()));
    let text = &wanted.values[start..];
    let readable = || crate::text::from_bytes(text.to_vec());
    match key {
        symbols::BUILDER => wanted.outline.builder = text.to_vec(),
        symbols::SYSTEM => wanted.outline.system = text.to_vec(),
        symbols::OUTPUT_HASH => wanted.hash = Some(readable()),
        symbols::OUTPUT_HASH_ALGO => wanted.hash_algorithm = Some(readable()),
        symbols::OUTPUT_HASH_MODE => wanted.hash_mode = Some(readable()),
        symbols::OUTPUTS => {
            let outputs: Vec<String> = readable().split_ascii_whitespace().map(str::to_owned).collect();
            set_outputs(wanted, outputs)?;
        }
        _ => {}
    }
    Ok(())
}

fn take_structured(
    evaluator: &mut Evaluator,
    wanted: &mut Wanted,
    key: Symbol,
    value: Value,
) -> EvalResult<()> {
    if key == symbols::STRUCTURED_ATTRS {
        return Ok(());
    }
    let (json, context) = evaluator.to_json(value, true)?;
    wanted.context.add(context);
    let name = evaluator.name(key).to_owned();
    super::structured::tell_ineffective(evaluator, &wanted.outline.name, &name);
    if let Some(structured) = &mut wanted.structured {
        structured.insert(name, json);
    }
    match key {
        symbols::BUILDER => {
            let (text, context) = evaluator.expect_bytes(value)?;
            wanted.context.add(context);
            wanted.outline.builder = text;
        }
        symbols::SYSTEM => wanted.outline.system = evaluator.expect_string(value)?.into_bytes(),
        symbols::OUTPUT_HASH => wanted.hash = Some(evaluator.expect_string(value)?),
        symbols::OUTPUT_HASH_ALGO => wanted.hash_algorithm = Some(evaluator.expect_string(value)?),
        symbols::OUTPUT_HASH_MODE => wanted.hash_mode = Some(evaluator.expect_string(value)?),
        symbols::OUTPUTS => {
            let mut outputs = Vec::new();
            for item in evaluator.expect_list(value)? {
                outputs.push(evaluator.expect_string(item)?);
            }
            set_outputs(wanted, outputs)?;
        }
        _ => {}
    }
    Ok(())
}

fn set_outputs(wanted: &mut Wanted, outputs: Vec<String>) -> EvalResult<()> {
    for (at, output) in outputs.iter().enumerate() {
        if outputs[..at].contains(output) {
            return Err(wrong(format!("the output `{output}` is named twice")));
        }
        if output == "drvPath" {
            return Err(wrong(format!("an output may not be called `{output}`")));
        }
    }
    if outputs.is_empty() {
        return Err(wrong("a derivation needs at least one output".to_owned()));
    }
    wanted.outputs = outputs;
    Ok(())
}

/// From what is wanted to the derivation, and to the set that stands for it.
fn finish(evaluator: &mut Evaluator, mut wanted: Wanted) -> EvalResult {
    if let Some(structured) = wanted.structured.take() {
        let fields: Vec<String> = structured
            .into_iter()
            .map(|(name, json)| format!("{}:{json}", serde_json::Value::String(name)))
            .collect();
        let json = format!("{{{}}}", fields.join(","));
        let start = wanted.values.len();
        wanted.values.extend_from_slice(json.as_bytes());
        wanted.variables.push((evaluator.symbol("__json"), start, wanted.values.len()));
    }
    let world = evaluator.world();
    let dir = StoreDir::new(world.store_dir());
    add_inputs(evaluator, &mut wanted, &dir)?;
    if wanted.outline.builder.is_empty() {
        return Err(wrong("the derivation has no attribute `builder`".to_owned()));
    }
    if wanted.outline.system.is_empty() {
        return Err(wrong("the derivation has no attribute `system`".to_owned()));
    }
    let method = method(wanted.hash_mode.as_deref())?;
    match method {
        ContentMethod::Text => evaluator.require("dynamic-derivations", "`outputHashMode = \"text\"`")?,
        ContentMethod::Git => evaluator.require("git-hashing", "`outputHashMode = \"git\"`")?,
        _ => {}
    }
    if wanted.floating && wanted.impure && wanted.hash.is_none() {
        return Err(wrong("a derivation is either content-addressed or impure".to_owned()));
    }
    let makes_derivation = method == ContentMethod::Text && wanted.outputs == ["out"];
    if wanted.outline.name.ends_with(".drv") && !makes_derivation {
        return Err(wrong("the name of a derivation may not end in `.drv`".to_owned()));
    }
    set_kinds(&mut wanted)?;
    address(evaluator, &dir, wanted)
}

/// Finds the paths of what is wanted, and tells the world of it.
fn address(evaluator: &mut Evaluator, dir: &StoreDir, wanted: Wanted) -> EvalResult {
    let Wanted { mut outline, arguments, values, variables, .. } = wanted;
    let is_fixed = outline.outputs.values().any(|output| matches!(output.kind, OutputKind::Fixed { .. }));
    let inputs =
        if is_fixed { Inputs::default() } else { outline.inputs(|path| modulo_of(evaluator, dir, path))? };
    let is_deferred = outline.outputs.values().any(|output| output.kind == OutputKind::Deferred);
    let named: Vec<(&[u8], &[u8])> = variables
        .iter()
        .map(|(name, start, end)| (evaluator.name(*name).as_bytes(), &values[*start..*end]))
        .collect();
    let mut addressing = Addressing::new(&mut outline, dir, &inputs, &arguments, &named)?;
    evaluator.give_buffer(values);
    if is_deferred {
        addressing.fill_outputs()?;
    }
    let address = addressing.address()?;
    let path = address.path.clone();
    let paths = addressing.paths().to_vec();
    if !evaluator.outside.derivations.contains_key(&path) {
        let (modulo, file) = (addressing.modulo(), addressing.file(address));
        evaluator.world().write_derivation(file, &outline)?;
        evaluator.outside.derivations.insert(path.clone(), modulo);
    }
    result(evaluator, dir, &outline, &paths, &path)
}

impl From<StorePathError> for EvalError {
    fn from(error: StorePathError) -> Self {
        bad_path(error)
    }
}

/// What stands for an input; read from the store if this evaluation did not make it.
fn modulo_of(evaluator: &mut Evaluator, dir: &StoreDir, path: &StorePath) -> EvalResult<Modulo> {
    if let Some(known) = evaluator.outside.derivations.get(path) {
        return Ok(known.clone());
    }
    let derivation = evaluator.world().read_derivation(&dir.print(path))?;
    let modulo = derivation.modulo(dir, false, |path| modulo_of(evaluator, dir, path))?;
    evaluator.outside.derivations.insert(path.clone(), modulo.clone());
    Ok(modulo)
}

fn add_inputs(evaluator: &mut Evaluator, wanted: &mut Wanted, dir: &StoreDir) -> EvalResult<()> {
    for gained in evaluator.contexts.gathered_paths(&wanted.context, dir)? {
        match gained {
            Gained::Plain(path) => {
                wanted.outline.input_sources.insert(path);
            }
            Gained::Output(path, output) => {
                wanted.outline.input_derivations.entry(path).or_default().insert(output);
            }
            Gained::DrvDeep(path) => add_closure(evaluator, wanted, dir, path)?,
        }
    }
    Ok(())
}

/// A derivation with everything that it needs, as sources, and all outputs, as inputs.
fn add_closure(
    evaluator: &mut Evaluator,
    wanted: &mut Wanted,
    dir: &StoreDir,
    start: StorePath,
) -> EvalResult<()> {
    let world = Rc::clone(&evaluator.world);
    let mut work = vec![start];
    let mut seen = rustc_hash::FxHashSet::default();
    while let Some(path) = work.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        wanted.outline.input_sources.insert(path.clone());
        if !path.is_derivation() {
            continue;
        }
        let derivation = world.read_derivation(&dir.print(&path))?;
        let outputs = wanted.outline.input_derivations.entry(path).or_default();
        outputs.extend(derivation.outputs.keys().cloned());
        work.extend(derivation.references());
    }
    Ok(())
}

fn method(mode: Option<&str>) -> EvalResult<ContentMethod> {
    match mode {
        None | Some("flat") => Ok(ContentMethod::Flat),
        Some("recursive" | "nar") => Ok(ContentMethod::Recursive),
        Some("text") => Ok(ContentMethod::Text),
        Some("git") => Ok(ContentMethod::Git),
        Some(other) => Err(wrong(format!("unknown `outputHashMode`: `{other}`"))),
    }
}

/// How each output gets its path.
fn set_kinds(wanted: &mut Wanted) -> EvalResult<()> {
    // An algorithm that is not known counts as none.
    let algorithm = wanted.hash_algorithm.as_deref().and_then(Algorithm::from_name);
    if let Some(text) = wanted.hash.take() {
        if wanted.outputs != ["out"] {
            return Err(wrong("a derivation with `outputHash` has exactly one output, `out`".to_owned()));
        }
        let hash =
            if text.is_empty() { empty_hash(algorithm)? } else { super::hashing::parse(&text, algorithm)? };
        let kind = OutputKind::Fixed { method: method(wanted.hash_mode.as_deref())?, hash };
        wanted.outline.outputs.insert("out".to_owned(), Output { kind });
        return Ok(());
    }
    for output in &wanted.outputs {
        let kind = if wanted.floating || wanted.impure {
            let method = wanted
                .hash_mode
                .as_deref()
                .map_or(Ok(ContentMethod::Recursive), |mode| method(Some(mode)))?;
            let algorithm = algorithm.unwrap_or(Algorithm::Sha256);
            if wanted.impure {
                OutputKind::Impure { method, algorithm }
            } else {
                OutputKind::Floating { method, algorithm }
            }
        } else {
            OutputKind::Deferred
        };
        wanted.outline.outputs.insert(output.clone(), Output { kind });
    }
    Ok(())
}

/// An empty hash stands for one of zeros, so that a build can tell the right one.
fn empty_hash(algorithm: Option<Algorithm>) -> EvalResult<Hash> {
    let algorithm =
        algorithm.ok_or_else(|| wrong("an empty `outputHash` needs `outputHashAlgo`".to_owned()))?;
    let zeros = [0u8; 64];
    let length = Hash::of(algorithm, b"").digest().len();
    Hash::new(algorithm, &zeros[..length]).ok_or_else(|| wrong("an empty hash".to_owned()))
}

/// What stands for an output whose path is not known yet.
pub(super) fn unknown_output(path: &StorePath, output: &str) -> String {
    let name = path.name().strip_suffix(".drv").unwrap_or(path.name());
    let name = nival_store_model::store_path::output_path_name(name, output);
    let text = format!("nix-upstream-output:{}:{name}", path.hash_part());
    format!("/{}", Hash::sha256(text.as_bytes()).base32())
}

fn result(
    evaluator: &mut Evaluator,
    dir: &StoreDir,
    outline: &Derivation,
    paths: &[Option<StorePath>],
    path: &StorePath,
) -> EvalResult {
    let drv = dir.print(path);
    let mut entries = Vec::with_capacity(outline.outputs.len() + 1);
    for (name, known) in outline.outputs.keys().zip(paths) {
        let context = evaluator.contexts.of_output(&drv, name);
        let text = match known {
            Some(known) => dir.print(known),
            None => unknown_output(path, name),
        };
        let value = evaluator.string_with(&text, context);
        entries.push((evaluator.symbol(name), value));
    }
    let context = evaluator.contexts.of_derivation(&drv);
    entries.push((symbols::DRV_PATH, evaluator.string_with(&drv, context)));
    debug_assert!(entries.iter().all(|(_, value)| value.tag() == tag::STRING));
    Ok(evaluator.attrs(&entries))
}
