with builtins; [ (head [ 1 2 ]) (tail [ 1 2 3 ]) (tail (tail [ 1 2 3 ])) (length [ ]) (elem 2 [ 1 2 ]) (elem 5 [ ]) (filter (x: x > 1) [ 1 2 3 ])
  (foldl' (a: b: a + b) 0 [ 1 2 3 ]) (foldl' (a: b: b) (throw "lazy") [ 1 ]) (concatLists [ [ 1 ] [ ] [ 2 3 ] ]) (concatMap (x: [ x x ]) [ 1 2 ])
  (all (x: x > 0) [ 1 2 ]) (any (x: x > 1) [ 1 2 ]) (genList (x: x * x) 5) (sort lessThan [ 3 1 2 ])
  (sort (a: b: a.k < b.k) [ { k = 2; v = "a"; } { k = 1; v = "b"; } { k = 2; v = "c"; } { k = 1; v = "d"; } ])
  (partition (x: x > 2) [ 1 5 2 4 ]) (map (x: x) [ ]) (sort (a: b: false) [ 3 2 1 ]) (sort (a: b: true) [ 1 2 3 4 5 6 7 8 9 ])
  (genericClosure { startSet = [ { key = 1; } ]; operator = i: if i.key > 4 then [ ] else [ { key = i.key + 1; } { key = i.key * 2; } ]; })
  (tryEval (1 ++ (assert false; [ ]))) (tryEval ((assert false; [ ]) ++ 1))
  (sort lessThan [ "b" "a" "c" "B" ]) (sort (a: b: a > b) (genList (x: (x * 7919) - (x * 7919) / 101 * 101) 50)) ]
