//! The text form of derivations.

use super::{Derivation, DerivationError, Output, OutputKind};
use crate::hash::{Algorithm, Hash};
use crate::store_path::{ContentMethod, StoreDir, StorePath, StorePathError};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What is written in place of output paths and input derivations.
#[derive(Default)]
pub(super) struct Form<'a> {
    /// Arguments and environment are left out.
    pub(super) outline: bool,
    pub(super) mask_outputs: bool,
    /// The text of what stands for the input derivations.
    pub(super) inputs: Option<&'a str>,
}

/// The text of a derivation behind its inputs: the same in all forms but for the variables of the outputs.
pub(super) struct Rest {
    text: Vec<u8>,
    /// Where the value of an output's variable belongs, and the output's number.
    holes: Vec<(usize, usize)>,
}

impl Rest {
    /// The text of arguments and variables; the variables are in their order, those of all outputs among them.
    pub(super) fn of<'a>(
        arguments: impl Iterator<Item = &'a [u8]>,
        variables: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        outputs: &BTreeMap<String, Output>,
        expected: usize,
    ) -> Self {
        let (mut text, mut holes) = (Vec::with_capacity(expected), Vec::new());
        for (n, argument) in arguments.enumerate() {
            comma(&mut text, n);
            escaped(&mut text, argument);
        }
        text.extend_from_slice(b"],[");
        for (n, (name, value)) in variables.enumerate() {
            comma(&mut text, n);
            text.push(b'(');
            escaped(&mut text, name);
            text.push(b',');
            match outputs.keys().position(|output| output.as_bytes() == name) {
                Some(output) => holes.push((text.len(), output)),
                None => escaped(&mut text, value),
            }
            text.push(b')');
        }
        text.extend_from_slice(b"])");
        Self { text, holes }
    }

    /// The text, piece by piece, with the values of the outputs' variables, of which there may be too few.
    pub(super) fn pieces(&self, values: &[Vec<u8>], mut piece: impl FnMut(&[u8])) {
        let mut at = 0;
        for (hole, output) in &self.holes {
            piece(&self.text[at..*hole]);
            let mut value = Vec::with_capacity(96);
            escaped(&mut value, values.get(*output).map_or(b"", |value| value.as_slice()));
            piece(&value);
            at = *hole;
        }
        piece(&self.text[at..]);
    }

    /// How many bytes it has, with values of that many bytes.
    pub(super) fn len(&self, values: &[Vec<u8>]) -> usize {
        self.text.len() + values.iter().map(|value| value.len() + 2).sum::<usize>()
    }
}

impl Derivation {
    /// Writes the text of the `.drv` file.
    ///
    /// # Errors
    /// [`StorePathError::BadName`] where name and output make no name of a path.
    pub fn to_aterm(&self, dir: &StoreDir) -> Result<Vec<u8>, StorePathError> {
        self.write(dir, &Form::default())
    }

    /// As [`Self::to_aterm`], but without arguments and environment: what a derivation needs and yields.
    ///
    /// # Errors
    /// As [`Self::to_aterm`].
    pub fn outline(&self, dir: &StoreDir) -> Result<Vec<u8>, StorePathError> {
        self.write(dir, &Form { outline: true, ..Form::default() })
    }

    pub(super) fn write(&self, dir: &StoreDir, form: &Form<'_>) -> Result<Vec<u8>, StorePathError> {
        let paths = if form.mask_outputs { Vec::new() } else { self.paths(dir)? };
        let mut out = self.head(dir, &paths, form.inputs);
        if form.outline {
            out.extend_from_slice(b"],[])");
            return Ok(out);
        }
        let arguments = self.arguments.iter().map(Vec::as_slice);
        let variables = self.environment.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        let rest = Rest::of(arguments, variables, &self.outputs, 4096);
        let value = |name: &String| self.environment.get(name.as_bytes()).cloned().unwrap_or_default();
        let values: Vec<Vec<u8>> = match form.mask_outputs {
            true => Vec::new(),
            false => self.outputs.keys().map(value).collect(),
        };
        rest.pieces(&values, |piece| out.extend_from_slice(piece));
        Ok(out)
    }

    /// The paths of the outputs in their order, as far as they are known.
    pub(super) fn paths(&self, dir: &StoreDir) -> Result<Vec<Option<StorePath>>, StorePathError> {
        self.outputs.iter().map(|(name, output)| output.path(dir, &self.name, name)).collect()
    }

