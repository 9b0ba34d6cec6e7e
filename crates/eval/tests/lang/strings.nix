let x = 3; n = "in"; in [
  "a${toString x}b" "esc \n \t \" \\ \${x} $${x} $x" "${"nested ${n}"}" ''
    indented ${n}
      more ''${kept} $$ ''\n '''quotes'''
    end'' ''one line'' ''
	tab'' ''

    blank first
  ''
  (builtins.substring 1 2 "hello") (builtins.substring 3 100 "hello") (builtins.substring 9 1 "hello") (builtins.substring 0 (-1) "hello")
  (builtins.stringLength "häß") (builtins.replaceStrings [ "a" "" ] [ "b" "-" ] "banana") (builtins.replaceStrings [ "ab" "a" ] [ "X" "Y" ] "abac")
  (builtins.concatStringsSep ", " [ "a" "b" ]) (toString [ 1 [ 2 [ ] 3 ] true null 1.5 ]) (toString false) (builtins.toString { __toString = s: "me"; })
  (builtins.baseNameOf "/a/b/") (builtins.baseNameOf "a") (builtins.dirOf "/a/b") (builtins.dirOf "a") (dirOf /a/b) (dirOf "/a")
  http://example.org/a?b=c ("a" + "b") ]
