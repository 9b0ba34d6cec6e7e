//! Archives: of files anywhere, and of paths with what is known of them.

use super::{Call, failed};
use crate::dropin::words::usage;
use crate::error::Error;
use nival_store::archive;
use nival_sys::fs as sys;
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes the NAR of a file or folder.
pub fn dump(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let [path] = call.words.as_slice() else { return Err(usage("only one argument allowed")) };
    let mut out = std::io::stdout().lock();
    archive::dump(&PathBuf::from(path), &mut out, None)?;
    out.flush().map_err(|error| failed("write an archive", error))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a NAR and writes its files.
pub fn restore(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let [path] = call.words.as_slice() else { return Err(usage("only one argument allowed")) };
    let path = PathBuf::from(path);
    archive::restore_next(BufReader::with_capacity(1 << 16, std::io::stdin().lock()), &path)?;
    loosen(&path).map_err(|error| failed("write what an archive holds", error))?;
    Ok(ExitCode::SUCCESS)
}

/// Gives files outside of a store the modes that new files have, and this moment as their time.
fn loosen(path: &Path) -> std::io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let executable = metadata.is_dir() || metadata.mode() & 0o100 != 0;
    sys::set_mode(path, if executable { 0o755 } else { 0o644 })?;
    if metadata.is_dir() {
        for entry in path.read_dir()? {
            loosen(&entry?.path())?;
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    sys::set_modified(path, now)
}

/// Writes paths with what is known of them.
pub fn export(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let paths = call.paths()?;
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    call.store()?.export(&paths, &mut out)?;
    out.flush().map_err(|error| failed("write an export", error))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads paths with what is known of them.
pub fn import(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    call.no_words()?;
    let store = call.store()?;
    let mut input = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    for path in store.import(&mut input)? {
        call.print(&store.dir().print(&path));
    }
    Ok(ExitCode::SUCCESS)
}
