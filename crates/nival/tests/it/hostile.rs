//! Builders that mean harm, and a host that has no room left.

use crate::world::{Said, World};
use std::os::unix::process::CommandExt as _;

/// What builders see of this host: a shell and its programs.
const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

fn derivation(name: &str, script: &str) -> String {
    format!(
        "derivation {{ name = \"{name}\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
         PATH = \"/bin:/usr/bin\"; args = [ \"-c\" ''{script}'' ]; }}"
    )
}

fn build(world: &World, expression: &str) -> Said {
    let words: Vec<&str> = ["build", "--no-link", "-L", "-E", expression].into_iter().chain(HOST).collect();
    world.run(&words)
}

#[test]
fn a_full_disk_is_told_and_nothing_of_the_build_stays() {
    if nival_sys::process::user_id() != 0 {
        // A file system of a size of its own takes a root to mount.
        return;
    }
    let world = World::new();
    let folder = world.folder.path().join("data");
    std::fs::create_dir(&folder).expect("made");
    let big = derivation("big", "dd if=/dev/zero of=$out bs=1M count=64 || exit 1");
    let small = derivation("small", "echo fits > $out");
    let own = env!("CARGO_BIN_EXE_nival");
    let path = HOST.map(|word| format!("'{word}'")).join(" ");
    // Both run in one namespace, since the folder is gone with it.
    let script = format!(
        "{own} build --no-link -E \"$BIG\" {path}; echo first $?; {own} store verify; echo verified $?; \
         {own} build --no-link -E \"$SMALL\" {path}; echo second $?; ls {}/store/nix/store",
        folder.display()
    );
    let file = format!("{}-script", folder.display());
    std::fs::write(&file, script).expect("written");
    let mut command = std::process::Command::new("/bin/sh");
    command.arg(&file).env("BIG", &big).env("SMALL", &small).env("NIVAL_DATA_DIR", &folder);
    command.env("NO_COLOR", "1").env("HOME", world.folder.path()).stdin(std::process::Stdio::null());
    let place = folder.clone();
    // SAFETY: the child calls the kernel alone before it becomes the shell.
    unsafe {
        command.pre_exec(move || {
            use nival_sys::mount::{self, Attributes};
            nival_sys::namespace::unshare(nival_sys::namespace::MOUNT)?;
            mount::make_private(std::path::Path::new("/"))?;
            let options = [("size", Some("12m")), ("mode", Some("0755"))];
            mount::attach(&mount::filesystem("tmpfs", &options, Attributes::default())?, &place)
        });
    }
    let said = Said::of(&command.output().expect("it starts"));
    assert!(said.out.contains("first 1") && !said.out.contains("first 0"), "{}\n{}", said.out, said.err);
    assert!(said.err.contains("No space left on device") && said.err.contains("error[NV"), "{}", said.err);
    assert!(said.out.contains("verified 0") && said.out.contains("second 0"), "{}\n{}", said.out, said.err);
    let listed = said.out.rsplit("second 0").next().unwrap_or_default();
    assert!(listed.contains("-small\n") && !listed.contains("-big\n"), "{listed}");
}

#[test]
fn what_a_builder_leaves_in_its_tmp_is_gone_with_it() {
    let world = World::new();
    let name = format!("harm-{}", std::process::id());
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9; do echo x > /tmp/{name}-$i; done; mkfifo /tmp/{name}; ls /tmp | wc -l; exit 1"
    );
    let said = build(&world, &derivation("fills-tmp", &script));
    assert_eq!(said.code, 100, "{}", said.err);
    assert!(said.err.contains("10"), "{}", said.err);
    assert!(!std::path::Path::new("/tmp").join(&name).exists());
    assert!(!std::path::Path::new("/tmp").join(format!("{name}-1")).exists());
    let builds = World::data().join("store/nix/var/nix/builds");
    let left = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().join("tmp").join(&name).exists())
    };
    assert!(!builds.read_dir().into_iter().flatten().any(left));
}

