//! Texts of a form: regular expressions, JSON, TOML, versions, hashes, paths.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use std::path::Path;

/// One of several texts.
pub fn one_of<'t>(rng: &mut StdRng, all: &[&'t str]) -> &'t str {
    all.choose(rng).copied().unwrap_or("")
}

/// A text as a string of the language.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '$' => out.push_str("\\$"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A regular expression of POSIX's extended kind.
pub fn regex(rng: &mut StdRng, depth: u32) -> String {
    let atom = |rng: &mut StdRng| -> String {
        let plain = [
            "a",
            "b",
            "1",
            "-",
            ".",
            "[ab]",
            "[^a]",
            "[[:digit:]]",
            "[a-z]+",
            "\\.",
            "x",
            "[[:space:]]",
            "",
            "é",
        ];
        if depth > 0 && rng.gen_bool(0.35) {
            format!("({})", regex(rng, depth - 1))
        } else {
            one_of(rng, &plain).to_owned()
        }
    };
    let mut out = String::new();
    for branch in 0..rng.gen_range(1..3) {
        if branch > 0 && rng.gen_bool(0.4) {
            out.push('|');
        }
        for _ in 0..rng.gen_range(1..4) {
            out.push_str(&atom(rng));
            let repeat = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,1}"];
            if !out.is_empty() && !out.ends_with(['|', '(', '*', '+', '?', '}']) {
                out.push_str(one_of(rng, &repeat));
            }
        }
    }
    if rng.gen_bool(0.03) {
        out.push_str(one_of(
            rng,
            &["(", ")", "[", "*", "\\", "{3,1}", "a**", "[[:nope:]]", "[b-a]", "^a$", "\\d"],
        ));
    }
    out
}

/// A text that such expressions may match.
pub fn matched(rng: &mut StdRng) -> String {
    let alphabet = ["a", "b", "1", "-", ".", "x", " ", "ab", "aa", "\n", "é", "z"];
    (0..rng.gen_range(0..7)).map(|_| one_of(rng, &alphabet)).collect()
}

/// JSON, sometimes broken.
pub fn json(rng: &mut StdRng, depth: u32) -> String {
    let numbers = [
        "0",
        "-0",
        "1",
        "-1",
        "12.5",
        "1e3",
        "1E-2",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e400",
        "0.1",
        "100000000000000000000",
        "2.0",
        "1.7976931348623157e308",
    ];
    let strings =
        ["\"\"", "\"a\"", "\"\\n\\u00e9\\\\\"", "\"\\ud83d\\ude00\"", "\"a b\"", "\"\\/\"", "\"$\""];
    let mut text = match rng.gen_range(0..if depth == 0 { 4 } else { 6 }) {
        0 => one_of(rng, &numbers).to_owned(),
        1 => one_of(rng, &strings).to_owned(),
        2 => one_of(rng, &["true", "false"]).to_owned(),
        3 => "null".to_owned(),
        4 => {
            let items: Vec<String> = (0..rng.gen_range(0..4)).map(|_| json(rng, depth - 1)).collect();
            format!("[{}]", items.join(one_of(rng, &[",", " , "])))
        }
        _ => {
            let keys = ["a", "b", "c d", "", "__x"];
            let mut items = Vec::new();
            for _ in 0..rng.gen_range(0..4) {
                let value = json(rng, depth - 1);
                items.push(format!("\"{}\":{value}", one_of(rng, &keys)));
            }
            format!("{{{}}}", items.join(", "))
        }
    };
    if rng.gen_bool(0.02) {
        text.push_str(one_of(rng, &["]", ",", "x", "\"", "01", "\u{1}"]));
    }
    text
}

/// TOML, sometimes broken.
pub fn toml(rng: &mut StdRng) -> String {
    let values = [
        "1",
        "-17",
        "+5",
        "0x1F",
        "0o17",
        "0b101",
        "1_000",
        "3.14",
        "6.02e23",
        "inf",
        "true",
        "false",
        "\"a\"",
        "'a\\b'",
        "\"\\u00e9\\n\"",
        "[1, 2, 3]",
        "[[1], [\"a\"]]",
        "{ x = 1, y = { z = 2 } }",
        "\"\"\"a\nb\"\"\"",
        "'''x'''",
        "[]",
        "{}",
    ];
    let keys = ["a", "b", "\"c d\"", "e.f", "e.g", "'h'", "1"];
    let tables = ["[t]", "[t.u]", "[[l]]", "[t.\"v w\"]", "[[l.m]]", "# comment"];
    let mut out = String::new();
    for _ in 0..rng.gen_range(0..6) {
        if rng.gen_bool(0.25) {
            out.push_str(one_of(rng, &tables));
        } else {
            let key = one_of(rng, &keys);
            let value = one_of(rng, &values);
            out.push_str(&format!("{key} = {value}"));
        }
        out.push('\n');
    }
    if rng.gen_bool(0.02) {
        out.push_str(one_of(rng, &["x = ", "= 1", "[", "a = 1979-13-45", "k = 08"]));
    }
    out
}

/// A version or a package's name with one.
pub fn version(rng: &mut StdRng) -> String {
    let parts =
        ["1", "2", "10", "0", "pre", "a", "rc1", ".", ".", "-", "nix", "2.3pre", "001", "hello-", "_"];
    (0..rng.gen_range(1..6)).map(|_| one_of(rng, &parts)).collect()
}

/// The arguments of `convertHash`.
pub fn convert(rng: &mut StdRng) -> String {
    let hashes = [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha256:zz",
    ];
    let formats = ["base16", "nix32", "base32", "base64", "sri", "hex"];
    let known = if rng.gen_bool(0.05) { 6 } else { 5 };
    let (hash, format) = (one_of(rng, &hashes), one_of(rng, &formats[..known]));
    format!("{{ hash = {}; toHashFormat = {}; }}", quoted(hash), quoted(format))
}

/// A path or text that names a file.
pub fn path(rng: &mut StdRng) -> String {
    let texts = ["/a/b", "/a/b/", "a/b", "", "/", "a", "/a//b", "//", "a/", ".", "..", "/a/../b", "./x"];
    if rng.gen_bool(0.3) {
        return one_of(rng, &["/a/b", "/a", "/a/../b/.", "/.", "/a/b.c"]).to_owned();
    }
    quoted(one_of(rng, &texts))
}

/// A file or folder of the tree that expressions read.
pub fn file(rng: &mut StdRng, folder: &Path, folders: bool) -> String {
    let files = ["text", "empty", "sub/value.nix", "link", "missing"];
    let all = ["", "/sub", "/missing", "/text"];
    if folders {
        let name = if rng.gen_bool(0.1) { one_of(rng, &all) } else { one_of(rng, &all[..2]) };
        return format!("{}/tree{name}", folder.display());
    }
    let name = if rng.gen_bool(0.05) { "missing" } else { one_of(rng, &files[..4]) };
    format!("{}/tree/{name}", folder.display())
}
