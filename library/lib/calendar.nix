# Calendar expressions of systemd.time(7): `daily`, `Mon..Fri 09:00`, `*-*-01 03:30:00 UTC`.
{ lib }:
let
  inherit (builtins)
    elem
    elemAt
    filter
    isString
    length
    match
    split
    toJSON
    ;
  words = [
    "minutely"
    "hourly"
    "daily"
    "weekly"
    "monthly"
    "quarterly"
    "semiannually"
    "semi-annually"
    "biannually"
    "bi-annually"
    "yearly"
    "annually"
    "anually"
  ];
  # Values of one component: all of them, or a list of numbers and ranges, each with steps where wanted.
  component =
    number:
    let
      one = "${number}(\\.\\.${number})?(/[0-9]+)?";
    in
    "(\\*|${one}(,${one})*)";
  year = component "[0-9]{2,4}";
  month = component "(0?[1-9]|1[0-2])";
  day = component "(0?[1-9]|[12][0-9]|3[01])";
  hour = component "([01]?[0-9]|2[0-3])";
  minute = component "[0-5]?[0-9]";
  second = component "[0-5]?[0-9](\\.[0-9]{1,6})?";
  weekday = "(mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?)";
  weekdays = "${weekday}((\\.\\.|-)${weekday})?(,${weekday}((\\.\\.|-)${weekday})?)*,?";
  date = "(${year}-)?${month}[-~]${day}";
  time = "${hour}:${minute}(:${second})?";
  zone = "(UTC|[A-Z][A-Za-z_]*(/[A-Z][A-Za-z0-9_+-]*)+|[A-Z]{3,4})";
  is = pattern: text: match pattern text != null;
  # Takes a part off the front where it is one of the kind.
  after = pattern: pieces: if pieces != [ ] && is pattern (elemAt pieces 0) then lib.lists.drop 1 pieces else pieces;
  fits =
    text:
    let
      pieces = filter (piece: isString piece && piece != "") (split "[ \t]+" text);
      small = map lib.strings.toLower pieces;
      withoutWeekdays = lib.lists.drop (length pieces - length (after weekdays small)) pieces;
      dateAndTime = after time (after date withoutWeekdays);
    in
    if length pieces == 0 then
      false
    else if elem (elemAt small 0) words then
      length pieces == 1 || length pieces == 2 && is zone (elemAt pieces 1)
    else
      is "@[0-9]{1,18}" text || length dateAndTime < length pieces && after zone dateAndTime == [ ];
in
{
  # What is wrong with a text as a calendar expression, or `null`.
  #
  # Example: problem "Mon..Fri 09:00" => null
  # Example: problem "25:00" == null => false
  problem =
    text:
    if fits text then
      null
    else
      "this is no calendar expression, such as `daily`, `Mon..Fri 09:00` or `*-*-01 03:30:00`: ${toJSON text}";
}
