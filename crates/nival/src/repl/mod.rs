//! Questions and answers: expressions are read line by line, evaluated and printed, and variables stay.
//!
//! What is typed is told apart in [`line`], evaluated over the variables of [`scope`], and read by [`input`], with a line
//! editor at a terminal and plainly elsewhere. Ctrl-C ends an evaluation, and nothing else.

mod builtins;
mod command;
mod completion;
mod documentation;
mod edit;
mod input;
mod line;
mod outside;
mod scope;

use crate::building::Building;
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use command::Command;
use input::{Input, Next};
use line::Line;
use nival_engine::{Automatic, LockFlags, OutputSearch, Session};
use nival_eval::{Pretty, Value};
use nival_sys::signal;
use scope::Scope;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// How it looks from outside.
pub struct Style<'s> {
    /// What stands in front of a line.
    pub prompt: &'s str,
    /// What is said at the beginning.
    pub greeting: Option<String>,
}

/// What is asked for on the command line: how it is evaluated and built, and what puts values into scope.
pub struct Options<'o> {
    /// How it is evaluated.
    pub evaluation: &'o Evaluation,
    /// How it is built.
    pub building: &'o Building,
    /// The flakes that are named, whose settings count.
    pub flakes: Vec<String>,
    /// Evaluates what was named on the command line: values with their names.
    pub values: &'o Values<'o>,
}

/// What evaluates the values of the command line, each time anew.
pub type Values<'v> =
    dyn Fn(&Context, &mut Session) -> Result<Vec<(Value, String)>, nival_engine::Error> + 'v;

/// The evaluator and the variables, which the line editor looks at too.
struct State {
    session: Session,
    scope: Scope,
}

struct Repl<'r> {
    context: &'r mut Context,
    options: Options<'r>,
    state: Rc<RefCell<State>>,
    automatic: Automatic,
    progress: Arc<crate::build_progress::BuildProgress>,
    files: Vec<String>,
    flakes: Vec<String>,
}

/// Whether there is more to read.
#[derive(PartialEq, Eq)]
enum Then {
    Go,
    Quit,
}

/// Reads and answers until the end of the input.
pub fn run(context: &mut Context, options: Options<'_>, style: &Style<'_>) -> Result<(), Error> {
    let (mut session, progress) =
        crate::building::session(context, options.evaluation, options.building, &options.flakes)?;
    session.collect_values();
    let automatic = options.evaluation.automatic(&mut session);
    let automatic = automatic.map_err(|error| context.failed(&session, &error))?;
    session.evaluator().interrupted_by(signal::flag());
    if let Some(greeting) = &style.greeting {
        context.output.say(greeting);
    }
    let history = context.data.join("repl-history");
    let scope = Scope::new(session.evaluator());
    let state = Rc::new(RefCell::new(State { session, scope }));
    let mut repl = Repl {
        context,
        options,
        state: Rc::clone(&state),
        automatic,
        progress,
        files: Vec::new(),
        flakes: Vec::new(),
    };
    repl.interruptible(|repl| repl.load_values())?;
    let mut input = Input::new(style.prompt, history, state);
    let mut pending = String::new();
    loop {
        match input.line(!pending.is_empty()) {
            Next::Line(line) => pending.push_str(&line),
            Next::Interrupted => {
                pending.clear();
                continue;
            }
            Next::End => break,
        }
        match repl.answer(&pending, false) {
            None => continue,
            Some(Then::Quit) => return Ok(()),
            Some(Then::Go) => pending.clear(),
        }
        println!();
    }
    if !pending.trim().is_empty() {
        repl.answer(&pending, true);
    }
    Ok(())
}

/// What a flake and the words behind its `#` stand for: all of its outputs where there are none.
pub fn flake_value(
    context: &Context,
    session: &mut Session,
    text: &str,
) -> Result<Value, nival_engine::Error> {
    let base = crate::context::current_folder();
    let (reference, fragment) = session.parse_flake(text, std::path::Path::new(&base))?;
    let locked = session.lock_flake(&reference, &LockFlags::default())?;
    if let Some(file) = &locked.written {
        context.output.say(&format!("wrote {}:\n{}", file.display(), locked.changes.trim_end()));
    }
    let mut search = OutputSearch::packages(session.system());
    search.defaults = vec![String::new()];
    Ok(session.flake_output(&locked, &fragment, &search)?.0)
}

