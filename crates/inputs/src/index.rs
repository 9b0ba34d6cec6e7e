//! Fetching the signed indices of a repository.

use crate::{ARCHITECTURE, Error, Inputs, Keys, verify_release};
use nival_debian::{ListedFile, Release};
use nival_sys::fs;
use nival_transport::{Download, NoProgress, Progress};
use sha2::{Digest as _, Sha256};
use std::io::Read;
use std::path::Path;

/// No release is larger than this.
const RELEASE_LIMIT: u64 = 16 << 20;
/// A release may be made this many seconds in the future: clocks differ.
const CLOCK_SKEW: i64 = 86_400;

/// A repository whose indices are to be read.
pub(crate) struct IndexSource<'a> {
    /// What messages and the lock call it.
    pub(crate) name: String,
    /// Addresses that have it, tried in order.
    pub(crate) mirrors: Vec<String>,
    /// The suite; a folder of its own where it ends in `/`.
    pub(crate) suite: String,
    /// The components.
    pub(crate) components: Vec<String>,
    /// The keys that may have signed it.
    pub(crate) keys: &'a Keys,
    /// Whether source packages are wanted, too.
    pub(crate) with_sources: bool,
}

/// A repository's signed indices.
pub(crate) struct Indices {
    /// What the suite says of itself.
    pub(crate) release: Release,
    /// The texts of its `Packages`, one for each component.
    pub(crate) packages: Vec<String>,
    /// The texts of its `Sources`, where they are wanted and it has some.
    pub(crate) sources: Vec<String>,
}

impl IndexSource<'_> {
    /// The folder of the suite below a mirror.
    fn folder(&self, mirror: &str) -> String {
        let mirror = mirror.trim_end_matches('/');
        match self.suite.strip_suffix('/') {
            Some("." | "") => mirror.to_owned(),
            Some(folder) => format!("{mirror}/{}", folder.trim_start_matches("./")),
            None => format!("{mirror}/dists/{}", self.suite),
        }
    }

    /// The name as part of a file's name; several repositories can have the same index.
    fn file_name(&self) -> String {
        self.name
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '-' })
            .collect()
    }

    /// Fetches and checks the indices, from the first mirror that has them.
    pub(crate) fn fetch(&self, inputs: &Inputs<'_>, progress: &dyn Progress) -> Result<Indices, Error> {
        let mut first = None;
        for mirror in &self.mirrors {
            match self.fetch_from(inputs, mirror, progress) {
                Ok(indices) => return Ok(indices),
                Err(error @ Error::Transport(nival_transport::Error::Cancelled)) => return Err(error),
                Err(error) => first.get_or_insert(error),
            };
        }
        Err(first.unwrap_or(Error::NoMirror))
    }

    fn fetch_from(
        &self,
        inputs: &Inputs<'_>,
        mirror: &str,
        progress: &dyn Progress,
    ) -> Result<Indices, Error> {
        let folder = self.folder(mirror);
        let address = format!("{folder}/InRelease");
        let release =
            self.read_release(&inputs.transport.get(&address, RELEASE_LIMIT)?, &address, inputs.now)?;
        let paths: Vec<String> = if self.suite.ends_with('/') {
            vec!["Packages".to_owned()]
        } else {
            self.components
                .iter()
                .map(|component| format!("{component}/binary-{ARCHITECTURE}/Packages"))
                .collect()
        };
        let mut packages = Vec::new();
        for path in paths {
            packages.push(self.fetch_index(inputs, &folder, &release, &path, progress)?);
        }
        let mut sources = Vec::new();
        for component in self.components.iter().filter(|_| self.with_sources) {
            let path = format!("{component}/source/Sources");
            if release.files.contains_key(&path) {
                sources.push(self.fetch_index(inputs, &folder, &release, &path, progress)?);
            }
        }
        Ok(Indices { release, packages, sources })
    }

    /// Checks the signature, the time and the suite of a release.
    fn read_release(&self, bytes: &[u8], address: &str, now: i64) -> Result<Release, Error> {
        let repository = || self.name.clone();
        let text = String::from_utf8_lossy(bytes);
        let signed = verify_release(&text, self.keys, now).map_err(|problem| Error::Signature {
            repository: repository(),
            address: address.to_owned(),
            problem,
        })?;
        let release = Release::parse(&signed)
            .map_err(|error| Error::Index { repository: repository(), reason: error.to_string() })?;
        let out_of_date =
            |limit| Error::OutOfDate { repository: repository(), address: address.to_owned(), limit, now };
        if let Some(limit) = release.valid_until.filter(|limit| *limit < now) {
            return Err(out_of_date(limit));
        }
        if let Some(date) = release.date.filter(|date| *date > now + CLOCK_SKEW) {
            return Err(out_of_date(date));
        }
        let flat = self.suite.ends_with('/');
        if !flat && release.suite != self.suite && release.codename != self.suite {
            let got = if release.codename.is_empty() { release.suite } else { release.codename };
            return Err(Error::WrongSuite { repository: repository(), wanted: self.suite.clone(), got });
        }
        Ok(release)
    }

    /// Reads an index from the cache, or fetches the smallest form of it.
    fn fetch_index(
        &self,
        inputs: &Inputs<'_>,
        folder: &str,
        release: &Release,
        path: &str,
        progress: &dyn Progress,
    ) -> Result<String, Error> {
        let plain = release.files.get(path).ok_or_else(|| Error::Index {
            repository: self.name.clone(),
            reason: format!("it lists no `{path}`"),
        })?;
        let cached = inputs.cache.join(hex(&plain.sha256));
        if let Some(text) = read_cached(&cached, plain) {
            return Ok(text);
        }
        fs::create_dir_all(&inputs.cache).map_err(|error| Error::disk(&inputs.cache, error))?;
        let (form, listed) = [".xz", ".gz", ""]
            .iter()
            .find_map(|form| Some((*form, release.files.get(&format!("{path}{form}"))?)))
            .unwrap_or(("", plain));
        let bytes = self.download(inputs, folder, release, &format!("{path}{form}"), listed, progress)?;
        let text = decompress(form, &bytes, plain).map_err(|reason| Error::Index {
            repository: self.name.clone(),
            reason: format!("`{path}{form}`: {reason}"),
        })?;
        fs::write_atomic(&cached, text.as_bytes(), 0o644).map_err(|error| Error::disk(&cached, error))?;
        Ok(text)
    }

    fn download(
        &self,
        inputs: &Inputs<'_>,
        folder: &str,
        release: &Release,
        path: &str,
        listed: &ListedFile,
        progress: &dyn Progress,
    ) -> Result<Vec<u8>, Error> {
        let hash = hex(&listed.sha256);
        let mut addresses = vec![format!("{folder}/{path}")];
        if release.by_hash {
            let parent = path.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("{parent}/"));
            addresses.insert(0, format!("{folder}/{parent}by-hash/SHA256/{hash}"));
        }
        let download = Download {
            name: format!("{} of {}", path.rsplit('/').next().unwrap_or(path), self.name),
            addresses,
            size: Some(listed.size),
            sha256: Some(listed.sha256),
            to: inputs.cache.join(format!("{hash}.{}.download", self.file_name())),
        };
        let to = download.to.clone();
        inputs.transport.download_all(std::slice::from_ref(&download), progress)?;
        let bytes = std::fs::read(&to).map_err(|error| Error::disk(&to, error))?;
        fs::remove_file(&to).map_err(|error| Error::disk(&to, error))?;
        Ok(bytes)
    }
}

