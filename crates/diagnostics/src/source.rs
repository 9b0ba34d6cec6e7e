//! Source texts and places in them.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// Names one source text of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A range of bytes in one source: `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
}

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
}

struct Source {
    name: String,
    text: Arc<[u8]>,
    /// Where each line starts; made when a place is asked for.
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', &self.text);
            std::iter::once(0).chain(breaks.map(|at| at as u32 + 1)).collect()
        })
    }
}

/// All source texts that were read, by [`SourceId`].
#[derive(Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    /// Adds a text under the name that messages show, usually a path.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<[u8]>>) -> SourceId {
        let id = SourceId(self.all.len() as u32);
        self.all.push(Source { name: name.into(), text: text.into(), lines: OnceLock::new() });
        id
    }

    /// All ids, in the order in which texts were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.all.len() as u32).map(SourceId)
    }

    /// The name that messages show.
    pub fn name(&self, id: SourceId) -> &str {
        self.all.get(id.0 as usize).map_or("(unknown)", |s| &s.name)
    }

    /// The text; empty for an unknown id.
    pub fn text(&self, id: SourceId) -> &[u8] {
        self.all.get(id.0 as usize).map_or(&[], |s| &s.text)
    }

    /// Line and column of a byte offset.
    pub fn position(&self, id: SourceId, offset: u32) -> Position {
        let Some(source) = self.all.get(id.0 as usize) else { return Position { line: 1, column: 1 } };
        let offset = offset.min(source.text.len() as u32);
        let lines = source.lines();
        let line = lines.partition_point(|start| *start <= offset);
        Position { line: line as u32, column: offset - lines[line - 1] + 1 }
    }

    /// `name:line:column` of the start of a span.
    pub fn place(&self, span: Span) -> String {
        let Position { line, column } = self.position(span.source, span.start);
        format!("{}:{line}:{column}", self.name(span.source))
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|s| &s.name)).finish()
    }
}
