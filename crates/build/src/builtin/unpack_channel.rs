//! `builtin:unpack-channel`: the one folder of an archive, under a name of its own.

use super::Work;
use nival_sys::fs;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub(super) fn run(work: &mut Work<'_>) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let out = work.output()?;
    let name = work.wanted("channelName")?;
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(format!("a channel's name is the name of a folder, and this is none: `{name}`"));
    }
    let source = (work.physical)(&work.wanted("src")?);
    let unpacked = work.scratch.join("channel");
    fs::create_dir_all(&unpacked).map_err(text)?;
    unpack(&source, &unpacked)?;
    let entries: Vec<_> = unpacked.read_dir().and_then(Iterator::collect).map_err(text)?;
    let [only] = &entries[..] else {
        return Err("a channel's archive holds one folder".to_owned());
    };
    fs::create_dir_all(&out).map_err(text)?;
    fs::rename(&only.path(), &out.join(name)).map_err(text)
}

fn unpack(source: &Path, to: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut file = BufReader::new(File::open(source).map_err(text)?);
    let mut start = [0; 6];
    let length = file.read(&mut start).map_err(text)?;
    let file = BufReader::new(File::open(source).map_err(text)?);
    let plain: Box<dyn Read> = match &start[..length] {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(liblzma::read::XzDecoder::new_multi_decoder(file)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::read::MultiBzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(file).map_err(text)?),
        _ => Box::new(file),
    };
    let mut archive = tar::Archive::new(plain);
    archive.set_preserve_mtime(false);
    // The library refuses what would reach out of the folder.
    archive.unpack(to).map_err(text)
}
