//! The evaluator's state.

use crate::attrs::{self, Updates};
use crate::builtins;
use crate::code::Code;
use crate::context::Contexts;
use crate::error::{EvalError, EvalResult};
use crate::heap::{Heap, Table};
use crate::profile::Profile;
use crate::symbols;
use crate::value::Value;
use crate::world::World;
use nival_diagnostics::{SourceId, Sources, Span};
use nival_syntax::{Interner, Symbol};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Limits of an evaluation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How deeply calls may nest.
    pub max_call_depth: u32,
    /// How many bytes values may take; 0: as many as can be addressed (32 GiB).
    pub max_memory: usize,
    /// How many bytes of stack deep evaluations may take.
    pub max_stack: usize,
    /// From how many bytes of values on those that nobody needs are collected; 0: never. Who holds values
    /// between evaluations that did not come from one (see [`Evaluator::keep`]) must leave it at 0.
    pub collect_from: usize,
    /// Collects every few calls, for tests.
    pub collect_always: bool,
    /// Whether reading from what must be built first is allowed.
    pub import_from_derivation: bool,
    /// `builtins.nixVersion`
    pub nix_version: String,
    /// Pure evaluation: nothing depends on the machine or the time.
    pub pure: bool,
    /// The experimental features of Nix that are switched on.
    pub features: BTreeSet<String>,
    /// Whether a warning of `builtins.warn` ends the evaluation.
    pub abort_on_warn: bool,
    /// Whether `builtins.traceVerbose` says something.
    pub trace_verbose: bool,
    /// What is done about literals that may be unwanted.
    pub lints: crate::lint::Lints,
}

/// The experimental features that are on where nobody says otherwise: what there is, but for what changes results.
const USUAL_FEATURES: [&str; 7] = [
    "flakes",
    "fetch-tree",
    "pipe-operators",
    "ca-derivations",
    "impure-derivations",
    "dynamic-derivations",
    "git-hashing",
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_call_depth: 10_000,
            max_memory: 0,
            max_stack: 1 << 30,
            collect_from: 0,
            collect_always: false,
            import_from_derivation: true,
            nix_version: "2.34.8".to_owned(),
            pure: false,
            features: USUAL_FEATURES.map(str::to_owned).into(),
            abort_on_warn: false,
            trace_verbose: false,
            lints: crate::lint::Lints::default(),
        }
    }
}

/// Between how many calls interruption and memory are looked at; a power of two.
const TICKS: u32 = 256;

/// How many strings are remembered with their symbols.
pub(crate) const RECENT_NAMES: usize = 4096;

/// How many attributes of layers are remembered with their slots.
pub(crate) const RECENT_SLOTS: usize = 4096;

/// Texts below this size are not measured against the memory that is left.
const SMALL_TEXT: usize = 1 << 20;

/// The code of a builtin: all arguments at once.
pub(crate) type Builtin = fn(&mut Evaluator, &[Value]) -> EvalResult;
type NativeClosure = dyn Fn(&mut Evaluator, &[Value], &[Value]) -> EvalResult;
type LazyClosure = Box<dyn FnOnce(&mut Evaluator, &[Value]) -> EvalResult>;

#[derive(Clone)]
pub(crate) enum NativeCode {
    Builtin(Builtin),
    /// A closure with captures: those come before the arguments.
    Closure(Rc<NativeClosure>),
    /// No function: what it stands for is not known here.
    Secret,
}

/// A function written in Rust.
pub(crate) struct Native {
    pub(crate) name: Rc<str>,
    pub(crate) arity: u32,
    /// Bit per argument: it is forced anyway.
    pub(crate) strict: u32,
    pub(crate) captures: u32,
    /// It keeps no values in vectors while it evaluates.
    pub(crate) quiet: bool,
    pub(crate) code: NativeCode,
}

/// What is needed to call a builtin.
#[derive(Clone, Copy)]
pub(crate) struct Plain {
    pub(crate) run: Builtin,
    pub(crate) arity: u32,
    /// As [`Native::strict`].
    pub(crate) strict: u32,
    /// 1 where it keeps values in vectors while it evaluates.
    pub(crate) holds: u32,
}

