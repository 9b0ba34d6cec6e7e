//! One request: HTTP by an agent, or a file that is opened.

use crate::netrc::{Netrc, basic};
use crate::resolver::RememberingResolver;
use crate::{Error, FailureKind, Options};
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy, ResponseExt as _};

/// Makes requests.
#[derive(Debug)]
pub(crate) struct Client {
    http: Agent,
    https: Agent,
    netrc: Netrc,
}

/// What an address hands out.
pub(crate) struct Answer {
    /// Where in the file it begins: 0, or what was asked for.
    pub(crate) start: u64,
    /// The length of the whole file, where the server says it.
    pub(crate) total: Option<u64>,
    /// The bytes.
    pub(crate) body: Box<dyn Read>,
}

/// What a server says of an address as a whole.
#[derive(Default)]
pub(crate) struct Reply {
    /// The address after all redirections.
    pub(crate) address: String,
    /// The mark of this version of the file.
    pub(crate) etag: Option<String>,
    /// The header `Link`.
    pub(crate) link: Option<String>,
    /// The length, where the server says it.
    pub(crate) length: Option<u64>,
    /// The bytes; `None` where the file is still the one that was named.
    pub(crate) body: Option<Box<dyn Read>>,
}

/// Where an address leads.
enum Place {
    Http { secure: bool, address: String, authorization: Option<String> },
    File(PathBuf),
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let netrc = options.netrc.as_deref().map_or_else(|| Ok(Netrc::default()), Netrc::read)?;
        let roots = options.certificates.as_deref().map(read_certificates).transpose()?;
        let proxies = &options.proxies;
        Ok(Self {
            http: agent(options, proxies.http.as_deref(), roots.clone())?,
            https: agent(options, proxies.https.as_deref(), roots)?,
            netrc,
        })
    }

    /// Asks for what is at an address, whole, with further headers; or for what it answers to what is sent there.
    pub(crate) fn ask(
        &self,
        address: &str,
        headers: &[(String, String)],
        sent: Option<&[u8]>,
    ) -> Result<Reply, FailureKind> {
        let (secure, address, authorization) = match self.place(address)? {
            Place::File(path) => {
                let Answer { body, .. } = open_file(&path, 0)?;
                return Ok(Reply { address: address.to_owned(), body: Some(body), ..Reply::default() });
            }
            Place::Http { secure, address, authorization } => (secure, address, authorization),
        };
        let agent = if secure { &self.https } else { &self.http };
        let own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let authorization = authorization.filter(|_| !own).map(|text| ("Authorization".to_owned(), text));
        let headers = headers.iter().chain(&authorization);
        let response = match sent {
            None => {
                headers.fold(agent.get(&address), |request, (name, value)| request.header(name, value)).call()
            }
            Some(sent) => headers
                .fold(agent.post(&address), |request, (name, value)| request.header(name, value))
                .send(sent),
        };
        let response = response.map_err(|error| failure(&error))?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (etag, link) = (header("ETag"), header("Link"));
        let length = header("Content-Length").and_then(|length| length.parse().ok());
        let address = response.get_uri().to_string();
        match response.status().as_u16() {
            200 => {
                let body: Box<dyn Read> = Box::new(response.into_body().into_reader());
                Ok(Reply { address, etag, link, length, body: Some(body) })
            }
            304 => Ok(Reply { address, etag, link, length: None, body: None }),
            404 | 410 => Err(FailureKind::NotFound),
            status => Err(FailureKind::Status(status)),
        }
    }

    /// Puts a file at an address.
    pub(crate) fn put(&self, address: &str, file: &Path, kind: &str) -> Result<(), FailureKind> {
        let Place::Http { secure, address, authorization } = self.place(address)? else {
            return Err(FailureKind::Malformed("nothing is sent to a file".to_owned()));
        };
        let agent = if secure { &self.https } else { &self.http };
        let broken = |error: io::Error| FailureKind::Broken(error.to_string());
        let file = File::open(file).map_err(broken)?;
        let length = file.metadata().map_err(broken)?.len();
        // Some servers take nothing whose length is not known.
        let mut request = agent.put(&address).header("Content-Type", kind).header("Content-Length", length);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let response = request.send(file).map_err(|error| failure(&error))?;
        match response.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(FailureKind::Status(status)),
        }
    }

    /// Asks for what is at an address, from `start` on where that can be had.
    pub(crate) fn open(&self, address: &str, start: u64) -> Result<Answer, FailureKind> {
        match self.place(address)? {
            Place::File(path) => open_file(&path, start),
            Place::Http { secure, address, authorization } => {
                self.open_http(secure, &address, authorization, start)
            }
        }
    }

    fn place(&self, address: &str) -> Result<Place, FailureKind> {
        if let Some(path) = address.strip_prefix("file://") {
            return Ok(Place::File(PathBuf::from(decoded(path))));
        }
        if address.starts_with('/') {
            return Ok(Place::File(PathBuf::from(address)));
        }
        let (scheme, rest) =
            address.split_once("://").ok_or_else(|| FailureKind::Malformed("no scheme".to_owned()))?;
        let secure = match scheme {
            "http" => false,
            "https" => true,
            other => return Err(FailureKind::Malformed(format!("unknown scheme `{other}`"))),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) =
            authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let authorization = match user {
            Some(user) => {
                let (login, password) = user.split_once(':').unwrap_or((user, ""));
                Some(basic(login, password))
            }
            None => self.netrc.authorization(bare.map_or(host, |(host, _)| host)),
        };
        Ok(Place::Http { secure, address: format!("{scheme}://{host}{path}"), authorization })
    }

    fn open_http(
        &self,
        secure: bool,
        address: &str,
        authorization: Option<String>,
        start: u64,
    ) -> Result<Answer, FailureKind> {
        let agent = if secure { &self.https } else { &self.http };
        let mut request = agent.get(address);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        if start > 0 {
            request = request.header("Range", format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let length = response.headers().get("Content-Length").and_then(|value| value.to_str().ok());
        let length: Option<u64> = length.and_then(|length| length.parse().ok());
        match status {
            200 => Ok(Answer { start: 0, total: length, body: Box::new(response.into_body().into_reader()) }),
            206 => {
                let range = response.headers().get("Content-Range").and_then(|value| value.to_str().ok());
                let begins = range
                    .and_then(|range| range.strip_prefix("bytes "))
                    .and_then(|range| range.split('-').next());
                if begins.and_then(|begins| begins.parse().ok()) != Some(start) {
                    return Err(FailureKind::Broken("the server hands out another part".to_owned()));
                }
                let total = length.map(|length| start + length);
                Ok(Answer { start, total, body: Box::new(response.into_body().into_reader()) })
            }
            404 | 410 => Err(FailureKind::NotFound),
            _ => Err(FailureKind::Status(status)),
        }
    }
}

/// A path with its escapes (`%20`) resolved.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn agent(options: &Options, proxy: Option<&str>, roots: Option<RootCerts>) -> Result<Agent, Error> {
    let proxy = match proxy.filter(|proxy| !proxy.is_empty()) {
        None => None,
        Some(text) => Some(make_proxy(text, options.proxies.none_for.as_deref())?),
    };
    let mut tls = TlsConfig::builder();
    if let Some(roots) = roots {
        tls = tls.root_certs(roots);
    }
    let config = Agent::config_builder()
        .user_agent(&options.user_agent)
        .accept_encoding("identity")
        .http_status_as_error(false)
        .max_idle_connections_per_host(options.parallel.max(1))
        .timeout_resolve(Some(options.timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_recv_response(Some(options.timeout))
        .timeout_per_read(Some(options.timeout))
        .proxy(proxy)
        .tls_config(tls.build())
        .build();
    Ok(Agent::with_parts(config, DefaultConnector::default(), RememberingResolver::default()))
}

fn make_proxy(text: &str, none_for: Option<&str>) -> Result<Proxy, Error> {
    let wrong = |reason: String| Error::Setup { what: text.to_owned(), reason };
    let proxy = Proxy::new(text).map_err(|error| wrong(error.to_string()))?;
    let Some(none_for) = none_for else { return Ok(proxy) };
    let mut builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    if let Some(name) = proxy.username() {
        builder = builder.username(name);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    for host in none_for.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(host);
    }
    builder.build().map_err(|error| wrong(error.to_string()))
}

fn read_certificates(path: &Path) -> Result<RootCerts, Error> {
    let wrong = |reason: String| Error::Setup { what: path.display().to_string(), reason };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(RootCerts::from(certificates))
}

fn open_file(path: &Path, start: u64) -> Result<Answer, FailureKind> {
    let found = File::open(path).and_then(|mut file| {
        let size = file.metadata()?.len();
        let start = if start <= size { start } else { 0 };
        file.seek(SeekFrom::Start(start))?;
        Ok(Answer { start, total: Some(size), body: Box::new(file) as Box<dyn Read> })
    });
    found.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FailureKind::NotFound,
        _ => FailureKind::Broken(error.to_string()),
    })
}

fn failure(error: &ureq::Error) -> FailureKind {
    match error {
        ureq::Error::BadUri(reason) => FailureKind::Malformed(reason.clone()),
        ureq::Error::Io(error) if is_broken(error) => FailureKind::Broken(error.to_string()),
        ureq::Error::Io(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(_)
        | ureq::Error::ConnectProxyFailed(_) => FailureKind::Unreachable(error.to_string()),
        other => FailureKind::Broken(other.to_string()),
    }
}

fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::InvalidData
    )
}
