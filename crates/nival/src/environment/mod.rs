//! Environments: profiles of packages that a user installed.

mod manifest;
mod place;

pub use manifest::{Element, Manifest, Source, USUAL_PRIORITY};
pub use place::default_profile;

use crate::context::Context;
use crate::diagnostics::clash;
use crate::error::Error;
use nival_build::{Package, link_packages};
use nival_diagnostics::Diagnostic;
use nival_engine::Expression;
use nival_store::{Generation, LocalStore, PathInfo, Profile, archive, canonicalise};
use nival_store_model::store_path::References;
use nival_store_model::{ContentAddress, StorePath};
use nival_sys::fs as sys;
use std::path::{Path, PathBuf};

/// What an environment has beside links to packages.
pub enum Extra<'a> {
    /// A file.
    Text(&'a [u8]),
    /// A link.
    Link(&'a str),
}

/// The error of something that cannot be done with a profile's files.
pub fn failed(doing: &str) -> impl Fn(std::io::Error) -> Error + use<> {
    let doing = doing.to_owned();
    move |error| nival_store::Error::Io { doing: doing.clone(), error }.into()
}

/// A folder of the store with links to what packages bring and one more file, by the contents of which it is named.
/// Where two packages bring the same file, what is to be done is left to the caller as help.
pub fn build(
    store: &LocalStore,
    name: &str,
    packages: Vec<Package>,
    file: (&str, Extra<'_>),
    references: &[StorePath],
) -> Result<StorePath, Error> {
    let staged = store.staging(name);
    let failed = failed("put the environment together");
    sys::remove_tree(&staged).map_err(&failed)?;
    sys::create_dir(&staged).map_err(&failed)?;
    let physical = |path: &str| physical(store, path);
    link_packages(&staged, packages, &physical, &mut |_| {}).map_err(clash)?;
    let place = staged.join(file.0);
    match file.1 {
        Extra::Text(text) => sys::write_new(&place, text, 0o444).map_err(&failed)?,
        Extra::Link(target) => sys::symlink(Path::new(target), &place).map_err(&failed)?,
    }
    canonicalise(&staged)?;
    let (nar_hash, nar_size) = archive::hash(&staged, None)?;
    let mut others = references.to_vec();
    others.sort();
    others.dedup();
    let address = ContentAddress::recursive(nar_hash.clone());
    let found = address.path(store.dir(), name, &References { others: others.clone(), to_self: false });
    let path = found.map_err(nival_store::Error::Name)?;
    if store.is_valid(&path)? {
        sys::remove_tree(&staged).map_err(&failed)?;
        return Ok(path);
    }
    let mut info = PathInfo::new(path.clone(), nar_hash, nar_size);
    info.references = others;
    info.content_address = Some(address);
    store.adopt_as(&staged, &info)?;
    Ok(path)
}

fn clash(text: String) -> Error {
    let help = "remove one of them, or give one a priority: the lower number wins";
    Error::plain(Diagnostic::error(&clash::ENTRY, text).help(help))
}

/// Where a path of the store lies on the disk; others are themselves.
pub fn physical(store: &LocalStore, path: &str) -> PathBuf {
    match store.dir().parse_prefix(path) {
        Ok((found, "")) => store.physical(&found),
        Ok((found, rest)) => store.physical(&found).join(rest.trim_start_matches('/')),
        Err(_) => PathBuf::from(path),
    }
}

/// The folder of the store that a generation or a profile leads to.
pub fn target(context: &mut Context, link: &Path) -> Result<Option<StorePath>, Error> {
    let store = context.store()?;
    if link.symlink_metadata().is_err() {
        return Ok(None);
    }
    let text = link.to_string_lossy().into_owned();
    Ok(Some(crate::stores::path_of(store.dir(), &text)?.0))
}

/// What `nix-env` installed into a generation: names, and the paths of the outputs that are installed.
pub fn of_nix_env(context: &mut Context, folder: &Path) -> Result<Vec<Element>, Error> {
    let store = context.store()?;
    let link = folder.join("manifest.nix");
    let place = link.read_link().map_or(link.clone(), |to| physical(&store, &to.to_string_lossy()));
    let text = std::fs::read_to_string(&place)
        .map_err(crate::stores::unreadable(&format!("`{}`", place.display())))?;
    let mut session = context.session()?;
    let found = session.evaluate(&Expression::Text(text, "/".to_owned())).and_then(|value| {
        let ev = session.evaluator();
        let mut paths = Vec::new();
        for package in ev.expect_list(value)? {
            let path = ev.select(package, "outPath")?;
            paths.push(ev.expect_string(path)?);
        }
        Ok(paths)
    });
    let paths = found.map_err(|error| context.failed(&session, &error))?;
    let element = |path: &String| {
        let path = store.dir().parse(path).map_err(nival_store::Error::Name)?;
        Ok(Element { paths: [path].into(), source: None, active: true, priority: USUAL_PRIORITY })
    };
    paths.iter().map(element).collect()
}

/// Lets a profile lead to a new generation; where the newest one is the same, to that one.
pub fn set(store: &LocalStore, profile: &Profile, path: &StorePath) -> Result<Generation, Error> {
    Ok(profile.set(store, path)?)
}
