//! Changing what a profile holds.

use super::elements::{Element, Known, quoted};
use super::names::{Selector, compare};
use super::{Call, refused};
use crate::building;
use crate::commands::store::name_and_version;
use crate::environment::{self, Extra};
use crate::error::Error;
use nival_build::{Package, Request, Wanted};
use nival_store_model::StorePath;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// The priority of a package that says none.
const USUAL_PRIORITY: i64 = 5;

/// Installs packages.
pub(super) fn install(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let mut new = call.wanted(true)?;
    new = prebuilt(call, new)?;
    if let Some(priority) = call.arguments.priority {
        for element in &mut new {
            element.meta.insert("priority".to_owned(), quoted(&priority.to_string()));
        }
    }
    let names: BTreeSet<_> = new.iter().map(|element| name_and_version(&element.name).0).collect();
    let _lock = call.profile.lock()?;
    let mut all = new.clone();
    if !call.arguments.remove_all {
        let link = call.profile.link().to_owned();
        for old in call.installed(&link)? {
            let is_replaced = names.contains(&name_and_version(&old.name).0);
            if is_replaced && !call.arguments.attr_path && !is_kept(call, &old)? {
                call.context.output.say(&format!("replacing old '{}'", old.name));
            } else {
                all.push(old);
            }
        }
    }
    for element in &new {
        call.context.output.say(&format!("installing '{}'", element.name));
    }
    replace(call, all)
}

fn is_kept(call: &mut Call<'_>, element: &Element) -> Result<bool, Error> {
    let keep = call.meta(element, "keep")?;
    Ok(keep.is_some_and(|keep| keep == "true" || keep == "\"true\""))
}

/// Those that need not be built, where only these are wanted.
pub(super) fn prebuilt(call: &mut Call<'_>, all: Vec<Element>) -> Result<Vec<Element>, Error> {
    if !call.arguments.prebuilt_only {
        return Ok(all);
    }
    let mut some = Vec::new();
    for mut element in all {
        let known = call.known(&mut element)?;
        if call.context.store()?.is_valid(&known.out)? || is_offered(call, &known.out)? {
            some.push(element);
        }
    }
    Ok(some)
}

