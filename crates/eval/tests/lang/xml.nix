builtins.toXML { a = 1; b = [ "x<&>\"" null true 1.5 ]; f = { x, y ? 1, ... }@z: x; g = x: x; p = map; d = { type = "derivation"; drvPath = "/d"; outPath = "/o"; }; }
