//! Numbers.

use crate::Coercion;
use crate::code::NodeId;
use crate::context::Gathered;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::Handle;
use crate::value::{Value, tag};

/// A number.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn as_float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

impl Evaluator {
    /// The number that a forced value is.
    #[inline]
    pub(crate) fn number(&self, value: Value) -> Option<Number> {
        match value.tag() {
            tag::INT => Some(Number::Int(value.as_small_int())),
            tag::WIDE_INT => Some(Number::Int(self.heap.word(value.handle()) as i64)),
            tag::FLOAT => Some(Number::Float(f64::from_bits(self.heap.word(value.handle())))),
            _ => None,
        }
    }

    fn number_operand(&mut self, node: NodeId, frame: Handle) -> EvalResult<Number> {
        let value = self.eval(node, frame)?;
        self.as_number(value, node)
    }

    fn as_number(&mut self, value: Value, node: NodeId) -> EvalResult<Number> {
        match self.number(value) {
            Some(number) => Ok(number),
            None => {
                let error = self.wrong_type("a number", value);
                Err(self.located(error, node))
            }
        }
    }

    /// Both operands; both are evaluated before one is found to be no number, as in C++ Nix.
    fn number_operands(
        &mut self,
        left: NodeId,
        right: NodeId,
        frame: Handle,
    ) -> EvalResult<(Number, Number)> {
        let (l, r) = (self.eval(left, frame)?, self.eval(right, frame)?);
        Ok((self.as_number(l, left)?, self.as_number(r, right)?))
    }

    #[cold]
    fn overflow(&self, operation: &str, a: i64, b: i64) -> EvalError {
        EvalError::of(
            &diagnostics::integer_overflow::ENTRY,
            format!("integer overflow: `{a} {operation} {b}` does not fit into 64 bits"),
        )
    }

    fn arithmetic(
        &mut self,
        symbol: &str,
        (a, b): (Number, Number),
        ints: fn(i64, i64) -> Option<i64>,
        floats: fn(f64, f64) -> f64,
    ) -> EvalResult {
        match (a, b) {
            (Number::Int(a), Number::Int(b)) => match ints(a, b) {
                Some(result) => Ok(self.int(result)),
                None => Err(self.overflow(symbol, a, b)),
            },
            (a, b) => Ok(self.float(floats(a.as_float(), b.as_float()))),
        }
    }

    pub(super) fn negate(&mut self, id: NodeId, inner: NodeId, frame: Handle) -> EvalResult {
        let number = self.number_operand(inner, frame)?;
        self.subtract(Number::Int(0), number).map_err(|error| self.located(error, id))
    }

    pub(super) fn add_nodes(&mut self, id: NodeId, left: NodeId, right: NodeId, frame: Handle) -> EvalResult {
        let l = self.eval(left, frame)?;
        if !matches!(l.tag(), tag::INT | tag::STRING) && self.number(l).is_none() && l.tag() != tag::PATH {
            return self.add_to_coerced(l, right, frame).map_err(|error| self.located(error, id));
        }
        let r = self.eval(right, frame)?;
        if l.tag() == tag::INT && r.tag() == tag::INT {
            // 59 bits each: no overflow of 64.
            return Ok(self.int(l.as_small_int() + r.as_small_int()));
        }
        self.add_values(l, r).map_err(|error| self.located(error, id))
    }

    /// `+` on what is neither number, string nor path but stands for one. What cannot be added is found
    /// before the other operand is looked at; a path on the right is not copied.
    fn add_to_coerced(&mut self, l: Value, right: NodeId, frame: Handle) -> EvalResult {
        let how = Coercion { more: false, copy_to_store: false };
        let (mut text, mut context) = (Vec::new(), Gathered::default());
        self.append(&mut text, &mut context, l, how)?;
        let r = self.eval(right, frame)?;
        self.append(&mut text, &mut context, r, how)?;
        let context = self.contexts.gather(&context);
        Ok(self.make_string(&text, context))
    }

    /// `+` as the operator does it.
    pub(crate) fn add_values(&mut self, l: Value, r: Value) -> EvalResult {
        match (self.number(l), self.number(r)) {
            (Some(a), Some(b)) => self.add_numbers(a, b),
            (Some(_), None) => Err(self.wrong_type("a number (to add to a number)", r)),
            _ => self.add_texts(l, r),
        }
    }

    pub(crate) fn add_numbers(&mut self, a: Number, b: Number) -> EvalResult {
        self.arithmetic("+", (a, b), i64::checked_add, |a, b| a + b)
    }

    pub(crate) fn subtract(&mut self, a: Number, b: Number) -> EvalResult {
        self.arithmetic("-", (a, b), i64::checked_sub, |a, b| a - b)
    }

    pub(crate) fn multiply(&mut self, a: Number, b: Number) -> EvalResult {
        self.arithmetic("*", (a, b), i64::checked_mul, |a, b| a * b)
    }

    pub(crate) fn divide(&mut self, a: Number, b: Number) -> EvalResult {
        if b.as_float() == 0.0 {
            return Err(EvalError::of(&diagnostics::division_by_zero::ENTRY, "division by zero"));
        }
        self.arithmetic("/", (a, b), i64::checked_div, |a, b| a / b)
    }

    pub(super) fn subtract_nodes(
        &mut self,
        id: NodeId,
        left: NodeId,
        right: NodeId,
        frame: Handle,
    ) -> EvalResult {
        let (l, r) = (self.eval(left, frame)?, self.eval(right, frame)?);
        if l.tag() == tag::INT && r.tag() == tag::INT {
            // 59 bits each: no overflow of 64.
            return Ok(self.int(l.as_small_int() - r.as_small_int()));
        }
        let operands = (self.as_number(l, left)?, self.as_number(r, right)?);
        self.subtract(operands.0, operands.1).map_err(|error| self.located(error, id))
    }

    pub(super) fn multiply_nodes(
        &mut self,
        id: NodeId,
        left: NodeId,
        right: NodeId,
        frame: Handle,
    ) -> EvalResult {
        let operands = self.number_operands(left, right, frame)?;
        self.multiply(operands.0, operands.1).map_err(|error| self.located(error, id))
    }

    pub(super) fn divide_nodes(
        &mut self,
        id: NodeId,
        left: NodeId,
        right: NodeId,
        frame: Handle,
    ) -> EvalResult {
        let operands = self.number_operands(left, right, frame)?;
        self.divide(operands.0, operands.1).map_err(|error| self.located(error, id))
    }
}
