//! Derivations that are built: what a builder sees, what it cannot reach, and what is said when it fails.

use crate::world::World;
use std::time::{Duration, Instant};

/// What builders see of this host: a shell and its programs.
const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

/// A derivation whose builder runs a script.
fn derivation(script: &str, extra: &str) -> String {
    format!(
        "derivation {{ name = \"it\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
         PATH = \"/bin:/usr/bin\"; args = [ \"-e\" \"-c\" ''{script}'' ]; {extra} }}"
    )
}

fn words<'a>(first: &[&'a str]) -> Vec<&'a str> {
    first.iter().copied().chain(HOST).collect()
}

fn built(world: &World, expression: &str) -> String {
    let path = world.fine(&words(&["build", "--no-link", "-E", expression]));
    let name = path.strip_prefix("/nix/store/").expect("a store path");
    let place = World::data().join("store/nix/store").join(name);
    std::fs::read_to_string(place).expect("a file")
}

fn refused(world: &World, expression: &str, more: &[&str], code: &str, exit: i32) -> String {
    let mut all = words(&["build", "--no-link", "-E", expression]);
    all.extend(more);
    let said = world.run(&all);
    assert!(said.err.contains(&format!("error[{code}]")), "{}", said.err);
    assert_eq!(said.code, exit, "{}", said.err);
    said.err
}

#[test]
fn results_are_linked_and_printed() {
    let world = World::new();
    world.write(
        "default.nix",
        &derivation("echo $dev > $out; echo dev > $dev", "outputs = [ \"out\" \"dev\" ];"),
    );
    let printed = world.fine(&words(&["build"]));
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for (link, line) in [("result-dev", 0), ("result", 1)] {
        let target = std::fs::read_link(world.folder.path().join(link)).expect("a link");
        assert_eq!(Some(target.to_string_lossy().as_ref()), printed.lines().nth(line), "{printed}");
    }
    let again = world.fine(&words(&["build", "--json"]));
    assert!(again.contains("\"dev\":\"/nix/store/"), "{again}");
}

#[test]
fn a_builder_that_fails_is_told_with_its_log() {
    let world = World::new();
    let expression = derivation("echo before; echo left > here; exit 3", "");
    let said = refused(&world, &expression, &["--keep-failed"], "NV0530", 100);
    assert!(said.contains("exit code 3") && said.contains("before"), "{said}");
    let kept = said.split("was kept: ").nth(1).and_then(|rest| rest.lines().next()).expect("a folder");
    assert_eq!(std::fs::read_to_string(format!("{}/here", kept.trim())).expect("a file"), "left\n");
    assert_eq!(world.fine(&["log", "-E", &expression]), "before");
    std::fs::remove_dir_all(kept.trim()).expect("removed");
}

#[test]
fn a_log_that_is_missing_is_told() {
    let world = World::new();
    world.refused(&["log", "-E", &derivation("this was never built", "")], "NV0838");
}

#[test]
fn a_build_that_takes_too_long_is_ended() {
    let world = World::new();
    let begin = Instant::now();
    let sleeper = derivation("sleep 4711 & sleep 4711", "");
    refused(&world, &sleeper, &["--timeout", "1"], "NV0531", 101);
    refused(&world, &sleeper, &["--max-silent-time", "1"], "NV0531", 101);
    let talker = derivation("while true; do echo too much; done", "");
    let said = refused(&world, &talker, &["--option", "max-build-log-size", "5000"], "NV0531", 1);
    assert!(said.contains("after writing more than 5000 bytes"), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(60));
    let left = std::process::Command::new("pgrep").args(["-f", "^sleep 4711$"]).output().expect("pgrep");
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
}

#[test]
fn a_fixed_output_with_another_hash_is_refused() {
    let world = World::new();
    let zeros = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let with = |hash: &str| derivation("echo -n abc > $out", &format!("outputHash = \"{hash}\";"));
    let said = refused(&world, &with(zeros), &[], "NV0532", 102);
    let got = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    assert!(said.contains(zeros) && said.contains(&format!("hash = \"{got}\"")), "{said}");
    // What was made is kept: with the right hash nothing is built.
    let nothing = derivation("exit 1", &format!("outputHash = \"{got}\";"));
    assert_eq!(built(&world, &nothing), "abc");
}

