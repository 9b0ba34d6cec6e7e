//! The parts of this program that run as processes of their own.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs what `nival internal NAME [DATA]` asks for; `None` when the arguments ask for nothing of the kind.
///
/// The program must call this before it starts any thread, with all its arguments but its own name.
#[must_use]
pub fn internal_main(arguments: &[OsString]) -> Option<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let (first, rest) = words.split_first()?;
    if *first != "internal" {
        return None;
    }
    Some(match rest {
        ["supervisor", orders] => crate::supervisor::main(orders),
        ["adopt", record] => crate::supervisor::adopt_main(record),
        ["machine", launch] => crate::container::monitor::main(launch),
        ["enter", entry] => crate::container::enter::main(entry),
        ["look", look] => crate::container::look::main(look),
        ["switch"] => crate::switch::main(),
        ["delete", folder] => crate::machines::delete_main(folder),
        _ => ExitCode::from(2),
    })
}
