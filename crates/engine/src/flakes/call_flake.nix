# The value of a flake.
# lockText: its lock file. fetched: what was fetched already, by node: { sourceInfo, dir }.
# fetch: makes the source of another node from what the lock file says of it.
lockText: fetched: fetch:
let
  lock = builtins.fromJSON lockText;
  nodes = builtins.mapAttrs node lock.nodes;

  # The node that a way of names leads to, from a node.
  walk =
    from: way:
    if way == [ ] then
      from
    else
      walk (target lock.nodes.${from}.inputs.${builtins.head way}) (builtins.tail way);

  # The node of an input: its name, or the way to the input that it follows.
  target = input: if builtins.isList input then walk lock.root input else input;

  below = path: dir: if dir == "" then path else path + "/" + dir;

  node =
    name: entry:
    let
      known = fetched ? ${name};
      beside = (entry.locked.type or null) == "path" && builtins.substring 0 1 entry.locked.path != "/";
      parent = nodes.${walk lock.root entry.parent};

      sourceInfo =
        if known then
          fetched.${name}.sourceInfo
        else if beside then
          parent.sourceInfo
        else
          fetch (entry.info or { } // removeAttrs entry.locked [ "dir" ]);

      outPath =
        if !known && beside then
          below parent.outPath entry.locked.path
        else
          below sourceInfo.outPath (fetched.${name}.dir or entry.locked.dir or "");

      file = import (outPath + "/flake.nix");
      inputs = builtins.mapAttrs (_: input: nodes.${target input}.result) (entry.inputs or { });
      outputs = file.outputs (inputs // { self = flake; });

      flake =
        outputs
        // sourceInfo
        // {
          inherit
            outPath
            inputs
            outputs
            sourceInfo
            ;
          _type = "flake";
        };
    in
    {
      inherit outPath sourceInfo;
      result =
        if entry.flake or true then
          assert builtins.isFunction file.outputs;
          flake
        else
          sourceInfo // { inherit sourceInfo outPath; };
    };
in
nodes.${lock.root}.result
