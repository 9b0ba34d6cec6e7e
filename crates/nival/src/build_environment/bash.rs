//! The script that takes an environment over into a shell.

use super::{Environment, Variable};
use std::fmt::Write as _;
use std::path::Path;

/// What the user's own shell knows better than a build.
const OF_THE_USER: &[&str] = &[
    "BASHOPTS",
    "HOME",
    "NIX_BUILD_TOP",
    "NIX_ENFORCE_PURITY",
    "NIX_LOG_FD",
    "NIX_REMOTE",
    "PPID",
    "SHELLOPTS",
    "SSL_CERT_FILE",
    "TEMP",
    "TEMPDIR",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "UID",
];

/// What is put in front of the user's own values instead of replacing them.
const KEPT: [&str; 2] = ["PATH", "XDG_DATA_DIRS"];

/// A text as one word of a shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Environment {
    /// Assignments and functions, but for the variables of these names.
    pub fn to_bash(&self, without: &[&str]) -> String {
        let mut out = String::new();
        for (name, variable) in &self.variables {
            if without.contains(&name.as_str()) {
                continue;
            }
            let _ = match variable {
                Variable::Text { exported: true, value } => {
                    writeln!(out, "{name}={}\nexport {name}", quoted(value))
                }
                Variable::Text { value, .. } => writeln!(out, "{name}={}", quoted(value)),
                Variable::Array(items) => {
                    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                    writeln!(out, "declare -a {name}=({})", items.join(" "))
                }
                Variable::Table(table) => {
                    let items: Vec<String> = table
                        .iter()
                        .map(|(key, value)| format!("[{}]={}", quoted(key), quoted(value)))
                        .collect();
                    writeln!(out, "declare -A {name}=({})", items.join(" "))
                }
            };
        }
        for (name, body) in &self.functions {
            let _ = write!(out, "{name} ()\n{{{body}}}\n");
        }
        out
    }

    /// The script that a shell starts with: the environment, the user's programs behind it, a temporary folder, and the
    /// hook. Paths of outputs are replaced by those of a folder that can be written to.
    pub fn script(&self, outputs: &Path, attributes: Option<(&Path, &Path)>) -> String {
        let mut script = String::from("unset shellHook\n");
        for name in KEPT {
            let _ = writeln!(script, "{name}=${{{name}:-}}\nnix_saved_{name}=\"${name}\"");
        }
        script.push_str(&self.to_bash(OF_THE_USER));
        for name in KEPT {
            let _ = writeln!(script, "{name}=\"${name}${{nix_saved_{name}:+:$nix_saved_{name}}}\"");
        }
        script.push_str("export NIX_BUILD_TOP=\"$(mktemp -d -t nix-shell.XXXXXX)\"\n");
        for name in ["TMP", "TMPDIR", "TEMP", "TEMPDIR"] {
            let _ = writeln!(script, "export {name}=\"$NIX_BUILD_TOP\"");
        }
        script.push_str("eval \"${shellHook:-}\"\n");
        for (name, path) in self.outputs() {
            script = script.replace(&path, &outputs.join(name).to_string_lossy());
        }
        if let Some((shell, json)) = attributes {
            for (name, file) in [("NIX_ATTRS_SH_FILE", shell), ("NIX_ATTRS_JSON_FILE", json)] {
                if let Some(inner) = self.text(name) {
                    script = script.replace(inner, &file.to_string_lossy());
                }
            }
        }
        script
    }
}
