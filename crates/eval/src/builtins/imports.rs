//! Reading files as programs.

use super::Row;
use crate::compile::{self, Program, Surroundings};
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::{Content, HeapExhausted};
use crate::value::Value;
use crate::world::FileType;
use nival_diagnostics::{Diagnostic, SourceId, Span};
use nival_syntax::{Ast, BinaryOp, Expr, Part, parse};
use rustc_hash::FxHashMap;

/// How many links may lead to a file.
const MAX_LINKS: usize = 40;

pub(super) const ROWS: &[Row] = &[
    Row("import", 1, 1, |e, a| {
        let path = e.real_path(a[0])?;
        e.import(&path)
    }),
    Row("scopedImport", 2, 2, |e, a| {
        let path = e.real_path(a[1])?;
        let scope = e.expect_attrs(a[0])?;
        e.import_scoped(&path, scope)
    }),
];

/// Where a text uses a pipe operator.
fn pipe(ast: &Ast, source: SourceId) -> Option<Span> {
    let is_pipe = |expr: &Expr| matches!(expr, Expr::Binary(BinaryOp::PipeInto | BinaryOp::PipeFrom, ..));
    let (start, end) = ast.spans[ast.exprs.iter().position(is_pipe)?];
    Some(Span { source, start, end })
}

/// The first path that begins at the home folder.
fn home_path(ast: &Ast, source: SourceId) -> Option<Span> {
    let is_home = |expr: &Expr| match expr {
        Expr::Path(text) => ast.text(*text).starts_with(b"~"),
        Expr::InterpolatedPath(parts) => match ast.parts.get(parts.indices()).and_then(<[Part]>::first) {
            Some(Part::Text(text)) => ast.text(*text).starts_with(b"~"),
            _ => false,
        },
        _ => false,
    };
    let (start, end) = ast.spans[ast.exprs.iter().position(is_home)?];
    Some(Span { source, start, end })
}

impl Evaluator {
    /// Evaluates a text; relative paths in it start from `base_dir`, and the
    /// attributes of `scope` are variables.
    pub fn eval_text(&mut self, name: &str, text: &str, base_dir: &str, scope: Option<Value>) -> EvalResult {
        self.eval_bytes(name, text.as_bytes(), base_dir, scope)
    }

    fn eval_bytes(&mut self, name: &str, text: &[u8], base_dir: &str, scope: Option<Value>) -> EvalResult {
        let mut extra = FxHashMap::default();
        if let Some(scope) = scope {
            for attribute in self.attributes(scope)? {
                extra.insert(attribute.name, attribute.value);
            }
        }
        let program = self.compile(name, text, base_dir, extra).map_err(|errors| {
            let first = errors.into_iter().next();
            first.map_or_else(|| self.infinite_recursion(), EvalError::new)
        })?;
        // Its constants are in the heap.
        self.heap.keep_all();
        let frame = self.heap.allocate(Content::Headed, 1 + program.size as usize);
        let result = self.eval(program.root, frame);
        self.hand_out(result)
    }

