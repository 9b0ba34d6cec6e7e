//! Running a builder: what it says, its limits, and how it ends.

use super::Build;
use crate::build_error::BuildError;
use crate::builtin;
use crate::debugging::Stopped;
use crate::derivation::Structured;
use crate::events::Event;
use crate::log::Log;
use crate::sandbox::{Answer, Running, STARTING};
use crate::settings::BuildSettings;
use nival_sys::cgroup::limits::Passed;
use nival_sys::process::{AsReadable, Ended, wait_readable};
use nival_sys::{owner, pty};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

impl Build<'_> {
    pub(super) fn run_builtin(&mut self, name: &str, log: &mut Option<Log>) -> Result<(), BuildError> {
        let store = self.around.store;
        let outputs =
            self.scratch.iter().map(|(name, path)| (name.clone(), self.outputs.join(path.base_name())));
        let outputs: BTreeMap<String, PathBuf> = outputs.collect();
        let physical = |path: &str| match store.dir().parse_prefix(path) {
            Ok((path, "")) => store.physical(&path),
            Ok((path, rest)) => store.physical(&path).join(rest.trim_start_matches('/')),
            Err(_) => PathBuf::from(path),
        };
        let mut lines = Vec::new();
        let result = builtin::run(
            name,
            &mut builtin::Work {
                derivation: self.job.derivation,
                outputs,
                scratch: self.top.join("build"),
                physical: &physical,
                settings: self.around.settings,
                cancel: self.around.cancel,
                say: &mut |text| lines.push(text.to_owned()),
            },
        );
        if let Err(text) = &result {
            lines.push(format!("{text}\n"));
        }
        for line in lines {
            self.heard(line.as_bytes(), &mut Vec::new(), log)?;
        }
        if self.around.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        result.map_err(|_| self.failure("failed with exit code 1".to_owned()))
    }

    pub(super) fn run_builder(
        &mut self,
        structured: Option<Structured>,
        log: &mut Option<Log>,
    ) -> Result<(), BuildError> {
        let failed = |doing: &'static str| move |error| BuildError::sandbox(doing, error);
        self.make_group();
        let cell = self.cell(structured)?;
        let (shown, terminal) =
            pty::open(Path::new("/dev/pts")).map_err(failed("make a terminal for the builder"))?;
        pty::make_raw(&terminal).map_err(failed("make a terminal for the builder"))?;
        if let Some(user) = &self.user {
            owner::set_owner_of(&terminal, user.user.user, user.user.group)
                .map_err(failed("give the builder its terminal"))?;
        }
        let mut running = Running::start(&self.around.settings.program, &cell, &terminal, &self.top)?;
        drop(terminal);
        let mut shown = std::fs::File::from(shown);
        let mut watch = Watch::new(self.around.settings);
        let mut line = Vec::new();
        let ended = loop {
            let ready = {
                let answers = running.descriptor();
                let both: [&dyn AsReadable; 2] = [&shown, &answers];
                wait_readable(&both, 100).map_err(failed("wait for the builder"))?
            };
            let mut is_over = false;
            if ready[0] {
                let count = self.hear(&mut shown, &mut line, log)?;
                watch.heard(count);
                is_over = count == 0;
            }
            if let Some(code) = self.stopped.take() {
                let rest = self.debugged(code, &mut shown)?;
                self.heard(&rest, &mut line, log)?;
                watch = Watch::new(self.around.settings);
                continue;
            }
            if is_over || ready[1] {
                match if is_over { running.last_answer() } else { running.answer() } {
                    Answer::Started => {}
                    Answer::Failed(text) => {
                        let (doing, error) = text.split_once(": ").unwrap_or((&text, "failed"));
                        let doing = doing.trim_start_matches("cannot ").to_owned();
                        if doing.starts_with(STARTING) {
                            let why = format!("could not be started ({error})");
                            return Err(self.failure(why));
                        }
                        return Err(BuildError::sandbox(doing, std::io::Error::other(error.to_owned())));
                    }
                    Answer::Ended(ended) => break ended,
                    Answer::Gone => break Ended::Signal(9),
                }
            }
            if self.around.cancel.is_cancelled() {
                running.kill();
                running.wait();
                return Err(BuildError::Cancelled);
            }
            if let Some(passed) = watch.passed().or_else(|| self.passed()) {
                running.kill();
                running.wait();
                return Err(self.limit(passed));
            }
        };
        running.wait();
        while wait_readable(&[&shown], 0).is_ok_and(|ready| ready[0])
            && self.hear(&mut shown, &mut line, log)? > 0
        {}
        if !line.is_empty() {
            self.heard(b"\n", &mut line, log)?;
        }
        // Also where the builder took no notice: what it made may lack what the process that was killed had to do.
        if let Some(passed) = self.passed() {
            return Err(self.limit(passed));
        }
        match ended {
            Ended::Code(0) => Ok(()),
            Ended::Code(code) => Err(self.failure(format!("failed with exit code {code}"))),
            Ended::Signal(signal) => Err(self.failure(format!("failed due to signal {signal}"))),
        }
    }

    /// The limit of the builder's control group that was passed, with the name of its setting.
    fn passed(&self) -> Option<(String, &'static str)> {
        let limits = self.around.settings.limits;
        Some(match self.group.as_ref()?.passed()? {
            Passed::Memory => {
                let bytes = limits.memory.unwrap_or_default();
                (format!("was killed for using more than {bytes} bytes of memory"), "max-build-memory")
            }
            Passed::Processes => {
                let count = limits.processes.unwrap_or_default();
                (format!("was killed for starting more than {count} processes"), "max-build-processes")
            }
        })
    }

    fn limit(&self, (limit, setting): (String, &'static str)) -> BuildError {
        let drv = self.around.store.dir().print(self.job.drv);
        BuildError::Limit { drv, limit, setting }
    }

    /// Lets somebody into the builder's place; what the builder says behind that is returned.
    fn debugged(&self, code: i32, shown: &mut std::fs::File) -> Result<Vec<u8>, BuildError> {
        let Some(debugger) = &self.around.settings.debugger else { return Ok(Vec::new()) };
        let failed = |error| BuildError::sandbox("show the shell of the builder's place", error);
        let drv = self.around.store.dir().print(self.job.drv);
        let phase = self.phase.as_deref();
        let over = format!("{} over\n", self.marker);
        self.around.observer.tell(Event::Debugged { drv: self.job.drv, begins: true });
        let line = format!("{}\n", phase.unwrap_or_default());
        let told = shown.write_all(line.as_bytes());
        let stopped = Stopped { drv: &drv, code, phase };
        let attended =
            told.and_then(|()| debugger.attend(&stopped, shown, over.as_bytes(), self.around.cancel));
        self.around.observer.tell(Event::Debugged { drv: self.job.drv, begins: false });
        attended.map_err(failed)
    }

    /// Reads what the builder says; the number of bytes, 0 at the end.
    fn hear(
        &mut self,
        shown: &mut std::fs::File,
        line: &mut Vec<u8>,
        log: &mut Option<Log>,
    ) -> Result<usize, BuildError> {
        let mut buffer = [0; 4096];
        // A terminal that nobody holds any more is an error to read.
        let count = shown.read(&mut buffer).unwrap_or(0);
        self.heard(&buffer[..count], line, log)?;
        Ok(count)
    }

    fn heard(&mut self, bytes: &[u8], line: &mut Vec<u8>, log: &mut Option<Log>) -> Result<(), BuildError> {
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
                continue;
            }
            let mut text = std::mem::take(line);
            let shown = String::from_utf8_lossy(&text).into_owned();
            let shown = shown.trim_end_matches('\r');
            if let Some(json) = shown.strip_prefix("@nix ") {
                if let Some(name) = phase(json) {
                    self.around.observer.tell(Event::Phase { drv: self.job.drv, name: &name });
                    self.phase = Some(name);
                }
                continue;
            }
            if let Some(said) = shown.strip_prefix(&self.marker) {
                self.stopped = said.strip_prefix(" failed ").and_then(|code| code.parse().ok());
                continue;
            }
            // A line that was written over several times counts as it looks in the end.
            let last = shown.rsplit('\r').next().unwrap_or(shown);
            self.around.observer.tell(Event::Line { drv: self.job.drv, text: last });
            self.tail.push_back(last.to_owned());
            if self.tail.len() > self.around.settings.log_lines {
                self.tail.pop_front();
            }
            if let Some(log) = log {
                text.push(b'\n');
                log.add(&text).map_err(|error| BuildError::sandbox("write the log", error))?;
            }
        }
        Ok(())
    }
}

