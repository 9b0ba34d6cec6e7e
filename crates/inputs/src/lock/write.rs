//! The text of a lock.

use super::{FORMAT, Lock, LockedPackage, LockedRelease, LockedRepository, LockedRoot, LockedSource};
use serde_json::{Value, json};

/// How long a line of package names may get.
const WIDTH: usize = 110;

pub(super) fn text(lock: &Lock) -> String {
    let mut out = format!("{{\n  \"nival-lock\": {FORMAT},\n  \"releases\": {{");
    list(
        &mut out,
        "\n    ",
        "\n  ",
        lock.releases.iter().map(|(name, release)| (name, release_text(release))),
    );
    out.push_str("},\n  \"roots\": {");
    list(&mut out, "\n    ", "\n  ", lock.roots.iter().map(|(name, root)| (name, root_text(root))));
    out.push_str("}\n}\n");
    out
}

fn list<'n>(out: &mut String, before: &str, after: &str, items: impl Iterator<Item = (&'n String, String)>) {
    let mut any = false;
    for (name, text) in items {
        out.push_str(if any { "," } else { "" });
        out.push_str(&format!("{before}{}: {text}", Value::from(name.as_str())));
        any = true;
    }
    out.push_str(if any { after } else { "" });
}

fn release_text(release: &LockedRelease) -> String {
    let mut out =
        format!("{{\n      \"architecture\": {},\n      \"repositories\": {{", json!(release.architecture));
    list(
        &mut out,
        "\n        ",
        "\n      ",
        release.repositories.iter().map(|(n, r)| (n, repository_text(r))),
    );
    out.push_str("},\n      \"packages\": [");
    for (at, package) in release.packages.iter().enumerate() {
        out.push_str(if at == 0 { "\n        " } else { ",\n        " });
        out.push_str(&package_text(package));
    }
    out.push_str("\n      ]");
    for (at, source) in release.sources.iter().enumerate() {
        out.push_str(if at == 0 { ",\n      \"sources\": [" } else { "," });
        out.push_str(&source_text(source));
    }
    out.push_str(if release.sources.is_empty() { "\n    }" } else { "\n      ]\n    }" });
    out
}

/// A source package, with one line for each of its files.
fn source_text(source: &LockedSource) -> String {
    let mut out = format!(
        "\n        {{\"name\": {}, \"version\": {}, \"repository\": {}, \"files\": [",
        json!(source.name),
        json!(source.version),
        json!(source.repository)
    );
    for (at, file) in source.files.iter().enumerate() {
        out.push_str(if at == 0 { "\n          " } else { ",\n          " });
        let (path, sha256) = (json!(file.path), json!(file.sha256));
        out.push_str(&format!("{{\"path\": {path}, \"size\": {}, \"sha256\": {sha256}}}", file.size));
    }
    out.push_str("]}");
    out
}

fn repository_text(repository: &LockedRepository) -> String {
    let mut text = format!("{{\"suite\": {}", json!(repository.suite));
    if let Some(url) = &repository.url {
        text.push_str(&format!(", \"url\": {}", json!(url)));
    }
    if let Some(key) = &repository.key {
        text.push_str(&format!(", \"key\": {}", json!(key)));
    }
    let dates = repository.date_texts();
    if !dates.is_empty() {
        text.push_str(&format!(", \"dates\": {}", spaced(&dates)));
    }
    if let Some(snapshots) = &repository.snapshots {
        text.push_str(&format!(", \"snapshots\": {}", json!(snapshots)));
    }
    text.push('}');
    text
}

pub(super) fn date_text(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

fn package_text(package: &LockedPackage) -> String {
    format!(
        "{{\"name\": {}, \"version\": {}, \"architecture\": {}, \"repository\": {}, \"path\": {}, \"size\": {}, \"sha256\": {}}}",
        json!(package.name),
        json!(package.version),
        json!(package.architecture),
        json!(package.repository),
        json!(package.path),
        package.size,
        json!(package.sha256)
    )
}

/// Names of packages fill lines, so that one that comes or goes changes few.
fn root_text(root: &LockedRoot) -> String {
    let mut out = format!(
        "{{\n      \"release\": {},\n      \"requests\": {},\n      \"recommends\": {},",
        json!(root.release),
        spaced(&root.requests),
        root.recommends
    );
    if !root.sources.is_empty() {
        out.push_str(&format!("\n      \"sources\": {},", spaced(&root.sources)));
    }
    out.push_str("\n      \"packages\": [");
    let mut line = String::new();
    let mut first = ' ';
    for (at, name) in root.packages.iter().enumerate() {
        let initial = name.chars().next().unwrap_or(' ');
        if line.len() + name.len() > WIDTH || initial != first {
            out.push_str(&line);
            line = "\n        ".to_owned();
            first = initial;
        } else {
            line.push(' ');
        }
        line.push_str(&json!(name).to_string());
        line.push_str(if at + 1 == root.packages.len() { "" } else { "," });
    }
    out.push_str(&line);
    out.push_str("\n      ]\n    }");
    out
}

fn spaced(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json!(text).to_string()).collect();
    format!("[{}]", texts.join(", "))
}
