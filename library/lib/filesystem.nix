# Files and folders.
{ lib }:
rec {
  inherit (builtins)
    baseNameOf
    dirOf
    hashFile
    pathExists
    readDir
    readFileType
    ;
  # What a path leads to: `"regular"`, `"directory"`, `"symlink"` or `"unknown"`.
  #
  # Example: pathType /. => "directory"
  pathType = builtins.readFileType;
  # Whether a path leads to a folder.
  #
  # Example: pathIsDirectory /. => true
  pathIsDirectory = path: builtins.pathExists path && pathType path == "directory";
  # Whether a path leads to a plain file.
  #
  # Example: pathIsRegularFile /. => false
  pathIsRegularFile = path: builtins.pathExists path && pathType path == "regular";
  # All files below a folder.
  #
  # Example: builtins.isFunction listFilesRecursive => true
  listFilesRecursive =
    folder:
    lib.lists.flatten (
      lib.attrsets.mapAttrsToList (
        name: type: if type == "directory" then listFilesRecursive (folder + "/${name}") else folder + "/${name}"
      ) (builtins.readDir folder)
    );
  # The folder above a path, or it itself, that holds a file whose name matches: `{ path, matches }`, or `null`.
  #
  # Example: locateDominatingFile "no-such-file" /. => null
  locateDominatingFile =
    pattern: start:
    let
      go =
        path:
        let
          found = builtins.filter (match: match != null) (
            map (builtins.match pattern) (builtins.attrNames (builtins.readDir path))
          );
          above = dirOf path;
        in
        if found != [ ] then
          {
            inherit path;
            matches = found;
          }
        else if path == /. then
          null
        else
          go above;
    in
    go (if pathIsDirectory start then start else dirOf start);
}
