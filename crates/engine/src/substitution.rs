//! Binary caches as the place where builds bring paths from, by the settings of nix.conf.

use crate::nix_settings::NixSettings;
use nival_build::{BuildError, Event, Offer, Offered, Substituter};
use nival_store::stores::{Opener, Substituters, Trust};
use nival_store::{Error, LocalStore, RemoteError};
use nival_store_model::StorePath;
use nival_transport::Cancel;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, mpsc};

/// Hears of a cache that cannot be used; it is left out then.
pub type Warning = dyn Fn(&Error) + Send + Sync;

/// The caches that the settings name, opened when something is first looked for.
pub struct Caches {
    store: Arc<LocalStore>,
    opener: Opener,
    addresses: Vec<String>,
    trust: Trust,
    jobs: usize,
    warning: Box<Warning>,
    opened: OnceLock<Substituters>,
}

impl Caches {
    /// The caches of the settings for a store.
    ///
    /// # Errors
    /// [`RemoteError::Key`] where a trusted key is none.
    pub fn new(
        store: Arc<LocalStore>,
        opener: Opener,
        settings: &NixSettings,
        warning: Box<Warning>,
    ) -> Result<Self, Error> {
        Ok(Self {
            store,
            opener,
            addresses: settings.substituters(),
            trust: settings.trust()?,
            jobs: usize::try_from(settings.number("max-substitution-jobs", 16)).unwrap_or(16),
            warning,
            opened: OnceLock::new(),
        })
    }

    /// Whether no cache is named.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// The caches that could be opened.
    pub fn substituters(&self) -> &Substituters {
        self.opened.get_or_init(|| {
            let mut stores = Vec::new();
            for address in &self.addresses {
                match self.opener.open(address, false) {
                    Ok(opened) => stores.push(opened),
                    Err(error) => (self.warning)(&error),
                }
            }
            Substituters::new(stores, self.trust.clone(), self.jobs)
        })
    }
}

impl Substituter for Caches {
    fn offered(&self, paths: &[StorePath]) -> Result<Offered, BuildError> {
        let substituters = self.substituters();
        if substituters.is_empty() {
            return Ok(Offered::default());
        }
        let plan = substituters.plan(&self.store, paths)?;
        let lacking = plan.lacking();
        let offer = |found: nival_store::stores::Substitutable| Offer {
            path: found.info.path,
            download: found.download_size,
            unpacked: found.info.nar_size,
        };
        Ok(Offered {
            whole: paths.iter().filter(|path| !lacking.contains(*path)).cloned().collect(),
            unknown: plan.missing.into_keys().filter(|path| !paths.contains(path)).collect(),
            offers: plan.found.into_values().map(offer).collect(),
        })
    }

    fn bring(
        &self,
        paths: &[StorePath],
        tell: &dyn Fn(Event<'_>),
        _cancel: &Cancel,
    ) -> Result<(), BuildError> {
        // Who hears of it does so in this thread.
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let work = scope.spawn(move || {
                let begin = |found: &nival_store::stores::Substitutable| {
                    let _ = sender.send((found.info.path.clone(), Some(found.url.clone())));
                };
                let done = |path: &StorePath| {
                    let _ = sender.send((path.clone(), None));
                };
                self.substituters().bring_telling(&self.store, paths, &begin, &done)
            });
            for (path, from) in receiver {
                tell(match &from {
                    Some(from) => Event::Fetching { path: &path, from },
                    None => Event::Fetched { path: &path },
                });
            }
            work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
        .map(drop)
        .map_err(|error| {
            // The builds go on without it, so nobody else tells.
            if matches!(&error, Error::Remote(error) if matches!(**error, RemoteError::Gone { .. })) {
                (self.warning)(&error);
            }
            error.into()
        })
    }
}

impl NixSettings {
    /// The addresses of caches; none where `substitute` is off.
    pub fn substituters(&self) -> Vec<String> {
        if !self.flag("substitute", true) {
            return Vec::new();
        }
        let mut addresses = self.list("substituters");
        let mut seen = BTreeSet::new();
        addresses.retain(|address| seen.insert(address.clone()));
        addresses
    }

    /// Whose signatures count.
    ///
    /// # Errors
    /// [`RemoteError::Key`] where a trusted key is none.
    pub fn trust(&self) -> Result<Trust, Error> {
        let key = |text: String| {
            let wrong = |error: nival_store_model::KeyError| RemoteError::Key {
                place: format!("trusted-public-keys, `{text}`"),
                reason: error.to_string(),
            };
            text.parse().map_err(wrong)
        };
        let keys = self.list("trusted-public-keys").into_iter().map(key).collect::<Result<_, _>>()?;
        Ok(Trust { keys, required: self.flag("require-sigs", true) })
    }
}
