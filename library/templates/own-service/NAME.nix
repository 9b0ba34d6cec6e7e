# A service of your own: arguments in, everything that an instance is made of out.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "says something to whoever asks by http";

  arguments = {
    port = mkOption {
      type = types.port;
      default = 8080;
      description = "The port that is listened on.";
      example = 8081;
    };
    message = mkOption {
      type = types.str;
      default = "hello";
      description = "What is said.";
      example = "good morning";
    };
  };

  outputs =
    { arguments, instance, ... }:
    {
      packages = [ "python3" ];
      ports.http = {
        inherit (arguments) port;
        argument = "port";
        open = true;
        description = "http";
      };
      files."index.html".text = "<h1>${arguments.message}</h1>\n";
      units.main = {
        description = "NAME, ${instance.label}";
        wantedBy = [ "multi-user.target" ];
        script = "exec python3 -m http.server --directory ${instance.configuration} ${toString arguments.port}";
        serviceConfig.DynamicUser = true;
      };
      # `nival up` and `nival switch` wait for this.
      checks.answers.http = {
        url = "http://127.0.0.1:${toString arguments.port}/index.html";
        contains = arguments.message;
      };
    };

  # Each is started by the test.
  examples.minimal = { };
  examples.advanced = {
    port = 8081;
    message = "good morning";
  };
  securing = "Whoever reaches the port reads what is said.";
}
