//! `builtin:fetchurl`: one file of an address, kept, made a program, or unpacked as a NAR.

use super::Work;
use nival_store::archive;
use nival_store_model::{ContentMethod, OutputKind};
use nival_sys::fs;
use nival_transport::{NoProgress, Request, Transport};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub(super) fn run(work: &mut Work<'_>) -> Result<(), String> {
    let out = work.output()?;
    let kind = work.derivation.outputs.get("out").map(|output| &output.kind);
    if !matches!(kind, Some(OutputKind::Fixed { .. } | OutputKind::Impure { .. })) {
        return Err("`builtin:fetchurl` needs to know the hash of what it fetches".to_owned());
    }
    let url = work.wanted("url")?;
    let mut addresses = Vec::new();
    if let Some(OutputKind::Fixed { method: ContentMethod::Flat, hash }) = kind {
        for mirror in &work.settings.hashed_mirrors {
            let mirror = mirror.trim_end_matches('/');
            addresses.push(format!("{mirror}/{}/{}", hash.algorithm().name(), hash.base16()));
        }
    }
    addresses.push(url.clone());
    let transport = Transport::new(work.settings.transport.clone(), work.cancel.clone());
    let transport = transport.map_err(|error| error.to_string())?;
    let file = work.scratch.join("fetched");
    let mut last = String::new();
    for address in addresses {
        let request = Request { address: address.clone(), to: file.clone(), ..Request::default() };
        match transport.request(&request, &NoProgress) {
            Ok(_) => return put(work, &url, &file, &out),
            Err(error) => {
                (work.say)(&format!("{address}: {error}\n"));
                last = error.to_string();
            }
        }
    }
    Err(last)
}

fn put(work: &Work<'_>, url: &str, file: &Path, out: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    if work.variable("unpack").as_deref() == Some("1") {
        let opened = BufReader::new(File::open(file).map_err(text)?);
        let mut plain: Box<dyn Read> = if url.ends_with(".xz") {
            Box::new(liblzma::read::XzDecoder::new_multi_decoder(opened))
        } else {
            Box::new(opened)
        };
        archive::restore(&mut plain, out).map_err(|error| error.to_string())?;
    } else {
        let mode = if work.variable("executable").as_deref() == Some("1") { 0o755 } else { 0o644 };
        fs::copy_new(file, out, mode).map_err(text)?;
    }
    fs::remove_file(file).map_err(text)
}
