# Network addresses: texts to values and back. What is no address is an error that says what would be one.
{ lib }:
let
  inherit (builtins)
    bitAnd
    bitOr
    bitXor
    concatLists
    concatStringsSep
    elemAt
    filter
    foldl'
    genList
    isString
    length
    match
    split
    stringLength
    toJSON
    ;
  parts = separator: text: filter isString (split separator text);
  # Integers from 0 to 255 and so on, without leading zeros.
  decimal = text: limit: if match "0|[1-9][0-9]{0,9}" text == null then null else within (lib.strings.toInt text) limit;
  within = number: limit: if number <= limit then number else null;
  hexDigits = {
    "0" = 0;
    "1" = 1;
    "2" = 2;
    "3" = 3;
    "4" = 4;
    "5" = 5;
    "6" = 6;
    "7" = 7;
    "8" = 8;
    "9" = 9;
    a = 10;
    b = 11;
    c = 12;
    d = 13;
    e = 14;
    f = 15;
  };
  fromHex =
    text: foldl' (sum: at: sum * 16 + hexDigits.${builtins.substring at 1 text}) 0 (genList (at: at) (stringLength text));
  toHex =
    number:
    let
      digit = builtins.substring (bitAnd number 15) 1 "0123456789abcdef";
    in
    if number < 16 then digit else toHex (number / 16) + digit;
  bytesOf4 =
    text:
    let
      numbers = map (part: decimal part 255) (parts "\\." text);
    in
    if length numbers == 4 && !(builtins.elem null numbers) then numbers else null;
  # Groups of an IPv6 address, of which the last two may be written as an IPv4 address.
  groupsOf =
    text:
    let
      pieces = if text == "" then [ ] else parts ":" text;
      piece =
        part:
        let
          four = bytesOf4 part;
        in
        if match "[0-9a-f]{1,4}" part != null then
          [ (fromHex part) ]
        else if four != null then
          [
            (elemAt four 0 * 256 + elemAt four 1)
            (elemAt four 2 * 256 + elemAt four 3)
          ]
        else
          [ null ];
      early = builtins.any (part: match ".*\\..*" part != null) (lib.lists.take (length pieces - 1) pieces);
    in
    if early then [ null ] else concatLists (map piece pieces);
  bytesOf6 =
    text:
    let
      halves = parts "::" (lib.strings.toLower text);
      left = groupsOf (elemAt halves 0);
      right = if length halves == 2 then groupsOf (elemAt halves 1) else [ ];
      missing = 8 - length left - length right;
      groups = left ++ genList (_: 0) missing ++ right;
      fits = if length halves == 1 then missing == 0 else length halves == 2 && missing > 0;
    in
    if !fits || builtins.elem null (left ++ right) then
      null
    else
      concatLists (
        map (group: [
          (group / 256)
          (bitAnd group 255)
        ]) groups
      );
  # The longest run of groups that are zero, if it has two at least: where it begins, and how many there are.
  longestZeros =
    groups:
    let
      step =
        state: at:
        let
          start = if elemAt groups at != 0 then null else if state.start == null then at else state.start;
          count = if start == null then 0 else at - start + 1;
        in
        {
          inherit start;
          best = if count > state.best.count then { inherit start count; } else state.best;
        };
      first = {
        start = null;
        best = {
          start = 0;
          count = 1;
        };
      };
    in
    (foldl' step first (genList (at: at) 8)).best;
  format6 =
    bytes:
    let
      groups = genList (at: elemAt bytes (at * 2) * 256 + elemAt bytes (at * 2 + 1)) 8;
      zeros = longestZeros groups;
      hex = from: to: concatStringsSep ":" (map toHex (lib.lists.sublist from (to - from) groups));
    in
    if zeros.count < 2 then hex 0 8 else "${hex 0 zeros.start}::${hex (zeros.start + zeros.count) 8}";
  # Bytes of a mask with so many ones in front.
  maskOf =
    count: prefix:
    genList (
      at:
      let
        ones = lib.trivial.max 0 (lib.trivial.min 8 (prefix - at * 8));
      in
      elemAt [
        0
        128
        192
        224
        240
        248
        252
        254
        255
      ] ones
    ) count;
  combine = f: left: right: genList (at: f (elemAt left at) (elemAt right at)) (length left);
  # Adds a number to the address in bytes.
  plus =
    bytes: number:
    (foldl'
      (
        state: at:
        let
          sum = elemAt bytes (length bytes - 1 - at) + state.carry;
          low = bitAnd sum 255;
        in
        {
          carry = (sum - low) / 256;
          bytes = [ low ] ++ state.bytes;
        }
      )
      {
        carry = number;
        bytes = [ ];
      }
      (genList (at: at) (length bytes))
    ).bytes;
  # A text taken apart: the `value`, or the `problem` with it.
  readHostPort =
    text:
    let
      bracketed = match "\\[([0-9a-fA-F:.]+)]:([0-9]{1,5})" text;
      plain = match "([^]/@: []*):([0-9]{1,5})" text;
      found = if bracketed != null then bracketed else plain;
      port = lib.strings.toInt (elemAt found 1);
    in
    {
      problem =
        if found == null then
          "this is no HOST:PORT, such as `127.0.0.1:8080` or `[::1]:8080`: ${toJSON text}"
        else if port > 65535 then
          "a port is at most 65535: ${toJSON text}"
        else if bracketed != null && bytesOf6 (elemAt bracketed 0) == null then
          "this is no IPv6 address in brackets: ${toJSON text}"
        else
          null;
      value = {
        host = elemAt found 0;
        inherit port;
      };
    };
  readAddress =
    text:
    let
      four = bytesOf4 text;
      bytes = if four != null then four else bytesOf6 text;
    in
    {
      problem = if bytes == null then "this is no IP address, such as `192.0.2.1` or `2001:db8::1`: ${toJSON text}" else null;
      value = addressOf bytes;
    };
  readCIDR =
    text:
    let
      found = match "([^/]+)/([0-9]{1,3})" text;
      read = readAddress (elemAt found 0);
      address = read.value;
      prefix = lib.strings.toInt (elemAt found 1);
      bits = length address.bytes * 8;
      mask = maskOf (length address.bytes) prefix;
      show = bytes: (addressOf bytes).text;
      power = count: if count == 0 then 1 else 2 * power (count - 1);
    in
    {
      problem =
        if found == null then
          "this is no network, such as `10.0.0.0/8` or `2001:db8::/32`: ${toJSON text}"
        else if read.problem != null then
          read.problem
        else if prefix > bits then
          "the prefix of this network is at most ${toString bits}: ${toJSON text}"
        else
          null;
      value = {
        inherit (address) family;
        inherit prefix;
        address = address.text;
        network = show (combine bitAnd address.bytes mask);
        last = show (combine bitOr address.bytes (map (bitXor 255) mask));
        mask = show mask;
        size = if bits - prefix > 62 then null else power (bits - prefix);
      };
    };
  # The address of 4 or 16 bytes, with its shortest text.
  addressOf = bytes: {
    inherit bytes;
    family = if length bytes == 4 then 4 else 6;
    text = if length bytes == 4 then concatStringsSep "." (map toString bytes) else format6 bytes;
  };
  valueOf = read: if read.problem == null then read.value else throw read.problem;
in
rec {
  # The address of 4 or 16 bytes.
  #
  # Example: (formatBytes [ 127 0 0 1 ]).text => "127.0.0.1"
  formatBytes = addressOf;

  # Takes `HOST:PORT`, `[IPV6]:PORT` or `:PORT` apart.
  #
  # Example: parseHostPort "[::1]:8080" => { host = "::1"; port = 8080; }
  parseHostPort = text: valueOf (readHostPort text);

  # What is wrong with a text as `HOST:PORT`, or `null`.
  #
  # Example: hostPortProblem "[::1]:8080" => null
  hostPortProblem = text: (readHostPort text).problem;

  # The port of `HOST:PORT`.
  #
  # Example: port "127.0.0.1:8080" => 8080
  port = text: (parseHostPort text).port;

  # The host of `HOST:PORT`, without brackets.
  #
  # Example: host "[::1]:8080" => "::1"
  host = text: (parseHostPort text).host;

  # Puts a host and a port together, with brackets where the host is an IPv6 address.
  #
  # Example: formatHostPort { host = "::1"; port = 80; } => "[::1]:80"
  formatHostPort =
    { host, port }: if isIPv6 host then "[${host}]:${toString port}" else "${host}:${toString port}";

  # Whether a text is an IPv4 address.
  #
  # Example: isIPv4 "127.0.0.256" => false
  isIPv4 = text: bytesOf4 text != null;

  # Whether a text is an IPv6 address, without brackets.
  #
  # Example: isIPv6 "fe80::1" => true
  isIPv6 = text: bytesOf6 text != null;

  # Takes an address apart: its family (4 or 6), its bytes, and its shortest text (RFC 5952).
  #
  # Example: parseAddress "2001:DB8:0:0:0:0:0:1" => { bytes = [ 32 1 13 184 0 0 0 0 0 0 0 0 0 0 0 1 ]; family = 6; text = "2001:db8::1"; }
  parseAddress = text: valueOf (readAddress text);

  # What is wrong with a text as an address, or `null`.
  #
  # Example: addressProblem "127.0.0.1" => null
  addressProblem = text: (readAddress text).problem;

  # Takes a network such as `10.0.0.0/8` apart: the address that is written, the prefix, the first and the last address,
  # the mask, and how many addresses there are (`null` where that is more than an integer holds).
  #
  # Example: (parseCIDR "10.1.2.3/16").network => "10.1.0.0"
  # Example: (parseCIDR "10.1.2.3/16").last => "10.1.255.255"
  # Example: (parseCIDR "2001:db8::/64").mask => "ffff:ffff:ffff:ffff::"
  # Example: (parseCIDR "10.0.0.0/24").size => 256
  parseCIDR = text: valueOf (readCIDR text);

  # What is wrong with a text as a network, or `null`.
  #
  # Example: cidrProblem "10.0.0.0/8" => null
  cidrProblem = text: (readCIDR text).problem;

  # What is wrong with a text as a domain name, or `null`: labels of letters, digits, `-` and `_`, with dots between.
  #
  # Example: domainNameProblem "www.example.org" => null
  domainNameProblem =
    text:
    if match "([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.?" text != null && stringLength text <= 253 then
      null
    else
      "this is no domain name, such as `www.example.org`: ${toJSON text}";

  # Whether a network holds an address, or all of another network.
  #
  # Example: contains "10.0.0.0/8" "10.1.2.3" => true
  # Example: contains "10.0.0.0/8" "11.0.0.0/16" => false
  contains =
    network: inner:
    let
      outside = parseCIDR network;
      inside = if match ".*/.*" inner != null then parseCIDR inner else parseCIDR "${inner}/${toString width}";
      width = length (parseAddress inner).bytes * 8;
      mask = (parseAddress outside.mask).bytes;
      masked = text: combine bitAnd (parseAddress text).bytes mask;
    in
    outside.family == inside.family
    && inside.prefix >= outside.prefix
    && masked inside.network == masked outside.network;

  # Whether two networks have addresses in common.
  #
  # Example: overlaps "10.0.0.0/8" "10.64.0.0/10" => true
  overlaps = left: right: contains left right || contains right left;

  # The address with this number in a network, counted from 0, or from the end where it is negative.
  #
  # Example: nth "10.0.0.0/24" 1 => "10.0.0.1"
  # Example: nth "10.0.0.0/24" (-2) => "10.0.0.254"
  nth =
    network: number:
    let
      parsed = parseCIDR network;
      place = if number < 0 then parsed.size + number else number;
    in
    if parsed.size != null && (place < 0 || place >= parsed.size) || parsed.size == null && number < 0 then
      throw "the network ${network} has no address with the number ${toString number}"
    else
      (formatBytes (plus (parseAddress parsed.network).bytes place)).text;
}
