//! Large files: what git LFS keeps beside a repository, and the repository only points to.
//!
//! Each comes from the storage of a repository on this machine where it lies there, otherwise from the server, by the
//! batch interface of git LFS. What came is kept in the user's cache under its hash.

use super::program::{Git, output};
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::fetch::{Fetcher, Staged, read};
use crate::fetchers::url::{Url, fix_git_url};
use nival_store_model::{Algorithm, Hasher};
use nival_sys::fs;
use nival_transport::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that is this large is no pointer.
const LONGEST_POINTER: u64 = 1024;
/// How many files a server is asked for at a time.
const AT_ONCE: usize = 100;
const KIND: &str = "application/vnd.git-lfs+json";

/// What stands in a repository for a large file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pointer {
    /// The SHA-256 of the contents, in hexadecimal digits.
    hash: String,
    size: u64,
}

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        if !text.starts_with("version https://git-lfs.github.com/spec/v1") {
            return None;
        }
        let field = |name: &str| text.lines().filter_map(|line| line.strip_prefix(name)).next_back();
        let (hash, size) = (field("oid sha256:")?, field("size ")?);
        let is_hash = hash.len() == 64 && hash.bytes().all(|c| c.is_ascii_hexdigit());
        (is_hash && size.bytes().all(|c| c.is_ascii_digit()))
            .then(|| Some(Self { hash: hash.to_ascii_lowercase(), size: size.parse().ok()? }))?
    }

    /// Where a storage of git LFS has the contents.
    fn below(&self, storage: &Path) -> PathBuf {
        storage.join(&self.hash[..2]).join(&self.hash[2..4]).join(&self.hash)
    }
}

/// Puts the contents of large files where a tree that was written has pointers to them.
pub(super) fn fill(
    fetcher: &Fetcher,
    git: &Git,
    revision: &str,
    remote: Option<&str>,
    tree: &Path,
) -> Result<(), Error> {
    let mut wanted: BTreeMap<Pointer, Vec<PathBuf>> = BTreeMap::new();
    for path in filtered(git, revision)? {
        let file = tree.join(OsStr::from_bytes(&path));
        let Ok(metadata) = file.symlink_metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let text = if metadata.len() < LONGEST_POINTER { read(&file)? } else { Vec::new() };
        match Pointer::parse(&String::from_utf8_lossy(&text)) {
            Some(pointer) => wanted.entry(pointer).or_default().push(file),
            None => {
                let shown = String::from_utf8_lossy(&path).into_owned();
                fetcher.warn(format!(
                    "`{shown}` should be a pointer of git LFS, and is none: it is taken as it is"
                ));
            }
        }
    }
    let store = Store { fetcher, git, remote, kept: fetcher.settings.cache.join("git-lfs") };
    store.bring(&wanted.keys().collect::<Vec<_>>())?;
    for (pointer, files) in &wanted {
        for file in files {
            let mode = file.metadata().at(file)?.permissions().mode() & 0o777;
            fs::remove_file(file).at(file)?;
            fs::copy_new(&store.kept.join(&pointer.hash), file, mode).at(file)?;
        }
    }
    Ok(())
}

/// The files whose attribute `filter` is `lfs`.
fn filtered(git: &Git, revision: &str) -> Result<Vec<Vec<u8>>, Error> {
    let listed =
        git.bytes(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision], "list a tree")?;
    let arguments = ["check-attr", "--source", revision, "-z", "--stdin", "filter"];
    let answer = git.with_input(&arguments, listed, "read attributes")?;
    let fields: Vec<&[u8]> = answer.split(|c| *c == 0).collect();
    let large = fields.chunks_exact(3).filter(|fields| fields[2] == b"lfs");
    Ok(large.map(|fields| fields[0].to_vec()).collect())
}

/// Where contents come from and are kept.
struct Store<'s> {
    fetcher: &'s Fetcher,
    git: &'s Git,
    remote: Option<&'s str>,
    kept: PathBuf,
}

/// A server, and the header that lets us in.
struct Server {
    address: String,
    authorization: Option<String>,
}

fn failed(doing: &str, said: impl Into<String>) -> Error {
    Error::Program { doing: doing.to_owned(), said: said.into() }
}

