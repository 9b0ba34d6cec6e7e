//! Expressions from a seed, most of them of fitting types.

use crate::node::Node;
use crate::signatures::{SIGNATURES, Signature};
use crate::texts::{self, one_of, quoted};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::path::{Path, PathBuf};

/// What an expression shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
    Number,
    Bool,
    Text,
    Path,
    Null,
    Any,
    Set,
    List(Box<Kind>),
    Function(Box<Kind>, Box<Kind>),
    Form(&'static str),
}

/// Names of attributes and arguments.
const NAMES: &[&str] = &["a", "b", "c", "foo", "x y", "é"];

/// Makes one expression.
pub struct Generator<'f> {
    rng: StdRng,
    folder: &'f Path,
    scope: Vec<(String, Kind)>,
    next: u32,
    /// The builtins that it is made of.
    pub used: Vec<&'static str>,
}

impl<'f> Generator<'f> {
    /// The generator of the expression with this number.
    pub fn new(seed: u64, index: u64, folder: &'f Path) -> Self {
        let rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index);
        Self { rng, folder, scope: Vec::new(), next: 0, used: Vec::new() }
    }

    /// An expression.
    pub fn expression(&mut self) -> Node {
        // Each builtin comes first in turn, so that none is rare.
        let at = self.rng.gen_range(0..SIGNATURES.len() + SIGNATURES.len() / 2);
        match SIGNATURES.get(at) {
            Some(signature) => self.call(signature, 3, None),
            None => self.of(&Kind::Any, 5),
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.gen_bool(share)
    }

    fn any(&mut self) -> Kind {
        match self.rng.gen_range(0..12) {
            0..3 => Kind::Int,
            3 => Kind::Float,
            4 => Kind::Bool,
            5..8 => Kind::Text,
            8 => Kind::Null,
            9 => Kind::List(Box::new(Kind::Int)),
            10 => Kind::List(Box::new(Kind::Text)),
            _ => Kind::Set,
        }
    }

    /// An expression of a kind; now and then of another.
    fn of(&mut self, kind: &Kind, fuel: u32) -> Node {
        if self.chance(0.006) {
            let other = self.any();
            return self.leaf(&other);
        }
        let fitting: Vec<String> =
            self.scope.iter().filter(|(_, known)| known == kind).map(|(name, _)| name.clone()).collect();
        if !fitting.is_empty() && self.chance(0.3) {
            let at = self.rng.gen_range(0..fitting.len());
            return Node::text(fitting[at].clone());
        }
        if fuel == 0 {
            return self.leaf(kind);
        }
        match self.rng.gen_range(0..10) {
            0..4 => self.leaf_or_operator(kind, fuel - 1),
            4..7 => self.builtin(kind, fuel - 1),
            _ => self.form(kind, fuel - 1),
        }
    }

    /// Syntax that any kind can be inside of.
    fn form(&mut self, kind: &Kind, fuel: u32) -> Node {
        match self.rng.gen_range(0..14) {
            0 => {
                let (condition, yes, no) =
                    (self.of(&Kind::Bool, fuel), self.of(kind, fuel), self.of(kind, fuel));
                Node::of("(if % then % else %)", vec![condition, yes, no])
            }
            1..4 => self.bind(kind, fuel, "(let NAME = %; in %)"),
            4 => self.bind(kind, fuel, "(let inherit ({ NAME = %; }) NAME; in %)"),
            5 => self.bind(kind, fuel, "(with { NAME = %; }; %)"),
            6 => {
                let (condition, body) =
                    (Node::text(if self.chance(0.95) { "true" } else { "false" }), self.of(kind, fuel));
                Node::of("(assert %; %)", vec![condition, body])
            }
            7 => self.bind_lambda(kind, fuel, "((NAME: %) (%))"),
            8 => self.bind_lambda(kind, fuel, "(({ NAME, y ? NAME, ... }@all: %) { NAME = %; z = 1; })"),
            9 => {
                let name = self.name();
                let (value, default) = (self.of(kind, fuel), self.of(kind, fuel));
                Node::of(&format!("({{ {name} = %; b.c = 1; }}.{name} or (%))"), vec![value, default])
            }
            10 => {
                let (value, default) = (self.of(&Kind::Set, fuel), self.of(kind, fuel));
                Node::of("((%).missing.deep or (%))", vec![value, default])
            }
            11 => {
                let value = self.of(kind, fuel);
                Node::of("(rec { r = %; s = r; }).s", vec![value]).in_parentheses()
            }
            12 => {
                let value = self.of(kind, fuel);
                Node::of("({ __functor = self: x: self.v; v = %; } 1)", vec![value])
            }
            _ => {
                let value = self.of(kind, fuel);
                let at = self.rng.gen_range(0..2);
                let pattern = ["(builtins.elemAt [ % ] 0)", "(builtins.tryEval (%)).value"][at];
                Node::of(pattern, vec![value]).in_parentheses()
            }
        }
    }

    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("v{}", self.next)
    }

    fn bind(&mut self, kind: &Kind, fuel: u32, pattern: &str) -> Node {
        let (name, other) = (self.fresh(), self.any());
        let value = self.of(&other, fuel);
        self.scope.push((name.clone(), other));
        let body = self.of(kind, fuel);
        self.scope.pop();
        Node::of(&pattern.replace("NAME", &name), vec![value, body])
    }

    fn bind_lambda(&mut self, kind: &Kind, fuel: u32, pattern: &str) -> Node {
        let (name, other) = (self.fresh(), self.any());
        let value = self.of(&other, fuel);
        self.scope.push((name.clone(), other));
        let body = self.of(kind, fuel);
        self.scope.pop();
        Node::of(&pattern.replace("NAME", &name), vec![body, value])
    }

    fn name(&mut self) -> &'static str {
        let name = one_of(&mut self.rng, NAMES);
        match name {
            "x y" => "\"x y\"",
            "é" => "\"é\"",
            name => name,
        }
    }

    /// A call of a builtin whose result fits.
    fn builtin(&mut self, kind: &Kind, fuel: u32) -> Node {
        for _ in 0..12 {
            let at = self.rng.gen_range(0..SIGNATURES.len());
            let Some(signature) = SIGNATURES.get(at) else { continue };
            if matches!(signature.name, "abort" | "throw") && !self.chance(0.05) {
                continue;
            }
            if let Some(variables) = fits(signature.result, kind) {
                return self.call(signature, fuel, variables);
            }
        }
        self.leaf_or_operator(kind, fuel)
    }

    fn call(&mut self, signature: &'static Signature, fuel: u32, a_or_b: Option<(char, Kind)>) -> Node {
        let (mut a, mut b) = (self.any(), self.any());
        match a_or_b {
            Some(('a', kind)) => a = kind,
            Some(('b', kind)) => b = kind,
            _ => {}
        }
        self.used.push(signature.name);
        let kinds: Vec<Kind> = signature.arguments.iter().map(|text| parse(text, &a, &b)).collect();
        let arguments: Vec<Node> = kinds.iter().map(|kind| self.of(kind, fuel.saturating_sub(1))).collect();
        if signature.name == "getAttr" {
            let (name, value) = (self.name(), self.of(&Kind::Any, 1));
            let set = Node::of(&format!("(% // {{ {name} = %; }})"), vec![self.of(&Kind::Set, 1), value]);
            let name = Node::text(if name.starts_with('"') { name.to_owned() } else { quoted(name) });
            return Node::of("(builtins.getAttr % %)", vec![name, set]);
        }
        let blanks = " (%)".repeat(arguments.len());
        Node::of(&format!("(builtins.{}{blanks})", signature.name), arguments)
    }

    fn leaf_or_operator(&mut self, kind: &Kind, fuel: u32) -> Node {
        let two = |generator: &mut Self, operators: &[&str], left: &Kind, right: &Kind| {
            let operator = one_of(&mut generator.rng, operators);
            let (left, right) = (generator.of(left, fuel), generator.of(right, fuel));
            Node::of(&format!("(% {operator} %)"), vec![left, right])
        };
        match kind {
            Kind::Int if self.chance(0.6) => two(self, &["+", "-", "*"], &Kind::Int, &Kind::Int),
            Kind::Float | Kind::Number if self.chance(0.5) => {
                two(self, &["+", "-", "*", "/"], &Kind::Number, &Kind::Float)
            }
            Kind::Bool => match self.rng.gen_range(0..5) {
                0 => two(self, &["<", "<=", ">", ">="], &Kind::Number, &Kind::Number),
                1 => two(self, &["&&", "||", "->"], &Kind::Bool, &Kind::Bool),
                2 => {
                    let kind = self.any();
                    two(self, &["==", "!="], &kind, &kind)
                }
                3 => {
                    let value = self.of(&Kind::Set, fuel);
                    let name = self.name();
                    Node::of(&format!("(% ? {name})"), vec![value])
                }
                _ => {
                    let value = self.of(&Kind::Bool, fuel);
                    Node::of("(! %)", vec![value])
                }
            },
            Kind::Text => match self.rng.gen_range(0..5) {
                0 => two(self, &["+"], &Kind::Text, &Kind::Text),
                1 => {
                    let (first, second) = (self.of(&Kind::Text, fuel), self.of(&Kind::Text, fuel));
                    Node::of("\"<${%}-${%}>\"", vec![first, second])
                }
                2 => {
                    let value = self.of(&Kind::Text, fuel);
                    Node::of("''\n    a ${%}\n  b ''$ ''' c\n\n      d''", vec![value])
                }
                3 => {
                    let value = self.of(&Kind::Text, fuel);
                    Node::of("\"${{ __toString = self: self.t; t = %; }}\"", vec![value])
                }
                _ => self.leaf(kind),
            },
            Kind::Set if self.chance(0.4) => two(self, &["//"], &Kind::Set, &Kind::Set),
            Kind::List(item) if self.chance(0.4) => {
                let list = Kind::List(item.clone());
                two(self, &["++"], &list, &list)
            }
            Kind::Any => {
                let kind = self.any();
                self.of(&kind, fuel)
            }
            _ => self.compound(kind, fuel),
        }
    }

    /// A list, set or function with parts.
    fn compound(&mut self, kind: &Kind, fuel: u32) -> Node {
        match kind {
            Kind::List(item) => {
                let count = self.rng.gen_range(0..4);
                let items: Vec<Node> = (0..count).map(|_| self.of(item, fuel)).collect();
                Node::of(&format!("[{} ]", " (%)".repeat(items.len())), items)
            }
            Kind::Set => {
                let mut names: Vec<&str> = vec!["a", "b", "\"x y\"", "c.d", "\"${\"e\"}\""];
                let count = self.rng.gen_range(0..4).min(names.len());
                let mut pattern = String::from(if self.chance(0.2) { "rec {" } else { "{" });
                let mut values = Vec::new();
                for _ in 0..count {
                    let name = names.remove(self.rng.gen_range(0..names.len()));
                    pattern.push_str(&format!(" {name} = %;"));
                    values.push(self.of(&Kind::Any, fuel));
                }
                Node::of(&format!("({pattern} }})"), values)
            }
            Kind::Function(from, to) => {
                let name = self.fresh();
                self.scope.push((name.clone(), (**from).clone()));
                let body = self.of(to, fuel);
                self.scope.pop();
                Node::of(&format!("({name}: %)"), vec![body])
            }
            _ => self.leaf(kind),
        }
    }

    /// An expression without parts, or as few as can be.
    fn leaf(&mut self, kind: &Kind) -> Node {
        let rng = &mut self.rng;
        match kind {
            Kind::Int => {
                let rare =
                    ["9223372036854775807", "(-9223372036854775807 - 1)", "4611686018427387904", "(-7)"];
                Node::text(if rng.gen_bool(0.04) {
                    one_of(rng, &rare).to_owned()
                } else {
                    rng.gen_range(0..12).to_string()
                })
            }
            Kind::Float => Node::text(one_of(
                rng,
                &["0.5", "1.0", "2.25", "1.0e3", "(-3.5)", "0.1", "1.0e-7", "123456789.125"],
            )),
            Kind::Number => {
                let kind = if rng.gen_bool(0.7) { Kind::Int } else { Kind::Float };
                self.leaf(&kind)
            }
            Kind::Bool => Node::text(one_of(rng, &["true", "false"])),
            Kind::Null => Node::text("null"),
            Kind::Text => {
                let all = [
                    "",
                    "a",
                    "b",
                    "foo",
                    "x y",
                    "1",
                    "a.b-1.2",
                    "line\nbreak",
                    "é",
                    "${",
                    "\\",
                    "\"q\"",
                    "\t",
                ];
                Node::text(quoted(one_of(rng, &all)))
            }
            Kind::Path => Node::text(texts::file(&mut self.rng, self.folder, false)),
            Kind::Any => {
                let kind = self.any();
                self.leaf(&kind)
            }
            Kind::List(_) | Kind::Set => self.compound(&kind.clone(), 0),
            Kind::Function(..) => self.compound(&kind.clone(), 0),
            Kind::Form(form) => self.form_text(form),
        }
    }

    /// A text of a form.
    fn form_text(&mut self, form: &str) -> Node {
        let folder: PathBuf = self.folder.to_owned();
        let rng = &mut self.rng;
        match form {
            "#re" => Node::text(quoted(&texts::regex(rng, 2))),
            "#matched" => Node::text(quoted(&texts::matched(rng))),
            "#json" => Node::text(quoted(&texts::json(rng, 3))),
            "#toml" => Node::text(quoted(&texts::toml(rng))),
            "#version" => Node::text(quoted(&texts::version(rng))),
            "#convert" => Node::text(texts::convert(rng)),
            "#path" => Node::text(texts::path(rng)),
            "#file" => Node::text(texts::file(rng, &folder, false)),
            "#folder" => Node::text(texts::file(rng, &folder, true)),
            "#name" => Node::text(quoted(one_of(rng, NAMES))),
            "#index" | "#count" => Node::text(rng.gen_range(0..4).to_string()),
            "#algorithm" => {
                let all = ["md5", "sha1", "sha256", "sha512", "sha3"];
                let count = if rng.gen_bool(0.03) { 5 } else { 4 };
                Node::text(quoted(one_of(rng, &all[..count])))
            }
            "#from" => Node::text(one_of(
                rng,
                &["[ \"a\" ]", "[ \"a\" \"b\" ]", "[ \"\" ]", "[ \"oo\" \"o\" ]", "[ ]"],
            )),
            "#to" => Node::text(one_of(
                rng,
                &["[ \"z\" ]", "[ \"1\" \"2\" ]", "[ \"\" ]", "[ \"a\" (throw \"lazy\") ]", "[ ]"],
            )),
            "#import" => {
                let name = one_of(rng, &["/tree", "/tree/sub/value.nix", "/tree/default.nix"]);
                Node::text(format!("{}{name}", folder.display()))
            }
            "#scoped" => Node::text(format!("{}/tree/sub/scoped.nix", folder.display())),
            "#found" => Node::text(quoted(one_of(rng, &["text", "sub/value.nix", "p/text", "missing"]))),
            "#search" => Node::text(format!(
                "[ {{ prefix = \"p\"; path = \"{0}/tree\"; }} {{ path = {0}/tree; prefix = \"\"; }} ]",
                folder.display()
            )),
            _ => self.form_expression(form, &folder),
        }
    }

    /// An expression of a form, with parts that are not texts.
    fn form_expression(&mut self, form: &str, folder: &Path) -> Node {
        match form {
            "#scope" => {
                let value = self.of(&Kind::Int, 1);
                Node::of("{ y = %; }", vec![value])
            }
            "#filter" => {
                let body = self.of(&Kind::Bool, 1);
                Node::of("(path: type: type == \"directory\" || %)", vec![body])
            }
            "#function" => {
                let all = [
                    "(x: x)",
                    "({ a, b ? 1 }: a)",
                    "({ ... }@x: x)",
                    "({ }: 1)",
                    "({ a ? b, b ? 2, ... }: a)",
                    "builtins.map",
                ];
                Node::text(one_of(&mut self.rng, &all))
            }
            "#before" => Node::text(one_of(
                &mut self.rng,
                &["builtins.lessThan", "(a: b: a < b)", "(a: b: b < a)", "(a: b: false)"],
            )),
            "#compared" => {
                // One kind for all of a list: those of different kinds cannot be compared.
                let kind = if self.rng.gen_bool(0.9) { Kind::Number } else { Kind::Text };
                self.of(&kind, 1)
            }
            "#pairs" => {
                let (first, second) = (self.of(&Kind::Any, 1), self.of(&Kind::Any, 1));
                let name = quoted(one_of(&mut self.rng, NAMES));
                Node::of(
                    &format!("[ {{ name = \"a\"; value = %; }} {{ name = {name}; value = %; }} ]"),
                    vec![first, second],
                )
            }
            "#closure" => {
                let (start, limit) = (self.of(&Kind::Int, 1), self.rng.gen_range(1..9));
                Node::of(
                    &format!(
                        "{{ startSet = [ {{ key = %; }} ]; operator = i: if i.key < {limit} && i.key > -99 then [ {{ key = i.key + 1; }} {{ key = i.key + 2; }} ] else [ ]; }}"
                    ),
                    vec![start],
                )
            }
            "#source" => {
                let name = one_of(
                    &mut self.rng,
                    &["", "name = \"n\";", "recursive = false;", "filter = p: t: true;"],
                );
                let file = match name {
                    // Of an empty file the other program dies.
                    "recursive = false;" => format!("{}/tree/text", folder.display()),
                    _ => texts::file(&mut self.rng, folder, true),
                };
                Node::text(format!("{{ path = {file}; {name} }}"))
            }
            "#context" => {
                let all = [
                    "{ }",
                    "{ ${builtins.unsafeDiscardStringContext (builtins.toFile \"n\" \"t\")} = { path = true; }; }",
                    "{ ${builtins.unsafeDiscardStringContext (derivation { name = \"d\"; system = \"s\"; builder = \"b\"; }).drvPath} = { outputs = [ \"out\" ]; }; }",
                    "{ ${builtins.unsafeDiscardStringContext (derivation { name = \"d\"; system = \"s\"; builder = \"b\"; }).drvPath} = { allOutputs = true; }; }",
                    "{ \"/nix/store/bsmfnm3w7p1zxvwkzs0nmr9yfs3ay4cs-a\" = { path = true; }; }",
                ];
                Node::text(one_of(&mut self.rng, &all))
            }
            "#drvcontext" => {
                let derivation = self.form_expression("#derivation", folder);
                Node::of("(builtins.unsafeDiscardOutputDependency (derivation %).drvPath)", vec![derivation])
            }
            "#derivation" => self.derivation(),
            other => Node::text(format!("(throw \"no form {other}\")")),
        }
    }

    fn derivation(&mut self) -> Node {
        let more = [
            "",
            "outputs = [ \"out\" \"dev\" ];",
            "args = [ \"-c\" \"x\" 1 ];",
            "outputHash = \"sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73\";",
            "outputHash = \"1111111111111111111111111111111111111111\"; outputHashAlgo = \"sha1\"; outputHashMode = \"recursive\";",
            "__structuredAttrs = true; list = [ 1 { a = null; } ]; set.b = 1.5;",
            "__ignoreNulls = true; gone = null;",
            "passAsFile = [ \"text\" ]; text = \"long\";",
            "__contentAddressed = true; outputHashMode = \"recursive\"; outputHashAlgo = \"sha256\";",
            "dep = derivation { name = \"dep\"; system = \"s\"; builder = \"b\"; };",
        ];
        let more = one_of(&mut self.rng, &more);
        let name = one_of(&mut self.rng, &["a", "b-1.0", "x_y", "c.drv.x"]);
        let value = self.of(&Kind::Text, 1);
        Node::of(
            &format!(
                "{{ name = \"{name}\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; value = %; {more} }}"
            ),
            vec![value],
        )
    }
}

