# Versions of software.
{ lib }:
rec {
  inherit (builtins) compareVersions splitVersion;
  # The first part of a version.
  #
  # Example: major "1.2.3" => "1"
  major = version: builtins.elemAt (splitVersion version) 0;
  # The second part of a version.
  #
  # Example: minor "1.2.3" => "2"
  minor = version: builtins.elemAt (splitVersion version) 1;
  # The third part of a version.
  #
  # Example: patch "1.2.3" => "3"
  patch = version: builtins.elemAt (splitVersion version) 2;
  # The first two parts of a version.
  #
  # Example: majorMinor "1.2.3" => "1.2"
  majorMinor = version: builtins.concatStringsSep "." (lib.lists.take 2 (splitVersion version));
  # A version of exactly so many parts: cut, or filled with zeros.
  #
  # Example: pad 3 "1.2" => "1.2.0"
  # Example: pad 2 "1.2.3-rc1" => "1.2-rc1"
  pad =
    count: version:
    let
      parts = lib.strings.splitString "-" version;
      numbers = lib.lists.take count (
        splitVersion (builtins.head parts) ++ builtins.genList (_: "0") count
      );
      rest = builtins.concatStringsSep "-" (builtins.tail parts);
    in
    builtins.concatStringsSep "." numbers + (if rest == "" then "" else "-${rest}");
}
