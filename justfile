# Short cuts: all work is done by `cargo xtask`, so that cargo is enough.
default:
    @just --list
# Formats, lints and unit tests: minutes.
check:
    cargo xtask check
# Everything that must never break, with real counterparts: what CI runs.
test:
    cargo xtask test
# Accepts changed snapshots and generated documents.
bless:
    cargo xtask bless
# Makes the generated reference below docs/reference.
docs:
    cargo xtask docs
# Measures speed and memory; figures go into docs/benchmarks.md.
bench *ARGS:
    cargo xtask bench {{ARGS}}
# Long campaigns, run by hand; the seed is printed.
torture *ARGS:
    cargo xtask torture {{ARGS}}
# Compares random expressions with C++ Nix; the seed is printed.
fuzz *ARGS:
    cargo xtask fuzz {{ARGS}}
