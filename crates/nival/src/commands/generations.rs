//! `nival generations`

use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_os::Generation;
use std::process::ExitCode;

/// What can be typed behind `nival generations`.
#[derive(Args)]
pub struct Arguments {
    /// The machine
    machine: String,
}

/// Lists the generations of a machine; the current one is marked.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let generations = context.machines().generations(&arguments.machine)?;
    let line = |generation: &Generation| {
        let mark = if generation.current { "*" } else { " " };
        format!("{mark} {:>3}  {}  {}", generation.number, time(generation.created), generation.made_by)
    };
    let lines: Vec<String> = generations.iter().map(line).collect();
    context.output.result(&lines.join("\n"), || serde_json::to_value(&generations).unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// A time as `YYYY-MM-DD HH:MM:SS` in UTC.
pub fn time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date of the Gregorian calendar: eras of 400 years that begin in March of the year 0.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_dates() {
        assert_eq!(time(0), "1970-01-01 00:00:00");
        assert_eq!(time(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(time(1_795_391_999), "2026-11-22 23:59:59");
    }
}
