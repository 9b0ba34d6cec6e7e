# Sizes and durations: `512M`, `1h 30min` and the like.
{ lib }:
let
  inherit (builtins)
    elemAt
    filter
    foldl'
    isList
    match
    split
    toJSON
    ;
  binary = names: factor: builtins.listToAttrs (map (name: lib.attrsets.nameValuePair name factor) names);
  k = 1024;
  sizes =
    binary [ "" "b" "byte" "bytes" ] 1
    // binary [ "k" "kib" ] k
    // binary [ "m" "mib" ] (k * k)
    // binary [ "g" "gib" ] (k * k * k)
    // binary [ "t" "tib" ] (k * k * k * k)
    // binary [ "p" "pib" ] (k * k * k * k * k)
    // binary [ "kb" ] 1000
    // binary [ "mb" ] 1000000
    // binary [ "gb" ] 1000000000
    // binary [ "tb" ] 1000000000000
    // binary [ "pb" ] 1000000000000000;
  # Those of systemd.time(7), in seconds; months and years as it counts them.
  durations =
    binary [ "" "s" "sec" "second" "seconds" ] 1
    // binary [ "m" "min" "minute" "minutes" ] 60
    // binary [ "h" "hr" "hour" "hours" ] 3600
    // binary [ "d" "day" "days" ] 86400
    // binary [ "w" "week" "weeks" ] 604800
    // binary [ "M" "month" "months" ] 2629800
    // binary [ "y" "year" "years" ] 31557600;
  # A number with up to six digits behind its point, times a factor, rounded down.
  scaled =
    whole: fraction: factor:
    let
      zeros = builtins.substring 0 (6 - builtins.stringLength fraction) "000000";
      millionths = if fraction == "" then 0 else lib.strings.toInt (fraction + zeros);
    in
    lib.strings.toInt whole * factor
    # In two steps: the product of a large factor and a million does not fit into 64 bits.
    + factor / 1000000 * millionths
    + lib.trivial.mod factor 1000000 * millionths / 1000000;
  # The numbers of a duration with their units, and what stands between.
  pieces = split "([0-9]{1,15})(\\.([0-9]{1,6}))? *([A-Za-z]*)";
in
rec {
  # Bytes of a size such as `512M`, `1.5 GiB` or `10 kB`. Letters alone and those with `iB` count by 1024, those with `B`
  # by 1000.
  #
  # Example: bytes "512M" => 536870912
  # Example: bytes "1.5 GiB" => 1610612736
  # Example: bytes "10 kB" => 10000
  bytes =
    size:
    let
      found = match " *([0-9]{1,18})(\\.([0-9]{1,6}))? *([A-Za-z]*) *" size;
      unit = lib.strings.toLower (elemAt found 3);
      fraction = elemAt found 2;
    in
    if builtins.isInt size then
      size
    else if sizeProblem size != null then
      throw (sizeProblem size)
    else
      scaled (elemAt found 0) (if fraction == null then "" else fraction) sizes.${unit};

  # What is wrong with a text as a size, or `null`.
  #
  # Example: sizeProblem "512M" => null
  sizeProblem =
    size:
    let
      found = match " *[0-9]{1,18}(\\.[0-9]{1,6})? *([A-Za-z]*) *" size;
    in
    if builtins.isInt size || found != null && sizes ? ${lib.strings.toLower (elemAt found 1)} then
      null
    else
      "this is no size, such as `512M`, `1.5 GiB` or `10 kB`: ${toJSON size}";

  # Seconds of a duration such as `90`, `1h 30min` or `2 days`, in the words of systemd.time(7).
  #
  # Example: seconds "1h 30min" => 5400
  # Example: seconds "2 days" => 172800
  # Example: seconds "1.5h" => 5400
  seconds =
    duration:
    if builtins.isInt duration then
      duration
    else if durationProblem duration != null then
      throw (durationProblem duration)
    else
      foldl' (
        sum: group:
        let
          fraction = elemAt group 2;
        in
        sum + scaled (elemAt group 0) (if fraction == null then "" else fraction) durations.${elemAt group 3}
      ) 0 (filter isList (pieces duration));

  # What is wrong with a text as a duration, or `null`.
  #
  # Example: durationProblem "1h 30min" => null
  durationProblem =
    duration:
    let
      all = pieces duration;
      blank = builtins.all (piece: isList piece || match " *" piece != null) all;
      groups = filter isList all;
      unknown = filter (group: !(durations ? ${elemAt group 3})) groups;
    in
    if builtins.isInt duration then
      null
    else if groups == [ ] || !blank then
      "this is no duration, such as `90`, `1h 30min` or `2 days`: ${toJSON duration}"
    else if unknown != [ ] then
      "`${elemAt (elemAt unknown 0) 3}` is no unit of time in ${toJSON duration}: there are s, min, h, d, w, month and y"
    else
      null;

  # The shortest exact text of a size in bytes.
  #
  # Example: formatBytes 536870912 => "512M"
  # Example: formatBytes 1000 => "1000"
  formatBytes =
    count:
    let
      go =
        number: units:
        if number == 0 || lib.trivial.mod number 1024 != 0 || builtins.length units == 1 then
          toString number + builtins.head units
        else
          go (number / 1024) (builtins.tail units);
    in
    go count [ "" "K" "M" "G" "T" "P" ];

  # The shortest exact text of a duration in seconds.
  #
  # Example: formatSeconds 5400 => "1h 30min"
  # Example: formatSeconds 0 => "0s"
  formatSeconds =
    count:
    let
      step =
        state: unit:
        let
          times = state.rest / unit.seconds;
        in
        {
          rest = state.rest - times * unit.seconds;
          texts = state.texts ++ lib.lists.optional (times > 0) "${toString times}${unit.name}";
        };
      unit = name: seconds: { inherit name seconds; };
      done =
        foldl' step
          {
            rest = count;
            texts = [ ];
          }
          [
            (unit "d" 86400)
            (unit "h" 3600)
            (unit "min" 60)
            (unit "s" 1)
          ];
    in
    if count == 0 then "0s" else builtins.concatStringsSep " " done.texts;
}