    /// Turns a full heap into an error, where this is the outermost evaluation.
    pub(crate) fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        let outermost = self.stack_used == 0;
        if !outermost {
            return work(self);
        }
        let (depth, holding, pinned) = (self.depth, self.holding, self.pinned.len());
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        match caught {
            Ok(result) => result,
            Err(payload) if payload.is::<HeapExhausted>() => {
                (self.stack_used, self.stack_limit, self.stack_top) = (0, usize::MAX, 0);
                self.heap.forget_regions();
                (self.depth, self.holding) = (depth, holding);
                self.stack_pieces.clear();
                self.pinned.truncate(pinned);
                Err(EvalError::of(
                    &crate::diagnostics::memory_exhausted::ENTRY,
                    "evaluation needs more memory than it may take",
                )
                .help("raise `max-memory`, or evaluate less at a time"))
            }
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Everything that is wrong with a text before it is evaluated.
    pub fn check(&mut self, name: &str, text: &[u8], base_dir: &str) -> Vec<Diagnostic> {
        self.compile(name, text, base_dir, FxHashMap::default()).err().unwrap_or_default()
    }

    fn compile(
        &mut self,
        name: &str,
        text: &[u8],
        base_dir: &str,
        extra: FxHashMap<nival_syntax::Symbol, Value>,
    ) -> Result<Program, Vec<Diagnostic>> {
        self.profiled_reading(|evaluator| evaluator.compile_source(name, text, base_dir, extra))
    }

    fn compile_source(
        &mut self,
        name: &str,
        text: &[u8],
        base_dir: &str,
        mut extra: FxHashMap<nival_syntax::Symbol, Value>,
    ) -> Result<Program, Vec<Diagnostic>> {
        let (source, base) = self.add_source(name, text);
        let mut parsed = parse(text, source, &mut self.interner);
        if !parsed.errors.is_empty() {
            return Err(parsed.errors);
        }
        if !self.settings.features.contains("pipe-operators")
            && let Some(span) = pipe(&parsed.ast, source)
            && let Err(error) = self.require("pipe-operators", "the operator `|>`")
        {
            return Err(vec![error.at(Some(span), "").diagnostic()]);
        }
        for warning in self.settings.lints.check(&parsed.ast, text, source)? {
            self.warn(warning);
        }
        // A pure evaluation depends on nobody's home folder.
        if self.settings.pure
            && let Some(span) = home_path(&parsed.ast, source)
        {
            let entry = &crate::diagnostics::impure::ENTRY;
            let error = Diagnostic::error(entry, "paths in the home folder can not be resolved in pure mode");
            return Err(vec![error.label(span, "").help("evaluate with `--impure`, or write out the path")]);
        }
        let grafts = self.graft(name, text, (&mut parsed.ast, parsed.root));
        extra.extend(grafts.map_err(|error| vec![error.diagnostic()])?);
        let home = self.world.env("HOME");
        let around = Surroundings { base_dir, home, extra, source, base, as_written: self.as_written };
        compile::compile(
            &parsed.ast,
            parsed.root,
            &mut self.code,
            &mut self.heap,
            &self.interner,
            &self.globals,
            &around,
        )
    }

    /// The file that a path means: links followed, `default.nix` of a folder.
    ///
    /// # Errors
    /// What looking at the path raises.
    pub fn resolve_import(&mut self, path: &str) -> EvalResult<String> {
        let world = self.world();
        let mut path = crate::paths::canonical(path);
        if super::own_file(&path).is_some() {
            return Ok(path);
        }
        for _ in 0..MAX_LINKS {
            match world.file_type(&path)? {
                Some(FileType::Symlink) => {
                    let target = world.read_link(&path)?;
                    path = if target.starts_with('/') {
                        crate::paths::canonical(&target)
                    } else {
                        crate::paths::canonical(&format!("{}/{target}", crate::paths::parent(&path)))
                    };
                }
                Some(FileType::Directory) => {
                    return Ok(format!("{}/default.nix", path.trim_end_matches('/')));
                }
                _ => break,
            }
        }
        Ok(path)
    }

    /// Evaluates a file, or a folder's `default.nix`, once.
    pub fn import(&mut self, path: &str) -> EvalResult {
        let path = match self.imports.get(path) {
            Some(value) => return Ok(*value),
            None => self.resolve_import(path)?,
        };
        if let Some(value) = self.imports.get(&path) {
            return Ok(*value);
        }
        let value = self.eval_file(&path, None)?;
        self.heap.keep_all();
        self.imports.insert(path, value);
        Ok(value)
    }

    /// Evaluates a file where the attributes of `scope` are variables; not remembered.
    pub fn import_scoped(&mut self, path: &str, scope: Value) -> EvalResult {
        let path = self.resolve_import(path)?;
        self.eval_file(&path, Some(scope))
    }

    fn eval_file(&mut self, path: &str, scope: Option<Value>) -> EvalResult {
        let text = match super::own_file(path) {
            Some(text) => text.as_bytes().to_vec(),
            None => self.world().read_file(path)?,
        };
        let folder = crate::paths::parent(path).to_owned();
        self.eval_bytes(path, &text, &folder, scope)
    }
}
