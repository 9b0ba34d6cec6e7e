# Network addresses.
{ lib }:
rec {
  # Takes `HOST:PORT`, `[IPV6]:PORT` or `:PORT` apart: `{ host, port }`.
  parseHostPort =
    text:
    let
      bracketed = builtins.match "\\[([0-9a-fA-F:.]+)]:([0-9]+)" text;
      plain = builtins.match "([^:]*):([0-9]+)" text;
      found = if bracketed != null then bracketed else plain;
      port = lib.strings.toInt (builtins.elemAt found 1);
    in
    if found == null then
      throw "this is no HOST:PORT, such as `127.0.0.1:8080` or `[::1]:8080`: ${builtins.toJSON text}"
    else if port > 65535 then
      throw "a port is at most 65535: ${builtins.toJSON text}"
    else
      {
        host = builtins.elemAt found 0;
        inherit port;
      };
  # The port of `HOST:PORT`.
  port = text: (parseHostPort text).port;
}
