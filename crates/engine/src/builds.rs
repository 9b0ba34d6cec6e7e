//! Building what evaluation found, or needs itself.

use crate::diagnostics;
use crate::error::Error;
use crate::nix_settings::NixSettings;
use crate::session::Session;
use nival_build::{
    BuildSettings, Confinement, HostPath, Observer, Outcome, Request, Run, Silent, Substituter, Surroundings,
    Wanted,
};
use nival_diagnostics::Diagnostic;
use nival_eval::{Coercion, ContextElement, Kind, Value};
use nival_store::{LocalStore, PathInfo};
use nival_store_model::StorePath;
use nival_sys::cgroup::limits::Limits;
use nival_transport::Cancel;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How a session builds.
#[derive(Clone)]
pub struct Builds {
    /// How builds are done on this machine.
    pub settings: BuildSettings,
    /// Hears of what happens.
    pub observer: Arc<dyn Observer + Send + Sync>,
    /// Where paths are brought from, where there is something.
    pub substituter: Option<Arc<dyn Substituter + Send + Sync>>,
    /// Whether what cannot be brought is built.
    pub fallback: bool,
    /// Signs what was built.
    pub sign: Arc<dyn Fn(&mut PathInfo) + Send + Sync>,
}

impl Default for Builds {
    fn default() -> Self {
        Self {
            settings: BuildSettings::default(),
            observer: Arc::new(Silent),
            substituter: None,
            fallback: false,
            sign: Arc::new(|_| {}),
        }
    }
}

impl Builds {
    /// Brings what is requested into the store.
    ///
    /// # Errors
    /// As [`nival_build::build`].
    pub fn build(
        &self,
        store: &LocalStore,
        cancel: &Cancel,
        requests: &[Request],
        run: Run<'_>,
    ) -> Result<Outcome, nival_build::BuildError> {
        let around = Surroundings {
            store,
            settings: &self.settings,
            observer: &*self.observer,
            cancel,
            sign: &*self.sign,
        };
        let substituter = self.substituter.as_deref().map(|from| from as &dyn Substituter);
        nival_build::build(&around, requests, Run { substituter, fallback: self.fallback, ..run })
    }
}

impl Session {
    /// How this session builds.
    pub fn builds(&self) -> &Builds {
        self.world.builds()
    }
}

impl Session {
    /// What has to be built so that what a string refers to is there.
    ///
    /// # Errors
    /// A path that is none of the store's.
    pub fn request_of(&self, element: &ContextElement) -> Result<Request, Error> {
        Ok(match element {
            ContextElement::Plain(path) | ContextElement::DrvDeep(path) => {
                Request::Path(self.store_path(path)?)
            }
            ContextElement::Output { drv, output } => {
                Request::Outputs(self.store_path(drv)?, Wanted::Names([output.clone()].into()))
            }
        })
    }

    /// The store path that a text names.
    ///
    /// # Errors
    /// A text that names none.
    pub fn store_path(&self, text: &str) -> Result<StorePath, Error> {
        self.world.store().dir().parse(text).map_err(|error| Error::Store(error.into()))
    }

    /// A path as programs inside see it.
    pub fn printed(&self, path: &StorePath) -> String {
        self.world.store().dir().print(path)
    }

    /// Where a value is a string that refers to one thing of the store: what it asks for.
    ///
    /// # Errors
    /// A string that refers to nothing, to several things, or to all that a derivation needs.
    pub fn context_request(&mut self, value: Value) -> Result<Option<Request>, Error> {
        if self.evaluator.kind(value)? != Kind::String {
            return Ok(None);
        }
        let coercion = Coercion { more: false, copy_to_store: false };
        let (text, context) = self.evaluator.coerce_to_string(value, coercion)?;
        let elements = self.evaluator.context_elements(context);
        let wrong = |problem: String| {
            let diagnostic = Diagnostic::error(&diagnostics::no_derivation::ENTRY, problem)
                .help("name a derivation, or a string that is made of one output, such as `package.outPath`");
            Err(Error::Other(Box::new(diagnostic)))
        };
        match elements.as_slice() {
            [ContextElement::Output { drv, output }] => {
                let names = BTreeSet::from([output.clone()]);
                Ok(Some(Request::Outputs(self.store_path(drv)?, Wanted::Names(names))))
            }
            [ContextElement::Plain(path)] => Ok(Some(Request::Path(self.store_path(path)?))),
            [ContextElement::DrvDeep(_)] => wrong(format!(
                "the string `{text}` has a context which refers to a complete source and binary closure. This is not supported"
            )),
            all => wrong(format!(
                "the string `{text}` has {} entries in its context. It should only have exactly one entry",
                all.len()
            )),
        }
    }

