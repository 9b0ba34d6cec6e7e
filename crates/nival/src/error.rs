//! What ends a command early.

use nival_diagnostics::{Diagnostic, Sources};

/// What ends a command early.
pub enum Error {
    /// A diagnostic with the sources that it marks.
    Diagnostic(Box<Shown>),
    /// Everything was said already; only the exit code is left.
    Said(u8),
}

/// A diagnostic that is ready to be shown.
pub struct Shown {
    diagnostic: Diagnostic,
    sources: Sources,
    frames: usize,
}

impl Error {
    /// A diagnostic that marks nothing.
    pub fn plain(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(Box::new(Shown { diagnostic, sources: Sources::default(), frames: 3 }))
    }

    /// A diagnostic that marks places in a session's sources.
    pub fn marked(diagnostic: Diagnostic, sources: &Sources, show_trace: bool) -> Self {
        let mut own = Sources::default();
        for id in sources.ids() {
            own.add(sources.name(id), sources.text(id).to_vec());
        }
        let frames = if show_trace { usize::MAX } else { 3 };
        Self::Diagnostic(Box::new(Shown { diagnostic, sources: own, frames }))
    }

    /// What is to be shown, if anything.
    pub fn shown(&self) -> Option<(Diagnostic, &Sources, usize)> {
        match self {
            Self::Diagnostic(shown) => Some((shown.diagnostic.clone(), &shown.sources, shown.frames)),
            Self::Said(_) => None,
        }
    }

    /// The diagnostic alone.
    pub fn into_diagnostic(self) -> Diagnostic {
        match self {
            Self::Diagnostic(shown) => shown.diagnostic,
            Self::Said(code) => {
                Diagnostic::error(&crate::diagnostics::refused::ENTRY, format!("ended with the code {code}"))
            }
        }
    }

    /// 1 for errors; what a command in a machine returned for `shell`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Diagnostic(_) => 1,
            Self::Said(code) => *code,
        }
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
