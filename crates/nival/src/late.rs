//! Arguments of commands that are put together only where their command is asked for.
//!
//! Descriptions of all options of all commands take more time than most commands, and each start of the program needs
//! those of one.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether no arguments are late any more.
static ALL_AT_ONCE: AtomicBool = AtomicBool::new(false);

/// From now on commands are described with all their arguments: for what looks at all of them.
pub fn all_at_once() {
    ALL_AT_ONCE.store(true, Ordering::Relaxed);
}

/// A command's arguments; what the command itself says of itself stays.
pub struct Late<T>(T);

impl<T> Deref for Late<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Args> Args for Late<T> {
    fn augment_args(command: Command) -> Command {
        match ALL_AT_ONCE.load(Ordering::Relaxed) {
            true => T::augment_args(command),
            false => command.defer(augmented::<T>),
        }
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(augmented_for_update::<T>)
    }
}

impl<T: FromArgMatches> FromArgMatches for Late<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}

fn augmented<T: Args>(command: Command) -> Command {
    described_as_before(command, T::augment_args)
}

fn augmented_for_update<T: Args>(command: Command) -> Command {
    described_as_before(command, T::augment_args_for_update)
}

/// The comment of a structure of arguments does not take the place of what its command says of itself.
fn described_as_before(command: Command, augment: impl FnOnce(Command) -> Command) -> Command {
    let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
    augment(command).about(Resettable::from(about)).long_about(Resettable::from(long))
}
