//! Secrets: values that stand for something that is not known here, and that nothing can be learnt of.

use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::{Evaluator, Native, NativeCode};
use crate::value::{Value, tag};

impl Evaluator {
    /// Makes a value that stands for a secret of a name: it can be handed on, and given back to [`Evaluator::secret_name`].
    /// Whatever needs its text, and comparing it, is the error `NV0242`; the language sees a function.
    pub fn secret(&mut self, name: &str) -> Value {
        self.natives.push(Native {
            name: name.into(),
            arity: 1,
            strict: 0,
            captures: 0,
            quiet: false,
            code: NativeCode::Secret,
        });
        Value::new(tag::NATIVE, self.natives.len() as u32 - 1, 0)
    }

    /// The name of a forced value that is a secret.
    pub fn secret_name(&self, value: Value) -> Option<&str> {
        if value.tag() != tag::NATIVE {
            return None;
        }
        let native = &self.natives[value.detail() as usize];
        matches!(native.code, NativeCode::Secret).then_some(&*native.name)
    }

    /// Functions and values of different types are not equal; a secret is not compared at all.
    #[cold]
    pub(crate) fn never_a_secret(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        let name = self.secret_name(left).or_else(|| self.secret_name(right));
        match name {
            Some(name) => Err(misused(format!("the secret `{name}` is compared"))),
            None => Ok(false),
        }
    }
}

pub(crate) fn misused(message: String) -> EvalError {
    EvalError::of(&diagnostics::secret_misused::ENTRY, message).help(
        "name its file with `lib.secrets.file SECRET`, or put it into `secrets.templates.NAME.content`, which is filled on \
         the machine",
    )
}