    /// The text before the arguments, with the paths of the outputs, of which there may be too few.
    pub(super) fn head(&self, dir: &StoreDir, paths: &[Option<StorePath>], inputs: Option<&str>) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(512 + 96 * (self.input_derivations.len() + self.input_sources.len()));
        out.extend_from_slice(b"Derive([");
        for (n, (name, output)) in self.outputs.iter().enumerate() {
            comma(&mut out, n);
            let (algorithm, hash) = describe(output);
            out.push(b'(');
            plain(&mut out, name);
            out.push(b',');
            match paths.get(n) {
                Some(Some(path)) => full(&mut out, dir, path),
                _ => plain(&mut out, ""),
            }
            out.push(b',');
            plain(&mut out, &algorithm);
            out.push(b',');
            plain(&mut out, &hash);
            out.push(b')');
        }
        out.extend_from_slice(b"],[");
        match inputs {
            Some(inputs) => out.extend_from_slice(inputs.as_bytes()),
            None => self.write_inputs(&mut out, dir),
        }
        out.extend_from_slice(b"],[");
        for (n, path) in self.input_sources.iter().enumerate() {
            comma(&mut out, n);
            full(&mut out, dir, path);
        }
        out.extend_from_slice(b"],");
        escaped(&mut out, &self.system);
        out.push(b',');
        escaped(&mut out, &self.builder);
        out.extend_from_slice(b",[");
        out
    }

    fn write_inputs(&self, out: &mut Vec<u8>, dir: &StoreDir) {
        for (n, (path, outputs)) in self.input_derivations.iter().enumerate() {
            comma(out, n);
            out.push(b'(');
            full(out, dir, path);
            out.extend_from_slice(b",[");
            for (n, output) in outputs.iter().enumerate() {
                comma(out, n);
                plain(out, output);
            }
            out.extend_from_slice(b"])");
        }
    }
}

/// The full path of something in the store, in quotes.
fn full(out: &mut Vec<u8>, dir: &StoreDir, path: &StorePath) {
    for part in ["\"", dir.as_str(), "/", path.base_name(), "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn describe(output: &Output) -> (String, String) {
    let named =
        |method: ContentMethod, algorithm: Algorithm| format!("{}{}", method.prefix(), algorithm.name());
    match &output.kind {
        OutputKind::InputAddressed(_) | OutputKind::Deferred => Default::default(),
        OutputKind::Fixed { method, hash } => (named(*method, hash.algorithm()), hash.base16()),
        OutputKind::Floating { method, algorithm } => (named(*method, *algorithm), String::new()),
        OutputKind::Impure { method, algorithm } => (named(*method, *algorithm), "impure".to_owned()),
    }
}

fn comma(out: &mut Vec<u8>, n: usize) {
    if n > 0 {
        out.push(b',');
    }
}

fn plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = first_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', ESCAPES[usize::from(rest[at])]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that cannot stand for itself. Eight bytes are looked at at once: in each word the lowest
/// marked byte is one that is below the space, a quote or a backslash.
fn first_escape(text: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::MAX / 255;
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & (LOW << 7);
    let (words, _) = text.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(LOW * 0x20) & !word & (LOW << 7);
        let marked = control | zeros(word ^ (LOW * u64::from(b'"'))) | zeros(word ^ (LOW * u64::from(b'\\')));
        if marked != 0 {
            let found = at + (marked.trailing_zeros() / 8) as usize;
            if ESCAPES[usize::from(text[found])] != 0 {
                return Some(found);
            }
            // Another control character: whatever follows in this word is looked at byte by byte.
            if let Some(next) = text[found..at + 8].iter().position(|byte| ESCAPES[usize::from(*byte)] != 0) {
                return Some(found + next);
            }
        }
        at += 8;
    }
    text[at..].iter().position(|byte| ESCAPES[usize::from(*byte)] != 0).map(|rest| at + rest)
}

/// What stands behind a backslash for a byte that cannot stand for itself; 0 for all others.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table
};

/// Reads the text of a `.drv` file; `name` is the file's name in the store without hash and `.drv`.
///
/// # Errors
/// [`DerivationError`] with the byte at which the text stops being a derivation.
pub fn parse(text: &[u8], name: &str, dir: &StoreDir) -> Result<Derivation, DerivationError> {
    let mut reader = Reader { text, at: 0, dir };
    let mut drv = Derivation { name: name.to_owned(), ..Derivation::default() };
    reader.expect("Derive(")?;
    reader.list(|reader| {
        let (name, output) = reader.output()?;
        drv.outputs.insert(name, output);
        Ok(())
    })?;
    reader.expect(",")?;
    reader.list(|reader| {
        reader.expect("(")?;
        let path = reader.path()?;
        reader.expect(",")?;
        let mut outputs = BTreeSet::new();
        reader.list(|reader| {
            outputs.insert(reader.utf8()?.into_owned());
            Ok(())
        })?;
        drv.input_derivations.insert(path, outputs);
        reader.expect(")")
    })?;
    reader.expect(",")?;
    reader.list(|reader| {
        drv.input_sources.insert(reader.path()?);
        Ok(())
    })?;
    reader.expect(",")?;
    drv.system = reader.string()?.into_owned();
    reader.expect(",")?;
    drv.builder = reader.string()?.into_owned();
    reader.expect(",")?;
    reader.list(|reader| {
        drv.arguments.push(reader.string()?.into_owned());
        Ok(())
    })?;
    reader.expect(",")?;
    reader.list(|reader| {
        reader.expect("(")?;
        let name = reader.string()?.into_owned();
        reader.expect(",")?;
        drv.environment.insert(name, reader.string()?.into_owned());
        reader.expect(")")
    })?;
    reader.expect(")")?;
    Ok(drv)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    dir: &'a StoreDir,
}