#[test]
fn an_output_that_is_missing_is_told() {
    let world = World::new();
    let said = refused(&world, &derivation(": nothing", ""), &[], "NV0533", 1);
    assert!(said.contains("did not make the output `out`"), "{said}");
    let said = refused(&world, &derivation("mkfifo $out", ""), &[], "NV0533", 1);
    assert!(said.contains("is no file, folder or link"), "{said}");
    let said = refused(
        &world,
        &derivation(
            "echo $source > $out",
            "source = builtins.toFile \"source\" \"\"; allowedReferences = [ ];",
        ),
        &[],
        "NV0533",
        1,
    );
    assert!(said.contains("not allowed to refer"), "{said}");
    // Of one that is named by its bytes, the references are told of before its hash.
    let flat = format!(
        "source = builtins.toFile \"source\" \"\"; outputHashMode = \"flat\"; outputHash = \"sha256-{}=\";",
        "A".repeat(43)
    );
    let said = refused(&world, &derivation("echo $source > $out", &flat), &[], "NV0533", 1);
    assert!(said.contains("not allowed to refer to other store paths"), "{said}");
    let two = "outputs = [ \"out\" \"other\" ];";
    let said = refused(&world, &derivation("echo $other > $out; echo $out > $other", two), &[], "NV0533", 1);
    assert!(said.contains("refer to each other"), "{said}");
}

#[test]
fn a_builder_that_writes_the_time_is_found() {
    let world = World::new();
    let clock = derivation("date +%N > $out", "");
    built(&world, &clock);
    refused(&world, &clock, &["--check"], "NV0534", 104);
    let steady = derivation("echo always > $out", "");
    built(&world, &steady);
    world.fine(&words(&["build", "--no-link", "--check", "-E", &steady]));
}

#[test]
fn exported_references_must_be_inputs() {
    let world = World::new();
    let path = "/nix/store/00000000000000000000000000000000-x";
    let extra = format!("exportReferencesGraph = [ \"graph\" \"{path}\" ];");
    refused(&world, &derivation("cat graph > $out", &extra), &[], "NV0535", 1);
}

#[test]
fn a_derivation_of_another_system_is_refused() {
    let world = World::new();
    let other = derivation("echo > $out", "").replace("builtins.currentSystem", "\"riscv64-linux\"");
    let said = refused(&world, &other, &[], "NV0536", 1);
    assert!(said.contains("riscv64-linux"), "{said}");
    refused(
        &world,
        &derivation("echo > $out", "requiredSystemFeatures = [ \"fairy-dust\" ];"),
        &[],
        "NV0536",
        1,
    );
    refused(&world, &derivation("echo > $out", "__noChroot = true;"), &[], "NV0536", 1);
    let said = refused(&world, &derivation("echo never > $out", ""), &["--max-jobs", "0"], "NV0536", 1);
    assert!(said.contains("max-jobs = 0"), "{said}");
}

#[test]
fn a_failure_is_told_before_what_depends_on_it() {
    let world = World::new();
    let inner = derivation("echo inner; exit 7", "");
    let outer =
        derivation("cat $inner > $out", &format!("inner = {inner};")).replacen("\"it\"", "\"outer\"", 1);
    let said = refused(&world, &outer, &[], "NV0530", 100);
    let (cause, effect) = (said.find("NV0530"), said.find("NV0537"));
    assert!(cause.is_some() && effect > cause, "{said}");
}

#[test]
fn the_first_of_several_failures_is_told_alone() {
    let world = World::new();
    let one = |name: &str| derivation("exit 3", "").replacen("\"it\"", &format!("\"{name}\""), 1);
    let expression = format!("[ ({}) ({}) ({}) ]", one("c"), one("a"), one("b"));
    for _ in 0..3 {
        let said = refused(&world, &expression, &["--max-jobs", "1"], "NV0530", 100);
        assert!(said.contains("-a.drv") && !said.contains("-b.drv`") && !said.contains("-c.drv`"), "{said}");
    }
    let said = refused(&world, &expression, &["--keep-going"], "NV0530", 100);
    assert!(["-a.drv`", "-b.drv`", "-c.drv`"].iter().all(|name| said.contains(name)), "{said}");
}

#[test]
fn a_builder_that_cannot_be_started_is_named() {
    let world = World::new();
    let expression = derivation("", "").replacen("/bin/sh", "/there/is/none", 1);
    let said = refused(&world, &expression, &[], "NV0530", 100);
    assert!(said.contains("could not be started") && said.contains("-it.drv"), "{said}");
}

