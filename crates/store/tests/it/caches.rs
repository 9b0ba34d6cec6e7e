//! Binary caches: there and back, whose word counts, and servers that lie.

use crate::web::{Lie, Web};
use nival_store::binary_cache::{BinaryCache, CacheOptions, Lifetimes, Remembered};
use nival_store::stores::{CopyOptions, Opener, Substituters, Trust, copy};
use nival_store::{Error, LocalStore, Store, StoreConfig};
use nival_store_model::{Compression, SecretKey, StorePath};
use nival_transport::{Cancel, Options, Transport};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A store with a text that refers to another one, and a tree that refers to both.
struct World {
    folder: tempfile::TempDir,
    store: LocalStore,
    /// References first.
    paths: [StorePath; 3],
    key: SecretKey,
}

pub fn done<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("it can be done");
        let store = done(LocalStore::open(&folder.path().join("from")));
        let first = done(store.add_text("first", b"1", &[]));
        let text = format!("see {}", store.dir().print(&first));
        let second = done(store.add_text("second", text.as_bytes(), std::slice::from_ref(&first)));
        let references = vec![first.clone(), second.clone()];
        let third = StorePath::parse("00000000000000000000000000000001-third").expect("a path");
        let staged = store.staging("third");
        std::fs::create_dir_all(staged.join("bin")).expect("it can be done");
        let filler: Vec<u8> =
            (0..40_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        std::fs::write(staged.join("bin/data"), filler).expect("it can be done");
        done(nival_store::canonicalise(&staged));
        let registration =
            nival_store::Registration { path: third.clone(), staged, references, deriver: None };
        done(store.register(&[registration]));
        let key = SecretKey::from_seed("test-1", [7; 32]);
        Self { folder, store, paths: [first, second, third], key }
    }

    fn top(&self) -> StorePath {
        self.paths[2].clone()
    }

    fn trust(&self) -> Trust {
        Trust::signed_by(vec![self.key.public()])
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// A cache of everything, signed or not.
    fn cache(&self, name: &str, options: CacheOptions) -> std::path::PathBuf {
        let folder = self.path(name);
        let cache = done(BinaryCache::in_folder(&folder, self.store.dir(), options, None, true));
        let options = CopyOptions { trust: Trust::everything(), closure: true, jobs: 2, keys: Vec::new() };
        let copied = done(copy(&self.store, &cache, &[self.top()], &options, &|_| {}));
        assert_eq!(copied.paths, self.paths);
        folder
    }

    fn signed_cache(&self) -> std::path::PathBuf {
        self.cache("cache", CacheOptions { secret_keys: vec![self.key.clone()], ..CacheOptions::default() })
    }

    fn opener(&self, name: &str) -> Opener {
        let options = Options { retries: 1, timeout: Duration::from_secs(2), ..Options::default() };
        let transport = Transport::new(options, Cancel::default()).expect("the options are fit");
        Opener {
            local: StoreConfig::below(&self.path(name)),
            transport: Arc::new(transport),
            remembered: None,
            remembers_folders: false,
            ssh_options: Vec::new(),
            daemon_socket: self.path("no-daemon"),
            daemon_settings: Vec::new(),
        }
    }

    fn substituters(&self, urls: &[&str], trust: Trust) -> Substituters {
        let opener = self.opener("none");
        let stores = urls.iter().map(|url| done(opener.open(url, false))).collect();
        Substituters::new(stores, trust, 4)
    }

    /// Brings all into a new store.
    fn bring(&self, name: &str, urls: &[&str], trust: Trust) -> Result<LocalStore, Error> {
        let to = done(LocalStore::open(&self.path(name)));
        let result = self.substituters(urls, trust).bring(&to, &[self.top()], &|_| {});
        assert_eq!(done(to.verify(true)), vec![], "what is registered is whole");
        for path in done(to.all()) {
            assert!(to.physical(&path).exists());
        }
        result.map(|_| to)
    }
}

fn file_url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

fn code(error: &Error) -> &'static str {
    error.diagnostic().entry.code
}