/// The phase that a builder's message in JSON names.
fn phase(json: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(json).ok()?;
    match message["action"].as_str()? {
        "setPhase" => message["phase"].as_str().map(str::to_owned),
        "result" if message["type"] == 104 => message["fields"][0].as_str().map(str::to_owned),
        _ => None,
    }
}

/// The limits of one build, and how near it is to them.
struct Watch {
    began: Instant,
    last_word: Instant,
    said: u64,
    timeout: Option<Duration>,
    silence: Option<Duration>,
    size: Option<u64>,
}

impl Watch {
    fn new(settings: &BuildSettings) -> Self {
        let now = Instant::now();
        Self {
            began: now,
            last_word: now,
            said: 0,
            timeout: settings.timeout,
            silence: settings.max_silent_time,
            size: settings.max_log_size,
        }
    }

    fn heard(&mut self, count: usize) {
        self.said += count as u64;
        if count > 0 {
            self.last_word = Instant::now();
        }
    }

    /// The limit that was passed, with the name of its setting.
    fn passed(&self) -> Option<(String, &'static str)> {
        let over = |since: Instant, limit: Option<Duration>| limit.filter(|limit| since.elapsed() >= *limit);
        if let Some(limit) = over(self.began, self.timeout) {
            return Some((format!("timed out after {} seconds", limit.as_secs()), "timeout"));
        }
        if let Some(limit) = over(self.last_word, self.silence) {
            return Some((
                format!("timed out after {} seconds of silence", limit.as_secs()),
                "max-silent-time",
            ));
        }
        let size = self.size.filter(|limit| self.said > *limit)?;
        Some((format!("was killed after writing more than {size} bytes of log output"), "max-build-log-size"))
    }
}
