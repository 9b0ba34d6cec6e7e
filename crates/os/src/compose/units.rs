//! Where units come from, and the links that enable them.

use super::Store;
use crate::manifest::UnitDefinition;
use crate::{Error, Manifest};
use nival_sys::fs;
use std::collections::BTreeMap;

/// Units that make no sense in a container, or that would write where nothing can be written.
const MASKED: [&str; 18] = [
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dev-hugepages.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "getty@tty1.service",
    "ldconfig.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-networkd-wait-online.service",
    "systemd-sysusers.service",
    "systemd-udevd.service",
    "systemd-update-done.service",
];

const FOLDER: &str = "/etc/systemd/system";
const OF_PACKAGES: &str = "/usr/lib/systemd/system";

/// A unit file that a package brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackageUnit {
    /// The package's name.
    pub package: String,
    /// What is in the file; empty for a link.
    pub text: String,
}

/// All units that the packages of a machine bring.
pub(crate) fn package_units(store: &Store, manifest: &Manifest) -> BTreeMap<String, PackageUnit> {
    let mut units = BTreeMap::new();
    for package in &manifest.root.packages {
        let folder = store.physical(&package.path).join("root").join(&OF_PACKAGES[1..]);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                units.insert(name, PackageUnit { package: package.name.clone(), text });
            }
        }
    }
    units
}

/// The template of an instance: `x@.service` of `x@1.service`.
pub(crate) fn template(name: &str) -> Option<String> {
    let (base, rest) = name.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{base}@.{kind}"))
}

/// Texts by path and links by path that stand for the units of a manifest.
pub(super) struct UnitFiles {
    pub texts: BTreeMap<String, String>,
    pub links: BTreeMap<String, String>,
}

pub(super) fn files(store: &Store, manifest: &Manifest) -> Result<UnitFiles, Error> {
    let of_packages = package_units(store, manifest);
    let mut files = UnitFiles { texts: BTreeMap::new(), links: BTreeMap::new() };
    files.links.insert(format!("{FOLDER}/default.target"), format!("{OF_PACKAGES}/multi-user.target"));
    for (name, unit) in &manifest.units {
        check_name(name)?;
        let place = place(manifest, &of_packages, name, unit)?;
        if let Some(text) = &unit.text {
            files.texts.insert(format!("{FOLDER}/{name}"), text.clone());
        }
        if let Some(text) = &unit.overrides {
            files.texts.insert(format!("{FOLDER}/{name}.d/nival.conf"), text.clone());
        }
        if unit.enable {
            let wants = unit.wanted_by.iter().map(|target| (target, "wants"));
            for (target, kind) in wants.chain(unit.required_by.iter().map(|target| (target, "requires"))) {
                check_name(target)?;
                files.links.insert(format!("{FOLDER}/{target}.{kind}/{name}"), place.clone());
            }
        }
    }
    let masks = MASKED.iter().copied().filter(|name| !manifest.units.contains_key(*name));
    for name in masks.chain(manifest.masks.iter().map(String::as_str)) {
        check_name(name)?;
        files.links.insert(format!("{FOLDER}/{name}"), "/dev/null".to_owned());
    }
    Ok(files)
}

fn place(
    manifest: &Manifest,
    of_packages: &BTreeMap<String, PackageUnit>,
    name: &str,
    unit: &UnitDefinition,
) -> Result<String, Error> {
    if unit.text.is_some() {
        return Ok(format!("{FOLDER}/{name}"));
    }
    let template = template(name);
    let candidates = std::iter::once(name).chain(template.as_deref());
    for candidate in candidates {
        if of_packages.contains_key(candidate) {
            return Ok(format!("{OF_PACKAGES}/{candidate}"));
        }
        if manifest.units.get(candidate).is_some_and(|unit| unit.text.is_some()) {
            return Ok(format!("{FOLDER}/{candidate}"));
        }
    }
    // Mount, slice, scope and target units of systemd's own making need no file to be changed.
    let own = name.ends_with(".slice") || name.ends_with(".mount");
    if own && unit.overrides.is_some() { Ok(String::new()) } else { Err(Error::NoUnit(name.to_owned())) }
}

fn check_name(name: &str) -> Result<(), Error> {
    let good = !name.is_empty() && name.len() < 256 && !name.contains('/') && !name.starts_with('.');
    if good { Ok(()) } else { Err(Error::NoUnit(name.to_owned())) }
}
