//! Machines of a host with systemd: the host is a machine itself, with this program, a store and a project in it.
//!
//! Its /etc is read-only, as that of every machine: a folder of its own lies over the one for units.

use crate::world::{World, eventually};
use std::path::Path;
use std::process::Command;

const HOST: &str = r#"{
  networking.hostName = "host";
  environment.systemPackages = [ "uidmap" "dbus-user-session" "libpam-systemd" "procps" ];
  users.users.ann = { isNormalUser = true; uid = 1000; };
  systemd.services.writable-units = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
    script = ''
      mkdir -p /var/n/upper /var/n/work /run/whole
      # A user namespace may mount its own only where a whole one is seen.
      mount -t proc proc /run/whole
      mount -t overlay overlay -o lowerdir=/etc/systemd/system,upperdir=/var/n/upper,workdir=/var/n/work /etc/systemd/system
      systemctl daemon-reload
      systemctl --no-block start multi-user.target
    '';
  };
}"#;

/// The host, in which commands are run as root or as a user.
struct Host<'a>(&'a World);

impl Host<'_> {
    fn run(&self, user: &str, script: &str) -> (bool, String) {
        let prepared = format!(
            "cd; export XDG_RUNTIME_DIR=/run/user/$(id -u); export PATH=/var/n:$PATH; [ $(id -u) = 0 ] && export NIVAL_DATA_DIR=/var/n/data; {script}"
        );
        let said = self.0.run(&["shell", "host", "--user", user, "--", "sh", "-c", &prepared]);
        (said.code == 0, format!("{}{}", said.out, said.err).trim().to_owned())
    }

    fn fine(&self, user: &str, script: &str) -> String {
        let (fine, text) = self.run(user, script);
        assert!(fine, "{user}: {script}\n{text}");
        text
    }

    fn is_running(&self, user: &str) -> bool {
        self.run(user, "nival shell inner -- systemctl is-system-running").1.ends_with("running")
    }
}

fn sh(script: &str, words: &[&Path]) {
    let status = Command::new("sh").args(["-euc", script, "sh"]).args(words).status();
    assert!(status.expect("sh runs").success(), "{script}");
}

#[test]
fn an_enabled_machine_comes_back_with_its_host() {
    if !Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n") {
        return;
    }
    let world = World::of(&["host"]);
    world.write("host/configuration.nix", HOST);
    world.write("inner/configuration.nix", "{ networking.hostName = \"inner\"; }");
    let inner = world.folder.path().join("data");
    let built = world.command(&["build", "inner"]).env("NIVAL_DATA_DIR", &inner).output().expect("runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    world.fine(&["up", "--detach", "host"]);
    let data = World::data().join("machines/host/data");
    sh(
        "mkdir -p \"$1/home/ann/.local/share\" \"$1/home/ann/.config\"; cp \"$2\" \"$1/var/n/nival\"; cp -a \"$3/inner\" \"$3/data\" \"$1/var/n\"
         rm -rf \"$1/var/n/data/cache\"; cp -a \"$1/var/n/data\" \"$1/home/ann/.local/share/nival\"; chown -R 1000:1000 \"$1/home/ann\"",
        &[&data, Path::new(env!("CARGO_BIN_EXE_nival")), world.folder.path()],
    );
    let host = Host(&world);
    host.fine("root", "loginctl enable-linger ann");
    eventually("the user's manager", 20, || host.run("root", "systemctl is-active user@1000").0);
    for user in ["root", "ann"] {
        let systemctl = if user == "root" { "systemctl" } else { "systemctl --user" };
        // A scope of its own: what the login started may be ended without ending the machine.
        host.fine(user, "cp -r /var/n/inner . 2>/dev/null; nival up --detach inner");
        assert!(
            host.fine(user, &format!("{systemctl} list-units --no-legend '*.scope'"))
                .contains("Nival: inner")
        );
        host.fine(user, "nival enable inner; nival down inner");
    }
    world.fine(&["shell", "host", "--", "systemctl", "reboot"]);
    for user in ["root", "ann"] {
        eventually("the inner machine is back", 60, || host.is_running(user));
    }
    // All of it is killed at once: the unit starts it again.
    host.fine("root", "systemctl kill --signal=KILL --kill-whom=all nival-inner");
    eventually("the inner machine is back", 30, || host.is_running("root"));
    for user in ["root", "ann"] {
        host.fine(user, "nival disable inner; nival down inner");
        assert!(!host.is_running(user));
        assert!(host.run(user, "nival disable inner").1.contains("NV0622"));
    }
}
