//! Reading nix.conf: lines of `name = value`, comments, `include` and `!include`.

use super::NixSettings;
use crate::Error;
use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How deeply files may include each other.
const MAX_DEPTH: u32 = 32;

type Environment = BTreeMap<String, String>;

fn variable<'e>(environment: &'e Environment, name: &str) -> Option<&'e str> {
    environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn wrong(text: String) -> Error {
    let help = "a line is `name = value`, `include FILE`, `!include FILE`, or a comment behind `#`";
    Error::Other(Box::new(Diagnostic::error(&diagnostics::nix_conf::ENTRY, text).help(help)))
}

pub(super) fn read(environment: &Environment) -> Result<NixSettings, Error> {
    let mut lines = Vec::new();
    // What counts most comes last.
    let files = std::iter::once(system_file(environment)).chain(user_files(environment).into_iter().rev());
    for file in files {
        if let Ok(text) = std::fs::read_to_string(&file) {
            parse(&text, &file, 0, &mut lines)?;
        }
    }
    if let Some(text) = environment.get("NIX_CONFIG") {
        parse(text, Path::new("NIX_CONFIG"), 0, &mut lines)?;
    }
    let mut settings = NixSettings::default();
    let has_path = environment.contains_key("NIX_PATH");
    for (name, value) in lines {
        // The variable NIX_PATH takes the place of the setting.
        if !(has_path && (name == "nix-path" || name == "extra-nix-path")) {
            settings.set(&name, &value);
        }
    }
    Ok(settings)
}

/// The folder of the user's settings, and those that the environment names besides.
fn config_folders(environment: &Environment) -> Vec<PathBuf> {
    let own = variable(environment, "NIX_CONFIG_HOME").map(PathBuf::from).or_else(|| {
        let home = variable(environment, "XDG_CONFIG_HOME").map(PathBuf::from);
        let home = home.or_else(|| variable(environment, "HOME").map(|home| Path::new(home).join(".config")));
        home.map(|folder| folder.join("nix"))
    });
    let others = variable(environment, "XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    own.into_iter().chain(others.split(':').map(|folder| Path::new(folder).join("nix"))).collect()
}

/// The file that counts for all users.
pub(super) fn system_file(environment: &Environment) -> PathBuf {
    Path::new(variable(environment, "NIX_CONF_DIR").unwrap_or("/etc/nix")).join("nix.conf")
}

/// The user's files; the first one named counts most.
pub(super) fn user_files(environment: &Environment) -> Vec<PathBuf> {
    match environment.get("NIX_USER_CONF_FILES") {
        Some(files) => files.split(':').filter(|file| !file.is_empty()).map(PathBuf::from).collect(),
        None => config_folders(environment).into_iter().map(|folder| folder.join("nix.conf")).collect(),
    }
}

/// The user's and the system's registry of flakes.
pub(super) fn registries(environment: &Environment) -> Vec<PathBuf> {
    let user = config_folders(environment).into_iter().next();
    let system = PathBuf::from(variable(environment, "NIX_CONF_DIR").unwrap_or("/etc/nix"));
    user.into_iter().chain([system]).map(|folder| folder.join("registry.json")).collect()
}

fn parse(text: &str, file: &Path, depth: u32, lines: &mut Vec<(String, String)>) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(wrong(format!("`{}` includes itself", file.display())));
    }
    for line in text.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["include" | "!include", name] => {
                let path = file.parent().unwrap_or(Path::new("/")).join(name);
                match std::fs::read_to_string(&path) {
                    Ok(text) => parse(&text, &path, depth + 1, lines)?,
                    Err(_) if words[0] == "!include" || path.exists() => {}
                    Err(_) => {
                        let (path, file) = (path.display(), file.display());
                        return Err(wrong(format!("`{file}` includes a file that is missing: `{path}`")));
                    }
                }
            }
            [name, "=", value @ ..] => lines.push(((*name).to_owned(), value.join(" "))),
            _ => {
                return Err(wrong(format!("a line of `{}` is malformed: `{}`", file.display(), line.trim())));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_include_files_and_variables_come_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("written");
        write(
            "nix.conf",
            "cores = 3 # three\ninclude more.conf\n!include none.conf\nextra-experimental-features = a\n",
        );
        write("more.conf", "substituters = x  y\n");
        write("user.conf", "cores = 4\nnix-path = a=b c=d\n");
        let mut environment: Environment = [
            ("NIX_CONF_DIR", folder.path().to_string_lossy().into_owned()),
            ("NIX_USER_CONF_FILES", path("user.conf").to_string_lossy().into_owned()),
            ("NIX_CONFIG", "extra-substituters = z\npure-eval = true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let settings = read(&environment).expect("well-formed");
        assert_eq!(settings.text("cores"), Some("4"));
        assert_eq!(settings.list("substituters"), ["x", "y", "z"]);
        assert_eq!(settings.nix_path(), ["a=b", "c=d"]);
        assert!(settings.pure_eval());
        assert!(["a", "flakes", "fetch-tree"].iter().all(|feature| settings.features().contains(*feature)));
        environment.insert("NIX_PATH".to_owned(), "x=y".to_owned());
        assert!(read(&environment).expect("well-formed").nix_path().is_empty());
        for bad in ["just words", "include none.conf", "name=value"] {
            environment.insert("NIX_CONFIG".to_owned(), bad.to_owned());
            let code = read(&environment).expect_err(bad).diagnostic().entry.code;
            assert_eq!(code, "NV0810", "{bad}");
        }
    }
}
