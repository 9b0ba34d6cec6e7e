# What packages say of themselves.
{ lib }:
rec {
  # A package with more said of it.
  #
  # Example: (addMetaAttrs { a = 1; } { meta.b = 2; }).meta => { a = 1; b = 2; }
  addMetaAttrs = more: package: package // { meta = (package.meta or { }) // more; };
  # A package of another priority among those of a profile: the lowest number wins.
  #
  # Example: (setPrio 1 { }).meta.priority => 1
  setPrio = priority: addMetaAttrs { inherit priority; };
  # A package that gives way to others.
  #
  # Example: (lowPrio { }).meta.priority => 10
  lowPrio = setPrio 10;
  # A package that wins over others.
  #
  # Example: (hiPrio { }).meta.priority => -10
  hiPrio = setPrio (-10);
  # A package of another name.
  #
  # Example: (setName "b" { name = "a"; }).name => "b"
  setName = name: package: package // { inherit name; };
  # The path of a package's main program.
  #
  # Example: getExe { outPath = "/a"; name = "b-1"; meta.mainProgram = "b"; } => "/a/bin/b"
  getExe =
    package:
    getExe' package (
      package.meta.mainProgram or package.pname or (
        if package ? name then (builtins.parseDrvName package.name).name else throw "lib.getExe: this is no package"
      )
    );
  # The path of one of a package's programs.
  #
  # Example: getExe' { outPath = "/a"; } "b" => "/a/bin/b"
  getExe' =
    package: program:
    if !(package ? outPath || package ? bin || builtins.isString package) then
      throw "lib.getExe': the first argument is a package, not a ${builtins.typeOf package}"
    else if builtins.isString program && builtins.match ".*/.*" program == null then
      "${lib.attrsets.getBin package}/bin/${program}"
    else
      throw "lib.getExe': the second argument is a program's name, not ${builtins.toJSON program}";
}
