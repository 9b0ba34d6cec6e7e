//! What is printed: results to standard output, everything else to standard error.

use crate::arguments::When;
use crate::error::Error;
use crate::relevant::relevant;
use nival_diagnostics::{Diagnostic, RenderOptions, Sources, render, to_json};
use serde_json::Value as Json;
use std::io::{IsTerminal as _, Write as _};

/// How results and messages are shown.
#[derive(Clone, Copy)]
pub struct Output {
    /// For messages, on standard error.
    color: bool,
    /// For results, on standard output.
    result_color: bool,
    json: bool,
    quiet: bool,
    /// Whether messages begin as those of Nix's programs do, for scripts that look for it.
    plain: bool,
}

impl Output {
    /// Decides by arguments, environment and terminal.
    pub fn new(color: When, json: bool) -> Self {
        let wanted = |is_terminal: bool| {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
            !refused && !dumb && is_terminal
        };
        let decide = |is_terminal| color == When::Always || color == When::Auto && wanted(is_terminal);
        Self {
            color: decide(std::io::stderr().is_terminal()),
            result_color: decide(std::io::stdout().is_terminal()),
            json,
            quiet: false,
            plain: false,
        }
    }

    /// The same with messages that begin as those of Nix's programs do.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// The same, without lines of progress.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether messages are those of Nix's programs.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether results are coloured.
    pub fn is_colored(&self) -> bool {
        self.result_color
    }

    /// Prints a result as text; where JSON is asked for, `json` is printed instead.
    pub fn result(&self, text: &str, json: impl FnOnce() -> Json) {
        let mut out = std::io::stdout().lock();
        // A reader that went away (`nival status | head -1`) is no error.
        let _ = if self.json { writeln!(out, "{}", json()) } else { writeln!(out, "{}", text.trim_end()) };
    }

    /// Prints a text that is the result as it is, with a line break behind it where wanted.
    pub fn text(&self, text: &str, line: bool) {
        let mut out = std::io::stdout().lock();
        let _ = if line { writeln!(out, "{}", text.trim_end_matches('\n')) } else { write!(out, "{text}") };
    }

    /// Prints a line of progress.
    pub fn say(&self, text: &str) {
        if !self.json && !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Prints a diagnostic.
    pub fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources, frames: usize) {
        let mut out = std::io::stderr().lock();
        if self.json && !self.plain {
            let _ = writeln!(out, "{}", to_json(diagnostic, sources));
            return;
        }
        let options = |frames| RenderOptions { color: self.color, width: width(), frames };
        let text = match self.plain {
            true => plain(&render(&quoted(diagnostic), sources, options(frames)), diagnostic.entry.code),
            // All of it was asked for.
            false if frames == usize::MAX => render(diagnostic, sources, options(frames)),
            false => {
                let (diagnostic, frames) = relevant(diagnostic, sources, frames);
                render(&diagnostic, sources, options(frames))
            }
        };
        let _ = writeln!(out, "{text}");
    }

    /// Prints an error that ends the command.
    pub fn error(&self, error: &Error) {
        let shown = error.shown();
        self.diagnostic(&shown.diagnostic, &shown.sources, shown.frames);
        if !self.json || self.plain {
            let code = shown.diagnostic.entry.code;
            let _ = writeln!(std::io::stderr(), "\nFor more about this error: nival explain {code}");
        }
    }
}

/// A diagnostic with names in the quotes that Nix's programs have.
fn quoted(diagnostic: &Diagnostic) -> Diagnostic {
    let mut quoted = diagnostic.clone();
    if std::ptr::eq(diagnostic.entry, &nival_eval::diagnostics::ineffective_attribute::ENTRY) {
        let help = std::mem::take(&mut quoted.help);
        quoted.message = sentences(&quoted.message, &help);
    }
    // What an expression says by itself, with `throw` or `addErrorContext`, stays as it says it.
    let own = [&nival_eval::diagnostics::thrown::ENTRY, &nival_eval::diagnostics::aborted::ENTRY];
    if !own.iter().any(|entry| std::ptr::eq(*entry, diagnostic.entry)) {
        quoted.message = quoted.message.replace('`', "'");
    }
    let is_ours = |note: &&mut String| {
        note.starts_with("while calling the ") || note.starts_with("while evaluating the attribute ")
    };
    for text in quoted.notes.iter_mut().filter(is_ours).chain(&mut quoted.help) {
        *text = text.replace('`', "'");
    }
    quoted
}

/// A message and its help as Nix's programs write them in one.
fn sentences(message: &str, help: &[String]) -> String {
    let capital = |text: &str| {
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    match help {
        [] => capital(message),
        help => help.iter().fold(capital(message), |text, help| format!("{text}. {}", capital(help))) + ".",
    }
}

/// A rendered diagnostic without its code, and with places as Nix's programs write them: editors look for those.
fn plain(text: &str, code: &str) -> String {
    let text = text.replacen(&format!("[{code}]"), "", 1);
    let line = |line: &str| match line.trim_start().strip_prefix("--> ") {
        Some(place) => format!("       at {}:", place.replace("(expression)", "«string»")),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// Bytes as people read them.
pub fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < units.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// The day of a time in seconds since 1970.
pub fn date(seconds: i64) -> String {
    date_time(seconds).chars().take(10).collect()
}

/// A time in seconds since 1970, as `YEAR-MONTH-DAY HOUR:MINUTE:SECOND` of the time zone 0.
pub fn date_time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default();
    time.replace('T', " ").trim_end_matches('Z').to_owned()
}
