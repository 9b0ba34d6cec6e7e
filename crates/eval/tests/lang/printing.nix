[ "quote \" \\ \n \r \t \${x} $x" { "a b" = 1; "1x" = 2; if' = 3; "if" = 4; } (x: x) map (map 1) (let x = { self = x; n = 1; }; in x) (let l = [ 1 ]; in [ l l ]) 1.5 (-1) [ ] { } ]
