//! `nival instantiate`, which also answers to the name `nix-instantiate`

use crate::commands::evaluation::{Evaluation, file_expression};
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::Args;
use nival_engine::{Automatic, Expression, Format, Session};
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
    /// Make a link to each derivation at this place, which keeps it from the collector
    #[arg(long, value_name = "LINK", conflicts_with = "eval")]
    add_root: Option<std::path::PathBuf>,
    /// Does nothing: every root is one that can lie anywhere
    #[arg(long, hide = true)]
    indirect: bool,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Translates expressions into derivations, or evaluates them.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let json = context.output.is_json();
    answer(context, arguments, json)
}

/// Does what is asked for; `json` is an option of its own where it is called by the other program's name.
pub fn answer(context: &mut Context, arguments: &Arguments, json: bool) -> Result<ExitCode, Error> {
    let read_only =
        arguments.readonly_mode || (arguments.eval || arguments.parse) && !arguments.read_write_mode;
    let other = context.take_other_store()?;
    if let Some(other) = &other {
        context.use_scratch_store(&other.dir().clone())?;
    }
    let mut session = arguments.evaluation.session(context, read_only, &[])?;
    session.collect_values();
    let places = !arguments.no_location;
    let format = match (json, arguments.raw, arguments.xml) {
        (true, ..) => Format::Json,
        (_, true, _) => Format::Raw,
        (.., true) => Format::Xml { strict: arguments.strict, places },
        _ => Format::Expression { strict: arguments.strict },
    };
    let lazy = matches!(format, Format::Expression { strict: false } | Format::Xml { strict: false, .. });
    if arguments.eval && lazy {
        session.delay_as_written();
    }
    let mut roots = Roots { store: context.store()?, link: arguments.add_root.clone(), made: 0 };
    let result = context
        .evaluating(&mut session, |context, session| each(context, session, arguments, format, &mut roots));
    context.show_messages(&session);
    context.show_profile()?;
    result.map_err(|error| context.failed(&session, &error))?;
    if let Some(other) = other.filter(|_| !read_only) {
        let made = context.store()?;
        crate::stores::hand_over(context, &made, &*other, &made.all()?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn each(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
    format: Format,
    roots: &mut Roots,
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
                print_derivations(context, session, value, &automatic, roots)?;
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

/// Makes the links that `--add-root` asks for: the second gets a number behind its name.
struct Roots {
    store: std::sync::Arc<nival_store::LocalStore>,
    link: Option<std::path::PathBuf>,
    made: usize,
}

impl Roots {
    /// What is printed for a derivation: the link to it where one is made.
    fn printed(&mut self, drv: &str) -> Result<String, nival_engine::Error> {
        let Some(link) = &self.link else { return Ok(drv.to_owned()) };
        self.made += 1;
        let mut name = absolute(link.clone()).into_os_string();
        if self.made > 1 {
            name.push(format!("-{}", self.made));
        }
        let path = self.store.dir().parse(drv).map_err(nival_store::Error::from)?;
        self.store.add_indirect_root(Path::new(&name), &path)?;
        Ok(name.to_string_lossy().into_owned())
    }
}

fn print_derivations(
    context: &Context,
    session: &mut Session,
    value: nival_eval::Value,
    automatic: &Automatic,
    roots: &mut Roots,
) -> Result<(), nival_engine::Error> {
    let found = session.derivations(value, automatic)?;
    // Whoever reads a line finds what it names.
    roots.store.write_pending()?;
    for found in found {
        let output = if found.output == "out" { String::new() } else { format!("!{}", found.output) };
        let printed = roots.printed(&found.drv_path)?;
        context.output.text(&format!("{printed}{output}"), true);
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
            file_expression(word)
        });
    }
    if all.is_empty() && !arguments.expr {
        all.push(file_expression("./default.nix"));
    }
    Ok(all)
}
