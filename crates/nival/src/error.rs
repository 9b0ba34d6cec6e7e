//! What ends a command early.

use nival_diagnostics::{Diagnostic, Sources};
use std::process::ExitCode;

/// What ends a command early: a diagnostic with the sources that it marks.
pub struct Error(Box<Shown>);

/// A diagnostic that is ready to be shown.
pub struct Shown {
    /// What is wrong.
    pub diagnostic: Diagnostic,
    /// The texts that it marks.
    pub sources: Sources,
    /// How many frames of its trace are shown.
    pub frames: usize,
}

impl Error {
    /// A diagnostic that marks nothing.
    pub fn plain(diagnostic: Diagnostic) -> Self {
        Self(Box::new(Shown { diagnostic, sources: Sources::default(), frames: 3 }))
    }

    /// A diagnostic that marks places in a session's sources.
    pub fn marked(diagnostic: Diagnostic, sources: &Sources, show_trace: bool) -> Self {
        let mut own = Sources::default();
        for id in sources.ids() {
            own.add(sources.name(id), sources.text(id).to_vec());
        }
        let frames = if show_trace { usize::MAX } else { 3 };
        Self(Box::new(Shown { diagnostic, sources: own, frames }))
    }

    /// What is to be shown.
    pub fn shown(&self) -> &Shown {
        &self.0
    }

    /// The exit code of a command that ends with this: 130 where the user ended it, as shells have it.
    pub fn exit_code(&self) -> ExitCode {
        let interrupted = &nival_eval::diagnostics::interrupted::ENTRY;
        if self.0.diagnostic.entry.code == interrupted.code { ExitCode::from(130) } else { ExitCode::FAILURE }
    }

    /// The diagnostic alone.
    pub fn into_diagnostic(self) -> Diagnostic {
        self.0.diagnostic
    }
}

macro_rules! from_coded {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::plain(error.diagnostic())
            }
        })*
    };
}

from_coded!(
    nival_store::Error,
    nival_inputs::Error,
    nival_build::Error,
    nival_build::BuildError,
    nival_transport::Error,
    nival_os::Error,
    nival_engine::Error
);

/// The diagnostic for a file of the user's that cannot be written.
pub fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        &crate::diagnostics::unwritable::ENTRY,
        format!("cannot write `{}`: {error}", path.display()),
    )
    .help("check the folder's permissions and the space on its disk")
}
