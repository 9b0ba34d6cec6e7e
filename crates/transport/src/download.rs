//! One file: try, go on after a break, check, put in place.

use crate::{Download, Error, Failure, FailureKind, Progress, Transport};
use nival_sys::{fault, fs};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const CHUNK: usize = 64 * 1024;
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(200);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What has arrived of a file: its part on the disk, and the hash of it so far.
struct Part<'p> {
    file: File,
    path: PathBuf,
    hash: Sha256,
    length: u64,
    progress: &'p dyn Progress,
}

/// Fetches a file to its place.
pub(crate) fn run(transport: &Transport, download: &Download, progress: &dyn Progress) -> Result<(), Error> {
    if is_there(download)? {
        progress.advance(download.size.unwrap_or(0) as i64);
        progress.file_done(&download.name);
        return Ok(());
    }
    let mut part = Part::open(&download.to, progress)?;
    if is_there(download)? {
        fs::remove_file(&part.path)?;
        progress.file_done(&download.name);
        return Ok(());
    }
    let mut failures = Vec::new();
    for address in &download.addresses {
        match from_address(transport, download, address, &mut part)? {
            Ok(()) => {
                fs::rename(&part.path, &download.to)?;
                progress.file_done(&download.name);
                return Ok(());
            }
            Err(kind) => failures.push(Failure { address: shown(address), kind }),
        }
    }
    Err(Error::Unavailable { name: download.name.clone(), failures })
}

/// True where the file stands at its place with the right size and hash.
fn is_there(download: &Download) -> Result<bool, Error> {
    let mut file = match File::open(&download.to) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let length = file.metadata()?.len();
    if download.size.is_some_and(|size| size != length) {
        return Ok(false);
    }
    match download.sha256 {
        None => Ok(download.size.is_some()),
        Some(wanted) => {
            let mut hash = Sha256::new();
            hash_rest(&mut file, &mut hash)?;
            Ok(hash.finalize().as_slice() == wanted.as_slice())
        }
    }
}

fn hash_rest(file: &mut File, hash: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(length);
        }
        hash.update(&buffer[..count]);
        length += count as u64;
    }
}

/// Tries one address as often as makes sense; the outer error ends everything.
fn from_address(
    transport: &Transport,
    download: &Download,
    address: &str,
    part: &mut Part<'_>,
) -> Result<Result<(), FailureKind>, Error> {
    let mut tries_left = transport.options.retries;
    let mut pause = FIRST_PAUSE;
    loop {
        let before = part.length;
        let resumed = before > 0;
        let kind = match transfer(transport, download, address, part)? {
            Ok(()) => match check(download, part)? {
                None => return Ok(Ok(())),
                Some(kind) => {
                    part.restart()?;
                    if !resumed {
                        return Ok(Err(kind));
                    }
                    kind
                }
            },
            Err(kind) => kind,
        };
        if part.length > before {
            tries_left = transport.options.retries;
        }
        if !may_pass(&kind) && !resumed || tries_left == 0 {
            return Ok(Err(kind));
        }
        tries_left -= 1;
        rest(transport, pause)?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

pub(crate) fn may_pass(kind: &FailureKind) -> bool {
    match kind {
        FailureKind::Unreachable(_) | FailureKind::Broken(_) => true,
        FailureKind::Status(status) => *status >= 500 || matches!(*status, 408 | 416 | 429),
        _ => false,
    }
}

/// Waits, and wakes up when cancelled.
pub(crate) fn rest(transport: &Transport, pause: Duration) -> Result<(), Error> {
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while waited < pause {
        if transport.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        std::thread::sleep(step);
        waited += step;
    }
    Ok(())
}

/// Reads from an address to the end, on from what has arrived.
fn transfer(
    transport: &Transport,
    download: &Download,
    address: &str,
    part: &mut Part<'_>,
) -> Result<Result<(), FailureKind>, Error> {
    if download.size.is_some_and(|size| part.length > size) {
        part.restart()?;
    }
    if download.size.is_some_and(|size| size == part.length && size > 0) {
        return Ok(Ok(()));
    }
    let mut answer = match transport.client.open(address, part.length) {
        Ok(answer) => answer,
        Err(kind) => {
            if kind == FailureKind::Status(416) {
                part.restart()?;
            }
            return Ok(Err(kind));
        }
    };
    if answer.start != part.length {
        part.restart()?;
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        if transport.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let count = match answer.body.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(FailureKind::Broken(error.to_string()))),
        };
        if count == 0 {
            let short = answer.total.is_some_and(|total| part.length < total);
            return Ok(if short { Err(FailureKind::Broken("it ended early".to_owned())) } else { Ok(()) });
        }
        part.append(&buffer[..count])?;
        if let Some(wanted) = download.size.filter(|size| part.length > *size) {
            let got = part.length;
            part.restart()?;
            return Ok(Err(FailureKind::Size { wanted, got }));
        }
    }
}

