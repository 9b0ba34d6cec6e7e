//! Expressions and files from a command line: automatic arguments, selection paths, printing.

use crate::diagnostics;
use crate::error::Error;
use crate::session::Session;
use crate::world::is_fetched;
use nival_diagnostics::Diagnostic;
use nival_eval::{Coercion, EvalError, EvalResult, Evaluator, Kind, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Short evaluations never come so far.
const COLLECT_FROM: usize = 128 << 20;

/// The path of a derivation, and the outputs of it that are installed; `None` of them stands for all.
pub type Installed = (String, Option<BTreeSet<String>>);

/// What is evaluated.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A text, and the folder that relative paths in it start from.
    Text(String, String),
    /// A file, or a folder with `default.nix`; `<name>` is looked up in the search path.
    File(String),
}

/// An argument that functions are given by themselves, as by `--arg`.
#[derive(Clone, Debug)]
pub enum Argument {
    /// The value of an expression, with the folder that relative paths in it start from.
    Expression(String, String),
    /// A string.
    Text(String),
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: all of it, with derivations as their paths.
    Shown,
    /// As an expression, as `nix-instantiate --eval` prints it.
    Expression {
        /// Whether everything in it is evaluated; what is not is shown as `<CODE>`.
        strict: bool,
    },
    /// The characters of a string, without a line break at the end.
    Raw,
    /// As JSON.
    Json,
    /// As XML.
    Xml {
        /// Whether everything in it is evaluated.
        strict: bool,
        /// Whether places in files are named.
        places: bool,
    },
}

/// A derivation that was found in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path of the `.drv` file.
    pub drv_path: String,
    /// The output that is meant, mostly `out`.
    pub output: String,
    /// The `name` attribute.
    pub name: String,
}

/// Values that functions are given by themselves.
#[derive(Clone, Default)]
pub struct Automatic {
    values: Vec<(String, Value)>,
}

impl Session {
    /// Makes the values of automatic arguments; the later of two with one name wins.
    ///
    /// # Errors
    /// What does not parse.
    pub fn automatic(&mut self, arguments: &[(String, Argument)]) -> Result<Automatic, Error> {
        let mut automatic = Automatic::default();
        for (name, argument) in arguments {
            let value = match argument {
                Argument::Text(text) => self.evaluator.string(text),
                Argument::Expression(text, base) => {
                    self.evaluator.eval_text("(argument)", text, base, None)?
                }
            };
            self.evaluator.keep(value);
            automatic.values.retain(|(known, _)| known != name);
            automatic.values.push((name.clone(), value));
        }
        Ok(automatic)
    }

    /// Collects values that nobody needs in long evaluations. Not for sessions that hold values of their
    /// own, such as those of machines: what is held must come from an evaluation here, or be kept.
    pub fn collect_values(&mut self) {
        self.evaluator.collect_from(COLLECT_FROM);
    }

    /// What is not needed is printed as such exactly where C++ Nix does; see [`nival_eval::Evaluator::delay_as_written`].
    pub fn delay_as_written(&mut self) {
        self.evaluator.delay_as_written();
    }

