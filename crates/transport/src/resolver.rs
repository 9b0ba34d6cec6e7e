//! Names of hosts, each looked up once for a while.
//!
//! The client underneath looks a name up for each request. Hundreds of files from one
//! mirror are hundreds of look-ups then, at the same time, and each packet that is
//! lost costs seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(60);

type Answer = Option<(Instant, ResolvedSocketAddrs)>;

/// Remembers what names lead to; those who ask for the same name wait for one answer.
#[derive(Debug, Default)]
pub(crate) struct RememberingResolver {
    under: DefaultResolver,
    known: Mutex<HashMap<String, Arc<Mutex<Answer>>>>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Resolver for RememberingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let name = format!("{:?} {:?}", uri.scheme(), uri.authority());
        let slot = Arc::clone(hold(&self.known).entry(name).or_default());
        let mut answer = hold(&slot);
        if let Some((since, addresses)) = answer.as_ref()
            && since.elapsed() < KEPT
        {
            return Ok(addresses.clone());
        }
        let addresses = self.under.resolve(uri, config, timeout)?;
        *answer = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}
