# A set that stands for a string, with a path added: the path is not copied, so it need not exist.
[
  ({ outPath = "/nowhere"; } + /share/esci)
  ({ outPath = "/nowhere"; } + "/x")
  ({ __toString = self: "text"; } + { outPath = "/y"; })
  ("a" + { outPath = "/z"; })
  (builtins.tryEval ({ outPath = throw "left"; } + (throw "right"))).success
]