impl Repl<'_> {
    /// Answers to what was typed; `None` where it goes on in the next line, unless there is none.
    fn answer(&mut self, text: &str, is_last: bool) -> Option<Then> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Then::Go);
        }
        let line = match Command::parse(text) {
            Some(Ok(Command::Quit)) => return Some(Then::Quit),
            Some(Ok(command)) if command.expression().is_some_and(line::is_incomplete) && !is_last => {
                return None;
            }
            Some(command) => Err(command),
            None => match line::read(text) {
                Line::Incomplete if !is_last => return None,
                line => Ok(line),
            },
        };
        let done = self.interruptible(|repl| match line {
            Ok(Line::Bindings(set)) => repl.bind(&set),
            Ok(_) => repl.print(text, 1),
            Err(Ok(command)) => repl.obey(&command),
            Err(Err(error)) => Err(error),
        });
        let state = self.state.borrow();
        self.context.show_messages(&state.session);
        if let Err(error) = done {
            let shown = error.shown();
            self.context.output.diagnostic(&shown.diagnostic, &shown.sources, shown.frames);
        }
        Some(Then::Go)
    }

    /// Does something that Ctrl-C ends, also where it is fetched or built.
    fn interruptible<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let signals = [signal::INTERRUPT];
        let link = signal::Link::new(self.context.cancel.shared());
        if signal::catch(&signals).is_err() {
            return work(self);
        }
        let result = work(self);
        signal::release(&signals);
        drop(link);
        self.context.cancel.reset();
        result
    }

    /// Evaluates with the variables.
    fn evaluate(&self, text: &str) -> Result<Value, Error> {
        self.with(|session, scope| scope.evaluate(session, text))
    }

    /// Does something with the evaluator; what fails is ready to be shown.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Session, &mut Scope) -> Result<T, nival_engine::Error>,
    ) -> Result<T, Error> {
        let State { session, scope } = &mut *self.state.borrow_mut();
        let result = work(session, scope);
        result.map_err(|error| self.context.failed(session, &error))
    }

    fn bind(&self, set: &str) -> Result<(), Error> {
        self.with(|session, scope| {
            let value = scope.evaluate(session, set)?;
            scope.add(session.evaluator(), value).map(drop)
        })
    }

    /// Evaluates and prints so many levels.
    fn print(&self, text: &str, levels: usize) -> Result<(), Error> {
        let value = self.evaluate(text)?;
        let how = Pretty { levels, color: self.context.output.is_colored() };
        let shown = self.with(|session, _| Ok(session.evaluator().show_pretty(value, how)?))?;
        println!("{shown}");
        Ok(())
    }

    /// Puts the attributes of a value into scope, and says which.
    fn add(&self, value: Value) -> Result<(), Error> {
        let names = self.with(|session, scope| scope.add(session.evaluator(), value))?;
        self.context.output.say(&scope::added(&names));
        Ok(())
    }

    fn load_values(&self) -> Result<(), Error> {
        let values = self.with(|session, _| (self.options.values)(self.context, session))?;
        for (value, name) in values {
            self.context.output.say(&format!("Loading installable '{name}'..."));
            let value = self.with(|session, _| session.call_automatically(value, &self.automatic))?;
            self.add(value)?;
        }
        Ok(())
    }

    fn load_file(&mut self, file: &str) -> Result<(), Error> {
        self.files.retain(|known| known != file);
        self.files.push(file.to_owned());
        let value = self.with(|session, _| {
            let value = session.evaluate(&crate::commands::evaluation::file_expression(file))?;
            session.call_automatically(value, &self.automatic)
        })?;
        self.add(value)
    }

    fn load_flake(&mut self, flake: &str) -> Result<(), Error> {
        self.flakes.retain(|known| known != flake);
        self.flakes.push(flake.to_owned());
        let value = self.with(|session, _| {
            let base = crate::context::current_folder();
            let (reference, _) = session.parse_flake(flake, std::path::Path::new(&base))?;
            let flags = LockFlags { write: false, ..LockFlags::default() };
            let locked = session.lock_flake(&reference, &flags)?;
            session.call_flake(&locked)
        })?;
        self.add(value)
    }

    /// Reads all files and flakes again; variables that were typed are gone.
    fn reload(&mut self) -> Result<(), Error> {
        self.with(|session, scope| {
            session.forget_files();
            *scope = Scope::new(session.evaluator());
            Ok(())
        })?;
        for file in std::mem::take(&mut self.files) {
            self.context.output.say(&format!("Loading '{file}'..."));
            self.load_file(&file)?;
        }
        self.load_values()?;
        for flake in std::mem::take(&mut self.flakes) {
            self.context.output.say(&format!("Loading flake '{flake}'..."));
            self.load_flake(&flake)?;
        }
        Ok(())
    }
}
