# Building inside a root of Debian packages: nothing of the host is seen, and the compiler is Debian's.
{ debian, architecture }:
let
  systems = {
    amd64 = "x86_64-linux";
    arm64 = "aarch64-linux";
  };
  script = builtins.toFile "build.sh" (builtins.readFile ./build.sh);

  # Builds a source by phases: unpack, patch, configure, build, check and install, each as `NAMEPhase` where its usual
  # form does not fit; an empty text leaves one out.
  build =
    {
      # The name of the result.
      name,
      # A source package of `debian.sources`.
      source ? null,
      # In place of that: a folder or an archive.
      src ? null,
      # The root that it is built in, of `debian.roots`.
      root ? debian.roots.build,
      ...
    }@arguments:
    derivation (
      {
        system = systems.${architecture};
        builder = "/bin/bash";
        args = [
          "-e"
          script
        ];
        PATH = "/usr/sbin:/usr/bin";
        LC_ALL = "C.UTF-8";
        TZ = "UTC";
        __debianRoot = root;
      }
      // (
        if source == null then
          { inherit src; }
        else
          {
            sourceNames = map (file: file.name) source.files;
            sourceFiles = map (file: file.value) source.files;
          }
      )
      // removeAttrs arguments [
        "source"
        "src"
        "root"
      ]
    );

  # A crate of a registry, as `Cargo.lock` has it. The registry is the one that cargo is set up with on this machine.
  crate =
    locked:
    derivation {
      name = "${locked.name}-${locked.version}.crate";
      system = "builtin";
      builder = "builtin:fetch-crate";
      crate = locked.name;
      inherit (locked) version source;
      outputHash = locked.checksum;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
    };

  # Builds a Rust program with Debian's cargo; what `Cargo.lock` names is fetched crate by crate, and the build itself
  # has no network.
  rust =
    {
      # The folder with `Cargo.toml`.
      src,
      # Its lock.
      cargoLock ? src + "/Cargo.lock",
      # The root that it is built in, with `cargo` and what the crates need.
      root ? debian.roots.rust,
      ...
    }@arguments:
    let
      all = (builtins.fromTOML (builtins.readFile cargoLock)).package;
      foreign = builtins.filter (one: one ? source) all;
      crates = map (
        one:
        if one ? checksum then
          one
        else
          throw "the crate `${one.name}` of ${toString cargoLock} has no checksum: only crates of registries can be fetched"
      ) foreign;
      registries = builtins.attrNames (
        builtins.listToAttrs (
          map (one: {
            name = one.source;
            value = null;
          }) crates
        )
      );
    in
    build (
      {
        inherit root registries;
        crateNames = map (one: "${one.name}-${one.version}") crates;
        crateFiles = map crate crates;
        crateHashes = map (one: one.checksum) crates;
        configurePhase = "vendorCrates";
        buildPhase = "cargo build --release --frozen --offline";
        checkPhase = "cargo test --release --frozen --offline";
        installPhase = "installPrograms target/release";
      }
      // removeAttrs arguments [ "cargoLock" ]
    );
in
{
  inherit build rust;
}
