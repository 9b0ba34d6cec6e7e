//! This program's own evaluator, as a user's command has it.

use crate::peer::Outcome;
use nival_engine::{Expression, Format, Session, SessionOptions};
use nival_store::LocalStore;
use std::path::Path;
use std::sync::Arc;

/// An evaluator over a store of its own.
pub struct Ours {
    store: Arc<LocalStore>,
    session: Session,
    uses: u32,
    /// The message of the last error.
    pub message: String,
}

/// After so many expressions a new evaluator is taken.
const USES: u32 = 2_000;

impl Ours {
    /// Opens the store below a folder.
    pub fn start(folder: &Path) -> Result<Self, nival_store::Error> {
        let store = Arc::new(LocalStore::open(&folder.join("own-store"))?);
        let session = Session::new(store.clone(), options());
        Ok(Self { store, session, uses: 0, message: String::new() })
    }

    /// Evaluates a text that gives a string.
    pub fn ask(&mut self, text: &str) -> Outcome {
        self.uses += 1;
        if self.uses > USES {
            self.uses = 0;
            self.session = Session::new(self.store.clone(), options());
        }
        let expression = Expression::Text(text.to_owned(), "/".to_owned());
        let value = self.session.evaluate(&expression);
        let shown = value.and_then(|value| self.session.print(value, Format::Expression { strict: true }));
        let _ = self.session.take_messages();
        match shown {
            Ok(text) if text == "\"@@caught\"" => Outcome::Caught,
            Ok(text) => Outcome::Value(text),
            Err(error) => {
                self.message = error.to_string();
                Outcome::Error
            }
        }
    }
}

fn options() -> SessionOptions {
    SessionOptions {
        system: format!("{}-linux", std::env::consts::ARCH),
        now: Some(1_700_000_000),
        ..SessionOptions::default()
    }
}
