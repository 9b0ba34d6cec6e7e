//! Where crates lie: in the registries that cargo is set up with on this machine.
//!
//! No registry's address is written here. Cargo's own settings name replacements, a lock names sparse registries, and
//! cargo's folder keeps what it learnt of those that it used. What is fetched is known by its SHA-256, so that it does
//! not matter which of them has it.

use crate::Error;
use nival_transport::Transport;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// No description of a registry is larger than this.
const LIMIT: u64 = 1 << 20;

/// A crate of a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crate {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The SHA-256 of its file, as hex digits.
    pub sha256: String,
    /// The registry, as `Cargo.lock` has it in `source`.
    pub source: String,
}

impl Crate {
    fn file(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }
}

/// Where a crate may be, in the order in which it is tried; `home` is cargo's folder.
///
/// # Errors
/// A registry that the settings name and that cannot be asked.
pub fn crate_addresses(
    transport: &Transport,
    home: Option<&Path>,
    wanted: &Crate,
) -> Result<Vec<String>, Error> {
    let mut addresses = Vec::new();
    let mut indices = Vec::new();
    if let Some(home) = home {
        let cached =
            folders(&home.join("registry/cache")).into_iter().map(|folder| folder.join(wanted.file()));
        addresses.extend(cached.filter(|file| file.is_file()).map(|file| file.display().to_string()));
        match replacement(home, &wanted.source) {
            Some(Source::Folder(folder)) => addresses.push(folder.join(wanted.file()).display().to_string()),
            Some(Source::Sparse(address)) => indices.push(address),
            None => {}
        }
    }
    indices.extend(wanted.source.strip_prefix("sparse+").map(str::to_owned));
    for index in indices {
        let address = format!("{}/config.json", index.trim_end_matches('/'));
        addresses.extend(download_address(&transport.get(&address, LIMIT)?, wanted));
    }
    for folder in home.into_iter().flat_map(|home| folders(&home.join("registry/index"))) {
        let known = std::fs::read(folder.join("config.json")).ok();
        addresses.extend(known.and_then(|text| download_address(&text, wanted)));
    }
    addresses.dedup();
    Ok(addresses)
}

/// What stands in place of a registry.
enum Source {
    Folder(PathBuf),
    Sparse(String),
}

/// What cargo's settings put in a registry's place.
fn replacement(home: &Path, source: &str) -> Option<Source> {
    let text =
        ["config.toml", "config"].iter().find_map(|name| std::fs::read_to_string(home.join(name)).ok())?;
    let settings: toml::Table = text.parse().ok()?;
    let sources = settings.get("source")?.as_table()?;
    let is_of = |(_, one): &(&String, &toml::Value)| {
        one.get("registry").and_then(toml::Value::as_str).is_some_and(|registry| {
            source.trim_start_matches("registry+") == registry.trim_start_matches("registry+")
        })
    };
    // The usual registry has a name of its own.
    let usual = || sources.get_key_value("crates-io").filter(|_| !source.starts_with("sparse+"));
    let mut at = sources.iter().find(is_of).or_else(usual)?.1;
    for _ in 0..sources.len() {
        let Some(next) = at.get("replace-with").and_then(toml::Value::as_str) else { break };
        at = sources.get(next)?;
    }
    if let Some(folder) = at.get("local-registry").and_then(toml::Value::as_str) {
        return Some(Source::Folder(home.join(folder)));
    }
    let registry = at.get("registry")?.as_str()?;
    Some(Source::Sparse(registry.strip_prefix("sparse+")?.to_owned()))
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = parent.read_dir().into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// The address of a crate's file, by what a registry says of itself.
///
/// See "Index configuration" in the Cargo book.
fn download_address(config: &[u8], wanted: &Crate) -> Option<String> {
    let config: BTreeMap<String, serde_json::Value> = serde_json::from_slice(config).ok()?;
    let template = config.get("dl")?.as_str()?;
    let prefix = match wanted.name.len() {
        0 => return None,
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", wanted.name.get(..1)?),
        _ => format!("{}/{}", wanted.name.get(..2)?, wanted.name.get(2..4)?),
    };
    let lower = prefix.to_ascii_lowercase();
    let markers = [
        ("{crate}", &wanted.name),
        ("{version}", &wanted.version),
        ("{prefix}", &prefix),
        ("{lowerprefix}", &lower),
        ("{sha256-checksum}", &wanted.sha256),
    ];
    if !markers.iter().any(|(marker, _)| template.contains(marker)) {
        let base = template.trim_end_matches('/');
        return Some(format!("{base}/{}/{}/download", wanted.name, wanted.version));
    }
    let filled =
        markers.iter().fold(template.to_owned(), |text, (marker, value)| text.replace(marker, value));
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Crate {
        Crate {
            name: "Serde".to_owned(),
            version: "1.0.2".to_owned(),
            sha256: "ab".to_owned(),
            source: "registry+https://git.example/index".to_owned(),
        }
    }

    #[test]
    fn registries_say_where_files_are() {
        let of = |text: &str| download_address(text.as_bytes(), &wanted());
        assert_eq!(
            of(r#"{"dl": "https://a.example/api/"}"#).as_deref(),
            Some("https://a.example/api/Serde/1.0.2/download")
        );
        let all = r#"{"dl": "https://a.example/{lowerprefix}/{prefix}/{crate}-{version}-{sha256-checksum}"}"#;
        assert_eq!(of(all).as_deref(), Some("https://a.example/se/rd/Se/rd/Serde-1.0.2-ab"));
        assert_eq!(of("{}"), None);
    }

    #[test]
    fn settings_and_what_was_learnt_are_used() {
        let home = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let transport =
            Transport::new(nival_transport::Options::default(), nival_transport::Cancel::default());
        let transport = transport.expect("the options are fit");
        let found = || crate_addresses(&transport, Some(home.path()), &wanted()).expect("nothing is asked");
        assert_eq!(found(), Vec::<String>::new());
        write("registry/index/x/config.json", r#"{"dl": "https://x.example"}"#);
        assert_eq!(found(), ["https://x.example/Serde/1.0.2/download"]);
        write(
            "config.toml",
            "[source.crates-io]\nreplace-with = 'mine'\n[source.mine]\nlocal-registry = '/crates'\n",
        );
        write("registry/cache/x/Serde-1.0.2.crate", "");
        let cached = home.path().join("registry/cache/x/Serde-1.0.2.crate").display().to_string();
        assert_eq!(found(), [&cached, "/crates/Serde-1.0.2.crate", "https://x.example/Serde/1.0.2/download"]);
    }
}
