# Secrets: values that can be named as a file, and nothing else.
{ lib }:
rec {
  # Whether a value is a secret.
  #
  # Example: isSecret "text" => false
  isSecret = value: lib.native.secretName value != null;
  # The file that holds a secret on the machine.
  #
  # Example: file (lib.native.secret "app") => "/run/secrets/app"
  file =
    secret:
    let
      name = lib.native.secretName secret;
    in
    if name == null then throw "this is no secret: write `config.secrets.NAME`" else "/run/secrets/${name}";
}
