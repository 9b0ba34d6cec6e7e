with builtins; [ (toJSON { a = [ 1 2.5 null true "x\n\"ü" ]; b = { __toString = s: "str"; }; c = { outPath = "out"; }; }) (fromJSON ''{"a": [1, 2.0, -3e2, "\u00e4\n", null, true], "b": {"a": {}}}'')
  (toJSON 1.0) (toJSON 1.0e20) (toJSON 0.1) (toJSON 1.0e-7) (toJSON (0 - 1.5)) (toJSON 123456789012.5) (fromJSON "1e3") (fromJSON "9223372036854775807") (toJSON "\t\r\u0001") ]
