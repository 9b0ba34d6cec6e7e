//! Regular expressions that users give to commands: which packages are meant, found or left out.
//!
//! They are of bytes, as in C++ Nix: a letter outside of ASCII is several of them, and only the letters of ASCII have two
//! cases. So the tables of Unicode are no part of the program.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use std::fmt;
use std::ops::Range;

/// Whether large and small letters are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Same,
    Any,
}

/// A regular expression that is ready to be used.
#[derive(Debug)]
pub struct Pattern(Regex);

/// What is wrong with an expression.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is not written as expressions are; says what was found.
    Syntax(String),
    TooLarge,
}

impl Pattern {
    /// Reads an expression that must fit a whole text.
    pub fn of_whole(text: &str, case: Case) -> Result<Self, Invalid> {
        let text = checked(text, case)?;
        build(&format!("\\A(?:{text})\\z"), case)
    }

    /// Reads an expression that is looked for anywhere in a text.
    pub fn of_parts(text: &str, case: Case) -> Result<Self, Invalid> {
        build(&checked(text, case)?, case)
    }

    /// Whether a text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Where it is found in a text, as whole letters; what is empty is left out.
    pub fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.0.find_iter(text).filter(|found| !found.is_empty());
        found.map(|found| text.floor_char_boundary(found.start())..text.ceil_char_boundary(found.end()))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => f.write_str(what),
            Self::TooLarge => f.write_str("the expression is too large"),
        }
    }
}

/// The expression in bytes, if it is one by itself: what is put around it cannot make it valid.
fn checked(text: &str, case: Case) -> Result<String, Invalid> {
    let bytes = in_bytes(text);
    syntax::parse_with(&bytes, &config(case)).map_err(|error| {
        // The lines before show the place in an expression that the user did not write so.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        Invalid::Syntax(last.strip_prefix("error: ").unwrap_or(last).to_owned())
    })?;
    Ok(bytes)
}

/// Letters outside of ASCII as their bytes, which may stand where letters may not.
fn in_bytes(text: &str) -> String {
    let (mut made, mut is_escaped) = (String::with_capacity(text.len()), false);
    for letter in text.chars() {
        if letter.is_ascii() {
            made.push(letter);
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        if std::mem::take(&mut is_escaped) {
            made.pop();
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            made.push_str(&format!("\\x{byte:02x}"));
        }
    }
    made
}

fn config(case: Case) -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).case_insensitive(case == Case::Any)
}

fn build(text: &str, case: Case) -> Result<Pattern, Invalid> {
    let built =
        Regex::builder().configure(Regex::config().utf8_empty(false)).syntax(config(case)).build(text);
    built.map(Pattern).map_err(|_| Invalid::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::{Case, Invalid, Pattern};

    fn fits(text: &str, case: Case, whole: &str) -> bool {
        Pattern::of_whole(text, case).is_ok_and(|pattern| pattern.matches(whole))
    }

    fn parts(text: &str, of: &str) -> Vec<String> {
        let Ok(pattern) = Pattern::of_parts(text, Case::Any) else { panic!("{text} is a pattern") };
        pattern.parts(of).map(|range| of[range].to_owned()).collect()
    }

    fn reason(text: &str) -> String {
        let error = Pattern::of_whole(text, Case::Same).err();
        error.map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn whole_texts_fit_and_parts_are_found() {
        assert!(fits("fo+|bar", Case::Same, "foo") && fits("fo+|bar", Case::Same, "bar"));
        assert!(!fits("fo+|bar", Case::Same, "foo-bar") && !fits("foo", Case::Same, "FOO"));
        assert!(fits("F[a-o]o", Case::Any, "fOO"));
        assert_eq!(parts("o", "fOo"), ["O", "o"]);
        assert_eq!(parts("^f|x*", "fox"), ["f", "x"]);
    }

    #[test]
    fn letters_outside_of_ascii_are_their_bytes() {
        assert!(fits("grün", Case::Any, "GRüN") && !fits("ü", Case::Any, "Ü"));
        assert!(fits("\\ü", Case::Same, "ü") && fits("\\\\ü", Case::Same, "\\ü"));
        assert!(fits("..", Case::Same, "ü") && fits("[ü]{2}", Case::Same, "ü"));
        assert!(fits("\\w+", Case::Same, "gruen") && !fits("\\w", Case::Same, "ü"));
        assert_eq!(parts("[ü]", "grün"), ["ü", "ü"]);
    }

    #[test]
    fn what_is_no_expression_is_told() {
        assert_eq!(reason("("), "unclosed group");
        assert_eq!(reason("a)(b"), "unopened group");
        assert_eq!(reason("*"), "repetition operator missing expression");
        assert_eq!(reason("\\p{Greek}"), "Unicode not allowed here");
        assert!(matches!(Pattern::of_parts("(?:a{999}){999}{999}", Case::Same), Err(Invalid::TooLarge)));
    }
}
