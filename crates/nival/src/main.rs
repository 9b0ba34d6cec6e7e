//! The command: arguments, output, progress.
fn main() {}
