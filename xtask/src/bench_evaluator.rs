//! The evaluator against C++ Nix, in pairs: time, CPU time and peak memory of whole processes.

use crate::command::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How many pairs of each kind.
const PAIRS: usize = 5;

/// What is measured, and against what.
pub struct Trees {
    /// The other program.
    pub peer: String,
    /// A tree of nixpkgs with NixOS.
    pub nixpkgs: Option<PathBuf>,
    /// A tree of corepkgs, whose library is at hand.
    pub ekaos: Option<PathBuf>,
}

impl Trees {
    /// Reads `--peer PROGRAM`, `--nixpkgs DIR` and `--ekaos DIR`, or NIVAL_BENCH_PEER and so on.
    pub fn from(words: &[String]) -> Self {
        let option = |name: &str| {
            let typed = words.iter().position(|word| *word == format!("--{name}"));
            let typed = typed.and_then(|at| words.get(at + 1).cloned());
            typed.or_else(|| std::env::var(format!("NIVAL_BENCH_{}", name.to_uppercase())).ok())
        };
        Self {
            peer: option("peer").unwrap_or_else(|| "nix-instantiate".to_owned()),
            nixpkgs: option("nixpkgs").map(PathBuf::from),
            ekaos: option("ekaos").map(PathBuf::from),
        }
    }
}

/// One figure of what a run cost.
type Figure = fn(&Cost) -> f64;

/// One process: seconds, seconds of the processor, KiB at most.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: f64,
    cpu: f64,
    memory: f64,
}

/// What a long evaluation may take at most, in memory of one of 250 packages.
const LONG_MEMORY: f64 = 2.0;

/// Measures all that there are trees for, and prints the rows of a table. Fails where a long evaluation takes too much
/// memory.
pub fn measure(nival: &Path, folder: &Path, trees: &Trees) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(said)?;
    let mut packages = Vec::new();
    println!("\n| work | wall | CPU | peak memory | ours | theirs |\n|---|---|---|---|---|---|");
    for (what, expression) in works(trees) {
        let file = folder.join("work.nix");
        std::fs::write(&file, &expression).map_err(said)?;
        let run = |program: &Path, words: &[&str]| cost(program, words, &file, folder);
        let ours = || run(nival, &["instantiate", "--eval", "--readonly-mode"]);
        let theirs = || run(Path::new(&trees.peer), &["--eval", "--readonly-mode"]);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        ours()?;
        theirs()?;
        for _ in 0..PAIRS {
            a.push(ours()?);
            b.push(theirs()?);
        }
        let of = |all: &[Cost], what: fn(&Cost) -> f64| median(all.iter().map(what).collect());
        let (wall, cpu, memory): (Figure, Figure, Figure) = (|c| c.wall, |c| c.cpu, |c| c.memory);
        println!(
            "| {what} | {:.2} | {:.2} | {:.2} | {:.3} s, {:.0} MiB | {:.3} s, {:.0} MiB |",
            of(&a, wall) / of(&b, wall),
            of(&a, cpu) / of(&b, cpu),
            of(&a, memory) / of(&b, memory),
            of(&a, cpu),
            of(&a, memory) / 1024.0,
            of(&b, cpu),
            of(&b, memory) / 1024.0,
        );
        if what.contains("packages") {
            packages.push(of(&a, memory));
        }
    }
    let [few, many] = packages[..] else { return Ok(()) };
    println!(
        "\n4,000 packages take {:.2} times the memory of 250; less than {LONG_MEMORY} is wanted.",
        many / few
    );
    if many < few * LONG_MEMORY {
        return Ok(());
    }
    Err(Failure::Said("a long evaluation takes too much memory".to_owned()))
}

