# Sets of attributes.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatMap
    elemAt
    filter
    foldl'
    hasAttr
    head
    isAttrs
    length
    listToAttrs
    mapAttrs
    removeAttrs
    tail
    ;
in
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    isAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  # What a path of names leads to, or a default.
  #
  # Example: attrByPath [ "a" "b" ] 0 { a.b = 1; } => 1
  attrByPath =
    path: default: set:
    let
      go =
        n: set:
        if n == length path then
          set
        else if set ? ${elemAt path n} then
          go (n + 1) set.${elemAt path n}
        else
          default;
    in
    go 0 set;
  # Whether a path of names leads to something.
  #
  # Example: hasAttrByPath [ "a" "b" ] { a.b = 1; } => true
  hasAttrByPath =
    path: set: path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  # The longest beginning of a path that leads to something.
  #
  # Example: longestValidPathPrefix [ "a" "b" ] { a.c = 1; } => [ "a" ]
  longestValidPathPrefix =
    path: set:
    if path != [ ] && isAttrs set && set ? ${head path} then
      [ (head path) ] ++ longestValidPathPrefix (tail path) set.${head path}
    else
      [ ];
  # What a path of names leads to; an error where that is nothing.
  #
  # Example: getAttrFromPath [ "a" "b" ] { a.b = 1; } => 1
  getAttrFromPath =
    path: set: attrByPath path (throw "cannot find attribute `${builtins.concatStringsSep "." path}'") set;
  # A set in which a path of names leads to a value.
  #
  # Example: setAttrByPath [ "a" "b" ] 1 => { a.b = 1; }
  setAttrByPath = path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  # Changes what paths of names lead to: a list of `{ path, update }`.
  #
  # Example: updateManyAttrsByPath [ { path = [ "a" "b" ]; update = x: x + 1; } ] { a.b = 1; } => { a.b = 2; }
  updateManyAttrsByPath =
    updates: set:
    let
      # Each change by itself, in order; a path that leads nowhere is an error only where its value is looked at.
      one =
        path: update: known: set:
        if path == [ ] then
          update (if known then set else throw "lib.attrsets.updateManyAttrsByPath: there is nothing to change")
        else
          let
            name = head path;
            inner = if known then set else { };
          in
          inner // { ${name} = one (tail path) update (inner ? ${name}) (inner.${name} or null); };
      # Shorter paths last: they get what longer ones made.
      ordered = builtins.sort (a: b: length a.path > length b.path) updates;
    in
    # Not by `foldl'`: what is replaced as a whole is never looked at.
    lib.lists.foldl (set: change: one change.path change.update true set) set ordered;
  # A path of names as it is written.
  #
  # Example: showAttrPath [ "a" "b c" ] => "a.\"b c\""
  showAttrPath =
    path:
    if path == [ ] then "<root attribute path>" else lib.strings.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;
  # A name and a value, for `listToAttrs`.
  #
  # Example: nameValuePair "a" 1 => { name = "a"; value = 1; }
  nameValuePair = name: value: { inherit name value; };
  # The values of some names.
  #
  # Example: attrVals [ "a" ] { a = 1; b = 2; } => [ 1 ]
  attrVals = names: set: map (name: set.${name}) names;
  # Only some names of a set, each of which it has to have.
  #
  # Example: getAttrs [ "a" ] { a = 1; b = 2; } => { a = 1; }
  getAttrs = names: set: genAttrs names (name: set.${name});
  # A set with new names: the function gives a `nameValuePair`.
  #
  # Example: mapAttrs' (name: value: nameValuePair "x-${name}" value) { a = 1; } => { x-a = 1; }
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  # A list of what a function makes of each name and value.
  #
  # Example: mapAttrsToList (name: value: "${name}${toString value}") { a = 1; } => [ "a1" ]
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  # A set made of the sets that a function makes of each name and value.
  #
  # Example: concatMapAttrs (name: value: { ${name} = value; "${name}2" = value; }) { a = 1; } => { a = 1; a2 = 1; }
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  # The attributes that pass.
  #
  # Example: filterAttrs (name: value: value > 1) { a = 1; b = 2; } => { b = 2; }
  filterAttrs = test: set: removeAttrs set (filter (name: !(test name set.${name})) (attrNames set));
  # The attributes that pass, also in sets below.
  #
  # Example: filterAttrsRecursive (name: value: value != null) { a.b = null; a.c = 1; } => { a = { c = 1; }; }
  filterAttrsRecursive =
    test: set:
    listToAttrs (
      concatMap (
        name:
        let
          value = set.${name};
        in
        if test name value then
          [ (nameValuePair name (if isAttrs value then filterAttrsRecursive test value else value)) ]
        else
          [ ]
      ) (attrNames set)
    );
  # A set with these names and what a function makes of each.
  #
  # Example: genAttrs [ "a" "b" ] (name: name + "!") => { a = "a!"; b = "b!"; }
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  # A set of the pairs that a function makes of each element.
  #
  # Example: genAttrs' [ 1 2 ] (n: nameValuePair "x${toString n}" n) => { x1 = 1; x2 = 2; }
  genAttrs' = list: f: listToAttrs (map f list);
  # A list of names and values.
  #
  # Example: attrsToList { a = 1; } => [ { name = "a"; value = 1; } ]
  attrsToList = mapAttrsToList nameValuePair;
  # Folds over names and values, in order of the names.
  #
  # Example: foldlAttrs (sum: name: value: sum + value) 0 { a = 1; b = 2; } => 3
  foldlAttrs =
    f: initial: set:
    foldl' (all: name: f all name set.${name}) initial (attrNames set);
  # Folds over the values of each name in several sets, from the right.
  #
  # Example: foldAttrs (x: all: [ x ] ++ all) [ ] [ { a = 1; } { a = 2; b = 3; } ] => { a = [ 1 2 ]; b = [ 3 ]; }
  foldAttrs =
    f: initial: sets:
    builtins.zipAttrsWith (_: lib.lists.foldr f initial) sets;
  # A set where the condition holds, else an empty one.
  #
  # Example: optionalAttrs false { a = 1; } => { }
  optionalAttrs = condition: set: if condition then set else { };
  # Several sets as one: later ones win.
  #
  # Example: mergeAttrsList [ { a = 1; } { a = 2; b = 3; } ] => { a = 2; b = 3; }
  mergeAttrsList =
    sets:
    let
      # By halves: each attribute is copied as often as the list can be halved.
      go =
        from: to:
        if from + 1 < to then
          go from ((from + to) / 2) // go ((from + to) / 2) to
        else if from < to then
          elemAt sets from
        else
          { };
    in
    go 0 (length sets);
  # Two sets that share no name, as one.
  #
  # Example: unionOfDisjoint { a = 1; } { b = 2; } => { a = 1; b = 2; }
  unionOfDisjoint =
    left: right:
    let
      both = builtins.intersectAttrs left right;
      shown = builtins.concatStringsSep ", " (map (name: "`${name}`") (attrNames both));
      clash = name: throw "lib.attrsets.unionOfDisjoint: both sets have `${name}`; they share ${shown}";
    in
    left // right // mapAttrs (name: _: clash name) both;
  # The second set over the first, also in sets below.
  #
  # Example: recursiveUpdate { a.b = 1; a.c = 1; } { a.b = 2; } => { a = { b = 2; c = 1; }; }
  recursiveUpdate = recursiveUpdateUntil (_: left: right: !(isAttrs left && isAttrs right));
  # The same down to where `test PATH LEFT RIGHT` holds.
  #
  # Example: recursiveUpdateUntil (path: _: _: path == [ "a" ]) { a.b = 1; } { a.c = 2; } => { a = { c = 2; }; }
  recursiveUpdateUntil =
    test: left: right:
    let
      go =
        path: left: right:
        left
        // mapAttrs (
          name: value:
          if !(left ? ${name}) || test (path ++ [ name ]) left.${name} value then
            value
          else
            go (path ++ [ name ]) left.${name} value
        ) right;
    in
    go [ ] left right;
  # New values for names that a set has already.
  #
  # Example: overrideExisting { a = 1; } { a = 2; b = 3; } => { a = 2; }
  overrideExisting = old: new: mapAttrs (name: value: new.${name} or value) old;
  # Whether a set has all that a pattern has, also in sets below.
  #
  # Example: matchAttrs { a.b = 1; } { a.b = 1; a.c = 2; } => true
  matchAttrs =
    pattern: set:
    if !(isAttrs pattern) then
      throw "lib.attrsets.matchAttrs takes a set as pattern"
    else
      builtins.all (
        name:
        set ? ${name}
        && (
          let
            wanted = pattern.${name};
            found = set.${name};
          in
          if isAttrs wanted then isAttrs found && matchAttrs wanted found else wanted == found
        )
      ) (attrNames pattern);
  # `mapAttrs` that goes into sets below; the function gets the whole path.
  #
  # Example: mapAttrsRecursive (path: value: builtins.concatStringsSep "-" path) { a.b = 1; } => { a = { b = "a-b"; }; }
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  # The same where sets are gone into only if they pass.
  #
  # Example: mapAttrsRecursiveCond (set: !(set ? leaf)) (path: value: 1) { a.leaf = true; b.c = 2; } => { a = 1; b = { c = 1; }; }
  mapAttrsRecursiveCond =
    test: f: set:
    let
      go =
        path:
        mapAttrs (
          name: value:
          if isAttrs value && test value then go (path ++ [ name ]) value else f (path ++ [ name ]) value
        );
    in
    go [ ] set;
  # A list of what a function makes of each path and value.
  #
  # Example: mapAttrsToListRecursive (path: value: "${builtins.concatStringsSep "." path}=${toString value}") { a.b = 1; } => [ "a.b=1" ]
  mapAttrsToListRecursive = mapAttrsToListRecursiveCond (_: _: true);
  # The same where sets are gone into only if `test PATH SET` holds.
  #
  # Example: mapAttrsToListRecursiveCond (path: set: path == [ ]) (path: value: path) { a.b = 1; } => [ [ "a" ] ]
  mapAttrsToListRecursiveCond =
    test: f: set:
    let
      go =
        path: value:
        if isAttrs value && test path value then
          builtins.concatLists (mapAttrsToList (name: go (path ++ [ name ])) value)
        else
          [ (f path value) ];
    in
    go [ ] set;
  # All values in a tree that pass, which are not gone into.
  #
  # Example: collect builtins.isList { a.b = [ 1 ]; c = [ 2 ]; d = 3; } => [ [ 1 ] [ 2 ] ]
  collect =
    test: value:
    if test value then
      [ value ]
    else if isAttrs value then
      concatMap (collect test) (builtins.attrValues value)
    else
      [ ];
  # Every combination of the lists in a set.
  #
  # Example: cartesianProduct { a = [ 1 2 ]; b = [ 3 ]; } => [ { a = 1; b = 3; } { a = 2; b = 3; } ]
  cartesianProduct =
    lists:
    foldl' (
      sets: name: concatMap (set: map (value: set // { ${name} = value; }) lists.${name}) sets
    ) [ { } ] (attrNames lists);
  # What a function makes of every combination of the lists in a set.
  #
  # Example: mapCartesianProduct ({ a, b }: a + b) { a = [ 1 2 ]; b = [ 3 ]; } => [ 4 5 ]
  mapCartesianProduct = f: lists: map f (cartesianProduct lists);
  # What a function makes of the values of some names in several sets.
  #
  # Example: zipAttrsWithNames [ "a" ] (name: values: values) [ { a = 1; } { a = 2; b = 3; } ] => { a = [ 1 2 ]; }
  zipAttrsWithNames = names: f: sets: genAttrs names (name: f name (builtins.catAttrs name sets));
  # The values of each name in several sets.
  #
  # Example: zipAttrs [ { a = 1; } { a = 2; } ] => { a = [ 1 2 ]; }
  zipAttrs = builtins.zipAttrsWith (_: values: values);
  # Whether a value is a derivation.
  #
  # Example: isDerivation { type = "derivation"; } => true
  isDerivation = value: value.type or null == "derivation";
  # A path of the store as a derivation that has it as its output.
  #
  # Example: isDerivation (toDerivation (builtins.toFile "a" "b")) => true
  toDerivation =
    path:
    let
      file = builtins.storePath path;
      self = {
        type = "derivation";
        name = lib.strings.sanitizeDerivationName (
          builtins.substring 33 (-1) (builtins.baseNameOf (builtins.unsafeDiscardStringContext file))
        );
        outPath = file;
        outputs = [ "out" ];
        out = self;
        outputName = "out";
      };
    in
    self;
  # A set that searches for packages go into.
  #
  # Example: (recurseIntoAttrs { }).recurseForDerivations => true
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  # A set that searches for packages do not go into.
  #
  # Example: (dontRecurseIntoAttrs { }).recurseForDerivations => false
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };
  # An output of a package; the package itself where it names an output already, or has no such one.
  #
  # Example: getOutput "dev" { dev = 1; } => 1
  getOutput = name: getFirstOutput [ name "out" ];
  # The first of some outputs that a package has; the package itself where it has none.
  #
  # Example: getFirstOutput [ "dev" "bin" ] { bin = 1; } => 1
  getFirstOutput =
    names: package:
    let
      found = lib.lists.findFirst (name: package ? ${name}) null names;
    in
    if found == null || package.outputSpecified or false then package else package.${found};
  # The output of a package with its programs.
  #
  # Example: getBin { bin = 1; out = 2; } => 1
  getBin = getOutput "bin";
  # The output of a package with its libraries.
  #
  # Example: getLib { lib = 1; out = 2; } => 1
  getLib = getOutput "lib";
  # The output of a package for those who build with it.
  #
  # Example: getDev { dev = 1; out = 2; } => 1
  getDev = getOutput "dev";
  # The output of a package with its headers.
  #
  # Example: getInclude { include = 1; dev = 2; } => 1
  getInclude = getFirstOutput [
    "include"
    "dev"
    "out"
  ];
  # The output of a package with its static libraries.
  #
  # Example: getStatic { static = 1; lib = 2; } => 1
  getStatic = getFirstOutput [
    "static"
    "lib"
    "out"
  ];
  # The output of a package with its manual pages.
  #
  # Example: getMan { man = 1; out = 2; } => 1
  getMan = getOutput "man";
  # Packages' outputs for those who build with them.
  #
  # Example: chooseDevOutputs [ { dev = 1; } ] => [ 1 ]
  chooseDevOutputs = map getDev;
}