#[test]
fn a_damaged_path_behind_what_is_repaired_is_repaired_too() {
    let world = World::new();
    let inner = derivation("mkdir $out; echo good > $out/file", "").replacen("\"it\"", "\"inner\"", 1);
    let expression = derivation("echo $inner > $out", &format!("inner = {inner};"));
    world.fine(&words(&["build", "--no-link", "-E", &expression]));
    let path = world.fine(&words(&["build", "--no-link", "-E", &inner]));
    let file = World::data().join("store").join(path.trim_start_matches('/')).join("file");
    std::fs::remove_file(&file).expect("damaged");
    world.fine(&words(&["build", "--no-link", "--repair", "-E", &expression]));
    assert_eq!(std::fs::read_to_string(&file).expect("mended"), "good\n");
}

#[test]
fn a_source_that_is_gone_is_told() {
    let world = World::new();
    world.refused(&["build", "--no-link", "/nix/store/00000000000000000000000000000000-gone"], "NV0538");
}

#[test]
fn a_place_that_cannot_be_made_is_told() {
    let world = World::new();
    let expression = derivation("echo > $out", "");
    let said = world.refused(
        &["build", "--no-link", "-E", &expression, "--option", "sandbox-paths", "/bin/sh=/there/is/no/shell"],
        "NV0539",
    );
    assert!(said.contains("/there/is/no/shell"), "{said}");
}

#[test]
fn a_store_that_is_none_is_told() {
    let world = World::new();
    world.refused(&["build", "--store", "nonsense://", "-E", "1"], "NV0837");
}

#[test]
fn import_from_derivation_builds() {
    let world = World::new();
    let made = derivation("echo '{ answer = 6 * 7; }' > $out", "");
    let expression = format!("(import ({made})).answer");
    assert!(
        world
            .refused(&["eval", "--read-only", "-E", &expression], "NV0807")
            .contains("nothing may be written")
    );
    assert_eq!(world.fine(&words(&["eval", "-E", &expression])), "42");
    assert_eq!(
        world.fine(&words(&["eval", "-E", &format!("builtins.readFile ({made})"), "--raw"])),
        "{ answer = 6 * 7; }"
    );
}

#[test]
fn a_builder_sees_only_what_is_its_own() {
    let world = World::new();
    let script = "
        { ls -A /root /home /var /etc/shadow 2>&1 || true; } | sed 's/^/seen: /'
        cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '
        ls /nix/store | wc -l
        touch /etc/x 2>/dev/null && echo could write /etc
        touch /x 2>/dev/null && echo could write /
        mkdir $out; touch $out/program
        chmod 4755 $out/program 2>/dev/null && echo could set the user
        chmod 2755 $out/program 2>/dev/null && echo could set the group
        mknod /tmp/device c 1 3 2>/dev/null && echo could make a device
        ln /usr/bin/env $out/env 2>/dev/null && echo could link out
        ps -e 2>/dev/null | wc -l
        hostname
        sleep 4712 &
        exit 0";
    let said = world.run(&words(&["build", "--no-link", "-L", "-E", &derivation(script, "")]));
    assert_eq!(said.code, 0, "{}", said.err);
    let lines: Vec<&str> = said.err.lines().filter_map(|line| line.strip_prefix("it> ")).collect();
    assert!(lines.contains(&"lo"), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("could") || line.starts_with("eth")), "{lines:?}");
    assert!(
        lines.iter().filter(|line| line.starts_with("seen")).all(|line| line.contains("No such file")),
        "{lines:?}"
    );
    assert!(lines.contains(&"localhost"), "{lines:?}");
    let left = std::process::Command::new("pgrep").args(["-f", "^sleep 4712$"]).output().expect("pgrep");
    assert!(left.stdout.is_empty(), "a process outlived its build");
}

