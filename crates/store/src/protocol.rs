//! What both of Nix's protocols say of derivations, paths and builds, as it is written and read.

use crate::PathInfo;
use crate::database::Realisation;
use crate::wire::{ReadWire as _, WriteWire as _};
use nival_store_model::derivation::Output;
use nival_store_model::{Algorithm, Derivation, Hash, StoreDir, StorePath};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// How a build ended, by the number that the protocols have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum BuildStatus {
    /// It was built.
    Built = 0,
    /// It was brought from a cache.
    Substituted = 1,
    /// It was there.
    AlreadyValid = 2,
    /// The builder failed.
    Failed = 3,
    /// The derivation is none that can be built.
    InputRejected = 4,
    /// What was made is not what was promised.
    OutputRejected = 5,
    /// It may work another time.
    Transient = 6,
    /// It took too long.
    TimedOut = 8,
    /// Something else went wrong.
    Other = 9,
    /// Something that it needs failed.
    DependencyFailed = 10,
    /// It said too much.
    LogLimit = 11,
    /// It is another one each time.
    NotDeterministic = 12,
    /// Its inputs turned out to be those of one that is there.
    ResolvesToAlreadyValid = 13,
    /// No cache has it.
    NoSubstituters = 14,
}

impl BuildStatus {
    const ALL: [Self; 14] = [
        Self::Built,
        Self::Substituted,
        Self::AlreadyValid,
        Self::Failed,
        Self::InputRejected,
        Self::OutputRejected,
        Self::Transient,
        Self::TimedOut,
        Self::Other,
        Self::DependencyFailed,
        Self::LogLimit,
        Self::NotDeterministic,
        Self::ResolvesToAlreadyValid,
        Self::NoSubstituters,
    ];

    /// The status of a number; one that is not known is some failure.
    fn of(number: u64) -> Self {
        Self::ALL.into_iter().find(|status| *status as u64 == number).unwrap_or(Self::Other)
    }

    /// Whether the outputs are there.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Built | Self::Substituted | Self::AlreadyValid | Self::ResolvesToAlreadyValid)
    }
}

/// What became of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildResult {
    /// How it ended.
    pub status: BuildStatus,
    /// Why it failed.
    pub message: String,
    /// The outputs, where it did not.
    pub outputs: Vec<Realisation>,
}

impl BuildResult {
    /// The outputs' paths by their names.
    pub fn paths(&self) -> BTreeMap<String, StorePath> {
        self.outputs.iter().map(|one| (one.output.clone(), one.path.clone())).collect()
    }

    /// One that failed.
    pub fn failed(status: BuildStatus, message: String) -> Self {
        Self { status, message, outputs: Vec::new() }
    }
}

fn wrong(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

pub(crate) fn put_path(out: &mut dyn Write, dir: &StoreDir, path: Option<&StorePath>) -> io::Result<()> {
    out.put_text(&path.map_or_else(String::new, |path| dir.print(path)))
}

pub(crate) fn put_paths<'a>(
    out: &mut dyn Write,
    dir: &StoreDir,
    paths: impl IntoIterator<Item = &'a StorePath>,
) -> io::Result<()> {
    let printed: Vec<String> = paths.into_iter().map(|path| dir.print(path)).collect();
    out.put(printed.len() as u64)?;
    printed.iter().try_for_each(|path| out.put_text(path))
}

pub(crate) fn read_path(mut from: impl Read, dir: &StoreDir) -> io::Result<StorePath> {
    let text = from.text()?;
    dir.parse(&text).map_err(|error| wrong(error.to_string()))
}

pub(crate) fn read_paths(mut from: impl Read, dir: &StoreDir) -> io::Result<Vec<StorePath>> {
    let texts = from.texts()?;
    let paths = texts.iter().map(|text| dir.parse(text).map_err(|error| wrong(error.to_string())));
    paths.collect()
}

