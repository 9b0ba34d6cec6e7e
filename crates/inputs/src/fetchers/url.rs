//! URLs as references to inputs spell them: RFC 3986, with the few liberties that Nix takes.

use super::error::Error;
use std::collections::BTreeMap;
use std::fmt;

/// What stands between `//` and the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// The user, with the password behind a colon where there is one, as written.
    pub user: Option<String>,
    /// The host, with the brackets of an IPv6 address, as written.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
}

/// A URL in its parts; path and query are decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// Such as `git+https`.
    pub scheme: String,
    /// Host, user and port, where there is a `//`.
    pub authority: Option<Authority>,
    /// The path between slashes; an absolute one begins with an empty segment.
    pub path: Vec<String>,
    /// The parameters.
    pub query: BTreeMap<String, String>,
    /// What stands behind `#`.
    pub fragment: String,
}

fn is_unreserved(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"-._~".contains(&c)
}

fn is_path_character(c: u8) -> bool {
    is_unreserved(c) || b"!$&'()*+,;=:@".contains(&c)
}

/// Escapes everything but unreserved characters and those of `keep`.
pub fn encode(text: &str, keep: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) || keep.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Resolves `%XX`.
///
/// # Errors
/// [`Error::Reference`] where an escape is malformed.
pub fn decode(text: &str) -> Result<String, Error> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digit = |at: usize| bytes.get(at).and_then(|c| char::from(*c).to_digit(16));
            let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                return Err(Error::Reference(format!("malformed escape in `{text}`")));
            };
            decoded.push((high << 4 | low) as u8);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).map_err(|_| Error::Reference(format!("`{text}` is no UTF-8 text")))
}

/// Reads `a=1&b=2`; parameters without `=` are left out, and the first of two equal names counts.
///
/// # Errors
/// [`Error::Reference`].
pub fn decode_query(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut query = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if let Some((name, value)) = pair.split_once('=') {
            query.entry(decode(name)?).or_insert(decode(value)?);
        }
    }
    Ok(query)
}

fn check(text: &str, part: &str, more: &[u8], url: &str) -> Result<(), Error> {
    let fine = |c: u8| is_path_character(c) || c == b'%' || more.contains(&c);
    if text.bytes().all(fine) {
        return Ok(());
    }
    Err(Error::Reference(format!("`{url}` is not a URL: its {part} has a character that must be escaped")))
}

impl Url {
    /// Reads a URL; with `lenient`, spaces and quotes may stand unescaped in the query and the fragment.
    ///
    /// # Errors
    /// [`Error::Reference`].
    pub fn parse(text: &str, lenient: bool) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Reference(format!("`{text}` is not a URL: {why}"));
        let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong("it has no scheme"))?;
        let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !named || !scheme.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c)) {
            return Err(wrong("it has no scheme"));
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (query_more, fragment_more): (&[u8], &[u8]) =
            if lenient { (b"/? \"", b"/? \"^") } else { (b"/?", b"/?") };
        check(query, "query", query_more, text)?;
        check(fragment, "fragment", fragment_more, text)?;
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(Authority::parse(authority, text)?), path)
            }
            None => (None, rest),
        };
        check(path, "path", b"/", text)?;
        let is_file = scheme.rsplit('+').next() == Some("file");
        if is_file && let Some(authority) = authority.as_ref().filter(|a| !a.host.is_empty()) {
            return Err(wrong(&format!("a file has no host, `{}`", authority.host)));
        }
        let path = if is_file && path.is_empty() { "/" } else { path };
        Ok(Self {
            scheme: scheme.to_owned(),
            authority,
            path: path.split('/').map(decode).collect::<Result<_, _>>()?,
            query: decode_query(query)?,
            fragment: decode(fragment)?,
        })
    }

    /// The scheme in front of a `+`, and the one behind it.
    pub fn schemes(&self) -> (Option<&str>, &str) {
        match self.scheme.split_once('+') {
            Some((application, transport)) => (Some(application), transport),
            None => (None, &self.scheme),
        }
    }

    /// The segments of the path that are not empty.
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).filter(|segment| !segment.is_empty()).collect()
    }

    /// The path as one of the file system.
    ///
    /// # Errors
    /// [`Error::Reference`] where a segment cannot be the name of a file.
    pub fn file_path(&self) -> Result<String, Error> {
        for segment in &self.path {
            if segment.contains(['/', '\0']) {
                return Err(Error::Reference(format!("`{segment}` cannot be the name of a file")));
            }
        }
        let mut path = String::new();
        for (at, segment) in self.path.iter().enumerate() {
            if at > 0 && !path.ends_with('/') && (at > 1 || !self.path[0].is_empty() || path.is_empty()) {
                path.push('/');
            }
            path.push_str(segment);
        }
        Ok(path)
    }

    /// A URL of a scheme for a path of the file system.
    pub fn of_file(scheme: &str, path: &str) -> Self {
        let authority = path.starts_with('/').then(Authority::default);
        let path = path.split('/').map(str::to_owned).collect();
        Self { scheme: scheme.to_owned(), authority, path, ..Self::default() }
    }
}

