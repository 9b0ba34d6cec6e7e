//! The names that the library's sets are made of, as symbols.

use nival_eval::{Evaluator, Symbol};

macro_rules! names {
    ($($field:ident = $text:literal,)*) => {
        /// The symbols of the attributes that are looked at.
        #[derive(Clone, Copy)]
        pub(super) struct Names {
            $(pub(super) $field: Symbol,)*
        }

        impl Names {
            pub(super) fn new(ev: &mut Evaluator) -> Self {
                Self { $($field: ev.symbol($text),)* }
            }
        }
    };
}

names! {
    tag = "_type",
    module_file = "_file",
    apply = "apply",
    args = "args",
    check = "check",
    class = "_class",
    checked_and_merged = "checkedAndMerged",
    condition = "condition",
    config = "config",
    content = "content",
    contents = "contents",
    declaration_positions = "declarationPositions",
    declarations = "declarations",
    default = "default",
    definitions = "definitions",
    definitions_with_locations = "definitionsWithLocations",
    defs = "defs",
    defs_final = "defsFinal",
    defs_final_with_priority = "defsFinal'",
    deprecation_message = "deprecationMessage",
    description = "description",
    disabled = "disabled",
    disabled_modules = "disabledModules",
    empty_value = "emptyValue",
    example = "example",
    file = "file",
    files = "files",
    freeform_type = "freeformType",
    functor = "functor",
    get_sub_modules = "getSubModules",
    head_error = "headError",
    highest_prio = "highestPrio",
    imports = "imports",
    internal = "_internal",
    internal_module = "_module",
    is_coherent = "isV2MergeCoherent",
    is_defined = "isDefined",
    key = "key",
    loc = "loc",
    matched_options = "matchedOptions",
    merge = "merge",
    meta = "meta",
    merged_value = "mergedValue",
    message = "message",
    module = "module",
    modules = "modules",
    name = "name",
    optional_value = "optionalValue",
    options = "options",
    pos = "pos",
    prefix = "prefix",
    priority = "priority",
    read_only = "readOnly",
    require = "require",
    substitute = "substSubModules",
    to_string = "__toString",
    type_ = "type",
    type_merge = "typeMerge",
    unmatched = "unmatchedDefns",
    v2 = "v2",
    value = "value",
    value_meta = "valueMeta",
    values = "values",
    wrapped_message = "wrappedDeprecationMessage",
}
