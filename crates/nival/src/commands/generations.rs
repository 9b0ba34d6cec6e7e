//! `nival generations`

use crate::commands::named::OneMachine;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_os::Generation;
use nival_sys::clock::{local_time, now};
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival generations`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    machine: OneMachine,
    /// Delete all but so many generations, the current one among them
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    keep_last: Option<u32>,
    /// Delete generations that are older, such as `30d`, `12h` or `10min`; the current one stays
    #[arg(long, value_name = "AGE")]
    delete_older_than: Option<Age>,
}

/// A time span as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age(u64);

impl std::str::FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err("an age is a number with `s`, `min`, `h`, `d` or `w`, such as `30d`".to_owned()),
        };
        let number: u64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
        number.checked_mul(seconds).map(Self).ok_or_else(|| format!("`{text}` is too long"))
    }
}

/// Lists the generations of a machine, after deleting those that are asked to be; the current one is marked.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let name = arguments.machine.name(&machines)?;
    let mut deleted = Vec::new();
    if arguments.keep_last.is_some() || arguments.delete_older_than.is_some() {
        let since = arguments.delete_older_than.map(|age| now().saturating_sub(age.0));
        // Without a count, the age alone decides.
        let last = arguments.keep_last.map_or(1, |count| usize::try_from(count).unwrap_or(usize::MAX));
        deleted = machines.prune(&name, last, since)?;
    }
    let generations = machines.generations(&name)?;
    let line = |generation: &Generation| {
        let mark = if generation.current { "*" } else { " " };
        let time = local_time(generation.created);
        let failed = if generation.counted { "" } else { "  (failed)" };
        format!("{mark} {:>3}  {time}  {}{failed}", generation.number, generation.made_by)
    };
    let mut lines: Vec<String> =
        deleted.iter().map(|number| format!("deleted generation {number}")).collect();
    lines.extend(generations.iter().map(line));
    context.output.result(&lines.join("\n"), || {
        if arguments.keep_last.is_some() || arguments.delete_older_than.is_some() {
            json!({ "deleted": deleted, "generations": generations })
        } else {
            serde_json::to_value(&generations).unwrap_or_default()
        }
    });
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::Age;

    #[test]
    fn ages_are_read() {
        assert_eq!("30d".parse(), Ok(Age(2_592_000)));
        assert_eq!("10min".parse(), Ok(Age(600)));
        assert!("30".parse::<Age>().is_err());
        assert!("d".parse::<Age>().is_err());
        assert!("99999999999999999999d".parse::<Age>().is_err());
    }
}
