//! POSIX extended regular expressions, translated.

/// An expression in the form that `regex-syntax` reads.
pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) groups: usize,
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    out: String,
    groups: usize,
    open: usize,
}

/// Translates; `None` if the expression is not valid.
pub(super) fn translate(text: &[u8]) -> Option<Translated> {
    let mut reader = Reader { text, at: 0, out: String::new(), groups: 0, open: 0 };
    reader.alternatives()?;
    if reader.open > 0 || reader.at < text.len() {
        return None;
    }
    Some(Translated { pattern: reader.out, groups: reader.groups })
}

fn literal(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b' ' {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn alternatives(&mut self) -> Option<()> {
        loop {
            self.sequence()?;
            if self.peek() != Some(b'|') {
                return Some(());
            }
            self.at += 1;
            self.out.push('|');
        }
    }

    fn sequence(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b'|' => return Some(()),
                b')' => return (self.open > 0).then_some(()),
                _ => {
                    let start = self.out.len();
                    let repeatable = self.atom(byte)?;
                    self.repetitions(start, repeatable)?;
                }
            }
        }
        Some(())
    }

    /// Reads one atom; tells whether it may be repeated.
    fn atom(&mut self, byte: u8) -> Option<bool> {
        self.at += 1;
        match byte {
            b'(' => {
                self.open += 1;
                self.groups += 1;
                self.out.push('(');
                self.alternatives()?;
                if self.peek() != Some(b')') {
                    return None;
                }
                self.at += 1;
                self.open -= 1;
                self.out.push(')');
            }
            b'[' => self.bracket()?,
            b'.' => self.out.push_str("[^\\x00]"),
            b'^' => {
                self.out.push_str("\\A");
                return Some(false);
            }
            b'$' => {
                self.out.push_str("\\z");
                return Some(false);
            }
            b'*' | b'+' | b'?' | b'{' => return None,
            b'\\' => {
                let escaped = self.peek()?;
                self.at += 1;
                if !b".[\\()*+?{|^$}]/-\"'".contains(&escaped) {
                    return None;
                }
                literal(&mut self.out, escaped);
            }
            byte => literal(&mut self.out, byte),
        }
        Some(true)
    }

    fn repetitions(&mut self, start: usize, repeatable: bool) -> Option<()> {
        while let Some(byte) = self.peek() {
            let operator = match byte {
                b'*' | b'+' | b'?' => {
                    self.at += 1;
                    char::from(byte).to_string()
                }
                b'{' => self.bounds()?,
                _ => return Some(()),
            };
            if !repeatable {
                return None;
            }
            // A repetition of a repetition needs brackets.
            self.out.insert_str(start, "(?:");
            self.out.push(')');
            self.out.push_str(&operator);
        }
        Some(())
    }

    fn bounds(&mut self) -> Option<String> {
        let end = self.text[self.at..].iter().position(|b| *b == b'}')? + self.at;
        let inner = std::str::from_utf8(&self.text[self.at + 1..end]).ok()?;
        let fine = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let valid = match inner.split_once(',') {
            None => fine(inner),
            Some((low, high)) => fine(low) && (high.is_empty() || fine(high)),
        };
        self.at = end + 1;
        valid.then(|| format!("{{{inner}}}"))
    }

    fn bracket(&mut self) -> Option<()> {
        let negated = self.peek() == Some(b'^');
        if negated {
            self.at += 1;
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut first = true;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b']' if !first => break,
                b'[' if self.peek() == Some(b':') => {
                    let rest = &self.text[self.at + 1..];
                    let end = rest.windows(2).position(|pair| pair == b":]")?;
                    let name = std::str::from_utf8(&rest[..end]).ok()?;
                    self.at += 1 + end + 2;
                    self.out.push_str(class(name)?);
                }
                b'[' if matches!(self.peek(), Some(b'.' | b'=')) => {
                    let element = *self.text.get(self.at + 1)?;
                    self.at += 4;
                    literal(&mut self.out, element);
                }
                byte => self.range(byte)?,
            }
            first = false;
        }
        self.out.push(']');
        Some(())
    }

    fn range(&mut self, low: u8) -> Option<()> {
        literal(&mut self.out, low);
        let next = self.text.get(self.at + 1).copied();
        if self.peek() == Some(b'-') && next.is_some_and(|next| next != b']') {
            let high = next?;
            if high < low {
                return None;
            }
            self.at += 2;
            self.out.push('-');
            literal(&mut self.out, high);
        }
        Some(())
    }
}

fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => "[[:alnum:]]",
        "alpha" => "[[:alpha:]]",
        "blank" => "[[:blank:]]",
        "cntrl" => "[[:cntrl:]]",
        "digit" | "d" => "[[:digit:]]",
        "graph" => "[[:graph:]]",
        "lower" => "[[:lower:]]",
        "print" => "[[:print:]]",
        "punct" => "[[:punct:]]",
        "space" | "s" => "[[:space:]]",
        "upper" => "[[:upper:]]",
        "xdigit" => "[[:xdigit:]]",
        "w" => "_[[:alnum:]]",
        _ => return None,
    })
}
