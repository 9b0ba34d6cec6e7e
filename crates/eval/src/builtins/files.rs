//! Files, folders, and what goes into the store.

use super::{Row, yes};
use crate::Coercion;
use crate::attrs;
use crate::context::{ContextElement, ContextId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use crate::world::{AddPath, FileType};
use nival_diagnostics::Diagnostic;
use nival_store_model::{Algorithm, Hash};

pub(super) const ROWS: &[Row] = &[
    Row("__readFile", 1, 1, read_file),
    Row("__readDir", 1, 1, read_dir),
    Row("__readFileType", 1, 1, read_type),
    Row("__pathExists", 1, 1, path_exists),
    Row("__toPath", 1, 1, to_path),
    Row("__storePath", 1, 1, store_path),
    Row("__toFile", 2, 3, to_file),
    Row("__path", 1, 1, path),
    Row("__filterSource", 2, 3, filter_source),
    Row("__getEnv", 1, 1, |e, a| {
        let name = e.expect_string(a[0])?;
        let value = e.world().env(&name).unwrap_or_default();
        Ok(e.string(&value))
    }),
    Row("placeholder", 1, 1, |e, a| {
        let output = e.expect_string(a[0])?;
        let hash = Hash::sha256(format!("nix-output:{output}").as_bytes()).base32();
        Ok(e.string(&format!("/{hash}")))
    }),
];

impl Evaluator {
    /// A path, or a string that is an absolute one, with what it refers to.
    pub(crate) fn coerce_path(&mut self, value: Value) -> EvalResult<(String, ContextId)> {
        let value = self.force(value)?;
        if value.tag() == tag::PATH {
            return Ok((self.expect_path(value)?, ContextId::EMPTY));
        }
        let (text, context) = self.coerce_to_string(value, Coercion { more: false, copy_to_store: false })?;
        if text.starts_with('/') {
            return Ok((text, context));
        }
        Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("the string `{text}` is not an absolute path"),
        )
        .help("write a path without quotes, such as `./file`, or start it with `/`"))
    }

    /// A path that is about to be read: what it refers to is built first.
    pub(crate) fn real_path(&mut self, value: Value) -> EvalResult<String> {
        let (path, context) = self.coerce_path(value)?;
        let path = self.realised(path, context)?;
        Ok(crate::paths::canonical(&path))
    }

    /// Builds what a context refers to; the path with places of outputs in it that were not known before.
    fn realised(&mut self, mut path: String, context: ContextId) -> EvalResult<String> {
        for (placeholder, output) in self.realise(context)? {
            path = path.replace(&placeholder, &output);
        }
        Ok(path)
    }

    /// Builds what a context refers to; what stood for outputs that were not known before, and their paths.
    pub(crate) fn realise(&mut self, context: ContextId) -> EvalResult<Vec<(String, String)>> {
        if context.is_empty() {
            return Ok(Vec::new());
        }
        let elements = self.context_elements(context);
        let builds = elements.iter().any(|element| matches!(element, ContextElement::Output { .. }));
        if builds && !self.settings.import_from_derivation {
            return Err(EvalError::of(
                &diagnostics::import_from_derivation::ENTRY,
                "evaluation would have to build something first, which is switched off",
            )
            .help("allow it with the option `allow-import-from-derivation`"));
        }
        Ok(self.world().realise(&elements)?)
    }

    /// Whether there is something at a path; links are followed.
    pub(crate) fn exists(&mut self, path: &str) -> EvalResult<bool> {
        let world = self.world();
        let mut path = path.to_owned();
        for _ in 0..40 {
            match world.file_type(&path) {
                Ok(Some(FileType::Symlink)) => {
                    let Ok(target) = world.read_link(&path) else { return Ok(false) };
                    let joined = if target.starts_with('/') {
                        target
                    } else {
                        format!("{}/{target}", crate::paths::parent(&path))
                    };
                    path = crate::paths::canonical(&joined);
                }
                Ok(found) => return Ok(found.is_some()),
                Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    /// A store path as a string that refers to it.
    fn store_string(&mut self, path: &str) -> Value {
        let context = self.context(&[ContextElement::Plain(path.to_owned())]);
        self.string_with(path, context)
    }
}

fn read_file(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let path = evaluator.real_path(arguments[0])?;
    let bytes = evaluator.world().read_file(&path)?;
    if bytes.contains(&0) {
        return Err(EvalError::of(
            &diagnostics::invalid_data::ENTRY,
            format!("the file `{path}` cannot be a string: it holds a zero byte"),
        ));
    }
    let context = references_in(evaluator, &path, &bytes)?;
    Ok(evaluator.make_string(&bytes, context))
}

/// The context of a text that was read from the store: what its store path refers to, as far as the text names it.
fn references_in(evaluator: &mut Evaluator, path: &str, text: &[u8]) -> EvalResult<ContextId> {
    let world = evaluator.world();
    let store = format!("{}/", world.store_dir());
    let Some(inner) = path.strip_prefix(&store) else { return Ok(ContextId::EMPTY) };
    let end = inner.find('/').unwrap_or(inner.len());
    let mut elements = Vec::new();
    for reference in world.references(&format!("{store}{}", &inner[..end]))? {
        let digits = reference.get(store.len()..store.len() + 32).unwrap_or_default().as_bytes();
        if !digits.is_empty() && text.windows(digits.len()).any(|window| window == digits) {
            elements.push(ContextElement::Plain(reference));
        }
    }
    Ok(evaluator.context(&elements))
}

fn type_value(evaluator: &mut Evaluator, kind: FileType) -> Value {
    let name = evaluator.symbol(kind.name());
    evaluator.name_value(name)
}

fn read_dir(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let path = evaluator.real_path(arguments[0])?;
    let mut entries = Vec::new();
    for (name, kind) in evaluator.world().read_dir(&path)? {
        entries.push((evaluator.symbol(&name), type_value(evaluator, kind)));
    }
    Ok(evaluator.attrs(&entries))
}

fn read_type(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let path = evaluator.real_path(arguments[0])?;
    match evaluator.world().file_type(&path)? {
        Some(kind) => Ok(type_value(evaluator, kind)),
        None => Err(EvalError::of(&diagnostics::no_such_file::ENTRY, format!("there is no `{path}`"))),
    }
}

fn path_exists(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let value = evaluator.force(arguments[0])?;
    let (text, context) = evaluator.coerce_path(value)?;
    let text = evaluator.realised(text, context)?;
    let folder = value.is_string() && (text.ends_with('/') || text.ends_with("/."));
    let path = crate::paths::canonical(&text);
    if !folder {
        // A link that leads nowhere exists.
        return yes(matches!(evaluator.world().file_type(&path), Ok(Some(_))));
    }
    yes(evaluator.exists(&path)? && evaluator.world().read_dir(&path).is_ok())
}

fn to_path(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (path, context) = evaluator.coerce_path(arguments[0])?;
    Ok(evaluator.string_with(&crate::paths::canonical(&path), context))
}

fn store_path(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    if evaluator.settings.pure {
        let text = "`builtins.storePath` is not allowed in pure evaluation";
        return Err(EvalError::of(&diagnostics::impure::ENTRY, text)
            .help("allow it with `--impure`, or refer to the path by what makes it"));
    }
    let (path, context) = evaluator.coerce_path(arguments[0])?;
    let path = crate::paths::canonical(&path);
    let prefix = format!("{}/", evaluator.world().store_dir());
    let Some(rest) = path.strip_prefix(&prefix) else {
        return Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("the path `{path}` is not in the store `{}`", prefix.trim_end_matches('/')),
        ));
    };
    let top = format!("{prefix}{}", rest.split('/').next().unwrap_or(rest));
    evaluator.world().ensure_path(&top)?;
    let element = evaluator.context(&[ContextElement::Plain(top)]);
    let context = evaluator.join_contexts(context, element);
    Ok(evaluator.string_with(&path, context))
}

