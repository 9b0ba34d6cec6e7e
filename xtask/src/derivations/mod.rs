//! Paths of derivations, here and by C++ Nix: packages of nixpkgs that a seed draws, firefox, NixOS systems of several
//! kinds, and all of corepkgs with its system.
//!
//! What the other program cannot evaluate is left out, and counted: it asks for many at a time, and where that ends in an
//! error that nothing catches, for the halves of them.

mod ask;

use crate::command::Failure;
use ask::Programs;
use std::path::{Path, PathBuf};

const SYSTEMS: &str = include_str!("systems.nix");
/// How many packages of nixpkgs are drawn.
const DRAWN: usize = 500;
/// Nixpkgs as it is asked: without aliases, with everything that is not free or broken, and without Haskell, whose largest,
/// generated file trees come without: what needs it is an error that is caught, on both sides.
const NIXPKGS: &str = r#"{ system = "x86_64-linux"; config = {
    allowAliases = false; allowBroken = true; allowUnfree = true;
    oraclejdk.accept_license = true; android_sdk.accept_license = true;
    packageOverrides = _: { haskell = throw "left out"; haskellPackages = throw "left out"; }; }; }"#;

/// What one kind of things came to.
#[derive(Default)]
pub struct Tally {
    equal: usize,
    /// Without a derivation on both sides, or an error on both.
    none: usize,
    /// The other program cannot evaluate them.
    left_out: usize,
    different: Vec<String>,
}

/// Runs `--peer PROGRAM --nixpkgs DIR --corepkgs DIR --seed N --count N`; `--nival PROGRAM` for another one than the release
/// build. Trees that are not named are left out.
pub fn compare(words: &[String]) -> Result<(), Failure> {
    let option = |name: &str| {
        let at = words.iter().position(|word| *word == format!("--{name}"));
        at.and_then(|at| words.get(at + 1).cloned())
    };
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let release = || target.join("release/nival").display().to_string();
    let programs = Programs {
        peer: option("peer").unwrap_or_else(|| "nix-instantiate".to_owned()),
        nival: option("nival").unwrap_or_else(release),
        folder: target.join("derivations"),
    };
    std::fs::create_dir_all(&programs.folder).map_err(|error| Failure::Said(error.to_string()))?;
    let number = |name: &str, usual: u64| option(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (seed, count) = (number("seed", 1), number("count", DRAWN as u64) as usize);
    println!(
        "| what | equal | no derivation, or an error on both sides | left out | different |\n|---|---|---|---|---|"
    );
    let mut wrong = 0;
    let mut tell = |what: &str, tally: Tally| {
        let Tally { equal, none, left_out, different } = &tally;
        println!("| {what} | {equal} | {none} | {left_out} | {} |", different.len());
        different.iter().for_each(|name| println!("  different: {name}"));
        wrong += different.len();
    };
    if let Some(tree) = option("nixpkgs").map(PathBuf::from) {
        let set = format!("import {} {NIXPKGS}", tree.display());
        let names = ask::draw(programs.names(&set)?, seed, count);
        tell(&format!("nixpkgs, {} drawn by seed {seed}", names.len()), programs.all(&set, &names)?);
        let set = format!(r#"import {} {{ system = "x86_64-linux"; }}"#, tree.display());
        tell("firefox", programs.all(&set, &["firefox".to_owned()])?);
        let systems = systems(&tree);
        tell("NixOS systems", programs.all(&systems, &programs.names(&systems)?)?);
    }
    if let Some(tree) = option("corepkgs").map(PathBuf::from) {
        let set = format!(r#"import {} {{ system = "x86_64-linux"; }}"#, tree.display());
        tell("corepkgs", programs.all(&set, &programs.names(&set)?)?);
        let system = format!("import {}/ekaos {{ pkgs = {set}; }}", tree.display());
        tell("its system", programs.all(&system, &["system".to_owned()])?);
    }
    if wrong > 0 {
        return Err(Failure::Said(format!("{wrong} are different")));
    }
    Ok(())
}

/// A set of the systems of a tree.
fn systems(tree: &Path) -> String {
    format!(
        r#"builtins.mapAttrs (name: configuration:
             (import {}/nixos {{ system = "x86_64-linux"; inherit configuration; }}).system) ({SYSTEMS})"#,
        tree.display()
    )
}
