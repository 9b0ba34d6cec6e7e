//! Reading NAR: events in the order of the stream, nothing kept but the names of the open folders.
//!
//! An archive comes from anywhere, so nothing is believed: every length has a limit or is only
//! counted, every padding is zero, names are single, sorted and plain, and depth is bounded.

use super::{MAGIC, MAX_DEPTH};
use std::fmt;
use std::io::{self, Read};

/// Longest word of the format itself that is read before it is refused.
const MAX_WORD: u64 = 32;
/// Longest name of an entry.
const MAX_NAME: u64 = 255;
/// Longest target of a link.
const MAX_TARGET: u64 = 4095;
/// What C++ Nix appends on case-folding file systems; a name that holds it would be changed there.
const CASE_HACK: &[u8] = b"~nix~case~hack~";

/// One step through an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A folder begins; its entries follow, then [`Event::EndDirectory`].
    Directory,
    /// An entry of the innermost folder; its node follows.
    Entry(Vec<u8>),
    /// A file of that length; its bytes can be read from [`Decoder::contents`] until the next event is asked for.
    File {
        /// Whether it may be run.
        executable: bool,
        /// The bytes that follow.
        length: u64,
    },
    /// A symbolic link to that target.
    Symlink(Vec<u8>),
    /// The innermost folder ends.
    EndDirectory,
}

/// Why bytes are no NAR, and where.
#[derive(Debug)]
pub struct NarError {
    /// The offset in the archive.
    pub at: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with an archive.
#[derive(Debug)]
pub enum Problem {
    /// The input cannot be read.
    Input(io::Error),
    /// The input ends before the archive does.
    Truncated,
    /// It does not begin as an archive does.
    NoArchive,
    /// Another word was due.
    Word {
        /// What was due.
        wanted: &'static str,
        /// What stands there.
        got: String,
    },
    /// A word, name or target is longer than it may be.
    TooLong {
        /// The length that is claimed.
        length: u64,
        /// The longest that is allowed.
        limit: u64,
    },
    /// The bytes that fill up to eight are not zero.
    Padding,
    /// A name is empty, `.` or `..`, or has a slash, a zero byte or the mark of the case hack in it.
    Name(String),
    /// A name does not come behind the one before it.
    Order(String),
    /// A link's target is empty or has a zero byte in it.
    Target(String),
    /// Folders lie too deep in each other.
    Depth,
    /// Something follows the archive.
    Trailing,
}

impl fmt::Display for NarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Input(error) => write!(f, "cannot read the archive: {error}")?,
            Problem::Truncated => f.write_str("the archive ends early")?,
            Problem::NoArchive => f.write_str("the input does not look like a Nix archive")?,
            Problem::Word { wanted, got } => write!(f, "expected {wanted} in the archive, got `{got}`")?,
            Problem::TooLong { length, limit } => {
                write!(f, "a text in the archive is {length} bytes long, more than {limit}")?;
            }
            Problem::Padding => f.write_str("the archive's padding is not zero")?,
            Problem::Name(name) => write!(f, "the archive has a name that cannot be: `{name}`")?,
            Problem::Order(name) => {
                write!(f, "the archive's entries are not sorted, or twice there: `{name}`")?
            }
            Problem::Target(target) => write!(f, "the archive has a link to what cannot be: `{target}`")?,
            Problem::Depth => write!(f, "the archive has more than {MAX_DEPTH} folders in each other")?,
            Problem::Trailing => f.write_str("something follows the archive")?,
        }
        write!(f, " (at byte {})", self.at)
    }
}

impl std::error::Error for NarError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Input(error) => Some(error),
            _ => None,
        }
    }
}

impl From<NarError> for io::Error {
    fn from(error: NarError) -> Self {
        match error.problem {
            Problem::Input(inner) => inner,
            _ => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// What comes next in the stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The magic word.
    Start,
    /// A node.
    Node,
    /// An entry or the end of the innermost folder.
    Entry,
    /// The rest of a file's bytes.
    Contents,
    /// Nothing.
    End,
}

/// Reads one archive. It reads exactly the archive's bytes and nothing behind them, in small steps:
/// give it a reader with a buffer.
pub struct Decoder<R> {
    input: R,
    at: u64,
    due: Due,
    /// For each open folder the name of its last entry.
    open: Vec<Vec<u8>>,
    left: u64,
    padding: u8,
}

impl<R: Read> Decoder<R> {
    /// Reads from there.
    pub fn new(input: R) -> Self {
        Self { input, at: 0, due: Due::Start, open: Vec::new(), left: 0, padding: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// How many folders are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Gives the reader back.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next step; `None` behind the last. Contents that were not read are passed over.
    ///
    /// # Errors
    /// Any [`NarError`]; the decoder is of no more use then.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event>, NarError> {
        if self.due == Due::Contents {
            self.end_contents()?;
        }
        match self.due {
            Due::Start => {
                let wrong = |_| NarError { at: 0, problem: Problem::NoArchive };
                let word = self.text(MAGIC.len() as u64).map_err(|error| match error.problem {
                    Problem::Input(_) => error,
                    _ => wrong(error),
                })?;
                if word != MAGIC.as_bytes() {
                    return Err(NarError { at: 0, problem: Problem::NoArchive });
                }
                self.node().map(Some)
            }
            Due::Node => self.node().map(Some),
            Due::Entry => self.entry().map(Some),
            Due::Contents | Due::End => Ok(None),
        }
    }

    /// The bytes of the file that the last event began.
    pub fn contents(&mut self) -> Contents<'_, R> {
        Contents(self)
    }

    /// Reads all that is left, for its errors only.
    ///
    /// # Errors
    /// Any [`NarError`].
    pub fn finish(&mut self) -> Result<(), NarError> {
        while self.next()?.is_some() {}
        Ok(())
    }

    /// Checks that the input ends where the archive does.
    ///
    /// # Errors
    /// [`Problem::Trailing`], [`Problem::Input`].
    pub fn expect_end(&mut self) -> Result<(), NarError> {
        self.finish()?;
        let mut byte = [0];
        loop {
            match self.input.read(&mut byte) {
                Ok(0) => return Ok(()),
                Ok(_) => return Err(self.wrong(Problem::Trailing)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.wrong(Problem::Input(error))),
            }
        }
    }

    fn wrong(&self, problem: Problem) -> NarError {
        NarError { at: self.at, problem }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NarError> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.at += bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.wrong(Problem::Truncated)),
            Err(error) => Err(self.wrong(Problem::Input(error))),
        }
    }

