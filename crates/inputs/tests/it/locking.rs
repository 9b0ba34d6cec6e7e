//! From requests to a lock.

use crate::archive::{Archive, key, public, request, sign};
use nival_inputs::{
    ChangeKind, Error, Inputs, Lock, Mirrors, Mode, Repository, RootRequest, difference, resolve,
};
use nival_transport::NoProgress;

const BASE: &[(&str, &str, &str)] = &[
    ("base", "1", "Essential: yes\nPre-Depends: lib\n"),
    ("lib", "1:2~rc1-1", ""),
    ("nginx", "1.0-1", "Depends: lib (>= 1), http\nRecommends: docs\nConflicts: apache\n"),
    ("http", "1", ""),
    ("docs", "1", ""),
    ("apache", "2", "Conflicts: nginx\n"),
    ("exim", "1", "Provides: mta\nConflicts: mta\n"),
    ("postfix", "1", "Provides: mta\nConflicts: mta\n"),
];

fn archive() -> Archive {
    let archive = Archive::new();
    archive.publish("trixie", BASE);
    archive
}

fn lock(archive: &Archive, packages: &[&str], old: Option<&Lock>, mode: &Mode) -> Result<Lock, Error> {
    resolve(&archive.inputs(), &[request(packages)], &[], old, mode, &NoProgress)
}

fn names(lock: &Lock) -> Vec<String> {
    lock.packages_of("web").iter().map(|package| package.with_version()).collect()
}

fn code(result: Result<Lock, Error>) -> &'static str {
    result.expect_err("it is refused").diagnostic().entry.code
}

#[test]
fn a_lock_holds_what_was_asked_for_and_what_that_needs() {
    let archive = archive();
    let first = lock(&archive, &["nginx"], None, &Mode::Keep).expect("it can be locked");
    assert_eq!(names(&first), ["base=1", "http=1", "lib=1:2~rc1-1", "nginx=1.0-1"]);
    let mut with = request(&["nginx"]);
    with.recommends = true;
    let more =
        resolve(&archive.inputs(), &[with], &[], Some(&first), &Mode::Keep, &NoProgress).expect("it can");
    assert!(names(&more).contains(&"docs=1".to_owned()));
    let text = first.text();
    assert!(!text.contains(&archive.root().display().to_string()), "no address of a mirror");
    let package =
        text.lines().find(|line| line.contains("\"lib\", \"version\"")).expect("it is a line of its own");
    assert!(package.contains("1:2~rc1-1") && package.contains("pool/") && package.contains("sha256"));
}

#[test]
fn a_lock_that_covers_needs_no_network() {
    let archive = archive();
    let first = lock(&archive, &["nginx"], None, &Mode::Keep).expect("it can be locked");
    std::fs::remove_dir_all(archive.root()).expect("it is there");
    let second = lock(&archive, &["nginx"], Some(&first), &Mode::Keep).expect("nothing is asked");
    assert_eq!(first, second);
    assert_eq!(code(lock(&archive, &["http"], Some(&first), &Mode::Keep)), "NV0702");
}

#[test]
fn what_is_locked_stays_until_it_is_updated() {
    let archive = archive();
    let first = lock(&archive, &["nginx"], None, &Mode::Keep).expect("it can be locked");
    archive.publish("trixie-updates", &[("http", "2", ""), ("docs", "2", "")]);
    archive.publish("trixie-security", &[("lib", "1:2-1", "")]);
    let more = lock(&archive, &["nginx", "docs"], Some(&first), &Mode::Keep).expect("it can be locked");
    assert_eq!(names(&more), ["base=1", "docs=2", "http=1", "lib=1:2~rc1-1", "nginx=1.0-1"]);
    let security = lock(&archive, &["nginx"], Some(&first), &Mode::UpdateSecurity).expect("it can be locked");
    assert_eq!(names(&security), ["base=1", "http=1", "lib=1:2-1", "nginx=1.0-1"]);
    let changes = difference(&first, &security).changes;
    assert_eq!(changes.len(), 1);
    assert!(changes[0].security && changes[0].roots == ["web"]);
    assert_eq!(
        changes[0].kind,
        ChangeKind::Upgraded { old: "1:2~rc1-1".to_owned(), new: "1:2-1".to_owned() }
    );
    let one = lock(&archive, &["nginx"], Some(&first), &Mode::UpdateNames(vec!["http".to_owned()]))
        .expect("it can");
    assert_eq!(names(&one), ["base=1", "http=2", "lib=1:2~rc1-1", "nginx=1.0-1"]);
    let all = lock(&archive, &["nginx"], Some(&first), &Mode::UpdateAll).expect("it can be locked");
    assert_eq!(names(&all), ["base=1", "http=2", "lib=1:2-1", "nginx=1.0-1"]);
}

#[test]
fn an_update_of_what_is_not_locked_is_told() {
    let archive = archive();
    let first = lock(&archive, &["nginx"], None, &Mode::Keep).expect("it can be locked");
    let error = lock(&archive, &["nginx"], Some(&first), &Mode::UpdateNames(vec!["ngixn".to_owned()]))
        .expect_err("it is not");
    assert_eq!(error.diagnostic().entry.code, "NV0413");
    assert!(error.diagnostic().help.join(" ").contains("nginx"));
}

