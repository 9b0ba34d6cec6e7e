//! Values for people: evaluated while they are shown, broken into lines where they are long.

use super::print::{is_identifier, quote};
use crate::attrs;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use rustc_hash::FxHashSet;

/// Lists and sets that fit into a line of so many characters are not broken.
const WIDTH: usize = 100;

impl Evaluator {
    /// A value as people read it. All of it is evaluated, but of a derivation only its path is shown, and what contains
    /// itself is shown once.
    pub fn show(&mut self, value: Value) -> EvalResult<String> {
        self.show_at(value, 0, &mut FxHashSet::default())
    }

    fn show_at(&mut self, value: Value, depth: usize, seen: &mut FxHashSet<u64>) -> EvalResult<String> {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.show_at(value, depth, seen));
        }
        let value = self.force(value)?;
        match value.tag() {
            tag::LIST => self.show_list(value, depth, seen),
            tag::ATTRS => self.show_set(value, depth, seen),
            tag::LAMBDA | tag::PARTIAL => Ok(self.show_function(value)),
            tag::NATIVE => Ok("«builtin»".to_owned()),
            _ => Ok(self.print(value)),
        }
    }

    fn show_list(&mut self, list: Value, depth: usize, seen: &mut FxHashSet<u64>) -> EvalResult<String> {
        if list.detail() > 0 && !seen.insert(list.bits()) {
            return Ok("«repeated»".to_owned());
        }
        let mut items = Vec::new();
        for index in 0..list.detail() {
            items.push(self.show_at(Value::reference(list.handle() + index), depth + 1, seen)?);
        }
        seen.remove(&list.bits());
        Ok(bracket("[", &items, "]", depth))
    }

    fn show_set(&mut self, set: Value, depth: usize, seen: &mut FxHashSet<u64>) -> EvalResult<String> {
        if self.is_derivation_set(set.handle())? {
            let path = attrs::find(&self.heap, set.handle(), symbols::DRV_PATH);
            let path = path.map(|(slot, _)| self.force_slot(slot)).transpose()?;
            let path =
                path.filter(|path| path.is_string()).map(|path| self.heap.bytes(path.handle()).to_vec());
            let path = path.map(super::from_bytes).unwrap_or_default();
            return Ok(format!("«derivation {path}»"));
        }
        let mut entries = attrs::entries(&mut self.heap, set.handle());
        if !entries.is_empty() && !seen.insert(set.bits()) {
            return Ok("«repeated»".to_owned());
        }
        self.sort_by_name(&mut entries);
        let mut items = Vec::new();
        for (name, position, slot) in entries {
            let shown = self.show_at(Value::reference(slot), depth + 1, seen);
            let shown = shown.map_err(|error| {
                let text = format!("while evaluating the attribute `{}`", self.name(name));
                error.frame(self.name_span(name, position), text)
            })?;
            let mut item = Vec::new();
            let name = self.name(name);
            if is_identifier(name) {
                item.extend_from_slice(name.as_bytes());
            } else {
                quote(&mut item, name.as_bytes());
            }
            items.push(format!("{} = {shown};", super::from_bytes(item)));
        }
        seen.remove(&set.bits());
        Ok(bracket("{", &items, "}", depth))
    }

    fn show_function(&self, function: Value) -> String {
        match self.function_span(function) {
            Some(span) => {
                let at = self.sources.position(span.source, span.start);
                format!("«function at {}:{}:{}»", self.sources.name(span.source), at.line, at.column)
            }
            None => "«function»".to_owned(),
        }
    }
}

/// Items between brackets, on one line where they fit.
fn bracket(open: &str, items: &[String], close: &str, depth: usize) -> String {
    if items.is_empty() {
        return format!("{open} {close}");
    }
    let width: usize = items.iter().map(|item| item.chars().count() + 1).sum();
    if depth * 2 + width + 4 <= WIDTH && items.iter().all(|item| !item.contains('\n')) {
        return format!("{open} {} {close}", items.join(" "));
    }
    let inner = "  ".repeat(depth + 1);
    let lines: Vec<String> = items.iter().map(|item| format!("{inner}{item}\n")).collect();
    format!("{open}\n{}{}{close}", lines.concat(), "  ".repeat(depth))
}
