# All modules of the library.
[
  ./assertions.nix
  ./base.nix
  ./environment.nix
  ./instances.nix
  ./machine.nix
  ./networking.nix
  ./pam.nix
  ./repositories.nix
  ./secrets.nix
  ./sudo.nix
  ./systemd.nix
  ./time.nix
  ./users.nix
]