impl Authority {
    fn parse(text: &str, url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Reference(format!("`{url}` is not a URL: {why}"));
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, text),
        };
        check(user.as_deref().unwrap_or(""), "user", b"", url)?;
        let after_host = place.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match place[after_host..].rfind(':') {
            Some(at) => (&place[..after_host + at], &place[after_host + at + 1..]),
            None => (place, ""),
        };
        let port = match port {
            "" => None,
            port => Some(port.parse::<u16>().map_err(|_| wrong(&format!("port `{port}` is invalid")))?),
        };
        check(host.trim_start_matches('[').trim_end_matches(']'), "host", b"", url)?;
        Ok(Self { user, host: host.to_owned(), port })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(Authority { user, host, port }) = &self.authority {
            f.write_str("//")?;
            if let Some(user) = user {
                write!(f, "{user}@")?;
            }
            f.write_str(host)?;
            if let Some(port) = port {
                write!(f, ":{port}")?;
            }
        }
        let path: Vec<String> = self.path.iter().map(|segment| encode(segment, ":@")).collect();
        f.write_str(&path.join("/"))?;
        for (at, (name, value)) in self.query.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            write!(f, "{mark}{}={}", encode(name, ":@/?"), encode(value, ":@/?"))?;
        }
        if !self.fragment.is_empty() {
            write!(f, "#{}", encode(&self.fragment, ""))?;
        }
        Ok(())
    }
}

/// Makes a URL of what git takes as one: `user@host:path` and plain paths too.
///
/// # Errors
/// [`Error::Reference`].
pub fn fix_git_url(text: &str) -> Result<Url, Error> {
    let mut text = text.to_owned();
    if !text.starts_with('/')
        && let Some(colon) = text.rfind(':')
        && let Some(at) = text[..colon].rfind('@')
        && !text[..at].contains('/')
    {
        text = format!("ssh://{}@{}/{}", &text[..at], &text[at + 1..colon], &text[colon + 1..]);
    }
    if !text.starts_with("file:") && !text.starts_with("git+file:") && !text.contains("://") {
        if text.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err(Error::Reference(format!(
                "`{text}` is no URL that is supported: write `ssh://host/path`"
            )));
        }
        return Ok(Url::of_file("file", &text));
    }
    let mut url = Url::parse(&text, false)?;
    if let (Some("git"), transport) = url.schemes() {
        url.scheme = transport.to_owned();
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_printed_as_they_are_read() {
        for text in [
            "https://user:pw@example.org:8080/a/b%20c?x=1&y=2#frag",
            "path:./relative/dir",
            "git+file:///home/me/repo?ref=main",
            "flake:nixpkgs/release",
            "http://[::1]:80/x",
            "github:owner/repo/branch?dir=sub/dir",
        ] {
            assert_eq!(Url::parse(text, false).expect(text).to_string(), text);
        }
        for text in ["no scheme", "./path:x", "file://host/path", "http://h:99999/", "a:b c", "a:%zz"] {
            assert!(Url::parse(text, false).is_err(), "{text}");
        }
        assert!(Url::parse("a:b?x=a b", true).is_ok());
    }

    #[test]
    fn paths_of_files() {
        let path = |text: &str| Url::parse(text, false).and_then(|url| url.file_path()).expect(text);
        assert_eq!(path("path:./a/b"), "./a/b");
        assert_eq!(path("path:/a//b"), "/a/b");
        assert_eq!(path("file:///"), "/");
        assert_eq!(path("path:a/"), "a/");
        assert_eq!(path("path:"), "");
    }

    #[test]
    fn git_urls_are_fixed() {
        let fixed = |text: &str| fix_git_url(text).expect(text).to_string();
        assert_eq!(fixed("git@host.org:me/repo.git"), "ssh://git@host.org/me/repo.git");
        assert_eq!(fixed("/home/me/repo"), "file:///home/me/repo");
        assert_eq!(fixed("relative/repo"), "file:relative/repo");
        assert_eq!(fixed("git+https://host/repo"), "https://host/repo");
        assert!(fix_git_url("host.org:me/repo").is_err());
    }
}
