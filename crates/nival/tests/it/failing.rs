//! Switches that fail: each time the old generation is back, by itself.

use crate::world::{World, get};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const GOOD: &str = r#"services.nginx.enable = true;
  services.nginx.virtualHosts.site = { default = true; locations."/".return = "200 good"; };
  systemd.services.bystander = { wantedBy = [ "multi-user.target" ]; script = "exec sleep infinity"; };"#;

fn configuration(more: &str) -> String {
    format!("{{\n  {GOOD}\n  {more}\n}}\n")
}

#[test]
fn failing_switches_put_everything_back() {
    let world = World::of(&["failing"]);
    world.write("failing/configuration.nix", &configuration(""));
    world.fine(&["up", "--detach", "failing"]);
    let port = world.port("failing", 80);
    let bystander = |world: &World| {
        world.fine(&["shell", "failing", "--", "systemctl", "show", "-P", "MainPID", "bystander"])
    };
    let before = bystander(&world);
    let cases = [
        ("nginx -t refuses it", "services.nginx.appendHttpConfig = \"nonsense;\";", "NV0615", "nonsense"),
        (
            "a site answers 500",
            "services.nginx.virtualHosts.bad = { locations.\"/\".return = 500; };",
            "NV0614",
            "500",
        ),
        (
            "a service dies after 3 s",
            "systemd.services.dies = { wantedBy = [ \"multi-user.target\" ]; script = \"sleep 3; echo I give up; exit 1\"; };",
            "NV0614",
            "I give up",
        ),
        (
            "a service never starts",
            "systemd.services.never = { wantedBy = [ \"multi-user.target\" ]; script = \"sleep infinity\"; serviceConfig = { Type = \"notify\"; TimeoutStartSec = 2; }; };",
            "NV0614",
            "never.service",
        ),
    ];
    for (story, more, code, reason) in cases {
        world.write("failing/configuration.nix", &configuration(more));
        let (asked, lost, said) = while_asking(port, || world.run(&["switch", "failing"]));
        println!("{story}: {lost} of {asked} requests failed");
        assert_ne!(said.code, 0, "{story}");
        assert!(said.err.contains(code) && said.err.contains(reason), "{story}\n{}", said.err);
        assert!(get(port, "site").is_some_and(|page| page.contains("good")), "{story}");
        assert_eq!(lost, 0, "{story}: nginx is only reloaded");
        assert_eq!(bystander(&world), before, "{story}: what did not change went on running");
        world.write("failing/configuration.nix", &configuration(""));
        assert!(world.fine(&["plan", "failing"]).to_lowercase().contains("nothing"), "{story}");
    }
}

/// Asks every 10 ms while something is done: requests, those that failed, and what was returned.
fn while_asking<T>(port: u16, work: impl FnOnce() -> T) -> (u32, u32, T) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let (mut asked, mut lost) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                asked += 1;
                lost += u32::from(!get(port, "site").is_some_and(|page| page.contains("good")));
                std::thread::sleep(Duration::from_millis(10));
            }
            (asked, lost)
        });
        let value = work();
        done.store(true, Ordering::Relaxed);
        let (asked, lost) = asker.join().expect("the asker ends");
        (asked, lost, value)
    })
}

#[test]
fn data_of_another_major_version_is_refused() {
    let world = World::of(&["major"]);
    let postgres = |more: &str| format!("{{ services.postgresql.enable = true; {more} }}");
    world.write("major/configuration.nix", &postgres(""));
    world.fine(&["up", "--detach", "major"]);
    // The machine's data is of version 17; a folder of version 16 stands for a configuration that was changed back.
    let pretend = "mkdir -p /var/lib/postgresql/16/main && mv /var/lib/postgresql/17/main/PG_VERSION /var/lib/postgresql/16/main/ && echo 16 > /var/lib/postgresql/16/main/PG_VERSION";
    world.fine(&["shell", "major", "--", "sh", "-c", pretend]);
    world.write("major/configuration.nix", &postgres("services.postgresql.settings.work_mem = \"8MB\";"));
    let text = world.refused(&["switch", "major"], "NV0615");
    assert!(text.contains("the data of this machine is of PostgreSQL 16"), "{text}");
}
