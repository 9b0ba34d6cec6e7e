{ lib }:
let
  inherit (builtins) unsafeGetAttrPos concatMap filter length head isAttrs mapAttrs attrNames foldl' sort;
  inherit (lib) types;
  inherit (lib.options) mkOption showOption;

  setDefaultModuleLocation = file: m: { _file = file; imports = [ m ]; };
  tagged = tag: value: isAttrs value && (value._type or "") == tag;
  group = sets: builtins.zipAttrsWith (_: values: values) sets;

  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };

  dischargeProperties = def:
    if tagged "merge" def then concatMap dischargeProperties def.contents
    else if tagged "if" def then (if def.condition then dischargeProperties def.content else [ ])
    else [ def ];

  pushDownProperties = config:
    if tagged "merge" config then concatMap pushDownProperties config.contents
    else if tagged "if" config then map (mapAttrs (_: mkIf config.condition)) (pushDownProperties config.content)
    else if tagged "override" config then map (mapAttrs (_: mkOverride config.priority)) (pushDownProperties config.content)
    else [ config ];

  mergeDefinitions = loc: type: defs:
    let
      bare = concatMap (def: map (value: { inherit (def) file; inherit value; }) (dischargeProperties def.value)) defs;
      priority = def: if tagged "override" def.value then def.value.priority else 100;
      strongest = foldl' (least: def: if priority def < least then priority def else least) 9999 bare;
      inside = def: if tagged "override" def.value then def // { value = def.value.content; } else def;
      kept = map inside (filter (def: priority def == strongest) bare);
      order = def: if tagged "order" def.value then def.value.priority else 1000;
      ordered = sort (a: b: order a < order b) kept;
    in
    rec {
      defsFinal = map (def: if tagged "order" def.value then def // { value = def.value.content; inherit (def.value) priority; } else def) ordered;
      defsFinal' = { values = defsFinal; highestPrio = strongest; };
      isDefined = defsFinal != [ ];
      mergedValue =
        if !isDefined then type.emptyValue.value or (throw "${showOption loc}: no value")
        else if builtins.all (def: type.check def.value) defsFinal then type.merge loc defsFinal
        else throw "${showOption loc}: not ${type.description}";
      optionalValue = if isDefined then { value = mergedValue; } else { };
    };

  mergeOptionDecls = loc: decls:
    foldl'
      (known: decl:
        let both = name: known ? ${name} && decl.options ? ${name}; in
        if both "default" || both "description" then throw "${showOption loc}: declared twice"
        else decl.options // known // {
          declarations = known.declarations ++ [ decl._file ];
          options = (if decl.options.type.getSubModules or null == null then [ ] else map (setDefaultModuleLocation decl._file) decl.options.type.getSubModules) ++ known.options;
        })
      { inherit loc; declarations = [ ]; options = [ ]; }
      decls;

  fixed = option:
    if option.type.getSubModules or null == null then option
    else option // { type = option.type.substSubModules option.options; options = [ ]; };

  evalOptionValue = loc: option: defs:
    let
      default = if option ? default then [ { file = head option.declarations; value = mkOverride 1500 option.default; } ] else [ ];
      all = default ++ defs;
      merged = if option.readOnly or false && length all > 1 then throw "${showOption loc}: read-only" else mergeDefinitions loc option.type all;
    in
    option // {
      value = (option.apply or (value: value)) merged.mergedValue;
      inherit (merged) isDefined;
      inherit (merged.defsFinal') highestPrio;
      files = map (def: def.file) merged.defsFinal;
      definitions = map (def: def.value) merged.defsFinal;
    };

  mergeModules = prefix: modules:
    mergeModules' prefix modules (concatMap (m: map (config: { file = m._file; inherit config; }) (pushDownProperties m.config)) modules);

  mergeModules' = prefix: modules: configs:
    let
      declared = group (map (m: mapAttrs (name: options: { inherit (m) _file; pos = unsafeGetAttrPos name m.options; inherit options; }) m.options) modules);
      defined = group (map (m: mapAttrs (_: value: { inherit (m) file; inherit value; }) m.config) configs);
      results = mapAttrs
        (name: decls:
          let loc = prefix ++ [ name ]; defs = defined.${name} or [ ]; in
          if builtins.all (decl: tagged "option" decl.options) decls then
            { matchedOptions = evalOptionValue loc (fixed (mergeOptionDecls loc decls)) defs; unmatchedDefns = [ ]; }
          else
            mergeModules' loc decls (concatMap (def: map (config: { inherit (def) file; inherit config; }) (pushDownProperties def.value)) defs))
        declared;
      unmatched = mapAttrs (_: result: result.unmatchedDefns) results // removeAttrs defined (attrNames results);
    in
    {
      matchedOptions = mapAttrs (_: result: result.matchedOptions) results;
      unmatchedDefns = concatMap (name: map (def: def // { prefix = [ name ] ++ (def.prefix or [ ]); }) unmatched.${name}) (attrNames unmatched);
    };

  unifyModuleSyntax = file: key: m: {
    _file = m._file or file;
    key = m.key or key;
    imports = m.imports or [ ];
    options = m.options or { };
    config = if m ? config || m ? options then m.config or { } else removeAttrs m [ "_file" "key" "imports" ];
  };

  evalModules = { modules, prefix ? [ ] }:
    let
      load = file: m:
        let
          found = unifyModuleSyntax file "key" (if builtins.isFunction m then m { inherit config options lib; } else m);
        in
        [ found ] ++ concatMap (load found._file) found.imports;
      internal = unifyModuleSyntax "internal" "internal" {
        options._module.check = mkOption { type = types.anything; default = true; };
        options._module.freeformType = mkOption { type = types.anything; default = null; };
      };
      merged = mergeModules prefix (concatMap (load "file") modules ++ [ internal ]);
      options = merged.matchedOptions;
      config =
        let
          values = mapAttrs (_: option: if tagged "option" option then option.value else values option);
          declaredConfig = values options;
        in
        declaredConfig;
      checkUnmatched = if config._module.check && merged.unmatchedDefns != [ ] then throw "${showOption (prefix ++ (head merged.unmatchedDefns).prefix)}: unknown" else null;
    in
    {
      inherit options;
      config = builtins.seq checkUnmatched (removeAttrs config [ "_module" ]);
      all = config;
    };
in
{
  inherit evalModules mergeDefinitions dischargeProperties pushDownProperties mkIf mkOverride mkOrder mkMerge;
  mkForce = mkOverride 50;
}
