//! Reading what bash's `declare -p` prints.

use super::Variable;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

type Letters<'a> = Peekable<Chars<'a>>;

/// The variables that have a value.
pub fn variables(text: &str) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    let mut letters = text.chars().peekable();
    while letters.peek().is_some() {
        if let Some((name, value)) = statement(&mut letters) {
            found.insert(name, value);
        }
        // What is left of the line, and lines that are not understood.
        while letters.next().is_some_and(|letter| letter != '\n') {}
    }
    found
}

fn word(letters: &mut Letters<'_>, until: &[char]) -> String {
    let mut word = String::new();
    while let Some(letter) = letters.next_if(|letter| !until.contains(letter)) {
        word.push(letter);
    }
    word
}

/// `declare -FLAGS NAME=VALUE`
fn statement(letters: &mut Letters<'_>) -> Option<(String, Variable)> {
    if word(letters, &[' ', '\n']) != "declare" {
        return None;
    }
    letters.next_if_eq(&' ')?;
    let flags = word(letters, &[' ', '\n']);
    letters.next_if_eq(&' ')?;
    let name = word(letters, &['=', '\n']);
    letters.next_if_eq(&'=')?;
    // A name for another variable is none of its own.
    if flags.contains('n') {
        return None;
    }
    if letters.peek() != Some(&'(') {
        let value = value(letters)?;
        return Some((name, Variable::Text { exported: flags.contains('x'), value }));
    }
    letters.next();
    let mut items = Vec::new();
    while letters.next_if_eq(&'[').is_some() {
        let key = match letters.peek() {
            Some('"' | '$') => value(letters)?,
            _ => word(letters, &[']']),
        };
        letters.next_if_eq(&']')?;
        letters.next_if_eq(&'=')?;
        items.push((key, value(letters)?));
        while letters.next_if_eq(&' ').is_some() {}
    }
    letters.next_if_eq(&')')?;
    Some((
        name,
        match flags.contains('A') {
            true => Variable::Table(items.into_iter().collect()),
            false => Variable::Array(items.into_iter().map(|(_, value)| value).collect()),
        },
    ))
}

/// A value in double quotes, or in `$'...'`.
fn value(letters: &mut Letters<'_>) -> Option<String> {
    let mut text = String::new();
    match letters.next()? {
        '"' => loop {
            match letters.next()? {
                '"' => return Some(text),
                '\\' => text.push(letters.next()?),
                letter => text.push(letter),
            }
        },
        '$' => {
            letters.next_if_eq(&'\'')?;
            loop {
                match letters.next()? {
                    '\'' => return Some(text),
                    '\\' => text.push(control(letters)?),
                    letter => text.push(letter),
                }
            }
        }
        _ => None,
    }
}

/// What stands behind a backslash in `$'...'`.
fn control(letters: &mut Letters<'_>) -> Option<char> {
    let number = |letters: &mut Letters<'_>, first: u32, base: u32, most: usize| {
        let mut code = first;
        for _ in 0..most {
            let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(base)) else { break };
            letters.next();
            code = code * base + digit;
        }
        char::from_u32(code)
    };
    Some(match letters.next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'e' | 'E' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => number(letters, 0, 16, 2)?,
        'u' => number(letters, 0, 16, 4)?,
        'U' => number(letters, 0, 16, 8)?,
        digit @ '0'..='7' => number(letters, digit.to_digit(8)?, 8, 2)?,
        other => other,
    })
}
