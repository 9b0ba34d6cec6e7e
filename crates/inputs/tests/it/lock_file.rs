//! The file of the lock.

use crate::archive::{Archive, request};
use nival_inputs::{Lock, Mode, resolve};
use nival_transport::NoProgress;
use std::path::Path;

fn text() -> String {
    let archive = Archive::new();
    archive.publish("trixie", &[("a\u{2d}b", "1:1~2+c", "Essential: yes\n"), ("c", "1", "Depends: a-b\n")]);
    resolve(&archive.inputs(), &[request(&["c"])], &[], None, &Mode::Keep, &NoProgress)
        .expect("it can be locked")
        .text()
}

#[test]
fn a_lock_is_read_back_as_it_was_written() {
    let text = text();
    let lock = Lock::parse(text.as_bytes(), Path::new("nival.lock")).expect("it is one");
    assert_eq!(lock.text(), text);
    let folder = tempfile::tempdir().expect("there is one");
    let path = folder.path().join("nival.lock");
    assert_eq!(Lock::read(&path).expect("it is not there"), None);
    lock.write(&path).expect("it can be written");
    assert_eq!(Lock::read(&path).expect("it is one"), Some(lock));
    assert_eq!(Lock::parse(Lock::default().text().as_bytes(), &path).expect("it is one"), Lock::default());
}

#[test]
fn a_damaged_lock_is_told_with_its_line() {
    let text = text();
    let line_of =
        |wanted: &str| text.lines().position(|line| line.contains(wanted)).expect("it is there") + 1;
    let package = line_of("\"c\", \"version\"");
    let changed = |from: &str, to: &str| text.replacen(from, to, 1);
    let sha256 = text
        .lines()
        .nth(package - 1)
        .and_then(|line| line.split("sha256\": \"").nth(1))
        .expect("it is there");
    for (wrong, line) in [
        (changed("\"nival-lock\": 1", "\"nival-lock\": 2"), 2),
        (changed("{\"name\": \"c\"", "\n<<<<<<< mine\n{\"name\": \"c\""), 0),
        (changed("pool/c_1", "../c_1"), package),
        (changed(&sha256[..64], "00"), package),
        (changed("\"size\": 30", "\"size\": \"30\""), package),
        (changed("\"repository\": \"debian\"", "\"repository\": \"other\""), package - 1),
        (changed("\"requests\"", "\"wishes\""), line_of("\"requests\"")),
        (changed("\"packages\": [\n        \"a-b\"", "\"packages\": [\n        \"x\""), line_of("\"web\"")),
        (text[..text.len() / 2].to_owned(), text[..text.len() / 2].lines().count()),
    ] {
        let error = Lock::parse(wrong.as_bytes(), Path::new("nival.lock")).expect_err("it is damaged");
        let diagnostic = error.diagnostic();
        assert_eq!(diagnostic.entry.code, "NV0409");
        if line > 0 {
            assert!(
                diagnostic.message.contains(&format!("nival.lock:{line}`")),
                "{line}: {}",
                diagnostic.message
            );
        } else {
            assert!(diagnostic.message.contains("merge"), "{}", diagnostic.message);
        }
    }
}
