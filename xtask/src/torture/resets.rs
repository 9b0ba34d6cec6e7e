//! Hard resets of a virtual machine in the middle of builds.
//!
//! The machine is made of Debian packages by Nival itself: a kernel, the essential packages, and this program. It builds,
//! and collects garbage, for ever; at a random moment it is cut off, as by a power failure, and started again. Each time
//! it verifies its store before it goes on.

use crate::command::{Failure, run};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a machine may take for anything; emulated ones are slow.
const PATIENCE: Duration = Duration::from_secs(300);

const PACKAGES: &str = r#"{
  debian = import <nival/packages> {
    lock = ./nival.lock;
    roots.machine = [ "linux-image-cloud-amd64" "mount" ];
  };
}
"#;

/// Thirty derivations with more contents than a disk takes in at once, and one that needs them all.
const GRAPH: &str = r#"{ turn }:
let
  one = name: needs: derivation {
    inherit name needs turn;
    system = "x86_64-linux";
    builder = "/bin/sh";
    PATH = "/bin:/usr/bin";
    args = [ "-ec" "mkdir $out; head -c 300000 /dev/urandom > $out/data; echo $needs > $out/needs" ];
  };
in
one "top" (builtins.genList (n: one "leaf-${toString n}" [ ]) 30)
"#;

const INIT: &str = r#"#!/bin/bash
export PATH=/programs:/usr/sbin:/usr/bin HOME=/root NIX_REMOTE='local?root=/data'
export NIX_CONFIG='build-users-group =
sandbox-paths = /bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?'
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devices /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
exec > /dev/console 2>&1
if nix-store --verify --check-contents > /tmp/verified 2>&1; then
    echo "WHOLE $(ls /data/nix/store 2>/dev/null | wc -l)"
else
    cat /tmp/verified
    echo BROKEN
fi
for ((n = 1; ; n++)); do
    nix-build /graph.nix --argstr turn "$RANDOM$RANDOM" --out-link /root/result > /tmp/built 2>&1 || { cat /tmp/built; echo BROKEN; }
    echo "BUILT $n"
    if ((n % 2 == 0)); then
        nix-collect-garbage > /tmp/collected 2>&1 || { cat /tmp/collected; echo BROKEN; }
        echo COLLECTED
    fi
done
"#;

/// The machine's disk, and what starts it.
struct Lab {
    folder: PathBuf,
    kernel: PathBuf,
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

impl Drop for Lab {
    fn drop(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(&self.folder);
        // What stays is a temporary folder.
        let _ = command.status();
    }
}

fn shell(folder: &Path, script: &str) -> Result<(), Failure> {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(folder);
    run(command)
}

impl Lab {
    /// Makes the disk.
    fn make(program: &Path) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("nival-resets-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("root")).map_err(said)?;
        let mut lab = Self { kernel: folder.join("kernel"), folder };
        for (name, text) in [("default.nix", PACKAGES), ("root/graph.nix", GRAPH), ("root/init", INIT)] {
            std::fs::write(lab.folder.join(name), text).map_err(said)?;
        }
        let program = std::path::absolute(program).map_err(said)?;
        let mut build = Command::new(&program);
        build.args(["build", "--file", "default.nix", "-A", "debian.roots.machine", "--no-link"]);
        build.current_dir(&lab.folder).env("NIVAL_DATA_DIR", lab.folder.join("host"));
        let output = build.stderr(Stdio::inherit()).output().map_err(said)?;
        let made = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            return Err(Failure::Command("nival build of the machine's root".to_owned()));
        }
        let copy = format!(
            "cp -r --preserve=mode,links host/store{made}/. root/
             chmod -R u+w root
             cp root/boot/vmlinuz-* kernel
             rm -rf root/usr/lib/modules root/boot root/usr/share/doc root/usr/share/locale host
             cp {} root/nival
             strip root/nival || true
             chmod 755 root/init
             mkdir -p root/programs root/proc root/sys root/dev root/tmp root/root root/data
             for name in nix-build nix-store nix-collect-garbage; do ln -s /nival root/programs/$name; done
             truncate --size 2G disk
             mkfs.ext4 -q -d root disk
             rm -rf root",
            program.display()
        );
        shell(&lab.folder, &copy)?;
        lab.kernel = lab.folder.join("kernel");
        Ok(lab)
    }

    fn start(&self) -> Result<Machine, Failure> {
        let mut command = Command::new("qemu-system-x86_64");
        // /dev/kvm may be there and hang.
        command.args("-accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1024 -nic none".split(' '));
        command.args("-display none -monitor none -serial stdio -no-reboot".split(' '));
        command.arg("-kernel").arg(&self.kernel);
        command.args(["-append", "console=ttyS0 quiet root=/dev/nvme0n1 rw init=/init panic=-1"]);
        let disk = self.folder.join("disk");
        command.arg("-drive").arg(format!("file={},if=none,id=disk,format=raw", disk.display()));
        command.args(["-device", "nvme,drive=disk,serial=disk"]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(said)?;
        let (sender, lines) = channel();
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // Nobody listens any more when the machine was cut off.
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Machine { process, lines, log: String::new() })
    }
}

/// A machine that runs.
struct Machine {
    process: Child,
    lines: Receiver<String>,
    log: String,
}

impl Machine {
    /// Waits for a line that begins with a word.
    fn wait(&mut self, word: &str, limit: Duration) -> Result<Option<String>, Failure> {
        let began = Instant::now();
        while let Some(left) = limit.checked_sub(began.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let _ = writeln!(self.log, "{line}");
                    let line = line.trim();
                    if line.ends_with("BROKEN") || line.contains("Kernel panic") {
                        return Err(Failure::Said(format!("after a reset:\n{}", self.log)));
                    }
                    if line.starts_with(word) {
                        return Ok(Some(line.to_owned()));
                    }
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Said(format!("the machine ended:\n{}", self.log)));
                }
            }
        }
        Ok(None)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // As a power failure: what the guest did not bring to its disk is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cuts a machine off so many times; the store must be whole each time.
pub fn run_campaign(program: &Path, count: usize, seed: u64) -> Result<(), Failure> {
    let lab = Lab::make(program)?;
    let mut state = seed | 1;
    let mut random = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % limit
    };
    let mut in_builds = 0;
    for turn in 0..=count {
        let mut machine = lab.start()?;
        let Some(whole) = machine.wait("WHOLE", PATIENCE)? else {
            return Err(Failure::Said(format!(
                "the machine did not verify its store in time:\n{}",
                machine.log
            )));
        };
        println!("start {turn}: {whole} entries");
        if turn == count {
            break;
        }
        // Some are cut off in their first build, some later, some while they collect.
        let builds = random(3);
        for _ in 0..builds {
            machine.wait("BUILT", PATIENCE)?;
        }
        machine.wait("nothing", Duration::from_millis(500 + random(8000)))?;
        in_builds += 1;
        println!("reset {in_builds} after {builds} whole builds");
    }
    println!("{in_builds} resets in the middle of builds: the store was whole each time");
    Ok(())
}