/// Writes what is known of a path, behind its name.
pub(crate) fn put_info(mut out: &mut dyn Write, dir: &StoreDir, info: &PathInfo) -> io::Result<()> {
    put_path(out, dir, info.deriver.as_ref())?;
    out.put_text(&info.nar_hash.base16())?;
    put_paths(out, dir, &info.references)?;
    out.put(info.registered.cast_unsigned())?;
    out.put(info.nar_size)?;
    out.put(u64::from(info.ultimate))?;
    (&mut out).put_texts(info.signatures.iter().map(String::as_str))?;
    out.put_text(&info.content_address.as_ref().map(ToString::to_string).unwrap_or_default())
}

/// Reads what [`put_info`] writes.
pub(crate) fn read_info(mut from: impl Read, dir: &StoreDir, path: StorePath) -> io::Result<PathInfo> {
    let deriver = known(&from.text()?, |text| dir.parse(text))?;
    let hash =
        Hash::parse(&from.text()?, Some(Algorithm::Sha256)).map_err(|error| wrong(error.to_string()))?;
    let mut info = PathInfo { deriver, ..PathInfo::new(path, hash, 0) };
    info.references = read_paths(&mut from, dir)?;
    info.references.sort();
    info.registered = from.number()?.cast_signed();
    info.nar_size = from.number()?;
    info.ultimate = from.flag()?;
    info.signatures = from.texts()?.into_iter().collect();
    info.content_address = known(&from.text()?, str::parse)?;
    Ok(info)
}

/// Reads something that is an empty text where it is not known.
pub(crate) fn known<T, E: ToString>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> io::Result<Option<T>> {
    (!text.is_empty()).then(|| parse(text).map_err(|error| wrong(error.to_string()))).transpose()
}

/// Writes a derivation whose inputs are paths alone.
pub(crate) fn put_derivation(out: &mut dyn Write, dir: &StoreDir, derivation: &Derivation) -> io::Result<()> {
    out.put(derivation.outputs.len() as u64)?;
    for (name, output) in &derivation.outputs {
        out.put_text(name)?;
        let words = output.words(dir, &derivation.name, name).map_err(|error| wrong(error.to_string()))?;
        words.iter().try_for_each(|word| out.put_text(word))?;
    }
    put_paths(out, dir, &derivation.input_sources)?;
    out.put_bytes(&derivation.system)?;
    out.put_bytes(&derivation.builder)?;
    out.put(derivation.arguments.len() as u64)?;
    derivation.arguments.iter().try_for_each(|argument| out.put_bytes(argument))?;
    out.put(derivation.environment.len() as u64)?;
    for (name, value) in &derivation.environment {
        out.put_bytes(name)?;
        out.put_bytes(value)?;
    }
    Ok(())
}

/// Reads what [`put_derivation`] writes.
pub(crate) fn read_derivation(mut from: impl Read, dir: &StoreDir, name: &str) -> io::Result<Derivation> {
    let mut derivation = Derivation { name: name.to_owned(), ..Derivation::default() };
    for _ in 0..from.number()? {
        let name = from.text()?;
        let words = [from.text()?, from.text()?, from.text()?];
        let output = Output::from_words(words.each_ref().map(String::as_str), dir);
        let output = output.map_err(|expected| wrong(format!("expected {expected}")))?;
        derivation.outputs.insert(name, output);
    }
    derivation.input_sources = read_paths(&mut from, dir)?.into_iter().collect();
    derivation.system = from.raw()?;
    derivation.builder = from.raw()?;
    for _ in 0..from.number()? {
        derivation.arguments.push(from.raw()?);
    }
    for _ in 0..from.number()? {
        let name = from.raw()?;
        derivation.environment.insert(name, from.raw()?);
    }
    Ok(derivation)
}

/// Which things of a result a protocol has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResultForm {
    /// How long the processor was used.
    pub(crate) has_times: bool,
}

/// Writes what became of a build.
pub(crate) fn put_result(out: &mut dyn Write, form: ResultForm, result: &BuildResult) -> io::Result<()> {
    out.put(result.status as u64)?;
    out.put_text(&result.message)?;
    // How often it was built, whether it differed, when it began and ended.
    for number in [1, u64::from(result.status == BuildStatus::NotDeterministic), 0, 0] {
        out.put(number)?;
    }
    if form.has_times {
        out.put(0)?;
        out.put(0)?;
    }
    out.put(result.outputs.len() as u64)?;
    for realisation in &result.outputs {
        out.put_text(&output_id(realisation))?;
        out.put_text(&realisation_text(realisation))?;
    }
    Ok(())
}

