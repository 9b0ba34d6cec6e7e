//! Values for people who ask one question after the other: so many levels of a value, an item a line.

use super::print::{is_identifier, quote};
use crate::attrs;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use rustc_hash::FxHashSet;

/// How much is printed, and whether in colours.
#[derive(Clone, Copy, Debug)]
pub struct Pretty {
    /// How many levels of sets and lists are printed.
    pub levels: usize,
    /// Whether kinds of values have colours of their own.
    pub color: bool,
}

/// What has a colour.
#[derive(Clone, Copy)]
enum Shade {
    Number = 36,
    Text = 35,
    Place = 32,
    Function = 34,
    Wrong = 31,
}

struct Printer {
    how: Pretty,
    out: String,
    seen: FxHashSet<u64>,
}

impl Printer {
    fn shaded(&mut self, shade: Shade, text: &str) {
        if self.how.color {
            self.out.push_str(&format!("\x1b[{};1m{text}\x1b[0m", shade as u8));
        } else {
            self.out.push_str(text);
        }
    }

    /// A line break where items have lines of their own, otherwise a space.
    fn space(&mut self, lines: bool, depth: usize) {
        if lines {
            self.out.push('\n');
            self.out.push_str(&"  ".repeat(depth));
        } else {
            self.out.push(' ');
        }
    }
}

impl Evaluator {
    /// A value as `nix repl` prints it. What is printed is evaluated; what fails below the top is printed as what it
    /// says, and the collector has to be told of the value by [`Evaluator::keep`].
    ///
    /// # Errors
    /// Where the value itself fails.
    pub fn show_pretty(&mut self, value: Value, how: Pretty) -> EvalResult<String> {
        let mut printer = Printer { how, out: String::new(), seen: FxHashSet::default() };
        self.pretty(&mut printer, value, 0)?;
        Ok(printer.out)
    }

    fn pretty(&mut self, printer: &mut Printer, value: Value, depth: usize) -> EvalResult<()> {
        self.deeper_by(|evaluator| evaluator.pretty_here(printer, value, depth))
    }

    fn pretty_here(&mut self, printer: &mut Printer, value: Value, depth: usize) -> EvalResult<()> {
        let value = match self.force(value) {
            Ok(value) => value,
            Err(error) if depth == 0 || self.is_fatal(&error) => return Err(error),
            Err(error) => {
                printer.shaded(Shade::Wrong, &format!("«error: {}»", error.diagnostic().message));
                return Ok(());
            }
        };
        match value.tag() {
            tag::LIST => self.pretty_list(printer, value, depth)?,
            tag::ATTRS => self.pretty_set(printer, value, depth)?,
            tag::LAMBDA | tag::PARTIAL | tag::NATIVE => {
                let text = self.function_label(value);
                printer.shaded(Shade::Function, &text);
            }
            tag::STRING => {
                let text = self.print(value);
                printer.shaded(Shade::Text, &text);
            }
            tag::PATH => {
                let text = self.print(value);
                printer.shaded(Shade::Place, &text);
            }
            _ => {
                let text = self.print(value);
                printer.shaded(Shade::Number, &text);
            }
        }
        Ok(())
    }

    /// What ends the whole output: the user, and limits.
    fn is_fatal(&self, error: &crate::EvalError) -> bool {
        use crate::diagnostics::{call_depth_exceeded, interrupted, memory_exhausted};
        let entry = error.diagnostic().entry;
        [&interrupted::ENTRY, &call_depth_exceeded::ENTRY, &memory_exhausted::ENTRY]
            .iter()
            .any(|fatal| std::ptr::eq(*fatal, entry))
    }

    /// Whether items have lines of their own: several, or one that is a list or set.
    fn has_lines(&mut self, items: &[Value]) -> bool {
        match items {
            [] => false,
            [only] => self.force(*only).is_ok_and(|value| matches!(value.tag(), tag::LIST | tag::ATTRS)),
            _ => true,
        }
    }

