# Programs built from source, inside roots of Debian packages: nothing of the host is seen, and the compiler is Debian's.
# `nival build .#hello` locks what is needed, fetches it and builds; the test suites run, too.
rec {
  debian = {
    stable = import <nival/packages> {
      lock = ./nival.lock;
      roots.rust = [
        "cargo"
        "gcc"
        "libc6-dev"
      ];
    };
    old = import <nival/packages> {
      lock = ./nival.lock;
      release = "bookworm";
      roots.build = [ "build-essential" ];
      sources = [
        "hello"
        "zlib"
      ];
    };
  };

  # GNU hello as the release before had it, with its compiler and Debian's patches.
  hello = debian.old.build {
    name = "hello-${debian.old.sources.hello.version}";
    source = debian.old.sources.hello;
  };

  # zlib, whose `configure` is one of its own.
  zlib = debian.old.build {
    name = "zlib";
    source = debian.old.sources.zlib;
  };

  # A Rust program with ten dependencies, each fetched by the hash that `Cargo.lock` has.
  lines = debian.stable.rust {
    name = "lines";
    src = ./lines;
  };
}
