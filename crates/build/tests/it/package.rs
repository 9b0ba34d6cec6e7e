//! Packages made by hand, fit ones and others.

use std::path::{Path, PathBuf};

/// Writes one entry as it is given, with a header whose checksum fits.
pub fn entry(tar: &mut Vec<u8>, path: &str, kind: u8, mode: u32, link: &str, data: &[u8]) {
    entry_of(tar, path, kind, mode, link, data, ("root", 0), ("root", 0));
}

/// Like [`entry`], with an owner and a group.
#[allow(clippy::too_many_arguments)]
pub fn entry_of(
    tar: &mut Vec<u8>,
    path: &str,
    kind: u8,
    mode: u32,
    link: &str,
    data: &[u8],
    user: (&str, u64),
    group: (&str, u64),
) {
    let mut header = [0u8; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, format!("{:07o}\0", user.1).as_bytes());
    put(116, format!("{:07o}\0", group.1).as_bytes());
    put(124, format!("{:011o}\0", data.len()).as_bytes());
    put(136, b"15000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar  \0");
    put(265, user.0.as_bytes());
    put(297, group.0.as_bytes());
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(data);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Ends a tar archive.
pub fn end(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// The outer archive.
pub fn ar(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in parts {
        bytes.extend_from_slice(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", data.len()).as_bytes(),
        );
        bytes.extend_from_slice(data);
        if data.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

/// A control part that says so many KiB.
pub fn control(kib: u64) -> Vec<u8> {
    let mut tar = Vec::new();
    let text = format!(
        "Package: a\nVersion: 1:1~2\nArchitecture: amd64\nInstalled-Size: {kib}\nDescription: a\n Version: no\n"
    );
    entry(&mut tar, "./control", b'0', 0o644, "", text.as_bytes());
    entry(&mut tar, "./conffiles", b'0', 0o644, "", b"/etc/b\nremove-on-upgrade /etc/c\n/etc/a\n");
    entry(&mut tar, "./triggers", b'0', 0o644, "", b"# none\nactivate-noawait ldconfig\n");
    entry(&mut tar, "./postinst", b'0', 0o755, "", b"#!/bin/sh\nexit 1\n");
    end(tar)
}

/// A package with these data, not compressed.
pub fn package(data: &[u8]) -> Vec<u8> {
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control(10)), ("data.tar", data)])
}

/// Writes bytes to a file of a folder.
pub fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("a.deb");
    std::fs::write(&path, bytes).expect("a temporary folder can be written");
    path
}