/// What is wrong with a file that has arrived, if anything.
fn check(download: &Download, part: &Part<'_>) -> Result<Option<FailureKind>, Error> {
    if let Some(wanted) = download.size.filter(|size| *size != part.length) {
        return Ok(Some(FailureKind::Size { wanted, got: part.length }));
    }
    let got = part.hash.clone().finalize();
    Ok(download
        .sha256
        .filter(|wanted| got.as_slice() != wanted.as_slice())
        .map(|wanted| FailureKind::Hash { wanted: hex(&wanted), got: hex(got.as_slice()) }))
}

impl<'p> Part<'p> {
    /// Opens what has arrived earlier, and waits while another process works on it.
    fn open(to: &Path, progress: &'p dyn Progress) -> Result<Self, Error> {
        let mut name = to.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        loop {
            let mut file = fs::open_rw(&path)?;
            file.lock()?;
            let same = std::fs::metadata(&path).is_ok_and(|now| is_same(&now, &file));
            if !same && !is_moved(&path, to) {
                continue;
            }
            let mut hash = Sha256::new();
            let length = hash_rest(&mut file, &mut hash)?;
            progress.advance(length as i64);
            return Ok(Self { file, path, hash, length, progress });
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        fault::point("write", &self.path)?;
        fs::at(&self.path, self.file.write_all(bytes))?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        self.progress.advance(bytes.len() as i64);
        Ok(())
    }

    /// Throws away what has arrived.
    fn restart(&mut self) -> Result<(), Error> {
        fault::point("truncate", &self.path)?;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hash = Sha256::new();
        self.progress.advance(-(self.length as i64));
        self.length = 0;
        Ok(())
    }
}

fn is_same(now: &std::fs::Metadata, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|held| held.ino() == now.ino() && held.dev() == now.dev())
}

/// True where another process has just put the whole file in place.
fn is_moved(path: &Path, to: &Path) -> bool {
    !path.exists() && to.exists()
}

/// Fetches something small into memory.
pub(crate) fn get(transport: &Transport, address: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let mut tries_left = transport.options.retries;
    let mut pause = FIRST_PAUSE;
    loop {
        let kind = match get_once(transport, address, limit) {
            Ok(bytes) => return Ok(bytes),
            Err(kind) => kind,
        };
        if !may_pass(&kind) || tries_left == 0 {
            let failures = vec![Failure { address: shown(address), kind }];
            return Err(Error::Unavailable { name: shown(address), failures });
        }
        tries_left -= 1;
        rest(transport, pause)?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn get_once(transport: &Transport, address: &str, limit: u64) -> Result<Vec<u8>, FailureKind> {
    let answer = transport.client.open(address, 0)?;
    let mut bytes = Vec::new();
    let read = answer.body.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| FailureKind::Broken(error.to_string()))?;
    if bytes.len() as u64 > limit { Err(FailureKind::TooLarge(limit)) } else { Ok(bytes) }
}

/// An address without a name and password in it.
pub(crate) fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{}", &rest[end..]),
        None => address.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
