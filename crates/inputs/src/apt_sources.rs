//! The repositories that a machine's apt is set up with.

use crate::{Error, Mirrors, RELEASES};
use nival_debian::Paragraphs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One repository and suite of a machine's apt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AptSource {
    /// The address of the folder that holds `dists`.
    pub url: String,
    /// The suite.
    pub suite: String,
    /// The components.
    pub components: Vec<String>,
}

/// Suites by which Debian's own archive is known, besides the code names.
const SUITES: [&str; 6] = ["stable", "oldstable", "testing", "unstable", "sid", "forky"];

/// Reads `etc/apt/sources.list` and the files beside it, in the order of their names.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn read_apt_sources(root: &Path) -> Result<Vec<AptSource>, Error> {
    let folder = root.join("etc/apt");
    let mut all = Vec::new();
    if let Some(text) = read(&folder.join("sources.list"))? {
        all.extend(lines(&text));
    }
    for path in parts(&folder.join("sources.list.d"))? {
        let Some(text) = read(&path)? else { continue };
        if path.extension().is_some_and(|extension| extension == "list") {
            all.extend(lines(&text));
        } else {
            all.extend(paragraphs(&text));
        }
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::disk(path, error)),
    }
}

fn parts(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::disk(folder, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::disk(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "list" || extension == "sources") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads lines such as `deb [signed-by=KEY] URL SUITE COMPONENT...`.
fn lines(text: &str) -> Vec<AptSource> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<AptSource> {
    let text = text.split('#').next().unwrap_or("").trim();
    let rest = text.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t']))?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    let (url, suite) = (words.next()?, words.next()?);
    Some(AptSource {
        url: address(url)?,
        suite: suite.to_owned(),
        components: words.map(str::to_owned).collect(),
    })
}

/// Reads paragraphs with the fields `Types`, `URIs`, `Suites` and `Components`.
fn paragraphs(text: &str) -> Vec<AptSource> {
    let mut all = Vec::new();
    for paragraph in Paragraphs::new(text) {
        let words = |name: &str| -> Vec<String> {
            let value = paragraph.value_of(name).unwrap_or("");
            let lines = value.lines().filter(|line| !line.starts_with('#'));
            lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        let enabled = !matches!(paragraph.value_of("Enabled"), Some("no" | "false" | "0"));
        if !enabled || !words("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        for url in words("URIs").iter().filter_map(|url| address(url)) {
            for suite in words("Suites") {
                all.push(AptSource { url: url.clone(), suite, components: words("Components") });
            }
        }
    }
    all
}

/// An address as the transport takes it; `None` for media and the like.
fn address(url: &str) -> Option<String> {
    let url = url.trim_end_matches('/');
    for scheme in ["file:", "copy:"] {
        if let Some(path) = url.strip_prefix(scheme) {
            let path = path.trim_start_matches('/');
            return Some(format!("file:///{path}"));
        }
    }
    (url.starts_with("http://") || url.starts_with("https://")).then(|| url.to_owned())
}

/// Finds in what `apt-config dump` prints where Debian's past packages are.
pub(crate) fn snapshots(dump: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in dump.lines() {
        let Some((key, value)) = line.trim_end().trim_end_matches(';').split_once(' ') else { continue };
        let key = key.to_ascii_lowercase();
        let Some(key) = key.strip_prefix("acquire::snapshots::uri::") else { continue };
        let name = key.rsplit("::").next().unwrap_or(key);
        let address = value.trim_matches('"').trim_end_matches('/');
        if name.starts_with("debian")
            && address.contains("://")
            && !found.iter().any(|known| known == address)
        {
            found.push(address.to_owned());
        }
    }
    found
}

/// Picks Debian's own archive and its security updates by the names of the suites.
pub(crate) fn mirrors(sources: &[AptSource]) -> Mirrors {
    let mut mirrors = Mirrors::default();
    for source in sources.iter().filter(|source| source.components.iter().any(|c| c == "main")) {
        let (base, kind) = source.suite.split_once(['-', '/']).unwrap_or((&source.suite, ""));
        if !RELEASES.contains(&base) && !SUITES.contains(&base) {
            continue;
        }
        let list = match kind {
            "security" => &mut mirrors.security,
            "" | "updates" => &mut mirrors.main,
            _ => continue,
        };
        if !list.contains(&source.url) {
            list.push(source.url.clone());
        }
    }
    if let (Some(main), true) = (mirrors.main.first().cloned(), mirrors.security.is_empty()) {
        let main_list = mirrors.main.clone();
        mirrors = mirrors.with_main(&main);
        mirrors.main = main_list;
    }
    mirrors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let one = lines(
            "# deb no\ndeb [a=b c=d] http://one.example/debian/ trixie main contrib # x\ndeb-src http://s t u\n",
        );
        let source = |url: &str, suite: &str, components: &[&str]| AptSource {
            url: url.to_owned(),
            suite: suite.to_owned(),
            components: components.iter().map(|c| (*c).to_owned()).collect(),
        };
        assert_eq!(one, [source("http://one.example/debian", "trixie", &["main", "contrib"])]);
        let text = "Types: deb\nURIs: file:/srv/mirror\nSuites: trixie trixie-updates\nComponents: main\n\n\
                    Types: deb\nEnabled: no\nURIs: http://x\nSuites: y\nComponents: main\n";
        let both = paragraphs(text);
        assert_eq!(
            both,
            [
                source("file:///srv/mirror", "trixie", &["main"]),
                source("file:///srv/mirror", "trixie-updates", &["main"])
            ]
        );
    }

    #[test]
    fn archives_of_past_packages_are_read_from_the_settings_of_apt() {
        let dump = "Acquire::Retries \"3\";\nAcquire::Snapshots::URI::Label::Debian \"http://past.example/debian/@SNAPSHOTID@/\";\n\
                    Acquire::Snapshots::URI::Origin::Ubuntu \"http://past.example/ubuntu/@SNAPSHOTID@/\";\n\
                    Acquire::Snapshots::URI::Override::Label::Debian-Security \"http://past.example/security\";\n";
        assert_eq!(
            snapshots(dump),
            ["http://past.example/debian/@SNAPSHOTID@", "http://past.example/security"]
        );
    }

    #[test]
    fn third_parties_are_no_mirrors() {
        let text = "deb http://m.example/debian bookworm main\ndeb http://s.example/debian-security bookworm-security main\n\
                    deb http://other.example/apt stable-x main\ndeb http://other.example/node nodistro main\n";
        let found = mirrors(&lines(text));
        assert_eq!(found.main, ["http://m.example/debian"]);
        assert_eq!(found.security, ["http://s.example/debian-security"]);
        let alone = mirrors(&lines("deb http://m.example/debian trixie main"));
        assert_eq!(alone.security, ["http://m.example/debian-security"]);
    }
}
