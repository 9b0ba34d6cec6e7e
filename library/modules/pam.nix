# The five files of PAM that services include.
{ ... }:
let
  file = text: {
    inherit text;
    ownedBy = [ "security.pam" ];
  };
in
{
  config.environment.etc = {
    "pam.d/common-auth" = file ''
      auth    [success=1 default=ignore]      pam_unix.so nullok
      auth    requisite                       pam_deny.so
      auth    required                        pam_permit.so
    '';
    "pam.d/common-account" = file ''
      account [success=1 new_authtok_reqd=done default=ignore]        pam_unix.so
      account requisite                       pam_deny.so
      account required                        pam_permit.so
    '';
    "pam.d/common-password" = file ''
      password        [success=1 default=ignore]      pam_unix.so obscure yescrypt
      password        requisite                       pam_deny.so
      password        required                        pam_permit.so
    '';
    "pam.d/common-session" = file ''
      session [default=1]                     pam_permit.so
      session requisite                       pam_deny.so
      session required                        pam_permit.so
      session required                        pam_unix.so
      session optional                        pam_systemd.so
    '';
    "pam.d/common-session-noninteractive" = file ''
      session [default=1]                     pam_permit.so
      session requisite                       pam_deny.so
      session required                        pam_permit.so
      session required                        pam_unix.so
    '';
  };
}
