//! What most subcommands of `nix` take alike.

use crate::building::Building;
use crate::commands::evaluation::Evaluation;
use crate::commands::installables::Installables;
use crate::dropin::Common;
use clap::Args;

/// What a subcommand is about, and how that is evaluated and built.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    pub installables: Installables,
    #[command(flatten)]
    pub evaluation: Evaluation,
    #[command(flatten)]
    pub building: Building,
    #[command(flatten)]
    pub common: Common,
}
