//! `nival repl` and `nix repl`; what values look like is what C++ Nix 2.34.8 prints.

use crate::world::World;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

/// What is said on standard output and on standard error where these lines are typed.
fn answers(world: &World, words: &[&str], lines: &[&str]) -> (String, String) {
    let mut command = world.command(&[&["repl"], words].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(format!("{}\n", lines.join("\n")).as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// The answers to lines that say nothing else, without empty lines.
fn results(lines: &[&str]) -> String {
    let (out, err) = answers(&World::new(), &[], lines);
    assert_eq!(err, "", "{lines:?}");
    out.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn variables_stay_and_lines_go_on() {
    assert_eq!(results(&["a = { b = 1; c = 2; }", "inherit (a) b c", "b + c"]), "3");
    assert_eq!(results(&["a.b.c = 1; d = 2", "a.b", "d"]), "{ c = 1; }\n2");
    assert_eq!(results(&["x = 1", "f = y: x + y", "x = 10", "f x"]), "11");
    assert_eq!(results(&["x = ''", "  hello", "''", "x"]), "\"hello\\n\"");
    assert_eq!(results(&["let a = 1;", "in a", "x = {", "  y = a:", "  a; }", "x.y 7"]), "1\n7");
    assert_eq!(results(&["1 + 1", ":q", "3"]), "2");
}

#[test]
fn values_are_printed_one_level_deep_and_all_of_them_where_asked() {
    let set = "{ a = { b = 2; }; l = [ 1 2 ]; s = \"x\"; f = x: x; m = map; e = throw \"no\"; }";
    let wanted = "{\n  a = { ... };\n  e = «error: no»;\n  f = «lambda f @ (expression):1:45»;\n  l = [ ... ];\n  m = «primop map»;\n  s = \"x\";\n}";
    assert_eq!(results(&[set]), wanted);
    let all = ":p { a = { b = 2; }; x = rec { y = { z = { inherit y; }; }; }; }";
    let wanted = "{\n  a = { b = 2; };\n  x = {\n    y = {\n      z = {\n        y = «repeated»;\n      };\n    };\n  };\n}";
    assert_eq!(results(&[all]), wanted);
    assert_eq!(results(&[":p \"a\\nb\"", "\"$\" + \"{hi}\""]), "a\nb\n\"\\${hi}\"");
    assert_eq!(
        results(&[":t 1", ":t map", ":t map (x: x)", ":t \"${./.}\""]),
        "an integer\nthe built-in function 'map'\nthe partially applied built-in function 'map'\na string with context"
    );
}

#[test]
fn what_is_wrong_is_told_and_the_next_line_is_read() {
    let world = World::new();
    let lines = ["missing", "1 +* 2", ":nothing", "throw \"no\"", ":ll", "2 + 2", "{ a ="];
    let (out, err) = answers(&world, &[], &lines);
    assert_eq!(out.trim(), "4");
    for text in [
        "NV0201",
        "NV0101",
        "unknown command ':nothing'",
        "no",
        "nothing has been loaded yet",
        "end of the file",
    ] {
        assert!(err.contains(text), "{text}: {err}");
    }
    let (out, err) = answers(&world, &["--json", "-E", "{ given = 7; }"], &["given + 1"]);
    assert_eq!(out.trim(), "8", "{err}");
}

#[test]
fn files_and_flakes_are_loaded_and_read_again() {
    let world = World::new();
    world.write("set.nix", "{ arg ? 1 }: { a = arg; longer = 2; \"with spaces\" = 3; }");
    world.write("flake/flake.nix", "{ outputs = _: { thing = \"before\"; sub.x = 5; }; }");
    let (out, err) =
        answers(&world, &["--arg", "arg", "4"], &[":l set.nix", "a", ":lf ./flake", "thing", ":ll"]);
    assert!(out.starts_with("\n4\n") && out.contains("\"before\""), "{out}");
    assert!(out.contains("\nsub\nthing\n"), "{out}");
    assert!(err.contains("Added 3 variables.\na, longer, \"with spaces\""), "{err}");
    let mut child = world
        .command(&["repl", "./flake#sub", "./flake"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdin.write_all(b"y = 1\n[ x thing ]\n").expect("it reads");
    let mut first = [0; 1];
    while first != *b"]" {
        stdout.read_exact(&mut first).expect("an answer");
    }
    world.write("flake/flake.nix", "{ outputs = _: { thing = \"after\"; sub.x = 6; }; }");
    stdin.write_all(b":reload\n[ x thing ]\n").expect("it reads");
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert!(child.wait().expect("it ends").success());
    assert!(rest.contains("6") && rest.contains("\"after\""), "{rest}");
}

#[test]
fn derivations_are_built_linked_and_their_logs_shown() {
    let world = World::new();
    let drv = "d = derivation { name = \"n\"; system = builtins.currentSystem; builder = \"/bin/sh\"; args = [ \"-c\" \"echo said; echo made > $out\" ]; }";
    let (out, err) = answers(&world, &HOST, &[drv, ":bl d", ":log d", ":b 1"]);
    assert!(
        out.contains("This derivation produced the following outputs:\n  ./repl-result-out -> /nix/store/"),
        "{out} {err}"
    );
    assert!(out.contains("\nsaid\n"), "{out}");
    assert!(world.folder.path().join("repl-result-out").is_symlink());
    assert!(err.contains("error["), "{err}");
}

#[test]
fn documentation_stands_in_front_of_what_it_is_about() {
    let world = World::new();
    world.write(
        "d.nix",
        "{\n  /**\n    Twice.\n  */\n  twice = x: x * 2;\n  /** Fixed. */\n  lib.version = 1;\n}\n",
    );
    let (out, err) =
        answers(&world, &[], &[":l d.nix", ":doc twice", ":doc lib.version", ":doc map", ":doc 1"]);
    for text in [
        "Function `twice`",
        "d.nix:5:11\n\nTwice.",
        "Attribute `version`",
        "\n\nFixed.",
        "**Synopsis:** `builtins.map` function list",
    ] {
        assert!(out.contains(text), "{text}: {out} {err}");
    }
    assert!(err.contains("value does not have documentation"), "{err}");
    // Each function of `builtins` is documented.
    let names = "builtins.concatStringsSep \" \" (builtins.filter (n: builtins.isFunction builtins.${n} && builtins.functionArgs builtins.${n} == { } && builtins.substring 0 2 n != \"__\") (builtins.attrNames (removeAttrs builtins [ \"derivation\" ])))";
    let (all, _) = answers(&world, &[], &[&format!(":p {names}")]);
    let asked: Vec<String> = all.split_whitespace().map(|name| format!(":doc builtins.{name}")).collect();
    assert!(asked.len() > 100, "{all}");
    let (_, err) = answers(&world, &[], &asked.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(err, "");
}

#[test]
fn by_the_name_of_nix_it_speaks_as_nix_does() {
    let world = World::new();
    let link = world.folder.path().join("nix");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), &link).expect("a link");
    world.write("s.nix", "{ a.b = 1; }");
    let script = "printf 'b + 1\\n' | \"$0\" repl --file s.nix a";
    let template = world.command(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(&link).current_dir(world.folder.path());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("Nix (Nival) 2.34.8\nType :? for help.\n"), "{said}");
}

/// Waits until a text was said, and gives all that was said so far.
fn until(said: &Receiver<u8>, all: &mut String, text: &str) {
    let begin = Instant::now();
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(text) {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no `{text}` in {all}{}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.extend(said.recv_timeout(Duration::from_millis(100)).ok());
    }
    all.push_str(&String::from_utf8_lossy(&bytes));
}

#[test]
fn at_a_terminal_names_are_completed_and_ctrl_c_ends_the_evaluation_only() {
    let world = World::new();
    let template = world.command(&[]);
    // The exit code is printed, because that of `script` itself hangs on whether it first sees the terminal or the
    // process end; the shell catches Ctrl-C, because it would end at it.
    let mut command = Command::new("script");
    command.args([
        "-qc",
        &format!(
            "trap : INT; {} repl --data-dir {}; echo \"it ended with $?.\"",
            env!("CARGO_BIN_EXE_nival"),
            world.folder.path().join("data").display()
        ),
        "/dev/null",
    ]);
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    command.current_dir(world.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while stdout.read_exact(&mut byte).is_ok() && sender.send(byte[0]).is_ok() {}
    });
    let mut all = String::new();
    until(&said, &mut all, "nival> ");
    // The rest of the name is what the Tab key is for.
    stdin.write_all(b"builtins.stringLen\t \"four\" + 38\r").expect("typed");
    until(&said, &mut all, "42");
    until(&said, &mut all, "nival> ");
    let slow = "let f = n: if n == 0 then 0 else 1 + f (n - 1); in builtins.foldl' (a: b: f 1000) 0 (builtins.genList (x: x) 9000000)\r";
    stdin.write_all(slow.as_bytes()).expect("typed");
    std::thread::sleep(Duration::from_millis(800));
    stdin.write_all(b"\x03").expect("typed");
    until(&said, &mut all, "evaluation was interrupted");
    until(&said, &mut all, "nival> ");
    stdin.write_all(b"x = {\r").expect("typed");
    until(&said, &mut all, "     > ");
    stdin.write_all(b"y = 20 + 3; }\r").expect("typed");
    until(&said, &mut all, "nival> ");
    stdin.write_all(b"x.y\r").expect("typed");
    until(&said, &mut all, "23");
    stdin.write_all(b":q\r").expect("typed");
    until(&said, &mut all, "it ended with ");
    until(&said, &mut all, ".");
    assert!(all.ends_with("it ended with 0."), "{all}");
    child.wait().expect("it ends");
    let history = std::fs::read_to_string(world.folder.path().join("data/repl-history")).expect("kept");
    assert!(
        history.contains("builtins.stringLength \"four\" + 38\n") && history.ends_with("x.y\n:q\n"),
        "{history}"
    );
}