#[test]
fn a_cache_behind_a_web_server_is_begun_and_filled_by_uploads() {
    let world = World::new();
    let folder = world.path("uploads");
    std::fs::create_dir(&folder).expect("made");
    let server = Web::start(folder.clone());
    let url = format!("{}?compression=zstd&write-nar-listing=true", server.url());
    let cannot = world.opener("none").open(&server.url(), false).err().expect("there is none yet");
    assert_eq!(code(&cannot), "NV0541");
    let cache = done(world.opener("none").open(&url, true)).0;
    let options =
        CopyOptions { trust: Trust::everything(), closure: true, jobs: 2, keys: vec![world.key.clone()] };
    let copied = done(copy(&world.store, &*cache, &[world.top()], &options, &|_| {}));
    assert_eq!(copied.paths, world.paths);
    assert!(folder.join(format!("{}.ls", world.top().hash_part())).exists());
    let to = done(world.bring("from-uploads", &[&server.url()], world.trust()));
    assert_eq!(done(to.all()).len(), world.paths.len());
    // A second time there is nothing to send.
    let again = done(copy(&world.store, &*cache, &[world.top()], &options, &|_| {}));
    assert_eq!(again.paths, []);
    // A server that takes no more says so.
    let other = done(world.store.add_text("refused", b"x", &[]));
    server.lie(".narinfo", Lie::Gone);
    let refused = copy(&world.store, &*cache, &[other], &options, &|_| {}).expect_err("it is refused");
    assert_eq!(code(&refused), "NV0541");
    assert!(refused.to_string().contains("status 403"), "{refused}");
    let left = std::fs::read_dir(std::env::temp_dir()).expect("it is there").flatten();
    let own = format!("nival-upload-{}.", std::process::id());
    assert!(!left.into_iter().any(|file| file.file_name().to_string_lossy().starts_with(&own)));
}

#[test]
fn everything_goes_to_a_cache_and_back() {
    let world = World::new();
    for compression in Compression::ALL {
        let options = CacheOptions {
            compression,
            secret_keys: vec![world.key.clone()],
            write_nar_listing: true,
            ..CacheOptions::default()
        };
        let folder = world.cache(compression.name(), options);
        let name = format!("to-{}", compression.name());
        let to = done(world.bring(&name, &[&file_url(&folder)], world.trust()));
        for path in &world.paths {
            let info = done(to.info(path)).expect("it was brought");
            let from = done(world.store.info(path)).expect("it is there");
            assert_eq!((&info.nar_hash, info.nar_size), (&from.nar_hash, from.nar_size));
            assert_eq!((&info.references, &info.content_address), (&from.references, &from.content_address));
            assert_eq!(info.signatures.len(), 1);
        }
        let listing = folder.join(format!("{}.ls", world.top().hash_part()));
        assert!(std::fs::read_to_string(listing).expect("it is written").contains("\"data\""));
    }
}

#[test]
fn cache_on_the_web_is_taken_from_and_breaks_are_mended() {
    let world = World::new();
    let web = Web::start(world.signed_cache());
    web.lie(".nar.xz", Lie::BreaksAfter(50_000));
    web.lie("nix-cache-info", Lie::Slow(Duration::from_millis(200)));
    done(world.bring("to", &[&web.url()], world.trust()));
    assert!(web.requests() > 9, "{}", web.requests());
}

#[test]
fn unsigned_path_is_refused() {
    let world = World::new();
    let unsigned = file_url(&world.cache("unsigned", CacheOptions::default()));
    let error = world.bring("to", &[&unsigned], world.trust()).err().expect("nobody signed it");
    assert_eq!(code(&error), "NV0544");
    assert!(error.to_string().contains("lacks a signature by a trusted key"), "{error}");
    let other = Trust::signed_by(vec![SecretKey::from_seed("test-1", [8; 32]).public()]);
    let signed = file_url(&world.signed_cache());
    assert!(world.bring("to", &[&signed], other).is_err());
    // What is named by its contents needs none, and neither does a cache that is trusted as a whole.
    let to = done(LocalStore::open(&world.path("to")));
    let substituters = world.substituters(&[&unsigned], world.trust());
    done(substituters.bring(&to, &world.paths[..2], &|_| {}));
    done(world.bring("to", &[&format!("{unsigned}?trusted=true")], world.trust()));
    let options = CopyOptions { trust: world.trust(), closure: true, jobs: 1, keys: Vec::new() };
    let to = done(LocalStore::open(&world.path("direct")));
    let error = copy(&world.store, &to, &[world.top()], &options, &|_| {}).expect_err("nobody signed it");
    assert_eq!(code(&error), "NV0542");
}

/// Changes lines of a narinfo file.
fn edit(folder: &Path, path: &StorePath, change: impl Fn(&str) -> String) {
    let file = folder.join(format!("{}.narinfo", path.hash_part()));
    let text = std::fs::read_to_string(&file).expect("it is there");
    let changed: String = text.lines().map(|line| change(line) + "\n").collect();
    assert_ne!(text, changed);
    std::fs::write(file, changed).expect("it can be done");
}

