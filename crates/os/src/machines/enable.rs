//! Units of the host that bring machines back after a boot.

use super::Machines;
use crate::Error;
use crate::error::Doing as _;
use crate::host;
use nival_sys::{fs, process};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What was written to the host, or removed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostUnit {
    /// The unit's file.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// The commands that were run.
    pub commands: Vec<String>,
}

impl Machines {
    /// Writes a unit of the host's systemd into `folder` that runs `up` at every boot, and enables it.
    ///
    /// `folder` is `/etc/systemd/system` for root, the user's own folder of units otherwise; `program` is the
    /// path of this program and `up` its arguments that bring the machine up, stay, and end when it does.
    ///
    /// # Errors
    /// [`Error::HostUnit`] where no systemd runs on the host, or it refuses.
    pub fn enable(
        &self,
        name: &str,
        folder: &Path,
        program: &Path,
        up: &[String],
    ) -> Result<HostUnit, Error> {
        self.known(name)?;
        let user = refuse_without_systemd()?;
        let text = text(name, program, up, user);
        let path = folder.join(unit(name));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write_atomic(&path, text.as_bytes(), 0o644))
            .doing(|| format!("write `{}`", path.display()))?;
        let mut commands =
            vec![systemctl(user, &["daemon-reload"])?, systemctl(user, &["enable", &unit(name)])?];
        if user {
            commands.extend(linger()?);
        }
        Ok(HostUnit { path, text, commands })
    }

    /// Removes the unit that [`Self::enable`] wrote; the machine goes on running.
    ///
    /// # Errors
    /// [`Error::HostUnit`].
    pub fn disable(&self, name: &str, folder: &Path) -> Result<HostUnit, Error> {
        let user = refuse_without_systemd()?;
        let path = folder.join(unit(name));
        let text = fs::read_to_string(&path).map_err(|_| {
            Error::HostUnit(format!("`{name}` is not enabled: there is no `{}`", path.display()))
        })?;
        let mut commands = vec![systemctl(user, &["disable", &unit(name)])?];
        fs::remove_file(&path).doing(|| format!("remove `{}`", path.display()))?;
        commands.push(systemctl(user, &["daemon-reload"])?);
        Ok(HostUnit { path, text, commands })
    }
}

fn unit(name: &str) -> String {
    format!("nival-{name}.service")
}

fn refuse_without_systemd() -> Result<bool, Error> {
    if Path::new("/run/systemd/system").is_dir() {
        Ok(!host::is_root())
    } else {
        Err(Error::HostUnit("no systemd runs on this host".to_owned()))
    }
}

fn text(name: &str, program: &Path, up: &[String], user: bool) -> String {
    let quote = |word: &str| {
        format!(
            "\"{}\"",
            word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$")
        )
    };
    let program = quote(&program.to_string_lossy());
    let up: Vec<String> = up.iter().map(|word| quote(word)).collect();
    let (after, target) = if user {
        ("", "default.target")
    } else {
        ("After=network-online.target\nWants=network-online.target\n", "multi-user.target")
    };
    // The command stays and watches: it ends in an error, and is started again, when the machine is gone unasked.
    // Only it is told to stop; it stops the machine then.
    format!(
        "[Unit]\nDescription=Nival machine {name}\n{after}\n[Service]\nType=notify\nDelegate=yes\nKillMode=mixed\n\
         Restart=on-failure\nRestartSec=1\nTimeoutStartSec=10min\nTimeoutStopSec=2min\n\
         ExecStart={program} {}\n\n[Install]\nWantedBy={target}\n",
        up.join(" ")
    )
}

/// Lets the user's units run without a login, where they do not yet.
fn linger() -> Result<Option<String>, Error> {
    let user = host::user_name().unwrap_or_else(|| process::user_id().to_string());
    if Path::new("/var/lib/systemd/linger").join(&user).exists() {
        return Ok(None);
    }
    run("loginctl", &["enable-linger", &user]).map(Some).map_err(|_| {
        let reason =
            format!("`{user}` needs units that run without a login: sudo loginctl enable-linger {user}");
        Error::HostUnit(reason)
    })
}

fn systemctl(user: bool, words: &[&str]) -> Result<String, Error> {
    let mut all = if user { vec!["--user"] } else { Vec::new() };
    all.extend(words);
    run("systemctl", &all)
}

fn run(program: &str, words: &[&str]) -> Result<String, Error> {
    let shown = format!("{program} {}", words.join(" "));
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = process::spawn(&mut command).doing(|| format!("run `{shown}`"))?;
    let output = child.wait_with_output().doing(|| format!("run `{shown}`"))?;
    if output.status.success() {
        return Ok(shown);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::HostUnit(format!("`{shown}` failed: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_are_quoted() {
        let text = text("web", Path::new("/opt/my nival"), &["up".into(), "a%b\"c".into()], true);
        assert!(text.contains("ExecStart=\"/opt/my nival\" \"up\" \"a%%b\\\"c\"\n"), "{text}");
        assert!(text.contains("WantedBy=default.target"));
    }
}
