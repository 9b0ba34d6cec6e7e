# Lists.
{ lib }:
rec {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    length
    map
    partition
    sort
    tail
    ;
  singleton = x: [ x ];
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  flatten = x: if builtins.isList x then builtins.concatMap flatten x else [ x ];
  foldr =
    f: initial: list:
    let
      count = builtins.length list;
      go = n: if n == count then initial else f (builtins.elemAt list n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  imap0 = f: list: builtins.genList (n: f n (builtins.elemAt list n)) (builtins.length list);
  imap1 = f: list: builtins.genList (n: f (n + 1) (builtins.elemAt list n)) (builtins.length list);
  range = first: last: if first > last then [ ] else builtins.genList (n: first + n) (last - first + 1);
  reverseList =
    list:
    let
      count = builtins.length list;
    in
    builtins.genList (n: builtins.elemAt list (count - n - 1)) count;
  take = count: sublist 0 count;
  drop = count: list: sublist count (builtins.length list) list;
  sublist =
    start: count: list:
    let
      left = builtins.length list - start;
      size =
        if left <= 0 then
          0
        else if count < left then
          count
        else
          left;
    in
    builtins.genList (n: builtins.elemAt list (n + start)) size;
  last = list: builtins.elemAt list (builtins.length list - 1);
  init = list: take (builtins.length list - 1) list;
  toList = x: if builtins.isList x then x else [ x ];
  unique = builtins.foldl' (found: x: if builtins.elem x found then found else found ++ [ x ]) [ ];
  remove = x: builtins.filter (y: y != x);
  subtractLists = gone: builtins.filter (x: !(builtins.elem x gone));
  intersectLists = kept: builtins.filter (x: builtins.elem x kept);
  findFirst =
    test: default: list:
    let
      found = builtins.filter test list;
    in
    if found == [ ] then default else builtins.head found;
  count = test: list: builtins.length (builtins.filter test list);
  zipListsWith =
    f: a: b:
    builtins.genList (n: f (builtins.elemAt a n) (builtins.elemAt b n)) (
      lib.trivial.min (builtins.length a) (builtins.length b)
    );
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  naturalSort = builtins.sort builtins.lessThan;
}
