//! Real programs built from source inside roots of Debian packages, with their test suites: `examples/builds`.

use crate::command::{Failure, cargo, run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What is built, and what its test suite says when all is well.
const PROGRAMS: [(&str, &str); 3] =
    [("hello", "# FAIL:  0"), ("zlib", "*** zlib shared test OK ***"), ("lines", "1 passed; 0 failed")];

/// A build that looks around: everything at the top is the root's or the builder's own.
const AROUND: &str = r#"
  around = debian.old.build {
    name = "around";
    src = ./lines;
    configurePhase = "";
    buildPhase = ''
      for folder in usr/bin usr/sbin usr/lib usr/share; do
        diff <(ls -A /$folder) <(ls -A $__debianRoot/$folder)
      done
      grep -q 'debian-root-build/usr /usr ro' /proc/self/mountinfo
      for one in /*; do
        case $one in
        /build | /dev | /nix | /proc | /tmp) ;;
        *) [ $one = /etc ] || [ -e $__debianRoot$one ] ;;
        esac
      done
    '';
    checkPhase = "gcc --version; ! ls /root /home /work";
    installPhase = "echo nothing of the host > $out";
  };
}
"#;

/// A folder that is removed in the end, with all that was built.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(&self.0);
        // What stays is a temporary folder.
        let _ = command.status();
    }
}

/// Builds all of them, twice: what comes out must be the same.
pub fn build() -> Result<(), Failure> {
    run(cargo(&["build", "--quiet", "--package", "nival"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let program = std::path::absolute(target.join("debug/nival")).map_err(said)?;
    let place = Place(std::env::temp_dir().join(format!("nival-real-builds-{}", std::process::id())));
    std::fs::create_dir_all(&place.0).map_err(said)?;
    let project = place.0.join("builds");
    let mut copy = Command::new("cp");
    copy.args(["-r", "examples/builds"]).arg(&project);
    run(copy)?;
    let file = project.join("default.nix");
    let text = std::fs::read_to_string(&file).map_err(said)?;
    let text = text.trim_end().strip_suffix('}').unwrap_or(&text);
    std::fs::write(&file, format!("{text}{AROUND}")).map_err(said)?;
    for (name, words) in PROGRAMS.into_iter().chain([("around", "Free Software Foundation")]) {
        let began = Instant::now();
        let log = one(&program, &place.0, name, &["-L"])?;
        if !log.contains(words) {
            return Err(Failure::Said(format!("the log of `{name}` does not say `{words}`:\n{log}")));
        }
        let first = began.elapsed().as_secs_f64();
        one(&program, &place.0, name, &["--check"])?;
        let again = began.elapsed().as_secs_f64() - first;
        println!("{name}: built and tested in {first:.1} s, the same again in {again:.1} s");
    }
    Ok(())
}

fn one(program: &Path, place: &Path, name: &str, more: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(program);
    command.args(["build", "--no-link"]).arg(format!(".#{name}")).args(more);
    command.current_dir(place.join("builds")).env("NIVAL_DATA_DIR", place.join("data"));
    let output = command.stdin(Stdio::null()).output().map_err(said)?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(log),
        false => Err(Failure::Said(format!("`{name}` was not built:\n{log}"))),
    }
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}
