//! Attribute sets and `let`.

use super::Compiler;
use super::scope::Use;
use crate::attrs;
use crate::code::{Block, Computed, Init, Node, NodeId, Run, SetCode};
use crate::symbols;
use nival_syntax::{AttrDef, AttrKind, AttrSet, Expr, ExprId, SetId, Symbol};

/// A `let` of at most this many variables never gets a frame of its own.
const SMALL_LET: usize = 3;

impl Compiler<'_> {
    pub(super) fn set(&mut self, id: SetId, span: (u32, u32)) -> NodeId {
        let set = &self.ast.sets[id.0 as usize];
        let node = if set.recursive { self.recursive_set(set) } else { self.plain_set(set) };
        self.code.add(node, span)
    }

    fn plain_set(&mut self, set: &AttrSet) -> Node {
        let (sources, places) = self.sources(set);
        let values: Vec<NodeId> = set.attrs.iter().map(|attr| self.value(attr, &places)).collect();
        let computed = self.computed(set);
        let code = self.set_code(set, values, sources, computed, 0);
        Node::Set(code)
    }

    fn recursive_set(&mut self, set: &AttrSet) -> Node {
        self.scope.enter();
        for _ in &set.attrs {
            self.scope.new_place();
        }
        let inherited = self.inherited(set);
        for (place, attr) in set.attrs.iter().enumerate() {
            self.scope.bind(attr.name, place as u32);
        }
        let (sources, places) = self.sources(set);
        let values: Vec<NodeId> = set
            .attrs
            .iter()
            .zip(inherited)
            .map(|(attr, inherited)| inherited.unwrap_or_else(|| self.value(attr, &places)))
            .collect();
        let computed = self.computed(set);
        for attr in &set.attrs {
            self.scope.unbind(attr.name);
        }
        let hidden = self.scope.leave() - set.attrs.len() as u32;
        let code = self.set_code(set, values, sources, computed, hidden);
        Node::RecSet(code)
    }

    fn set_code(
        &mut self,
        set: &AttrSet,
        values: Vec<NodeId>,
        sources: Run,
        computed: Vec<Computed>,
        hidden: u32,
    ) -> u32 {
        let entries: Vec<(Symbol, u32)> =
            set.attrs.iter().map(|attr| (attr.name, self.place(attr.position))).collect();
        let shape = attrs::new_shape(self.heap, &entries, attrs::SHARED);
        let overrides = set.attrs.iter().position(|attr| attr.name == symbols::OVERRIDES).map(|at| at as u32);
        let values = self.run(&values);
        self.code.sets.push(SetCode { shape, values, hidden, sources, computed, overrides });
        self.code.sets.len() as u32 - 1
    }

    fn computed(&mut self, set: &AttrSet) -> Vec<Computed> {
        set.dynamic
            .iter()
            .map(|attr| Computed {
                name: self.lower(attr.name, false),
                value: self.lower(attr.value, false),
                position: self.place(attr.position),
            })
            .collect()
    }

    /// The variables of `inherit a b;`, looked up before the set's own names are bound.
    fn inherited(&mut self, set: &AttrSet) -> Vec<Option<NodeId>> {
        set.attrs
            .iter()
            .map(|attr| match attr.kind {
                AttrKind::Inherit(expr) => Some(self.lower(expr, false)),
                _ => None,
            })
            .collect()
    }

    /// Compiles the sources of `inherit (...)`: what to store, and the place of each
    /// (`None`: a plain variable, which needs no place).
    fn sources(&mut self, set: &AttrSet) -> (Run, Vec<(ExprId, Option<u32>)>) {
        let mut inits = Vec::new();
        let mut places = Vec::new();
        for source in &set.sources {
            if matches!(self.ast.expr(*source), Expr::Variable(_)) {
                places.push((*source, None));
                continue;
            }
            let node = self.lower(*source, false);
            let place = self.scope.new_place();
            inits.push(Init { place, node });
            places.push((*source, Some(place)));
        }
        (self.init_run(&inits), places)
    }

    fn value(&mut self, attr: &AttrDef, sources: &[(ExprId, Option<u32>)]) -> NodeId {
        match attr.kind {
            AttrKind::Plain(expr) => match self.ast.expr(expr) {
                Expr::Lambda(id) => {
                    let span = self.span(expr);
                    let lambda = self.lambda(id, span, Some(attr.name));
                    self.code.add(Node::Lambda(lambda), span)
                }
                _ => self.lower(expr, false),
            },
            AttrKind::Inherit(expr) => self.lower(expr, false),
            AttrKind::InheritFrom(source) => {
                let (expr, place) = sources[source as usize];
                let base = match place {
                    Some(place) => self.code.add(Node::Local(place), self.span(expr)),
                    None => self.lower(expr, false),
                };
                let start = self.place(attr.position);
                let cache = self.code.cache();
                let end = start + self.interner.name(attr.name).len() as u32;
                self.code.add(Node::Select(base, attr.name, cache), (start, end))
            }
        }
    }

    pub(super) fn let_in(&mut self, id: SetId, body: ExprId, direct: bool, span: (u32, u32)) -> NodeId {
        let set = &self.ast.sets[id.0 as usize];
        let own_frame = !direct && set.attrs.len() > SMALL_LET;
        if own_frame {
            self.scope.enter();
        }
        let inherited = self.inherited(set);
        let places: Vec<u32> = set.attrs.iter().map(|_| self.scope.new_place()).collect();
        let numbers: Vec<usize> = set
            .attrs
            .iter()
            .zip(&places)
            .map(|(attr, place)| self.scope.bind_counted(attr.name, *place))
            .collect();
        let (sources, source_places) = self.sources(set);
        let mut inits: Vec<Init> = sources.indices().map(|at| self.code.inits.get(at)).collect();
        let values: Vec<NodeId> = set
            .attrs
            .iter()
            .zip(inherited)
            .map(|(attr, inherited)| inherited.unwrap_or_else(|| self.value(attr, &source_places)))
            .collect();
        let body = self.lower(body, direct || own_frame);
        for ((value, place), number) in values.into_iter().zip(places).zip(numbers) {
            if self.is_kept(value, number) {
                inits.push(Init { place, node: value });
            } else {
                self.scope.free_place(place);
            }
        }
        for attr in set.attrs.iter().rev() {
            self.scope.unbind(attr.name);
        }
        let inits = self.init_run(&inits);
        if own_frame {
            let size = self.scope.leave();
            let block = self.code.blocks.push(Block { size, inits });
            return self.code.add(Node::LetFrame { block, body }, span);
        }
        if inits.len == 0 {
            return body;
        }
        self.code.add(Node::Let { inits, body }, span)
    }

    /// Whether a variable of `let` needs a place. What is used once, in the same frame, is put where it is used: it
    /// runs there at most once, as it would by itself.
    fn is_kept(&mut self, value: NodeId, number: usize) -> bool {
        if self.around.as_written {
            return true;
        }
        match self.scope.use_of(number) {
            Use::Nowhere => false,
            Use::Elsewhere => true,
            // What needs nothing but itself.
            Use::Once(node) if node == value => false,
            Use::Once(node) => {
                self.code.nodes.set(node, self.code.nodes.get(value));
                self.code.spans[node as usize] = self.code.spans[value as usize];
                self.scope.moved(value, node);
                false
            }
        }
    }
}
