//! Packages as `nix-env` sees them: derivations of an expression, or of a profile's manifest.

use super::names::{Selector, compare};
use super::{Call, refused};
use crate::commands::evaluation::file_expression;
use crate::commands::store::name_and_version;
use crate::context::{absolute, current_folder};
use crate::environment;
use crate::error::Error;
use nival_engine::{Automatic, Expression, Format, Session};
use nival_eval::diagnostics::assertion_failed;
use nival_eval::{Coercion, Kind, Value};
use nival_store_model::StorePath;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One package.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// Its name with its version.
    pub(super) name: String,
    /// Where it is in the expression.
    pub(super) attribute: String,
    /// What it is for.
    pub(super) system: String,
    /// What it gives.
    pub(super) content: Content,
    /// Its `meta`, as text of the language.
    pub(super) meta: BTreeMap<String, String>,
}

/// What a package gives: known, or still to be evaluated.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Value(Value),
    Known(Known),
}

/// The paths of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) out: StorePath,
    pub(super) drv: Option<StorePath>,
    /// The outputs that are installed.
    pub(super) outputs: Vec<(String, StorePath)>,
}

type Failure = nival_engine::Error;

const PLAIN: Coercion = Coercion { more: false, copy_to_store: false };

impl Call<'_> {
    /// An error of evaluation, with the session's sources.
    pub(super) fn evaluated<T>(&mut self, result: Result<T, Failure>) -> Result<T, Error> {
        result.map_err(|error| self.context.failed(&self.session, &error))
    }

    /// The packages of the expression that was named.
    pub(super) fn available(&mut self) -> Result<Vec<Element>, Error> {
        let source = self.source()?;
        let found = available(&mut self.session, &source, self.arguments);
        let mut all = self.evaluated(found)?;
        let usual = self.session.system().to_owned();
        let wanted = self.arguments.system_filter.clone().unwrap_or(usual);
        all.retain(|element| wanted == "*" || element.system == wanted);
        Ok(all)
    }

    fn source(&self) -> Result<PathBuf, Error> {
        match &self.arguments.file {
            Some(file) => Ok(PathBuf::from(file)),
            None => {
                let home = std::env::var_os("HOME").ok_or_else(|| refused("there is no home folder"))?;
                Ok(Path::new(&home).join(".nix-defexpr"))
            }
        }
    }

    /// The packages of a profile.
    pub(super) fn installed(&mut self, link: &Path) -> Result<Vec<Element>, Error> {
        let Some(path) = environment::target(self.context, link)? else { return Ok(Vec::new()) };
        let store = self.context.store()?;
        let folder = store.physical(&path);
        if folder.join("manifest.json").exists() {
            let shown = link.display();
            return Err(refused(format!(
                "profile '{shown}' is incompatible with 'nix-env'; please use 'nix profile' instead"
            )));
        }
        let manifest = folder.join("manifest.nix");
        if manifest.symlink_metadata().is_err() {
            return Ok(Vec::new());
        }
        // The link leads to the place that programs inside see; the file may lie elsewhere on this disk.
        let target = manifest
            .read_link()
            .map_or(manifest.clone(), |to| environment::physical(&store, &to.to_string_lossy()));
        let text = std::fs::read_to_string(&target)
            .map_err(crate::stores::unreadable(&format!("`{}`", target.display())))?;
        let found = self.session.evaluate(&Expression::Text(text, "/".to_owned())).and_then(|value| {
            let mut all = Vec::new();
            collect(&mut self.session, value, "", &Automatic::default(), &mut all)?;
            Ok(all)
        });
        self.evaluated(found)
    }

    /// The packages that were typed; with `newest`, of each name the best one.
    pub(super) fn wanted(&mut self, newest: bool) -> Result<Vec<Element>, Error> {
        let words = &self.arguments.words;
        if let Some(profile) = &self.arguments.from_profile {
            let installed = self.installed(&absolute(profile.clone()))?;
            return self.select(&installed, words, newest);
        }
        if self.arguments.attr || self.arguments.from_expression {
            let source = self.source()?;
            let found = named(&mut self.session, &source, self.arguments);
            return self.evaluated(found);
        }
        if words.first().is_some_and(|word| word.contains('/')) {
            return self.stored(words);
        }
        let all = self.available()?;
        self.select(&all, words, newest)
    }

    /// Paths of the store as packages.
    fn stored(&mut self, words: &[String]) -> Result<Vec<Element>, Error> {
        let store = self.context.store()?;
        let mut all = Vec::new();
        for word in words {
            let (path, _) = crate::stores::path_of(store.dir(), word)?;
            let mut name = path.name().to_owned();
            let known = if path.is_derivation() {
                name = name.trim_end_matches(".drv").to_owned();
                let outputs = store.outputs_of(&path)?;
                let out = outputs.get("out").cloned().flatten();
                let out =
                    out.ok_or_else(|| refused(format!("`{word}` has no output `out` that is known")))?;
                Known { out: out.clone(), drv: Some(path), outputs: vec![("out".to_owned(), out)] }
            } else {
                Known { out: path.clone(), drv: None, outputs: vec![("out".to_owned(), path)] }
            };
            all.push(Element {
                name,
                attribute: String::new(),
                system: String::new(),
                content: Content::Known(known),
                meta: BTreeMap::new(),
            });
        }
        Ok(all)
    }

    /// The paths of a package; its expression is evaluated as far as that needs.
    pub(super) fn known(&mut self, element: &mut Element) -> Result<Known, Error> {
        let value = match &element.content {
            Content::Known(known) => return Ok(known.clone()),
            Content::Value(value) => *value,
        };
        let found = read(&mut self.session, value);
        let (known, mut meta) = self.evaluated(found)?;
        // What was set on the way stays.
        meta.append(&mut element.meta);
        element.meta = meta;
        element.content = Content::Known(known.clone());
        Ok(known)
    }

    /// One entry of `meta`.
    pub(super) fn meta(&mut self, element: &Element, name: &str) -> Result<Option<String>, Error> {
        if let Some(text) = element.meta.get(name) {
            return Ok(Some(text.clone()));
        }
        let Content::Value(value) = element.content else { return Ok(None) };
        let found = (|session: &mut Session| -> Result<Option<String>, Failure> {
            let ev = session.evaluator();
            let Some(meta) = ev.select_opt(value, "meta")? else { return Ok(None) };
            let Some(entry) = ev.select_opt(meta, name)? else { return Ok(None) };
            session.print(entry, Format::Expression { strict: true }).map(Some)
        })(&mut self.session);
        self.evaluated(found)
    }

    /// One entry of `meta` that is a text.
    pub(super) fn meta_text(&mut self, element: &Element, name: &str) -> Result<Option<String>, Error> {
        let Some(text) = self.meta(element, name)? else { return Ok(None) };
        let found = self.session.evaluate(&Expression::Text(text, "/".to_owned()));
        let found = found.and_then(|value| self.session.print(value, Format::Raw));
        self.evaluated(found).map(Some)
    }

    /// The names of all outputs, and of the one that is meant.
    pub(super) fn outputs(&mut self, element: &Element) -> Result<(Vec<String>, String), Error> {
        let value = match &element.content {
            Content::Known(known) => {
                let names: Vec<_> = known.outputs.iter().map(|(name, _)| name.clone()).collect();
                let meant = names.first().cloned().unwrap_or_else(|| "out".to_owned());
                return Ok((names, meant));
            }
            Content::Value(value) => *value,
        };
        let found = (|session: &mut Session| -> Result<(Vec<String>, String), Failure> {
            let ev = session.evaluator();
            let mut names = Vec::new();
            if let Some(list) = ev.select_opt(value, "outputs")? {
                for name in ev.expect_list(list)? {
                    names.push(ev.coerce_to_string(name, PLAIN)?.0);
                }
            }
            let meant = match ev.select_opt(value, "outputName")? {
                Some(name) => ev.coerce_to_string(name, PLAIN)?.0,
                None => "out".to_owned(),
            };
            Ok((names, meant))
        })(&mut self.session);
        self.evaluated(found)
    }

    /// The packages that words select; with `newest`, of each name the one with the best priority, then the highest
    /// version.
    pub(super) fn select(
        &mut self,
        all: &[Element],
        words: &[String],
        newest: bool,
    ) -> Result<Vec<Element>, Error> {
        let usual = ["*".to_owned()];
        let words = if words.is_empty() { &usual[..] } else { words };
        let mut done = BTreeSet::new();
        let mut selected = Vec::new();
        for word in words {
            let selector = Selector::parse(word)?;
            let hits = all.iter().enumerate().filter(|(_, element)| selector.matches(&element.name));
            let mut hits: Vec<_> = hits.collect();
            if hits.is_empty() && selector.text != "*" {
                return Err(refused(format!("selector '{}' matches no derivations", selector.text)));
            }
            if newest {
                hits = self.newest_only(hits)?;
            }
            for (at, element) in hits {
                if done.insert(at) {
                    selected.push(element.clone());
                }
            }
        }
        Ok(selected)
    }

    fn newest_only<'e>(
        &mut self,
        hits: Vec<(usize, &'e Element)>,
    ) -> Result<Vec<(usize, &'e Element)>, Error> {
        let mut best: BTreeMap<String, (usize, &Element)> = BTreeMap::new();
        for hit in hits {
            let (name, version) = name_and_version(&hit.1.name);
            let is_better = match best.get(&name) {
                None => true,
                Some((_, old)) => {
                    let order = self.priority(old)?.cmp(&self.priority(hit.1)?);
                    let order = order.then_with(|| compare(&version, &name_and_version(&old.name).1));
                    order == Ordering::Greater
                }
            };
            if is_better {
                best.insert(name, hit);
            }
        }
        Ok(best.into_values().collect())
    }

    /// All of `meta`.
    pub(super) fn meta_as_json(&mut self, element: &Element) -> Result<serde_json::Value, Error> {
        let fields = element.meta.iter().map(|(name, value)| format!("{} = {value}; ", quoted(name)));
        let text = format!("{{ {}}}", fields.collect::<String>());
        let found = self.session.evaluate(&Expression::Text(text, "/".to_owned()));
        let found = found.and_then(|value| self.session.print(value, Format::Json));
        let text = self.evaluated(found)?;
        Ok(serde_json::from_str(&text).unwrap_or(serde_json::Value::Null))
    }

    /// Which of two packages of one name wins: the lower number.
    pub(super) fn priority(&mut self, element: &Element) -> Result<i64, Error> {
        let text = self.meta(element, "priority")?;
        Ok(text.and_then(|text| text.trim_matches('"').parse().ok()).unwrap_or(0))
    }
}

