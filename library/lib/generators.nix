# Texts in the formats of configuration files.
{ lib }:
rec {
  # `KEY=VALUE` lines below `[SECTION]` headings; a list repeats its key, `null` leaves it out.
  toUnit =
    sections:
    lib.strings.concatStringsSep "\n" (
      lib.attrsets.mapAttrsToList (
        section: settings: "[${section}]\n${lib.strings.concatStrings (lib.attrsets.mapAttrsToList line settings)}"
      ) (lib.attrsets.filterAttrs (_: settings: settings != { }) sections)
    );
  line =
    name: value:
    if value == null then
      ""
    else if builtins.isList value then
      lib.strings.concatMapStrings (line name) value
    else
      "${name}=${text value}\n";
  text = value: if builtins.isBool value then lib.trivial.boolToString value else builtins.toString value;
  # The same with the words that many programs' files want for Booleans.
  yesNo = value: if builtins.isBool value then (if value then "yes" else "no") else builtins.toString value;
  toJSON = { }: builtins.toJSON;
}
