//! Tests of the way to the network, against servers on loopback.

mod server;

use nival_transport::{Cancel, Download, Error, NoProgress, Options, Progress, Proxies, Transport};
use server::{Behaviour, Server};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

fn bytes() -> Vec<u8> {
    (0..300_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn transport() -> Transport {
    let options = Options { retries: 2, timeout: Duration::from_secs(3), ..Options::default() };
    Transport::new(options, Cancel::default()).expect("the options are fit")
}

fn download(addresses: &[String], to: &Path) -> Download {
    let all = bytes();
    Download {
        name: "thing".to_owned(),
        addresses: addresses.to_vec(),
        size: Some(all.len() as u64),
        sha256: Some(Sha256::digest(&all).into()),
        to: to.join("thing"),
    }
}

fn code(error: &Error) -> &'static str {
    error.diagnostic().entry.code
}

#[derive(Default)]
struct Counter {
    bytes: AtomicI64,
    files: AtomicU64,
}

impl Progress for Counter {
    fn advance(&self, bytes: i64) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }
    fn file_done(&self, _name: &str) {
        self.files.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_file_arrives_whole_and_only_once() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::Good);
    let download = download(&[server.address("/a")], folder.path());
    let counter = Counter::default();
    transport().download(&download, &counter).expect("it is there");
    transport().download(&download, &counter).expect("it is there already");
    assert_eq!(std::fs::read(&download.to).expect("it is there"), bytes());
    assert_eq!(server.requests(), 1);
    assert_eq!(counter.files.into_inner(), 2);
    assert_eq!(counter.bytes.into_inner(), 2 * bytes().len() as i64);
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1);
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::BreakAfter(400_000));
    let download = download(&[server.address("/a")], folder.path());
    let counter = Counter::default();
    transport().download(&download, &counter).expect("it arrives in parts");
    assert_eq!(std::fs::read(&download.to).expect("it is there"), bytes());
    assert_eq!(server.requests(), 3);
    assert!(server.sent() < bytes().len() as u64 + 300_000, "nothing is sent twice");
    assert_eq!(counter.bytes.into_inner(), bytes().len() as i64);
}

#[test]
fn a_part_of_an_earlier_run_is_used() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::Good);
    let download = download(&[server.address("/a")], folder.path());
    std::fs::write(folder.path().join("thing.part"), &bytes()[..1_000_000]).expect("it can be written");
    transport().download(&download, &NoProgress).expect("it is there");
    assert!(server.sent() <= 200_000);
    std::fs::remove_file(&download.to).expect("it is there");
    std::fs::write(folder.path().join("thing.part"), vec![7; 1000]).expect("it can be written");
    transport().download(&download, &NoProgress).expect("a wrong part is thrown away");
    assert_eq!(std::fs::read(&download.to).expect("it is there"), bytes());
}

#[test]
fn a_server_without_ranges_starts_again() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::NoRanges);
    let download = download(&[server.address("/a")], folder.path());
    std::fs::write(folder.path().join("thing.part"), &bytes()[..1_000_000]).expect("it can be written");
    transport().download(&download, &NoProgress).expect("it is there");
    assert_eq!(std::fs::read(&download.to).expect("it is there"), bytes());
}

#[test]
fn a_flipped_byte_is_refused() {
    let folder = tempfile::tempdir().expect("there is one");
    let mut wrong = bytes();
    wrong[700_000] ^= 1;
    let bad = Server::start(wrong, Behaviour::Good);
    let error = transport()
        .download(&download(&[bad.address("/a")], folder.path()), &NoProgress)
        .expect_err("it is another");
    assert_eq!(code(&error), "NV0703");
    assert!(
        error.to_string().contains(&bad.address("/a")) && error.to_string().contains("wanted SHA-256"),
        "{error}"
    );
    assert!(!folder.path().join("thing").exists());
    let good = Server::start(bytes(), Behaviour::Good);
    let both = download(&[bad.address("/a"), good.address("/a")], folder.path());
    transport().download(&both, &NoProgress).expect("the second has it");
}

#[test]
fn another_size_is_refused() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start([bytes(), vec![0]].concat(), Behaviour::Good);
    let error = transport()
        .download(&download(&[server.address("/a")], folder.path()), &NoProgress)
        .expect_err("it is another");
    assert_eq!(code(&error), "NV0703");
}

#[test]
fn a_file_that_is_nowhere_is_named_with_its_addresses() {
    let folder = tempfile::tempdir().expect("there is one");
    let (one, two) = (Server::start(bytes(), Behaviour::Missing), Server::start(bytes(), Behaviour::Missing));
    let addresses = [one.address("/a"), two.address("/b"), folder.path().join("none").display().to_string()];
    let error =
        transport().download(&download(&addresses, folder.path()), &NoProgress).expect_err("nobody has it");
    assert_eq!(code(&error), "NV0702");
    assert!(error.is_gone());
    let notes = error.diagnostic().notes.join("\n");
    assert!(addresses.iter().all(|address| notes.contains(address)), "{notes}");
}

