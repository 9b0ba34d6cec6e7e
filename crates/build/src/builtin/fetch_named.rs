//! `builtin:fetch-debian` and `builtin:fetch-crate`: a file by its hash, from wherever this machine finds such files.
//!
//! The derivation says what the file is called in its archive, never where that archive is: mirrors come and go, and
//! each machine has its own.

use super::Work;
use crate::addresses::Named;
use nival_store_model::{Algorithm, ContentMethod, OutputKind};
use nival_sys::fs;
use nival_transport::{Download, NoProgress, Transport};

pub(super) fn run(work: &mut Work<'_>, kind: &str) -> Result<(), String> {
    let out = work.output()?;
    let sha256 = match work.derivation.outputs.get("out").map(|output| &output.kind) {
        Some(OutputKind::Fixed { method: ContentMethod::Flat, hash })
            if hash.algorithm() == Algorithm::Sha256 =>
        {
            <[u8; 32]>::try_from(hash.digest()).ok()
        }
        _ => return Err(format!("`builtin:fetch-{kind}` needs to know the SHA-256 of what it fetches")),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let attributes =
        work.derivation.environment.iter().map(|(name, value)| (text(name), text(value))).collect();
    let addresses = work.settings.addresses.of(&Named { kind: kind.to_owned(), attributes })?;
    let transport = Transport::new(work.settings.transport.clone(), work.cancel.clone());
    let transport = transport.map_err(|error| error.to_string())?;
    let file = work.scratch.join("fetched");
    let size = work.variable("size").and_then(|size| size.parse().ok());
    let download = Download { name: work.derivation.name.clone(), addresses, size, sha256, to: file.clone() };
    transport
        .download_all(std::slice::from_ref(&download), &NoProgress)
        .map_err(|error| error.to_string())?;
    let text = |error: std::io::Error| error.to_string();
    fs::set_mode(&file, 0o444).map_err(text)?;
    fs::rename(&file, &out).map_err(text)
}
