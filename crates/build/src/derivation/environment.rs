//! The environment that a builder starts with, and the files that stand in its folder.

use super::options::Wishes;
use super::structured::Structured;
use super::{output_placeholder, rewrite};
use crate::build_error::BuildError;
use nival_store::LocalStore;
use nival_store_model::{Derivation, Hash, StorePath};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a builder starts with.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// Its environment.
    pub environment: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Files of its folder: name and contents.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its arguments, the name in front.
    pub arguments: Vec<Vec<u8>>,
}

/// What [`prepare`] is told of the build.
pub struct Place<'a> {
    /// The store.
    pub store: &'a LocalStore,
    /// The builder's folder, as the builder sees it.
    pub folder: &'a str,
    /// How many processors it may use.
    pub cores: usize,
    /// The closure of its inputs.
    pub inputs: &'a BTreeSet<StorePath>,
    /// What is replaced in texts, such as placeholders of outputs.
    pub rewrites: &'a [(Vec<u8>, Vec<u8>)],
    /// What variables of the caller's environment a fixed output's builder may be given.
    pub caller: &'a BTreeMap<String, String>,
    /// Whether the builder may use the network.
    pub is_fixed: bool,
}

/// Makes the environment of a derivation's builder.
///
/// # Errors
/// [`BuildError::Malformed`] where it asks for closures that are no inputs; what the store says.
pub fn prepare(
    derivation: &Derivation,
    wishes: &Wishes,
    structured: Option<Structured>,
    place: &Place<'_>,
) -> Result<Prepared, BuildError> {
    let mut prepared = Prepared::default();
    let folder = place.folder;
    let mut set = |name: &str, value: &str| {
        prepared.environment.insert(name.as_bytes().to_vec(), value.as_bytes().to_vec());
    };
    set("PATH", "/path-not-set");
    set("HOME", "/homeless-shelter");
    set("NIX_STORE", place.store.dir().as_str());
    set("NIX_BUILD_CORES", &place.cores.to_string());
    match structured {
        Some(structured) => with_structure(&mut prepared, derivation, wishes, structured, place)?,
        None => plain(&mut prepared, derivation, wishes, place)?,
    }
    let mut set = |name: &str, value: &str| {
        prepared.environment.insert(name.as_bytes().to_vec(), value.as_bytes().to_vec());
    };
    for name in ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"] {
        set(name, folder);
    }
    if derivation.is_fixed() {
        set("NIX_OUTPUT_CHECKED", "1");
    }
    if place.is_fixed {
        for name in &wishes.impure_variables {
            set(name, place.caller.get(name).map_or("", String::as_str));
        }
    }
    set("NIX_LOG_FD", "2");
    set("TERM", "xterm-256color");
    for value in prepared.environment.values_mut().chain(prepared.files.values_mut()) {
        *value = rewrite(value, place.rewrites);
    }
    let name = derivation.builder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    prepared.arguments.push(name.to_vec());
    prepared.arguments.extend(derivation.arguments.iter().map(|argument| rewrite(argument, place.rewrites)));
    Ok(prepared)
}

fn plain(
    prepared: &mut Prepared,
    derivation: &Derivation,
    wishes: &Wishes,
    place: &Place<'_>,
) -> Result<(), BuildError> {
    for (name, value) in &derivation.environment {
        let text = String::from_utf8_lossy(name);
        if wishes.pass_as_file.contains(&*text) {
            let file = format!(".attr-{}", Hash::sha256(name).base32());
            prepared
                .environment
                .insert(format!("{text}Path").into_bytes(), format!("{}/{file}", place.folder).into_bytes());
            prepared.files.insert(file, value.clone());
        } else {
            prepared.environment.insert(name.clone(), value.clone());
        }
    }
    for (file, starts) in &wishes.export_references {
        let paths = exported(derivation, starts, place)?;
        let text = validity_registration(place.store, &paths, false, false)?;
        prepared.files.insert(file.clone(), text.into_bytes());
    }
    Ok(())
}

