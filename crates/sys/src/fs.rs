//! Files and folders. Reading calls are std's own; changing calls pass a fault point.

pub mod folder;
pub mod removal;

use crate::fault;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use std::fs::{metadata, read, read_dir, read_link, read_to_string, symlink_metadata};

/// How much is read at a time where the size is not asked for.
const PIECE: usize = 32 << 10;

/// As [`read`], without asking for the size first: one call of the system less for each of many small files.
///
/// # Errors
/// As [`read`].
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut contents = Vec::new();
    loop {
        contents.reserve(PIECE.max(contents.len()));
        let spare = || rustix::io::read(&file, rustix::buffer::spare_capacity(&mut contents));
        if rustix::io::retry_on_intr(spare)? == 0 {
            return Ok(contents);
        }
    }
}

/// Makes the names of temporary files differ between threads.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn kill_self() {
    // SAFETY: both calls take plain integers.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
    }
}

/// Adds the path to an error's text: std's own errors do not name it.
pub fn at<T>(path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), PathError { path: path.to_owned(), error }))
}

#[derive(Debug)]
struct PathError {
    path: PathBuf,
    error: io::Error,
}

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for PathError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Makes a folder and its parents.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::point("mkdir", &path)?;
    at(path, std::fs::create_dir_all(path))
}

/// Makes one folder; fails where something is already.
pub fn create_dir(path: &Path) -> io::Result<()> {
    fault::point("mkdir", &path)?;
    at(path, std::fs::create_dir(path))
}

/// Makes a new file to write to; fails where something is already.
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    fault::point("create", &path)?;
    at(path, OpenOptions::new().write(true).create_new(true).mode(mode).open(path))
}

/// Opens a file to append to, making it where it is missing.
pub fn append(path: &Path) -> io::Result<File> {
    fault::point("append", &path)?;
    at(path, OpenOptions::new().append(true).create(true).open(path))
}

/// Opens a file to read and write, making it where it is missing; contents are kept.
pub fn open_rw(path: &Path) -> io::Result<File> {
    fault::point("open", &path)?;
    at(path, OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path))
}

/// Opens a file of this user's alone to read and write, making it where it is missing; contents are kept.
pub fn open_private(path: &Path) -> io::Result<File> {
    fault::point("open", &path)?;
    let mut options = OpenOptions::new();
    at(path, options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path))
}

/// Writes a file in place of what was there: readers see the old or the new contents, also after a crash.
pub fn write_atomic(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!(".{name}.{}.{count}.new", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let mut file = create_new(&temporary, mode)?;
    let result = fault::point("write", &path)
        .and_then(|()| at(path, file.write_all(contents)))
        .and_then(|()| at(path, file.set_permissions(std::fs::Permissions::from_mode(mode))))
        .and_then(|()| sync(&file))
        .and_then(|()| rename(&temporary, path))
        .and_then(|()| sync_dir(folder));
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// Writes a file in place of what was there, for what can be made again: a crash of the system may leave it damaged, so
/// readers must notice that.
pub fn write_kept(path: &Path, contents: &[u8]) -> io::Result<()> {
    fault::point("write", &path)?;
    let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.{count}.new", std::process::id()));
    let result = std::fs::write(&temporary, contents).and_then(|()| std::fs::rename(&temporary, path));
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    at(path, result)
}

/// Gives a file a length for which the disk has room, making it where it is missing.
pub fn reserve(path: &Path, length: u64) -> io::Result<()> {
    let file = open_private(path)?;
    fault::point("write", &path)?;
    at(path, file.set_len(0))?;
    at(
        path,
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, length.max(1))
            .map_err(io::Error::from),
    )?;
    at(path, file.set_len(length))
}

/// Waits until a file's contents are on the disk.
pub fn sync(file: &File) -> io::Result<()> {
    fault::point("fsync", &"file")?;
    file.sync_all()
}

/// Waits until a folder's entries are on the disk.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    fault::point("fsync", &path)?;
    at(path, File::open(path).and_then(|folder| folder.sync_all()))
}

/// Bytes that this user may still write to a path's file system.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let found = at(path, rustix::fs::statvfs(path).map_err(io::Error::from))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Waits until everything that was written to a path's file system is on the disk.
pub fn sync_file_system(path: &Path) -> io::Result<()> {
    fault::point("fsync", &path)?;
    at(path, File::open(path).and_then(|file| rustix::fs::syncfs(file).map_err(io::Error::from)))
}

