//! The shell itself: its environment, and the script that it starts with.

use super::{DropIn, Script};
use crate::build_environment::quoted;
use crate::context::Context;
use crate::error::{Error, unwritable};
use crate::inside::{self, Program};
use nival_store_model::Derivation;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a shell keeps in a clear environment.
const KEPT: &[&str] = &[
    "DISPLAY",
    "HOME",
    "IN_NIX_SHELL",
    "LOGNAME",
    "NIX_BUILD_SHELL",
    "NIX_SHELL_PRESERVE_PROMPT",
    "PAGER",
    "PATH",
    "SHLVL",
    "TERM",
    "TZ",
    "USER",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "XDG_RUNTIME_DIR",
];

/// Becomes the shell.
pub fn shell(
    context: &mut Context,
    arguments: &DropIn,
    derivation: &Derivation,
    script: Option<&Script>,
) -> Result<ExitCode, Error> {
    let folder = std::env::temp_dir().join(format!("nix-shell-{}", std::process::id()));
    nival_sys::fs::create_dir_all(&folder).map_err(|error| Error::plain(unwritable(&folder, &error)))?;
    let mut environment = environment(context, arguments, derivation, &folder)?;
    let run = match script {
        Some(script) => Some(interpreted(&arguments.interpreter, script)),
        None => arguments.run.clone(),
    };
    let end = match (&run, &arguments.command) {
        (Some(run), _) => format!("{run}\nexit"),
        (None, Some(command)) => command.clone(),
        (None, None) => "return".to_owned(),
    };
    let rc = folder.join("rc");
    write(&rc, setup(arguments.pure, &folder, &end).as_bytes())?;
    let builder = String::from_utf8_lossy(&derivation.builder).into_owned();
    let name = bash(&builder, run.is_none());
    let mut words = Vec::new();
    if run.is_none() {
        words.push(OsString::from("--rcfile"));
    }
    words.push(rc.into());
    let environment = std::mem::take(&mut environment).into_iter().collect();
    Err(inside::run(context, &Program { name, arguments: words, environment }))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    nival_sys::fs::write_atomic(path, bytes, 0o600).map_err(|error| Error::plain(unwritable(path, &error)))
}

/// The shell: the one that is named; where somebody types, the user's own, which can edit lines; else the builder.
fn bash(builder: &str, interactive: bool) -> OsString {
    if let Some(named) = std::env::var_os("NIX_BUILD_SHELL") {
        return named;
    }
    let is_bash = builder.rsplit('/').next() == Some("bash");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::split_paths(&path).map(|folder| folder.join("bash")).find(|path| path.is_file());
    match own.map(PathBuf::into_os_string) {
        Some(own) if interactive || !is_bash => own,
        _ if is_bash => builder.into(),
        other => other.unwrap_or_else(|| "bash".into()),
    }
}

/// The words that run a script with its interpreter.
fn interpreted(interpreter: &str, script: &Script) -> String {
    let words = [script.path.clone()].into_iter().chain(script.arguments.iter().cloned());
    let words: Vec<String> = words.map(|word| quoted(&word)).collect();
    match interpreter.rsplit('/').next().unwrap_or_default().split_whitespace().next() {
        // It would look at the first line of the script, and start this program again.
        Some("perl") => format!("exec {interpreter} -x {}", words.join(" ")),
        _ => format!("exec {interpreter} {}", words.join(" ")),
    }
}

/// The variables of a build, above those of the user.
fn environment(
    context: &mut Context,
    arguments: &DropIn,
    derivation: &Derivation,
    folder: &Path,
) -> Result<BTreeMap<OsString, OsString>, Error> {
    let kept = |name: &OsString| {
        let name = name.to_string_lossy();
        !arguments.pure || KEPT.contains(&name.as_ref()) || arguments.keep.iter().any(|other| *other == name)
    };
    let mut all: BTreeMap<OsString, OsString> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
    for name in ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP"] {
        all.insert(name.into(), folder.into());
    }
    let store = context.store()?;
    all.insert("NIX_STORE".into(), store.dir().as_str().into());
    all.insert("NIX_BUILD_CORES".into(), arguments.building.cores.unwrap_or(0).to_string().into());
    all.insert("IN_NIX_SHELL".into(), if arguments.pure { "pure" } else { "impure" }.into());
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    if let Some((shell, json)) = nival_build::structured_attributes(store.dir(), derivation)? {
        for (name, file, contents) in
            [("NIX_ATTRS_SH_FILE", ".attrs.sh", &shell), ("NIX_ATTRS_JSON_FILE", ".attrs.json", &json)]
        {
            write(&folder.join(file), contents.as_bytes())?;
            all.insert(name.into(), folder.join(file).into());
        }
        return Ok(all);
    }
    let as_files = derivation.environment.get(&b"passAsFile"[..]).map_or(&b""[..], |names| names);
    let as_files = String::from_utf8_lossy(as_files).into_owned();
    for (number, (name, value)) in derivation.environment.iter().enumerate() {
        if as_files.split_whitespace().any(|other| other.as_bytes() == name) {
            let file = folder.join(format!(".attr-{number}"));
            write(&file, value)?;
            all.insert(text(&[name, &b"Path"[..]].concat()), file.into());
        } else {
            all.insert(text(name), text(value));
        }
    }
    Ok(all)
}

/// The script that the shell starts with.
fn setup(pure: bool, folder: &Path, end: &str) -> String {
    let folder = quoted(&folder.to_string_lossy());
    let own_settings = if pure { "" } else { "[ -n \"$PS1\" ] && [ -e ~/.bashrc ] && source ~/.bashrc\n" };
    let (before, behind) = if pure {
        ("", "")
    } else {
        ("nix_saved_PATH=$PATH\n", "PATH=$PATH:$nix_saved_PATH\nunset nix_saved_PATH\n")
    };
    format!(
        "nix_shell_cleaning() {{ command rm -rf {folder}; }}\n\
         {own_settings}{before}\
         dontAddDisableDepTrack=1\n\
         [ -e \"${{NIX_ATTRS_SH_FILE-}}\" ] && source \"$NIX_ATTRS_SH_FILE\"\n\
         [ -n \"${{stdenv-}}\" ] && [ -e \"$stdenv/setup\" ] && source \"$stdenv/setup\"\n\
         {behind}\
         trap nix_shell_cleaning EXIT\n\
         SHELL=$BASH\n\
         set +e\n\
         [ -n \"$PS1\" ] && [ -z \"${{NIX_SHELL_PRESERVE_PROMPT-}}\" ] && PS1='\\n\\[\\033[1;32m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '\n\
         if [ \"$(type -t runHook)\" = function ]; then runHook shellHook; else eval \"${{shellHook-}}\"; fi\n\
         unset NIX_ENFORCE_PURITY\n\
         shopt -u nullglob\n\
         {}shopt -s execfail\n\
         {end}\n",
        if pure { "" } else { "unset TZ\n" },
    )
}
