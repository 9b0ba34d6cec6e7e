# The path is evaluated before the scope.
map (value: (builtins.tryEval value).success) [
  (builtins.scopedImport 1 (throw "the path"))
  (builtins.scopedImport (throw "the scope") (throw "the path"))
]