/// One heap with everything that is evaluated in it.
pub struct Evaluator {
    pub(crate) heap: Heap,
    pub(crate) code: Code,
    pub(crate) interner: Interner,
    pub(crate) sources: Sources,
    /// Where each source starts in the space of all sources.
    pub(crate) source_bases: Vec<u32>,
    pub(crate) next_base: u32,
    pub(crate) globals: FxHashMap<Symbol, Value>,
    /// The set `builtins`, and where it is kept.
    pub(crate) builtins: Value,
    pub(crate) builtins_slot: u32,
    /// `builtins.substring` and `builtins.stringLength`.
    pub(crate) substring: Value,
    pub(crate) string_length: Value,
    pub(crate) updates: Updates,
    pub(crate) natives: Vec<Native>,
    /// The first of `natives`, which are the builtins.
    pub(crate) plain: Table<Plain>,
    pub(crate) lazies: Vec<Option<LazyClosure>>,
    pub(crate) free_lazies: Vec<u32>,
    pub(crate) contexts: Contexts,
    pub(crate) world: Rc<dyn World>,
    pub(crate) settings: Settings,
    pub(crate) depth: u32,
    pub(crate) ticks: u32,
    /// Interruption and memory are looked at where these bits of `ticks` are zero.
    pub(crate) tick_mask: u32,
    /// Addresses below this need another piece of stack.
    pub(crate) stack_limit: usize,
    pub(crate) stack_used: usize,
    /// The highest address of the current piece of stack; 0: the thread's own stack.
    pub(crate) stack_top: usize,
    /// For each piece that was left: where, and its highest address.
    pub(crate) stack_pieces: Vec<(usize, usize)>,
    /// What is not needed stays as it is written, also where looking at it would cost nothing.
    pub(crate) as_written: bool,
    /// How many builtins that keep values in vectors are at work.
    pub(crate) holding: u32,
    /// Values that have to stay while something is at work.
    pub(crate) pinned: Vec<Value>,
    /// Results that were handed out.
    pub(crate) handed_out: Vec<Value>,
    pub(crate) interrupt: Arc<AtomicBool>,
    /// What the time goes into, where somebody asked; its depth is 0 where nobody did.
    pub(crate) profile: Option<Box<Profile>>,
    pub(crate) profile_depth: u32,
    /// A flag of the whole process that ends evaluations too.
    pub(crate) ended: Option<&'static AtomicBool>,
    /// Who knows files whose definitions are replaced.
    pub(crate) grafting: Option<Rc<dyn crate::graft::Grafting>>,
    pub(crate) imports: FxHashMap<String, Value>,
    pub(crate) outside: builtins::Outside,
    /// Buffers for texts that are being made.
    pub(crate) buffers: Vec<Vec<u8>>,
    /// Strings whose symbol was asked for: handle, symbol.
    pub(crate) recent_names: Vec<(u32, u32)>,
    /// Attributes that were found in layers: set, symbol, slot.
    pub(crate) recent_slots: Vec<(u32, u32, u32)>,
}

impl Evaluator {
    /// Makes an evaluator. If no address space can be had, the heap is tiny and
    /// the first evaluation says so.
    pub fn new(world: Rc<dyn World>, settings: Settings) -> Self {
        let mut heap = Heap::new(settings.max_memory).unwrap_or_else(Heap::none);
        attrs::prepare(&mut heap);
        heap.collect_from(settings.collect_from);
        let mut evaluator = Self {
            heap,
            code: Code::default(),
            interner: symbols::interner(),
            sources: Sources::default(),
            source_bases: Vec::new(),
            next_base: 0,
            globals: FxHashMap::default(),
            builtins: Value::NULL,
            builtins_slot: 0,
            substring: Value::NULL,
            string_length: Value::NULL,
            updates: Updates::default(),
            natives: Vec::new(),
            plain: Table::default(),
            lazies: Vec::new(),
            free_lazies: Vec::new(),
            contexts: Contexts::new(),
            world,
            settings,
            depth: 0,
            ticks: 0,
            tick_mask: TICKS - 1,
            stack_limit: usize::MAX,
            stack_used: 0,
            stack_top: 0,
            stack_pieces: Vec::new(),
            as_written: false,
            holding: 0,
            pinned: Vec::new(),
            handed_out: Vec::new(),
            interrupt: Arc::new(AtomicBool::new(false)),
            profile: None,
            profile_depth: 0,
            ended: None,
            grafting: None,
            imports: FxHashMap::default(),
            outside: builtins::Outside::default(),
            buffers: Vec::new(),
            recent_names: vec![(0, 0); RECENT_NAMES],
            recent_slots: vec![(0, 0, 0); RECENT_SLOTS],
        };
        builtins::install(&mut evaluator);
        evaluator.tick_mask = if evaluator.settings.collect_always { 31 } else { TICKS - 1 };
        evaluator
    }

