//! Builders that try the kernel's doors one by one: ptrace, keyrings, user namespaces, set-user-id bits, devices, hard
//! links out of their place.

use crate::world::{Said, World};

const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

/// The numbers of ptrace, `add_key` and keyctl.
const CALLS: [u32; 3] = if cfg!(target_arch = "aarch64") { [117, 217, 219] } else { [101, 248, 250] };

fn build(world: &World, name: &str, script: &str) -> Said {
    let expression = format!(
        "let input = builtins.toFile \"victim\" \"kept\"; in derivation {{ name = \"{name}\"; \
         system = builtins.currentSystem; builder = \"/bin/sh\"; PATH = \"/bin:/usr/bin:/sbin:/usr/sbin\"; \
         inherit input; args = [ \"-c\" ''{script}'' ]; }}"
    );
    let words: Vec<&str> = ["build", "--no-link", "-L", "-E", &expression].into_iter().chain(HOST).collect();
    world.run(&words)
}

/// What the builder printed, without its name.
fn lines<'a>(said: &'a Said, name: &str) -> Vec<&'a str> {
    said.err.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix("> ")).collect()
}

fn physical(said: &Said) -> std::path::PathBuf {
    World::data().join("store").join(said.out.trim().trim_start_matches('/'))
}

#[test]
fn ptrace_reaches_no_process_outside() {
    let world = World::new();
    let (outside, [ptrace, ..]) = (std::process::id(), CALLS);
    // 16 is PTRACE_ATTACH, 0x4206 is PTRACE_SEIZE; 3 is ESRCH: there is no such process.
    let script = format!(
        "perl -e 'for my $kind (16, 0x4206) {{ my $r = syscall({ptrace}, $kind, {outside}, 0, 0); \
         print \"$kind $r \", $!+0, \"\\n\" }}'; \
         perl -e 'my $child = fork; if (!$child) {{ sleep 5; exit }} \
         print \"own \", syscall({ptrace}, 16, $child, 0, 0), \"\\n\"; kill 9, $child'; \
         echo > $out"
    );
    let said = build(&world, "tracer", &script);
    assert_eq!(said.code, 0, "{}", said.err);
    // Debuggers work on what a build starts itself.
    assert_eq!(lines(&said, "tracer"), ["16 -1 3", "16902 -1 3", "own 0"], "{}", said.err);
}

#[test]
fn keyrings_of_the_host_cannot_be_asked() {
    let world = World::new();
    let [_, add, control] = CALLS;
    // 38 is ENOSYS. -3 is the session's keyring, -4 the user's.
    let script = format!(
        "perl -e 'my ($t, $d, $p) = (\"user\", \"harm\", \"x\"); \
         print \"add \", syscall({add}, $t, $d, $p, 1, -3), \" \", $!+0, \"\\n\"; \
         for my $ring (-3, -4) {{ print \"ask \", syscall({control}, 0, $ring, 0), \" \", $!+0, \"\\n\" }}'; \
         echo > $out"
    );
    let said = build(&world, "keys", &script);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(lines(&said, "keys"), ["add -1 38", "ask -1 38", "ask -1 38"], "{}", said.err);
}

#[test]
fn a_user_namespace_of_its_own_gives_a_builder_no_rights_over_its_inputs() {
    let world = World::new();
    let script = "cat > inner <<\"END\"\n\
         id -u\n\
         mount -o remount,bind,rw $input 2> /dev/null && echo remounts\n\
         echo changed > $input && echo writes\n\
         umount $input 2> /dev/null && echo unmounts\n\
         mount -t proc none /proc 2> /dev/null; test -e /proc/OUTSIDE/root && echo sees\n\
         mknod /tmp/disk b 8 0 2> /dev/null && head -c 1 /tmp/disk 2> /dev/null && echo devices\n\
         true\n\
         END\n\
         unshare -Urm sh inner 2> /dev/null || echo refused\n\
         read word < $input; echo input $word; echo > $out";
    let script = script.replace("OUTSIDE", &std::process::id().to_string());
    let said = build(&world, "namespaces", &script);
    assert_eq!(said.code, 0, "{}", said.err);
    let heard = lines(&said, "namespaces");
    for word in ["remounts", "writes", "unmounts", "sees", "devices"] {
        assert!(!heard.contains(&word), "{}", said.err);
    }
    assert!(heard.contains(&"input kept"), "{}", said.err);
    world.fine(&["store", "verify"]);
}

#[test]
fn set_user_id_bits_and_devices_are_refused_or_gone() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let script = "mkdir $out; cp /bin/true $out/program; \
         chmod 4755 $out/program 2> /dev/null && echo sets; chmod 2755 $out 2> /dev/null && echo sets; \
         perl -e 'chmod(06755, \"$ENV{out}/program\") and print \"sets\\n\"'; \
         mknod $out/null c 1 3 2> /dev/null && echo makes; \
         perl -e 'use Fcntl; sysopen(my $f, \"$ENV{out}/opened\", O_CREAT|O_WRONLY, 04755) and print \"opened\\n\"'; true";
    let said = build(&world, "bits", script);
    assert_eq!(said.code, 0, "{}", said.err);
    let heard = lines(&said, "bits");
    assert!(!heard.contains(&"sets") && !heard.contains(&"makes"), "{}", said.err);
    let place = physical(&said);
    for name in ["program", "opened", "."] {
        if let Ok(found) = place.join(name).symlink_metadata() {
            assert_eq!(found.mode() & 0o7022, 0, "{name}: {:o}", found.mode());
        }
    }
    assert!(!place.join("null").exists());
}

#[test]
fn a_hard_link_cannot_carry_an_input_or_a_file_of_the_host_out() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let script = "mkdir $out; ln $input $out/input 2> /dev/null && echo links; \
         ln /etc/passwd $out/passwd 2> /dev/null && echo links; ln /usr/bin/env $out/env 2> /dev/null && echo links; \
         echo own > $out/own; ln $out/own $out/other; true";
    let said = build(&world, "links", script);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(lines(&said, "links"), Vec::<&str>::new(), "{}", said.err);
    let place = physical(&said);
    let all: Vec<_> = std::fs::read_dir(&place).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    // Links among its own files are files of their own in the store: nobody who holds one can change the other.
    for name in ["own", "other"] {
        assert_eq!(place.join(name).metadata().expect("there").mode() & 0o222, 0);
    }
    world.fine(&["store", "verify"]);
}
