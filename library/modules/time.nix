# Time zone and language.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  language = config.i18n.defaultLocale;
in
{
  options = {
    time.timeZone = mkOption {
      type = types.strMatching "[A-Za-z0-9_+/-]+";
      default = "UTC";
      description = "The time zone, as the tz database names it.";
      example = "Europe/Paris";
    };
    i18n.defaultLocale = mkOption {
      type = types.nonEmptyStr;
      default = "C.UTF-8";
      description = "The language and character set of programs. Any but `C.UTF-8` brings the package `locales-all`.";
      example = "en_US.UTF-8";
    };
  };
  config.environment = {
    systemPackages = [
      "tzdata"
    ]
    ++ lib.optional (language != "C.UTF-8" && language != "C") "locales-all";
    etc.localtime = {
      link = "/usr/share/zoneinfo/${config.time.timeZone}";
      ownedBy = [ "time.timeZone" ];
    };
    etc.timezone = {
      text = "${config.time.timeZone}\n";
      ownedBy = [ "time.timeZone" ];
    };
    etc."default/locale" = {
      text = "LANG=${language}\n";
      ownedBy = [ "i18n.defaultLocale" ];
    };
    etc."locale.conf" = {
      text = "LANG=${language}\n";
      ownedBy = [ "i18n.defaultLocale" ];
    };
  };
}
