builtins.fromTOML ''
  a = 1
  b = 1.5
  "c d" = "str"
  list = [1, 2, 3]
  hex = 0xff
  [table.sub]
  x = true
  [[array]]
  n = 1
  [[array]]
  n = 2
''
