# The library that modules receive as `lib`. Names and meanings are those of nixpkgs' lib where it has them.
{ native }:
let
  file = path: import path { lib = whole; };
  parts = {
    inherit native;
    asserts = file ./asserts.nix;
    attrsets = file ./attrsets.nix;
    calendar = file ./calendar.nix;
    cli = file ./cli.nix;
    debug = file ./debug.nix;
    filesystem = file ./filesystem.nix;
    fixedPoints = file ./fixedPoints.nix;
    generators = file ./generators.nix;
    lists = file ./lists.nix;
    meta = file ./meta.nix;
    modules = file ./modules.nix;
    net = file ./net.nix;
    options = file ./options.nix;
    secrets = file ./secrets.nix;
    services = file ./services.nix;
    sources = file ./sources.nix;
    strings = file ./strings.nix;
    trivial = file ./trivial.nix;
    types = file ./types.nix;
    units = file ./units.nix;
    url = file ./url.nix;
    versions = file ./versions.nix;
    # Evaluates modules: `{ modules, specialArgs ? { }, prefix ? [ ] }` gives `{ config, options }`.
    evalModules = arguments: native.evalModules ({ lib = whole; } // arguments);
  };
  # What stands in `lib` itself, too; of the files that are read seldom by name, so that they are read only where they are used.
  whole =
    parts
    // parts.trivial
    // parts.lists
    // removeAttrs parts.strings [ "replicate" ]
    // parts.attrsets
    // parts.options
    // {
      inherit (parts.services) mkService serviceModule;
      inherit (parts.asserts) assertMsg assertOneOf;
      inherit (parts.debug)
        runTests
        testAllTrue
        traceFnSeqN
        traceIf
        traceSeq
        traceSeqN
        traceVal
        traceValFn
        traceValSeq
        traceValSeqFn
        traceValSeqN
        unsafeGetAttrPos
        ;
      inherit (parts.filesystem)
        baseNameOf
        dirOf
        pathIsDirectory
        pathIsRegularFile
        pathType
        readFileType
        ;
      inherit (parts.fixedPoints)
        composeExtensions
        composeManyExtensions
        converge
        extends
        fix
        fix'
        makeExtensible
        makeExtensibleWithCustomName
        toExtension
        ;
      inherit (parts.meta)
        addMetaAttrs
        getExe
        getExe'
        hiPrio
        lowPrio
        setName
        setPrio
        ;
      inherit (parts.modules) importApply setDefaultModuleLocation;
      inherit (parts.sources)
        cleanSource
        cleanSourceFilter
        cleanSourceWith
        filterSource
        sourceByRegex
        sourceFilesBySuffices
        ;
      inherit (parts.types) isOptionType isType mkOptionType setType;
      inherit (builtins)
        appendContext
        convertHash
        getContext
        hasContext
        placeholder
        splitVersion
        toFile
        toString
        unsafeDiscardOutputDependency
        ;
    };
in
whole
