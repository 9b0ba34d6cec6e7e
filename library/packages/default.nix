# Debian's packages as derivations, from a lock. In a project's file:
#
#   rec {
#     debian = import <nival/packages> {
#       lock = ./nival.lock;
#       roots.build = [ "build-essential" ];
#       sources = [ "hello" ];
#     };
#     hello = debian.build {
#       name = "hello";
#       source = debian.sources.hello;
#     };
#   }
#
# `nival build .#hello` locks what `debian` asks for and is not locked yet; `nival lock` and `nival update` know it, too.
# Where several releases are wanted, `debian` is a set of such sets.
{
  # The file of the lock.
  lock,
  # The release that everything is of.
  release ? "trixie",
  # By name: the packages that are asked for; what they need comes along, by apt's rules.
  roots ? { },
  # Source packages that are asked for.
  sources ? [ ],
  # Whether recommended packages come too.
  recommends ? false,
  # By path: the package that wins a file that several of a root bring.
  diversions ? { },
}:
let
  # What the lock calls a root.
  key = name: "${release}/${name}";
  requests = builtins.listToAttrs (
    map (name: {
      name = key name;
      value = {
        inherit recommends release;
        packages = builtins.sort builtins.lessThan roots.${name};
        sources = [ ];
      };
    }) (builtins.attrNames roots)
    ++ (
      if sources == [ ] then
        [ ]
      else
        [
          {
            name = key "sources";
            value = {
              inherit release sources;
              packages = [ ];
              recommends = false;
            };
          }
        ]
    )
  );

  again = "`nival lock` locks what is asked for";
  locked =
    if builtins.pathExists lock then
      builtins.fromJSON (builtins.readFile lock)
    else
      throw "there is no lock at ${toString lock}: ${again}";
  own = locked.releases.${release} or (throw "the lock has nothing of the release ${release}: ${again}");

  # The text of a version as a part of a store path's name, which cannot hold all of it.
  storeVersion = builtins.replaceStrings [ "~" ":" ] [ "=7E" "=3A" ];

  # A file of a Debian archive. Its mirrors are this machine's, at the time of fetching.
  fetch =
    name: file: repository:
    let
      origin = own.repositories.${repository};
      further = builtins.intersectAttrs {
        url = null;
        snapshots = null;
      } origin;
    in
    derivation (
      further
      // {
        inherit name repository;
        inherit (file) path;
        size = toString file.size;
        dates = builtins.concatStringsSep " " (origin.dates or [ ]);
        system = "builtin";
        builder = "builtin:fetch-debian";
        outputHash = file.sha256;
        outputHashAlgo = "sha256";
        outputHashMode = "flat";
      }
    );

  package =
    locked:
    let
      version = storeVersion locked.version;
    in
    derivation {
      name = "${locked.name}-${version}";
      system = "builtin";
      builder = "builtin:unpack-deb";
      archive = fetch "${locked.name}_${version}_${locked.architecture}.deb" locked locked.repository;
      form = "1";
    }
    // {
      pname = locked.name;
      inherit (locked) version;
    };

  packages = builtins.listToAttrs (
    map (locked: {
      inherit (locked) name;
      value = package locked;
    }) own.packages
  );
  byVersion = builtins.listToAttrs (
    map (locked: {
      name = "${locked.name}=${locked.version}";
      value = package locked;
    }) own.packages
  );

  facts = import ./debian.nix { lib = { }; };

  # The packages of a root in one tree, in which programs run.
  root =
    name: _:
    let
      known = locked.roots.${key name} or { requests = null; };
      chosen =
        if known.requests != requests.${key name}.packages || known.recommends != recommends || known.release != release then
          throw "the lock does not cover the root `${name}` as it is asked for now: ${again}"
        else
          map (text: packages.${text} or byVersion.${text}) known.packages;
    in
    derivation {
      name = "debian-root-${name}";
      system = "builtin";
      builder = "builtin:debian-root";
      root = builtins.toJSON {
        inherit diversions;
        packages = builtins.listToAttrs (
          map (one: {
            name = one.pname;
            value = "${one}";
          }) chosen
        );
        alternatives = builtins.foldl' (all: one: all // (facts.${one.pname}.alternatives or { })) { } chosen;
      };
    };

  # A source package: its files, which `debian.build` unpacks with the patches applied.
  source = text: {
    _type = "debian-source";
    inherit (found text) name version;
    files = map (file: {
      name = baseNameOf file.path;
      value = fetch (storeVersion (baseNameOf file.path)) file (found text).repository;
    }) (found text).files;
  };
  found =
    text:
    let
      same = builtins.filter (one: one.name == text || "${one.name}=${one.version}" == text) (
        own.sources or [ ]
      );
    in
    if same == [ ] then
      throw "the lock does not have the source package `${text}`: ${again}"
    else
      builtins.elemAt same (builtins.length same - 1);

  builders = import ./build.nix {
    inherit debian;
    architecture = own.architecture;
  };

  debian = {
    _type = "debian-packages";
    inherit lock requests packages;
    # The roots by name; each is a derivation of the whole tree.
    roots = builtins.mapAttrs root roots;
    # The source packages that are asked for, by name.
    sources = builtins.listToAttrs (
      map (text: {
        name = builtins.head (builtins.split "=" text);
        value = source text;
      }) sources
    );
    inherit (builders) build rust;
  };
in
debian
