//! JSON in (RFC 8259): values are made while it is read, and nesting needs no stack.

use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;
use nival_syntax::Symbol;

/// A list or set that is not closed yet.
enum Open {
    List(Vec<Value>),
    Set(Vec<(Symbol, Value)>, Symbol),
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Evaluator {
    /// A value from JSON.
    pub fn from_json(&mut self, text: &str) -> EvalResult {
        let mut reader = Reader { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0 };
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.tick()?;
            let mut value = match reader.token()? {
                b'[' => {
                    if !reader.skip(b']') {
                        open.push(Open::List(Vec::new()));
                        continue;
                    }
                    self.list(&[])
                }
                b'{' => {
                    if !reader.skip(b'}') {
                        open.push(Open::Set(Vec::new(), self.json_key(&mut reader)?));
                        continue;
                    }
                    self.attrs(&[])
                }
                b'"' => {
                    let text = reader.string()?;
                    self.data_string(&text)?
                }
                b't' => reader.word("true", Value::TRUE)?,
                b'f' => reader.word("false", Value::FALSE)?,
                b'n' => reader.word("null", Value::NULL)?,
                _ => self.json_number(&mut reader)?,
            };
            // What is complete goes into what is open, which may be complete then.
            loop {
                match open.pop() {
                    None => {
                        reader.space();
                        return if reader.at == reader.text.len() {
                            Ok(value)
                        } else {
                            Err(reader.wrong("more text"))
                        };
                    }
                    Some(Open::List(mut items)) => {
                        items.push(value);
                        if reader.continues(b']')? {
                            open.push(Open::List(items));
                            break;
                        }
                        value = self.list(&items);
                    }
                    Some(Open::Set(mut items, name)) => {
                        items.push((name, value));
                        if reader.continues(b'}')? {
                            let name = self.json_key(&mut reader)?;
                            open.push(Open::Set(items, name));
                            break;
                        }
                        value = self.attrs(&items);
                    }
                }
            }
        }
    }

    fn json_key(&mut self, reader: &mut Reader<'_>) -> EvalResult<Symbol> {
        if reader.token()? != b'"' {
            return Err(reader.wrong("no name of a member"));
        }
        let name = reader.string()?;
        self.data_string(&name)?;
        if reader.token()? != b':' {
            return Err(reader.wrong("no `:`"));
        }
        Ok(self.symbol(&name))
    }

    fn json_number(&mut self, reader: &mut Reader<'_>) -> EvalResult {
        let text = reader.number()?;
        if !text.contains(['.', 'e', 'E']) {
            if let Ok(int) = text.parse::<i64>() {
                return Ok(self.int(int));
            }
            if text.parse::<u64>().is_ok() {
                let message = format!("the number `{text}` does not fit into 64 bits");
                return Err(EvalError::of(&diagnostics::invalid_data::ENTRY, message));
            }
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(self.float(float)),
            _ => Err(reader.wrong("a number that is too large")),
        }
    }
}

impl<'t> Reader<'t> {
    fn space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
    }

    /// The first byte of the next token; brackets and quotes are taken, other tokens begin with it.
    fn token(&mut self) -> EvalResult<u8> {
        self.space();
        let Some(byte) = self.text.as_bytes().get(self.at).copied() else {
            return Err(self.wrong("the end"));
        };
        if b"[]{}\",:".contains(&byte) {
            self.at += 1;
        }
        Ok(byte)
    }

    fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let is = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is);
        is
    }

    /// Whether another member follows; if not, the bracket is taken.
    fn continues(&mut self, end: u8) -> EvalResult<bool> {
        match self.token()? {
            b',' => Ok(true),
            byte if byte == end => Ok(false),
            _ => Err(self.wrong("neither `,` nor the end of the list or object")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> EvalResult {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.wrong("no value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> EvalResult<&'t str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let whole = digits(at);
        if whole == 0 || whole > 1 && bytes[at] == b'0' {
            return Err(self.wrong("no value"));
        }
        at += whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return Err(self.wrong("a number without digits behind its point"));
            }
            at += 1 + fraction;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at + 1 + sign);
            if exponent == 0 {
                return Err(self.wrong("a number without an exponent behind its `e`"));
            }
            at += 1 + sign + exponent;
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    /// A string whose opening quote is taken.
    fn string(&mut self) -> EvalResult<String> {
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.wrong("a string without an end"));
            };
            out.push_str(&rest[..plain]);
            self.at += plain;
            match rest.as_bytes()[plain] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return Err(self.wrong("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> EvalResult<char> {
        let kind = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        Ok(match kind {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first).ok_or_else(|| self.wrong("half of a character"));
                }
                if !self.text[self.at..].starts_with("\\u") {
                    return Err(self.wrong("half of a character"));
                }
                self.at += 2;
                let second = self.unit()?;
                let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
                let code = low.map(|low| 0x1_0000 + ((first - 0xd800) << 10) + low);
                code.and_then(char::from_u32).ok_or_else(|| self.wrong("half of a character"))?
            }
            _ => {
                self.at -= 2;
                return Err(self.wrong("an unknown escape"));
            }
        })
    }

    fn unit(&mut self) -> EvalResult<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| self.wrong("an escape without four digits"))
    }

    fn wrong(&self, found: &str) -> EvalError {
        let mut before = self.at.min(self.text.len());
        while !self.text.is_char_boundary(before) {
            before -= 1;
        }
        let before = &self.text[..before];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        EvalError::of(
            &diagnostics::invalid_data::ENTRY,
            format!("this is not valid JSON: {found} at line {line}, column {column}"),
        )
    }
}