fn field<'a>(name: &'a str, value: &'a str) -> impl Fn(&str) -> String + 'a {
    move |line| if line.starts_with(name) { format!("{name}: {value}") } else { line.to_owned() }
}

#[test]
fn lying_cache_is_named() {
    let zeros = format!("sha256:{}", "0".repeat(52));
    let other = "00000000000000000000000000000009-other";
    let lies: [(&str, &str, &str); 5] = [
        ("NarHash", &zeros, "hash mismatch"),
        ("NarSize", "160100", "longer than the 160100 bytes"),
        ("NarSize", "99999999", "size mismatch"),
        ("FileSize", "10", "longer than the 10 bytes"),
        ("URL", "nar/../../secret", "leads out of the cache"),
    ];
    for (name, value, message) in lies {
        let world = World::new();
        let folder = world.signed_cache();
        edit(&folder, &world.top(), field(name, value));
        let url = file_url(&folder);
        let error = world.bring("to", &[&url], Trust::everything()).err().expect("it lies");
        let text = error.to_string();
        assert!(text.contains(message) && text.contains(&url), "{text}");
        assert!(["NV0541", "NV0543"].contains(&code(&error)), "{text}");
        if name.starts_with("Nar") {
            // Who needs signatures does not even begin.
            let error = world.bring("to", &[&url], world.trust()).err().expect("it lies");
            assert!(error.to_string().contains("lacks a signature"), "{error}");
        }
    }
    let world = World::new();
    let folder = world.signed_cache();
    edit(&folder, &world.top(), field("References", other));
    let error = world.bring("to", &[&file_url(&folder)], world.trust()).err().expect("it lies");
    assert!(error.to_string().contains("lacks a signature"), "{error}");
    edit(&folder, &world.top(), field("StorePath", &format!("/nix/store/{other}")));
    let error = world.bring("to", &[&file_url(&folder)], world.trust()).err().expect("it lies");
    assert!(error.to_string().contains("another path"), "{error}");
}

#[test]
fn content_addresses_are_checked() {
    let world = World::new();
    let folder = world.cache("unsigned", CacheOptions::default());
    let (first, second) = (&world.paths[0], &world.paths[1]);
    // The archive of the other text, with its hash and size: only the name does not follow.
    let text =
        std::fs::read_to_string(folder.join(format!("{}.narinfo", second.hash_part()))).expect("there");
    let of = |name: &str| text.lines().find(|line| line.starts_with(name)).expect("a field").to_owned();
    for name in ["NarHash", "NarSize", "URL", "FileHash", "FileSize"] {
        let line = of(name);
        edit(&folder, first, |old| if old.starts_with(name) { line.clone() } else { old.to_owned() });
    }
    let to = done(LocalStore::open(&world.path("to")));
    let substituters = world.substituters(&[&file_url(&folder)], world.trust());
    let error = substituters.bring(&to, std::slice::from_ref(first), &|_| {}).expect_err("it lies");
    assert!(error.to_string().contains("content address mismatch"), "{error}");
    assert_eq!(code(&error), "NV0543");
    assert!(!to.physical(first).exists());
}

#[test]
fn lying_servers_are_survived() {
    let world = World::new();
    let folder = world.signed_cache();
    let lies = [
        (".nar.xz", Lie::Gone),
        (".nar.xz", Lie::Fails),
        (".nar.xz", Lie::Half),
        (".nar.xz", Lie::Endless),
        (".nar.xz", Lie::Other(b"nonsense".to_vec())),
        (".nar.xz", Lie::Slow(Duration::from_secs(4))),
        (".narinfo", Lie::Other(b"StorePath /nix/store".to_vec())),
        (".narinfo", Lie::Other(vec![b'x'; 100_000])),
        (".narinfo", Lie::Gone),
        (".narinfo", Lie::Fails),
    ];
    for (at, (name, lie)) in lies.into_iter().enumerate() {
        let web = Web::start(folder.clone());
        web.lie(name, lie.clone());
        let error = world.bring(&format!("to-{at}"), &[&web.url()], world.trust()).err();
        let text = error.unwrap_or_else(|| panic!("{lie:?} was taken")).to_string();
        assert!(text.contains(&web.url()), "{lie:?}: {text}");
        // The next cache takes over.
        let other = format!("{}?priority=99", file_url(&folder));
        done(world.bring(&format!("to-{at}"), &[&web.url(), &other], world.trust()));
    }
}

