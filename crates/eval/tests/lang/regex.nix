with builtins; [ (match "ab" "abc") (match "abc" "abc") (match "a(b)(c)" "abc") (match "(a)|(b)" "b") (match "[[:space:]]+([[:upper:]]+)[[:space:]]+" "  FOO   ") (match "(.*)\\.nix" "foo.nix")
  (match "[^a-c]*" "xyz") (match "a{2,3}" "aaaa") (match "a{2,3}" "aaa") (match "" "") (match "([0-9]+)\\.([0-9]+)(\\.[0-9]+)?" "1.2")
  (split "(a)b" "abc") (split "([ac])" "abc") (split "(a)|(c)" "abc") (split "([[:upper:]]+)" " FOO ") (split "x" "abc") (split "" "ab") (split "a*" "baac") (split "a|ab" "xabx") (split "(a?)(ab)?" "xabx")
  (split "/" "/a//b/") (match "[]x]+" "]x") (match "[a-]+" "a-") (match "\\$\\{(.*)}" "\${x}") (match ".*\n.*" "a\nb") (split "^a" "aa") (split "a$" "aa") ]
