//! Says of each line that it reads how long it is, and a few sums of it.

use arrayvec::ArrayVec;
use base64::Engine as _;
use bytes::Bytes;
use either::Either;
use std::hash::Hasher as _;
use std::io::{Read as _, Write as _};

bitflags::bitflags! {
    /// What is said of a line.
    struct Said: u8 {
        const HEX = 1;
        const BASE64 = 2;
    }
}

/// What is said of one line.
fn describe(line: &Bytes, said: Said) -> String {
    let mut hash = fnv::FnvHasher::default();
    hash.write(line);
    let mut parts = ArrayVec::<String, 4>::new();
    parts.push(itoa::Buffer::new().format(line.len()).to_owned());
    parts.push(hex::encode(hash.finish().to_be_bytes()));
    if said.contains(Said::HEX) {
        parts.push(hex::encode(line));
    }
    if said.contains(Said::BASE64) {
        parts.push(base64::engine::general_purpose::STANDARD.encode(line));
    }
    parts.join(" ")
}

fn lines(text: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    let mut start = 0;
    let ends = if text.is_empty() {
        Either::Left(std::iter::empty())
    } else {
        Either::Right(memchr::memchr_iter(b'\n', text).chain([text.len()]))
    };
    ends.map(move |end| {
        let line = text.slice(start..end);
        start = end + 1;
        line
    })
}

cfg_if::cfg_if! {
    if #[cfg(target_pointer_width = "64")] {
        const SAID: Said = Said::BASE64;
    } else {
        const SAID: Said = Said::HEX;
    }
}

fn main() -> std::io::Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let mut out = std::io::stdout();
    for line in lines(&Bytes::from(text)) {
        writeln!(out, "{}", describe(&line, SAID))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_described() {
        let text = Bytes::from_static(b"ab\n\nc");
        let all: Vec<String> = lines(&text).map(|line| describe(&line, Said::all())).collect();
        assert_eq!(all[0], "2 089c4407b545986a 6162 YWI=");
        assert_eq!(all[1], "0 cbf29ce484222325  ");
        assert_eq!(all.len(), 3);
        assert_eq!(lines(&Bytes::new()).count(), 0);
    }
}