/// Reads what [`put_result`] writes.
pub(crate) fn read_result(mut from: impl Read, form: ResultForm) -> io::Result<BuildResult> {
    let status = BuildStatus::of(from.number()?);
    let message = from.text()?;
    for _ in 0..4 {
        from.number()?;
    }
    for _ in 0..if form.has_times { 2 } else { 0 } {
        if from.flag()? {
            from.number()?;
        }
    }
    let mut outputs = Vec::new();
    for _ in 0..from.number()? {
        from.text()?;
        outputs.push(read_realisation(&from.text()?)?);
    }
    Ok(BuildResult { status, message, outputs })
}

/// The text that names an output of a derivation: `sha256:DIGITS!out`.
pub(crate) fn output_id(realisation: &Realisation) -> String {
    format!("{}!{}", realisation.derivation.prefixed_base16(), realisation.output)
}

/// Takes what [`output_id`] gives apart.
pub(crate) fn parse_output_id(text: &str) -> io::Result<(Hash, String)> {
    let (hash, output) = text.split_once('!').ok_or_else(|| wrong("no name of an output"))?;
    let hash = Hash::parse(hash, None).map_err(|error| wrong(error.to_string()))?;
    Ok((hash, output.to_owned()))
}

/// A realisation in the form of the protocols, which is JSON.
pub(crate) fn realisation_text(realisation: &Realisation) -> String {
    json!({
        "dependentRealisations": {},
        "id": output_id(realisation),
        "outPath": realisation.path.base_name(),
        "signatures": realisation.signatures,
    })
    .to_string()
}

/// Reads what [`realisation_text`] gives.
pub(crate) fn read_realisation(text: &str) -> io::Result<Realisation> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(io::Error::from)?;
    let (derivation, output) = parse_output_id(json["id"].as_str().unwrap_or_default())?;
    let path = json["outPath"].as_str().unwrap_or_default();
    let path = path.rsplit('/').next().unwrap_or_default();
    let path = StorePath::parse(path).map_err(|error| wrong(error.to_string()))?;
    let signatures = json["signatures"].as_array().into_iter().flatten();
    let signatures = signatures.filter_map(|one| one.as_str().map(str::to_owned)).collect();
    Ok(Realisation { derivation, output, path, signatures })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivations_and_results_come_back() {
        let dir = StoreDir::new("/nix/store");
        let text = r#"Derive([("dev","","r:sha256",""),("out","/nix/store/11111111111111111111111111111111-a","","")],[],["/nix/store/22222222222222222222222222222222-s"],"x86_64-linux","/bin/sh",["-c","echo"],[("a","b\n")])"#;
        let drv = nival_store_model::derivation::parse(text.as_bytes(), "a", &dir).unwrap();
        let mut bytes = Vec::new();
        put_derivation(&mut bytes, &dir, &drv).unwrap();
        assert_eq!(read_derivation(bytes.as_slice(), &dir, "a").unwrap(), drv);
        for end in 0..bytes.len() {
            assert!(read_derivation(&bytes[..end], &dir, "a").is_err());
        }
        let realisation = Realisation {
            derivation: Hash::sha256(b"x"),
            output: "out".to_owned(),
            path: StorePath::parse("11111111111111111111111111111111-a").unwrap(),
            signatures: ["key:sig".to_owned()].into(),
        };
        let result =
            BuildResult { status: BuildStatus::Built, message: String::new(), outputs: vec![realisation] };
        for has_times in [false, true] {
            let form = ResultForm { has_times };
            let mut bytes = Vec::new();
            put_result(&mut bytes, form, &result).unwrap();
            assert_eq!(read_result(bytes.as_slice(), form).unwrap(), result);
        }
        assert_eq!(result.paths().len(), 1);
    }
}
