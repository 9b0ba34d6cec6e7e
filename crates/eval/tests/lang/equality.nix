let f = x: x; s = { inherit f; }; in [ (f == f) ([ f ] == [ f ]) (s == s) ({ inherit f; } == { inherit f; }) (1 == 1.0) (1 == "1") ([ 1 2 ] == [ 1 2 ]) ({ a = 1; } == { a = 1; b = 2; })
  (null == null) ({ type = "derivation"; outPath = "x"; a = 1; } == { type = "derivation"; outPath = "x"; a = 2; }) (/a == "/a") ("" == "") ([ ] == { }) ((x: x) == (x: x)) ]
