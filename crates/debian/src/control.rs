//! Paragraphs of `Field: value` lines, as control files, indices and releases have them (deb822).
//!
//! Values are slices of the text, continuation lines included, so that a whole
//! index is read without a copy. What is no field is passed over: an archive that
//! says more than is known here stays readable.

/// The paragraphs of a text, as the slices between empty lines.
#[derive(Clone, Debug)]
pub struct Paragraphs<'t> {
    rest: &'t str,
}

impl<'t> Paragraphs<'t> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'t str) -> Self {
        Self { rest: text }
    }
}

impl<'t> Iterator for Paragraphs<'t> {
    type Item = Fields<'t>;

    fn next(&mut self) -> Option<Fields<'t>> {
        self.rest = self.rest.trim_start_matches(['\n', '\r']);
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |at| at + 1);
        let (paragraph, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Fields { rest: paragraph })
    }
}

/// One field of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'t> {
    /// The name as written; names are compared without regard to case.
    pub name: &'t str,
    /// The value without the blanks around it; continuation lines are in it as they stand.
    pub value: &'t str,
}

impl Field<'_> {
    /// True where the field has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The fields of one paragraph, in order.
#[derive(Clone, Debug)]
pub struct Fields<'t> {
    rest: &'t str,
}

impl<'t> Fields<'t> {
    /// Reads `text` as one paragraph.
    pub fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// The value of the first field of this name.
    pub fn value_of(&self, name: &str) -> Option<&'t str> {
        self.clone().find(|field| field.is(name)).map(|field| field.value)
    }
}

impl<'t> Iterator for Fields<'t> {
    type Item = Field<'t>;

    fn next(&mut self) -> Option<Field<'t>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = field_end(self.rest);
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            let line = field.lines().next().unwrap_or("");
            if line.starts_with(['#', ' ', '\t']) {
                continue;
            }
            if let Some((name, _)) = line.split_once(':') {
                return Some(Field { name: name.trim_end(), value: field[name.len() + 1..].trim() });
            }
        }
    }
}

/// Where the first line and the continuation lines after it end.
fn field_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        match text[at..].find('\n') {
            None => return bytes.len(),
            Some(length) => at += length + 1,
        }
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_and_continuations() {
        let text = "Package: a\nDepends: b,\n c\n\n\nPackage: d\nnonsense\n# comment\nX:y";
        let all: Vec<Vec<(&str, &str)>> =
            Paragraphs::new(text).map(|p| p.map(|f| (f.name, f.value)).collect()).collect();
        assert_eq!(all, [vec![("Package", "a"), ("Depends", "b,\n c")], vec![("Package", "d"), ("X", "y")]]);
        assert_eq!(Paragraphs::new(text).next().and_then(|p| p.value_of("package")), Some("a"));
    }
}
