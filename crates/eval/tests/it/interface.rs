//! What other crates do with values.

use crate::disk_world::DiskWorld;
use nival_eval::{Attribute, Coercion, ContextElement, EvalError, Evaluator, Kind, Settings, Value};
use std::cell::Cell;
use std::rc::Rc;

fn evaluator() -> Evaluator {
    Evaluator::new(Rc::new(DiskWorld::default()), Settings::default())
}

#[test]
fn native_functions_are_curried_and_keep_captures() {
    let mut evaluator = evaluator();
    let base = evaluator.int(100);
    let add = evaluator.function("addThree", 2, &[base], |evaluator, captures, arguments| {
        let mut sum = evaluator.expect_int(captures[0])?;
        for argument in arguments {
            sum += evaluator.expect_int(*argument)?;
        }
        Ok(evaluator.int(sum))
    });
    let name = evaluator.symbol("add");
    let scope = evaluator.attrs(&[(name, add)]);
    let value = evaluator.eval_text("t", "map (add 20) [ 1 (1 + 1) ]", "/", Some(scope)).unwrap();
    let value = evaluator.force_deep(value).unwrap();
    assert_eq!(evaluator.print(value), "[ 121 122 ]");
    let (one, two) = (evaluator.int(1), evaluator.int(2));
    let value = evaluator.call(add, &[one, two]).unwrap();
    assert_eq!(evaluator.expect_int(value).unwrap(), 103);
}

#[test]
fn lazy_values_run_once() {
    let mut evaluator = evaluator();
    let runs = Rc::new(Cell::new(0));
    let counted = Rc::clone(&runs);
    let seven = evaluator.int(7);
    let lazy = evaluator.lazy(&[seven], move |_, captures| {
        counted.set(counted.get() + 1);
        Ok(captures[0])
    });
    assert!(!evaluator.is_forced(lazy));
    let list = evaluator.list(&[lazy, lazy]);
    let list = evaluator.force_deep(list).unwrap();
    assert_eq!(evaluator.print(list), "[ 7 7 ]");
    assert_eq!(runs.get(), 1);
}

#[test]
fn attributes_have_names_values_and_places() {
    let mut evaluator = evaluator();
    let set = evaluator.eval_text("file.nix", "{\n  b = 1 + 1;\n  a = throw \"x\";\n}", "/", None).unwrap();
    let attributes = evaluator.attributes(set).unwrap();
    let names: Vec<_> = attributes.iter().map(|a| evaluator.name(a.name).to_owned()).collect();
    assert_eq!(names, ["a", "b"]);
    let place = evaluator.sources().place(attributes[1].position.unwrap());
    assert_eq!(place, "file.nix:2:3");
    let copy: Vec<Attribute> = attributes.iter().filter(|a| evaluator.name(a.name) == "b").copied().collect();
    let copy = evaluator.attrs_at(&copy);
    let name = evaluator.symbol("b");
    let attribute = evaluator.attribute(copy, name).unwrap().unwrap();
    assert_eq!(evaluator.sources().place(attribute.position.unwrap()), "file.nix:2:3");
    let value = evaluator.select(copy, "b").unwrap();
    assert_eq!(evaluator.expect_int(value).unwrap(), 2);
    assert!(evaluator.select_opt(copy, "a").unwrap().is_none());
}

#[test]
fn formals_are_told() {
    let mut evaluator = evaluator();
    let function = evaluator.eval_text("t", "{ a, b ? 1, ... }: a", "/", None).unwrap();
    let formals = evaluator.formals(function).unwrap().unwrap();
    assert!(formals.ellipsis);
    let told: Vec<_> =
        formals.names.iter().map(|f| (evaluator.name(f.name).to_owned(), f.has_default)).collect();
    assert_eq!(told, [("a".to_owned(), false), ("b".to_owned(), true)]);
    let plain = evaluator.eval_text("t", "x: x", "/", None).unwrap();
    assert!(evaluator.formals(plain).unwrap().is_none());
}

#[test]
fn errors_pass_through_and_gather_frames() {
    let mut evaluator = evaluator();
    let failing = evaluator.lazy(&[], |evaluator, _| {
        let entry = &nival_eval::diagnostics::thrown::ENTRY;
        Err(evaluator.throw(entry, "from Rust", None))
    });
    let name = evaluator.symbol("x");
    let scope = evaluator.attrs(&[(name, failing)]);
    let error = evaluator.eval_text("t", "(builtins.tryEval x).value", "/", Some(scope)).unwrap_err();
    let error: EvalError = error.frame(None, "while testing");
    assert_eq!(error.diagnostic().message, "from Rust");
    assert_eq!(error.diagnostic().trace.last().unwrap().text, "while testing");
}

