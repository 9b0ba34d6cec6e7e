//! Packages that are made with ill will, or damaged.

use crate::package::{ar, control, end, entry, package, write};
use nival_build::{Limits, unpack_deb};
use std::io::Write as _;

/// Unpacks bytes; the code that it ends in. Nothing may be left, inside or outside.
fn code(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("there is one");
    let deb = write(folder.path(), bytes);
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).expect("it can be made");
    let result = unpack_deb(&deb, &inside.join("out"), &Limits::default());
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("it is there")
        .map(|e| e.expect("it is").file_name())
        .collect();
    assert_eq!(left.len(), 2, "outside: {left:?}");
    match result {
        Ok(_) => "unpacked".to_owned(),
        Err(error) => {
            assert_eq!(std::fs::read_dir(inside).expect("it is there").count(), 0, "something is left");
            error.diagnostic().entry.code.to_owned()
        }
    }
}

fn with(entries: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut tar = Vec::new();
    entries(&mut tar);
    package(&end(tar))
}

#[test]
fn hostile_entries_are_refused() {
    let one = |path: &str, kind: u8, link: &str| with(|tar| entry(tar, path, kind, 0o644, link, b""));
    for (path, kind, link) in [
        ("../evil", b'0', ""),
        ("./usr/../../evil", b'0', ""),
        ("/evil", b'0', ""),
        ("./..", b'5', ""),
        ("./dev/sda", b'4', ""),
        ("./dev/null", b'3', ""),
        ("./pipe", b'6', ""),
        ("./link", b'2', "../outside"),
        ("./usr/link", b'2', "../../outside"),
        ("./usr/link", b'2', ""),
        ("./hard", b'1', "../outside"),
        ("./hard", b'1', "/etc/passwd"),
        ("./hard", b'1', "./not-there"),
        ("./strange", b'9', ""),
        ("./", b'2', "usr"),
    ] {
        assert_eq!(code(&one(path, kind, link)), "NV0522", "{path} {link}");
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let below = |second: fn(&mut Vec<u8>)| {
        with(|tar| {
            entry(tar, "./usr/share/a", b'2', 0o777, "/etc", b"");
            second(tar);
        })
    };
    assert_eq!(code(&below(|tar| entry(tar, "./usr/share/a/passwd", b'0', 0o644, "", b"x"))), "NV0522");
    assert_eq!(code(&below(|tar| entry(tar, "./usr/share/a/b/", b'5', 0o755, "", b""))), "NV0522");
    assert_eq!(code(&below(|tar| entry(tar, "./usr/share/a", b'0', 0o644, "", b"x"))), "NV0522");
    assert_eq!(code(&below(|tar| entry(tar, "./usr/share/b", b'1', 0o644, "./usr/share/a", b""))), "NV0522");
    assert_eq!(code(&below(|tar| entry(tar, "./usr/share/c", b'2', 0o777, "a", b""))), "unpacked");
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let twice = with(|tar| {
        entry(tar, "./a", b'0', 0o644, "", b"1");
        entry(tar, "./a", b'0', 0o644, "", b"2");
    });
    assert_eq!(code(&twice), "NV0522");
    let below = with(|tar| {
        entry(tar, "./a", b'0', 0o644, "", b"1");
        entry(tar, "./a/b", b'0', 0o644, "", b"2");
    });
    assert_eq!(code(&below), "NV0522");
}

#[test]
fn a_file_that_is_no_package_is_refused() {
    for bytes in [&b""[..], b"hello, world\n", b"!<arch>\n"] {
        assert!(matches!(code(bytes).as_str(), "NV0520" | "NV0521"), "{bytes:?}");
    }
    let data = end(Vec::new());
    let parts = |parts: &[(&str, &[u8])]| code(&ar(parts));
    assert_eq!(parts(&[("debian-binary", b"3.0\n")]), "NV0520");
    assert_eq!(parts(&[("control.tar", &data)]), "NV0520");
    assert_eq!(parts(&[("debian-binary", b"2.0\n"), ("data.tar", &data)]), "NV0520");
    assert_eq!(parts(&[("debian-binary", b"2.0\n"), ("control.tar", &data), ("data.tar", &data)]), "NV0520");
    assert_eq!(
        parts(&[("debian-binary", b"2.0\n"), ("control.tar", &control(1)), ("data.tar.foo", &data)]),
        "NV0520"
    );
    let extra: &[(&str, &[u8])] =
        &[("debian-binary", b"2.0\n"), ("_x", b"y"), ("control.tar", &control(1)), ("data.tar", &data)];
    assert_eq!(parts(extra), "unpacked");
}

fn compressed() -> Vec<u8> {
    let mut tar = Vec::new();
    let noise: Vec<u8> = (0..100_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    entry(&mut tar, "./noise", b'0', 0o644, "", &noise);
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(&end(tar)).expect("memory takes it");
    let data = encoder.finish().expect("memory takes it");
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control(500)), ("data.tar.xz", &data)])
}

#[test]
fn a_truncated_package_is_refused() {
    let whole = compressed();
    assert_eq!(code(&whole), "unpacked");
    for cut in [1, 2, 100, 5_000, whole.len() / 2] {
        assert_eq!(code(&whole[..whole.len() - cut]), "NV0521", "{cut} bytes less");
    }
}

#[test]
fn a_flipped_byte_is_found() {
    let whole = compressed();
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 10, whole.len() - 40] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        assert_eq!(code(&bytes), "NV0521", "at {at}");
    }
}

#[test]
fn a_bomb_is_stopped_at_its_limit() {
    let mut tar = Vec::new();
    entry(&mut tar, "./zeros", b'0', 0o644, "", &vec![0; 80 << 20]);
    let data = zstd::encode_all(&end(tar)[..], 1).expect("memory takes it");
    assert!(data.len() < 100_000);
    let bomb = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control(10)), ("data.tar.zst", &data)]);
    assert_eq!(code(&bomb), "NV0523");
    let after = zstd::encode_all(&vec![0u8; 80 << 20][..], 1).expect("memory takes it");
    let bomb = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control(10)), ("data.tar.zst", &after)]);
    assert_eq!(code(&bomb), "NV0523", "zeros behind the end");
}
