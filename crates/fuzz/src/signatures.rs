//! What the builtins take and give, in a small notation.
//!
//! `I` integer, `F` float, `N` either, `B` Boolean, `S` string, `P` path, `A` anything, `a b` one type each that is
//! chosen per use, `L` a list of what follows, `{` a set of anything, `X>Y` a function. Words with `#` are texts of a
//! form: `#re` a regular expression, `#json`, `#toml`, `#version`, `#name`, `#hash` and so on.

/// A builtin with its arguments and result.
pub struct Signature {
    /// The name in `builtins`.
    pub name: &'static str,
    /// The arguments.
    pub arguments: &'static [&'static str],
    /// The result.
    pub result: &'static str,
}

const fn row(name: &'static str, arguments: &'static [&'static str], result: &'static str) -> Signature {
    Signature { name, arguments, result }
}

/// All builtins that expressions are made of. Not among them: those that need a network or a build (`fetch*`, `getFlake`,
/// `storePath`, `outputOf`), the clock, `break`, at which the other program stops, and those that need switches.
pub const SIGNATURES: &[Signature] = &[
    row("abort", &["S"], "A"),
    row("add", &["N", "N"], "N"),
    row("addDrvOutputDependencies", &["#drvcontext"], "S"),
    row("addErrorContext", &["S", "a"], "a"),
    row("all", &["a>B", "La"], "B"),
    row("any", &["a>B", "La"], "B"),
    row("appendContext", &["S", "#context"], "S"),
    row("attrNames", &["{"], "LS"),
    row("attrValues", &["{"], "LA"),
    row("baseNameOf", &["#path"], "S"),
    row("bitAnd", &["I", "I"], "I"),
    row("bitOr", &["I", "I"], "I"),
    row("bitXor", &["I", "I"], "I"),
    row("catAttrs", &["#name", "L{"], "LA"),
    row("ceil", &["N"], "I"),
    row("compareVersions", &["#version", "#version"], "I"),
    row("concatLists", &["LLa"], "La"),
    row("concatMap", &["a>Lb", "La"], "Lb"),
    row("concatStringsSep", &["S", "LS"], "S"),
    row("convertHash", &["#convert"], "S"),
    row("deepSeq", &["A", "a"], "a"),
    row("derivation", &["#derivation"], "{"),
    row("derivationStrict", &["#derivation"], "{"),
    row("dirOf", &["#path"], "A"),
    row("div", &["N", "N"], "N"),
    row("elem", &["a", "La"], "B"),
    row("elemAt", &["La", "#index"], "a"),
    row("filter", &["a>B", "La"], "La"),
    row("filterSource", &["#filter", "#file"], "S"),
    row("findFile", &["#search", "#found"], "P"),
    row("floor", &["N"], "I"),
    row("foldl'", &["b>a>b", "b", "La"], "b"),
    row("fromJSON", &["#json"], "A"),
    row("fromTOML", &["#toml"], "{"),
    row("functionArgs", &["#function"], "{"),
    row("genList", &["I>a", "#count"], "La"),
    row("genericClosure", &["#closure"], "L{"),
    row("getAttr", &["#name", "{"], "A"),
    row("getContext", &["S"], "{"),
    row("getEnv", &["S"], "S"),
    row("groupBy", &["a>S", "La"], "{"),
    row("hasAttr", &["#name", "{"], "B"),
    row("hasContext", &["S"], "B"),
    row("hashFile", &["#algorithm", "#file"], "S"),
    row("hashString", &["#algorithm", "S"], "S"),
    row("head", &["La"], "a"),
    row("import", &["#import"], "A"),
    row("intersectAttrs", &["{", "{"], "{"),
    row("isAttrs", &["A"], "B"),
    row("isBool", &["A"], "B"),
    row("isFloat", &["A"], "B"),
    row("isFunction", &["A"], "B"),
    row("isInt", &["A"], "B"),
    row("isList", &["A"], "B"),
    row("isNull", &["A"], "B"),
    row("isPath", &["A"], "B"),
    row("isString", &["A"], "B"),
    row("length", &["La"], "I"),
    row("lessThan", &["#compared", "#compared"], "B"),
    row("listToAttrs", &["#pairs"], "{"),
    row("map", &["a>b", "La"], "Lb"),
    row("mapAttrs", &["S>A>b", "{"], "{"),
    row("match", &["#re", "#matched"], "A"),
    row("mul", &["N", "N"], "N"),
    row("parseDrvName", &["#version"], "{"),
    row("partition", &["a>B", "La"], "{"),
    row("path", &["#source"], "S"),
    row("pathExists", &["#file"], "B"),
    row("placeholder", &["#name"], "S"),
    row("readDir", &["#folder"], "{"),
    row("readFile", &["#file"], "S"),
    row("readFileType", &["#file"], "S"),
    row("removeAttrs", &["{", "L#name"], "{"),
    row("replaceStrings", &["#from", "#to", "S"], "S"),
    row("scopedImport", &["#scope", "#scoped"], "A"),
    row("seq", &["A", "a"], "a"),
    row("sort", &["#before", "L#compared"], "A"),
    row("split", &["#re", "#matched"], "A"),
    row("splitVersion", &["#version"], "LS"),
    row("stringLength", &["S"], "I"),
    row("sub", &["N", "N"], "N"),
    row("substring", &["#index", "I", "S"], "S"),
    row("tail", &["La"], "La"),
    row("throw", &["S"], "A"),
    row("toFile", &["#version", "S"], "S"),
    row("toJSON", &["A"], "S"),
    row("toPath", &["#path"], "S"),
    row("toString", &["A"], "S"),
    row("toXML", &["A"], "S"),
    row("trace", &["A", "a"], "a"),
    row("traceVerbose", &["A", "a"], "a"),
    row("tryEval", &["A"], "{"),
    row("typeOf", &["A"], "S"),
    row("unsafeDiscardOutputDependency", &["S"], "S"),
    row("unsafeDiscardStringContext", &["S"], "S"),
    row("unsafeGetAttrPos", &["#name", "{"], "A"),
    row("warn", &["S", "a"], "a"),
    row("zipAttrsWith", &["S>LA>b", "L{"], "{"),
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().map(|signature| signature.name)
}
