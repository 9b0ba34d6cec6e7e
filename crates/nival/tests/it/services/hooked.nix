# The example of the notifier, with somebody to log in and a server that is told.
{ ... }:
{
  imports = [ ./notify.nix ];

  security.sudo.needsPassword = false;
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "sudo" ];
    openssh.authorizedKeys.keys = [ "PUBLIC" ];
  };
  environment.systemPackages = [ "python3-minimal" ];
  systemd.services.hook = {
    wantedBy = [ "multi-user.target" ];
    script = ''
      exec python3 -c '
      import socket
      server = socket.socket()
      server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      server.bind(("127.0.0.1", 8025))
      server.listen(5)
      while True:
          client, _ = server.accept()
          print(client.recv(9999).decode().splitlines()[-1], flush=True)
          client.send(b"HTTP/1.0 200 OK\r\n\r\n")
          client.close()
      '
    '';
  };
}
