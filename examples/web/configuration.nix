# The talk's example: a web server and a database, in a few lines.
{
  services.nginx.enable = true;
  services.nginx.virtualHosts."localhost" = {
    default = true;
    root = ./site;
  };

  services.postgresql.enable = true;
  services.postgresql.databases = [ "app" ];
}
