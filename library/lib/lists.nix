# Lists.
{ lib }:
let
  inherit (builtins)
    elem
    elemAt
    filter
    genList
    head
    length
    tail
    ;
  inherit (lib.trivial) min;
in
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
    isList
    length
    map
    partition
    sort
    tail
    ;
  # A list of one element.
  #
  # Example: singleton 1 => [ 1 ]
  singleton = x: [ x ];
  # `map` with its arguments turned round.
  #
  # Example: forEach [ 1 2 ] (x: x + 1) => [ 2 3 ]
  forEach = list: f: map f list;
  # One element where the condition holds, else none.
  #
  # Example: optional false 1 => [ ]
  optional = condition: value: if condition then [ value ] else [ ];
  # A list where the condition holds, else an empty one.
  #
  # Example: optionals true [ 1 2 ] => [ 1 2 ]
  optionals = condition: list: if condition then list else [ ];
  # All elements of lists in lists.
  #
  # Example: flatten [ 1 [ 2 [ 3 ] ] ] => [ 1 2 3 ]
  flatten = x: if builtins.isList x then builtins.concatMap flatten x else [ x ];
  # Folds from the right, as far as the function asks for the rest.
  #
  # Example: foldr (x: rest: [ x ] ++ rest) [ 3 ] [ 1 2 ] => [ 1 2 3 ]
  foldr =
    f: initial: list:
    let
      count = length list;
      go = n: if n == count then initial else f (elemAt list n) (go (n + 1));
    in
    go 0;
  # Another name of `foldr`.
  #
  # Example: fold (x: sum: x + sum) 0 [ 1 2 ] => 3
  fold = foldr;
  # Folds from the left, each step only where it is needed.
  #
  # Example: foldl (sum: x: sum + x) 0 [ 1 2 ] => 3
  foldl =
    f: initial: list:
    let
      go = n: if n < 0 then initial else f (go (n - 1)) (elemAt list n);
    in
    go (length list - 1);
  # `map` with the position, counted from 0.
  #
  # Example: imap0 (n: x: "${toString n}${x}") [ "a" "b" ] => [ "0a" "1b" ]
  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  # `map` with the position, counted from 1.
  #
  # Example: imap1 (n: x: "${toString n}${x}") [ "a" "b" ] => [ "1a" "2b" ]
  imap1 = f: list: genList (n: f (n + 1) (elemAt list n)) (length list);
  # The elements for which `test POSITION ELEMENT` holds, counted from 0.
  #
  # Example: ifilter0 (n: x: n == 0 || x > 2) [ 1 2 3 ] => [ 1 3 ]
  ifilter0 =
    test: list: map (elemAt list) (filter (n: test n (elemAt list n)) (genList (n: n) (length list)));
  # Whole numbers from the first to the last.
  #
  # Example: range 2 4 => [ 2 3 4 ]
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  # An element so many times.
  #
  # Example: replicate 3 "a" => [ "a" "a" "a" ]
  replicate = count: x: genList (_: x) count;
  # The list backwards.
  #
  # Example: reverseList [ 1 2 3 ] => [ 3 2 1 ]
  reverseList =
    list:
    let
      count = length list;
    in
    genList (n: elemAt list (count - n - 1)) count;
  # The first so many elements.
  #
  # Example: take 2 [ 1 2 3 ] => [ 1 2 ]
  take = count: sublist 0 count;
  # The last so many elements.
  #
  # Example: takeEnd 2 [ 1 2 3 ] => [ 2 3 ]
  takeEnd = count: list: drop (lib.trivial.max 0 (length list - count)) list;
  # All but the first so many elements.
  #
  # Example: drop 2 [ 1 2 3 ] => [ 3 ]
  drop = count: list: sublist count (length list) list;
  # All but the last so many elements.
  #
  # Example: dropEnd 2 [ 1 2 3 ] => [ 1 ]
  dropEnd = count: list: take (lib.trivial.max 0 (length list - count)) list;
  # So many elements from a position on.
  #
  # Example: sublist 1 2 [ 1 2 3 4 ] => [ 2 3 ]
  sublist =
    start: count: list:
    let
      left = length list - start;
      size =
        if left <= 0 then
          0
        else if count < left then
          count
        else
          left;
    in
    genList (n: elemAt list (n + start)) size;
  # Whether a list begins with another.
  #
  # Example: hasPrefix [ 1 ] [ 1 2 ] => true
  hasPrefix = prefix: list: take (length prefix) list == prefix;
  # What follows a list's beginning; an error where it begins in another way.
  #
  # Example: removePrefix [ 1 ] [ 1 2 ] => [ 2 ]
  removePrefix =
    prefix: list:
    if hasPrefix prefix list then
      drop (length prefix) list
    else
      throw "lib.lists.removePrefix: the second list does not begin with the first";
  # The longest beginning that two lists share.
  #
  # Example: commonPrefix [ 1 2 3 ] [ 1 2 4 ] => [ 1 2 ]
  commonPrefix =
    a: b:
    let
      most = min (length a) (length b);
      differs = findFirstIndex (n: elemAt a n != elemAt b n) most (genList (n: n) most);
    in
    take differs a;
  # The last element.
  #
  # Example: last [ 1 2 3 ] => 3
  last =
    list: if list == [ ] then throw "lib.lists.last: the list is empty" else elemAt list (length list - 1);
  # All elements but the last.
  #
  # Example: init [ 1 2 3 ] => [ 1 2 ]
  init =
    list: if list == [ ] then throw "lib.lists.init: the list is empty" else take (length list - 1) list;
  # A list as it is, and anything else as a list of one.
  #
  # Example: toList 1 => [ 1 ]
  toList = x: if builtins.isList x then x else [ x ];
  # Each element once, where it comes first.
  #
  # Example: unique [ 1 2 1 ] => [ 1 2 ]
  unique = builtins.foldl' (found: x: if elem x found then found else found ++ [ x ]) [ ];
  # The same for texts, in no order that can be relied on, and quicker.
  #
  # Example: builtins.length (uniqueStrings [ "a" "b" "a" ]) => 2
  uniqueStrings = list: builtins.attrNames (builtins.groupBy (x: x) list);
  # Whether no element comes twice.
  #
  # Example: allUnique [ 1 2 1 ] => false
  allUnique = list: length (unique list) == length list;
  # A list without an element.
  #
  # Example: remove 1 [ 1 2 1 ] => [ 2 ]
  remove = x: filter (y: y != x);
  # The second list without the elements of the first.
  #
  # Example: subtractLists [ 1 ] [ 1 2 ] => [ 2 ]
  subtractLists = gone: filter (x: !(elem x gone));
  # The elements of the second list that the first has, too.
  #
  # Example: intersectLists [ 1 2 ] [ 2 3 ] => [ 2 ]
  intersectLists = kept: filter (x: elem x kept);
  # Whether two lists share no element.
  #
  # Example: mutuallyExclusive [ 1 ] [ 2 ] => true
  mutuallyExclusive = a: b: intersectLists a b == [ ];
  # The first element that passes, or a default.
  #
  # Example: findFirst (x: x > 1) 0 [ 1 2 3 ] => 2
  findFirst =
    test: default: list:
    let
      found = findFirstIndex test null list;
    in
    if found == null then default else elemAt list found;
  # The position of the first element that passes, or a default.
  #
  # Example: findFirstIndex (x: x > 1) null [ 1 2 3 ] => 1
  findFirstIndex =
    test: default: list:
    let
      # Negative until it is found: what was looked at; then the position.
      found = builtins.foldl' (
        at: x: if at >= 0 then at else if test x then -at - 1 else at - 1
      ) (-1) list;
    in
    if found < 0 then default else found;
  # The only element that passes: `findSingle TEST NONE SEVERAL LIST`.
  #
  # Example: findSingle (x: x > 1) "none" "several" [ 1 2 3 ] => "several"
  findSingle =
    test: none: several: list:
    let
      found = filter test list;
    in
    if found == [ ] then
      none
    else if length found == 1 then
      head found
    else
      several;
  # How many elements pass.
  #
  # Example: count (x: x > 1) [ 1 2 3 ] => 2
  count = test: list: length (filter test list);
  # `groupBy` with each group folded from an initial value.
  #
  # Example: groupBy' (sum: x: sum + x) 0 (x: if x > 1 then "big" else "small") [ 1 2 3 ] => { big = 5; small = 1; }
  groupBy' =
    f: initial: name: list:
    builtins.mapAttrs (_: builtins.foldl' f initial) (builtins.groupBy name list);
  # A function of the elements at the same places of two lists, as long as the shorter one.
  #
  # Example: zipListsWith (a: b: a + b) [ 1 2 ] [ 10 20 30 ] => [ 11 22 ]
  zipListsWith = f: a: b: genList (n: f (elemAt a n) (elemAt b n)) (min (length a) (length b));
  # The elements at the same places of two lists.
  #
  # Example: zipLists [ 1 ] [ "a" ] => [ { fst = 1; snd = "a"; } ]
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  # Every combination of elements of several lists.
  #
  # Example: crossLists (a: b: "${a}${b}") [ [ "a" "b" ] [ "1" "2" ] ] => [ "a1" "a2" "b1" "b2" ]
  crossLists = f: builtins.foldl' (fs: list: builtins.concatMap (f: map f list) fs) [ f ];
  # Sorts by what a function makes of each element.
  #
  # Example: sortOn builtins.stringLength [ "aaa" "b" ] => [ "b" "aaa" ]
  sortOn =
    key: list:
    map (pair: pair.x) (
      builtins.sort (a: b: a.key < b.key) (
        map (x: {
          inherit x;
          key = key x;
        }) list
      )
    );
  # Compares two lists, element by element, with a function that gives -1, 0 or 1.
  #
  # Example: compareLists lib.trivial.compare [ 1 2 ] [ 1 3 ] => -1
  compareLists =
    compare: a: b:
    if a == [ ] then
      (if b == [ ] then 0 else -1)
    else if b == [ ] then
      1
    else
      let
        first = compare (head a) (head b);
      in
      if first == 0 then compareLists compare (tail a) (tail b) else first;
  # Sorts as people do: numbers in texts by their size.
  #
  # Example: naturalSort [ "disk11" "disk8" "disk100" ] => [ "disk8" "disk11" "disk100" ]
  naturalSort =
    list:
    let
      key = text: map (part: if builtins.isList part then lib.strings.toIntBase10 (head part) else part) (builtins.split "([0-9]+)" text);
      # Texts and numbers take turns, so the same places hold the same kinds.
      keyed = map (text: {
        inherit text;
        key = key text;
      }) list;
    in
    map (one: one.text) (builtins.sort (a: b: compareLists lib.trivial.compare a.key b.key < 0) keyed);
  # A list with another element at a position.
  #
  # Example: replaceElemAt [ 1 2 3 ] 1 "two" => [ 1 "two" 3 ]
  replaceElemAt =
    list: at: x:
    if at < 0 || at >= length list then
      throw "lib.lists.replaceElemAt: there is no element ${toString at} in a list of ${toString (length list)}"
    else
      genList (n: if n == at then x else elemAt list n) (length list);
  # Goes back from the first element to one that nothing comes before: `{ minimal, visited, rest }`, or `{ cycle, loops, visited, rest }`.
  #
  # Example: (listDfs true (a: b: a < b) [ 3 1 2 ]).minimal => 1
  listDfs =
    stopOnCycles: before: list:
    let
      go =
        at: visited: rest:
        let
          loops = if stopOnCycles then filter (x: before x at) visited else [ ];
          found = builtins.partition (x: before x at) rest;
        in
        if loops != [ ] then
          {
            cycle = at;
            inherit loops rest visited;
          }
        else if found.right == [ ] then
          {
            minimal = at;
            inherit rest visited;
          }
        else
          go (head found.right) ([ at ] ++ visited) (tail found.right ++ found.wrong);
    in
    go (head list) [ ] (tail list);
  # Sorts so that nothing stands before what comes before it: `{ result }`, or `{ cycle, loops }`.
  #
  # Example: toposort (a: b: a < b) [ 3 1 2 ] => { result = [ 1 2 3 ]; }
  toposort =
    before: list:
    let
      found = listDfs true before list;
      others = toposort before (found.visited ++ found.rest);
    in
    if length list < 2 then
      { result = list; }
    else if found ? cycle then
      {
        cycle = reverseList ([ found.cycle ] ++ found.visited);
        inherit (found) loops;
      }
    else if others ? cycle then
      others
    else
      { result = [ found.minimal ] ++ others.result; };
  # The values of some attributes of a set, as one list.
  #
  # Example: concatAttrValues { a = [ 1 ]; b = [ 2 ]; } => [ 1 2 ]
  concatAttrValues = set: builtins.concatLists (builtins.attrValues set);
}
