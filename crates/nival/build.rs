//! How the program is linked: the functions that every command runs side by side (see `startup.ld`), and its relocations
//! packed where the C library can read them so. Both save pages that a short command would touch.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=startup.ld");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    if of("CARGO_CFG_TARGET_OS") != "linux" || of("PROFILE") != "release" {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}/startup.ld", of("CARGO_MANIFEST_DIR"));
    if of("CARGO_CFG_TARGET_ENV") == "gnu" && of("HOST") == of("TARGET") && library_reads_packed() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether this machine's C library is glibc 2.36 or newer.
fn library_reads_packed() -> bool {
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((major, minor)) = text.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'))
    else {
        return false;
    };
    let number = |text: &str| text.split('.').next().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    (number(major), number(minor)) >= (2, 36)
}