    /// Evaluates an expression or file.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn evaluate(&mut self, expression: &Expression) -> Result<Value, Error> {
        Ok(match expression {
            Expression::Text(text, base) => self.evaluator.eval_text("(expression)", text, base, None)?,
            Expression::File(path) => {
                let file = self.file(path)?;
                self.evaluator.import(&file)?
            }
        })
    }

    /// Evaluates an expression; where it names `lib` without having one, that is Nival's library.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn evaluate_with_library(&mut self, text: &str, base: &str) -> Result<Value, Error> {
        let plain = self.evaluator.eval_text("(expression)", text, base, None);
        let Err(error) = plain else { return Ok(plain?) };
        let diagnostic = error.diagnostic();
        let unknown = std::ptr::eq(diagnostic.entry, &nival_eval::diagnostics::undefined_variable::ENTRY);
        if !unknown || !diagnostic.message.contains("`lib`") {
            return Err(error.into());
        }
        let library = self.library()?;
        let name = self.evaluator.symbol("lib");
        let scope = self.evaluator.attrs(&[(name, library.lib)]);
        Ok(self.evaluator.eval_text("(expression)", text, base, Some(scope))?)
    }

    /// An expression or file as it was read, not evaluated: what the language only abbreviates is written out.
    ///
    /// # Errors
    /// What does not parse.
    pub fn parsed(&mut self, expression: &Expression) -> Result<String, Error> {
        let (name, text, base) = match expression {
            Expression::Text(text, base) => {
                ("(expression)".to_owned(), text.clone().into_bytes(), base.clone())
            }
            Expression::File(path) => {
                let file = self.file(path)?;
                let file = PathBuf::from(self.evaluator.resolve_import(&file)?);
                let text = std::fs::read(&file).map_err(|error| Error::Io(file.clone(), error))?;
                let base = file.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
                (file.to_string_lossy().into_owned(), text, base)
            }
        };
        let printed = self.evaluator.print_parsed(&name, &text, &base).map_err(|wrong| {
            let first = wrong.into_iter().next();
            let unknown = || Diagnostic::error(&diagnostics::file::ENTRY, format!("cannot read `{name}`"));
            Error::Evaluation(Box::new(first.unwrap_or_else(unknown)))
        })?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    /// The file that a path or `<name>` means.
    ///
    /// # Errors
    /// A name that is not in the search path.
    pub fn file(&mut self, path: &str) -> Result<String, Error> {
        let name = path.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        match name {
            Some(name) => self.find_file(name),
            None if is_fetched(path) => {
                let found = self.world.resolve_entry(path).map_err(Error::Evaluation)?;
                self.world.take_fetch_warnings();
                let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
                found.ok_or_else(|| Error::Io(path.into(), missing()))
            }
            None => Ok(path.to_owned()),
        }
    }

    /// Looks a name up in the search path.
    ///
    /// # Errors
    /// A name that is not there.
    pub fn find_file(&mut self, name: &str) -> Result<String, Error> {
        let ev = &mut self.evaluator;
        let builtins = ev.builtins();
        let find = ev.select(builtins, "findFile")?;
        let path = ev.select(builtins, "nixPath")?;
        let name = ev.string(name);
        let found = ev.call(find, &[path, name])?;
        let (file, _) = ev.coerce_to_string(found, Coercion { more: false, copy_to_store: false })?;
        Ok(file)
    }

    /// Follows a selection path such as `packages.hello` or `machines."a.b".0`.
    ///
    /// # Errors
    /// A name that is not there, with those that are near.
    pub fn select(&mut self, value: Value, path: &str, automatic: &Automatic) -> Result<Value, Error> {
        let mut value = value;
        for name in selection(path)? {
            value = automatic.call(&mut self.evaluator, value)?;
            value = step(&mut self.evaluator, value, &name, path)?;
        }
        Ok(value)
    }

    /// Calls a value with automatic arguments where it is a function that names its arguments.
    ///
    /// # Errors
    /// An argument without a value.
    pub fn call_automatically(&mut self, value: Value, automatic: &Automatic) -> Result<Value, Error> {
        Ok(automatic.call(&mut self.evaluator, value)?)
    }

    /// Applies a function, given as a text, to a value.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn apply(&mut self, function: &str, base: &str, value: Value) -> Result<Value, Error> {
        let function = self.evaluate_with_library(function, base)?;
        Ok(self.evaluator.call(function, &[value])?)
    }

    /// All derivations that a value holds: itself, those of a list, those of a set and of the sets in it that say
    /// `recurseForDerivations`.
    ///
    /// # Errors
    /// A value without any such form.
    pub fn derivations(&mut self, value: Value, automatic: &Automatic) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        collect(&mut self.evaluator, value, automatic, &mut found)?;
        Ok(found)
    }

    /// The error of a value that should be derivations, and is something else.
    pub fn no_derivation(&mut self, value: Value) -> Error {
        no_derivation(&mut self.evaluator, value).unwrap_or_else(|error| error)
    }

    /// Where a value is one derivation: its path, and the outputs that are installed of it; `None` of them stands for all.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn installed_outputs(&mut self, value: Value) -> Result<Option<Installed>, Error> {
        let ev = &mut self.evaluator;
        if !ev.is_derivation(value)? {
            return Ok(None);
        }
        let Some(drv) = ev.select_opt(value, "drvPath")? else { return Ok(None) };
        let (drv, _) = ev.coerce_to_string(drv, Coercion { more: false, copy_to_store: false })?;
        if let Some(specified) = ev.select_opt(value, "outputSpecified")?
            && ev.expect_bool(specified)?
            && let Some(name) = ev.select_opt(value, "outputName")?
        {
            let name = ev.coerce_to_string(name, Coercion { more: false, copy_to_store: false })?.0;
            return Ok(Some((drv, Some(BTreeSet::from([name])))));
        }
        let meta = ev.select_opt(value, "meta")?;
        let wanted = match meta {
            Some(meta) if ev.kind(meta)? == Kind::Attrs => ev.select_opt(meta, "outputsToInstall")?,
            _ => None,
        };
        let Some(wanted) = wanted else { return Ok(Some((drv, None))) };
        let mut names = BTreeSet::new();
        for name in ev.expect_list(wanted)? {
            names.insert(ev.coerce_to_string(name, Coercion { more: false, copy_to_store: false })?.0);
        }
        if names.is_empty() {
            names.insert("out".to_owned());
        }
        Ok(Some((drv, Some(names))))
    }

    /// Prints a value.
    ///
    /// # Errors
    /// What evaluating the rest of it raises, or a value that the format cannot show.
    pub fn print(&mut self, value: Value, format: Format) -> Result<String, Error> {
        let ev = &mut self.evaluator;
        let printed = match format {
            Format::Shown => ev.show(value)?,
            Format::Json => ev.to_json(value, true)?.0,
            Format::Raw => ev.coerce_to_string(value, Coercion { more: false, copy_to_store: true })?.0,
            Format::Xml { strict, places } => {
                if strict {
                    ev.force_deep(value)?;
                }
                String::from_utf8_lossy(&ev.to_xml(value, places, strict)?.0).into_owned()
            }
            Format::Expression { strict } => {
                let value = if strict { ev.force_deep(value)? } else { ev.force(value)? };
                ev.print(value)
            }
        };
        // What it names is in the store.
        self.world.store().write_pending()?;
        Ok(printed)
    }
}

