//! `nival options`

mod index;
mod search;
mod show;

use crate::commands::evaluation::Evaluation;
use crate::commands::realise::versions;
use crate::context::{Context, current_folder};
use crate::error::Error;
use clap::Args;
use index::Index;
use nival_engine::{Machine, OptionDescription, OptionState, Project, Session};
use nival_eval::Value;
use nival_inputs::Lock;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival options`.
#[derive(Args)]
pub struct Arguments {
    /// Words of the option's name or description, or its whole name; all have to be there
    words: Vec<String>,
    /// The configuration whose modules are looked through: a file or folder; where there is none, the library's own options
    #[arg(long, short, value_name = "PATH")]
    configuration: Option<PathBuf>,
    /// Which machine, where the configuration has several
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// Look through the options of this expression instead: what `lib.evalModules` returns, or a set of options
    #[arg(short = 'E', long, value_name = "EXPRESSION", conflicts_with = "configuration")]
    expr: Option<String>,
    /// The same, of the expression in this file
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["configuration", "expr"])]
    file: Option<PathBuf>,
    /// Show all that is found, and options that are for modules rather than for people
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// How many options are shown where not all are wanted.
const MOST: usize = 25;

/// An option with what the configuration makes of it.
struct Hit {
    option: OptionDescription,
    state: Option<OptionState>,
}

/// Finds options and shows them.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let asked = Asked::of(arguments)?;
    let mut evaluated = None;
    let index = match Index::read(&asked.key()) {
        Some(index) => index,
        None => {
            let mut found = Evaluated::of(context, arguments, &asked)?;
            let options = found.options(context)?;
            let index = Index::write(&asked.key(), options, found.session.sources());
            evaluated = Some(found);
            index
        }
    };
    let (found, count) = search::search(&index, &arguments.words, arguments.all);
    let exact = matches!(&found[..], [only] if arguments.words.as_slice() == [only.name.clone()]);
    let mut hits: Vec<Hit> = found.into_iter().map(|option| Hit { option, state: None }).collect();
    // What a configuration of ours says is known at once; of a whole foreign tree it is worth the wait for one option only.
    if asked.is_ours() || exact {
        let mut found = match evaluated {
            Some(found) => found,
            None => Evaluated::of(context, arguments, &asked)?,
        };
        for hit in &mut hits {
            hit.state = found.state(context, &hit.option.name);
        }
    }
    show::show(context.output, &hits, count, exact);
    context.show_timings();
    Ok(if hits.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whose options are asked for.
enum Asked {
    Configuration(Project),
    Library,
    Expression(String),
}

impl Asked {
    fn of(arguments: &Arguments) -> Result<Self, Error> {
        if let Some(text) = &arguments.expr {
            return Ok(Self::Expression(text.clone()));
        }
        if let Some(file) = &arguments.file {
            let file = file
                .canonicalize()
                .map_err(|error| Error::from(nival_engine::Error::Io(file.clone(), error)))?;
            return Ok(Self::Expression(format!("import {}", file.display())));
        }
        let path = arguments.configuration.clone();
        match Project::find(path.as_deref().unwrap_or(std::path::Path::new("."))) {
            Ok(project) => Ok(Self::Configuration(project)),
            Err(error) if path.is_some() => Err(Error::from(error)),
            Err(_) => Ok(Self::Library),
        }
    }

    fn is_ours(&self) -> bool {
        !matches!(self, Self::Expression(_))
    }

    /// What the index is kept under: everything that it depends on besides the files.
    fn key(&self) -> String {
        match self {
            Self::Configuration(project) => format!("configuration {}", project.file.display()),
            Self::Library => "library".to_owned(),
            Self::Expression(text) => format!("expression {} {text}", current_folder()),
        }
    }
}

/// A session with the options in it.
struct Evaluated {
    session: Session,
    options: Options,
}

enum Options {
    Machine(Box<Machine>),
    Tree(Value),
}

impl Evaluated {
    fn of(context: &mut Context, arguments: &Arguments, asked: &Asked) -> Result<Self, Error> {
        let mut session = arguments.evaluation.session(context, true, &[])?;
        let result = context.evaluating(&mut session, |_, session| match asked {
            Asked::Library => session.empty_machine().map(|machine| Options::Machine(Box::new(machine))),
            Asked::Configuration(project) => machine(session, project, arguments),
            Asked::Expression(text) => tree(session, text),
        });
        match result {
            Ok(options) => Ok(Self { session, options }),
            Err(error) => Err(context.failed(&session, &error)),
        }
    }

    fn options(&mut self, context: &mut Context) -> Result<Vec<OptionDescription>, Error> {
        let Self { session, options } = self;
        let found = context.evaluating(session, |_, session| match options {
            Options::Machine(machine) => machine.options(session),
            Options::Tree(tree) => session.described_options(*tree),
        });
        found.map_err(|error| context.failed(&self.session, &error))
    }

    fn state(&mut self, context: &mut Context, name: &str) -> Option<OptionState> {
        let Self { session, options } = self;
        let state = context.evaluating(session, |_, session| match options {
            Options::Machine(machine) => machine.option_state(session, name),
            Options::Tree(tree) => session.option_state(*tree, name),
        });
        state.ok().flatten()
    }
}

fn machine(
    session: &mut Session,
    project: &Project,
    arguments: &Arguments,
) -> Result<Options, nival_engine::Error> {
    let machines = session.machines(project)?;
    let known: Vec<String> = machines.iter().map(|machine| machine.name().to_owned()).collect();
    let wanted = arguments.machine.as_ref();
    let found = machines.into_iter().find(|machine| wanted.is_none_or(|name| name == machine.name()));
    let unknown = || nival_engine::Error::UnknownMachine { name: wanted.cloned().unwrap_or_default(), known };
    let found = found.ok_or_else(unknown)?;
    if let Ok(Some(lock)) = Lock::read(&project.lock_file()) {
        found.set_locked(versions(found.name(), &lock));
    }
    Ok(Options::Machine(Box::new(found)))
}

/// The options of what an expression gives: its attribute `options` where it has one.
fn tree(session: &mut Session, text: &str) -> Result<Options, nival_engine::Error> {
    let value = session.evaluate_with_library(text, &current_folder())?;
    let ev = session.evaluator();
    let inner = ev.select_opt(value, "options")?;
    Ok(Options::Tree(inner.unwrap_or(value)))
}