impl Node {
    fn in_parentheses(self) -> Node {
        Node::of("(%)", vec![self])
    }
}

/// A kind from its notation.
fn parse(text: &'static str, a: &Kind, b: &Kind) -> Kind {
    if let Some((from, to)) = text.split_once('>') {
        return Kind::Function(Box::new(parse(from, a, b)), Box::new(parse(to, a, b)));
    }
    if let Some(item) = text.strip_prefix('L') {
        return Kind::List(Box::new(parse(item, a, b)));
    }
    match text {
        "I" => Kind::Int,
        "F" => Kind::Float,
        "N" => Kind::Number,
        "B" => Kind::Bool,
        "S" => Kind::Text,
        "P" => Kind::Path,
        "{" => Kind::Set,
        "a" => a.clone(),
        "b" => b.clone(),
        form if form.starts_with('#') => Kind::Form(form),
        _ => Kind::Any,
    }
}

/// Whether a result can be of a kind, and what its variable then is.
#[expect(clippy::option_option, reason = "fits or not, and then with a variable or not")]
fn fits(result: &'static str, kind: &Kind) -> Option<Option<(char, Kind)>> {
    match (result, kind) {
        ("a", kind) => Some(Some(('a', kind.clone()))),
        ("b", kind) => Some(Some(('b', kind.clone()))),
        ("La", Kind::List(item)) => Some(Some(('a', (**item).clone()))),
        ("Lb", Kind::List(item)) => Some(Some(('b', (**item).clone()))),
        ("N", Kind::Number) | ("I", Kind::Int | Kind::Number) | ("{", Kind::Set) | ("B", Kind::Bool) => {
            Some(None)
        }
        ("S", Kind::Text) | (_, Kind::Any) => Some(None),
        ("LS", Kind::List(item)) if **item == Kind::Text => Some(None),
        ("L{", Kind::List(item)) if **item == Kind::Set => Some(None),
        _ => None,
    }
}
