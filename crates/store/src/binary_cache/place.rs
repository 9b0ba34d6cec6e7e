//! Where a cache's files lie: a folder, or behind a web server.

use crate::error::{Doing as _, Error};
use crate::remote_error::RemoteError;
use nival_sys::{fault, fs as sys};
use nival_transport::{FailureKind, Transport};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest that anything but an archive may be.
const SMALL: u64 = 64 * 1024 * 1024;

/// Where a cache's files lie.
pub(super) enum Place {
    Folder(PathBuf),
    Http { base: String, transport: Arc<Transport> },
}

/// A file of a cache that is being written; it has its name only when it is whole.
pub(super) struct NewFile<'a> {
    temporary: PathBuf,
    place: &'a Place,
    file: File,
}

impl Place {
    /// A whole small file; `None` where there is none.
    pub(super) fn small(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Folder(folder) => {
                let path = below(folder, name)?;
                let doing = || format!("read `{}`", path.display());
                let file = match File::open(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other.doing(doing)?,
                };
                let mut bytes = Vec::new();
                file.take(SMALL).read_to_end(&mut bytes).doing(doing)?;
                Ok(Some(bytes))
            }
            Self::Http { base, transport } => absent(transport.get(&joined(base, name), SMALL)),
        }
    }

    /// The bytes of a file while they arrive; `None` where there is none.
    pub(super) fn open(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Error> {
        match self {
            Self::Folder(folder) => {
                let path = below(folder, name)?;
                match File::open(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    other => Ok(Some(Box::new(other.doing(|| format!("read `{}`", path.display()))?))),
                }
            }
            Self::Http { base, transport } => {
                let stream = absent(transport.stream(&joined(base, name)))?;
                Ok(stream.map(|stream| Box::new(stream) as Box<dyn Read>))
            }
        }
    }

    /// Whether there is a file of that name.
    pub(super) fn has(&self, name: &str) -> Result<bool, Error> {
        match self {
            Self::Folder(folder) => Ok(below(folder, name)?.exists()),
            Self::Http { .. } => Ok(self.small(name)?.is_some()),
        }
    }

    /// Writes a small file in place of what was there.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.create()?;
        file.write_all(bytes).doing(|| format!("write `{name}`"))?;
        file.publish(name)
    }

    /// Begins a file whose name is known later. What goes to a server is made in the temporary folder before.
    pub(super) fn create(&self) -> Result<NewFile<'_>, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = format!("{}.{count}.new", std::process::id());
        let temporary = match self {
            Self::Folder(folder) => folder.join("nar").join(format!(".{own}")),
            Self::Http { .. } => std::env::temp_dir().join(format!("nival-upload-{own}")),
        };
        let doing = || format!("write `{}`", temporary.display());
        if let Some(parent) = temporary.parent() {
            sys::create_dir_all(parent).doing(doing)?;
        }
        sys::remove_file(&temporary).doing(doing)?;
        let mode = if self.folder().is_some() { 0o644 } else { 0o600 };
        let file = sys::create_new(&temporary, mode).doing(doing)?;
        Ok(NewFile { temporary, place: self, file })
    }

    /// The folder, where it is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Http { .. } => None,
        }
    }
}

impl NewFile<'_> {
    /// Gives the file its name, in place of what was there.
    pub(super) fn publish(self, name: &str) -> Result<(), Error> {
        match self.place {
            Place::Folder(folder) => {
                let target = below(folder, name)?;
                let doing = || format!("write `{}`", target.display());
                if let Some(parent) = target.parent() {
                    sys::create_dir_all(parent).doing(doing)?;
                }
                sys::rename(&self.temporary, &target).doing(doing)
            }
            Place::Http { base, transport } => {
                let sent = transport.put(&joined(base, name), &self.temporary, kind_of(name));
                let sent = sent.map_err(RemoteError::Transport)?;
                Ok(sent
                    .map_err(|why| RemoteError::cache(base, format!("it does not take `{name}`: {why}")))?)
            }
        }
    }
}

/// What a server is told of the contents of a file.
fn kind_of(name: &str) -> &'static str {
    let is_below = |folder: &str| name.starts_with(folder);
    match name.rsplit_once('.') {
        Some((_, "narinfo")) => "text/x-nix-narinfo",
        _ if is_below("nar/") => "application/x-nix-nar",
        _ if is_below("log/") => "text/plain; charset=utf-8",
        Some((_, "ls" | "doi")) => "application/json",
        _ if name == "nix-cache-info" => "text/x-nix-cache-info",
        _ => "application/octet-stream",
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        // Nothing is there where the file has its name.
        let _ = sys::remove_file(&self.temporary);
    }
}

impl Write for NewFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::point("write", &self.temporary)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A name below a folder; one that leads out of it is refused, since it may come from a narinfo of anybody's.
fn below(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || name.contains('\0') || !plain {
        let text = format!("the name `{name}` leads out of the cache");
        return Err(RemoteError::cache(&format!("file://{}", folder.display()), text).into());
    }
    Ok(folder.join(path))
}

/// The address of a file: relative to the cache, or absolute by itself.
fn joined(base: &str, name: &str) -> String {
    if name.starts_with("http://") || name.starts_with("https://") {
        return name.to_owned();
    }
    match name.strip_prefix('/') {
        Some(_) => {
            let host = base.find("://").map_or(0, |at| at + 3);
            let end = base[host..].find('/').map_or(base.len(), |at| host + at);
            format!("{}{name}", &base[..end])
        }
        None => format!("{base}/{name}"),
    }
}

/// Separates what is not there from what cannot be had. Stores of the S3 kind say 403 for the former.
fn absent<T>(result: Result<T, nival_transport::Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(nival_transport::Error::Unavailable { failures, .. })
            if failures
                .iter()
                .all(|failure| matches!(failure.kind, FailureKind::NotFound | FailureKind::Status(403))) =>
        {
            Ok(None)
        }
        Err(error) => Err(RemoteError::Transport(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_cache() {
        let folder = Path::new("/cache");
        for name in ["", "..", "../x", "nar/../../x", "/etc/passwd", "./x/../.."] {
            assert!(below(folder, name).is_err(), "{name}");
        }
        assert!(below(folder, "nar/x.nar.xz").is_ok_and(|path| path == Path::new("/cache/nar/x.nar.xz")));
    }

    #[test]
    fn addresses_are_joined_as_links_are() {
        for (name, wanted) in [
            ("nar/x", "http://h:1/c/nar/x"),
            ("/nar/x", "http://h:1/nar/x"),
            ("https://other/x", "https://other/x"),
        ] {
            assert_eq!(joined("http://h:1/c", name), wanted);
        }
    }
}
