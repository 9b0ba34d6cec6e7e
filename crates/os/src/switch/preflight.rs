//! Programs that look at the new root before anything changes, in a view of the file tree of their own.

use super::executor::Work;
use crate::Error;
use crate::compose::Composition;
use crate::error::Doing as _;
use crate::manifest::Preflight;
use nival_sys::{mount, namespace, process};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::Path;

const OUTPUT: &str = "/run/nival/preflight.log";

/// Runs all of them; the first one that does not end with 0 refuses the new generation.
pub(super) fn run(work: &Work<'_>, composition: &Composition) -> Result<(), Error> {
    for preflight in &work.new.preflight {
        let Some(child) = process::fork().doing(|| "start a preflight".to_owned())? else {
            let error = match become_program(work, composition, preflight) {
                Err(error) => error,
                Ok(never) => match never {},
            };
            eprintln!("{error}");
            std::process::exit(126);
        };
        let code = process::wait(child).doing(|| "wait for a preflight".to_owned())?;
        if code != 0 {
            let output = std::fs::read(OUTPUT).unwrap_or_default();
            let output = String::from_utf8_lossy(&output);
            let mut lines: Vec<String> = output.lines().take(30).map(str::to_owned).collect();
            if lines.is_empty() {
                lines.push(format!("it ended with {code}"));
            }
            return Err(Error::Preflight { name: preflight.name.clone(), output: lines });
        }
    }
    Ok(())
}

fn become_program(
    work: &Work<'_>,
    composition: &Composition,
    preflight: &Preflight,
) -> Result<Infallible, Error> {
    process::die_with_my_parent();
    let doing = || format!("run `{}`", preflight.name);
    let _ = std::fs::remove_file(OUTPUT);
    let output = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(OUTPUT);
    process::set_standard_streams(&output.doing(doing)?).doing(doing)?;
    namespace::unshare(namespace::MOUNT).doing(doing)?;
    mount::make_private(Path::new("/")).doing(doing)?;
    let root = composition.mount(&work.store, work.state, work.user)?;
    mount::attach(&root, Path::new("/system")).doing(doing)?;
    for (name, root) in &composition.roots {
        let place = Path::new("/run/nival/roots").join(name);
        if place.is_dir() {
            mount::attach(&root.mount(&work.store, work.state, work.user)?, &place).doing(doing)?;
        }
    }
    std::env::set_current_dir("/").doing(doing)?;
    let words: Vec<&OsStr> = preflight.command.iter().map(OsStr::new).collect();
    let program = words.first().copied().unwrap_or(OsStr::new("/usr/bin/true"));
    let environment = [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"), ("LANG", "C.UTF-8")];
    Err(Error::io(doing(), &process::exec(program, &words, &environment)))
}
