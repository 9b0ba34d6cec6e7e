//! Collecting: which values are still needed.
//!
//! Long evaluations only, and only at quiet points: where no builtin on the way there keeps values
//! in a vector of its own (`holding`). What is left are the tables of the evaluator, results that
//! were handed out, and the native stack, which is searched for whatever looks like a handle.

use crate::code::Node;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::heap::{self, Marker};
use crate::value::Value;

/// Bytes below the place where a piece of stack was left, in which its caller's registers lie.
const BELOW: usize = 2048;

impl Evaluator {
    /// Does something that keeps values where the collector does not look for them.
    pub(crate) fn holding<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        self.holding += 1;
        let result = work(self);
        self.holding -= 1;
        result
    }

    /// Keeps a value that is handed out for good.
    pub(crate) fn hand_out(&mut self, result: EvalResult) -> EvalResult {
        if let Ok(value) = &result
            && self.stack_used == 0
            && self.settings.collect_from > 0
        {
            self.handed_out.push(*value);
        }
        result
    }

    /// Collects if it is time and nothing is held elsewhere.
    #[cold]
    #[inline(never)]
    pub(super) fn collect_if_quiet(&mut self) {
        let asked = self.settings.collect_always || self.heap.wants_collection();
        if !heap::CAN_COLLECT || self.settings.collect_from == 0 || self.holding > 0 || !asked {
            return;
        }
        let Some(bottom) = heap::thread_stack_top() else { return };
        heap::with_registers(|registers| self.collect(registers, bottom));
    }

    #[inline(never)]
    fn collect(&mut self, registers: &[u64], bottom: usize) {
        self.forget_what_can_be_found_again();
        self.heap.begin_collection();
        let mut marker = Marker::new(&self.heap);
        for register in registers {
            marker.handle(*register as u32);
            marker.handle((*register >> 32) as u32);
        }
        let here = std::ptr::from_ref(&registers) as usize;
        heap::scan_stack(here, self.stack_top, |handle| marker.handle(handle));
        for (low, top) in &self.stack_pieces {
            let top = if *top == 0 { bottom } else { *top };
            heap::scan_stack(low.saturating_sub(BELOW), top, |handle| marker.handle(handle));
        }
        self.mark_tables(&mut marker);
        marker.finish();
        let marks = marker.marks();
        self.heap.reuse(&marks, self.settings.collect_always);
    }

    fn mark_tables(&self, marker: &mut Marker<'_>) {
        for node in self.code.nodes.rows() {
            if let Node::Const(value) = node {
                marker.value(*value);
            }
        }
        for set in &self.code.sets {
            marker.handle(set.shape);
        }
        let tables = self.globals.values().chain(self.imports.values()).chain(&self.outside.names);
        for value in tables.chain(&self.handed_out).chain(&self.pinned) {
            marker.value(*value);
        }
        marker.value(self.builtins);
    }

    /// Empties the tables that remember handles of objects which may go.
    fn forget_what_can_be_found_again(&mut self) {
        self.code.caches.rows_mut().fill((0, 0));
        self.recent_names.fill((0, 0));
        self.recent_slots.fill((0, 0, 0));
        self.updates.clear();
        self.outside.name_lists.clear();
    }
}

impl Evaluator {
    /// From so many bytes of values on, those that nobody needs are collected; to be called before
    /// anything is evaluated. See [`crate::Settings::collect_from`] for what must hold then.
    pub fn collect_from(&mut self, bytes: usize) {
        self.settings.collect_from = bytes;
        self.heap.collect_from(bytes);
    }

    /// Keeps a value until the evaluator ends; needed for values that are not kept by the result
    /// of an evaluation, where collecting is on.
    pub fn keep(&mut self, value: Value) {
        self.handed_out.push(value);
    }
}
