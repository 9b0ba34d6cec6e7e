//! Options of every command that evaluates expressions.

use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use nival_engine::{Argument, Automatic, Session};
use std::path::Path;

/// Options of every command that evaluates expressions.
#[derive(Args, Clone, Default)]
pub struct Evaluation {
    #[command(flatten)]
    pub given: Given,
    /// Look `<NAME>` up at this path, before those of NIX_PATH
    #[arg(short = 'I', long, value_name = "[NAME=]PATH")]
    pub include: Vec<String>,
    /// Evaluate for this system instead of this machine's own, such as aarch64-linux
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
    /// Let values take at most this much memory, such as 512M or 4G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<usize>,
    /// Let calls nest at most this deeply
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub max_call_depth: u32,
}

/// Reads a number of bytes with `K`, `M`, `G` or `T` behind it.
fn size(text: &str) -> Result<usize, String> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let plain = text.trim_end_matches("iB").trim_end_matches('B');
    let found = units.iter().find_map(|(unit, shift)| Some((plain.strip_suffix(unit)?, *shift)));
    let (digits, shift) = found.unwrap_or((plain, 0));
    let number = digits.trim().parse::<usize>().ok().and_then(|n| n.checked_mul(1 << shift));
    number.filter(|n| *n > 0).ok_or_else(|| "write a size such as 512M or 4G".to_owned())
}

impl Evaluation {
    /// A session with these options; `read_only` ones compute store paths and write nothing.
    pub fn session(&self, context: &mut Context, read_only: bool) -> Result<Session, Error> {
        context.session_with(|options| {
            let own = self.include.iter().map(|entry| {
                let (prefix, path) = entry.split_once('=').unwrap_or(("", entry));
                (prefix.to_owned(), absolute(Path::new(path).to_owned()).to_string_lossy().into_owned())
            });
            options.search_path.splice(0..0, own);
            options.read_only = read_only;
            if let Some(system) = &self.system {
                options.system.clone_from(system);
            }
            options.settings.max_memory = self.max_memory.unwrap_or(0);
            options.settings.max_call_depth = self.max_call_depth;
        })
    }

    /// The arguments that functions are given.
    pub fn automatic(&self, session: &mut Session) -> Result<Automatic, nival_engine::Error> {
        session.automatic(&self.given.0)
    }
}

/// The values of `--arg` and `--argstr`, in the order in which they were typed: the last of one name wins.
#[derive(Clone, Default)]
pub struct Given(Vec<(String, Argument)>);

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        let two = |name: &'static str, what: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .num_args(2)
                .value_names(["NAME", what])
                .action(ArgAction::Append)
                .help(help)
        };
        command
            .arg(two("arg", "EXPRESSION", "Give functions the value of an expression as an argument"))
            .arg(two("argstr", "TEXT", "Give functions a text as an argument"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let base = current_folder();
        let mut found = Vec::new();
        for id in ["arg", "argstr"] {
            let places: Vec<usize> = matches.indices_of(id).into_iter().flatten().collect();
            let words: Vec<&String> = matches.get_many::<String>(id).into_iter().flatten().collect();
            for (place, pair) in places.chunks_exact(2).zip(words.chunks_exact(2)) {
                let argument = match id {
                    "arg" => Argument::Expression(pair[1].clone(), base.clone()),
                    _ => Argument::Text(pair[1].clone()),
                };
                found.push((place[0], pair[0].clone(), argument));
            }
        }
        found.sort_by_key(|(place, ..)| *place);
        self.0 = found.into_iter().map(|(_, name, argument)| (name, argument)).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("8MiB"), Ok(8 << 20));
        assert!(
            size("").is_err() && size("0").is_err() && size("G").is_err() && size("99999999999T").is_err()
        );
    }
}
