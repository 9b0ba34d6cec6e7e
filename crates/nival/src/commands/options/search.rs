//! Finding options by words.

use super::MOST;
use super::index::Index;
use nival_engine::OptionDescription;

/// The options in which all words are found, the nearest first, and how many there are in all.
pub fn search(index: &Index, words: &[String], all: bool) -> (Vec<OptionDescription>, usize) {
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found: Vec<(u32, OptionDescription)> = Vec::new();
    for line in index.lines() {
        // Most lines lack a word: they are not read as JSON.
        if !lower.iter().all(|word| holds(line, word)) {
            continue;
        }
        let Ok(option) = serde_json::from_str::<OptionDescription>(line) else { continue };
        if option.internal && !all {
            continue;
        }
        if words == [option.name.clone()] {
            return (vec![option], 1);
        }
        if let Some(score) = score(&option, &lower) {
            found.push((score, option));
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    let count = found.len();
    let shown = if all || words.is_empty() { count } else { MOST };
    (found.into_iter().take(shown).map(|(_, option)| option).collect(), count)
}

/// Whether a line holds a lower-case word in any case; what JSON escapes in a word is never looked for in lines.
fn holds(line: &str, word: &str) -> bool {
    if !word.is_ascii() || word.contains(['"', '\\']) {
        return true;
    }
    let (bytes, word) = (line.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else { return true };
    let upper = first.to_ascii_uppercase();
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first || *byte == upper) {
        let at = from + at;
        if bytes.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// How near an option is to the words; `None` where one of them is in neither name nor description.
fn score(option: &OptionDescription, words: &[String]) -> Option<u32> {
    let name = option.name.to_lowercase();
    let description = option.description.to_lowercase();
    let mut sum = 0;
    for word in words {
        let part = |test: &dyn Fn(&str) -> bool| name.split('.').any(test);
        sum += if name == *word {
            1000
        } else if part(&|part| part == word) {
            200
        } else if part(&|part| part.starts_with(word.as_str())) {
            100
        } else if name.contains(word.as_str()) {
            60
        } else if description.contains(word.as_str()) {
            10
        } else {
            return None;
        };
    }
    // Of two that are equally near the one higher up says more, and a switch most.
    let depth = u32::try_from(option.name.split('.').count()).unwrap_or(9).min(9);
    Some(sum * 10 + 9 - depth + u32::from(name.ends_with(".enable")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, description: &str) -> OptionDescription {
        OptionDescription {
            name: name.into(),
            description: description.into(),
            ..OptionDescription::default()
        }
    }

    #[test]
    fn names_come_before_descriptions() {
        let words = ["nat64".to_owned()];
        let in_name = score(&option("networking.jool.nat64", "x"), &words);
        let in_text = score(&option("services.tayga.enable", "A NAT64 daemon"), &words);
        assert!(in_name > in_text && in_text.is_some());
        assert_eq!(score(&option("a.b", "c"), &words), None);
    }

    #[test]
    fn lines_are_looked_through_in_any_case() {
        assert!(holds("{\"name\":\"services.Jool.NAT64\"}", "nat64"));
        assert!(!holds("{\"name\":\"services.jool.nat46\"}", "nat64"));
    }
}
