with builtins; map typeOf [ 1 1.0 "s" ./. null true [ ] { } (x: x) map ] ++ [ (isNull null) (isInt 1.0) (isFloat 1.0) (isString "") (isBool 1) (isAttrs { }) (isList [ ]) ]