    fn number(&mut self) -> Result<u64, NarError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn text(&mut self, limit: u64) -> Result<Vec<u8>, NarError> {
        let length = self.number()?;
        if length > limit {
            return Err(self.wrong(Problem::TooLong { length, limit }));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        self.skip_padding(padding_of(length))?;
        Ok(bytes)
    }

    fn skip_padding(&mut self, count: u8) -> Result<(), NarError> {
        let mut bytes = [0; 7];
        let bytes = &mut bytes[..usize::from(count)];
        self.fill(bytes)?;
        if bytes.iter().any(|byte| *byte != 0) { Err(self.wrong(Problem::Padding)) } else { Ok(()) }
    }

    fn expect(&mut self, wanted: &'static str) -> Result<(), NarError> {
        let got = self.text(MAX_WORD)?;
        if got == wanted.as_bytes() { Ok(()) } else { Err(self.other_word(wanted, &got)) }
    }

    fn other_word(&self, wanted: &'static str, got: &[u8]) -> NarError {
        self.wrong(Problem::Word { wanted, got: shown(got) })
    }

    fn node(&mut self) -> Result<Event, NarError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.wrong(Problem::Depth));
        }
        self.expect("(")?;
        self.expect("type")?;
        let kind = self.text(MAX_WORD)?;
        match kind.as_slice() {
            b"regular" => self.file(),
            b"symlink" => {
                self.expect("target")?;
                let target = self.text(MAX_TARGET)?;
                if target.is_empty() || target.contains(&0) {
                    return Err(self.wrong(Problem::Target(shown(&target))));
                }
                self.expect(")")?;
                self.end_node()?;
                Ok(Event::Symlink(target))
            }
            b"directory" => {
                self.open.push(Vec::new());
                self.due = Due::Entry;
                Ok(Event::Directory)
            }
            _ => Err(self.other_word("the type of a node", &kind)),
        }
    }

    fn file(&mut self) -> Result<Event, NarError> {
        let mut word = self.text(MAX_WORD)?;
        let executable = word == b"executable";
        if executable {
            let empty = self.text(MAX_WORD)?;
            if !empty.is_empty() {
                return Err(self.other_word("an empty text", &empty));
            }
            word = self.text(MAX_WORD)?;
        }
        if word != b"contents" {
            return Err(self.other_word("`contents`", &word));
        }
        let length = self.number()?;
        self.left = length;
        self.padding = padding_of(length);
        self.due = Due::Contents;
        Ok(Event::File { executable, length })
    }

    fn end_contents(&mut self) -> Result<(), NarError> {
        if self.left > 0 {
            let mut rest = (&mut self.input).take(self.left);
            let passed = io::copy(&mut rest, &mut io::sink());
            let passed = passed.map_err(|error| self.wrong(Problem::Input(error)))?;
            self.at += passed;
            if passed < self.left {
                return Err(self.wrong(Problem::Truncated));
            }
            self.left = 0;
        }
        self.skip_padding(self.padding)?;
        self.expect(")")?;
        self.end_node()
    }

    /// A node's own end was read: closes the entry that it stands in.
    fn end_node(&mut self) -> Result<(), NarError> {
        if self.open.is_empty() {
            self.due = Due::End;
            return Ok(());
        }
        self.due = Due::Entry;
        self.expect(")")
    }

    fn entry(&mut self) -> Result<Event, NarError> {
        let word = self.text(MAX_WORD)?;
        if word == b")" {
            self.open.pop();
            self.end_node()?;
            return Ok(Event::EndDirectory);
        }
        if word != b"entry" {
            return Err(self.other_word("`entry` or `)`", &word));
        }
        self.expect("(")?;
        self.expect("name")?;
        let name = self.text(MAX_NAME)?;
        if !is_plain(&name) {
            return Err(self.wrong(Problem::Name(shown(&name))));
        }
        let last = self.open.last_mut().filter(|last| **last < name);
        let Some(last) = last else { return Err(self.wrong(Problem::Order(shown(&name)))) };
        last.clone_from(&name);
        self.expect("node")?;
        self.due = Due::Node;
        Ok(Event::Entry(name))
    }
}

/// The bytes of one file of an archive; ends where the file does.
pub struct Contents<'a, R>(&'a mut Decoder<R>);

impl<R: Read> Read for Contents<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let decoder = &mut *self.0;
        if decoder.due != Due::Contents || decoder.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(decoder.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = decoder.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(decoder.wrong(Problem::Truncated).into());
        }
        decoder.left -= count as u64;
        decoder.at += count as u64;
        Ok(count)
    }
}

fn padding_of(length: u64) -> u8 {
    ((8 - length % 8) % 8) as u8
}

fn is_plain(name: &[u8]) -> bool {
    let special = name.is_empty() || name == b"." || name == b"..";
    let marked = name.windows(CASE_HACK.len()).any(|part| part == CASE_HACK);
    !special && !marked && !name.contains(&b'/') && !name.contains(&0)
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string()
}

#[cfg(test)]
mod tests;