#[test]
fn folders_that_become_links_lead_nowhere() {
    // Processes that a builder leaves behind go on to exchange a folder and a link while it ends; they are gone before its
    // outputs are looked at, and a link is what is registered, never what it leads to.
    let world = World::new();
    let script = "mkdir -p $out/a $out/b; echo in > $out/a/file; (while true; do rm -rf $out/b; ln -s /etc $out/b; rm $out/b; mkdir $out/b; done) > /dev/null 2>&1 & sleep 0.3; exit 0";
    for number in 0..5 {
        let said = build(&world, &derivation(&format!("swaps-{number}"), script));
        assert_eq!(said.code, 0, "{}", said.err);
        let path = said.out.trim();
        let place = World::data().join("store").join(path.trim_start_matches('/'));
        let swapped = place.join("b").symlink_metadata();
        assert!(swapped.is_ok_and(|found| found.is_symlink() || found.is_dir()) || !place.join("b").exists());
        assert!(place.join("b").is_symlink() || !place.join("b/passwd").exists());
    }
    world.fine(&["store", "verify"]);
}

#[test]
fn a_builder_sees_and_reaches_no_process_outside() {
    let world = World::new();
    let outside = std::process::id();
    let script = format!(
        "test -e /proc/{outside} && echo sees; kill -0 {outside} 2> /dev/null && echo reaches; \
         head -c 1 /proc/{outside}/mem 2> /dev/null && echo reads; \
         test $(ls /proc | grep -c '^[0-9]') -lt 12 && echo alone; exit 1"
    );
    let said = build(&world, &derivation("traces", &script));
    assert!(said.err.contains("traces> alone"), "{}", said.err);
    for word in ["sees", "reaches", "reads"] {
        assert!(!said.err.contains(&format!("traces> {word}")), "{}", said.err);
    }
}

/// Whether groups with limits can be made here; where not, the run must say so.
fn limited(world: &World) -> bool {
    let probe = derivation("probe", "echo > $out");
    let said = build_with(world, &probe, &["--option", "max-build-processes", "100"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let told = said.err.contains("builders have no limits of memory and processes here");
    let root = nival_sys::process::user_id() == 0;
    assert!(!told || !root || !std::path::Path::new("/sys/fs/cgroup/pids").exists(), "{}", said.err);
    !told
}

fn build_with(world: &World, expression: &str, options: &[&str]) -> Said {
    let words = ["build", "--no-link", "-L", "-E", expression].into_iter().chain(HOST);
    world.run(&words.chain(options.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn a_fork_bomb_ends_at_its_limit_and_is_named() {
    let world = World::new();
    if !limited(&world) {
        return;
    }
    let bomb = derivation("bomb", "bomb() { bomb | bomb & }; bomb; sleep 60");
    let begin = std::time::Instant::now();
    let said = build_with(&world, &bomb, &["--option", "max-build-processes", "200"]);
    assert_eq!(said.code, 100, "{}", said.err);
    assert!(said.err.contains("error[NV0531]") && said.err.contains("-bomb.drv"), "{}", said.err);
    assert!(said.err.contains("more than 200 processes"), "{}", said.err);
    assert!(begin.elapsed().as_secs() < 50, "it is ended at once, and not by its own end");
    for root in ["/sys/fs/cgroup/pids", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        for group in std::fs::read_dir(root).into_iter().flatten().flatten() {
            let name = group.file_name().to_string_lossy().into_owned();
            let owner =
                name.strip_prefix("nix-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
            let is_left = owner.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists());
            assert!(!is_left, "the group `{name}` is left over");
        }
    }
}

#[test]
fn a_builder_that_takes_all_memory_ends_at_its_limit_and_is_named() {
    let world = World::new();
    if !limited(&world) {
        return;
    }
    let hog = derivation("hog", "head -c 400000000 /dev/zero | tail -c 300000000 | wc -c > $out");
    let said = build_with(&world, &hog, &["--option", "max-build-memory", "64M"]);
    assert_eq!(said.code, 100, "{}", said.err);
    assert!(said.err.contains("error[NV0531]") && said.err.contains("-hog.drv"), "{}", said.err);
    assert!(said.err.contains("more than 67108864 bytes of memory"), "{}", said.err);
    let enough = build_with(&world, &hog, &["--option", "max-build-memory", "2G"]);
    assert_eq!(enough.code, 0, "{}", enough.err);
}