fn to_file(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.expect_string(arguments[0])?;
    let text = evaluator.force(arguments[1])?;
    if !text.is_string() {
        return Err(evaluator.wrong_type("a string", text));
    }
    let context = ContextId(text.detail());
    let mut references = Vec::new();
    for element in evaluator.context_elements(context) {
        match element {
            ContextElement::Plain(path) => references.push(path),
            ContextElement::DrvDeep(drv) | ContextElement::Output { drv, .. } => {
                return Err(EvalError::of(
                    &diagnostics::string_has_context::ENTRY,
                    format!("the file `{name}` may not refer to something that is to be built (`{drv}`)"),
                )
                .help("use a derivation, such as `writeText`, instead of `builtins.toFile`"));
            }
        }
    }
    references.sort();
    let path = evaluator.world().add_text(&name, evaluator.heap.bytes(text.handle()), &references)?;
    Ok(evaluator.store_string(&path))
}

/// How many links may lead to a file.
const MAX_LINKS: usize = 1024;

/// What `path` and `filterSource` are asked to copy.
struct Copy {
    path: String,
    name: String,
    recursive: bool,
    sha256: Option<[u8; 32]>,
    filter: Option<Value>,
}

/// A path without links on the way or at its end.
fn without_links(evaluator: &Evaluator, path: &str) -> EvalResult<String> {
    let world = evaluator.world();
    let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let (mut done, mut links) = (String::new(), 0);
    while let Some(part) = rest.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                done.truncate(done.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let next = format!("{done}/{part}");
        if world.file_type(&next)? != Some(FileType::Symlink) {
            done = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            let message = format!("too many links lead to `{path}`");
            return Err(EvalError::of(&diagnostics::no_such_file::ENTRY, message));
        }
        let target = world.read_link(&next)?;
        if target.starts_with('/') {
            done.clear();
        }
        rest.extend(target.split('/').rev().map(str::to_owned));
    }
    Ok(if done.is_empty() { "/".to_owned() } else { done })
}

