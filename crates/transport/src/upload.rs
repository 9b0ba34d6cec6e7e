//! Sending a file to a server, by `PUT`.

use crate::download::{FIRST_PAUSE, LONGEST_PAUSE, may_pass, rest};
use crate::{Error, FailureKind, Transport};
use std::path::Path;

/// Sends, and tries again where that may help.
pub(crate) fn run(
    transport: &Transport,
    address: &str,
    file: &Path,
    kind: &str,
) -> Result<Result<(), FailureKind>, Error> {
    let mut tries_left = transport.options.retries;
    let mut pause = FIRST_PAUSE;
    loop {
        let failure = match transport.client.put(address, file, kind) {
            Ok(()) => return Ok(Ok(())),
            Err(failure) => failure,
        };
        if !may_pass(&failure) || tries_left == 0 {
            return Ok(Err(failure));
        }
        tries_left -= 1;
        rest(transport, pause)?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