/// Whether a cache has a path, signed or not; only those are asked that want to be asked for much.
pub(super) fn is_offered(call: &mut Call<'_>, path: &StorePath) -> Result<bool, Error> {
    if call.caches.is_none() {
        let settings = call.arguments.evaluation.settings();
        let settings = settings.map_err(|error| Error::plain(error.diagnostic()))?;
        call.caches = Some(call.context.caches(&settings)?);
    }
    let stores = call.caches.iter().flat_map(|caches| caches.substituters().stores());
    for store in stores.filter(|store| store.wants_mass_query()) {
        if store.info(path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes packages.
pub(super) fn uninstall(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let _lock = call.profile.lock()?;
    let link = call.profile.link().to_owned();
    let mut kept = Vec::new();
    let selectors = call.arguments.words.iter().map(|word| Selector::parse(word));
    let selectors = selectors.collect::<Result<Vec<_>, _>>()?;
    let mut hits = vec![0; selectors.len()];
    let dir = call.context.store()?.dir().clone();
    let named = |text: &str| {
        let found = crate::stores::path_of(&dir, text).ok().filter(|_| text.contains('/'));
        found.map(|(path, _)| path)
    };
    let paths: Vec<_> = selectors.iter().map(|selector| named(&selector.text)).collect();
    for mut element in call.installed(&link)? {
        let out = call.known(&mut element)?.out;
        let fits = |(selector, path): (&Selector, &Option<StorePath>)| match path {
            Some(path) => *path == out,
            None => selector.matches(&element.name),
        };
        match selectors.iter().zip(&paths).position(fits) {
            Some(at) => {
                hits[at] += 1;
                call.context.output.say(&format!("uninstalling '{}'", element.name));
            }
            None => kept.push(element),
        }
    }
    for (selector, _) in selectors.iter().zip(&hits).filter(|(_, hits)| **hits == 0) {
        call.context
            .output
            .say(&format!("warning: selector '{}' matched no installed derivations", selector.text));
    }
    replace(call, kept)
}

/// Replaces packages by newer ones.
pub(super) fn upgrade(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let _lock = call.profile.lock()?;
    let link = call.profile.link().to_owned();
    let installed = call.installed(&link)?;
    let available = call.wanted(false)?;
    let available = prebuilt(call, available)?;
    let wishes = &call.arguments.upgrade;
    let accepts = |order: Ordering| match order {
        _ if wishes.always => true,
        Ordering::Equal => wishes.leq || wishes.eq,
        Ordering::Less => !wishes.eq,
        Ordering::Greater => false,
    };
    let mut all = Vec::new();
    for mut old in installed {
        let (name, version) = name_and_version(&old.name);
        let mut best: Option<Element> = None;
        if !is_kept(call, &old)? {
            for new in &available {
                let (new_name, new_version) = name_and_version(&new.name);
                if new_name != name || !accepts(compare(&version, &new_version)) {
                    continue;
                }
                if call.priority(new)? > call.priority(&old)? {
                    continue;
                }
                let is_better = best.as_ref().is_none_or(|best| {
                    compare(&name_and_version(&best.name).1, &new_version) == Ordering::Less
                });
                if is_better {
                    best = Some(new.clone());
                }
            }
        }
        if let Some(mut new) = best
            && call.known(&mut new)?.out != call.known(&mut old)?.out
        {
            let is_newer = compare(&version, &name_and_version(&new.name).1) != Ordering::Greater;
            let what = if is_newer { "upgrading" } else { "downgrading" };
            call.context.output.say(&format!("{what} '{}' to '{}'", old.name, new.name));
            all.push(new);
        } else {
            all.push(old);
        }
    }
    replace(call, all)
}

/// Changes a flag of packages.
pub(super) fn set_flag(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let [flag, value, words @ ..] = call.arguments.words.as_slice() else {
        return Err(refused("not enough arguments to '--set-flag'"));
    };
    let _lock = call.profile.lock()?;
    let selectors = words.iter().map(|word| Selector::parse(word)).collect::<Result<Vec<_>, _>>()?;
    let link = call.profile.link().to_owned();
    let mut all = call.installed(&link)?;
    let mut found = BTreeSet::new();
    for element in &mut all {
        if let Some(selector) = selectors.iter().find(|selector| selector.matches(&element.name)) {
            call.context.output.say(&format!("setting flag on '{}'", element.name));
            element.meta.insert(flag.clone(), quoted(value));
            found.insert(selector.text.clone());
        }
    }
    if let Some(unused) = selectors.iter().find(|selector| !found.contains(&selector.text)) {
        return Err(refused(format!("selector '{}' matches no derivations", unused.text)));
    }
    replace(call, all)
}

/// Lets the profile hold one package and nothing else.
pub(super) fn set(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let mut wanted = call.wanted(true)?;
    let [element] = wanted.as_mut_slice() else {
        return Err(refused("--set requires exactly one derivation"));
    };
    let known = call.known(element)?;
    let code = realise(call, std::slice::from_ref(&known))?;
    if code != ExitCode::SUCCESS || call.arguments.building.dry_run {
        return Ok(code);
    }
    let _lock = call.profile.lock()?;
    environment::set(&*call.context.store()?, &call.profile, &known.out)?;
    Ok(code)
}

/// Builds or brings what packages give.
fn realise(call: &mut Call<'_>, all: &[Known]) -> Result<ExitCode, Error> {
    let request = |known: &Known| match &known.drv {
        Some(drv) => Request::Outputs(drv.clone(), Wanted::All),
        None => Request::Path(known.out.clone()),
    };
    let store = call.context.store()?;
    let mut requests = Vec::new();
    for known in all {
        let mut is_there = known.drv.as_ref().is_none_or(|drv| !store.is_valid(drv).unwrap_or(false));
        for (_, path) in &known.outputs {
            store.temp_root(path)?;
            is_there &= store.is_valid(path)?;
        }
        if !is_there {
            requests.push(request(known));
        }
    }
    let building = &call.arguments.building;
    let (_, code) =
        building::build(call.context, call.session.builds(), &call.progress, &requests, building)?;
    Ok(code)
}

/// Lets the profile hold these packages.
fn replace(call: &mut Call<'_>, mut all: Vec<Element>) -> Result<ExitCode, Error> {
    let known = all.iter_mut().map(|element| call.known(element)).collect::<Result<Vec<_>, _>>()?;
    let code = realise(call, &known)?;
    if code != ExitCode::SUCCESS || call.arguments.building.dry_run {
        return Ok(code);
    }
    let store = call.context.store()?;
    let mut references: Vec<StorePath> = Vec::new();
    let mut packages = Vec::new();
    let mut manifest = String::from("[ ");
    for (element, known) in all.iter().zip(&known) {
        manifest.push_str(&written(element, known, &|path| store.dir().print(path)));
        manifest.push(' ');
        let flag = |name: &str| element.meta.get(name).map(|text| text.trim_matches('"'));
        let active = flag("active") != Some("false");
        let priority = flag("priority").and_then(|text| text.parse().ok()).unwrap_or(USUAL_PRIORITY);
        for (_, path) in &known.outputs {
            references.push(path.clone());
            packages.push(Package { path: store.dir().print(path), active, priority });
        }
    }
    manifest.push(']');
    references.sort();
    references.dedup();
    let file = store.add_text("env-manifest.nix", manifest.as_bytes(), &references)?;
    let target = store.dir().print(&file);
    references.push(file);
    let extra = ("manifest.nix", Extra::Link(&target));
    let path = environment::build(&store, "user-environment", packages, extra, &references)?;
    environment::set(&store, &call.profile, &path)?;
    Ok(code)
}

/// A package as the manifest has it; names come in the order of the language's sets.
fn written(element: &Element, known: &Known, print: &dyn Fn(&StorePath) -> String) -> String {
    let mut fields = vec![
        ("name".to_owned(), quoted(&element.name)),
        ("outPath".to_owned(), quoted(&print(&known.out))),
        ("type".to_owned(), quoted("derivation")),
    ];
    let names: Vec<_> = known.outputs.iter().map(|(name, _)| quoted(name)).collect();
    fields.push(("outputs".to_owned(), format!("[ {} ]", names.join(" "))));
    for (name, path) in &known.outputs {
        fields.push((name.clone(), format!("{{ outPath = {}; }}", quoted(&print(path)))));
    }
    if !element.system.is_empty() {
        fields.push(("system".to_owned(), quoted(&element.system)));
    }
    let named = |name: &String| {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if plain { name.clone() } else { quoted(name) }
    };
    let meta: String =
        element.meta.iter().map(|(name, value)| format!("{} = {value}; ", named(name))).collect();
    fields.push(("meta".to_owned(), format!("{{ {meta}}}")));
    fields.sort();
    let fields: String = fields.iter().map(|(name, value)| format!("{name} = {value}; ")).collect();
    format!("{{ {fields}}}")
}
