//! Unpacks packages: `unpack FOLDER DEB...`; each goes to a folder of its file's name.

use nival_build::{Limits, Unpack, unpack_many};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| PathBuf::from("."));
    let all: Vec<Unpack> = arguments
        .map(|deb| Unpack { destination: folder.join(deb.file_stem().unwrap_or_default()), deb })
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    match unpack_many(&all, threads, &Limits::default(), &AtomicBool::new(false), &|_| {}) {
        Ok(done) => eprintln!("unpacked {} packages in {:?}", done.len(), start.elapsed()),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