    /// What the evaluator asks for everything outside.
    pub fn world(&self) -> Rc<dyn World> {
        Rc::clone(&self.world)
    }

    /// All texts that were read, for showing diagnostics.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// A flag that ends the evaluation with a coded error once it is set.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupt)
    }

    /// As [`Self::interrupt_flag`], for a flag of the whole process, such as one that signals set.
    pub fn interrupted_by(&mut self, flag: &'static AtomicBool) {
        self.ended = Some(flag);
    }

    /// From now on what is not needed is shown by [`Self::print`] and [`Self::to_xml`] exactly where C++ Nix shows it so:
    /// functions, negative numbers and attributes that are there are otherwise known without being evaluated.
    pub fn delay_as_written(&mut self) {
        self.as_written = true;
    }

    /// How many bytes a text that is being made may have: twice of it, since buffers grow by doubling, and all values
    /// take no more than was allowed.
    pub(crate) fn check_text(&self, len: usize) -> EvalResult<()> {
        if len < SMALL_TEXT || len.saturating_mul(2) <= self.heap.free_bytes() {
            return Ok(());
        }
        Err(self.out_of_memory())
    }

    #[cold]
    pub(crate) fn out_of_memory(&self) -> EvalError {
        let used = self.heap.used_bytes() >> 20;
        EvalError::of(
            &crate::diagnostics::memory_exhausted::ENTRY,
            format!("evaluation needs more memory than it may take; its values take {used} MiB"),
        )
        .help("raise `max-memory`, or evaluate less at a time")
    }

    /// Bytes that values take.
    pub fn heap_bytes(&self) -> usize {
        self.heap.used_bytes()
    }

    /// How often values were collected, and the bytes that were in use after the last time.
    pub fn collections(&self) -> (u32, usize) {
        self.heap.collections()
    }

    pub(crate) fn add_source(&mut self, name: &str, text: &[u8]) -> (SourceId, u32) {
        let id = self.sources.add(name, text);
        let base = self.next_base;
        self.source_bases.push(base);
        self.next_base = base.saturating_add(text.len() as u32 + 2);
        (id, base)
    }

    /// The span of a start and an end in the space of all sources.
    pub(crate) fn span_of(&self, (start, end): (u32, u32)) -> Option<Span> {
        if start == 0 {
            return None;
        }
        let at = self.source_bases.partition_point(|base| *base < start).checked_sub(1)?;
        let base = self.source_bases[at] + 1;
        Some(Span { source: SourceId(at as u32), start: start - base, end: end.max(start) - base })
    }

    pub(crate) fn node_span(&self, node: u32) -> Option<Span> {
        self.span_of(self.code.spans[node as usize])
    }

    /// The span of the definition of a name: of the whole path where it stands behind others, as in `a.b.name = 1;`.
    pub(crate) fn name_span(&self, name: Symbol, position: u32) -> Option<Span> {
        let name = self.interner.name(name);
        let span = self.span_of((position, position + name.len() as u32))?;
        let written = self.sources.text(span.source).get(span.start as usize..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_'-".contains(byte);
        if written.strip_prefix(name.as_bytes()).is_some_and(|rest| !rest.first().is_some_and(is_part)) {
            return Some(span);
        }
        Some(Span { end: span.start + path_len(written).unwrap_or(name.len()) as u32, ..span })
    }

    /// The name of a symbol.
    pub fn name(&self, symbol: Symbol) -> &str {
        self.interner.name(symbol)
    }

    /// The symbol of a name.
    pub fn symbol(&mut self, name: &str) -> Symbol {
        self.interner.intern(name)
    }

    pub(crate) fn fail(
        &self,
        entry: &'static nival_diagnostics::Entry,
        message: impl Into<String>,
    ) -> EvalError {
        EvalError::of(entry, message)
    }
}

/// The length of the names and dots before the next `=` of a definition; `None` where there is none in the same line.
fn path_len(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'=' if !quoted => return Some(text[..at].trim_ascii_end().len()).filter(|len| *len > 0),
            b'\n' | b';' if !quoted => return None,
            _ => {}
        }
    }
    None
}
