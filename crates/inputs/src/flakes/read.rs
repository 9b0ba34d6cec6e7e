//! Reading `flake.nix`: plain values, and the names of the arguments of `outputs`.

use super::lock_file::{InputPath, parse_input_path};
use super::reference::{FlakeReference, How, lexical};
use crate::fetchers::{Attribute, Attributes, Error, FetchSettings};
use nival_diagnostics::SourceId;
use nival_syntax::{Ast, AttrKind, Expr, ExprId, Interner, SetId, parse};
use std::collections::BTreeMap;
use std::path::Path;

/// An input as a flake names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlakeInput {
    /// Where it is; a name of a registry where nothing is said.
    pub reference: Option<FlakeReference>,
    /// False for a tree that is no flake.
    pub is_flake: bool,
    /// The input of the flake that it stands for, from the root.
    pub follows: Option<InputPath>,
    /// What is said of its own inputs.
    pub overrides: BTreeMap<String, FlakeInput>,
}

/// A value of `nixConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigValue {
    /// A text.
    Text(String),
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
    /// A path, seen from the folder of the flake.
    Path(String),
}

/// What a `flake.nix` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flake {
    /// The line that describes it.
    pub description: Option<String>,
    /// Its inputs.
    pub inputs: BTreeMap<String, FlakeInput>,
    /// `inputs.self`: how the flake itself is to be fetched.
    pub self_attributes: Attributes,
    /// Settings that it asks for.
    pub nix_config: BTreeMap<String, ConfigValue>,
}

/// A value that needs no evaluation.
enum Plain {
    Text(String),
    Int(i64),
    Bool(bool),
    Path(String),
    Set(SetId),
    List(Vec<ExprId>),
    Function(u32),
    Other(&'static str),
}

impl Plain {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Int(_) => "an integer",
            Self::Bool(_) => "a Boolean",
            Self::Path(_) => "a path",
            Self::Set(_) => "a set",
            Self::List(_) => "a list",
            Self::Function(_) => "a function",
            Self::Other(kind) => kind,
        }
    }
}

struct Reader<'r> {
    settings: &'r FetchSettings,
    ast: Ast,
    names: Interner,
    /// What messages call the file.
    file: &'r str,
    text: &'r [u8],
    prefix: &'r InputPath,
}

impl Flake {
    /// Reads the text of a `flake.nix`; `prefix` is the way to it from the root of the lock file.
    ///
    /// # Errors
    /// [`Error::Flake`], [`Error::Reference`], [`Error::Feature`].
    pub fn parse(
        settings: &FetchSettings,
        text: &[u8],
        file: &str,
        prefix: &InputPath,
    ) -> Result<Self, Error> {
        let mut names = Interner::default();
        let parsed = parse(text, SourceId(0), &mut names);
        let mut reader = Reader { settings, ast: parsed.ast, names, file, text, prefix };
        if let Some(error) = parsed.errors.first() {
            let at = error.labels.first().map_or(0, |label| label.span.start);
            return Err(reader.wrong(at, &error.message));
        }
        reader.flake(parsed.root)
    }
}

