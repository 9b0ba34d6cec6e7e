//! `nival repl`

use crate::building::Building;
use crate::commands::evaluation::{Evaluation, Target, file_expression};
use crate::context::{Context, current_folder};
use crate::error::Error;
use crate::repl::{self, Options, Style};
use clap::Args;
use nival_engine::{Expression, Session};
use nival_eval::Value;
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// What can be typed behind `nival repl`.
#[derive(Args)]
pub struct Arguments {
    /// Files, folders or flakes such as .#name whose attributes become variables
    targets: Vec<String>,
    /// Make variables of the attributes of this expression
    #[arg(short = 'E', long, value_name = "EXPRESSION")]
    expr: Vec<String>,
    /// Make variables of the attributes of this file, whatever it is called
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Vec<String>,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// Reads expressions, and prints their values.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let targets: Vec<Target> = arguments.targets.iter().map(|text| Target::parse(text)).collect();
    // What is asked here may look at the machine, as on any other line that is typed.
    let mut evaluation = arguments.evaluation.clone();
    evaluation.impure |= !evaluation.pure_eval;
    let values = |context: &Context, session: &mut Session| values(context, session, arguments);
    let options = Options {
        evaluation: &evaluation,
        building: &arguments.building,
        flakes: Target::flakes(&targets),
        values: &values,
    };
    let greeting = format!("Nival {}\nType :? for help.", env!("CARGO_PKG_VERSION"));
    let greeting = std::io::stdin().is_terminal().then_some(greeting);
    repl::run(context, options, &Style { prompt: "nival> ", greeting })?;
    Ok(ExitCode::SUCCESS)
}

fn values(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
) -> Result<Vec<(Value, String)>, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let mut all = Vec::new();
    for file in &arguments.file {
        all.push((session.evaluate(&file_expression(file))?, file.clone()));
    }
    for text in &arguments.expr {
        let value = session.evaluate(&Expression::Text(text.clone(), current_folder()))?;
        all.push((value, text.clone()));
    }
    for text in &arguments.targets {
        let value = match Target::parse(text) {
            Target::Flake(flake) => repl::flake_value(context, session, &flake)?,
            target => target.evaluate(context, session, &automatic)?,
        };
        all.push((value, text.clone()));
    }
    Ok(all)
}
