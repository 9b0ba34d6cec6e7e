//! A file whose size and hash nobody knows yet, with what the server says of it.

use crate::client::Reply;
use crate::download::{CHUNK, FIRST_PAUSE, LONGEST_PAUSE, may_pass, rest, shown};
use crate::{Error, Failure, FailureKind, Progress, Transport};
use nival_sys::{fault, fs};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Where it is: `http://`, `https://` or `file://`.
    pub address: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What is sent to the server, by `POST`; without it the server is asked by `GET`.
    pub body: Option<Vec<u8>>,
    /// The mark of the version that is known already.
    pub etag: Option<String>,
    /// Where it is to be; what is there is replaced.
    pub to: PathBuf,
}

/// What the server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The address after all redirections.
    pub address: String,
    /// The mark of this version of the file.
    pub etag: Option<String>,
    /// An address that always hands out this version.
    pub immutable: Option<String>,
    /// False where the version is still the one that was known; then nothing was written.
    pub modified: bool,
}

/// Fetches, and tries again where that may help.
pub(crate) fn run(
    transport: &Transport,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Response, Error> {
    let mut tries_left = transport.options.retries;
    let mut pause = FIRST_PAUSE;
    loop {
        let kind = match once(transport, request, progress)? {
            Ok(response) => return Ok(response),
            Err(kind) => kind,
        };
        if !may_pass(&kind) || tries_left == 0 {
            let failures = vec![Failure { address: shown(&request.address), kind }];
            return Err(Error::Unavailable { name: shown(&request.address), failures });
        }
        tries_left -= 1;
        rest(transport, pause)?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn once(
    transport: &Transport,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Result<Response, FailureKind>, Error> {
    let mut headers = request.headers.clone();
    if let Some(etag) = request.etag.as_ref().filter(|etag| !etag.is_empty()) {
        headers.push(("If-None-Match".to_owned(), etag.clone()));
    }
    let reply = match transport.client.ask(&request.address, &headers, request.body.as_deref()) {
        Ok(reply) => reply,
        Err(kind) => return Ok(Err(kind)),
    };
    let Reply { address, etag, link, length, body } = reply;
    let immutable = link.as_deref().and_then(immutable);
    let same = etag.is_some() && etag == request.etag;
    let Some(mut body) = body.filter(|_| !same) else {
        return Ok(Ok(Response { address, etag, immutable, modified: false }));
    };
    fs::remove_file(&request.to)?;
    let mut file = fs::create_new(&request.to, 0o644)?;
    let mut buffer = vec![0; CHUNK];
    let mut arrived = 0;
    loop {
        if transport.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(FailureKind::Broken(error.to_string()))),
        };
        fault::point("write", &request.to)?;
        fs::at(&request.to, file.write_all(&buffer[..count]))?;
        arrived += count as u64;
        progress.advance(count as i64);
    }
    if length.is_some_and(|length| length > arrived) {
        return Ok(Err(FailureKind::Broken("it ended early".to_owned())));
    }
    Ok(Ok(Response { address, etag, immutable, modified: true }))
}

/// The address of a header such as `<https://...>; rel="immutable"`.
fn immutable(link: &str) -> Option<String> {
    link.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_marked = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=\"immutable\"" | "rel=immutable"));
        is_marked.then(|| address.to_owned())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn links_that_never_change_are_found() {
        let found = |text: &str| super::immutable(text);
        assert_eq!(found("<http://a/x.tar>; rel=\"immutable\"").as_deref(), Some("http://a/x.tar"));
        assert_eq!(found("<http://a>; rel=\"next\", <http://b>; rel=immutable").as_deref(), Some("http://b"));
        assert_eq!(found("<http://a>; rel=\"next\""), None);
    }
}
