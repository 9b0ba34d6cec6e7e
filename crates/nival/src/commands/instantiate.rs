//! `nival instantiate`, which also answers to the name `nix-instantiate`

use crate::arguments::When;
use crate::commands::evaluation::Evaluation;
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use crate::output::Output;
use clap::{Args, Parser};
use nival_engine::{Automatic, Expression, Format, Session};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// What can be typed behind `nival instantiate`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of nix-instantiate")]
pub struct Arguments {
    /// Files, or with `--expr` expressions; `-` reads standard input, and without any it is `./default.nix`
    #[arg(allow_hyphen_values = false)]
    files: Vec<String>,
    /// The arguments are expressions, not files
    #[arg(short = 'E', long)]
    expr: bool,
    /// Select what this path leads to; may be given several times
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    attributes: Vec<String>,
    /// Print the value instead of instantiating it
    #[arg(long, alias = "eval-only")]
    eval: bool,
    /// Print what was read, without evaluating it
    #[arg(long, alias = "parse-only")]
    parse: bool,
    /// With `--eval`, evaluate all of the value
    #[arg(long)]
    strict: bool,
    /// With `--eval`, print a string's characters
    #[arg(long, conflicts_with = "xml")]
    raw: bool,
    /// With `--eval`, print XML
    #[arg(long)]
    xml: bool,
    /// With `--xml`, leave out where things are defined
    #[arg(long)]
    no_location: bool,
    /// Look the arguments up in the search path, and print the files
    #[arg(long)]
    find_file: bool,
    /// Compute store paths only, and write nothing to the store; what `--eval` does anyway
    #[arg(long, visible_alias = "dry-run", alias = "read-only")]
    readonly_mode: bool,
    /// With `--eval`, write to the store
    #[arg(long, conflicts_with = "readonly_mode")]
    read_write_mode: bool,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// The arguments where it is called by the other program's name.
#[derive(Parser)]
#[command(
    name = "nix-instantiate",
    version,
    args_override_self = true,
    about = "Translate expressions into derivations, or evaluate them"
)]
struct DropIn {
    #[command(flatten)]
    own: Arguments,
    /// With `--eval`, print JSON
    #[arg(long)]
    json: bool,
    /// Print the whole way from an error's cause to what was asked for
    #[arg(long)]
    show_trace: bool,
    /// The folder that holds the store
    #[arg(long, value_name = "FOLDER", env = "NIVAL_DATA_DIR", hide_env_values = true)]
    data_dir: Option<std::path::PathBuf>,
}

/// Settings of nix.conf with a value, which that program also takes as options of their own.
const SETTINGS: &[&str] = &[
    "access-tokens",
    "allowed-uris",
    "builders",
    "connect-timeout",
    "cores",
    "download-attempts",
    "eval-system",
    "experimental-features",
    "extra-access-tokens",
    "extra-allowed-uris",
    "extra-substituters",
    "extra-trusted-public-keys",
    "http-connections",
    "log-lines",
    "max-jobs",
    "max-silent-time",
    "netrc-file",
    "nix-path",
    "sandbox-paths",
    "ssl-cert-file",
    "substituters",
    "tarball-ttl",
    "timeout",
    "trusted-public-keys",
];

/// Settings that are on or off: `--NAME` and `--no-NAME`.
const SWITCHES: &[&str] = &[
    "abort-on-warn",
    "allow-dirty",
    "allow-import-from-derivation",
    "fallback",
    "keep-failed",
    "keep-going",
    "offline",
    "sandbox",
    "trace-verbose",
    "warn-dirty",
];

/// The words with settings that are written as options of their own in the form `--option NAME VALUE`.
fn settings_as_options(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all = Vec::new();
    for word in words {
        let name = word.to_str().and_then(|word| word.strip_prefix("--")).unwrap_or_default().to_owned();
        let off = name.strip_prefix("no-").filter(|name| SWITCHES.contains(name));
        if SETTINGS.contains(&name.as_str()) {
            // Its value is the next word.
            all.extend(["--option".into(), name.into()]);
        } else if SWITCHES.contains(&name.as_str()) {
            all.extend(["--option".into(), name.into(), "true".into()]);
        } else if let Some(name) = off {
            all.extend(["--option".into(), name.into(), "false".into()]);
        } else {
            all.push(word);
        }
    }
    all
}

