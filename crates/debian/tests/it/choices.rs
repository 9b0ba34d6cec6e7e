//! Small universes, one for each rule of apt's choice.

use nival_debian::{
    Options, Pin, RepositoryFacts, Request, RequestError, SolveError, Universe, UniverseBuilder, solve,
};
use std::fmt::Write as _;

/// The index of `NAME VERSION; FIELD; FIELD` lines.
fn index(lines: &str) -> String {
    let mut text = String::new();
    for (at, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut parts = line.split(';').map(str::trim);
        let (name, version) =
            parts.next().and_then(|first| first.split_once(' ')).expect("a name and a version");
        let _ = writeln!(
            text,
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: pool/{name}.deb\nSize: 1"
        );
        let _ = writeln!(text, "SHA256: {at:064x}");
        parts.for_each(|field| {
            let _ = writeln!(text, "{field}");
        });
        text.push('\n');
    }
    text
}

fn universe<'t>(indices: &'t [(i32, String)]) -> Universe<'t> {
    let mut builder = UniverseBuilder::new("amd64");
    for (at, (priority, text)) in indices.iter().enumerate() {
        let id = builder.add_repository(RepositoryFacts { name: format!("r{at}"), priority: *priority });
        builder.add_index(id, text);
    }
    let universe = builder.build();
    assert!(universe.malformed().is_empty(), "{:?}", universe.malformed());
    universe
}

fn choose_with(indices: &[(i32, String)], packages: &[&str], options: Options) -> Result<String, SolveError> {
    let universe = universe(indices);
    let request = Request { packages: packages.iter().map(|name| (*name).to_owned()).collect(), options };
    let solution = solve(&universe, &request)?;
    let mut names: Vec<String> = solution
        .choices
        .iter()
        .map(|choice| {
            let version = universe.version(choice.version);
            format!("{}={}", universe.name(version.package), version.version)
        })
        .collect();
    names.sort();
    Ok(names.join(" "))
}

fn choose(lines: &str, packages: &[&str]) -> String {
    choose_with(&[(500, index(lines))], packages, Options::default()).expect("there is a solution")
}

#[test]
fn the_first_alternative_that_works_is_taken() {
    let lines = "a 1; Depends: none | b (>= 2) | c\nb 1\nc 1";
    assert_eq!(choose(lines, &["a"]), "a=1 c=1");
    assert_eq!(choose("a 1; Depends: b | c\nb 1; Depends: none\nc 1", &["a"]), "a=1 c=1");
    assert_eq!(choose("a 1; Depends: b | c\nb 1\nc 1", &["c", "a"]), "a=1 c=1");
}

#[test]
fn the_package_of_the_name_comes_before_who_provides_it() {
    assert_eq!(choose("x 1; Provides: b\nb 1\na 1; Depends: b", &["a"]), "a=1 b=1");
}

#[test]
fn of_providers_the_one_of_higher_priority_and_then_the_later_one_is_taken() {
    let lines = "a 1; Depends: v\nx 1; Provides: v; Priority: optional\ny 1; Provides: v; Priority: optional";
    assert_eq!(choose(lines, &["a"]), "a=1 y=1");
    let lines = "a 1; Depends: v\nx 1; Provides: v; Priority: standard\ny 1; Provides: v; Priority: optional";
    assert_eq!(choose(lines, &["a"]), "a=1 x=1");
}

#[test]
fn provided_versions_count_only_where_they_are_given() {
    let lines = "a 1; Depends: v (>= 2)\nx 1; Provides: v\ny 1; Provides: v (= 1)\nz 1; Provides: v (= 3)";
    assert_eq!(choose(lines, &["a"]), "a=1 z=1");
}

#[test]
fn any_is_met_by_what_allows_it() {
    let lines = "a 1; Depends: python3:any (>= 3)\npython3 3.13; Multi-Arch: allowed";
    assert_eq!(choose(lines, &["a"]), "a=1 python3=3.13");
    assert_eq!(choose("a 1; Depends: b:amd64, c:native\nb 1\nc 2", &["a"]), "a=1 b=1 c=2");
}