    /// The path of the store that a link leads to, through any others.
    ///
    /// # Errors
    /// Where it leads nowhere, or out of the store.
    pub fn stored_behind(&self, link: &std::path::Path) -> Result<StorePath, Error> {
        let dir = self.world.store().dir();
        let mut place = link.to_owned();
        for _ in 0..40 {
            if let Some((path, _)) = place.to_str().and_then(|text| dir.parse_prefix(text).ok()) {
                return Ok(path);
            }
            let target = place.read_link().map_err(|error| Error::Io(place.clone(), error))?;
            place = place.parent().unwrap_or(&place).join(target);
        }
        let text = place.to_string_lossy();
        Ok(dir.parse_prefix(&text).map_err(|error| Error::Store(error.into()))?.0)
    }

    /// What a text asks for that names something of the store: a path, a derivation, or outputs of one as
    /// `DRV^out,dev`, `DRV^*` or `DRV!out`. `None` where it names nothing of the store.
    ///
    /// # Errors
    /// A text that names the store, and nothing that can be in it.
    pub fn stored_request(&self, text: &str) -> Result<Option<Request>, Error> {
        let dir = self.world.store().dir();
        if !text.starts_with(&format!("{}/", dir.as_str())) {
            return Ok(None);
        }
        let (path, outputs) =
            text.split_once(['^', '!']).map_or((text, None), |(path, rest)| (path, Some(rest)));
        let (path, _) = dir.parse_prefix(path).map_err(|error| Error::Store(error.into()))?;
        Ok(Some(match outputs {
            Some("*") => Request::Outputs(path, Wanted::All),
            Some(names) => {
                Request::Outputs(path, Wanted::Names(names.split(',').map(str::to_owned).collect()))
            }
            None if path.is_derivation() => Request::Outputs(path, Wanted::All),
            None => Request::Path(path),
        }))
    }
}

impl NixSettings {
    /// Changes how builds are done.
    pub fn apply_to_builds(&self, settings: &mut BuildSettings) {
        let seconds = |name: &str| Some(self.number(name, 0)).filter(|n| *n > 0).map(Duration::from_secs);
        if let Some(jobs) = self.text("max-jobs").filter(|text| *text != "auto") {
            settings.max_jobs = jobs.parse().unwrap_or(settings.max_jobs);
        }
        settings.cores = usize::try_from(self.number("cores", 0)).unwrap_or(0);
        if let Some(system) = self.text("system") {
            system.clone_into(&mut settings.system);
        }
        settings.extra_platforms.extend(self.list("extra-platforms"));
        if self.text("system-features").is_some() {
            settings.features = self.list("system-features").into_iter().collect();
        }
        settings.confinement = match self.text("sandbox") {
            Some("false" | "no" | "0") => Confinement::Off,
            Some("relaxed") => Confinement::Relaxed,
            _ => Confinement::On,
        };
        for name in ["sandbox-paths", "build-sandbox-paths", "build-chroot-dirs"] {
            settings.host_paths.extend(self.list(name).iter().map(|text| HostPath::parse(text)));
        }
        if let Some(folder) = self.text("sandbox-build-dir") {
            folder.clone_into(&mut settings.inner_folder);
        }
        if let Some(size) = self.text("sandbox-dev-shm-size") {
            size.clone_into(&mut settings.shared_memory);
        }
        settings.filter_calls = self.flag("filter-syscalls", true);
        settings.allow_new_privileges = self.flag("allow-new-privileges", false);
        settings.allowed_host_paths = self.list("allowed-impure-host-deps");
        settings.folder = self.text("build-dir").filter(|text| !text.is_empty()).map(Into::into);
        settings.users_group = self.text("build-users-group").map(str::to_owned);
        settings.timeout = seconds("timeout");
        settings.max_silent_time = seconds("max-silent-time");
        settings.max_log_size = Some(self.number("max-build-log-size", 0)).filter(|size| *size > 0);
        settings.limits =
            Limits { memory: self.size("max-build-memory"), processes: self.size("max-build-processes") };
        settings.use_groups = self.flag("use-cgroups", false);
        settings.keep_log = self.flag("keep-build-log", true);
        settings.compress_log = self.flag("compress-build-log", true);
        settings.log_lines = usize::try_from(self.number("log-lines", 25)).unwrap_or(25);
        settings.keep_failed = self.flag("keep-failed", false);
        settings.keep_going = self.flag("keep-going", false);
        settings.hashed_mirrors = self.list("hashed-mirrors");
        settings.post_build_hook =
            self.text("post-build-hook").filter(|text| !text.is_empty()).map(Into::into);
        for pair in self.list("impure-env") {
            if let Some((name, value)) = pair.split_once('=') {
                settings.caller.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
