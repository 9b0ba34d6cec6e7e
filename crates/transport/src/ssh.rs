//! Programs of other machines, started by the user's own ssh.

use nival_sys::fs;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// A machine that is reached by ssh, and how.
#[derive(Clone, Debug, Default)]
pub struct SshHost {
    /// Its name, perhaps with the user's in front: `USER@HOST`.
    pub destination: String,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// The file of the key that says who is there.
    pub key: Option<PathBuf>,
    /// The line of the machine's own key, such as `ssh-ed25519 AAAA...`; else what ssh knows of the machine counts.
    pub public_key: Option<String>,
    /// Whether what goes to and fro is compressed.
    pub compress: bool,
    /// Further words for ssh.
    pub options: Vec<String>,
}

/// Why a text names no machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadHost(&'static str);

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The file with a machine's own key; it is gone with the last of these.
#[derive(Clone, Debug)]
pub struct KnownHost(Arc<Removed>);

#[derive(Debug)]
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // What stays in the temporary folder does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

impl SshHost {
    /// Reads `[USER@]HOST[:PORT]`.
    ///
    /// # Errors
    /// What ssh would take for an option, and what is empty.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        // An address of version 6 stands in brackets.
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') && (host.ends_with(']') || !host.contains(':')) => {
                (host, Some(port.parse().map_err(|_| BadHost("the port is no number"))?))
            }
            _ => (place, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || user.is_some_and(str::is_empty) {
            return Err(BadHost("it names no machine"));
        }
        if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) {
            return Err(BadHost("the name begins with `-`"));
        }
        let destination = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
        Ok(Self { destination, port, ..Self::default() })
    }

    /// The file that makes the machine's own key known to ssh, where that key was given.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn known_host(&self) -> io::Result<Option<KnownHost>> {
        let Some(key) = &self.public_key else { return Ok(None) };
        let unique = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), key);
        let path = std::env::temp_dir().join(format!("nival-host-{}-{unique:016x}", std::process::id()));
        let host = self.destination.rsplit('@').next().unwrap_or_default();
        let host = self.port.map_or_else(|| host.to_owned(), |port| format!("[{host}]:{port}"));
        fs::write_new(&path, format!("{host} {}\n", key.trim()).as_bytes(), 0o600)?;
        Ok(Some(KnownHost(Arc::new(Removed(path)))))
    }

    /// What starts a program there. For the machine `localhost`, without anything more, it is the program itself.
    pub fn command(&self, known: Option<&KnownHost>, words: &[String]) -> Command {
        if self.destination == "localhost" && self.port.is_none() {
            let mut command = Command::new(words.first().map_or("true", String::as_str));
            command.args(words.get(1..).unwrap_or_default());
            return command;
        }
        let mut command = Command::new("ssh");
        command.arg(&self.destination).arg("-x").args(&self.options);
        if let Some(key) = &self.key {
            command.arg("-i").arg(key);
        }
        if let Some(known) = known {
            command.arg(format!("-oUserKnownHostsFile={}", known.0.0.display()));
        }
        if self.compress {
            command.arg("-C");
        }
        if let Some(port) = self.port {
            command.arg(format!("-p{port}"));
        }
        command.arg("--").args(words);
        command
    }
}

/// Words as a shell takes them apart: by spaces, but not within quotes.
pub fn split_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_named() {
        let host = |text: &str| SshHost::parse(text).map(|host| (host.destination, host.port));
        assert_eq!(host("h"), Ok(("h".to_owned(), None)));
        assert_eq!(host("me@h:22"), Ok(("me@h".to_owned(), Some(22))));
        assert_eq!(host("me@[::1]:22"), Ok(("me@::1".to_owned(), Some(22))));
        assert_eq!(host("fe80::1"), Ok(("fe80::1".to_owned(), None)));
        for bad in ["", "-oProxyCommand=x", "@h", "-u@h", "h:x"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_quoted() {
        assert_eq!(split_words("  -F '/a b' -o\\ x \"\" -p\"1\"2 "), ["-F", "/a b", "-o x", "", "-p12"]);
    }
}