#[test]
fn what_caches_said_is_remembered() {
    let world = World::new();
    let web = Web::start(world.signed_cache());
    let file = world.path("remembered/caches.sqlite");
    let ask = |lifetimes: Lifetimes| {
        let mut opener = world.opener("none");
        opener.remembered = Some(Arc::new(done(Remembered::open(&file, lifetimes))));
        let (cache, _) = done(opener.open(&web.url(), false));
        let nowhere = StorePath::parse("00000000000000000000000000000005-nowhere").expect("a path");
        let before = web.requests();
        let found = done(cache.info(&world.top())).expect("it has it");
        assert!(done(cache.info(&nowhere)).is_none());
        (found, web.requests() - before)
    };
    let (first, asked) = ask(Lifetimes::default());
    assert_eq!(asked, 2);
    let (second, asked) = ask(Lifetimes::default());
    assert_eq!((second, asked), (first, 0));
    let (_, asked) = ask(Lifetimes { negative: 0, ..Lifetimes::default() });
    assert_eq!(asked, 1);
    let (_, asked) = ask(Lifetimes { positive: 0, ..Lifetimes::default() });
    assert_eq!(asked, 1);
}

#[test]
fn cache_for_another_store_is_refused() {
    let world = World::new();
    let folder = world.signed_cache();
    std::fs::write(folder.join("nix-cache-info"), "StoreDir: /other/store\n").expect("it can be done");
    let Err(error) = world.opener("none").open(&file_url(&folder), true) else { panic!("it was opened") };
    assert_eq!(code(&error), "NV0541");
    let Err(error) = world.opener("none").open("file:///nowhere-at-all", false) else {
        panic!("it was opened")
    };
    assert_eq!(code(&error), "NV0541");
}

#[test]
fn path_that_nobody_has_is_said() {
    let world = World::new();
    let folder = world.path("empty");
    done(BinaryCache::in_folder(&folder, world.store.dir(), CacheOptions::default(), None, true));
    let url = file_url(&folder);
    let error = world.bring("to", &[&url], world.trust()).err().expect("it is empty");
    assert_eq!(code(&error), "NV0544");
    assert!(error.to_string().contains(&format!("{url} does not have it")), "{error}");
}

#[test]
fn broken_key_is_said() {
    let world = World::new();
    let file = world.path("key");
    std::fs::write(&file, "test-1:c2VjcmV0").expect("it can be done");
    let url = format!("file://{}?secret-key={}", world.path("cache").display(), file.display());
    let Err(error) = world.opener("none").open(&url, true) else { panic!("it was taken") };
    assert_eq!(code(&error), "NV0545");
    assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
}

#[test]
fn daemon_that_is_not_there_is_said() {
    let world = World::new();
    let Err(error) = world.opener("none").open("daemon", false) else { panic!("it was opened") };
    assert_eq!(code(&error), "NV0547");
}

#[test]
fn address_of_no_store_is_refused() {
    let world = World::new();
    for url in ["nonsense", "gopher://x", "file:///x?compresion=xz", "file:///x?compression=zip"] {
        let Err(error) = world.opener("none").open(url, false) else { panic!("{url} was opened") };
        assert_eq!(code(&error), "NV0546", "{error}");
    }
}

#[test]
fn cache_keeps_references_whole() {
    let world = World::new();
    let folder = world.path("cache");
    let cache = done(BinaryCache::in_folder(&folder, world.store.dir(), CacheOptions::default(), None, true));
    let info = done(world.store.info(&world.top())).expect("it is there");
    let mut nar = done(Store::nar(&world.store, &info.path));
    let error = cache.put(&info, &mut nar).expect_err("its references are missing");
    assert_eq!(code(&error), "NV0541");
    assert_eq!(done(cache.all()), vec![]);
}

#[test]
fn log_of_a_build_is_read() {
    let world = World::new();
    let drv = StorePath::parse("00000000000000000000000000000001-x.drv").expect("a path");
    assert_eq!(done(world.store.read_kept_log(&drv)), None);
    let folder = world.store.config().log.join("drvs/00");
    std::fs::create_dir_all(&folder).expect("it can be done");
    std::fs::write(folder.join("000000000000000000000000000001-x.drv"), "built\n").expect("it can be done");
    assert_eq!(done(world.store.read_kept_log(&drv)), Some(b"built\n".to_vec()));
}
