//! The way outside: by `nft` or `iptables` as root, by `pasta` without. The outside is a server on this host's own
//! address; nothing of the way is left in the end, also where all that held the machine was killed.

use crate::killed::kill;
use crate::unprivileged::{group, is_root};
use crate::world::{World, eventually};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// An address of this host that is not its loopback's, where it has one.
fn own_address() -> Option<String> {
    let route = said("ip", &["-4", "route", "get", "192.0.2.200"]);
    let mut words = route.split_whitespace().skip_while(|word| *word != "src");
    words.nth(1).map(str::to_owned)
}

/// A server that greets everybody; gives its port.
fn server() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"greetings");
        }
    });
    port
}

fn asks(address: &str, port: u16) -> String {
    format!("exec 3<>/dev/tcp/{address}/{port}; echo >&3; timeout 5 cat <&3")
}

/// What lies in this host's own network for the machine with this link.
fn rules(link: &str) -> String {
    let all = [
        said("nft", &["list", "tables", "ip"]),
        said("iptables", &["-t", "nat", "-S", "POSTROUTING"]),
        said("ip", &["-brief", "link"]),
    ];
    let net = format!("10.213.{}.0/24", link.trim_start_matches("nival"));
    let is_its = |line: &&str| line.contains(&net) || line.split([' ', '@']).any(|word| word == link);
    all.join("\n").lines().filter(is_its).collect()
}

#[test]
fn root_reaches_the_outside_and_leaves_no_rule() {
    let (true, Some(address)) = (is_root(), own_address()) else { return };
    let port = server();
    let world = World::of(&["outside"]);
    world.write("outside/configuration.nix", "{ }");
    for translator in ["nft", "iptables"] {
        // A program that is no file cannot be found.
        let hidden = if translator == "nft" { "" } else { "mount --bind /dev/null $(command -v nft);" };
        let nival = |words: &[&str]| {
            let script = format!("mount --make-rprivate /; {hidden} exec \"$@\"");
            let plain = world.command(words);
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-c", &script, "sh"])
                .arg(plain.get_program())
                .args(plain.get_args());
            command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = command.current_dir(world.folder.path()).output().expect("runs");
            let text = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(output.status.success(), "{text}");
            text
        };
        assert!(nival(&["up", "--detach", "outside"]).contains(&format!("translated by {translator}")));
        assert_eq!(nival(&["shell", "outside", "--", "bash", "-c", &asks(&address, port)]), "greetings");
        let link = crate::machines::link(&world, "outside").expect("a link");
        assert!(!rules(&link).is_empty());
        kill(&["supervisor", "adopt", "machine"]);
        eventually("the machine is gone", 10, || world.run(&["status", "outside"]).code != 0);
        nival(&["down", "outside"]);
        // A machine of another test may take its number meanwhile.
        eventually("the link is gone", 120, || rules(&link).is_empty());
    }
}

#[test]
fn a_user_reaches_the_outside_by_pasta() {
    let (true, Some(address)) = (is_root(), own_address()) else { return };
    let port = server();
    let world = World::of(&[]);
    let folder = world.folder.path();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("opened");
    world.write("free/configuration.nix", "{ }");
    let program = folder.join("nival");
    std::fs::copy(env!("CARGO_BIN_EXE_nival"), &program).expect("copied");
    Command::new("chown").args(["-R", "nival-ci"]).arg(folder).status().expect("chown runs");
    let run = |device: &str, words: &[&str]| -> Output {
        let script = format!(
            "mount --make-rprivate /; mount -t tmpfs -o mode=755 tmpfs /dev/net; {device} echo $$ > \"$0\"/cgroup.procs; exec setpriv --reuid nival-ci --regid nival-ci --init-groups \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-euc", &script, &group()]).arg(&program).args(words);
        command.env("HOME", folder).env("NO_COLOR", "1").env_remove("NIVAL_DATA_DIR");
        command.env_remove("XDG_RUNTIME_DIR").env_remove("XDG_DATA_HOME").current_dir(folder);
        command.output().expect("runs")
    };
    let text = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let device = "mknod /dev/net/tun c 10 200; chmod 666 /dev/net/tun;";
    assert!(text(run(device, &["up", "--detach", "free"])).contains("network outside: by `pasta`"));
    assert_eq!(text(run("", &["shell", "free", "--", "bash", "-c", &asks(&address, port)])), "greetings");
    // A name that this host can look up: that of the mirror which its apt is set up with.
    let mirrors = said("apt-get", &["indextargets", "--format", "$(REPO_URI)"]);
    let name =
        mirrors.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '\n']).next()).unwrap_or_default();
    if !name.is_empty() && !said("getent", &["hosts", name]).is_empty() {
        assert!(!text(run("", &["shell", "free", "--", "getent", "hosts", name])).is_empty());
    }
    text(run("", &["down", "free"]));
    assert!(said("ps", &["-eo", "args="]).lines().all(|line| !line.contains("pasta --foreground")));
    let without = text(run("mknod /dev/net/tun c 10 200;", &["up", "--detach", "free"]));
    assert!(without.contains("sudo chmod 0666 /dev/net/tun"), "{without}");
    text(run("", &["down", "--delete-data", "--yes", "free"]));
    let _ = Command::new("chown").args(["-R", "root"]).arg(folder).status();
}
