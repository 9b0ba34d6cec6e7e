//! Names and passwords for hosts, from a netrc file.

use crate::Error;
use std::io::ErrorKind;
use std::path::Path;

/// One entry of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Machine {
    /// The host; `None` for the entry `default`.
    host: Option<String>,
    login: String,
    password: String,
}

/// The entries of a netrc file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Netrc(Vec<Machine>);

impl Netrc {
    /// Reads the file; one that is missing has no entries.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::Setup { what: path.display().to_string(), reason: error.to_string() }),
        }
    }

    fn parse(text: &str) -> Self {
        let mut all: Vec<Machine> = Vec::new();
        let mut words =
            text.lines().map(|line| line.split(" #").next().unwrap_or("")).flat_map(str::split_whitespace);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or("").to_owned();
            match (word, all.last_mut()) {
                ("machine", _) => {
                    let host = Some(value());
                    all.push(Machine { host, ..Default::default() });
                }
                ("default", _) => all.push(Machine::default()),
                ("login", Some(machine)) => machine.login = value(),
                ("password", Some(machine)) => machine.password = value(),
                _ => {}
            }
        }
        Self(all)
    }

    /// The value of the header `Authorization` for a host.
    pub(crate) fn authorization(&self, host: &str) -> Option<String> {
        let machine =
            self.0.iter().find(|m| m.host.as_deref().is_none_or(|h| h.eq_ignore_ascii_case(host)))?;
        Some(basic(&machine.login, &machine.password))
    }
}

/// The value of the header `Authorization` for a name and password.
pub(crate) fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{login}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let number = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let fits = digit <= chunk.len();
            let value = DIGITS[(number >> (18 - 6 * digit) & 63) as usize];
            text.push(if fits { char::from(value) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_find_their_entry() {
        let netrc =
            Netrc::parse("machine a.example login me password secret\ndefault login x\npassword y # more");
        assert_eq!(netrc.authorization("A.example").as_deref(), Some("Basic bWU6c2VjcmV0"));
        assert_eq!(netrc.authorization("b.example").as_deref(), Some("Basic eDp5"));
        assert_eq!(Netrc::parse("machine a login b").authorization("c"), None);
    }

    #[test]
    fn base64_pads() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|t| base64(t.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