fn available(
    session: &mut Session,
    source: &Path,
    arguments: &super::DropIn,
) -> Result<Vec<Element>, Failure> {
    let automatic = arguments.evaluation.automatic(session)?;
    let root = root(session, source)?;
    let mut all = Vec::new();
    collect(session, root, "", &automatic, &mut all)?;
    Ok(all)
}

fn named(session: &mut Session, source: &Path, arguments: &super::DropIn) -> Result<Vec<Element>, Failure> {
    let automatic = arguments.evaluation.automatic(session)?;
    let root = root(session, source)?;
    let mut all = Vec::new();
    for word in &arguments.words {
        let value = if arguments.attr {
            session.select(root, word, &automatic)?
        } else {
            let function = session.evaluate(&Expression::Text(word.clone(), current_folder()))?;
            session.evaluator().call(function, &[root])?
        };
        collect(session, value, "", &automatic, &mut all)?;
    }
    Ok(all)
}

/// The value of an expression's file, or of a folder with several.
fn root(session: &mut Session, source: &Path) -> Result<Value, Failure> {
    let text = source.to_string_lossy().into_owned();
    // An address is fetched first.
    if text.starts_with('<') || text.contains("://") {
        return session.evaluate(&file_expression(&text));
    }
    let place = absolute(source.to_owned());
    if place.is_file() || place.join("default.nix").exists() {
        return session.evaluate(&Expression::File(place.to_string_lossy().into_owned()));
    }
    let mut files = BTreeMap::new();
    list_files(&place, &mut files);
    let mut expression = "{ _combineChannels = [];".to_owned();
    for (name, file) in files {
        expression.push_str(&format!(" {} = import {};", quoted(&name), quoted(&file.to_string_lossy())));
    }
    expression.push_str(" }");
    session.evaluate(&Expression::Text(expression, "/".to_owned()))
}