fn copy(evaluator: &mut Evaluator, wanted: &Copy) -> EvalResult {
    let world = evaluator.world();
    let Copy { path, name, recursive, sha256, filter } = wanted;
    let path = &without_links(evaluator, path)?;
    let stored = match filter {
        Some(filter) => {
            let mut decide = |path: &str, kind: FileType| -> Result<bool, Box<Diagnostic>> {
                let text = evaluator.string(path);
                let kind = type_value(evaluator, kind);
                let result = evaluator.call(*filter, &[text, kind]);
                let result = result.and_then(|value| evaluator.expect_bool(value));
                result.map_err(|error| Box::new(error.diagnostic()))
            };
            world.add_path(AddPath {
                name,
                path,
                recursive: *recursive,
                sha256: *sha256,
                filter: Some(&mut decide),
            })
        }
        None => world.add_path(AddPath { name, path, recursive: *recursive, sha256: *sha256, filter: None }),
    }?;
    Ok(evaluator.store_string(&stored))
}

fn filter_source(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let path = evaluator.real_path(arguments[1])?;
    let filter = evaluator.expect_function(arguments[0])?;
    let name = crate::paths::base_name(&path).to_owned();
    copy(evaluator, &Copy { path, name, recursive: true, sha256: None, filter: Some(filter) })
}

fn path(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let mut wanted =
        Copy { path: String::new(), name: String::new(), recursive: true, sha256: None, filter: None };
    for attribute in evaluator.attributes(set)? {
        let value = attribute.value;
        match attribute.name {
            symbols::PATH => wanted.path = evaluator.real_path(value)?,
            symbols::NAME => wanted.name = evaluator.expect_string(value)?,
            symbols::FILTER => wanted.filter = Some(evaluator.expect_function(value)?),
            symbols::RECURSIVE => wanted.recursive = evaluator.expect_bool(value)?,
            symbols::SHA256 => {
                let text = evaluator.expect_string(value)?;
                let hash = super::hashing::parse(&text, Some(Algorithm::Sha256))?;
                wanted.sha256 = hash.digest().try_into().ok();
            }
            other => {
                let name = evaluator.name(other).to_owned();
                return Err(EvalError::of(
                    &diagnostics::invalid_argument::ENTRY,
                    format!("`builtins.path` takes no argument `{name}`"),
                )
                .help("it takes `path`, `name`, `filter`, `recursive` and `sha256`"));
            }
        }
    }
    if attrs::find(&evaluator.heap, set.handle(), symbols::PATH).is_none() {
        return Err(evaluator.missing_in(set.handle(), symbols::PATH));
    }
    if wanted.name.is_empty() {
        wanted.name = crate::paths::base_name(&wanted.path).to_owned();
    }
    copy(evaluator, &wanted)
}
