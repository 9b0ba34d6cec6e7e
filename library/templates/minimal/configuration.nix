# A machine with the base system only.
{
  # networking.hostName = "minimal";
  environment.systemPackages = [
    # "htop"
  ];
}