/// Renames, replacing a file that is there.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::point("rename", &to)?;
    at(to, std::fs::rename(from, to))
}

/// Makes a symbolic link; fails where something is already.
pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    fault::point("symlink", &link)?;
    at(link, std::os::unix::fs::symlink(target, link))
}

/// Makes a symbolic link in place of what was there, in one step.
pub fn symlink_atomic(target: &Path, link: &Path) -> io::Result<()> {
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let temporary = link.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    symlink(target, &temporary)?;
    rename(&temporary, link)
}

/// Makes a second name of a file.
pub fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    fault::point("link", &to)?;
    at(to, std::fs::hard_link(from, to))
}

/// Sets the permission bits.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fault::point("chmod", &path)?;
    at(path, std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)))
}

/// Removes a file or link; one that is not there is fine.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fault::point("unlink", &path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at(path, other),
    }
}

/// Removes a tree, also one whose folders are read-only; one that is not there is fine. Links are not followed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    fault::point("rmtree", &path)?;
    let kind = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => at(path, other)?.file_type(),
    };
    if !kind.is_dir() {
        return at(path, std::fs::remove_file(path));
    }
    make_writable(path)?;
    at(path, std::fs::remove_dir_all(path))
}

fn make_writable(folder: &Path) -> io::Result<()> {
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    for entry in at(folder, std::fs::read_dir(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Sets the modification time in seconds since 1970, of a link itself too.
pub fn set_modified(path: &Path, seconds: i64) -> io::Result<()> {
    fault::point("utimens", &path)?;
    date(path, seconds)
}

fn date(path: &Path, seconds: i64) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: 0 },
    };
    at(path, utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from))
}

/// Makes a symbolic link with a modification time, as one change; fails where something is already.
pub fn symlink_dated(target: &Path, link: &Path, seconds: i64) -> io::Result<()> {
    symlink(target, link)?;
    date(link, seconds)
}

/// Sets the permission bits and the modification time of a folder that nothing more goes into, as one change.
pub fn seal_dir(path: &Path, mode: u32, seconds: i64) -> io::Result<()> {
    fault::point("chmod", &path)?;
    at(path, std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)))?;
    date(path, seconds)
}

/// Writes a new file that need not survive a crash of the system; fails where something is already.
pub fn write_new(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut file = create_new(path, mode)?;
    fault::point("write", &path)?;
    at(path, file.write_all(contents))?;
    at(path, file.set_permissions(std::fs::Permissions::from_mode(mode)))
}

/// Copies a file's contents to a new file; fails where something is already.
pub fn copy_new(from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let mut source = at(from, File::open(from))?;
    let mut file = create_new(to, mode | 0o200)?;
    fault::point("write", &to)?;
    at(to, io::copy(&mut source, &mut file))?;
    at(to, file.set_permissions(std::fs::Permissions::from_mode(mode)))
}

/// Whether this process may write to a path, by its effective ids.
#[must_use]
pub fn may_write(path: &std::ffi::CStr) -> bool {
    // SAFETY: the path is a C string that lives through the call.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK, libc::AT_EACCESS) == 0 }
}

/// Writes a setting of the kernel.
pub fn write_setting(path: &Path, value: &str) -> io::Result<()> {
    fault::point("setting", &path)?;
    at(path, std::fs::write(path, value))
}

/// Whether systemd marked a control group as one that it leaves to its owner.
#[must_use]
pub fn is_delegated(group: &Path) -> bool {
    ["user.delegate", "trusted.delegate"].into_iter().any(|name| {
        let mut value = [0u8; 8];
        rustix::fs::getxattr(group, name, &mut value[..]).is_ok_and(|length| value[..length] == *b"1")
    })
}

#[cfg(test)]
mod tests {
    use super::{PIECE, read_small};

    #[test]
    fn files_of_any_size_are_read_whole() {
        let folder = tempfile::tempdir().expect("it can be done");
        let path = folder.path().join("file");
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7] {
            let contents: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &contents).expect("it can be done");
            assert_eq!(read_small(&path).expect("it can be done"), contents);
        }
        let folder = read_small(folder.path()).expect_err("a folder has no contents");
        assert_eq!(folder.kind(), std::io::ErrorKind::IsADirectory);
    }
}