#[test]
fn strings_keep_their_context() {
    let mut evaluator = evaluator();
    let context = evaluator.context(&[ContextElement::Plain("/nix/store/x".to_owned())]);
    let string = evaluator.string_with("a", context);
    let name = evaluator.symbol("s");
    let scope = evaluator.attrs(&[(name, string)]);
    let value = evaluator.eval_text("t", "\"${s}b\"", "/", Some(scope)).unwrap();
    let (text, context) = evaluator.expect_string_context(value).unwrap();
    assert_eq!(text, "ab");
    assert_eq!(evaluator.context_elements(context), [ContextElement::Plain("/nix/store/x".to_owned())]);
    assert!(evaluator.expect_string(value).is_err());
}

#[test]
fn values_compare_convert_and_print() {
    let mut evaluator = evaluator();
    let left = evaluator.eval_text("t", "{ a = [ 1 2 ]; }", "/", None).unwrap();
    let right = evaluator.from_json("{\"a\": [1, 2]}").unwrap();
    assert!(evaluator.equal(left, right).unwrap());
    assert_eq!(evaluator.to_json(left, false).unwrap().0, "{\"a\":[1,2]}");
    assert_eq!(evaluator.kind(left).unwrap(), Kind::Attrs);
    let how = Coercion { more: true, copy_to_store: false };
    assert_eq!(evaluator.coerce_to_string(Value::TRUE, how).unwrap().0, "1");
    let names = [evaluator.symbol("a")];
    let selected = evaluator.lazy_select(left, &names);
    let selected = evaluator.force(selected).unwrap();
    assert_eq!(evaluator.expect_list(selected).unwrap().len(), 2);
}

#[test]
fn own_files_come_first_in_diagnostics() {
    let mut evaluator = evaluator();
    let library = evaluator.eval_text("library.nix", "{ pick = x: if x then 1 else 2; }", "/", None).unwrap();
    let name = evaluator.symbol("lib");
    let scope = evaluator.attrs(&[(name, library)]);
    let error = evaluator.eval_text("mine.nix", "1 +\n  lib.pick \"yes\"", "/", Some(scope)).unwrap_err();
    let plain = error.diagnostic();
    assert_eq!(evaluator.sources().name(plain.labels[0].span.source), "library.nix");
    let diagnostic =
        nival_eval::own_file_first(error.diagnostic(), evaluator.sources(), |name| name == "mine.nix");
    assert_eq!(evaluator.sources().place(diagnostic.labels[0].span), "mine.nix:2:3");
    assert_eq!(diagnostic.labels[0].text, "while calling the function `pick`");
    assert_eq!(diagnostic.labels[1].text, "raised here");
}

#[test]
fn near_names_are_suggested() {
    let mut evaluator = evaluator();
    for (text, near) in [
        ("let number = 1; in numbre", "number"),
        ("{ enable = 1; }.enabel", "enable"),
        ("with { enable = 1; }; enabel", "enable"),
        ("({ enable }: 1) { enabel = 1; enable = 2; }", "enable"),
    ] {
        let error = evaluator.eval_text("t", text, "/", None).unwrap_err();
        assert_eq!(error.diagnostic().help, [format!("did you mean `{near}`?")], "{text}");
    }
}

#[test]
fn what_is_not_needed_is_printed_as_in_cpp_nix() {
    // Printed by nix-instantiate --eval of C++ Nix 2.34.8.
    for (text, wanted) in [
        ("{ a = []; b = {}; f = x: x; i = -1; }", "{ a = [ ]; b = <CODE>; f = <CODE>; i = <CODE>; }"),
        ("let s = { a = 1; }; in builtins.seq s ((x: [ x ]) s.a)", "[ <CODE> ]"),
        ("rec { a = b; b = 1; }", "{ a = <CODE>; b = 1; }"),
        ("let r = rec { f = x: x; g = f 1; }; in builtins.seq r.g r", "{ f = <LAMBDA>; g = 1; }"),
        ("builtins.attrValues { a = 1; b = x: x; c = 1 + 1; }", "[ 1 <CODE> <CODE> ]"),
        ("[ map (map (x: x)) ]", "[ <PRIMOP> <CODE> ]"),
        ("map (x: x)", "<PRIMOP-APP>"),
        ("builtins.unsafeGetAttrPos \"a\" { a = 1; }", "null"),
    ] {
        let mut evaluator = Evaluator::new(Rc::new(DiskWorld::default()), Settings::default());
        evaluator.delay_as_written();
        let value = evaluator.eval_text("(text)", text, "/", None).expect(text);
        assert_eq!(evaluator.print(value), wanted, "{text}");
    }
}
