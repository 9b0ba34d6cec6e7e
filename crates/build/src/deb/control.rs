//! The control part of a package.

use crate::Problem;
use std::io::Read as _;

/// The names of maintainer scripts.
const SCRIPTS: [&str; 5] = ["config", "postinst", "postrm", "preinst", "prerm"];

/// What the control part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) installed_kib: Option<u64>,
    pub(super) conffiles: Vec<String>,
    pub(super) triggers: Vec<String>,
    pub(super) scripts: Vec<String>,
    pub(super) depends: Vec<String>,
    pub(super) provides: Vec<String>,
}

impl Control {
    /// Reads the unpacked bytes of `control.tar`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let damaged = |error: std::io::Error| Problem::Damaged(format!("control.tar: {error}"));
        let mut control = Self::default();
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let path = entry.path_bytes().into_owned();
            let name = path.strip_prefix(b"./").unwrap_or(&path);
            let Ok(name) = std::str::from_utf8(name).map(str::to_owned) else { continue };
            if SCRIPTS.contains(&name.as_str()) {
                control.scripts.push(name.clone());
            }
            if matches!(name.as_str(), "control" | "conffiles" | "triggers") {
                let mut text = Vec::new();
                entry.read_to_end(&mut text).map_err(damaged)?;
                control.take(&name, &String::from_utf8_lossy(&text));
            }
        }
        control.conffiles.sort();
        control.triggers.sort();
        control.scripts.sort();
        for names in [&mut control.depends, &mut control.provides] {
            names.sort();
            names.dedup();
        }
        if control.package.is_empty() || control.version.is_empty() || control.architecture.is_empty() {
            return Err(Problem::Format("its control file lacks a name, version or architecture".to_owned()));
        }
        Ok(control)
    }

    fn take(&mut self, name: &str, text: &str) {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        match name {
            "control" => self.take_fields(text),
            "conffiles" => {
                self.conffiles =
                    lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect()
            }
            _ => self.triggers = lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect(),
        }
    }

    fn take_fields(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with([' ', '\t', '#'])) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "package" => self.package = value.to_owned(),
                "version" => self.version = value.to_owned(),
                "architecture" => self.architecture = value.to_owned(),
                "depends" | "pre-depends" => self.depends.extend(names(value)),
                "provides" => self.provides.extend(names(value)),
                "installed-size" => self.installed_kib = value.parse().ok(),
                _ => {}
            }
        }
    }
}

/// The names of packages in a field of relations, alternatives included, without versions and architectures.
fn names(field: &str) -> impl Iterator<Item = String> + '_ {
    let ends = |c: char| c.is_whitespace() || "(:[<".contains(c);
    let words = field.split([',', '|']).map(str::trim).filter(|word| !word.is_empty());
    words.map(move |word| word.split(ends).next().unwrap_or(word).to_owned())
}
