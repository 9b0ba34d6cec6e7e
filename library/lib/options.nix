# Declaring options, and the properties that surround values.
{ lib }:
let
  inherit (builtins)
    concatMap
    concatStringsSep
    filter
    foldl'
    isAttrs
    isFunction
    isString
    length
    toJSON
    ;
  inherit (lib.attrsets) attrByPath getAttrFromPath setAttrByPath;
  inherit (lib.options)
    mkDefinition
    mkIf
    mkMerge
    mkOverride
    ;
  # Definitions as they were made: with their priority, and with the places that they come from.
  passedOn =
    option:
    mkIf (option.isDefined or false) (
      mkMerge (map (one: mkOverride option.highestPrio (mkDefinition one)) option.definitionsWithLocations)
    );
  # What says once, at each evaluation, where a machine's modules have warnings.
  saying = options: texts: if options ? warnings then { warnings = texts; } else { };
in
rec {
  # An option: `{ type, default, description, example, apply, readOnly, internal, visible }`, all of them optional.
  #
  # Example: (mkOption { default = 1; }).default => 1
  mkOption = declaration: declaration // { _type = "option"; };
  # A switch that is off by default.
  #
  # Example: (mkEnableOption "the notes").description => "Whether to enable the notes."
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  # An option for a package of a set of packages: `mkPackageOption pkgs NAME { default ? NAME, nullable ? false, example, extraDescription ? "" }`.
  #
  # Example: (mkPackageOption { hello = 1; } "hello" { }).default => 1
  mkPackageOption =
    packages: name:
    {
      default ? name,
      nullable ? false,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      path = lib.lists.toList;
      text = at: "${pkgsText}.${lib.strings.concatMapStringsSep "." lib.strings.escapeNixIdentifier (path at)}";
      words = if builtins.isList name then lib.lists.last name else name;
    in
    mkOption (
      {
        type = (if nullable then lib.types.nullOr else (type: type)) lib.types.package;
        description =
          "The ${words} package to use."
          + (if extraDescription == "" then "" else " ${extraDescription}");
      }
      // (
        if default == null then
          (if nullable then { default = null; } else { })
        else
          {
            default = attrByPath (path default) (throw "there is no `${text default}`") packages;
            defaultText = literalExpression (text default);
          }
      )
      // (
        if example == null then
          { }
        else
          { example = literalExpression (if builtins.isList example then text example else example); }
      )
    );
  # An option that takes whatever is defined for it and gives nothing.
  #
  # Example: (mkSinkUndeclaredOptions { }).internal => true
  mkSinkUndeclaredOptions =
    rest:
    mkOption (
      {
        internal = true;
        visible = false;
        default = false;
        description = "What no option stands for.";
        type = lib.types.mkOptionType {
          name = "sink";
          merge = _: _: false;
        };
        apply = _: throw "this option's value is not meant to be read";
      }
      // rest
    );
  # Whether a value is an option.
  #
  # Example: isOption (mkOption { }) => true
  isOption = value: value._type or null == "option";

  # A value that counts only where the condition holds.
  #
  # Example: (mkIf true 1).content => 1
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  # Several values for one option, from one place.
  #
  # Example: (mkMerge [ 1 2 ]).contents => [ 1 2 ]
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  # A value that is an error with this message where the condition does not hold.
  #
  # Example: (mkAssert true "never said" 1).content => 1
  mkAssert = condition: message: mkIf (if condition then true else throw message);
  # A value of a given strength: the lowest number wins.
  #
  # Example: (mkOverride 10 "x").priority => 10
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  # A value as weak as an option's own default.
  #
  # Example: (mkOptionDefault 1).priority => 1500
  mkOptionDefault = mkOverride 1500;
  # A value that gives way to any plain definition.
  #
  # Example: (mkDefault 1).priority => 1000
  mkDefault = mkOverride 1000;
  # A value that wins over plain ones in the images of installers.
  #
  # Example: (mkImageMediaOverride 1).priority => 60
  mkImageMediaOverride = mkOverride 60;
  # A value that wins over any plain definition.
  #
  # Example: (mkForce 1).priority => 50
  mkForce = mkOverride 50;
  # A value that wins over all others where a machine runs as a virtual one.
  #
  # Example: (mkVMOverride 1).priority => 10
  mkVMOverride = mkOverride 10;
  # The priority of a definition without `mkOverride`.
  #
  # Example: defaultOverridePriority => 100
  defaultOverridePriority = 100;
  # The order of a definition without `mkOrder`.
  #
  # Example: defaultOrderPriority => 1000
  defaultOrderPriority = 1000;
  # A value with its place among others: the lowest number comes first.
  #
  # Example: (mkOrder 500 [ 1 ]).priority => 500
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  # A value that comes before plain ones.
  #
  # Example: (mkBefore [ 1 ]).priority => 500
  mkBefore = mkOrder 500;
  # A value that comes after plain ones.
  #
  # Example: (mkAfter [ 1 ]).priority => 1500
  mkAfter = mkOrder 1500;
  # A value that counts as defined in `file`: `{ file, value }`, as `options.NAME.definitionsWithLocations` gives them.
  #
  # Example: (mkDefinition { file = "a.nix"; value = 1; })._type => "definition"
  mkDefinition =
    {
      file,
      value,
      ...
    }@definition:
    definition // { _type = "definition"; };
  # What is done with definitions, also where it depends on them: nothing. For modules that were written for older engines.
  #
  # Example: mkFixStrictness 1 => 1
  mkFixStrictness = content: content;
  # A value made of an option's value, with the priority of its definitions.
  #
  # Example: (mkDerivedConfig { isDefined = false; } (x: x)).condition => false
  mkDerivedConfig =
    option: f:
    mkIf (option.isDefined or false) (mkOverride option.highestPrio (f option.value));

  # What is defined for an option, to be defined for another one.
  #
  # Example: (mkAliasDefinitions { isDefined = false; }).condition => false
  mkAliasDefinitions = mkAliasAndWrapDefinitions (content: content);
  # The same below what `wrap` puts around it.
  #
  # Example: (mkAliasAndWrapDefinitions (x: { a = x; }) { isDefined = false; }).condition => false
  mkAliasAndWrapDefinitions =
    wrap: option: mkAliasIfDef option (wrap (mkMerge (map mkDefinition (option.definitionsWithLocations or [ ]))));
  # The same with the priority that the definitions have.
  #
  # Example: (mkAliasAndWrapDefsWithPriority (x: { a = x; }) { isDefined = false; }).condition => false
  mkAliasAndWrapDefsWithPriority = wrap: option: mkAliasIfDef option (wrap (passedOn option));
  # A value that counts only where an option has a definition.
  #
  # Example: (mkAliasIfDef { isDefined = true; } 1).condition => true
  mkAliasIfDef = option: mkIf (option.isDefined or false);

  # A module in which what is defined at one path counts at another: `{ from, to, visible, warn, use, withPriority ? true, condition ? true }`.
  #
  # `use` makes of the other option's value what who reads the first one gets.
  #
  # Example: builtins.isFunction (doRename { from = [ "a" ]; to = [ "b" ]; visible = false; warn = false; use = x: x; }) => true
  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
      condition ? true,
    }:
    { config, options, ... }:
    let
      old = getAttrFromPath from options;
      now = attrByPath to { } options;
      value = attrByPath to (throw "renaming error: option `${showOption to}` does not exist") config;
      wrap = setAttrByPath to;
    in
    {
      options = setAttrByPath from (
        mkOption {
          inherit visible;
          description = "Alias of `${showOption to}`.";
          apply = _: use value;
          # A set of options of its own where the other is a folder of options.
          type = now.type or (lib.types.submodule { });
        }
      );
      config = mkIf condition (mkMerge [
        (saying options (
          if warn && old.isDefined then
            [
              "The option `${showOption from}` defined in ${showFiles old.files} has been renamed to `${showOption to}`."
            ]
          else
            [ ]
        ))
        (if withPriority then mkAliasAndWrapDefsWithPriority wrap old else mkAliasAndWrapDefinitions wrap old)
      ]);
    };
  # A module for an option that has another name now: who sets the old one sets the new one, and is told.
  #
  # Example: builtins.isFunction (mkRenamedOptionModule [ "services" "old" ] [ "services" "new" ]) => true
  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "obsolete option `${showOption from}` is used: it is called `${showOption to}` now";
    };
  # The same from a release on: `{ from, to, sinceRelease }`, a release as `2611`.
  #
  # Example: builtins.isFunction (mkRenamedOptionModuleWith { from = [ "a" ]; to = [ "b" ]; sinceRelease = 2611; }) => true
  mkRenamedOptionModuleWith =
    {
      from,
      to,
      sinceRelease,
    }:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "obsolete option `${showOption from}` is used: it is called `${showOption to}` since ${toString sinceRelease}";
    };
  # A module for a second name of an option: what is set under one counts under the other.
  #
  # Example: builtins.isFunction (mkAliasOptionModule [ "a" ] [ "b" "c" ]) => true
  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = value: value;
    };
  # Another name of `mkAliasOptionModule`.
  #
  # Example: builtins.isFunction (mkAliasOptionModuleMD [ "a" ] [ "b" ]) => true
  mkAliasOptionModuleMD = mkAliasOptionModule;
  # A module for an option that is no more: who sets it is told what to do instead, and where it is set.
  #
  # Example: builtins.isFunction (mkRemovedOptionModule [ "services" "old" ] "Use services.new.") => true
  mkRemovedOptionModule =
    path: instead:
    { options, ... }:
    let
      option = getAttrFromPath path options;
      name = showOption path;
      # Whether assertions here know which options they mark.
      marks = (options.assertions.type.elemType.getSubOptions or (_: { }) [ ]) ? options;
    in
    {
      options = setAttrByPath path (mkOption {
        visible = false;
        description = "An option that is no more.";
        apply = _: throw "the option `${name}` can no longer be used since it's been removed. ${instead}";
      });
      config.assertions = [
        (
          {
            assertion = !option.isDefined;
            message = "The option definition `${name}` in ${showFiles option.files} no longer has any effect; please remove it. ${instead}";
          }
          // (if marks then { options = [ name ]; } else { })
        )
      ];
    };
  # A module for several options that became one: `merge config` makes its value of theirs.
  #
  # Example: builtins.isFunction (mkMergedOptionModule [ [ "a" ] [ "b" ] ] [ "c" ] (config: config.a + config.b)) => true
  mkMergedOptionModule =
    from: to: merge:
    { config, options, ... }:
    let
      unset = "_mkMergedOptionModule";
      is = path: getAttrFromPath path config != unset;
      set = filter is from;
    in
    {
      options = foldl' lib.attrsets.recursiveUpdate { } (
        map (
          path:
          setAttrByPath path (mkOption {
            visible = false;
            default = unset;
            description = "An option that went into `${showOption to}`.";
          })
        ) from
      );
      config = mkMerge [
        (saying options (
          map (
            path:
            "The option `${showOption path}` defined in ${showFiles (getAttrFromPath path options).files} has been changed to `${showOption to}` that has a different type. Please read `${showOption to}` documentation and update your configuration accordingly."
          ) set
        ))
        (setAttrByPath to (mkMerge (if set == [ ] then [ ] else [ (merge config) ])))
      ];
    };
  # A module for an option that has another name and another type now: `change config` makes the new value of the old one.
  #
  # Example: builtins.isFunction (mkChangedOptionModule [ "a" ] [ "b" ] (config: toString config.a)) => true
  mkChangedOptionModule = from: mkMergedOptionModule [ from ];

  # Text of the language, for examples and defaults in documentation.
  #
  # Example: (literalExpression "1 + 1").text => "1 + 1"
  literalExpression = text: {
    _type = "literalExpression";
    text = if isString text then text else throw "lib.literalExpression takes a text, not ${builtins.typeOf text}";
  };
  # Text in Markdown, for examples and defaults in documentation.
  #
  # Example: (literalMD "*bold*").text => "*bold*"
  literalMD = text: {
    _type = "literalMD";
    text = if isString text then text else throw "lib.literalMD takes a text, not ${builtins.typeOf text}";
  };
  # A path of names as an option is written.
  #
  # Example: showOption [ "services" "a b" "<name>" "enable" ] => "services.\"a b\".<name>.enable"
  showOption = names: concatStringsSep "." (map lib.strings.escapeName names);
  # Files in a sentence.
  #
  # Example: showFiles [ "a.nix" "b.nix" ] => "`a.nix' and `b.nix'"
  showFiles = files: concatStringsSep " and " (map (file: "`${file}'") files);
  # Definitions in a sentence, each with its file.
  #
  # Example: showDefs [ { file = "a.nix"; value = 1; } ] => "\n- In `a.nix': 1"
  showDefs = definitions: lib.strings.concatMapStrings (one: "\n- In `${one.file}': ${toJSON one.value}") definitions;
  # The values of definitions, `{ file, value }`.
  #
  # Example: getValues [ { file = "a.nix"; value = 1; } ] => [ 1 ]
  getValues = map (definition: definition.value);
  # The files of definitions, `{ file, value }`.
  #
  # Example: getFiles [ { file = "a.nix"; value = 1; } ] => [ "a.nix" ]
  getFiles = map (definition: definition.file);
  # The one value of definitions: `mergeOneOption PATH DEFINITIONS`, for types of one's own.
  #
  # Example: mergeOneOption [ "a" ] [ { file = "a.nix"; value = 1; } ] => 1
  mergeOneOption =
    path: definitions:
    if length definitions == 1 then
      (builtins.head definitions).value
    else
      throw "the option `${showOption path}` takes one definition, and has ${toString (length definitions)}:${showDefs definitions}";
  # The value that all definitions agree on, for types of one's own.
  #
  # Example: mergeEqualOption [ "a" ] [ { file = "a.nix"; value = 1; } { file = "b.nix"; value = 1; } ] => 1
  mergeEqualOption =
    path: definitions:
    if definitions == [ ] then
      throw "the option `${showOption path}` has no definition"
    else
      foldl' (
        value: one:
        if one.value == value then
          value
        else
          throw "the definitions of the option `${showOption path}` exclude each other:${showDefs definitions}"
      ) (builtins.head definitions).value definitions;
  # All definitions as one value: lists joined, sets updated, Booleans by `or`, texts joined; for types of one's own.
  #
  # Example: mergeDefaultOption [ "a" ] [ { file = "a"; value = [ 1 ]; } { file = "b"; value = [ 2 ]; } ] => [ 1 2 ]
  mergeDefaultOption =
    path: definitions:
    let
      values = getValues definitions;
      every = test: builtins.all test values;
    in
    if length values == 1 then
      builtins.head values
    else if every isFunction then
      x: mergeDefaultOption path (map (one: one // { value = one.value x; }) definitions)
    else if every builtins.isList then
      builtins.concatLists values
    else if every isAttrs then
      foldl' lib.trivial.mergeAttrs { } values
    else if every builtins.isBool then
      builtins.any (value: value) values
    else if every isString then
      lib.strings.concatStrings values
    else
      throw "the definitions of the option `${showOption path}` cannot be merged:${showDefs definitions}";
  # All options of a tree, as a list that documentation can be made of.
  #
  # Example: map (o: o.name) (optionAttrSetToDocList { a = mkOption { loc = [ "a" ]; }; }) => [ "a" ]
  optionAttrSetToDocList = optionAttrSetToDocList' [ ];
  # The same below a path of names.
  #
  # Example: map (o: o.type) (optionAttrSetToDocList' [ ] { a = mkOption { loc = [ "a" ]; type = lib.types.int; }; }) => [ "integer" ]
  optionAttrSetToDocList' =
    prefix: options:
    concatMap (
      option:
      let
        name = showOption option.loc;
        given = field: if option ? ${field} then { ${field} = scrubOptionValue option.${field}; } else { };
        below = (option.type.getSubOptions or (_: { })) option.loc;
      in
      [
        (
          {
            inherit name;
            inherit (option) loc;
            description = option.description or null;
            declarations = filter (file: file != "<unknown-file>") (option.declarations or [ ]);
            internal = option.internal or false;
            visible = if isString (option.visible or null) then true else option.visible or true;
            readOnly = option.readOnly or false;
            type = option.type.description or "unspecified value";
          }
          // given "example"
          // (if option ? defaultText then { default = option.defaultText; } else given "default")
          // (if option ? relatedPackages && option.relatedPackages != null then { inherit (option) relatedPackages; } else { })
        )
      ]
      ++ (if below == { } || !(isAttrs below) then [ ] else optionAttrSetToDocList' option.loc below)
    ) (lib.attrsets.collect isOption (removeAttrs options [ "_module" ]));
  # A value as documentation can show it: a derivation by its name, a text of the language as itself.
  #
  # Example: scrubOptionValue { type = "derivation"; name = "hello"; } => { type = "derivation"; name = "hello"; outPath = "hello"; drvPath = "hello"; }
  scrubOptionValue =
    value:
    if lib.attrsets.isDerivation value then
      {
        type = "derivation";
        inherit (value) name;
        drvPath = value.name;
        outPath = value.name;
      }
    else if builtins.isList value then
      map scrubOptionValue value
    else if isAttrs value then
      builtins.mapAttrs (_: scrubOptionValue) (removeAttrs value [ "_args" ])
    else
      value;
}
