//! The same choices as apt: apt itself, in a root that was locked, fetched and unpacked here.
//!
//! Runs where the variable `NIVAL_APT_ORACLE` is set; it needs root, for chroot, and the
//! mirrors that this machine's apt is set up with. The root's status file is empty, and what
//! apt says to `-s install '?essential' REQUEST` is compared with the lock, name by name.

use crate::archive::{self, Archive, NOW, public, sign_at};
use nival_build::{Limits, PackageMetadata, Unpack, unpack_many};
use nival_inputs::{Inputs, Mirrors, Mode, Repository, RootRequest, fetch, resolve};
use nival_transport::{Cancel, NoProgress, Options, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

/// The requests that are compared, each with and without recommended packages.
const REQUESTS: [&str; 26] = [
    "nginx postgresql openssh-server sudo",
    "libreoffice",
    "chromium",
    "build-essential",
    "gnome-core",
    "kde-plasma-desktop",
    "mariadb-server",
    "php",
    "python3-django",
    "docker.io",
    "default-jdk",
    "texlive",
    "emacs",
    "weechat-headless",
    "redis",
    "prometheus",
    "postfix",
    "exim4",
    "default-mta",
    "molly-brown",
    "bacula-director-mysql",
    "apache2 libapache2-mod-php certbot",
    "nodejs npm ruby-full",
    "systemd-resolved systemd-timesyncd cron rsyslog",
    "vendor-tool nginx",
    "vendor-tool=1.0-1 vendor-library=1.0-1",
];

fn is_asked_for() -> bool {
    std::env::var_os("NIVAL_APT_ORACLE").is_some()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(NOW, |time| time.as_secs() as i64)
}

fn transport() -> Transport {
    Transport::new(Options::default(), Cancel::default()).expect("the options are fit")
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn request(packages: &[&str], recommends: bool) -> RootRequest {
    RootRequest { recommends, ..archive::request(packages) }
}

/// A repository of somebody else, with a key of its own.
fn vendor() -> (Archive, Repository) {
    let archive = Archive::new();
    let stanzas = [
        (
            "vendor-tool",
            "1.0-1",
            "Depends: vendor-library (= 1.0-1), libc6 (>= 2.30), default-mta | mail-transport-agent\n",
        ),
        (
            "vendor-tool",
            "1.1-1",
            "Depends: vendor-library (>= 1.1), libssl3t64, nginx (>= 1.0)\nRecommends: curl\n",
        ),
        ("vendor-library", "1.0-1", "Multi-Arch: same\n"),
        ("vendor-library", "1.1-1", "Multi-Arch: same\nBreaks: vendor-tool (<< 1.1)\n"),
        ("nginx", "99:1", "Depends: vendor-library, libpcre2-8-0\nProvides: httpd\n"),
    ];
    let text = archive.release("stable", &stanzas, "amd64", "Date: Sat, 01 Nov 2025 00:00:00 UTC\n");
    archive.write_release("stable", &sign_at(&text, &archive.key, now()));
    let repository = Repository {
        name: "vendor".to_owned(),
        url: archive.root().display().to_string(),
        suite: "stable".to_owned(),
        components: vec!["main".to_owned()],
        key: public(&archive.key),
        priority: 500,
        pins: Vec::new(),
    };
    (archive, repository)
}

/// Locks, fetches and unpacks packages, and lays their trees over each other.
fn compose(inputs: &Inputs<'_>, packages: &[&str], folder: &Path) -> PathBuf {
    let lock = resolve(inputs, &[request(packages, false)], &[], None, &Mode::Keep, &NoProgress)
        .expect("it can be locked");
    let locked = lock.packages_of("web");
    let debs =
        fetch(inputs, &lock, "trixie", &locked, &folder.join("debs"), &NoProgress).expect("they are there");
    let trees = folder.join("trees");
    std::fs::create_dir(&trees).expect("it can be made");
    let all: Vec<Unpack> = debs
        .into_iter()
        .zip(&locked)
        .map(|(deb, p)| Unpack { deb, destination: trees.join(&p.name) })
        .collect();
    unpack_many(&all, 2, &Limits::default(), &AtomicBool::new(false), &|_| {}).expect("they are fit");
    let root = folder.join("root");
    std::fs::create_dir(&root).expect("it can be made");
    // base-files brings the links in place of /bin and others: they stand before anything else.
    let first = |unpack: &&Unpack| !unpack.destination.ends_with("base-files");
    let mut order: Vec<&Unpack> = all.iter().collect();
    order.sort_by_key(first);
    for unpack in order {
        run(Command::new("cp")
            .args(["-aT", "--remove-destination"])
            .arg(unpack.destination.join("root"))
            .arg(&root));
    }
    root
}

/// Prepares apt in the root: sources, keys, an empty status, and the lists of the mirrors.
fn prepare(root: &Path, mirrors: &Mirrors, vendor: &Archive) {
    run(Command::new("chmod").args(["-R", "u+w"]).arg(root));
    let write = |path: &str, text: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    for folder in
        ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt", "tmp", "proc"]
    {
        std::fs::create_dir_all(root.join(folder)).expect("it can be made");
    }
    let mut sources = String::new();
    let suites = [
        ("trixie", &mirrors.main),
        ("trixie-updates", &mirrors.main),
        ("trixie-security", &mirrors.security),
    ];
    for (suite, mirrors) in suites {
        let by = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        let _ = writeln!(sources, "deb {by} {} {suite} main", mirrors.first().expect("there is one"));
    }
    sources.push_str("deb [signed-by=/vendor.gpg] file:/vendor stable main\n");
    write("etc/apt/sources.list", sources.as_bytes());
    write("etc/apt/apt.conf.d/99oracle", b"APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n");
    write("var/lib/dpkg/status", b"");
    write("dev/null", b"");
    write("vendor.gpg", &public(&vendor.key));
    run(Command::new("cp").args(["-rT"]).arg(vendor.root()).arg(root.join("vendor")));
    for file in ["resolv.conf", "hosts"] {
        write(&format!("etc/{file}"), &std::fs::read(format!("/etc/{file}")).unwrap_or_default());
    }
    run(Command::new("chroot").arg(root).args([
        "/usr/bin/apt-get",
        "-o",
        "APT::Update::Error-Mode=any",
        "update",
    ]));
}

/// Name, version and architecture of what apt would install.
fn asks_apt(root: &Path, request: &str, recommends: bool) -> BTreeSet<String> {
    let option = format!("APT::Install-Recommends={}", u8::from(recommends));
    let mut command = Command::new("chroot");
    command.arg(root).args(["/usr/bin/apt-get", "-s", "-o", &option, "install", "?essential"]);
    let text = run(command.args(request.split(' ')));
    let lines = text.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once(" (")?;
            let version = rest.split(' ').next()?;
            let architecture = rest.split("])").next()?.rsplit('[').next()?;
            Some(format!("{} {version} {architecture}", name.split([':', ' ']).next()?))
        })
        .collect()
}

