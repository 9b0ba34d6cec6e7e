[ (removeAttrs (rec { a = 1; b = a; __overrides = { a = 2; c = 3; }; }) [ "__overrides" ]) (let __sub = a: b: "minus"; in 1 - 2) (let __lessThan = a: b: true; in [ (2 < 1) (2 >= 1) ]) ]
