let
  sum = builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 100000);
  chain = n: if n == 0 then [ ] else [ n ] ++ chain (n - 1);
  long = builtins.length (builtins.concatLists (builtins.genList (x: [ x x ]) 10000));
  lazyChain = builtins.foldl' (a: b: { v = a.v + b; }) { v = 0; } (builtins.genList (x: 1) 20000);
in [ sum (builtins.length (chain 3000)) long lazyChain.v ]