#[test]
fn several_roots_share_a_lock() {
    let archive = archive();
    let mut mail = request(&["postfix"]);
    mail.name = "mail".to_owned();
    let both = [request(&["nginx"]), mail.clone()];
    let lock =
        resolve(&archive.inputs(), &both, &[], None, &Mode::Keep, &NoProgress).expect("it can be locked");
    assert_eq!(lock.packages_of("mail").len(), 3);
    assert_eq!(lock.releases["trixie"].packages.len(), 5, "what both have is there once");
    let again =
        resolve(&archive.inputs(), &[mail], &[], Some(&lock), &Mode::UpdateAll, &NoProgress).expect("it can");
    assert_eq!(again, lock, "the other root stays");
    let mut less = lock.clone();
    less.retain_roots(&["mail".to_owned()].into());
    assert_eq!((less.roots.len(), less.releases["trixie"].packages.len()), (1, 3));
}

#[test]
fn an_unknown_package_is_told_with_near_names() {
    let error = lock(&archive(), &["ngixn"], None, &Mode::Keep).expect_err("there is none");
    assert_eq!(error.diagnostic().entry.code, "NV0401");
    assert!(error.diagnostic().help.join(" ").contains("`nginx`"), "{:?}", error.diagnostic().help);
}

#[test]
fn requests_that_conflict_are_explained() {
    let error =
        lock(&archive(), &["nginx", "apache"], None, &Mode::Keep).expect_err("they do not go together");
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.entry.code, "NV0402");
    assert!(diagnostic.message.contains("conflicts with"), "{}", diagnostic.message);
}

#[test]
fn a_virtual_name_lists_its_providers() {
    let error = lock(&archive(), &["mta"], None, &Mode::Keep).expect_err("there are two");
    assert_eq!(error.diagnostic().entry.code, "NV0411");
    assert!(error.diagnostic().help.join(" ").contains("exim, postfix"));
}

#[test]
fn a_missing_version_lists_the_others() {
    let error = lock(&archive(), &["nginx=0.1"], None, &Mode::Keep).expect_err("there is none");
    assert_eq!(error.diagnostic().entry.code, "NV0412");
    assert!(error.diagnostic().help.join(" ").contains("1.0-1"));
}

#[test]
fn an_unknown_release_is_told() {
    let archive = archive();
    let old = RootRequest { release: "bullseye".to_owned(), ..request(&[]) };
    assert_eq!(code(resolve(&archive.inputs(), &[old], &[], None, &Mode::Keep, &NoProgress)), "NV0408");
}

#[test]
fn without_a_mirror_the_option_is_named() {
    let archive = archive();
    let inputs = Inputs { mirrors: Mirrors::default(), ..archive.inputs() };
    let error =
        resolve(&inputs, &[request(&[])], &[], None, &Mode::Keep, &NoProgress).expect_err("there is none");
    assert_eq!(error.diagnostic().entry.code, "NV0407");
    assert!(error.diagnostic().help.join(" ").contains("--mirror"));
}

#[test]
fn a_further_repository_has_its_own_key_and_priority() {
    let archive = archive();
    let other = Archive::new();
    let vendor = key();
    let text =
        other.release("stable", &[("nginx", "9", "Depends: extra\n"), ("extra", "1", "")], "amd64", "");
    other.write_release("stable", &sign(&text, &vendor));
    let repository = Repository {
        name: "vendor".to_owned(),
        url: other.root().display().to_string(),
        suite: "stable".to_owned(),
        components: vec!["main".to_owned()],
        key: public(&vendor),
        priority: 500,
        pins: Vec::new(),
    };
    let lock = |repository: &Repository| {
        let further = std::slice::from_ref(repository);
        resolve(&archive.inputs(), &[request(&["nginx"])], further, None, &Mode::Keep, &NoProgress)
    };
    let first = lock(&repository).expect("it can be locked");
    assert_eq!(names(&first), ["base=1", "extra=1", "lib=1:2~rc1-1", "nginx=9"]);
    assert!(first.covers(&[request(&["nginx"])], std::slice::from_ref(&repository)));
    assert!(!first.covers(&[request(&["nginx"])], &[]));
    let low = Repository { priority: 100, ..repository.clone() };
    assert!(names(&lock(&low).expect("it can be locked")).contains(&"nginx=1.0-1".to_owned()));
    let pin = nival_inputs::PackagePin { package: "nginx".to_owned(), version: None, priority: -1 };
    let pinned = Repository { pins: vec![pin], ..repository.clone() };
    assert!(names(&lock(&pinned).expect("it can be locked")).contains(&"nginx=1.0-1".to_owned()));
    let wrong = Repository { key: public(&key()), ..repository };
    assert_eq!(code(lock(&wrong)), "NV0403");
}

#[test]
fn a_lock_that_cannot_be_written_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("there is one");
    let error = Lock::default().write(&folder.path().join("no/nival.lock")).expect_err("there is no folder");
    assert_eq!(error.diagnostic().entry.code, "NV0415");
}
