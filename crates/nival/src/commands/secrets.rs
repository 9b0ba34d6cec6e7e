//! `--secret NAME=FILE`, as `up` and `switch` take it.

use crate::error::Error;
use clap::Args;
use nival_os::{Machines, Manifest, Program};
use std::io::Read as _;
use std::path::PathBuf;

/// What can be said of secrets.
#[derive(Args)]
pub struct Secrets {
    /// Give a machine a secret that it declares; `-` reads it from standard input. It is kept in the machine's data, so once
    /// is enough
    #[arg(long = "secret", value_name = "NAME=FILE")]
    secrets: Vec<Given>,
}

/// A secret with its file, as it is typed.
#[derive(Clone, Debug)]
struct Given {
    name: String,
    file: PathBuf,
}

impl std::str::FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { name: name.to_owned(), file: file.into() })
            }
            _ => Err("a secret is given as NAME=FILE".to_owned()),
        }
    }
}

impl Secrets {
    /// Hands the secrets to the machines that declare them, and checks that no machine lacks one.
    ///
    /// # Errors
    /// A file that cannot be read, a secret that no machine declares, one that a machine lacks.
    pub fn give(&self, machines: &Machines, manifests: &[&Manifest]) -> Result<(), Error> {
        let mut read = Vec::new();
        for given in &self.secrets {
            read.push((given.name.clone(), given.contents()?));
        }
        for manifest in manifests {
            let several = manifests.len() > 1;
            let meant = |name: &str| !several || manifest.secrets.contains_key(name);
            let given: Vec<_> = read.iter().filter(|(name, _)| meant(name)).cloned().collect();
            machines.give_secrets(manifest, &given)?;
        }
        let nobodys = read.iter().find(|(name, _)| !manifests.iter().any(|m| m.secrets.contains_key(name)));
        if let (Some((name, _)), Some(first)) = (nobodys, manifests.first()) {
            let known = manifests.iter().flat_map(|m| m.secrets.keys().cloned()).collect();
            let (machine, name) = (first.name.clone(), name.clone());
            return Err(Error::from(nival_os::Error::UnknownSecret { machine, name, known }));
        }
        Ok(())
    }
}

impl Secrets {
    /// Lets a running machine show what it was given: the services that use its secrets restart with them.
    ///
    /// # Errors
    /// What running a command in the machine raises, and `NV0601` where its secrets cannot be shown.
    pub fn show_anew(&self, machines: &Machines, name: &str) -> Result<(), Error> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let words = ["systemctl", "try-restart", "nival-secrets.service"];
        let command = words.map(str::to_owned).to_vec();
        let program = Program { command, ..Program::default() };
        match machines.exec(name, &program)? {
            0 => Ok(()),
            code => {
                let doing = format!("show `{name}` its secrets");
                let error = std::io::Error::other(format!("systemctl ended with exit code {code}"));
                Err(Error::from(nival_os::Error::io(doing, &error)))
            }
        }
    }
}

impl Given {
    fn contents(&self) -> Result<Vec<u8>, Error> {
        let mut contents = Vec::new();
        let read = if self.file.as_os_str() == "-" {
            std::io::stdin().read_to_end(&mut contents).map(|_| ())
        } else {
            std::fs::read(&self.file).map(|bytes| contents = bytes)
        };
        read.map_err(|error| Error::from(nival_engine::Error::Io(self.file.clone(), error)))?;
        Ok(contents)
    }
}
