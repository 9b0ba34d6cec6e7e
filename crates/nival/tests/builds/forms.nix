# Derivations of every form. Built by Nival and by C++ Nix they must have the same paths, contents and references.
# `bin` is a folder of programs that both are given.
{
  bin ? "/bin",
}:
let
  system = builtins.currentSystem;
  sh =
    name: script: extra:
    derivation (
      {
        inherit name system;
        builder = "/bin/sh";
        PATH = bin;
        args = [
          "-e"
          "-c"
          script
        ];
      }
      // extra
    );
  structured =
    name: script: extra:
    sh name ''. "$NIX_ATTRS_SH_FILE"; out=''${outputs[out]}; ${script}'' (
      { __structuredAttrs = true; builder = "/bin/bash"; } // extra
    );
  fixed =
    name: text: mode: algo:
    sh name text {
      outputHashMode = mode;
      outputHashAlgo = algo;
      outputHash = builtins.hashString algo "";
    };
  floating =
    name: script: extra:
    sh name script (
      {
        __contentAddressed = true;
        outputHashMode = "recursive";
        outputHashAlgo = "sha256";
      }
      // extra
    );
  file = sh "file" "echo hello > $out" { };
  folder = sh "folder" "mkdir -p $out/a/b; echo x > $out/a/b/c; ln -s a/b/c $out/link; : > $out/empty" { };
  several = sh "several" "mkdir $out $dev $doc; echo $dev > $out/dev; echo doc > $doc/d; ln -s $doc/d $dev/d" {
    outputs = [
      "out"
      "dev"
      "doc"
    ];
  };
  base = floating "base" "echo base > $out" { };
  base' = floating "base" "echo ba''se > $out; : other way" { };
  forms = {
    inherit file folder several base;
    program = sh "program" "echo '#!/bin/sh' > $out; chmod +x $out" { };
    link = sh "link" "ln -s /nowhere $out" { };
    link-to-input = sh "link-to-input" "ln -s ${file} $out" { };
    modes = sh "modes" "mkdir $out; echo a > $out/a; chmod 0600 $out/a; echo b > $out/b; chmod 0777 $out/b; mkdir -m 0700 $out/d" { };
    times = sh "times" "mkdir $out; echo a > $out/a; touch -d 2001-01-01 $out/a" { };
    names = sh "names+-._?=1" ''mkdir $out; echo > "$out/with space"; echo > "$out/ümlaut"; echo > "$out/-dash"'' { };
    hard-links = sh "hard-links" "mkdir $out; echo same > $out/a; ln $out/a $out/b" { };
    self = sh "self" "mkdir $out; echo $out > $out/self" { };
    self-twice = sh "self-twice" "mkdir $out; echo $out $out/x > $out/self; ln -s $out/self $out/link" { };
    uses-file = sh "uses-file" "cat ${file} > $out; echo ${file} >> $out" { };
    uses-several = sh "uses-several" "echo ${several.dev} > $out" { };
    uses-all = sh "uses-all" "echo ${several} ${several.dev} ${several.doc} > $out" { };
    mentions-not = sh "mentions-not" "echo nothing > $out" { input = file; };
    first-is-dev = sh "first-is-dev" "echo a > $out; echo b > $dev" {
      outputs = [
        "dev"
        "out"
      ];
    };
    source = sh "source" "cp ${./forms.nix} $out" { };
    source-folder = sh "source-folder" "cp -r ${builtins.path { path = ./.; name = "s"; filter = p: _: baseNameOf p == "forms.nix"; }} $out" { };
    to-file = sh "to-file" "cp ${builtins.toFile "t" "text"} $out" { };
    to-file-refers = sh "to-file-refers" "cat ${builtins.toFile "t" "see ${builtins.toFile "u" "u"}"} > $out" { };
    environment = sh "environment" "env | sort > $out" {
      a = 1;
      b = true;
      c = false;
      d = null;
      e = [
        "x"
        "y z"
      ];
      f = 1.5;
      g = ./forms.nix;
      multi = "a\nb\tc\"d\\";
    };
    pass-as-file = sh "pass-as-file" "cat $bigPath $otherPath > $out; basename $bigPath >> $out" {
      big = "large ${file}";
      other = "o";
      passAsFile = [
        "big"
        "other"
      ];
    };
    exported = sh "exported" "cat graph other > $out" {
      exportReferencesGraph = [
        "graph"
        several
        "other"
        (sh "inner" "echo ${file} > $out" { })
      ];
    };
    exported-drv = sh "exported-drv" "sort graph > $out" {
      exportReferencesGraph = [
        "graph"
        (builtins.addErrorContext "" file.drvPath)
      ];
    };
    builtin-paths = sh "builtin-paths" "echo $NIX_STORE $NIX_BUILD_TOP $HOME $TMPDIR $PWD > $out; pwd >> $out; echo $NIX_BUILD_CORES > /dev/null" { };
    identity = sh "identity" "id -u > $out; id -g >> $out; cat /etc/passwd /etc/group /etc/hosts >> $out; hostname >> $out || true" { };
    root-folder = sh "root-folder" "ls / > $out; ls /dev | grep -v kvm >> $out" { };
    arguments = derivation {
      name = "arguments";
      inherit system;
      builder = "/bin/sh";
      PATH = bin;
      args = [
        "-c"
        ''printf '%s\n' "$0" "$@" > $out''
        "a b"
        ""
        "c\nd"
        "$out"
      ];
    };
    allowed = sh "allowed" "echo ${file} > $out" { allowedReferences = [ file ]; };
    allowed-self = sh "allowed-self" "echo $out > $out" { allowedReferences = [ "out" ]; };
    disallowed = sh "disallowed" "echo none > $out" { disallowedReferences = [ file ]; };
    requisites = sh "requisites" "echo ${file} > $out" { allowedRequisites = [ file ]; };
    fixed-flat = fixed "fixed-flat" ": > $out" "flat" "sha256";
    fixed-flat-sha1 = fixed "fixed-flat-sha1" ": > $out" "flat" "sha1";
    fixed-flat-sha512 = fixed "fixed-flat-sha512" ": > $out" "flat" "sha512";
    fixed-flat-md5 = fixed "fixed-flat-md5" ": > $out" "flat" "md5";
    fixed-recursive = sh "fixed-recursive" "mkdir $out; echo x > $out/y" {
      outputHashMode = "recursive";
      outputHashAlgo = "sha256";
      outputHash = "sha256-6htY54dQiSfSkgWMC/PjagGlDl1uV0zhTmQ0C420nwQ=";
    };
    uses-fixed = sh "uses-fixed" "echo ${fixed "f" ": > $out" "flat" "sha256"} > $out" { };
    structured-plain = structured "structured-plain" "echo \"$text ${file} \${list[1]} \${set[k]} $number $yes $no $nothing\" > $out" {
      text = "it's";
      list = [
        1
        "two"
      ];
      set.k = "v";
      number = 42;
      yes = true;
      no = false;
      nothing = null;
      nested.deep.er = [ [ 1 ] ];
      float = 1.25;
    };
    structured-files = structured "structured-files" "sed s,$NIX_BUILD_TOP,,g \"$NIX_ATTRS_JSON_FILE\" > $out; cat \"$NIX_ATTRS_SH_FILE\" >> $out" {
      a.b = [
        "x"
        { c = 1; }
      ];
      "not-a-name" = 1;
      quote = "'\"\\\n";
      unicode = "ü☃";
    };
    structured-outputs = structured "structured-outputs" "echo a > $out; echo \${outputs[dev]} > \${outputs[dev]}" {
      outputs = [
        "out"
        "dev"
      ];
    };
    structured-checks = structured "structured-checks" "echo ${file} > $out" {
      outputChecks.out = {
        allowedReferences = [ file ];
        maxSize = 4096;
        maxClosureSize = 100000;
      };
    };
    structured-exported = structured "structured-exported" "cat \"$NIX_ATTRS_JSON_FILE\" > $out" {
      exportReferencesGraph.graph = [
        several
        file
      ];
    };
    structured-discards = structured "structured-discards" "echo ${file} > $out" { unsafeDiscardReferences.out = true; };
    ignore-nulls = sh "ignore-nulls" "env | grep -c nothing > $out || true" {
      __ignoreNulls = true;
      nothing = null;
    };
    floating-folder = floating "floating-folder" "mkdir $out; echo a > $out/a" { };
    floating-self = floating "floating-self" "mkdir $out; echo $out > $out/self; ln -s $out/self $out/l" { };
    floating-flat = floating "floating-flat" "echo a > $out" { outputHashMode = "flat"; };
    floating-several = floating "floating-several" "mkdir $out $dev; echo $out > $dev/o; echo x > $out/x" {
      outputs = [
        "out"
        "dev"
      ];
    };
    floating-uses = floating "floating-uses" "echo ${base} ${file} > $out" { };
    floating-same = floating "floating-uses" "echo ${base'} ${file} > $out" { };
    floating-self-and-other = floating "floating-self-and-other" "mkdir $out; echo $out ${base} > $out/a" { };
    deferred = sh "deferred" "echo ${base} > $out" { };
    deferred-uses = sh "deferred-uses" "echo ${sh "inner-deferred" "mkdir $out; echo ${base} > $out/x" { }} > $out" { };
    text-mode = sh "text-mode" "echo text > $out" {
      __contentAddressed = true;
      outputHashMode = "text";
      outputHashAlgo = "sha256";
    };
    requires-nothing = sh "requires-nothing" "echo 1 > $out" {
      requiredSystemFeatures = [ ];
      preferLocalBuild = true;
      allowSubstitutes = false;
    };
  };
in
forms
// {
  # All of them at once, with every output.
  all = builtins.concatMap (form: map (name: form.${name}) form.outputs or [ "out" ]) (builtins.attrValues forms);
}
