//! Each `tests/modules/NAME.nix` is a function of `{ lib }`; `NAME.exp` is what nixpkgs' own lib made of it.

use super::session;
use std::path::Path;

#[test]
fn modules_mean_what_they_mean_in_nixpkgs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules");
    let mut cases = 0;
    for entry in folder.read_dir().expect("the cases").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "nix") {
            continue;
        }
        let wanted = std::fs::read_to_string(path.with_extension("exp")).expect("each case has its golden");
        let (_folder, mut session) = session();
        let text = format!("import {} {{ inherit lib; }}", path.display());
        let value = session.evaluate_with_library(&text, "/");
        let got = value.and_then(|value| session.print(value, nival_engine::Format::Json));
        let got = got.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (got, wanted): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&got).expect("JSON"), serde_json::from_str(&wanted).expect("JSON"));
        assert_eq!(got, wanted, "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 8, "only {cases} cases were found");
}
