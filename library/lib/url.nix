# Addresses of the web (RFC 3986): texts to values and back.
{ lib }:
let
  inherit (builtins)
    elemAt
    filter
    isString
    match
    split
    toJSON
    ;
  parts = separator: text: filter isString (split separator text);
  # The bytes that need no `%`.
  plain = lib.strings.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  # All bytes of ASCII that can stand in a text, from the space on.
  printable = lib.strings.stringToCharacters " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
  hex = number: builtins.substring (number / 16) 1 "0123456789ABCDEF" + builtins.substring (lib.trivial.mod number 16) 1 "0123456789ABCDEF";
  codes = builtins.genList (at: "%" + hex (at + 32)) (builtins.length printable);
  special = filter (character: !(builtins.elem character plain)) printable ++ [ "\n" "\t" "\r" ];
  codeOf =
    builtins.listToAttrs (
      builtins.genList (at: {
        name = elemAt printable at;
        value = elemAt codes at;
      }) (builtins.length printable)
    )
    // {
      "\n" = "%0A";
      "\t" = "%09";
      "\r" = "%0D";
    };
  known = map (character: codeOf.${character}) (printable ++ [ "\n" "\t" "\r" ]);
  defaultPorts = {
    ftp = 21;
    ssh = 22;
    http = 80;
    ws = 80;
    imap = 143;
    ldap = 389;
    https = 443;
    wss = 443;
    imaps = 993;
    gemini = 1965;
    postgresql = 5432;
    redis = 6379;
  };
  # A text taken apart: the `value`, or the `problem` with it.
  read =
    text:
    let
      found = match "([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?([^?#]*)(\\?([^#]*))?(#(.*))?" text;
      at = elemAt found;
      authority = if at 1 == null then null else match "(([^@]*)@)?(\\[[^]]*]|[^:]*)(:([0-9]*))?" (at 2);
      part = number: if authority == null then null else elemAt authority number;
      scheme = lib.strings.toLower (at 0);
      written = if part 4 == null || part 4 == "" then null else lib.strings.toInt (part 4);
      user = if part 1 == null then null else match "([^:]*)(:(.*))?" (part 1);
      bare = if part 2 == null then null else match "\\[(.*)]" (part 2);
    in
    {
      problem =
        if found == null then
          "this is no URL, such as `https://www.example.org/`: ${toJSON text}"
        else if at 1 != null && authority == null then
          "the host of this URL cannot be read: ${toJSON text}"
        else if written != null && written > 65535 then
          "a port is at most 65535: ${toJSON text}"
        else
          null;
      value = {
        inherit scheme;
        user = if user == null then null else lib.url.decode (elemAt user 0);
        password = if user == null || elemAt user 2 == null then null else lib.url.decode (elemAt user 2);
        host = if bare != null then elemAt bare 0 else part 2;
        port = if written != null then written else if authority == null then null else defaultPorts.${scheme} or null;
        path = if at 3 == "" && authority != null then "/" else at 3;
        query = if at 5 == null then { } else lib.url.parseQuery (at 5);
        fragment = if at 7 == null then null else lib.url.decode (at 7);
      };
    };
in
rec {
  # Takes an address apart. What it lacks is `null`; the path is at least `/` where there is a host, the query is a set,
  # and the port is the scheme's own where that is known and none is written.
  #
  # Example: (parse "https://www.example.org/a?b=1&c=x%20y#top").query => { b = "1"; c = "x y"; }
  # Example: (parse "https://www.example.org/a").port => 443
  # Example: (parse "http://me@[::1]:8080").host => "::1"
  # Example: (parse "mailto:me@example.org").path => "me@example.org"
  parse =
    text:
    let
      found = read text;
    in
    if found.problem == null then found.value else throw found.problem;

  # What is wrong with a text as an address of the web, or `null`.
  #
  # Example: problem "https://www.example.org/a" => null
  problem = text: (read text).problem;

  # Puts together what `parse` gives; parts may be left out, and the scheme's own port is.
  #
  # Example: format { scheme = "http"; host = "::1"; port = 8080; path = "/a b"; query = { q = "x&y"; }; } => "http://[::1]:8080/a%20b?q=x%26y"
  format =
    {
      scheme,
      host ? null,
      port ? null,
      user ? null,
      password ? null,
      path ? "",
      query ? { },
      fragment ? null,
    }:
    let
      shown = if lib.net.isIPv6 host then "[${host}]" else host;
      secret = if password == null then "" else ":${encode password}";
      login = if user == null then "" else "${encode user}${secret}@";
      ending = if port == null || port == defaultPorts.${scheme} or null then "" else ":${toString port}";
      authority = if host == null then "" else "//${login}${shown}${ending}";
      asked = formatQuery query;
    in
    "${scheme}:${authority}${encodePath path}${if query == { } then "" else "?${asked}"}"
    + (if fragment == null then "" else "#${encode fragment}");

  # Makes a text fit for any part of an address: what is not a letter, a digit or one of `-._~` becomes `%` and two digits.
  #
  # Example: encode "a b/c" => "a%20b%2Fc"
  encode = builtins.replaceStrings special (map (character: codeOf.${character}) special);

  # The same for a path, whose `/` and `%` stay.
  #
  # Example: encodePath "/a b/c" => "/a%20b/c"
  encodePath =
    let
      others = filter (character: !(builtins.elem character (lib.strings.stringToCharacters "/%!$&'()*+,;=:@"))) special;
    in
    builtins.replaceStrings others (map (character: codeOf.${character}) others);

  # Undoes `encode`, for characters of ASCII.
  #
  # Example: decode "a%20b%2fc" => "a b/c"
  decode =
    let
      characters = printable ++ [ "\n" "\t" "\r" ];
    in
    builtins.replaceStrings (known ++ map lib.strings.toLower known) (characters ++ characters);

  # The set of a query such as `a=1&b`.
  #
  # Example: parseQuery "a=1&b" => { a = "1"; b = ""; }
  parseQuery =
    text:
    let
      one =
        pair:
        let
          found = match "([^=]*)(=(.*))?" pair;
          value = elemAt found 2;
        in
        {
          name = decode (elemAt found 0);
          value = if value == null then "" else decode (builtins.replaceStrings [ "+" ] [ " " ] value);
        };
    in
    builtins.listToAttrs (map one (filter (pair: pair != "") (parts "&" text)));

  # The query of a set; numbers and Booleans become texts.
  #
  # Example: formatQuery { a = 1; b = "x y"; } => "a=1&b=x%20y"
  formatQuery =
    query:
    let
      shown = value: if builtins.isBool value then lib.trivial.boolToString value else toString value;
    in
    builtins.concatStringsSep "&" (lib.attrsets.mapAttrsToList (name: value: "${encode name}=${encode (shown value)}") query);
}
