//! Evaluations that are ended, and measured.

use crate::world::World;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the command with Ctrl-C once it is at work; how long it took to end, its code, and what it said.
fn interrupted(words: &[&str]) -> (Duration, i32, String) {
    let world = World::new();
    let child = world.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(700));
    let begin = Instant::now();
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success(), "it ended before");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (begin.elapsed(), output.status.code().unwrap_or(-1), said)
}

#[test]
fn ctrl_c_ends_an_evaluation() {
    let calls = "let f = n: if n == 0 then 0 else 1 + f (n - 1); in builtins.foldl' (a: b: f 1000) 0 (builtins.genList (x: x) 9000000)";
    // One builtin that takes long, and looks at nothing meanwhile.
    let regex = r#"let s = builtins.concatStringsSep "" (builtins.genList (x: "abababab") 200000);
        in builtins.length (builtins.genList (n: builtins.match "((a|b|ab)*c?)*d" s) 1000)
          + (if builtins.all (n: builtins.match "((a|b|ab)*c?)*${toString n}d" s == null) (builtins.genList (x: x) 9000) then 1 else 0)"#;
    for words in
        [["eval", "-E", calls], ["eval", "-E", regex], ["eval", "-E", "builtins.readFile \"/dev/zero\""]]
    {
        let (took, code, said) = interrupted(&words);
        assert_eq!(code, 130, "{said}");
        assert!(said.contains("error[NV0215]: evaluation was interrupted"), "{said}");
        // A tenth of a second is what is wanted; the test has other work beside it.
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn a_profile_names_functions_and_files() {
    let world = World::new();
    world.write(
        "work.nix",
        "let slow = n: if n == 0 then 0 else 1 + slow (n - 1); in builtins.foldl' (a: x: a + slow 5000) 0 (builtins.genList (x: x) 80)\n",
    );
    let said = world.run(&["eval", "--timings", "--flame", "graph.svg", "work.nix"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for word in ["reading 1 files", "evaluating", "making derivations", "work.nix"] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    let svg = std::fs::read_to_string(world.folder.path().join("graph.svg")).expect("written");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("data-n=\"slow\""));
}

#[test]
fn settings_of_a_flake_have_to_be_trusted() {
    let world = World::new();
    let outputs = "outputs = _: { deep = let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 300; };";
    world.write("flake/flake.nix", &format!("{{ nixConfig.max-call-depth = 100; {outputs} }}"));
    let said = world.run(&["eval", "./flake#deep"]);
    assert_eq!((said.code, said.out.trim()), (0, "300"), "{}", said.err);
    assert!(
        said.err.contains("warning[NV0839]") && said.err.contains("max-call-depth = 100"),
        "{}",
        said.err
    );
    let said = world.run(&["eval", "--accept-flake-config", "./flake#deep"]);
    assert!(said.code != 0 && said.err.contains("NV0208") && !said.err.contains("NV0839"), "{}", said.err);
    world.write("data/nix/trusted-settings.json", r#"{"max-call-depth":{"100":true,"7":false}}"#);
    let trusting = |words: &[&str]| {
        let mut command = world.command(words);
        command.env("XDG_DATA_HOME", world.folder.path().join("data")).env_remove("NIX_DATA_HOME");
        command.output().expect("the command starts")
    };
    assert!(!trusting(&["eval", "./flake#deep"]).status.success());
    world.write("flake/flake.nix", &format!("{{ nixConfig.max-call-depth = 7; {outputs} }}"));
    let output = trusting(&["eval", "./flake#deep"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_program_that_fetching_needs_is_named_where_it_is_missing() {
    let world = World::new();
    for (builtin, program, package) in [("fetchMercurial", "hg", "mercurial"), ("fetchGit", "git", "git")] {
        let text = format!("builtins.{builtin} \"https://localhost/repo\"");
        let mut command = world.command(&["eval", "--impure", "-E", &text]);
        let output = command.env("PATH", world.folder.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("error[NV0425]"), "{said}");
        assert!(said.contains(&format!("there is no program `{program}`")), "{said}");
        assert!(said.contains(&format!("apt install {package}")), "{said}");
    }
}
