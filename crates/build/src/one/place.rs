//! The place that a builder works in: its folders, and what it sees of the host.

use super::{Build, has_host_network};
use crate::build_error::BuildError;
use crate::derivation::{Place, Structured, prepare};
use crate::events::Event;
use crate::sandbox::debugging::functions;
use crate::sandbox::{Bind, BindKind, Cell, Debugging, File};
use crate::surroundings;
use nival_store_model::StorePath;
use nival_sys::cgroup::limits::{Limited, Limits};
use nival_sys::{fs, owner};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

impl Build<'_> {
    pub(super) fn make_folders(&self) -> Result<(), BuildError> {
        let failed = |error| BuildError::sandbox("make the builder's folders", error);
        if let Some(parent) = self.top.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::remove_tree(&self.top).map_err(failed)?;
        let mut folders = vec![self.top.clone(), self.top.join("build")];
        if self.confined {
            fs::remove_tree(&self.outputs).map_err(failed)?;
            folders.extend([self.top.join("root"), self.top.join("tmp"), self.outputs.clone()]);
        }
        for folder in &folders {
            fs::create_dir(folder).map_err(failed)?;
            fs::set_mode(folder, 0o700).map_err(failed)?;
        }
        if self.confined {
            fs::set_mode(&self.top.join("tmp"), 0o1777).map_err(failed)?;
        } else if self.user.is_some() {
            fs::set_mode(&self.top, 0o711).map_err(failed)?;
        }
        if let Some(user) = &self.user {
            for folder in ["build", "tmp"].map(|name| self.top.join(name)) {
                if folder.exists() {
                    owner::set_owner(&folder, user.user.user, user.user.group).map_err(failed)?;
                }
            }
            if self.confined {
                owner::set_owner(&self.outputs, user.user.user, user.user.group).map_err(failed)?;
            }
        }
        Ok(())
    }

    pub(super) fn cell(&self, structured: Option<Structured>) -> Result<Cell, BuildError> {
        let settings = self.around.settings;
        let folder = match self.confined {
            true => settings.inner_folder.clone(),
            false => self.top.join("build").to_string_lossy().into_owned(),
        };
        let host_network = has_host_network(self.job.derivation);
        let place = Place {
            store: self.around.store,
            folder: &folder,
            cores: settings.processors(),
            inputs: self.job.inputs,
            rewrites: &self.rewrites,
            caller: &settings.caller,
            is_fixed: host_network,
        };
        let prepared = prepare(self.job.derivation, &self.wishes, structured, &place)?;
        for (name, contents) in &prepared.files {
            let path = self.top.join("build").join(name);
            let failed = |error| BuildError::sandbox(format!("write `{name}` for the builder"), error);
            fs::write_new(&path, contents, 0o644).map_err(failed)?;
            if let Some(user) = &self.user {
                owner::set_owner(&path, user.user.user, user.user.group).map_err(failed)?;
            }
        }
        let debugging = match &settings.debugger {
            Some(debugger) => Some(self.debugging(debugger.script(), &folder)?),
            None => None,
        };
        let joined = |(name, value): (&Vec<u8>, &Vec<u8>)| [name.as_slice(), b"=", value].concat();
        Ok(Cell {
            confined: self.confined,
            groups: self.group.iter().flat_map(Limited::folders).map(Path::to_owned).collect(),
            root: self.top.join("root"),
            host_network,
            user: 1000,
            group: 100,
            outside: self.user.as_ref().map(|user| user.user),
            binds: if self.confined { self.binds(host_network)? } else { Vec::new() },
            files: self.files(host_network),
            shared_memory: settings.shared_memory.clone(),
            filter_calls: settings.filter_calls,
            allow_new_privileges: settings.allow_new_privileges,
            is_32_bit: settings.system == "x86_64-linux" && self.job.derivation.system == b"i686-linux",
            directory: PathBuf::from(folder),
            builder: self.job.derivation.builder.clone(),
            arguments: prepared.arguments,
            environment: prepared.environment.iter().map(joined).collect(),
            debugging,
        })
    }

    /// Makes the control groups of the builder, where there is something to limit. A machine that has none builds without
    /// limits, and says so.
    pub(super) fn make_group(&mut self) {
        let settings = self.around.settings;
        if settings.limits == Limits::default() && !settings.use_groups {
            return;
        }
        let name = self.top.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match Limited::make(&name, settings.limits) {
            Ok(group) => self.group = Some(group),
            Err(error) => {
                let text = format!("builders have no limits of memory and processes here: {error}");
                self.around.observer.tell(Event::Notice { text: &text });
            }
        }
    }

    /// The shell that is started where the builder fails: the builder itself where it is one, else one of the inputs.
    fn debugging(&self, script: Option<&str>, folder: &str) -> Result<Debugging, BuildError> {
        let name = ".nival-debug";
        let failed = |error| BuildError::sandbox("write the functions of the shell", error);
        let path = self.top.join("build").join(name);
        fs::write_new(&path, functions().as_bytes(), 0o644).map_err(failed)?;
        if let Some(user) = &self.user {
            owner::set_owner(&path, user.user.user, user.user.group).map_err(failed)?;
        }
        let functions = Path::new(folder).join(name);
        let shell = self.shell();
        let is_bash = shell.ends_with("/bash");
        let words: Vec<String> = match script {
            Some(script) => vec!["-c".to_owned(), format!(". {}\n{script}", functions.display())],
            None if is_bash => {
                vec!["--noprofile".to_owned(), "--rcfile".to_owned(), functions.display().to_string()]
            }
            None => vec!["-i".to_owned()],
        };
        let words = std::iter::once(shell.clone()).chain(words).map(String::into_bytes).collect();
        let terminal = self.around.settings.caller.get("TERM").cloned().unwrap_or_else(|| "dumb".to_owned());
        let marker = self.marker.clone();
        Ok(Debugging { marker, shell: shell.into_bytes(), words, functions, terminal })
    }

    fn shell(&self) -> String {
        let builder = String::from_utf8_lossy(&self.job.derivation.builder).into_owned();
        let is_shell = |name: &str| matches!(name, "bash" | "sh" | "dash" | "zsh");
        if Path::new(&builder).file_name().and_then(|name| name.to_str()).is_some_and(is_shell) {
            return builder;
        }
        let store = self.around.store;
        for name in ["bin/bash", "bin/sh"] {
            let has_it = |path: &&StorePath| store.physical(path).join(name).is_file();
            if let Some(path) = self.job.inputs.iter().find(has_it) {
                return format!("{}/{name}", store.dir().print(path));
            }
        }
        "/bin/sh".to_owned()
    }

    fn files(&self, host_network: bool) -> Vec<File> {
        let folder = &self.around.settings.inner_folder;
        let file = |path: &str, contents: String| File { path: path.into(), contents };
        let mut files = vec![
            file(
                "/etc/passwd",
                format!(
                    "root:x:0:0:Nix build user:{folder}:/noshell\nnixbld:x:1000:100:Nix build user:{folder}:/noshell\n\
                     nobody:x:65534:65534:Nobody:/:/noshell\n"
                ),
            ),
            file("/etc/group", "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n".to_owned()),
        ];
        if host_network {
            files.push(file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n".to_owned()));
        } else {
            files.push(file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()));
        }
        files
    }

    fn binds(&self, host_network: bool) -> Result<Vec<Bind>, BuildError> {
        let settings = self.around.settings;
        let store = self.around.store;
        let mut binds = Vec::new();
        let mut bind = |source: PathBuf, target: PathBuf, kind| binds.push(Bind { source, target, kind });
        bind(self.outputs.clone(), store.dir().as_str().into(), BindKind::Writable);
        bind(self.top.join("build"), settings.inner_folder.clone().into(), BindKind::Writable);
        bind(self.top.join("tmp"), "/tmp".into(), BindKind::Writable);
        let mut devices = vec!["full", "null", "random", "tty", "urandom", "zero"];
        if settings.features.contains("kvm") {
            devices.push("kvm");
        }
        for device in devices {
            let path = Path::new("/dev").join(device);
            bind(path.clone(), path, BindKind::Optional);
        }
        if host_network {
            for file in ["/etc/resolv.conf", "/etc/services", "/etc/hosts"] {
                bind(file.into(), file.into(), BindKind::Optional);
            }
            if let Some(certificates) = &settings.transport.certificates {
                bind(certificates.clone(), certificates.clone(), BindKind::Optional);
            }
        }
        let own: BTreeSet<&StorePath> = self.scratch.values().collect();
        for path in self.job.inputs.iter().filter(|path| !own.contains(path)) {
            bind(store.physical(path), store.dir().print(path).into(), BindKind::ReadOnly);
        }
        let around_it = match &self.wishes.debian_root {
            Some(root) => surroundings::binds(store, self.job, root)?,
            None => Vec::new(),
        };
        let top = |path: &Path| path.components().nth(1).map(|part| part.as_os_str().to_owned());
        let own: BTreeSet<_> = around_it.iter().filter_map(|bind| top(&bind.target)).collect();
        // What a root of packages brings is not the host's.
        for path in settings.host_paths.iter().filter(|p| top(&p.target).is_none_or(|t| !own.contains(&t))) {
            let kind = if path.optional { BindKind::Optional } else { BindKind::Writable };
            let text = path.source.to_string_lossy();
            let inner = store.dir().parse_prefix(&text).ok();
            let source = inner.map_or_else(
                || path.source.clone(),
                |(inner, rest)| store.physical(&inner).join(rest.trim_start_matches('/')),
            );
            bind(source, path.target.clone(), kind);
        }
        for path in &self.wishes.impure_host_paths {
            let allowed = |prefix: &String| Path::new(path).starts_with(prefix);
            if !settings.allowed_host_paths.iter().any(allowed) {
                let reason = format!(
                    "it asks for the host's `{path}`, which `allowed-impure-host-deps` does not allow"
                );
                return Err(BuildError::Unfit { drv: store.dir().print(self.job.drv), reason });
            }
            bind(path.into(), path.into(), BindKind::Optional);
        }
        binds.extend(around_it);
        Ok(binds)
    }

    /// Removes the build's folders; the builder's own is kept where that is wanted of a failure.
    pub(super) fn clean_up<T>(&self, mut result: Result<T, BuildError>) -> Result<T, BuildError> {
        let keep = self.around.settings.keep_failed && !self.job.derivation.builder.starts_with(b"builtin:");
        let mut is_kept = false;
        if let Err(BuildError::Builder { kept, .. } | BuildError::NotDeterministic { folder: kept, .. }) =
            &mut result
            && keep
        {
            let place = self.top.join("build");
            let opened = fs::set_mode(&self.top, 0o755).and_then(|()| fs::set_mode(&place, 0o755));
            if opened.is_ok() {
                *kept = Some(place);
                is_kept = true;
            }
        }
        if !is_kept {
            // What cannot be removed is removed when the next build of this process's number begins.
            let _ = fs::remove_tree(&self.top);
        }
        if self.confined {
            let _ = fs::remove_tree(&self.outputs);
        } else if result.is_err() {
            for path in self.scratch.values().filter(|path| !self.valid.values().any(|valid| valid == *path))
            {
                let _ = fs::remove_tree(&self.around.store.physical(path));
            }
        }
        result
    }
}
