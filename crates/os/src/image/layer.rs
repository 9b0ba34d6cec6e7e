//! Layers of an image: folders as compressed tar archives, entries in order, owners as declared, no times.

use crate::Error;
use crate::compose::{OwnedFolder, Store};
use crate::error::Doing as _;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A layer in memory's place: its bytes, and the digest of what they hold uncompressed.
pub struct Blob {
    /// The compressed archive.
    pub bytes: Vec<u8>,
    /// The hexadecimal SHA-256 of the archive as it was before.
    pub plain: String,
}

/// What earlier layers hold, so that nothing comes twice.
#[derive(Default)]
pub struct Tree {
    taken: BTreeMap<PathBuf, ()>,
}

/// Something that no package brings.
pub struct Extra {
    path: String,
    what: What,
}

enum What {
    /// A folder with its mode, user and group.
    Folder(u32, u32, u32),
    /// A link with its target.
    Link(&'static str),
}

/// Declared folders, with their owners.
pub fn declared(folders: &[OwnedFolder]) -> Vec<Extra> {
    let extra = |folder: &OwnedFolder| Extra {
        path: folder.path.trim_start_matches('/').to_owned(),
        what: What::Folder(folder.mode, folder.user, folder.group),
    };
    folders.iter().map(extra).collect()
}

/// What every system has at its root.
pub fn skeleton() -> Vec<Extra> {
    let folder = |path: &str, mode| Extra { path: path.to_owned(), what: What::Folder(mode, 0, 0) };
    let link = |path: &str, target| Extra { path: path.to_owned(), what: What::Link(target) };
    vec![
        link("bin", "usr/bin"),
        link("sbin", "usr/sbin"),
        link("lib", "usr/lib"),
        link("lib64", "usr/lib64"),
        folder("dev", 0o755),
        folder("proc", 0o555),
        folder("sys", 0o555),
        folder("run", 0o755),
        folder("root", 0o700),
        folder("home", 0o755),
        folder("tmp", 0o1777),
        folder("var", 0o755),
        folder("var/tmp", 0o1777),
        folder("var/log", 0o755),
        folder("var/lib", 0o755),
        folder("var/cache", 0o755),
        link("var/run", "/run"),
        link("var/lock", "/run/lock"),
    ]
}

struct Hashing<W: Write> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

type Archive = tar::Builder<Hashing<GzEncoder<Vec<u8>>>>;

fn begin() -> Archive {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = tar::Builder::new(Hashing { inner: encoder, digest: Sha256::new() });
    archive.mode(tar::HeaderMode::Deterministic);
    archive
}

fn end(archive: Archive) -> std::io::Result<Blob> {
    let hashing = archive.into_inner()?;
    let plain = crate::names::hex(&hashing.digest.finalize());
    Ok(Blob { bytes: hashing.inner.finish()?, plain })
}

impl Tree {
    /// One archive of several folders, the first of which hides what the others have under the same names.
    pub fn archive(&mut self, folders: &[PathBuf], extra: &[Extra]) -> Result<Blob, Error> {
        let mut entries: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for folder in folders {
            gather(folder, Path::new(""), &mut entries).doing(|| format!("read `{}`", folder.display()))?;
        }
        let mut archive = begin();
        let mut write = || -> std::io::Result<()> {
            for one in extra {
                entries.remove(Path::new(&one.path));
                add_extra(&mut archive, one)?;
                self.taken.insert(PathBuf::from(&one.path), ());
            }
            for (path, source) in &entries {
                let metadata = source.symlink_metadata()?;
                // A folder may come again, to hold more; a file of an upper layer hides this one.
                if self.taken.insert(path.clone(), ()).is_some() && !metadata.is_dir() {
                    continue;
                }
                add(&mut archive, path, source, &metadata)?;
            }
            Ok(())
        };
        write().doing(|| "write a layer of the image".to_owned())?;
        end(archive).doing(|| "write a layer of the image".to_owned())
    }

    /// An archive of paths of the store.
    pub fn store_archive(&mut self, store: &Store, paths: &[String]) -> Result<Blob, Error> {
        let mut entries: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for path in paths {
            let (name, source) = (Path::new(path.trim_start_matches('/')), store.physical(path));
            entries.insert(name.to_owned(), source.clone());
            if source.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                gather(&source, name, &mut entries).doing(|| format!("read `{path}`"))?;
            }
        }
        let mut archive = begin();
        let mut write = || -> std::io::Result<()> {
            for (path, source) in &entries {
                add(&mut archive, path, source, &source.symlink_metadata()?)?;
            }
            Ok(())
        };
        write().doing(|| "write a layer of the image".to_owned())?;
        end(archive).doing(|| "write a layer of the image".to_owned())
    }
}

/// Lists what is below a folder, by its name in the image; names that are known stay as they are.
fn gather(folder: &Path, name: &Path, entries: &mut BTreeMap<PathBuf, PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = name.join(entry.file_name());
        let kind = entry.file_type()?;
        // Links at the top lead into a machine's own folders.
        let top = name.parent() == Some(Path::new(""));
        // Of a machine, not of an image: which one it is, and what is shown in it.
        let own = name == Path::new("etc/machine-id") || name.as_os_str() == crate::compose::MARK;
        if own || top && kind.is_symlink() {
            continue;
        }
        entries.entry(name.clone()).or_insert_with(|| entry.path());
        if kind.is_dir() {
            gather(&entry.path(), &name, entries)?;
        }
    }
    Ok(())
}

fn header(kind: tar::EntryType, mode: u32, metadata: Option<&std::fs::Metadata>) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1);
    let owner = |id: u32| u64::from(if id == nival_sys::process::user_id() { 0 } else { id });
    header.set_uid(metadata.map_or(0, |metadata| owner(metadata.uid())));
    header.set_gid(metadata.map_or(0, |metadata| owner(metadata.gid())));
    header.set_size(0);
    header
}

fn add_extra(archive: &mut Archive, extra: &Extra) -> std::io::Result<()> {
    match extra.what {
        What::Folder(mode, user, group) => {
            let mut header = header(tar::EntryType::Directory, mode, None);
            header.set_uid(user.into());
            header.set_gid(group.into());
            archive.append_data(&mut header, &extra.path, std::io::empty())
        }
        What::Link(target) => {
            archive.append_link(&mut header(tar::EntryType::Symlink, 0o777, None), &extra.path, target)
        }
    }
}

fn add(
    archive: &mut Archive,
    path: &Path,
    source: &Path,
    metadata: &std::fs::Metadata,
) -> std::io::Result<()> {
    if metadata.is_symlink() {
        let target = std::fs::read_link(source)?;
        return archive.append_link(
            &mut header(tar::EntryType::Symlink, 0o777, Some(metadata)),
            path,
            target,
        );
    }
    // Files of the store are read-only there; in the image their owner may write.
    let mode = metadata.mode() & 0o7777 | 0o200;
    if metadata.is_dir() {
        let mut header = header(tar::EntryType::Directory, mode, Some(metadata));
        return archive.append_data(&mut header, path, std::io::empty());
    }
    if !metadata.is_file() || path.as_os_str().as_bytes().is_empty() {
        return Ok(());
    }
    let mut header = header(tar::EntryType::Regular, mode, Some(metadata));
    header.set_size(metadata.len());
    archive.append_data(&mut header, path, std::fs::File::open(source)?)
}
