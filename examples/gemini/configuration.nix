# A service of one's own, as few lines as one of the library's.
{
  imports = [ ./gemini.nix ];

  config.services.capsule.enable = true;
  config.services.capsule.root = ./capsule;
}
