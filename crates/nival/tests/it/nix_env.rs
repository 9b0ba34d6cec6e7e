//! `nix-env`, by its name.

use crate::world::{Said, World};
use std::os::unix::process::CommandExt as _;

const PACKAGES: &str = r#"let
  package = name: text: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "mkdir -p $out/bin; echo ${text} > $out/bin/${builtins.head (builtins.split "-" name)}" ];
    PATH = "/usr/bin:/bin";
  } // { meta = { description = "prints ${text}"; }; };
in {
  foo1 = package "foo-1.0" "one";
  foo2 = package "foo-2.0" "two";
  bar = package "bar-0.1" "bar";
  broken = assert false; package "broken-1" "x";
}"#;

struct Env(World);

impl Env {
    fn new() -> Self {
        let world = World::new();
        world.write("packages.nix", PACKAGES);
        Self(world)
    }

    fn run(&self, words: &[&str]) -> Said {
        let link = self.0.folder.path().join("profile").display().to_string();
        let file = self.0.folder.path().join("packages.nix").display().to_string();
        let mut command = self.0.command(&["-f", &file, "-p", &link]);
        command.args(["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"]);
        command.args(words).arg0("nix-env");
        Said::of(&command.output().expect("it starts"))
    }

    fn fine(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "nix-env {}\n{}{}", words.join(" "), said.out, said.err);
        said.out.trim().to_owned()
    }
}

#[test]
fn packages_are_installed_upgraded_and_removed() {
    let env = Env::new();
    assert_eq!(env.fine(&["-qa"]), "bar-0.1\nfoo-1.0\nfoo-2.0");
    assert_eq!(env.fine(&["-qaP", "foo-1.0", "--description"]), "foo1  foo-1.0  prints one");
    env.fine(&["-i", "foo-1.0"]);
    assert_eq!(env.fine(&["-q"]), "foo-1.0");
    env.fine(&["-iA", "bar"]);
    assert_eq!(env.fine(&["-q"]), "bar-0.1\nfoo-1.0");
    assert_eq!(env.fine(&["-qc"]), "bar-0.1  = 0.1\nfoo-1.0  < 2.0");
    env.fine(&["-u"]);
    assert_eq!(env.fine(&["-q"]), "bar-0.1\nfoo-2.0");
    let status = env.fine(&["-qas"]);
    assert!(status.contains("IP-  foo-2.0") && status.contains("-P-  foo-1.0"), "{status}");
    env.fine(&["-e", "bar"]);
    assert_eq!(env.fine(&["-q"]), "foo-2.0");
    env.fine(&["--rollback"]);
    assert_eq!(env.fine(&["-q"]), "bar-0.1\nfoo-2.0");
    assert_eq!(env.fine(&["--list-generations"]).lines().count(), 4);
    env.fine(&["--switch-generation", "1"]);
    env.fine(&["--delete-generations", "2", "3"]);
    assert_eq!(env.fine(&["--list-generations"]).lines().count(), 2);
    env.fine(&["--set-flag", "keep", "true", "foo"]);
    env.fine(&["-u"]);
    assert_eq!(env.fine(&["-q"]), "foo-1.0", "what is kept is not upgraded");
    env.fine(&["--set", "-A", "bar"]);
    let said = env.run(&["-i", "nothing"]);
    assert!(said.code != 0 && said.err.contains("matches no derivations"), "{}", said.err);
}
