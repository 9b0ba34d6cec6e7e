# A box for a chat community: a WeeChat for each member, attached to through ssh, and a capsule that tells about it.
{ lib, ... }:
let
  members = {
    alice = 9001;
    bob = 9002;
    carol = 9003;
  };
in
{
  services.openssh.enable = true;
  services.weechat.instances = lib.mapAttrs (_: port: { inherit port; }) members;
  users.users = lib.mapAttrs (_: _: { isNormalUser = true; }) members;

  services.gemini.enable = true;
  services.gemini.root = ./capsule;
}
