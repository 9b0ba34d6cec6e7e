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
fn three_texts_from_one_agree_with_each_alone() {
    let dir = StoreDir::default();
    let mut alone = simple("c");
    alone.arguments = vec![b"-c".to_vec(), b"echo \"$dev\"".to_vec()];
    alone.outputs.insert("dev".to_owned(), Output { kind: OutputKind::Deferred });
    alone.environment.insert(b"dev".to_vec(), Vec::new());
    let mut together = alone.clone();
    let Ok::<_, Never>(_) = alone.fill_outputs(&dir, |_| Ok(Modulo::Deferred)) else { panic!("valid name") };
    let inputs = Inputs::default();
    assert_eq!(Addressing::new(&mut together, &dir, &inputs).modulo(), Ok(Modulo::Deferred));
    let Ok::<_, Never>(inputs) = together.inputs(|_| Ok(Modulo::Deferred)) else { panic!("no inputs") };
    let mut addressing = Addressing::new(&mut together, &dir, &inputs);
    addressing.fill_outputs().unwrap();
    assert_eq!(addressing.file(), alone.file(&dir));
    let Ok::<_, Never>(modulo) = alone.modulo(&dir, false, |_| Ok(Modulo::Deferred)) else {
        panic!("valid name")
    };
    assert_eq!(addressing.modulo(), Ok(modulo));
    assert_eq!(together, alone);
    assert_ne!(alone.environment[b"dev".as_slice()], Vec::<u8>::new());
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