impl Reader<'_> {
    #[cold]
    fn wrong(&self, at: u32, why: &str) -> Error {
        let before = &self.text[..(at as usize).min(self.text.len())];
        let line = before.iter().filter(|c| **c == b'\n').count() + 1;
        Error::Flake { path: format!("{}:{line}", self.file), why: why.to_owned() }
    }

    fn plain(&self, id: ExprId) -> Plain {
        match self.ast.expr(id) {
            Expr::Text(text) => Plain::Text(String::from_utf8_lossy(self.ast.text(text)).into_owned()),
            Expr::Int(int) => Plain::Int(int),
            Expr::Path(text) => Plain::Path(String::from_utf8_lossy(self.ast.text(text)).into_owned()),
            Expr::Set(set) if self.ast.sets[set.0 as usize].dynamic.is_empty() => Plain::Set(set),
            Expr::List(range) => Plain::List(self.ast.children[range.indices()].to_vec()),
            Expr::Lambda(index) => Plain::Function(index),
            Expr::Variable(name) => match self.names.name(name) {
                "true" => Plain::Bool(true),
                "false" => Plain::Bool(false),
                _ => Plain::Other("a variable"),
            },
            Expr::Float(_) => Plain::Other("a float"),
            _ => Plain::Other("something that is computed"),
        }
    }

    /// The attributes of a set that are written as values.
    fn attributes(&self, set: SetId) -> Vec<(String, ExprId, u32)> {
        let set = &self.ast.sets[set.0 as usize];
        let plain = set.attrs.iter().filter_map(|definition| match definition.kind {
            AttrKind::Plain(value) | AttrKind::Inherit(value) => {
                Some((self.names.name(definition.name).to_owned(), value, definition.position))
            }
            // The value is computed: the source of the set stands for it.
            AttrKind::InheritFrom(source) => {
                let source = *set.sources.get(source as usize)?;
                Some((self.names.name(definition.name).to_owned(), source, definition.position))
            }
        });
        plain.collect()
    }

    fn set(&self, id: ExprId, at: u32, what: &str) -> Result<SetId, Error> {
        match self.plain(id) {
            Plain::Set(set) => Ok(set),
            other => Err(self.wrong(at, &format!("{what} must be a set, not {}", other.kind()))),
        }
    }

    fn flake(&mut self, root: ExprId) -> Result<Flake, Error> {
        let mut flake = Flake::default();
        let mut has_outputs = false;
        for (name, value, at) in self.attributes(self.set(root, 0, "the file")?) {
            match name.as_str() {
                "description" => match self.plain(value) {
                    Plain::Text(text) => flake.description = Some(text),
                    other => {
                        return Err(
                            self.wrong(at, &format!("`description` must be a string, not {}", other.kind()))
                        );
                    }
                },
                "inputs" => {
                    let set = self.set(value, at, "`inputs`")?;
                    (flake.inputs, flake.self_attributes) = self.inputs(set, true)?;
                }
                "outputs" => has_outputs = true,
                "nixConfig" => flake.nix_config = self.config(self.set(value, at, "`nixConfig`")?)?,
                _ => return Err(self.wrong(at, &format!("a flake has no attribute `{name}`"))),
            }
        }
        if !has_outputs {
            return Err(self.wrong(0, "it has no attribute `outputs`"));
        }
        self.outputs(root, &mut flake)?;
        Ok(flake)
    }

    /// The arguments of `outputs` are inputs too.
    fn outputs(&self, root: ExprId, flake: &mut Flake) -> Result<(), Error> {
        let set = self.set(root, 0, "the file")?;
        let Some((_, value, at)) = self.attributes(set).into_iter().find(|(name, ..)| name == "outputs")
        else {
            return Ok(());
        };
        let Plain::Function(index) = self.plain(value) else {
            let kind = self.plain(value).kind();
            return Err(self.wrong(at, &format!("`outputs` must be a function, not {kind}")));
        };
        for formal in self.ast.lambdas[index as usize].formals.iter().flatten() {
            let name = self.names.name(formal.name);
            if name != "self" && !flake.inputs.contains_key(name) {
                let reference = FlakeReference::parse_whole(self.settings, name, &How::default())?;
                let input =
                    FlakeInput { reference: Some(reference), is_flake: true, ..FlakeInput::default() };
                flake.inputs.insert(name.to_owned(), input);
            }
        }
        Ok(())
    }

    fn inputs(
        &self,
        set: SetId,
        allow_self: bool,
    ) -> Result<(BTreeMap<String, FlakeInput>, Attributes), Error> {
        let mut inputs = BTreeMap::new();
        let mut own = Attributes::default();
        for (name, value, at) in self.attributes(set) {
            if name != "self" {
                inputs.insert(
                    name.clone(),
                    self.input(self.set(value, at, &format!("the input `{name}`"))?, at)?,
                );
                continue;
            }
            if !allow_self {
                return Err(self.wrong(at, "an input may not be called `self`"));
            }
            for (name, value, at) in self.attributes(self.set(value, at, "`inputs.self`")?) {
                own.set(&name, self.attribute(&name, value, at)?);
            }
        }
        Ok((inputs, own))
    }

    fn attribute(&self, name: &str, value: ExprId, at: u32) -> Result<Attribute, Error> {
        match self.plain(value) {
            Plain::Text(text) => Ok(Attribute::Text(text)),
            Plain::Bool(yes) => Ok(Attribute::Bool(yes)),
            Plain::Int(int) => u64::try_from(int)
                .map(Attribute::Int)
                .map_err(|_| self.wrong(at, &format!("`{name}` may not be negative"))),
            other => {
                let kind = other.kind();
                Err(self
                    .wrong(at, &format!("`{name}` must be a string, a Boolean or an integer, not {kind}")))
            }
        }
    }

    fn input(&self, set: SetId, at: u32) -> Result<FlakeInput, Error> {
        let mut input = FlakeInput { is_flake: true, ..FlakeInput::default() };
        let mut attributes = Attributes::default();
        let mut url = None;
        for (name, value, at) in self.attributes(set) {
            match (name.as_str(), self.plain(value)) {
                ("url", Plain::Text(text)) => url = Some(text),
                ("url", Plain::Path(path)) => url = Some(format!("path:{}", self.relative(&path, at)?)),
                ("flake", Plain::Bool(yes)) => input.is_flake = yes,
                ("inputs", _) => {
                    let set = self.set(value, at, "`inputs` of an input")?;
                    input.overrides = self.inputs(set, false)?.0;
                }
                ("follows", Plain::Text(text)) => {
                    let own = parse_input_path(&text)?;
                    input.follows = Some(self.prefix.iter().cloned().chain(own).collect());
                }
                ("url" | "follows" | "flake", other) => {
                    let wanted = if name == "flake" { "a Boolean" } else { "a string" };
                    return Err(self.wrong(at, &format!("`{name}` must be {wanted}, not {}", other.kind())));
                }
                _ => attributes.set(&name, self.attribute(&name, value, at)?),
            }
        }
        if attributes.has("type") {
            if let Some(url) = url {
                attributes.set("url", url);
            }
            input.reference = Some(FlakeReference::from_attributes(self.settings, attributes)?);
        } else if let Some(name) = attributes.0.keys().next() {
            return Err(self.wrong(at, &format!("an input without `type` has no attribute `{name}`")));
        } else if let Some(url) = url {
            let how =
                How { allow_missing: true, is_flake: input.is_flake, keep_relative: true, ..How::default() };
            input.reference = Some(FlakeReference::parse_whole(self.settings, &url, &how)?);
        }
        if input.reference.is_some() && input.follows.is_some() {
            return Err(self.wrong(at, "an input has either an address or `follows`"));
        }
        Ok(input)
    }

    /// A path, seen from the folder of the flake.
    fn relative(&self, path: &str, at: u32) -> Result<String, Error> {
        if path.starts_with(['/', '~']) {
            return Err(self.wrong(at, &format!("the path `{path}` must lie in the tree of the flake")));
        }
        let canonical = lexical(Path::new(&format!("/{path}")));
        let ups =
            path.split('/').take_while(|part| *part == ".." || *part == ".").filter(|part| *part == "..");
        let inner = canonical.trim_start_matches('/');
        let mut parts: Vec<&str> = ups.map(|_| "..").collect();
        parts.extend(Some(inner).filter(|inner| !inner.is_empty()));
        Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
    }

    fn config(&self, set: SetId) -> Result<BTreeMap<String, ConfigValue>, Error> {
        let mut config = BTreeMap::new();
        for (name, value, at) in self.attributes(set) {
            let wrong = |kind: &str| self.wrong(at, &format!("the setting `{name}` cannot be {kind}"));
            let value = match self.plain(value) {
                Plain::Text(text) => ConfigValue::Text(text),
                Plain::Int(int) => ConfigValue::Int(int),
                Plain::Bool(yes) => ConfigValue::Bool(yes),
                Plain::Path(path) => ConfigValue::Path(self.relative(&path, at)?),
                Plain::List(items) => {
                    let text = |id: ExprId| match self.plain(id) {
                        Plain::Text(text) => Ok(text),
                        other => Err(wrong(&format!("a list with {}", other.kind()))),
                    };
                    ConfigValue::List(items.into_iter().map(text).collect::<Result<_, _>>()?)
                }
                other => return Err(wrong(other.kind())),
            };
            config.insert(name, value);
        }
        Ok(config)
    }
}
