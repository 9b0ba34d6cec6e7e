//! Indices that are signed as they should, and others.

use crate::archive::{Archive, NOW, key, public, request, sign};
use nival_inputs::{Error, Keys, Mode, SignatureProblem, resolve, verify_release};
use nival_transport::NoProgress;

const TEXT: &str = "Suite: a\n- dashed\nline with blanks\n\nend\n";

fn keys(key: &pgp::composed::SignedSecretKey) -> Keys {
    Keys::parse(&public(key)).expect("it is a key")
}

#[test]
fn a_good_signature_gives_the_text_back() {
    let key = key();
    let signed = sign(TEXT, &key);
    assert_eq!(verify_release(&signed, &keys(&key), NOW).as_deref().map(str::trim_end), Ok(TEXT.trim_end()));
}

#[test]
fn armored_keys_are_read_too() {
    let key = key();
    let public = pgp::composed::SignedPublicKey::from(key.clone());
    let armored = public.to_armored_string(Default::default()).expect("it can be written");
    let keys = Keys::parse(armored.as_bytes()).expect("it is a key");
    assert!(verify_release(&sign(TEXT, &key), &keys, NOW).is_ok());
}

#[test]
fn a_changed_text_is_refused() {
    let key = key();
    let signed = sign(TEXT, &key).replace("Suite: a", "Suite: b");
    assert!(matches!(verify_release(&signed, &keys(&key), NOW), Err(SignatureProblem::Wrong { .. })));
}

#[test]
fn an_unknown_key_is_named() {
    let problem = verify_release(&sign(TEXT, &key()), &keys(&key()), NOW).expect_err("it is another key");
    assert!(matches!(problem, SignatureProblem::UnknownKey { .. }), "{problem}");
}

#[test]
fn what_is_not_signed_is_refused() {
    let keys = keys(&key());
    for text in [TEXT, "", "-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n"] {
        assert!(matches!(verify_release(text, &keys, NOW), Err(SignatureProblem::Malformed(_))), "{text}");
    }
}

#[test]
fn a_signature_of_the_future_is_refused() {
    let key = key();
    let problem =
        verify_release(&sign(TEXT, &key), &keys(&key), NOW - 10 * 86_400).expect_err("it is not yet made");
    assert!(matches!(problem, SignatureProblem::OutOfTime { .. }));
}

#[test]
fn a_key_that_is_none_is_refused() {
    for bytes in [&b""[..], b"no key", b"\x99\x01\x02"] {
        assert_eq!(Keys::parse(bytes).expect_err("it is none").diagnostic().entry.code, "NV0414");
    }
}

fn code(archive: &Archive) -> String {
    let result = resolve(&archive.inputs(), &[request(&[])], &[], None, &Mode::Keep, &NoProgress);
    result.map_or_else(|error: Error| error.diagnostic().entry.code.to_owned(), |_| "locked".to_owned())
}

#[test]
fn a_tampered_index_is_refused() {
    let archive = Archive::new();
    assert_eq!(code(&archive), "locked");
    let path = archive.root().join("dists/trixie/InRelease");
    let text = std::fs::read_to_string(&path).expect("it is there");
    archive.write_release("trixie", &text.replace("Suite: trixie", "Suite: trixiE"));
    assert_eq!(code(&archive), "NV0403");
    let text = archive.release("trixie", &[], "amd64", "");
    archive.write_release("trixie", &sign(&text, &key()));
    assert_eq!(code(&archive), "NV0403", "another key");
    archive.publish("trixie", &[("a", "1", "")]);
    std::fs::write(archive.root().join("dists/trixie/main/binary-amd64/Packages"), "Package: b\n")
        .expect("it can be");
    assert_eq!(code(&archive), "NV0703", "the index is not the one that was signed");
}

#[test]
fn an_expired_index_is_refused() {
    let archive = Archive::new();
    let with = |fields: &str| {
        let text = archive.release("trixie", &[], "amd64", fields);
        archive.write_release("trixie", &sign(&text, &archive.key));
        code(&archive)
    };
    assert_eq!(with("Valid-Until: Mon, 03 Nov 2025 00:00:00 UTC\n"), "locked");
    assert_eq!(with("Valid-Until: Sat, 01 Nov 2025 00:00:00 UTC\n"), "NV0404");
    assert_eq!(with("Date: Wed, 05 Nov 2025 00:00:00 UTC\n"), "NV0404");
    assert_eq!(with("Date: yesterday\n"), "NV0406");
}

#[test]
fn another_suite_is_refused() {
    let archive = Archive::new();
    let text = archive.release("trixie", &[], "amd64", "").replace(": trixie\n", ": bookworm\n");
    archive.write_release("trixie", &sign(&text, &archive.key));
    assert_eq!(code(&archive), "NV0405");
}

#[test]
fn an_index_without_the_architecture_is_told() {
    let archive = Archive::new();
    let text = archive.release("trixie", &[], "m68k", "");
    archive.write_release("trixie", &sign(&text, &archive.key));
    assert_eq!(code(&archive), "NV0406");
}
