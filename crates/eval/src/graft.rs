//! Definitions of files that somebody recognises, replaced while they are read.
//!
//! A library that is written in the language can be served by native code where its very text is known: whoever knows it
//! is a [`Grafting`], and names the definitions of a file with the function that takes the place of each. The function is
//! called once with a set: what the definition said itself (`original`), and the variables that are in scope there. The
//! rest of the file, and all positions in it, stay as they are.

use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::Value;
use nival_syntax::{Ast, AttrDef, AttrKind, AttrSet, Expr, ExprId, Interner, Range, SetId, Symbol};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The name under which a function is given what it replaces.
const ORIGINAL: &str = "original";

/// What takes the place of one definition.
pub struct Graft {
    /// Where the definition is: names of a `let` or set, each inside of what the one before defines.
    pub path: &'static [&'static str],
    /// Variables that are in scope there, and are handed to the function.
    pub uses: &'static [&'static str],
    /// The function: from the set of `original` and the variables to what the definition is now.
    pub function: Value,
}

/// Knows files, and what takes the place of definitions in them.
pub trait Grafting {
    /// What is to be replaced in a file; nothing where it is not known.
    ///
    /// # Errors
    /// What looking at other files raises.
    fn grafts(&self, ev: &mut Evaluator, path: &str, text: &[u8]) -> EvalResult<Vec<Graft>>;
}

impl Evaluator {
    /// From now on files are shown to somebody who may know them.
    pub fn graft_with(&mut self, grafting: Rc<dyn Grafting>) {
        self.grafting = Some(grafting);
    }

    /// Puts calls in the place of definitions, and gives the functions by the variables that stand for them.
    pub(crate) fn graft(
        &mut self,
        path: &str,
        text: &[u8],
        (ast, root): (&mut Ast, ExprId),
    ) -> EvalResult<FxHashMap<Symbol, Value>> {
        let mut variables = FxHashMap::default();
        let Some(grafting) = self.grafting.clone() else { return Ok(variables) };
        for graft in grafting.grafts(self, path, text)? {
            let Some((set, at)) = find(ast, root, graft.path, &mut self.interner) else { continue };
            // No text can name it.
            let function = self.interner.intern(&format!("native {}", graft.path.join(".")));
            variables.insert(function, graft.function);
            replace(ast, (set, at), function, graft.uses, &mut self.interner);
        }
        Ok(variables)
    }
}

/// The definition that a path leads to: its set, and which of that set's attributes it is.
fn find(ast: &Ast, root: ExprId, path: &[&str], interner: &mut Interner) -> Option<(SetId, usize)> {
    let mut inside = root;
    let mut found = None;
    for name in path {
        let name = interner.intern(name);
        let (set, at) = sets_of(ast, inside).into_iter().find_map(|set| {
            let attrs = &ast.sets[set.0 as usize].attrs;
            Some((set, attrs.iter().position(|attr| attr.name == name)?))
        })?;
        let AttrKind::Plain(value) = ast.sets[set.0 as usize].attrs[at].kind else { return None };
        found = Some((set, at));
        inside = value;
    }
    found
}

/// The sets whose definitions an expression consists of: those of its `let`s, and its own.
fn sets_of(ast: &Ast, expr: ExprId) -> Vec<SetId> {
    let mut sets = Vec::new();
    let mut expr = expr;
    loop {
        expr = match ast.expr(expr) {
            Expr::Lambda(id) => ast.lambdas[id as usize].body,
            Expr::With(_, body) | Expr::Assert(_, body) => body,
            Expr::Let(set, body) => {
                sets.push(set);
                body
            }
            Expr::Set(set) => {
                sets.push(set);
                return sets;
            }
            _ => return sets,
        };
    }
}

/// Makes `NAME = VALUE;` into `NAME = FUNCTION { original = VALUE; USED = USED; ... };`.
fn replace(
    ast: &mut Ast,
    (set, at): (SetId, usize),
    function: Symbol,
    uses: &[&str],
    interner: &mut Interner,
) {
    let AttrDef { position, kind: AttrKind::Plain(original), .. } = ast.sets[set.0 as usize].attrs[at] else {
        return;
    };
    let span = ast.span(original);
    let mut attrs =
        vec![AttrDef { name: interner.intern(ORIGINAL), position, kind: AttrKind::Plain(original) }];
    for name in uses {
        let name = interner.intern(name);
        let variable = add(ast, Expr::Variable(name), span);
        attrs.push(AttrDef { name, position, kind: AttrKind::Plain(variable) });
    }
    attrs.sort_by_key(|attr| attr.name);
    ast.sets.push(AttrSet { attrs, ..AttrSet::default() });
    let scope = Expr::Set(SetId(ast.sets.len() as u32 - 1));
    let scope = add(ast, scope, span);
    let called = add(ast, Expr::Variable(function), span);
    let start = ast.children.len() as u32;
    ast.children.push(scope);
    let call = add(ast, Expr::Apply(called, Range { start, len: 1 }), span);
    ast.sets[set.0 as usize].attrs[at].kind = AttrKind::Plain(call);
}

fn add(ast: &mut Ast, expr: Expr, span: (u32, u32)) -> ExprId {
    ast.exprs.push(expr);
    ast.spans.push(span);
    ExprId(ast.exprs.len() as u32 - 1)
}
