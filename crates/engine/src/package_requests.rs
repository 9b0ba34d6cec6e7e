//! What a project's file asks of Debian beside machines: its attribute `debian`, as `library/packages` makes it.

use crate::diagnostics;
use crate::error::Error;
use crate::machine::RootRequest;
use crate::session::Session;
use nival_diagnostics::Diagnostic;
use nival_eval::{Coercion, Kind, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a project's file asks of Debian, and where that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRequests {
    /// The file of the lock.
    pub lock: PathBuf,
    /// The roots.
    pub roots: Vec<RootRequest>,
}

impl Session {
    /// What a file asks of Debian in its attribute `debian`; `None` where it has none. Needs no lock.
    ///
    /// # Errors
    /// What evaluating the file raises.
    pub fn package_requests(&mut self, file: &str) -> Result<Option<PackageRequests>, Error> {
        let value = self.evaluator.import(file)?;
        self.requests_in(value)
    }

    fn requests_in(&mut self, value: Value) -> Result<Option<PackageRequests>, Error> {
        let Some(debian) = self.set_in(value, "debian")? else { return Ok(None) };
        if let Some(requests) = self.requests_of(debian)? {
            return Ok(Some(requests));
        }
        let mut all: Option<PackageRequests> = None;
        for attribute in self.evaluator.attributes(debian)? {
            if self.evaluator.kind(attribute.value)? != Kind::Attrs {
                continue;
            }
            let Some(found) = self.requests_of(attribute.value)? else { continue };
            let all = all.get_or_insert_with(|| PackageRequests { roots: Vec::new(), ..found.clone() });
            if all.lock != found.lock {
                let message = format!(
                    "the sets of packages in `debian` have two locks: `{}` and `{}`",
                    all.lock.display(),
                    found.lock.display()
                );
                let diagnostic = Diagnostic::error(&diagnostics::needs_lock::ENTRY, message);
                return Err(Error::Other(Box::new(diagnostic.help("name the same file in both"))));
            }
            all.roots.extend(found.roots);
        }
        Ok(all)
    }

    /// An attribute that is a set; `None` where there is none.
    fn set_in(&mut self, value: Value, name: &str) -> Result<Option<Value>, Error> {
        let ev = &mut self.evaluator;
        if ev.kind(value)? != Kind::Attrs {
            return Ok(None);
        }
        let Some(found) = ev.select_opt(value, name)? else { return Ok(None) };
        Ok((ev.kind(found)? == Kind::Attrs).then_some(found))
    }

    /// What one set of packages asks for; `None` where it is something else.
    fn requests_of(&mut self, debian: Value) -> Result<Option<PackageRequests>, Error> {
        let ev = &mut self.evaluator;
        let Some(kind) = ev.select_opt(debian, "_type")? else { return Ok(None) };
        if ev.kind(kind)? != Kind::String || ev.expect_string(kind)? != "debian-packages" {
            return Ok(None);
        }
        let lock = ev.select(debian, "lock")?;
        let (lock, _) = ev.coerce_to_string(lock, Coercion { more: false, copy_to_store: false })?;
        let requests = ev.select(debian, "requests")?;
        let text = ev.to_json(requests, false)?.0;
        let requests: BTreeMap<String, Json> = serde_json::from_str(&text).unwrap_or_default();
        let roots = requests.into_iter().map(|(name, json)| RootRequest::read(name, &json)).collect();
        Ok(Some(PackageRequests { lock: lock.into(), roots }))
    }
}
