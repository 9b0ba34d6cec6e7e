[ (1 + 2 * 3 - 4 / 2) (7 / 2) (-7 / 2) (1.5 + 1) (1 / 2.0) (-(3 + 4)) (- 3) 0.1 1.0e10 100000.0 123456789.0 1.0e-5
  (builtins.add 1 2) (builtins.sub 1 2) (builtins.mul 3 4) (builtins.div 9 2)
  (builtins.ceil 1.2) (builtins.floor (-1.2)) (builtins.bitAnd 12 10) (builtins.bitOr 12 10) (builtins.bitXor 12 10)
  9223372036854775807 (-9223372036854775807 - 1) 576460752303423488 (576460752303423487 + 1) ]
