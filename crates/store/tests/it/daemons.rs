//! The worker protocol against a real daemon: that of the C++ Nix which `NIVAL_PEER_NIX` names (`cargo xtask peer`
//! brings one). Without it there is nothing to ask, and the test says so.

use crate::caches::done;
use nival_store::daemon::Daemon;
use nival_store::stores::{CopyOptions, Trust, copy};
use nival_store::{LocalStore, Store, StoreConfig};
use nival_store_model::signature::fingerprint;
use nival_store_model::{SecretKey, StorePathError};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon that ends when this goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(nix: &str, folder: &Path) -> Running {
    let etc = folder.join("etc");
    std::fs::create_dir_all(&etc).expect("it can be done");
    let settings =
        "build-users-group =\nsandbox = false\nexperimental-features = nix-command\nsubstituters =\n";
    std::fs::write(etc.join("nix.conf"), settings).expect("it can be done");
    let daemon = Command::new(nix)
        .arg0("nix-daemon")
        .env("NIX_STORE_DIR", folder.join("store"))
        .env("NIX_STATE_DIR", folder.join("var"))
        .env("NIX_LOG_DIR", folder.join("log"))
        .env("NIX_CONF_DIR", &etc)
        .env("NIX_DAEMON_SOCKET_PATH", folder.join("socket"))
        .env("HOME", folder)
        .env_remove("NIX_REMOTE")
        .stdin(Stdio::null())
        .spawn();
    let running = Running(daemon.expect("the daemon starts"));
    let until = Instant::now() + Duration::from_secs(20);
    while std::os::unix::net::UnixStream::connect(folder.join("socket")).is_err() {
        assert!(Instant::now() < until, "the daemon does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

#[test]
fn daemon_of_nix_is_asked_added_to_and_builds() {
    let Ok(nix) = std::env::var("NIVAL_PEER_NIX") else {
        eprintln!("NIVAL_PEER_NIX names no C++ Nix: its daemon is not asked");
        return;
    };
    let folder = tempfile::tempdir().expect("it can be done");
    let root = folder.path().canonicalize().expect("it is there");
    let _running = start(&nix, &root);
    let dir = nival_store_model::StoreDir::new(root.join("store").to_str().expect("text"));
    let daemon = done(Daemon::connect(&root.join("socket"), &dir, Vec::new()));
    assert!(daemon.version().is_some_and(|version| version.starts_with("2.")));

    // A store of ours with the same directory, elsewhere on the disk.
    let config = StoreConfig { logical: dir.clone(), ..StoreConfig::below(&root.join("own")) };
    let own = done(LocalStore::open_with(config));
    let first = done(own.add_text("first", b"1", &[]));
    let second = done(own.add_text("second", dir.print(&first).as_bytes(), std::slice::from_ref(&first)));
    let options =
        CopyOptions { trust: Trust::signed_by(Vec::new()), closure: true, jobs: 2, keys: Vec::new() };
    let copied = done(copy(&own, &daemon, std::slice::from_ref(&second), &options, &|_| {}));
    assert_eq!(copied.paths, [first.clone(), second.clone()]);
    assert_eq!(done(daemon.all()), {
        let mut both = copied.paths.clone();
        both.sort();
        both
    });
    let theirs = done(daemon.info(&second)).expect("it was added");
    let ours = done(own.info(&second)).expect("it is there");
    assert_eq!((theirs.nar_hash, theirs.references), (ours.nar_hash, ours.references));
    assert_eq!(theirs.content_address, ours.content_address);
    assert_eq!(done(daemon.path_of_hash_part(first.hash_part())), Some(first.clone()));
    let mut nar = Vec::new();
    done(daemon.nar(&second)).read_to_end(&mut nar).expect("it comes");
    assert_eq!(nival_store_model::Hash::sha256(&nar), done(own.info(&second)).expect("there").nar_hash);

    let key = SecretKey::from_seed("test-1", [3; 32]);
    let text = fingerprint(&dir, &first, &ours_hash(&own, &first), 120, &[]);
    done(daemon.add_signatures(&first, &[key.sign(text.as_bytes()).to_string()].into()));
    assert_eq!(done(daemon.info(&first)).expect("there").signatures.len(), 1);

    builds(&own, &daemon);
    let missing = done(
        daemon.info(&nival_store_model::StorePath::parse(&format!("{}-x", "0".repeat(32))).expect("a path")),
    );
    assert!(missing.is_none());
}

fn ours_hash(own: &LocalStore, path: &nival_store_model::StorePath) -> nival_store_model::Hash {
    done(own.info(path)).expect("it is there").nar_hash
}

fn builds(own: &LocalStore, daemon: &Daemon) {
    let dir = own.dir();
    for (script, fine) in [("echo said; echo built > $out", true), ("echo no; exit 3", false)] {
        let text = format!(
            "Derive([(\"out\",\"\",\"\",\"\")],[],[],\"{}-linux\",\"/bin/sh\",[\"-c\",\"{script}\"],[(\"name\",\"built\"),(\"out\",\"\")])",
            std::env::consts::ARCH
        );
        let parsed = nival_store_model::derivation::parse(text.as_bytes(), "built", dir);
        let mut derivation = parsed.expect("a derivation");
        let filled = derivation.fill_outputs(dir, |path| Err(StorePathError::BadName(path.to_string())));
        filled.expect("it has no inputs");
        let path = done(own.add_derivation(&derivation));
        let options = CopyOptions { trust: Trust::everything(), closure: true, jobs: 1, keys: Vec::new() };
        done(copy(own, daemon, std::slice::from_ref(&path), &options, &|_| {}));
        let mut said = Vec::new();
        let wanted = [format!("{}!*", own.dir().print(&path))];
        let result = daemon.build_paths(&wanted, &mut |line| said.push(line.to_owned()));
        match (fine, result) {
            (true, Ok(())) => assert!(said.iter().any(|line| line == "said"), "{said:?}"),
            (false, Err(error)) => assert_eq!(error.diagnostic().entry.code, "NV0547"),
            (_, other) => panic!("{script}: {other:?}"),
        }
    }
}
