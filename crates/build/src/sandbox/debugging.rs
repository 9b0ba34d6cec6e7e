//! A builder's place that outlives the builder, so that somebody can look around in it.
//!
//! The process that would have become the builder stays the first of the place, and starts the builder as its child.
//! Where that fails, everything else in the place is ended, and a shell is started there: the same namespaces, root,
//! rights, user, folder and environment. Leaving it ends the build, or starts the builder again.

use super::cell::{Cell, Debugging};
use super::warden::{Failure, Step as _};
use nival_sys::process::{self, Ended};
use nival_sys::pty;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The exit code of a shell after which the builder is started again; what `resume` ends with.
pub const RESUME: i32 = 93;

/// The file in the builder's folder in which `resume` leaves the folder to go on in.
const RESUMED_IN: &str = ".nival-resume";

/// The functions of the shell.
pub fn functions() -> String {
    format!(
        "# Read by the shell of `--debug-on-fail`.\nresume() {{\n  pwd > \"$NIX_BUILD_TOP/{RESUMED_IN}\"\n  exit {RESUME}\n}}\nPS1='[nival:\\w]\\$ '\n"
    )
}

/// Runs the builder until it succeeds, or is given up; ends this process with its code.
pub(super) fn hold(cell: &Cell, debugging: &Debugging) -> Result<Infallible, Failure> {
    // What is in this process's memory is not for the builder.
    process::hide_memory();
    let mut environment = cell.environment.clone();
    let mut directory = cell.directory.clone();
    loop {
        let code = run(&cell.builder, &cell.arguments, &environment, &directory, None)?;
        if code == 0 {
            std::process::exit(0);
        }
        if cell.confined {
            // What the builder left behind would read what is typed. Where there is nothing, that is an error.
            let _ = process::signal(-1, 9);
        }
        let phase = announce(debugging, code).step("hear in which phase the builder failed")?;
        let terminal = io::stdout();
        pty::make_sane(&terminal).step("prepare the terminal")?;
        let mut own = cell.environment.clone();
        own.push(format!("ENV={}", debugging.functions.display()).into_bytes());
        own.push([b"TERM=", debugging.terminal.as_bytes()].concat());
        own.push(format!("NIVAL_PHASE={phase}").into_bytes());
        let left = run(&debugging.shell, &debugging.words, &own, &cell.directory, Some(()))?;
        pty::make_raw(&terminal).step("prepare the terminal")?;
        say(&format!("\n{} over\n", debugging.marker)).step("say that the shell was left")?;
        if left != RESUME {
            std::process::exit(code);
        }
        (environment, directory) = resumed(cell, &phase);
    }
}

/// Tells that the builder failed, and hears in which phase.
fn announce(debugging: &Debugging, code: i32) -> io::Result<String> {
    say(&format!("\n{} failed {code}\n", debugging.marker))?;
    let mut terminal = File::from(process::copy_fd(1)?);
    let (mut phase, mut byte) = (Vec::new(), [0]);
    while terminal.read(&mut byte)? == 1 && byte[0] != b'\n' {
        phase.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&phase).into_owned())
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Starts a program and waits for it; with `typed`, it gets the terminal as its own.
fn run(
    program: &[u8],
    words: &[Vec<u8>],
    environment: &[Vec<u8>],
    directory: &Path,
    typed: Option<()>,
) -> Result<i32, Failure> {
    let Some(child) = process::fork().step("start a process for the builder")? else {
        if typed.is_some() {
            process::lead_session();
            // Without it the shell works, only without job control.
            let _ = process::set_input_and_outputs(io::stdout(), io::stdout());
            let _ = pty::control(io::stdout());
        }
        let entered = std::env::set_current_dir(directory);
        let error = match entered {
            Ok(()) => process::exec_bytes(program, words, environment),
            Err(error) => error,
        };
        let _ = say(&format!("cannot start '{}': {error}\n", String::from_utf8_lossy(program)));
        std::process::exit(127);
    };
    loop {
        match process::wait_for(None).step("wait for the builder")? {
            Some((pid, ended)) if pid == child => {
                return Ok(match ended {
                    Ended::Code(code) => code,
                    Ended::Signal(signal) => 128 + signal,
                });
            }
            Some(_) => {}
            None => return Err(io::Error::from(io::ErrorKind::NotFound)).step("find the builder again"),
        }
    }
}

/// The environment and folder in which the builder goes on: from the phase that failed, where the standard environment's
/// phases are known, else from its beginning.
fn resumed(cell: &Cell, phase: &str) -> (Vec<Vec<u8>>, PathBuf) {
    let note = cell.directory.join(RESUMED_IN);
    let left_in = std::fs::read(&note).ok().map(|mut text| {
        text.pop();
        PathBuf::from(std::ffi::OsString::from_vec(text))
    });
    // It was made in the place alone, for this moment.
    let _ = nival_sys::fs::remove_file(&note);
    let left_in = left_in.filter(|folder| folder.starts_with(&cell.directory) && folder.is_dir());
    let Some(rest) = phases_from(&cell.environment, phase) else {
        return (cell.environment.clone(), cell.directory.clone());
    };
    let folder = match left_in {
        Some(folder) if folder != cell.directory => folder,
        _ => source_folder(&cell.directory),
    };
    let mut environment = cell.environment.clone();
    environment.retain(|variable| !variable.starts_with(b"phases="));
    environment.push(format!("phases={}", rest.join(" ")).into_bytes());
    (environment, folder)
}

/// The one folder that unpacking made, else the builder's own.
fn source_folder(directory: &Path) -> PathBuf {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    match (folders.next(), folders.next()) {
        (Some(only), None) => only,
        _ => directory.to_owned(),
    }
}

/// The phases of the standard environment from one on; `None` where it is none of them, or the first.
fn phases_from(environment: &[Vec<u8>], phase: &str) -> Option<Vec<String>> {
    let variable = |name: &str| {
        let prefix = format!("{name}=");
        let found = environment.iter().find_map(|variable| variable.strip_prefix(prefix.as_bytes()));
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    };
    let mut phases = variable("phases");
    if phases.trim().is_empty() {
        phases = format!(
            "{} unpackPhase patchPhase {} configurePhase {} buildPhase checkPhase {} installPhase {} fixupPhase installCheckPhase {} distPhase {}",
            variable("prePhases"),
            variable("preConfigurePhases"),
            variable("preBuildPhases"),
            variable("preInstallPhases"),
            variable("preFixupPhases"),
            variable("preDistPhases"),
            variable("postPhases"),
        );
    }
    let phases: Vec<String> = phases.split_whitespace().map(str::to_owned).collect();
    let at = phases.iter().position(|known| known == phase)?;
    Some(phases[at..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::phases_from;

    #[test]
    fn a_build_goes_on_from_the_phase_that_failed() {
        let environment = [b"postPhases=lastPhase".to_vec()];
        let rest = phases_from(&environment, "installCheckPhase").expect("it is known");
        assert_eq!(rest, ["installCheckPhase", "distPhase", "lastPhase"]);
        assert_eq!(phases_from(&[b"phases=a b c".to_vec()], "b").expect("it is known"), ["b", "c"]);
        assert_eq!(phases_from(&environment, ""), None);
    }
}