#[test]
fn the_lock_holds_what_apt_picks() {
    if !is_asked_for() {
        return;
    }
    let folder = tempfile::tempdir().expect("there is one");
    let transport = transport();
    let mirrors = Mirrors::from_apt(Path::new("/")).expect("apt's sources can be read");
    let inputs = Inputs::new(&transport, folder.path().join("cache"), mirrors, now());
    let (vendor, repository) = vendor();
    let root = compose(&inputs, &["debian-archive-keyring", "sqv"], folder.path());
    prepare(&root, &inputs.mirrors, &vendor);
    let mut differences = String::new();
    for text in REQUESTS {
        for recommends in [false, true] {
            let packages: Vec<&str> = text.split(' ').collect();
            let further = std::slice::from_ref(&repository);
            let lock =
                resolve(&inputs, &[request(&packages, recommends)], further, None, &Mode::Keep, &NoProgress);
            let lock = lock.unwrap_or_else(|error| panic!("{text}: {error}"));
            let ours: BTreeSet<String> = lock
                .packages_of("web")
                .iter()
                .map(|package| {
                    let architecture =
                        if package.architecture == "all" { "all" } else { &package.architecture };
                    format!("{} {} {architecture}", package.name, package.version)
                })
                .collect();
            let theirs = asks_apt(&root, text, recommends);
            let same = if ours == theirs { "the same" } else { "different" };
            println!(
                "{text} (recommends: {recommends}): {} packages, apt {}: {same}",
                ours.len(),
                theirs.len()
            );
            for missing in theirs.difference(&ours) {
                let _ = writeln!(differences, "{text} (recommends: {recommends}): only apt has {missing}");
            }
            for more in ours.difference(&theirs) {
                let _ = writeln!(differences, "{text} (recommends: {recommends}): only the lock has {more}");
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// Path, kind, and mode or target of everything in a folder; folders that are links on a merged system are merged.
fn listing(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut work = vec![(root.to_owned(), String::new())];
    while let Some((folder, below)) = work.pop() {
        for entry in std::fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
            let metadata = std::fs::symlink_metadata(&path).expect("it is there");
            let merged = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].contains(&name.as_str());
            let at = match below.as_str() {
                "" if merged && metadata.is_dir() => format!("usr/{name}"),
                "" => name,
                below => format!("{below}/{name}"),
            };
            if metadata.is_dir() {
                if at == "var/run" || at == "var/lock" {
                    continue;
                }
                work.push((path, at.clone()));
                all.insert(at, format!("folder {:o}", metadata.mode() & 0o7777));
            } else if metadata.is_symlink() {
                all.insert(at, format!("link {}", std::fs::read_link(&path).expect("it is one").display()));
            } else {
                let bytes = std::fs::read(&path).expect("it can be read");
                let hash = archive::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
                all.insert(at, format!("file {:o} {hash}", metadata.mode() & 0o7777));
            }
        }
    }
    all
}

/// What a tree is with the modes that its metadata gives back.
fn with_modes(listing: BTreeMap<String, String>, metadata: &PackageMetadata) -> BTreeMap<String, String> {
    let restore = |path: &str, text: String| {
        let kept = metadata.attributes.get(path).map(|attributes| format!("{:o}", attributes.mode));
        let (kind, rest) = text.split_once(' ').expect("there is a kind");
        match (kind, rest) {
            ("folder", _) => format!("folder {}", kept.unwrap_or_else(|| "755".to_owned())),
            ("file", rest) => {
                let (mode, hash) = rest.split_once(' ').expect("there is a hash");
                let usual = if mode == "555" { "755" } else { "644" };
                format!("file {} {hash}", kept.unwrap_or_else(|| usual.to_owned()))
            }
            _ => text,
        }
    };
    listing.into_iter().map(|(path, text)| (path.clone(), restore(&path, text))).collect()
}

#[test]
fn trees_are_those_of_dpkg() {
    if !is_asked_for() {
        return;
    }
    let folder = tempfile::tempdir().expect("there is one");
    let transport = transport();
    let mirrors = Mirrors::from_apt(Path::new("/")).expect("apt's sources can be read");
    let inputs = Inputs::new(&transport, folder.path().join("cache"), mirrors, now());
    let mut count = 0;
    for release in ["trixie", "bookworm"] {
        let wanted = RootRequest {
            release: release.to_owned(),
            ..request(&["nginx", "postgresql", "openssh-server", "sudo", "udev", "dbus"], false)
        };
        let lock =
            resolve(&inputs, &[wanted], &[], None, &Mode::Keep, &NoProgress).expect("it can be locked");
        let packages = lock.packages_of("web");
        let debs = fetch(&inputs, &lock, release, &packages, &folder.path().join("debs"), &NoProgress)
            .expect("they are there");
        for (deb, package) in debs.iter().zip(packages) {
            let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
            let all = [Unpack { deb: deb.clone(), destination: ours.clone() }];
            let metadata = unpack_many(&all, 1, &Limits::default(), &AtomicBool::new(false), &|_| {})
                .expect("it is fit");
            run(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&theirs));
            let got = with_modes(listing(&ours.join("root")), &metadata[0]);
            let wanted = listing(&theirs);
            for (path, text) in &wanted {
                assert_eq!(got.get(path), Some(text), "{} {path}", package.name);
            }
            assert_eq!(got.len(), wanted.len(), "{}", package.name);
            assert_eq!((&metadata[0].package, &metadata[0].version), (&package.name, &package.version));
            nival_sys::fs::remove_tree(&ours).expect("it can be removed");
            std::fs::remove_dir_all(theirs).expect("it can be removed");
            count += 1;
        }
    }
    println!("{count} packages are as dpkg unpacks them");
}