impl Store<'_> {
    /// Brings what is not kept yet.
    fn bring(&self, pointers: &[&Pointer]) -> Result<(), Error> {
        let mut missing = Vec::new();
        let storages = self.storages();
        for pointer in pointers {
            if self.kept.join(&pointer.hash).exists() {
                continue;
            }
            match storages.iter().map(|storage| pointer.below(storage)).find(|file| file.is_file()) {
                Some(file) => self.keep(pointer, &file)?,
                None => missing.push(*pointer),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let server = self.server()?;
        for pointers in missing.chunks(AT_ONCE) {
            self.download(&server, pointers)?;
        }
        Ok(())
    }

    /// The folders of this machine where a repository may have contents.
    fn storages(&self) -> Vec<PathBuf> {
        let own = self.git.maybe(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let remote = self.remote.and_then(|remote| Url::parse(remote, false).ok());
        let remote = remote.filter(|url| url.scheme == "file").and_then(|url| url.file_path().ok());
        own.into_iter().chain(remote).map(|folder| Path::new(&folder).join("lfs/objects")).collect()
    }

    /// Keeps contents, once they are known to be the right ones.
    fn keep(&self, pointer: &Pointer, from: &Path) -> Result<(), Error> {
        let mut file = std::fs::File::open(from).at(from)?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).at(from)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        let got = hasher.finish().base16();
        if got != pointer.hash {
            let (input, attribute) = (from.display().to_string(), "oid".to_owned());
            return Err(Error::Mismatch { input, attribute, wanted: pointer.hash.clone(), got });
        }
        fs::create_dir_all(&self.kept).at(&self.kept)?;
        let staged = Staged(self.kept.join(format!("{}.{}", pointer.hash, std::process::id())));
        fs::remove_file(&staged.0).at(&staged.0)?;
        fs::copy_new(from, &staged.0, 0o644).at(&staged.0)?;
        let kept = self.kept.join(&pointer.hash);
        fs::rename(&staged.0, &kept).at(&kept)
    }

    /// The server that belongs to the repository.
    fn server(&self) -> Result<Server, Error> {
        let doing = "find the server of the large files";
        let configured =
            |name: &str| self.git.maybe(&["config", "--get", name]).filter(|text| !text.is_empty());
        if let Some(address) = configured("lfs.url") {
            return Ok(Server { address, authorization: None });
        }
        let remote = self.remote.map(str::to_owned).or_else(|| configured("remote.origin.url"));
        let remote = remote.ok_or_else(|| failed(doing, "the repository has no remote `origin`"))?;
        let url = fix_git_url(&remote)?;
        match url.scheme.as_str() {
            "ssh" => login(&url),
            "http" | "https" => {
                let address = url.to_string();
                Ok(Server {
                    address: format!("{}/info/lfs", address.trim_end_matches('/')),
                    authorization: None,
                })
            }
            _ => Err(failed(
                doing,
                format!("`{remote}` has none, and the files do not lie in its folder `lfs`"),
            )),
        }
    }

    fn download(&self, server: &Server, pointers: &[&Pointer]) -> Result<(), Error> {
        let doing = format!("ask `{}` for large files", server.address);
        let objects: Vec<Value> =
            pointers.iter().map(|pointer| json!({ "oid": pointer.hash, "size": pointer.size })).collect();
        let body = json!({ "operation": "download", "transfers": ["basic"], "objects": objects }).to_string();
        let staged = Staged(self.fetcher.staging("lfs-answer"));
        let mut headers =
            vec![("Accept".to_owned(), KIND.to_owned()), ("Content-Type".to_owned(), KIND.to_owned())];
        headers.extend(server.authorization.iter().map(|text| ("Authorization".to_owned(), text.clone())));
        let address = format!("{}/objects/batch", server.address);
        let request = Request {
            address,
            headers,
            body: Some(body.into_bytes()),
            to: staged.0.clone(),
            ..Request::default()
        };
        self.fetcher.request(&request)?;
        let answer: Value =
            serde_json::from_slice(&read(&staged.0)?).map_err(|error| failed(&doing, error.to_string()))?;
        let objects =
            answer["objects"].as_array().ok_or_else(|| failed(&doing, "its answer has no `objects`"))?;
        for pointer in pointers {
            let object =
                objects.iter().find(|object| object["oid"] == pointer.hash && object["size"] == pointer.size);
            let object =
                object.ok_or_else(|| failed(&doing, format!("it says nothing of `{}`", pointer.hash)))?;
            self.download_one(pointer, object, &doing)?;
        }
        Ok(())
    }

    fn download_one(&self, pointer: &Pointer, object: &Value, doing: &str) -> Result<(), Error> {
        let action = &object["actions"]["download"];
        let Some(address) = action["href"].as_str() else {
            let said =
                object["error"]["message"].as_str().unwrap_or("it does not say where the contents are");
            return Err(failed(doing, format!("`{}`: {said}", pointer.hash)));
        };
        let headers = action["header"].as_object().into_iter().flatten();
        let headers =
            headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        let staged = Staged(self.fetcher.staging("lfs"));
        let request =
            Request { address: address.to_owned(), headers, to: staged.0.clone(), ..Request::default() };
        self.fetcher.request(&request)?;
        self.keep(pointer, &staged.0)
    }
}

/// Asks a machine by ssh where its server of large files is.
fn login(url: &Url) -> Result<Server, Error> {
    let authority = url.authority.clone().unwrap_or_default();
    // What looks like an option would be taken as one.
    if authority.host.starts_with('-') {
        return Err(Error::Reference(format!("`{}` is no name of a machine", authority.host)));
    }
    let user = authority.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let mut command = Command::new("ssh");
    if let Some(port) = authority.port {
        command.arg(format!("-p{port}"));
    }
    command.args([&format!("{user}{}", authority.host), "--", "git-lfs-authenticate"]);
    command.args([&url.file_path()?, "download"]);
    let doing = format!("ask `{}` for its server of large files", authority.host);
    let said = output(&mut command, &doing)?;
    let answer: Value = serde_json::from_slice(&said).map_err(|error| failed(&doing, error.to_string()))?;
    let address = answer["href"].as_str().ok_or_else(|| failed(&doing, "its answer has no `href`"))?;
    let authorization = answer["header"]["Authorization"].as_str().map(str::to_owned);
    Ok(Server { address: address.to_owned(), authorization })
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn pointers_are_told_from_other_files() {
        let hash = "f5e02aa71e67f41d79023a128ca35bad86cf7b6656967bfe0884b3a3c4325eaf";
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize 12\n");
        assert_eq!(Pointer::parse(&text), Some(Pointer { hash: hash.to_owned(), size: 12 }));
        for wrong in [
            text.replace("size 12", "size x"),
            text.replace("f5e0", "zzzz"),
            text.replace("v1", "w1"),
            String::new(),
        ] {
            assert_eq!(Pointer::parse(&wrong), None, "{wrong}");
        }
    }
}