#[test]
fn a_build_ends_with_ctrl_c_and_leaves_nothing() {
    let world = World::new();
    let expression = derivation("sleep 4713", "").replacen("\"it\"", "\"interrupted\"", 1);
    let mut command = world.command(&words(&["build", "--no-link", "-E", &expression]));
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("started");
    let runs = || {
        let found = std::process::Command::new("pgrep").args(["-f", "^sleep 4713$"]).output().expect("pgrep");
        !found.stdout.is_empty()
    };
    let begin = Instant::now();
    while !runs() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the builder never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    assert!(!child.wait().expect("it ends").success());
    assert!(!runs(), "the builder outlived the command");
    let store = World::data().join("store/nix/store");
    let left = store
        .read_dir()
        .expect("a folder")
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().ends_with(".chroot"));
    assert_eq!(left.filter(|e| e.file_name().to_string_lossy().contains("interrupted")).count(), 0);
}

#[test]
fn a_killed_command_takes_its_builders_along() {
    let world = World::new();
    let expression = derivation("sleep 4714", "");
    let mut child =
        world.command(&words(&["build", "--no-link", "-E", &expression])).spawn().expect("started");
    let runs = || {
        let found = std::process::Command::new("pgrep").args(["-f", "^sleep 4714$"]).output().expect("pgrep");
        !found.stdout.is_empty()
    };
    let begin = Instant::now();
    while !runs() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the builder never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let begin = Instant::now();
    while runs() {
        assert!(begin.elapsed() < Duration::from_secs(5), "the builder outlived the command");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn many_commands_build_one_thing_once() {
    let world = World::new();
    let expression = derivation("echo built; sleep 1; echo made > $out", "");
    // 200 on a machine of one's own: `NIVAL_PROCESSES=200`.
    let count = std::env::var("NIVAL_PROCESSES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let children: Vec<_> = (0..count)
        .map(|_| {
            let mut command = world.command(&words(&["build", "--no-link", "-L", "-E", &expression]));
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().expect("started")
        })
        .collect();
    let mut built = 0;
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        built += usize::from(said.contains("it> built"));
    }
    assert_eq!(built, 1);
}

#[test]
fn nix_build_answers_to_its_name() {
    let world = World::new();
    world.write("default.nix", &derivation("echo by name > $out", ""));
    let link = world.folder.path().join("nix-build");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), &link).expect("a link");
    let mut command = std::process::Command::new(&link);
    command
        .args(HOST)
        .current_dir(world.folder.path())
        .env("NIVAL_DATA_DIR", World::data())
        .env("HOME", world.folder.path());
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let target = std::fs::read_link(world.folder.path().join("result")).expect("a link");
    assert_eq!(target.to_string_lossy(), printed.trim());
}

#[test]
fn what_is_built_again_is_told_with_its_cause() {
    let world = World::new();
    let flag = "-O1";
    let file = |flag: &str| {
        let script = |text: &str| format!("args = [ \"-e\" \"-c\" ''{text}'' ]; PATH = \"/bin:/usr/bin\";");
        format!(
            "let make = name: more: derivation ({{ inherit name; system = builtins.currentSystem; builder = \"/bin/sh\"; }} // more);
             inner = make \"why-inner\" {{ flags = \"{flag}\"; {} }};
             in make \"why-outer\" {{ inherit inner; {} }}",
            script("echo $flags > $out"),
            script("cat $inner > $out"),
        )
    };
    world.write("why.nix", &file(flag));
    let first = world.fine(&["why", "--rebuilt", "-f", "why.nix", ""]);
    assert!(first.contains("for the first time"), "{first}");
    world.fine(&words(&["build", "--no-link", "-f", "why.nix"]));
    let there = world.fine(&["why", "--rebuilt", "-f", "why.nix", ""]);
    assert!(there.contains("is not built again"), "{there}");
    world.write("why.nix", &file("-O2"));
    let said = world.fine(&["why", "--rebuilt", "-f", "why.nix", ""]);
    assert!(said.contains("by its input `why-inner`:\n  the variable `flags`"), "{said}");
    assert!(said.contains("before -O1") && said.contains("now    -O2"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&world.fine(&["--json", "why", "--rebuilt", "-f", "why.nix", ""]))
            .expect("JSON");
    assert_eq!(json["causes"].as_array().map(Vec::len), Some(1), "{json}");
    // The inner output, not built yet, is needed for the outer one by way of two derivations.
    let inner = world.fine(&["eval", "-E", "(import ./why.nix).inner.outPath"]);
    let way = world.fine(&["why", inner.trim_matches('"'), "--for", "", "-f", "why.nix"]);
    assert!(way.contains("is built or downloaded for") && way.contains("why-inner.drv"), "{way}");
}
