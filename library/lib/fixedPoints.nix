# Values that are made of themselves.
{ lib }:
rec {
  # The value that a function gives when it gets that value.
  #
  # Example: fix (self: { a = 1; b = self.a + 1; }) => { a = 1; b = 2; }
  fix =
    f:
    let
      x = f x;
    in
    x;
  # The same, with the function kept in `__unfix__`.
  #
  # Example: (fix' (self: { a = 1; b = self.a; })).b => 1
  fix' =
    f:
    let
      x = f x // {
        __unfix__ = f;
      };
    in
    x;
  # Applies a function until its result is no longer another one.
  #
  # Example: converge (x: x / 2) 16 => 0
  converge =
    f: x:
    let
      next = f x;
    in
    if next == x then x else converge f next;
  # A function for `fix`, with a layer on top: `overlay final previous`.
  #
  # Example: fix (extends (final: previous: { b = previous.a + 1; }) (final: { a = 1; })) => { a = 1; b = 2; }
  extends =
    overlay: f: final:
    let
      previous = f final;
    in
    previous // overlay final previous;
  # Two layers as one, the second on top.
  #
  # Example: fix (extends (composeExtensions (_: p: { a = p.a + 1; }) (_: p: { a = p.a * 2; })) (_: { a = 1; })) => { a = 4; }
  composeExtensions =
    lower: upper: final: previous:
    let
      first = lower final previous;
    in
    first // upper final (previous // first);
  # A list of layers as one, the last on top.
  #
  # Example: fix (extends (composeManyExtensions [ (_: p: { a = p.a + 1; }) (_: p: { a = p.a * 2; }) ]) (_: { a = 1; })) => { a = 4; }
  composeManyExtensions = lib.lists.foldr composeExtensions (_: _: { });
  # A fixed point that can be extended further: `.extend overlay`.
  #
  # Example: ((makeExtensible (self: { a = 1; b = self.a; })).extend (_: _: { a = 2; })).b => 2
  makeExtensible = makeExtensibleWithCustomName "extend";
  # The same, with another name for `extend`.
  #
  # Example: ((makeExtensibleWithCustomName "more" (self: { a = 1; })).more (_: _: { a = 2; })).a => 2
  makeExtensibleWithCustomName =
    name: f:
    fix' (
      self:
      f self
      // {
        ${name} = overlay: makeExtensibleWithCustomName name (extends overlay f);
      }
    );
  # A layer, whether it is written as a set, as `previous: { }` or as `final: previous: { }`.
  #
  # Example: toExtension { a = 1; } { } { } => { a = 1; }
  toExtension =
    layer:
    if lib.trivial.isFunction layer then
      final: previous:
      let
        once = layer previous;
      in
      if lib.trivial.isFunction once then layer final previous else once
    else
      _: _: layer;
}
