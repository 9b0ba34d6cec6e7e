use super::*;
use crate::hash::Hash;

type Never = StorePathError;

fn simple(name: &str) -> Derivation {
    let mut drv = Derivation {
        name: name.to_owned(),
        system: b"x86_64-linux".to_vec(),
        builder: b"/bin/sh".to_vec(),
        ..Derivation::default()
    };
    drv.outputs.insert("out".to_owned(), Output { kind: OutputKind::Deferred });
    for (key, value) in [("builder", "/bin/sh"), ("name", name), ("out", ""), ("system", "x86_64-linux")] {
        drv.environment.insert(key.into(), value.into());
    }
    drv
}

// nix-instantiate -E 'derivation { name = "a"; builder = "/bin/sh"; system = "x86_64-linux"; }' --readonly-mode
#[test]
fn paths_agree_with_nix() {
    let dir = StoreDir::default();
    let mut drv = simple("a");
    let Ok::<_, Never>(_) = drv.fill_outputs(&dir, |_| Ok(Modulo::Deferred)) else { panic!("valid name") };
    assert_eq!(drv.path(&dir).unwrap().base_name(), include_str!("golden-a.drv.txt").trim());
}

#[test]
fn text_round_trip() {
    let dir = StoreDir::default();
    let mut drv = simple("b");
    drv.arguments = vec![b"-c".to_vec(), b"echo \"\\ \n\r\t $out".to_vec()];
    drv.outputs.insert(
        "out".to_owned(),
        Output { kind: OutputKind::Fixed { method: ContentMethod::Recursive, hash: Hash::sha256(b"x") } },
    );
    let text = drv.to_aterm(&dir).unwrap();
    assert_eq!(parse(&text, "b", &dir).unwrap(), drv);
    for cut in 0..text.len() {
        assert!(parse(&text[..cut], "b", &dir).is_err(), "prefix of {cut} bytes");
    }
}
