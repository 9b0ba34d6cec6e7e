# A service of one's own, as few lines as one of the library's.
{
  imports = [ ./gemini.nix ];

  services.gemini.enable = true;
  services.gemini.root = ./capsule;
}
