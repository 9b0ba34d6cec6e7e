//! Names that the evaluator itself knows, interned first, so that they are constants.

use nival_syntax::{Interner, Symbol};

macro_rules! known {
    ($($name:ident = $text:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u32)]
        enum Order { $($name),* }
        $(pub(crate) const $name: Symbol = Symbol(Order::$name as u32);)*
        const NAMES: &[&str] = &[$($text),*];
    };
}

known! {
    SUB = "__sub",
    LESS_THAN = "__lessThan",
    MUL = "__mul",
    DIV = "__div",
    FIND_FILE = "__findFile",
    NIX_PATH = "__nixPath",
    OVERRIDES = "__overrides",
    BODY = "body",
    FUNCTOR = "__functor",
    TO_STRING = "__toString",
    OUT_PATH = "outPath",
    DRV_PATH = "drvPath",
    TYPE = "type",
    NAME = "name",
    VALUE = "value",
    FILE = "file",
    LINE = "line",
    COLUMN = "column",
    SUCCESS = "success",
    RIGHT = "right",
    WRONG = "wrong",
    KEY = "key",
    PATH = "path",
    PREFIX = "prefix",
    ALL_OUTPUTS = "allOutputs",
    OUTPUTS = "outputs",
    VERSION = "version",
    FILTER = "filter",
    RECURSIVE = "recursive",
    SHA256 = "sha256",
    SYSTEM = "system",
    BUILDER = "builder",
    ARGS = "args",
    STRUCTURED_ATTRS = "__structuredAttrs",
    IGNORE_NULLS = "__ignoreNulls",
    CONTENT_ADDRESSED = "__contentAddressed",
    IMPURE = "__impure",
    OUTPUT_HASH = "outputHash",
    OUTPUT_HASH_ALGO = "outputHashAlgo",
    OUTPUT_HASH_MODE = "outputHashMode",
    HASH_ALGO = "hashAlgo",
    JSON = "__json",
}

/// An interner that holds them.
pub(crate) fn interner() -> Interner {
    let mut interner = Interner::default();
    for name in NAMES {
        interner.intern(name);
    }
    interner
}
