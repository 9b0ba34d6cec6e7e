//! As much of HTTP as a health check asks for: one GET, the status, the beginning of the page.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// How much of a page is read.
const MOST: u64 = 4 * 1024 * 1024;

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub status: u16,
    pub body: String,
}

/// Asks for a page of this machine.
pub(super) fn get(url: &str, host: Option<&str>, time: Duration) -> Result<Page, String> {
    let (address, name, path) = parse(url)?;
    let fail = |error: std::io::Error| format!("`{url}` does not answer: {error}");
    let mut stream = TcpStream::connect_timeout(&address, time).map_err(fail)?;
    stream.set_read_timeout(Some(time)).map_err(fail)?;
    stream.set_write_timeout(Some(time)).map_err(fail)?;
    let host = host.unwrap_or(&name);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: nival-check\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(fail)?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).map_err(fail)?;
    page(&answer).ok_or_else(|| format!("`{url}` does not answer in HTTP"))
}

fn page(answer: &[u8]) -> Option<Page> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Page { status, body: String::from_utf8_lossy(&answer[end + 4..]).into_owned() })
}

/// The address to connect to, the name to ask for, and the path.
fn parse(url: &str) -> Result<(SocketAddr, String, String), String> {
    let bad = || format!("`{url}` is not of the form `http://ADDRESS[:PORT]/PATH`");
    let rest = url.strip_prefix("http://").ok_or_else(bad)?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| (&rest[..at], &rest[at..]));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
        _ => (authority, 80),
    };
    let numeric = host.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = if numeric == "localhost" {
        IpAddr::from([127, 0, 0, 1])
    } else {
        numeric.parse().map_err(|_| bad())?
    };
    Ok((SocketAddr::new(ip, port), authority.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let (address, name, path) = parse("http://localhost:8080/a?b").unwrap();
        assert_eq!(
            (address.to_string().as_str(), name.as_str(), path.as_str()),
            ("127.0.0.1:8080", "localhost:8080", "/a?b")
        );
        assert_eq!(parse("http://[::1]").unwrap().0.to_string(), "[::1]:80");
        assert!(parse("https://127.0.0.1/").is_err());
    }

    #[test]
    fn a_page_is_split() {
        let page = page(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nhello").unwrap();
        assert_eq!((page.status, page.body.as_str()), (404, "hello"));
    }
}