/// Runs the drop-in: its arguments, its output, its exit code.
pub fn drop_in() -> ExitCode {
    let arguments = DropIn::parse_from(settings_as_options(std::env::args_os()));
    let output = Output::new(When::Auto, false);
    let shared = crate::arguments::Shared {
        data_dir: arguments.data_dir,
        timings: false,
        show_trace: arguments.show_trace,
    };
    let result = Context::new(&shared, &output)
        .and_then(|mut context| answer(&mut context, &arguments.own, arguments.json));
    match result {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Translates expressions into derivations, or evaluates them.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let json = context.output.is_json();
    answer(context, arguments, json)
}

fn answer(context: &mut Context, arguments: &Arguments, json: bool) -> Result<ExitCode, Error> {
    let read_only =
        arguments.readonly_mode || (arguments.eval || arguments.parse) && !arguments.read_write_mode;
    let mut session = arguments.evaluation.session(context, read_only, false)?;
    session.collect_values();
    let places = !arguments.no_location;
    let format = match (json, arguments.raw, arguments.xml) {
        (true, ..) => Format::Json,
        (_, true, _) => Format::Raw,
        (.., true) => Format::Xml { strict: arguments.strict, places },
        _ => Format::Expression { strict: arguments.strict },
    };
    let result = each(context, &mut session, arguments, format);
    context.show_messages(&session);
    result.map_err(|error| context.failed(&session, &error))?;
    Ok(ExitCode::SUCCESS)
}

fn each(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
    format: Format,
) -> Result<(), nival_engine::Error> {
    if arguments.find_file {
        for name in &arguments.files {
            let file = session.find_file(name)?;
            context.output.text(&file, true);
        }
        return Ok(());
    }
    let automatic = arguments.evaluation.automatic(session)?;
    for expression in expressions(arguments)? {
        if arguments.parse {
            context.output.text(&session.parsed(&expression)?, true);
            continue;
        }
        let root = session.evaluate(&expression)?;
        let whole = [String::new()];
        let paths = if arguments.attributes.is_empty() { &whole[..] } else { &arguments.attributes };
        for path in paths {
            let value = session.select(root, path, &automatic)?;
            if !arguments.eval {
                print_derivations(context, session, value, &automatic)?;
                continue;
            }
            let value =
                if automatic.is_empty() { value } else { session.call_automatically(value, &automatic)? };
            let text = session.print(value, format)?;
            context.output.text(&text, matches!(format, Format::Expression { .. } | Format::Json));
        }
    }
    Ok(())
}

fn print_derivations(
    context: &Context,
    session: &mut Session,
    value: nival_eval::Value,
    automatic: &Automatic,
) -> Result<(), nival_engine::Error> {
    for found in session.derivations(value, automatic)? {
        let output = if found.output == "out" { String::new() } else { format!("!{}", found.output) };
        context.output.text(&format!("{}{output}", found.drv_path), true);
    }
    Ok(())
}

fn expressions(arguments: &Arguments) -> Result<Vec<Expression>, nival_engine::Error> {
    let base = current_folder();
    let mut all = Vec::new();
    for word in &arguments.files {
        all.push(if word == "-" {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| nival_engine::Error::Io("standard input".into(), error))?;
            Expression::Text(text, base.clone())
        } else if arguments.expr {
            Expression::Text(word.clone(), base.clone())
        } else {
            Expression::File(file(word))
        });
    }
    if all.is_empty() && !arguments.expr {
        all.push(Expression::File(file("./default.nix")));
    }
    Ok(all)
}

fn file(word: &str) -> String {
    if word.starts_with('<') {
        word.to_owned()
    } else {
        absolute(Path::new(word).to_owned()).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::settings_as_options;

    #[test]
    fn settings_can_be_options() {
        let words = ["nix-instantiate", "--timeout", "1", "--no-fallback", "--eval", "--keep-going"];
        let found = settings_as_options(words.iter().map(Into::into));
        let wanted = [
            "nix-instantiate",
            "--option",
            "timeout",
            "1",
            "--option",
            "fallback",
            "false",
            "--eval",
            "--option",
            "keep-going",
            "true",
        ];
        assert_eq!(found, wanted);
    }
}