fn read_cached(path: &Path, listed: &ListedFile) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let same =
        bytes.len() as u64 == listed.size && Sha256::digest(&bytes).as_slice() == listed.sha256.as_slice();
    if same { String::from_utf8(bytes).ok() } else { None }
}

/// Unpacks an index; no more of it than the release says there is.
fn decompress(form: &str, bytes: &[u8], plain: &ListedFile) -> Result<String, String> {
    let reader: Box<dyn Read + '_> = match form {
        ".xz" => Box::new(liblzma::read::XzDecoder::new_multi_decoder(bytes)),
        ".gz" => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        _ => Box::new(bytes),
    };
    let mut text = Vec::with_capacity(usize::try_from(plain.size.min(1 << 28)).unwrap_or(0));
    reader.take(plain.size + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 != plain.size || Sha256::digest(&text).as_slice() != plain.sha256.as_slice() {
        return Err("it is not what the release lists".to_owned());
    }
    String::from_utf8(text).map_err(|_| "it is no UTF-8".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fetches the indices of several repositories at the same time; the first fault in their order is told.
pub(crate) fn fetch_all(
    inputs: &Inputs<'_>,
    sources: &[IndexSource<'_>],
    progress: &dyn Progress,
) -> Result<Vec<Indices>, Error> {
    let progress: &dyn Progress = if sources.is_empty() { &NoProgress } else { progress };
    let results: Vec<Result<Indices, Error>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            sources.iter().map(|source| scope.spawn(move || source.fetch(inputs, progress))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.into_iter().collect()
}