impl Automatic {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn call(&self, ev: &mut Evaluator, value: Value) -> EvalResult {
        let mut value = ev.force(value)?;
        while ev.kind(value)? == Kind::Attrs {
            let Some(functor) = ev.select_opt(value, "__functor")? else { return Ok(value) };
            value = ev.call(functor, &[value])?;
        }
        let Some(formals) = ev.formals(value)? else { return Ok(value) };
        let mut given = Vec::new();
        if formals.ellipsis {
            for (name, argument) in &self.values {
                given.push((ev.symbol(name), *argument));
            }
        } else {
            for formal in &formals.names {
                let name = ev.name(formal.name);
                match self.values.iter().find(|(known, _)| known == name) {
                    Some((_, argument)) => given.push((formal.name, *argument)),
                    None if formal.has_default => {}
                    None => {
                        let message = format!("nothing gives the argument `{name}` of this function a value");
                        let name = name.to_owned();
                        let entry = &nival_eval::diagnostics::missing_argument::ENTRY;
                        let error = ev.throw(entry, message, formal.position);
                        let help =
                            format!("give it one: `--arg {name} EXPRESSION` or `--argstr {name} TEXT`");
                        return Err(EvalError::new(error.diagnostic().help(help)));
                    }
                }
            }
        }
        let set = ev.attrs(&given);
        ev.call(value, &[set])
    }
}

/// The names of a selection path: separated by dots, in quotes where they hold dots.
fn selection(path: &str) -> Result<Vec<String>, Error> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut rest = path.chars();
    while let Some(c) = rest.next() {
        match c {
            '.' => names.push(std::mem::take(&mut name)),
            '"' => loop {
                match rest.next() {
                    Some('"') => break,
                    Some(c) => name.push(c),
                    None => {
                        return Err(wrong_path(format!(
                            "a quote is not closed in the selection path `{path}`"
                        )));
                    }
                }
            },
            c => name.push(c),
        }
    }
    if !name.is_empty() {
        names.push(name);
    }
    Ok(names)
}

fn wrong_path(message: String) -> Error {
    let diagnostic = Diagnostic::error(&diagnostics::no_selection::ENTRY, message);
    Error::Other(Box::new(
        diagnostic.help("write names with dots between them: `packages.hello`, `list.0`, `set.\"a.b\"`"),
    ))
}

fn step(ev: &mut Evaluator, value: Value, name: &str, path: &str) -> Result<Value, Error> {
    let not_found = |message: String| Diagnostic::error(&diagnostics::no_selection::ENTRY, message);
    if let Ok(index) = name.parse::<u32>() {
        if ev.kind(value)? != Kind::List {
            let kind = ev.type_name(value)?;
            return Err(wrong_path(format!(
                "`{name}` in the selection path `{path}` needs a list, and finds a {kind}"
            )));
        }
        let items = ev.expect_list(value)?;
        let count = items.len();
        return items.get(index as usize).copied().ok_or_else(|| {
            let message =
                format!("the list has {count} elements, and the selection path `{path}` asks for {index}");
            Error::Other(Box::new(not_found(message).help("elements are counted from 0")))
        });
    }
    if ev.kind(value)? != Kind::Attrs {
        let kind = ev.type_name(value)?;
        return Err(wrong_path(format!(
            "`{name}` in the selection path `{path}` needs a set, and finds a {kind}"
        )));
    }
    if let Some(found) = ev.select_opt(value, name)? {
        return Ok(found);
    }
    let attributes = ev.attributes(value)?;
    let known: Vec<String> = attributes.iter().map(|attribute| ev.name(attribute.name).to_owned()).collect();
    let mut diagnostic = not_found(format!("attribute `{name}` in selection path `{path}` not found"));
    if let Some(near) = nival_eval::nearest(name, known.iter().map(String::as_str)) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    } else if known.len() <= 20 {
        diagnostic = diagnostic.help(format!("there is: {}", known.join(", ")));
    }
    Err(Error::Other(Box::new(diagnostic)))
}

