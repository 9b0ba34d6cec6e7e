//! What `just X` runs.
fn main() {}
