# Folders as sources of packages.
{ lib }:
rec {
  # A filter for `builtins.path` that leaves out what version control and editors keep, and results of builds.
  #
  # Example: cleanSourceFilter "/a/.git" "directory" => false
  cleanSourceFilter =
    path: type:
    let
      name = builtins.baseNameOf (builtins.toString path);
      ends = lib.strings.hasSuffix;
    in
    !(
      (
        type == "directory"
        && builtins.elem name [
          ".git"
          ".svn"
          "CVS"
          ".hg"
          ".jj"
          ".pijul"
          "_darcs"
        ]
      )
      || ends "~" name
      || builtins.match "\\.sw[a-z]" name != null
      || builtins.match "\\..*\\.sw[a-z]" name != null
      || (type == "regular" && (ends ".o" name || ends ".so" name))
      || (type == "symlink" && lib.strings.hasPrefix "result" name)
      || type == "unknown"
    );
  # A folder's files that pass: `{ src, filter ? all, name ? null }`; it can be filtered further.
  #
  # Example: builtins.isFunction cleanSourceWith => true
  cleanSourceWith =
    {
      src,
      filter ? _: _: true,
      name ? null,
    }:
    let
      isFiltered = src ? _isLibCleanSourceWith;
      origSrc = if isFiltered then src.origSrc else src;
      passes = if isFiltered then path: type: src.filter path type && filter path type else filter;
      named =
        if name != null then
          name
        else if isFiltered then
          src.name
        else
          builtins.baseNameOf (builtins.toString src);
    in
    {
      _isLibCleanSourceWith = true;
      inherit origSrc;
      filter = passes;
      name = named;
      outPath = builtins.path {
        path = origSrc;
        name = named;
        filter = passes;
      };
    };
  # A folder without what version control and editors keep, and results of builds.
  #
  # Example: builtins.isFunction cleanSource => true
  cleanSource =
    src:
    cleanSourceWith {
      inherit src;
      filter = cleanSourceFilter;
    };
  # A folder's files whose paths below it match a regular expression.
  #
  # Example: builtins.isFunction sourceByRegex => true
  sourceByRegex =
    src: expressions:
    let
      root = builtins.toString (src.origSrc or src);
    in
    cleanSourceWith {
      inherit src;
      filter =
        path: _:
        let
          below = lib.strings.removePrefix (root + "/") (builtins.toString path);
        in
        builtins.any (expression: builtins.match expression below != null) expressions;
    };
  # A folder's files with some endings, and its folders.
  #
  # Example: builtins.isFunction sourceFilesBySuffices => true
  sourceFilesBySuffices =
    src: endings:
    cleanSourceWith {
      inherit src;
      filter =
        path: type:
        type == "directory" || builtins.any (ending: lib.strings.hasSuffix ending (builtins.baseNameOf path)) endings;
    };
  # A folder's files that pass a filter, as `builtins.filterSource` has it, also where it was filtered before.
  #
  # Example: builtins.isFunction filterSource => true
  filterSource = filter: src: cleanSourceWith { inherit filter src; };
}