#[test]
fn recommended_packages_come_only_when_wanted_and_fail_quietly() {
    let lines = "a 1; Recommends: b, none\nb 1; Suggests: c\nc 1";
    assert_eq!(choose(lines, &["a"]), "a=1");
    let options = Options { recommends: true, ..Options::default() };
    assert_eq!(choose_with(&[(500, index(lines))], &["a"], options).expect("there is one"), "a=1 b=1");
}

#[test]
fn essential_packages_come_with_everything() {
    let lines = "base 1; Essential: yes; Pre-Depends: lib\nlib 1\na 1\napt 3";
    let options = Options { essential: true, ..Options::default() };
    let chosen = choose_with(&[(500, index(lines))], &["a"], options).expect("there is one");
    assert_eq!(chosen, "a=1 apt=3 base=1 lib=1");
}

#[test]
fn what_a_failed_attempt_left_is_taken_out_again() {
    let lines = "a 1; Depends: b | c\nb 1; Depends: d, e\nd 1\ne 1; Depends: f\nf 1; Conflicts: a\nc 1";
    assert_eq!(choose(lines, &["a"]), "a=1 c=1");
}

#[test]
fn the_highest_priority_decides_and_then_the_highest_version() {
    let of = |first: i32, second: i32| {
        let indices = [(first, index("a 1")), (second, index("a 2"))];
        choose_with(&indices, &["a"], Options::default())
    };
    assert_eq!(of(500, 500).as_deref(), Ok("a=2"));
    assert_eq!(of(500, 100).as_deref(), Ok("a=1"));
    assert_eq!(of(500, -1).as_deref(), Ok("a=1"));
    assert!(matches!(of(-1, -1), Err(SolveError::Request(RequestError::NoCandidate { .. }))));
}

#[test]
fn pins_and_requests_choose_versions() {
    let indices = [(500, index("a 1\nb 1; Depends: a")), (500, index("a 2"))];
    let pin = |version: &str, priority| Options {
        pins: vec![Pin {
            package: "a".to_owned(),
            version: Some(version.to_owned()),
            repository: None,
            priority,
        }],
        ..Options::default()
    };
    assert_eq!(choose_with(&indices, &["b"], pin("1", 1001)).as_deref(), Ok("a=1 b=1"));
    assert_eq!(choose_with(&indices, &["b"], pin("2", -1)).as_deref(), Ok("a=1 b=1"));
    assert_eq!(choose_with(&indices, &["b", "a=1"], Options::default()).as_deref(), Ok("a=1 b=1"));
}

#[test]
fn a_name_that_one_package_provides_stands_for_it() {
    assert_eq!(choose("exim 1; Provides: mta\na 1", &["mta"]), "exim=1");
}

#[test]
fn a_conflict_names_both_sides_and_the_cause() {
    let lines = "a 1; Depends: c\nb 1; Conflicts: c\nc 1";
    let error =
        choose_with(&[(500, index(lines))], &["a", "b"], Options::default()).expect_err("they do not fit");
    let SolveError::Conflict(conflict) = error else { panic!("{error:?}") };
    let text = conflict.to_string();
    assert!(text.contains("`b` 1 conflicts with `c`") || text.contains("`a` 1 depends on `c`"), "{text}");
    let error =
        choose_with(&[(500, index("a 1; Depends: b\nb 1; Depends: none"))], &["a"], Options::default());
    let Err(SolveError::Conflict(conflict)) = error else { panic!("{error:?}") };
    assert!(conflict.to_string().contains("no repository has `none`"), "{conflict}");
}

#[test]
fn a_malformed_stanza_is_left_out_and_told() {
    let text = index("a 1; Depends: (b\nc 1") + "Package: ../d\nVersion: 1\nArchitecture: amd64\n";
    let mut builder = UniverseBuilder::new("amd64");
    let id = builder.add_repository(RepositoryFacts { name: "r".to_owned(), priority: 500 });
    builder.add_index(id, &text);
    let universe = builder.build();
    assert_eq!(universe.malformed().len(), 2, "{:?}", universe.malformed());
    assert_eq!(universe.package_names().collect::<Vec<_>>(), ["c"]);
}

#[test]
fn a_chain_of_thousands_does_not_overflow() {
    let lines: String =
        (0..2_500).map(|n| format!("p{n} 1; Depends: p{}\n", n + 1)).collect::<String>() + "p2500 1";
    assert_eq!(choose(&lines, &["p0"]).split(' ').count(), 2_501);
}
