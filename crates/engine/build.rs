//! Makes the list of the library's files, which are part of the program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../library");
    println!("cargo::rerun-if-env-changed=CARGO_MANIFEST_DIR");
    let root = root.canonicalize().expect("the library lies in the repository");
    let mut files = Vec::new();
    list(&root, &mut files);
    files.sort();
    let mut text = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).expect("listed below the root").display().to_string();
        writeln!(text, "    (\"{name}\", include_bytes!(\"{}\")),", file.display())
            .expect("writing to memory");
    }
    text.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo")).join("library.rs");
    std::fs::write(out, text).expect("cargo's own folder can be written");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in folder.read_dir().expect("the library can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}