fn with_structure(
    prepared: &mut Prepared,
    derivation: &Derivation,
    wishes: &Wishes,
    mut structured: Structured,
    place: &Place<'_>,
) -> Result<(), BuildError> {
    let outputs: BTreeMap<&String, String> =
        derivation.outputs.keys().map(|output| (output, output_placeholder(output))).collect();
    structured.set("outputs", &json!(outputs));
    for (name, starts) in &wishes.export_references {
        let paths = exported(derivation, starts, place)?;
        structured.set(name, &described(place.store, &paths)?);
    }
    for (variable, file, text) in [
        ("NIX_ATTRS_SH_FILE", ".attrs.sh", structured.shell()),
        ("NIX_ATTRS_JSON_FILE", ".attrs.json", structured.json()),
    ] {
        prepared
            .environment
            .insert(variable.as_bytes().to_vec(), format!("{}/{file}", place.folder).into_bytes());
        prepared.files.insert(file.to_owned(), text.into_bytes());
    }
    Ok(())
}

/// The closures of paths that are inputs, and of what their derivations make.
fn exported(
    derivation: &Derivation,
    starts: &BTreeSet<String>,
    place: &Place<'_>,
) -> Result<BTreeSet<StorePath>, BuildError> {
    let dir = place.store.dir();
    let mut found = Vec::new();
    for text in starts {
        let path = dir.parse_prefix(text).map(|(path, _)| path);
        match path {
            Ok(path) if place.inputs.contains(&path) => found.push(path),
            _ => {
                let problem = format!("`exportReferencesGraph` names what is no input: `{text}`");
                return Err(BuildError::Malformed { drv: derivation.name.clone(), problem });
            }
        }
    }
    let mut paths: BTreeSet<StorePath> = place.store.closure(&found)?.into_iter().collect();
    let mut made = Vec::new();
    for path in paths.iter().filter(|path| path.is_derivation()) {
        made.extend(place.store.outputs_of(path)?.into_values().flatten());
    }
    paths.extend(place.store.closure(&made)?);
    Ok(paths)
}

/// What `nix-store --load-db` reads: each path with its deriver and references, and with hash and size where wanted.
///
/// # Errors
/// What the store says.
pub fn validity_registration(
    store: &LocalStore,
    paths: &BTreeSet<StorePath>,
    with_derivers: bool,
    with_hashes: bool,
) -> Result<String, nival_store::Error> {
    let dir = store.dir();
    let mut text = String::new();
    for path in paths {
        let Some(info) = store.info(path)? else { continue };
        text.push_str(&format!("{}\n", dir.print(path)));
        if with_hashes {
            text.push_str(&format!("{}\n{}\n", info.nar_hash.base16(), info.nar_size));
        }
        let deriver = info.deriver.filter(|_| with_derivers);
        text.push_str(&format!(
            "{}\n{}\n",
            deriver.map(|d| dir.print(&d)).unwrap_or_default(),
            info.references.len()
        ));
        for reference in &info.references {
            text.push_str(&format!("{}\n", dir.print(reference)));
        }
    }
    Ok(text)
}

fn described(store: &LocalStore, paths: &BTreeSet<StorePath>) -> Result<Value, BuildError> {
    let dir = store.dir();
    let mut all = Vec::new();
    for path in paths {
        let Some(info) = store.info(path)? else { continue };
        let mut closure_size = 0;
        for inner in store.closure(std::slice::from_ref(path))? {
            closure_size += store.info(&inner)?.map_or(0, |info| info.nar_size);
        }
        let references: Vec<String> = info.references.iter().map(|path| dir.print(path)).collect();
        let mut one = serde_json::Map::new();
        if let Some(address) = &info.content_address {
            one.insert("ca".to_owned(), json!(address.to_string()));
        }
        one.insert("closureSize".to_owned(), json!(closure_size));
        one.insert("narHash".to_owned(), json!(info.nar_hash.prefixed_base32()));
        one.insert("narSize".to_owned(), json!(info.nar_size));
        one.insert("path".to_owned(), json!(dir.print(path)));
        one.insert("references".to_owned(), json!(references));
        one.insert("valid".to_owned(), json!(true));
        all.push(Value::Object(one));
    }
    Ok(Value::Array(all))
}
