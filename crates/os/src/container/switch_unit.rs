//! The unit that carries out a switch inside of the machine.

/// Its name.
pub(super) const NAME: &str = "nival-switch.service";

/// Its text. It is started again when it is killed, and then resumes or reverts from the journal on disk.
/// `dynamic` tells whether the program needs its loader.
pub(super) fn text(dynamic: bool) -> String {
    let folder = "/run/nival/runtime";
    let start = if dynamic {
        format!("{folder}/loader --library-path {folder} {folder}/nival")
    } else {
        format!("{folder}/nival")
    };
    format!(
        "[Unit]\n\
         Description=Nival changes this machine to another generation\n\
         DefaultDependencies=no\n\
         RefuseManualStop=yes\n\
         StartLimitIntervalSec=0\n\
         [Service]\n\
         Type=exec\n\
         ExecStart={start} internal switch\n\
         Restart=on-failure\n\
         RestartSec=50ms\n\
         KillMode=process\n\
         OOMScoreAdjust=-900\n\
         SyslogIdentifier=nival-switch\n\
         EnvironmentFile=-/run/nival/switch.env\n\
         Environment=PATH=/usr/sbin:/usr/bin\n\
         Slice=system.slice\n"
    )
}
