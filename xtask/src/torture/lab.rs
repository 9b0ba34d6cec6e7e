//! Where campaigns happen: data folders that start from one store, and the command that is run on them.

use crate::command::Failure;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::report::Report;

/// What all campaigns start from; removed in the end.
pub struct Setting {
    folder: PathBuf,
    program: PathBuf,
}

/// One data folder with one machine.
pub struct Lab {
    pub name: String,
    pub folder: PathBuf,
    program: PathBuf,
    /// Whether commands are run as the user `nival-ci`.
    user: bool,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// One point at which a process changes something.
#[derive(Clone, Debug)]
pub struct Point {
    /// The part of the program, such as `supervisor`.
    pub part: String,
    pub number: u64,
    /// The call and its object.
    pub name: String,
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

fn shell(script: &str, words: &[&Path]) -> Result<(), Failure> {
    let status = Command::new("sh").args(["-euc", script, "sh"]).args(words).status().map_err(said)?;
    if status.success() { Ok(()) } else { Err(Failure::Command(script.to_owned())) }
}

impl Setting {
    /// Builds the machine once.
    pub fn make(program: &Path) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("nival-torture-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(said)?;
        let own = folder.join("nival");
        std::fs::copy(program, &own).map_err(said)?;
        shell("chmod 755 \"$1\" \"$2\"", &[&folder, &own])?;
        let setting = Self { folder, program: own };
        let lab = setting.lab_of("template", false)?;
        lab.configure("0", "");
        let built = lab.run(&["build", "project"]);
        if built.code != 0 {
            return Err(Failure::Said(built.err));
        }
        Ok(setting)
    }

    fn lab_of(&self, name: &str, user: bool) -> Result<Lab, Failure> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(folder.join("data")).map_err(said)?;
        Ok(Lab { name: name.to_owned(), folder, program: self.program.clone(), user })
    }

    /// A data folder of its own with the built store.
    pub fn lab(&self, name: &str, user: bool) -> Result<Lab, Failure> {
        // Other campaigns beside this one have machines of their own.
        let lab = self.lab_of(&format!("{name}-{}", std::process::id()), user)?;
        lab.wipe();
        let template = self.folder.join("template");
        // The packages are shared by hard links where one user owns all, the database is not.
        let script = if user {
            "cp -a \"$1/data\" \"$1/project\" \"$2\"; chown -R nival-ci \"$2\""
        } else {
            "mkdir -p \"$2/data/store/nix\"; cp -al \"$1/data/store/nix/store\" \"$2/data/store/nix/\"
             cp -a \"$1/data/store/nix/var\" \"$2/data/store/nix/\"; cp -a \"$1/data/cache\" \"$2/data/\"; cp -a \"$1/project\" \"$2\""
        };
        shell(script, &[&template, &lab.folder])?;
        Ok(lab)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = shell("chmod -R u+w \"$1\"; rm -rf \"$1\"", &[&self.folder]);
    }
}

impl Lab {
    /// Removes all that is in the folder.
    pub fn wipe(&self) {
        let _ = shell("rm -rf \"$1\"; mkdir -p \"$1\"", &[&self.folder]);
    }