fn list_files(folder: &Path, files: &mut BTreeMap<String, PathBuf>) {
    let mut entries: Vec<_> = folder.read_dir().into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // That of a profile is no expression of packages.
        if name == "manifest.nix" {
            continue;
        }
        let is_package = path.join("default.nix").exists();
        // A link counts by the name of what it leads to.
        let is_expression = |path: &Path| path.extension().is_some_and(|end| end == "nix");
        let is_file = path.is_file() && path.canonicalize().is_ok_and(|path| is_expression(&path));
        if is_package || is_file {
            files.entry(name.trim_end_matches(".nix").to_owned()).or_insert(path);
        } else if path.is_dir() {
            list_files(&path, files);
        }
    }
}

/// A text of the language.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}

fn is_attribute(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b))
}

/// A derivation as a package; `None` where it is none, or an assertion in it fails.
fn package(session: &mut Session, value: Value, attribute: &str) -> Result<Option<Element>, Failure> {
    let ev = session.evaluator();
    if !ev.is_derivation(value)? {
        return Ok(None);
    }
    let text = |session: &mut Session, name: &str| -> Result<Option<String>, Failure> {
        let ev = session.evaluator();
        let Some(found) = ev.select_opt(value, name)? else { return Ok(None) };
        Ok(Some(ev.coerce_to_string(found, PLAIN)?.0))
    };
    let name = text(session, "name")?.unwrap_or_default();
    Ok(Some(Element {
        name,
        attribute: attribute.to_owned(),
        system: text(session, "system")?.unwrap_or_default(),
        content: Content::Value(value),
        meta: BTreeMap::new(),
    }))
}

