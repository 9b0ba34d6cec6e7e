//! What a warden is told: the place that a builder runs in, and the builder.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::PathBuf;

/// The place that a builder runs in, and the builder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cell {
    /// Whether the builder is confined at all; where not, only `directory` and the builder count.
    pub confined: bool,
    /// Control groups that the builder and its warden are in.
    pub groups: Vec<PathBuf>,
    /// An empty folder that the root is mounted on.
    pub root: PathBuf,
    /// Whether the network is the host's; else there is a loopback of the builder's own.
    pub host_network: bool,
    /// Who the builder is inside.
    pub user: u32,
    /// The builder's group inside.
    pub group: u32,
    /// Who the builder is outside; this process's own user where nobody is named.
    pub outside: Option<OutsideUser>,
    /// What is seen of the host.
    pub binds: Vec<Bind>,
    /// Files of the root.
    pub files: Vec<File>,
    /// How much may lie in `/dev/shm`, as tmpfs takes it.
    pub shared_memory: String,
    /// Whether calls are forbidden that make what a store cannot hold.
    pub filter_calls: bool,
    /// Whether programs may gain rights.
    pub allow_new_privileges: bool,
    /// Whether the builder is told that the machine has 32 bits.
    pub is_32_bit: bool,
    /// Where the builder starts.
    pub directory: PathBuf,
    /// The builder's file.
    #[serde(with = "text")]
    pub builder: Vec<u8>,
    /// Its name and arguments.
    #[serde(with = "texts")]
    pub arguments: Vec<Vec<u8>>,
    /// Its environment, `NAME=VALUE` each.
    #[serde(with = "texts")]
    pub environment: Vec<Vec<u8>>,
    /// What happens where the builder fails, if somebody wants to look around then.
    pub debugging: Option<Debugging>,
}

/// The shell that is started where a builder fails.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Debugging {
    /// Begins the lines that tell of it; nobody else knows it.
    pub marker: String,
    /// The shell's file.
    #[serde(with = "text")]
    pub shell: Vec<u8>,
    /// Its name and arguments.
    #[serde(with = "texts")]
    pub words: Vec<Vec<u8>>,
    /// The file with its functions.
    pub functions: PathBuf,
    /// The kind of terminal that it is shown on.
    pub terminal: String,
}

/// A user and group of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideUser {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
}

/// Something of the host that a builder sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Where it lies.
    pub source: PathBuf,
    /// Where it is seen.
    pub target: PathBuf,
    /// How it is seen.
    pub kind: BindKind,
}

/// How something of the host is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindKind {
    /// It can be read.
    ReadOnly,
    /// It can be written.
    Writable,
    /// It can be written, and may be missing.
    Optional,
}

/// A file of the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What it holds.
    pub contents: String,
}

/// Bytes as text: each becomes the character of its number.
mod text {
    use super::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn to(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    }

    pub(super) fn from(text: &str) -> Vec<u8> {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to(bytes))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(from(&String::deserialize(deserializer)?))
    }
}

mod texts {
    use super::{Deserialize as _, Deserializer, Serialize as _, Serializer, text};

    pub(super) fn serialize<S: Serializer>(all: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        all.iter().map(|bytes| text::to(bytes)).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        Ok(Vec::<String>::deserialize(deserializer)?.iter().map(|one| text::from(one)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let cell = Cell { builder: all.clone(), arguments: vec![all.clone()], ..Cell::default() };
        let text = serde_json::to_string(&cell).expect("it can be written");
        let back: Cell = serde_json::from_str(&text).expect("it can be read");
        assert_eq!((back.builder, back.arguments), (all.clone(), vec![all]));
    }
}