    /// Writes the configuration of one generation: its letter is in the page, in a file, and in a unit's process.
    pub fn configure(&self, letter: &str, more: &str) {
        let name = &self.name;
        let text = format!(
            r#"{{
  networking.hostName = "{name}";
  services.nginx.enable = true;
  services.nginx.virtualHosts.site = {{ default = true; locations."/".return = "200 page-{letter}"; }};
  environment.etc.setting.text = "{letter}";
  systemd.services.mark = {{ wantedBy = [ "multi-user.target" ]; settleSeconds = 0; environment.MARK = "{letter}"; script = "exec sleep infinity"; }};
  systemd.services.only-{letter} = {{ wantedBy = [ "multi-user.target" ]; settleSeconds = 0; script = "exec sleep infinity"; }};
  {more}
}}
"#
        );
        let project = self.folder.join("project");
        let _ = std::fs::create_dir_all(&project);
        let _ = std::fs::write(project.join("configuration.nix"), text);
    }

    /// The command, ready to be run.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = if self.user {
            let script = r#"echo $$ > "$0"/cgroup.procs && exec setpriv --reuid nival-ci --regid nival-ci --init-groups "$@""#;
            let mut command = Command::new("sh");
            command.args(["-c", script, "/sys/fs/cgroup/unified/nival-ci"]).arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.args(words).current_dir(&self.folder).stdin(Stdio::null());
        command
            .env("HOME", &self.folder)
            .env("NO_COLOR", "1")
            .env("NIVAL_DATA_DIR", self.folder.join("data"));
        command.env_remove("XDG_RUNTIME_DIR").env_remove("XDG_DATA_HOME").env("RUST_BACKTRACE", "0");
        command
    }

    /// Runs the command.
    pub fn run(&self, words: &[&str]) -> Said {
        Said::of(self.command(words).output())
    }

    /// Runs the command with a fault at a point; it is ended after a minute. Tells whether the fault happened too.
    pub fn interrupted(&self, words: &[&str], mode: &str, point: &Point) -> (Said, bool) {
        let once = self.folder.join("once");
        let _ = std::fs::remove_file(&once);
        let mut command = self.command(words);
        command.env("NIVAL_FAULT", format!("{mode}@{}", point.number)).env("NIVAL_FAULT_IN", &point.part);
        command.env("NIVAL_FAULT_ONCE", &once);
        (limited(command), once.exists() || mode == "full")
    }

    /// The points that a command passes, by part, in the order of their numbers.
    pub fn points(&self, words: &[&str], parts: &[&str]) -> Result<Vec<Point>, Failure> {
        let log = self.folder.join("points");
        let _ = std::fs::remove_file(&log);
        let mut command = self.command(words);
        let done = Said::of(command.env("NIVAL_FAULT", "count").env("NIVAL_FAULT_LOG", &log).output());
        if done.code != 0 {
            return Err(Failure::Said(format!("nival {}: {}", words.join(" "), done.err)));
        }
        let text = std::fs::read(&log).unwrap_or_default();
        Ok(parse(&String::from_utf8_lossy(&text), parts))
    }

    /// Whether anything of the machine is left on the host, in words.
    pub fn remains(&self) -> Vec<String> {
        let data = self.folder.to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
            let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
            if line.contains(" internal ")
                && (line.contains(&data) || String::from_utf8_lossy(&read("environ")).contains(&data))
            {
                found.push(format!("process {}", line.chars().take(60).collect::<String>()));
            }
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        found.extend(mounts.lines().filter(|line| line.contains(&data)).map(str::to_owned));
        let groups = Command::new("find")
            .args(["/sys/fs/cgroup", "-name", &format!("nival.{}-*", self.name)])
            .output();
        let groups = groups.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        found.extend(groups.unwrap_or_default().lines().map(str::to_owned));
        found
    }
}

pub fn parse(text: &str, parts: &[&str]) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        let (Some(number), Some(_), Some(part), Some(name)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let known = points.iter().any(|point| point.part == part && point.number == number);
        if parts.contains(&part) && !known {
            points.push(Point { part: part.to_owned(), number, name: name.to_owned() });
        }
    }
    points
}

impl Point {
    /// The point in a line of a report.
    pub fn text(&self) -> String {
        let name: String = self.name.chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
        format!("{} {} {name}", self.part, self.number)
    }
}

impl Said {
    fn of(output: std::io::Result<Output>) -> Self {
        match output {
            Ok(output) => Self {
                code: output.status.code().unwrap_or(-1),
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                err: String::from_utf8_lossy(&output.stderr).into_owned(),
            },
            Err(error) => Self { code: -2, out: String::new(), err: error.to_string() },
        }
    }

    /// Whether the command did what it should, or failed with a coded error or by being killed; never by a panic.
    pub fn is_proper(&self) -> bool {
        !self.err.contains("panicked at") && (self.code <= 0 || self.err.contains("error[NV"))
    }
}

/// Runs a command for a minute at most.
pub fn limited(mut command: Command) -> Said {
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        return Said { code: -2, out: String::new(), err: "not started".into() };
    };
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Ok(Some(_)) = child.try_wait() {
            return Said::of(child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    Said { code: -3, out: String::new(), err: "panicked at a minute without an end".into() }
}

/// Shares work between labs, each in a thread of its own.
pub fn share(
    labs: Vec<Lab>,
    phase: &str,
    points: Vec<Point>,
    work: impl Fn(&Lab, &Point, &mut Report) + Sync,
) -> Report {
    let total = points.len();
    let queue = Mutex::new(VecDeque::from(points));
    let whole = Mutex::new(Report::new(phase));
    std::thread::scope(|scope| {
        for lab in &labs {
            scope.spawn(|| {
                let mut report = Report::new(phase);
                let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
                while let Some(point) = next() {
                    work(lab, &point, &mut report);
                    if report.runs.is_multiple_of(50) {
                        eprintln!("  {phase}: {} of {total} by {}", report.runs, lab.name);
                    }
                }
                if let Ok(mut whole) = whole.lock() {
                    whole.join(report);
                }
            });
        }
    });
    for lab in &labs {
        let _ = lab.run(&["down", "--delete-data", "--yes", &lab.name]);
    }
    whole.into_inner().unwrap_or_default()
}
