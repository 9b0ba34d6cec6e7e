//! What a build of a derivation begins with: a derivation that says it.

use crate::diagnostics;
use crate::error::Error;
use nival_diagnostics::Diagnostic;
use nival_store::LocalStore;
use nival_store_model::{Derivation, OutputKind, StorePath};

/// What is run in place of the builder.
const SCRIPT: &[u8] = include_bytes!("environment.sh");

/// What a derivation with another builder must not promise of its outputs.
const CHECKS: [&[u8]; 4] =
    [b"allowedReferences", b"allowedRequisites", b"disallowedReferences", b"disallowedRequisites"];

/// The derivation that says what a build of another one begins with: the same inputs and variables, but the builder,
/// which must be bash, runs a script of ours. Its first output is the text, parts of which are told apart by zero bytes.
///
/// # Errors
/// A derivation that bash does not build, and what the store says.
pub fn environment_derivation(store: &LocalStore, drv: &StorePath) -> Result<StorePath, Error> {
    let mut derivation = store.read_derivation(drv)?;
    let builder = String::from_utf8_lossy(&derivation.builder).into_owned();
    if builder.rsplit('/').next() != Some("bash") {
        let message = format!(
            "`{}` is built by `{builder}`, and only what bash builds has an environment",
            derivation.name
        );
        let diagnostic = Diagnostic::error(&diagnostics::no_environment::ENTRY, message)
            .help("name a derivation that `mkShell` or `stdenv.mkDerivation` made");
        return Err(Error::Other(Box::new(diagnostic)));
    }
    let script = store.add_text("environment.sh", SCRIPT, &[])?;
    derivation.arguments = vec![store.dir().print(&script).into_bytes()];
    derivation.input_sources.insert(script);
    forget_checks(&mut derivation);
    derivation.name.push_str("-env");
    derivation.environment.insert(b"name".to_vec(), derivation.name.clone().into_bytes());
    for (name, output) in &mut derivation.outputs {
        if matches!(output.kind, OutputKind::InputAddressed(_) | OutputKind::Fixed { .. }) {
            output.kind = OutputKind::Deferred;
            derivation.environment.insert(name.clone().into_bytes(), Vec::new());
        }
    }
    derivation.fill_outputs(store.dir(), |input| store.modulo(input)).map_err(Error::Store)?;
    Ok(store.add_derivation(&derivation)?)
}

fn forget_checks(derivation: &mut Derivation) {
    for name in CHECKS {
        derivation.environment.remove(name);
    }
    let Some(json) = derivation.environment.get_mut(&b"__json"[..]) else { return };
    if let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(json)
        && let Some(object) = value.as_object_mut()
    {
        object.remove("outputChecks");
        *json = value.to_string().into_bytes();
    }
}