impl<'a> Reader<'a> {
    fn wrong<T>(&self, expected: &str) -> Result<T, DerivationError> {
        Err(DerivationError { offset: self.at, expected: expected.to_owned() })
    }

    fn expect(&mut self, word: &str) -> Result<(), DerivationError> {
        if self.skip(word) { Ok(()) } else { self.wrong(&format!("`{word}`")) }
    }

    /// Goes on behind a word, if it is here.
    fn skip(&mut self, word: &str) -> bool {
        let is_here = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if is_here {
            self.at += word.len();
        }
        is_here
    }

    fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), DerivationError>,
    ) -> Result<(), DerivationError> {
        self.expect("[")?;
        if self.skip("]") {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.skip("]") {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    /// A string, as it stands in the text where nothing in it is escaped.
    fn string(&mut self) -> Result<Cow<'a, [u8]>, DerivationError> {
        self.expect("\"")?;
        let mut out = Vec::new();
        loop {
            // What stands for itself is taken together.
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                self.at = self.text.len();
                return self.wrong("a closing quote");
            };
            self.at += length + 1;
            if rest[length] == b'"' && out.is_empty() {
                return Ok(Cow::Borrowed(&rest[..length]));
            }
            out.extend_from_slice(&rest[..length]);
            match rest[length] {
                b'"' => return Ok(Cow::Owned(out)),
                _ => {
                    let Some(next) = self.text.get(self.at).copied() else {
                        return self.wrong("an escaped letter");
                    };
                    self.at += 1;
                    out.push(match next {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => other,
                    });
                }
            }
        }
    }

    fn utf8(&mut self) -> Result<Cow<'a, str>, DerivationError> {
        let text = match self.string()? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        text.map_or_else(|| self.wrong("UTF-8"), Ok)
    }

    fn path(&mut self) -> Result<StorePath, DerivationError> {
        let text = self.utf8()?;
        self.dir.parse(&text).or_else(|_| self.wrong("a store path"))
    }

    fn output(&mut self) -> Result<(String, Output), DerivationError> {
        self.expect("(")?;
        let name = self.utf8()?;
        self.expect(",")?;
        let path = self.utf8()?;
        self.expect(",")?;
        let algorithm = self.utf8()?;
        self.expect(",")?;
        let hash = self.utf8()?;
        self.expect(")")?;
        let output = Output::from_words([&path, &algorithm, &hash], self.dir);
        Ok((name.into_owned(), output.or_else(|expected| self.wrong(expected))?))
    }
}

impl Output {
    /// The three words that stand for an output in a derivation: its path, its method with its algorithm, its hash.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn words(&self, dir: &StoreDir, drv_name: &str, name: &str) -> Result<[String; 3], StorePathError> {
        let path = self.path(dir, drv_name, name)?.map(|path| dir.print(&path)).unwrap_or_default();
        let (algorithm, hash) = describe(self);
        Ok([path, algorithm, hash])
    }

    /// Reads what [`Self::words`] gives.
    ///
    /// # Errors
    /// What was expected.
    pub fn from_words(words: [&str; 3], dir: &StoreDir) -> Result<Self, &'static str> {
        let kind = match words {
            ["", "", ""] => OutputKind::Deferred,
            [path, "", ""] => {
                OutputKind::InputAddressed(dir.parse(path).map_err(|_| "an output's store path")?)
            }
            [_, described, hash] => content_addressed(described, hash)?,
        };
        Ok(Self { kind })
    }
}

fn content_addressed(described: &str, hash: &str) -> Result<OutputKind, &'static str> {
    let methods = [ContentMethod::Recursive, ContentMethod::Text, ContentMethod::Git];
    let with_prefix = methods.into_iter().find_map(|m| Some((m, described.strip_prefix(m.prefix())?)));
    let (method, name) = with_prefix.unwrap_or((ContentMethod::Flat, described));
    let algorithm = Algorithm::from_name(name).ok_or("a hash algorithm")?;
    Ok(match hash {
        "" => OutputKind::Floating { method, algorithm },
        "impure" => OutputKind::Impure { method, algorithm },
        digits => {
            OutputKind::Fixed { method, hash: Hash::parse(digits, Some(algorithm)).map_err(|_| "a hash")? }
        }
    })
}