fn works(trees: &Trees) -> Vec<(&'static str, String)> {
    let mut works = vec![("`1 + 1`, the process", "1 + 1".to_owned())];
    if let Some(tree) = &trees.nixpkgs {
        let tree = tree.display();
        works.push((
            "NixOS system: nginx, PostgreSQL, OpenSSH",
            format!(
                r#"(import {tree}/nixos {{ system = "x86_64-linux"; configuration = {{ ... }}: {{
                  boot.loader.grub.device = "/dev/sda";
                  fileSystems."/" = {{ device = "/dev/sda1"; fsType = "ext4"; }};
                  services.nginx.enable = true;
                  services.nginx.virtualHosts."example.org".root = "/var/www";
                  services.postgresql.enable = true;
                  services.openssh.enable = true;
                }}; }}).system.drvPath"#
            ),
        ));
        let pkgs = format!(r#"import {tree} {{ system = "x86_64-linux"; config = {{ {LEFT_OUT} }}; }}"#);
        works.push(("firefox", format!("({pkgs}).firefox.drvPath")));
        for (what, count) in [("250 packages in one go", 250), ("4,000 packages in one go", 4000)] {
            works.push((what, packages(&pkgs, count)));
        }
        works.push((
            "reading all-packages.nix",
            format!("builtins.isFunction (import {tree}/pkgs/top-level/all-packages.nix)"),
        ));
    }
    if let Some(tree) = &trees.ekaos {
        let tree = tree.display();
        works.push((
            "ekaos system",
            format!(
                r#"(import {tree}/ekaos {{ pkgs = import {tree} {{ system = "x86_64-linux"; }}; }}).system.drvPath"#
            ),
        ));
    }
    works
}

/// Trees come without their largest, generated files. What is built with those of Haskell and Emacs is left out, on both
/// sides, by an error that is caught.
const LEFT_OUT: &str = r#"packageOverrides = _: { haskell = throw "left out"; haskellPackages = throw "left out";
      emacsPackagesFor = _: _: throw "left out"; emacsPackagesNgFor = _: throw "left out"; };"#;

/// Packages that are spread evenly over the tree.
fn packages(pkgs: &str, count: usize) -> String {
    format!(
        r#"let
          pkgs = {pkgs};
          isPackage = name: builtins.match ".*Packages.*|emacs.*" name == null;
          names = builtins.filter isPackage (builtins.attrNames pkgs);
          step = n: builtins.elemAt names (n * (builtins.length names) / {count});
          one = name: let
            path = builtins.tryEval (
              let package = pkgs.${{name}};
              in if builtins.isAttrs package && package.type or "" == "derivation"
              then builtins.unsafeDiscardStringContext package.drvPath else "");
          in if path.success then path.value else "";
        in builtins.hashString "sha256" (builtins.concatStringsSep "\n" (map one (builtins.genList step {count})))"#
    )
}

/// Runs a program under GNU time, with an empty home and cache.
fn cost(program: &Path, words: &[&str], file: &Path, folder: &Path) -> Result<Cost, Failure> {
    let (report, errors) = (folder.join("time"), folder.join("errors"));
    let said_by_it = std::fs::File::create(&errors).map_err(said)?;
    let status = Command::new("/usr/bin/time")
        .args(["--format", "%e %U %S %M", "--output"])
        .arg(&report)
        .arg(program)
        .args(words)
        .arg(file)
        .env("HOME", folder.join("home"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("NIVAL_DATA_DIR", folder.join("data"))
        .stdout(Stdio::null())
        .stderr(said_by_it)
        .status()
        .map_err(said)?;
    if !status.success() {
        let text = std::fs::read_to_string(&errors).unwrap_or_default();
        let message = format!("{} failed on {} ({status}): {text}", program.display(), file.display());
        return Err(Failure::Said(message));
    }
    let text = std::fs::read_to_string(&report).map_err(said)?;
    let numbers: Vec<f64> = text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [wall, user, system, memory] => Ok(Cost { wall: *wall, cpu: user + system, memory: *memory }),
        _ => Err(Failure::Said(format!("no report of the time: {text}"))),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    // What took no hundredth of a second counts as half of one.
    values.get(values.len() / 2).copied().unwrap_or(0.0).max(0.005)
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}
