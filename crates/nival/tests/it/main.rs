//! The command as a user types it: real packages, real systemd, real nginx and PostgreSQL.
//!
//! Tests of machines share one data folder, so that packages are fetched once, and run one after the other. They run as
//! the user who starts them; as root, `unprivileged` also acts as the user `nival-ci`, whom `cargo xtask setup` makes.

mod builds;
mod commands;
mod debugging;
mod develop;
mod enabled;
mod evaluation;
mod failing;
mod hostile;
mod hostile_calls;
mod interrupt;
mod killed;
mod machines;
mod nix_env;
mod nix_programs;
mod outside;
mod profiles;
mod refused;
mod remote;
mod repl;
mod services;
mod store_programs;
mod stores;
mod unprivileged;
mod world;
mod wrong_configurations;
