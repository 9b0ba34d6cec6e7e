# A value as a string that both programs make alike: contexts of strings shown, functions left out, depth limited.
value:
let
  show =
    depth: v:
    let
      kind = builtins.typeOf v;
      each = builtins.map (name: builtins.toJSON name + "=" + show (depth - 1) v.${name}) (builtins.attrNames v);
      plain = builtins.unsafeDiscardStringContext v;
    in
    if kind == "string" then
      builtins.toJSON plain + (if builtins.hasContext v then "@" + builtins.toJSON (builtins.getContext v) else "")
    else if kind == "float" then
      "float:" + builtins.toString v + ":" + builtins.toJSON v
    else if kind == "path" then
      "path:" + builtins.toString v
    else if kind == "lambda" then
      "function"
    else if depth == 0 then
      kind
    else if kind == "list" then
      "[" + builtins.concatStringsSep " " (builtins.map (show (depth - 1)) v) + "]"
    else if kind == "set" then
      "{" + builtins.concatStringsSep ";" each + "}"
    else
      builtins.toJSON v;
in
show 5 value