/// Adds a value that is a package, and passes over one that fails an assertion, as Nix does; false where it is neither.
fn take(
    session: &mut Session,
    value: Value,
    attribute: &str,
    all: &mut Vec<Element>,
) -> Result<bool, Failure> {
    match package(session, value, attribute) {
        Ok(Some(found)) => all.push(found),
        Ok(None) => return Ok(false),
        Err(Failure::Evaluation(error)) if std::ptr::eq(error.entry, &assertion_failed::ENTRY) => {}
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Whether a set wants to be searched.
fn is_searched(session: &mut Session, value: Value) -> Result<bool, Failure> {
    let ev = session.evaluator();
    if ev.kind(value)? != Kind::Attrs {
        return Ok(false);
    }
    match ev.select_opt(value, "recurseForDerivations")? {
        Some(flag) => Ok(ev.expect_bool(flag)?),
        None => Ok(false),
    }
}

/// Finds the packages of a value.
fn collect(
    session: &mut Session,
    value: Value,
    prefix: &str,
    automatic: &Automatic,
    all: &mut Vec<Element>,
) -> Result<(), Failure> {
    let value = session.call_automatically(value, automatic)?;
    if take(session, value, prefix, all)? {
        return Ok(());
    }
    let under = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    let ev = session.evaluator();
    match ev.kind(value)? {
        Kind::Attrs => {
            let combines = ev.select_opt(value, "_combineChannels")?.is_some();
            let attributes = ev.attributes(value)?;
            let mut named: Vec<_> =
                attributes.iter().map(|found| (ev.name(found.name).to_owned(), found.value)).collect();
            named.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, inner) in named.into_iter().filter(|(name, _)| is_attribute(name)) {
                let path = under(&name);
                let deeper = match combines {
                    true => name != "_combineChannels",
                    false => !take(session, inner, &path, all)? && is_searched(session, inner)?,
                };
                if deeper {
                    collect(session, inner, &path, automatic, all)?;
                }
            }
        }
        Kind::List => {
            for (at, inner) in ev.expect_list(value)?.into_iter().enumerate() {
                let path = under(&at.to_string());
                if !take(session, inner, &path, all)? {
                    collect(session, inner, &path, automatic, all)?;
                }
            }
        }
        _ => return Err(session.no_derivation(value)),
    }
    Ok(())
}

/// The paths and the `meta` of a derivation.
fn read(session: &mut Session, value: Value) -> Result<(Known, BTreeMap<String, String>), Failure> {
    let path = |session: &mut Session, of: Value, name: &str| -> Result<Option<StorePath>, Failure> {
        let ev = session.evaluator();
        let Some(found) = ev.select_opt(of, name)? else { return Ok(None) };
        let text = ev.coerce_to_string(found, PLAIN)?.0;
        session.store_path(&text).map(Some)
    };
    let Some(out) = path(session, value, "outPath")? else { return Err(session.no_derivation(value)) };
    let drv = path(session, value, "drvPath")?;
    let installed = session.installed_outputs(value)?.and_then(|(_, names)| names);
    let mut names = Vec::new();
    let ev = session.evaluator();
    if let Some(list) = ev.select_opt(value, "outputs")? {
        for name in ev.expect_list(list)? {
            names.push(ev.coerce_to_string(name, PLAIN)?.0);
        }
    }
    let mut outputs = Vec::new();
    for name in names {
        if installed.as_ref().is_some_and(|installed| !installed.contains(&name)) {
            continue;
        }
        let found = session.evaluator().select_opt(value, &name)?;
        let found = match found {
            Some(output) => path(session, output, "outPath")?,
            None => None,
        };
        if let Some(found) = found {
            outputs.push((name, found));
        }
    }
    if outputs.is_empty() {
        outputs.push(("out".to_owned(), out.clone()));
    }
    Ok((Known { out, drv, outputs }, read_meta(session, value)?))
}

fn read_meta(session: &mut Session, value: Value) -> Result<BTreeMap<String, String>, Failure> {
    let ev = session.evaluator();
    let mut all = BTreeMap::new();
    let Some(meta) = ev.select_opt(value, "meta")? else { return Ok(all) };
    let entries = ev.attributes(meta)?;
    let entries: Vec<_> = entries.iter().map(|entry| (ev.name(entry.name).to_owned(), entry.value)).collect();
    for (name, entry) in entries {
        if is_data(session, entry)? {
            all.insert(name, session.print(entry, Format::Expression { strict: true })?);
        }
    }
    Ok(all)
}

/// Whether a value can be written down: no function, path or package in it.
fn is_data(session: &mut Session, value: Value) -> Result<bool, Failure> {
    let ev = session.evaluator();
    let inner = match ev.kind(value)? {
        Kind::Int | Kind::Float | Kind::Bool | Kind::String => return Ok(true),
        Kind::List => ev.expect_list(value)?,
        Kind::Attrs if ev.select_opt(value, "outPath")?.is_none() => {
            ev.attributes(value)?.iter().map(|entry| entry.value).collect()
        }
        _ => return Ok(false),
    };
    for value in inner {
        if !is_data(session, value)? {
            return Ok(false);
        }
    }
    Ok(true)
}
