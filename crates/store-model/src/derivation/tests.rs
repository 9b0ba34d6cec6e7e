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
    let mut outline = alone.clone();
    let arguments = std::mem::take(&mut outline.arguments);
    outline.environment.clear();
    let variables: Vec<(&[u8], &[u8])> = vec![
        (b"builder", b"/bin/sh"),
        (b"dev", b"of no matter"),
        (b"name", b"c"),
        (b"system", b"x86_64-linux"),
    ];
    let Ok::<_, Never>(_) = alone.fill_outputs(&dir, |_| Ok(Modulo::Deferred)) else { panic!("valid name") };
    let inputs = Inputs::default();
    let deferred = Addressing::new(&mut outline, &dir, &inputs, &arguments, &variables).unwrap();
    assert_eq!(deferred.modulo(), Modulo::Deferred);
    let Ok::<_, Never>(inputs) = outline.inputs(|_| Ok(Modulo::Deferred)) else { panic!("no inputs") };
    let mut addressing = Addressing::new(&mut outline, &dir, &inputs, &arguments, &variables).unwrap();
    addressing.fill_outputs().unwrap();
    assert_eq!(addressing.file(addressing.address().unwrap()), alone.file(&dir).unwrap());
    let Ok::<_, Never>(modulo) = alone.modulo(&dir, false, |_| Ok(Modulo::Deferred)) else {
        panic!("valid name")
    };
    assert_eq!(addressing.modulo(), modulo);
    assert_eq!(outline.outputs, alone.outputs);
    assert_ne!(alone.environment[b"dev".as_slice()], Vec::<u8>::new());
}

#[test]
fn hashes_that_stand_for_inputs_are_sorted_and_name_each_output_once() {
    let path = |digit: char| StorePath::parse(&format!("{}-x.drv", digit.to_string().repeat(32))).unwrap();
    let mut drv = simple("d");
    for (digit, outputs) in [('0', &["out", "dev"][..]), ('1', &["out"]), ('2', &["lib", "out"])] {
        drv.input_derivations.insert(path(digit), outputs.iter().map(|name| (*name).to_owned()).collect());
    }
    let (low, high) = (Hash::sha256(b"2"), Hash::sha256(b"0"));
    assert!(high.base16() < low.base16());
    let one = |input: &StorePath| {
        Ok::<_, Never>(Modulo::Whole(if *input == path('2') { low.clone() } else { high.clone() }))
    };
    let Modulo::Whole(hash) = drv.modulo(&StoreDir::default(), true, one).unwrap() else { panic!("known") };
    let text = format!(
        "Derive([(\"out\",\"\",\"\",\"\")],[(\"{}\",[\"dev\",\"out\"]),(\"{}\",[\"lib\",\"out\"])],[],\"x86_64-linux\",\"/bin/sh\",[],[(\"builder\",\"/bin/sh\"),(\"name\",\"d\"),(\"out\",\"\"),(\"system\",\"x86_64-linux\")])",
        high.base16(),
        low.base16()
    );
    assert_eq!(hash, Hash::sha256(text.as_bytes()));
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