fn collect(
    ev: &mut Evaluator,
    value: Value,
    automatic: &Automatic,
    found: &mut Vec<Found>,
) -> Result<(), Error> {
    let value = automatic.call(ev, value)?;
    if take(ev, value, found)? {
        return Ok(());
    }
    match ev.kind(value)? {
        Kind::Attrs => {
            let combine = ev.select_opt(value, "_combineChannels")?.is_some();
            for attribute in ev.attributes(value)? {
                if !is_plain_name(ev.name(attribute.name)) {
                    continue;
                }
                let searched =
                    combine || !take(ev, attribute.value, found)? && wants_recursion(ev, attribute.value)?;
                if searched {
                    collect(ev, attribute.value, automatic, found)?;
                }
            }
        }
        Kind::List => {
            for item in ev.expect_list(value)? {
                if !take(ev, item, found)? {
                    collect(ev, item, automatic, found)?;
                }
            }
        }
        _ => return Err(no_derivation(ev, value)?),
    }
    Ok(())
}

fn no_derivation(ev: &mut Evaluator, value: Value) -> Result<Error, Error> {
    let kind = match ev.type_name(value)? {
        "int" => "an integer",
        "bool" => "a boolean",
        "lambda" => "a function",
        "null" => "null",
        "string" => "a string",
        "path" => "a path",
        "float" => "a number",
        _ => "something else",
    };
    let message = format!("this is no derivation, nor a set or list of them, but {kind}");
    let diagnostic = Diagnostic::error(&diagnostics::no_derivation::ENTRY, message);
    Ok(Error::Other(Box::new(diagnostic.help("to see the value itself, use `nival eval`"))))
}

/// Adds a value that is a derivation; false where it is none.
fn take(ev: &mut Evaluator, value: Value, found: &mut Vec<Found>) -> Result<bool, Error> {
    if !ev.is_derivation(value)? {
        return Ok(false);
    }
    let name = ev.select(value, "name")?;
    let name = ev.expect_string(name)?;
    let path = ev.select(value, "drvPath")?;
    let (drv_path, _) = ev.coerce_to_string(path, Coercion { more: false, copy_to_store: false })?;
    if !drv_path.ends_with(".drv") {
        let message = format!("the store path `{drv_path}` is not a valid derivation path");
        return Err(Error::Other(Box::new(
            Diagnostic::error(&diagnostics::no_derivation::ENTRY, message)
                .help("`drvPath` names a file that ends in `.drv`; `derivation` makes one"),
        )));
    }
    let output = match ev.select_opt(value, "outputName")? {
        Some(output) => ev.expect_string(output)?,
        None => "out".to_owned(),
    };
    let new = Found { drv_path, output, name };
    if !found.contains(&new) {
        found.push(new);
    }
    Ok(true)
}

fn wants_recursion(ev: &mut Evaluator, value: Value) -> Result<bool, Error> {
    if ev.kind(value)? != Kind::Attrs {
        return Ok(false);
    }
    match ev.select_opt(value, "recurseForDerivations")? {
        Some(answer) => Ok(ev.expect_bool(answer)?),
        None => Ok(false),
    }
}

/// Whether a name can stand in a selection path without quotes.
fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{is_plain_name, selection};

    #[test]
    fn selection_paths_have_dots_and_quotes() {
        let names = |path| selection(path).map_err(|_| ());
        assert_eq!(names("a.b-c.0"), Ok(vec!["a".to_owned(), "b-c".to_owned(), "0".to_owned()]));
        assert_eq!(names("a.\"b.c\""), Ok(vec!["a".to_owned(), "b.c".to_owned()]));
        assert_eq!(names(""), Ok(Vec::new()));
        assert_eq!(names("a.\"b"), Err(()));
        assert!(is_plain_name("gtk+") && !is_plain_name("0ad") && !is_plain_name("a b"));
    }
}