#[test]
fn a_failing_server_is_asked_again_and_named() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::Status(503));
    let error = transport()
        .download(&download(&[server.address("/a")], folder.path()), &NoProgress)
        .expect_err("it fails");
    assert_eq!((code(&error), server.requests()), ("NV0704", 3));
    let flaky = Server::start(bytes(), Behaviour::FailFirst(2));
    transport()
        .download(&download(&[flaky.address("/a")], folder.path()), &NoProgress)
        .expect("the third time works");
}

#[test]
fn no_network_is_told_apart() {
    let folder = tempfile::tempdir().expect("there is one");
    let closed = { Server::start(bytes(), Behaviour::Good).address("/a") };
    let options = Options { retries: 0, timeout: Duration::from_secs(2), ..Options::default() };
    let transport = Transport::new(options, Cancel::default()).expect("the options are fit");
    let error =
        transport.download(&download(&[closed], folder.path()), &NoProgress).expect_err("nobody listens");
    assert_eq!(code(&error), "NV0701");
    assert!(error.is_offline());
}

#[test]
fn paths_and_file_addresses_are_copied() {
    let folder = tempfile::tempdir().expect("there is one");
    let source = folder.path().join("source");
    std::fs::write(&source, bytes()).expect("it can be written");
    for address in [source.display().to_string(), format!("file://{}", source.display())] {
        let download = download(&[address], folder.path());
        transport().download(&download, &NoProgress).expect("it is there");
        std::fs::remove_file(&download.to).expect("it is there");
    }
    assert_eq!(transport().get(&source.display().to_string(), 1 << 30).expect("it is there"), bytes());
    assert_eq!(
        code(&transport().get(&source.display().to_string(), 10).expect_err("it is larger")),
        "NV0704"
    );
}

#[test]
fn several_files_arrive_at_the_same_time() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::Good);
    let mut all = Vec::new();
    for at in 0..12 {
        let mut download = download(&[server.address(&format!("/{at}"))], folder.path());
        download.to = folder.path().join(at.to_string());
        all.push(download);
    }
    let counter = Counter::default();
    transport().download_all(&all, &counter).expect("they are there");
    assert_eq!(counter.files.into_inner(), 12);
    assert!(all.iter().all(|download| download.to.exists()));
}

#[test]
fn a_cancelled_download_ends_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::BreakAfter(400_000));
    let cancel = Cancel::default();
    let transport = Transport::new(Options::default(), cancel.clone()).expect("the options are fit");
    struct Ender(Cancel, AtomicI64);
    impl Progress for Ender {
        fn advance(&self, bytes: i64) {
            if self.1.fetch_add(bytes, Ordering::SeqCst) > 200_000 {
                self.0.cancel();
            }
        }
    }
    let download = download(&[server.address("/a")], folder.path());
    let error =
        transport.download(&download, &Ender(cancel, AtomicI64::new(0))).expect_err("it is cancelled");
    assert_eq!(code(&error), "NV0706");
    assert!(std::fs::metadata(folder.path().join("thing.part")).expect("it is kept").len() >= 200_000);
}

#[test]
fn a_disk_that_refuses_is_told() {
    let folder = tempfile::tempdir().expect("there is one");
    let server = Server::start(bytes(), Behaviour::Good);
    let mut download = download(&[server.address("/a")], folder.path());
    download.to = folder.path().join("no/such/folder/thing");
    assert_eq!(
        code(&transport().download(&download, &NoProgress).expect_err("there is no folder")),
        "NV0705"
    );
}

#[test]
fn a_proxy_that_is_none_is_refused() {
    let proxies = Proxies { http: Some("::not an address::".to_owned()), ..Proxies::default() };
    let options = Options { proxies, ..Options::default() };
    assert_eq!(code(&Transport::new(options, Cancel::default()).expect_err("it is none")), "NV0707");
}

#[test]
fn a_proxy_and_a_password_are_used() {
    let folder = tempfile::tempdir().expect("there is one");
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, "machine host.invalid login me password secret\n").expect("it can be written");
    let server = Server::start(bytes(), Behaviour::Good);
    let proxies = Proxies { http: Some(server.address("")), ..Proxies::default() };
    let options =
        Options { proxies, netrc: Some(netrc), timeout: Duration::from_secs(3), ..Options::default() };
    let transport = Transport::new(options, Cancel::default()).expect("the options are fit");
    transport.get("http://host.invalid/a", 1 << 30).expect("the proxy answers");
    let seen = server.heads().to_lowercase();
    assert!(seen.contains("host.invalid"), "{seen}");
}
