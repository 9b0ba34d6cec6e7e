//! A world of its own for each test: a store, a folder, git with fixed dates.

use nival_engine::{Expression, Format, NixSettings, Session, SessionOptions};
use nival_store::LocalStore;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path as text, for expressions.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder above")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    pub fn git(&self, folder: &str, words: &[&str]) {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.path(folder))
            .args(["-c", "user.name=A", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z")
            .env("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A repository with one commit of some files.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) {
        for (file, text) in files {
            self.write(&format!("{name}/{file}"), text);
        }
        self.git(name, &["init", "-q", "-b", "main"]);
        self.git(name, &["add", "."]);
        self.git(name, &["commit", "-q", "-m", "one"]);
    }

    /// A session over the folder's store, with lines of nix.conf.
    pub fn session(&self, conf: &str) -> Session {
        let store = LocalStore::open(&self.path("store")).expect("a store");
        let mut nix = NixSettings::default();
        nix.set("flake-registry", "");
        for line in conf.lines() {
            let (name, value) = line.split_once('=').expect("name = value");
            nix.set(name.trim(), value.trim());
        }
        let environment = [("SECRET", "1"), ("NIX_CONF_DIR", "/nothing")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let options = SessionOptions {
            system: "x86_64-linux".to_owned(),
            now: Some(1),
            nix,
            environment,
            cache: Some(self.path("cache")),
            ..SessionOptions::default()
        };
        Session::new(Arc::new(store), options)
    }

    pub fn eval(&self, text: &str) -> serde_json::Value {
        let shown = json(&mut self.session(""), text);
        let shown = shown.unwrap_or_else(|error| panic!("{text}: {}", error.diagnostic().message));
        serde_json::from_str(&shown).expect("JSON")
    }

    /// The code and the message of a failing evaluation.
    pub fn failure(&self, conf: &str, text: &str) -> (String, String) {
        let mut session = self.session(conf);
        let value = session.evaluator().eval_text("test", text, "/", None);
        let value = value.and_then(|value| session.evaluator().force_deep(value));
        let error = value.err().unwrap_or_else(|| panic!("{text} is fine")).diagnostic();
        (error.entry.code.to_owned(), format!("{} {:?}", error.message, error.help))
    }
}

/// The value of an expression as JSON.
pub fn json(session: &mut Session, text: &str) -> Result<String, nival_engine::Error> {
    let value = session.evaluate(&Expression::Text(text.to_owned(), "/".to_owned()))?;
    session.print(value, Format::Json)
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