    fn pretty_list(&mut self, printer: &mut Printer, list: Value, depth: usize) -> EvalResult<()> {
        if list.detail() > 0 && !printer.seen.insert(list.bits()) {
            printer.shaded(Shade::Text, "«repeated»");
            return Ok(());
        }
        if depth >= printer.how.levels {
            printer.out.push_str("[ ... ]");
            return Ok(());
        }
        let items: Vec<Value> =
            (0..list.detail()).map(|index| Value::reference(list.handle() + index)).collect();
        let lines = self.has_lines(&items);
        printer.out.push('[');
        for item in items {
            printer.space(lines, depth + 1);
            self.pretty(printer, item, depth + 1)?;
        }
        printer.space(lines, depth);
        printer.out.push(']');
        Ok(())
    }

    fn pretty_set(&mut self, printer: &mut Printer, set: Value, depth: usize) -> EvalResult<()> {
        let mut entries = attrs::entries(&mut self.heap, set.handle());
        if !entries.is_empty() && !printer.seen.insert(set.bits()) {
            printer.shaded(Shade::Text, "«repeated»");
            return Ok(());
        }
        if self.is_derivation_set(set.handle()).unwrap_or(false) {
            return self.pretty_derivation(printer, set, depth);
        }
        if depth >= printer.how.levels {
            printer.out.push_str("{ ... }");
            return Ok(());
        }
        self.sort_by_name(&mut entries);
        let values: Vec<Value> = entries.iter().map(|(_, _, slot)| Value::reference(*slot)).collect();
        let lines = self.has_lines(&values);
        printer.out.push('{');
        for ((name, ..), value) in entries.into_iter().zip(values) {
            printer.space(lines, depth + 1);
            let name = self.name(name);
            let mut shown = Vec::new();
            match is_identifier(name) {
                true => shown.extend_from_slice(name.as_bytes()),
                false => quote(&mut shown, name.as_bytes()),
            }
            printer.out.push_str(&super::from_bytes(shown));
            printer.out.push_str(" = ");
            self.pretty(printer, value, depth + 1)?;
            printer.out.push(';');
        }
        printer.space(lines, depth);
        printer.out.push('}');
        Ok(())
    }

    fn pretty_derivation(&mut self, printer: &mut Printer, set: Value, depth: usize) -> EvalResult<()> {
        let path = attrs::find(&self.heap, set.handle(), symbols::DRV_PATH);
        let how = crate::Coercion { more: false, copy_to_store: false };
        let path = path.map(|(slot, _)| self.coerce_to_string(Value::reference(slot), how)).transpose();
        match path {
            Ok(Some((path, _))) => printer.shaded(Shade::Place, &format!("«derivation {path}»")),
            Ok(None) => printer.shaded(Shade::Place, "«derivation»"),
            Err(error) if depth == 0 || self.is_fatal(&error) => return Err(error),
            Err(error) => {
                printer.shaded(Shade::Wrong, &format!("«error: {}»", error.diagnostic().message));
            }
        }
        Ok(())
    }

    /// What a forced function is called: its name and place, or that of the builtin.
    fn function_label(&self, function: Value) -> String {
        if let Some((name, is_partial)) = self.builtin_name(function) {
            return format!("«{}primop {name}»", if is_partial { "partially applied " } else { "" });
        }
        let name = self.name_of_function(function).map(|name| format!(" {name}")).unwrap_or_default();
        match self.function_span(function) {
            Some(span) => {
                let at = self.sources.position(span.source, span.start);
                format!("«lambda{name} @ {}:{}:{}»", self.sources.name(span.source), at.line, at.column)
            }
            None => format!("«lambda{name}»"),
        }
    }

    /// The name of a forced function of the language, where it is defined under one.
    pub fn name_of_function(&self, function: Value) -> Option<&str> {
        self.level(function)?.name.map(|name| self.name(name))
    }

    /// The name of a forced builtin function, and whether it has some of its arguments already.
    pub fn builtin_name(&self, function: Value) -> Option<(&str, bool)> {
        if function.tag() != tag::NATIVE {
            return None;
        }
        let native = self.natives.get(function.detail() as usize)?;
        Some((&native.name, function.handle() != 0))
    }

    /// The names that are at hand everywhere, such as `builtins` and `import`.
    pub fn global_names(&self) -> impl Iterator<Item = &str> {
        self.globals.keys().map(|name| self.name(*name))
    }

    /// Forgets the files that were read: they are read again where they are wanted.
    pub fn forget_files(&mut self) {
        self.imports.clear();
    }
}
