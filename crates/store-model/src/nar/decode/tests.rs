//! Archives of the real Nix, random trees there and back, and archives that lie.

use super::*;
use crate::hash::Hash;
use crate::nar::Encoder;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What `nix-store --dump` wrote of a tree with every kind of node.
const GOLDEN: &[u8] = include_bytes!("golden.nar");

#[derive(Clone, Debug, PartialEq)]
enum Tree {
    File(bool, Vec<u8>),
    Link(Vec<u8>),
    Folder(BTreeMap<Vec<u8>, Tree>),
}

fn write(tree: &Tree, out: &mut Encoder<Vec<u8>>) {
    match tree {
        Tree::File(executable, bytes) => {
            out.file(*executable, bytes.len() as u64, &mut bytes.as_slice()).unwrap();
        }
        Tree::Link(target) => out.symlink(target).unwrap(),
        Tree::Folder(entries) => {
            out.begin_directory().unwrap();
            for (name, node) in entries {
                out.begin_entry(name).unwrap();
                write(node, out);
                out.end_entry().unwrap();
            }
            out.end_directory().unwrap();
        }
    }
}

fn encode(tree: &Tree) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new()).unwrap();
    write(tree, &mut out);
    out.into_inner()
}

fn read_node(input: &mut Decoder<&[u8]>, event: Event) -> Result<Tree, NarError> {
    Ok(match event {
        Event::File { executable, .. } => {
            let mut bytes = Vec::new();
            let read = input.contents().read_to_end(&mut bytes);
            read.map_err(|error| NarError { at: 0, problem: Problem::Input(error) })?;
            Tree::File(executable, bytes)
        }
        Event::Symlink(target) => Tree::Link(target),
        Event::Directory => {
            let mut entries = BTreeMap::new();
            while let Some(Event::Entry(name)) = input.next()? {
                let event = input.next()?.expect("a node follows an entry");
                entries.insert(name, read_node(input, event)?);
            }
            Tree::Folder(entries)
        }
        other => panic!("no node: {other:?}"),
    })
}

fn decode(bytes: &[u8]) -> Result<Tree, NarError> {
    let mut input = Decoder::new(bytes);
    let event = input.next()?.expect("an archive has a node");
    let tree = read_node(&mut input, event)?;
    input.expect_end()?;
    Ok(tree)
}

fn problem(bytes: &[u8]) -> String {
    decode(bytes).expect_err("this archive lies").to_string()
}

fn word(text: &[u8]) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn words(words: &[&[u8]]) -> Vec<u8> {
    words.iter().flat_map(|text| word(text)).collect()
}

fn folder_with(names: &[&[u8]]) -> Vec<u8> {
    let mut bytes = words(&[b"nix-archive-1", b"(", b"type", b"directory"]);
    for name in names {
        bytes.extend(words(&[b"entry", b"(", b"name", name, b"node"]));
        bytes.extend(words(&[b"(", b"type", b"symlink", b"target", b"x", b")", b")"]));
    }
    bytes.extend(word(b")"));
    bytes
}

#[test]
fn archive_of_nix_is_read_and_written_again() {
    // nix-hash --type sha256 of the tree
    assert_eq!(
        Hash::sha256(GOLDEN).base16(),
        "e25f5f857c9086591995933df2005523fc6819f40ba61381e74949fcab6fd6dd"
    );
    let tree = decode(GOLDEN).expect("Nix wrote it");
    let Tree::Folder(entries) = &tree else { panic!("it is a folder") };
    assert_eq!(entries[b"run".as_slice()], Tree::File(true, b"#!/bin/sh\n".to_vec()));
    assert_eq!(entries[b"zero".as_slice()], Tree::File(false, Vec::new()));
    let Tree::Folder(sub) = &entries[b"sub".as_slice()] else { panic!("it is a folder") };
    assert_eq!(sub[b"link".as_slice()], Tree::Link(b"../a.txt".to_vec()));
    assert_eq!(encode(&tree), GOLDEN);
}

#[test]
fn each_prefix_is_truncated() {
    for end in 0..GOLDEN.len() {
        decode(&GOLDEN[..end]).expect_err("it is a part");
    }
}

#[test]
fn decoder_leaves_what_follows() {
    let mut bytes = GOLDEN.to_vec();
    bytes.extend(b"next");
    let mut rest = bytes.as_slice();
    let mut input = Decoder::new(&mut rest);
    input.finish().unwrap();
    assert_eq!(input.position(), GOLDEN.len() as u64);
    assert_eq!(rest, b"next");
    assert!(problem(&bytes).starts_with("something follows the archive"));
}

#[test]
fn malicious_names_are_refused() {
    let long = vec![b'a'; 256];
    for name in
        [b"".as_slice(), b".", b"..", b"a/b", b"/", b"../x", b"a\0b", b"A~nix~case~hack~1", long.as_slice()]
    {
        decode(&folder_with(&[name])).expect_err("no such name can be");
    }
    assert!(decode(&folder_with(&[b"...", b"a", &[0xff]])).is_ok());
}

#[test]
fn unsorted_and_double_names_are_refused() {
    for names in [[b"b".as_slice(), b"a"], [b"a", b"a"], [b"aa", b"a"]] {
        assert!(problem(&folder_with(&names)).starts_with("the archive's entries are not sorted"));
    }
}

#[test]
fn links_to_nothing_are_refused() {
    for target in [b"".as_slice(), b"a\0b", &[b'a'; 4096]] {
        let bytes = words(&[b"nix-archive-1", b"(", b"type", b"symlink", b"target", target, b")"]);
        decode(&bytes).expect_err("no such link can be");
    }
}

#[test]
fn lengths_that_lie_cost_no_memory() {
    let mut bytes = words(&[b"nix-archive-1", b"(", b"type", b"regular", b"contents"]);
    bytes.extend(u64::MAX.to_le_bytes());
    bytes.extend(b"short");
    assert!(problem(&bytes).contains("ends early"));
    let mut input = Decoder::new(bytes.as_slice());
    assert!(matches!(input.next(), Ok(Some(Event::File { length: u64::MAX, .. }))));
    assert!(matches!(input.next(), Err(NarError { problem: Problem::Truncated, .. })));
    let mut bytes = words(&[b"nix-archive-1", b"(", b"type", b"symlink", b"target"]);
    bytes.extend((1u64 << 62).to_le_bytes());
    assert!(problem(&bytes).contains("more than 4095"));
}

#[test]
fn padding_must_be_zero() {
    let mut bytes = encode(&Tree::File(false, b"abc".to_vec()));
    let at = bytes.windows(3).position(|part| part == b"abc").unwrap();
    bytes[at + 5] = 1;
    assert!(problem(&bytes).starts_with("the archive's padding is not zero"));
}

#[test]
fn depth_has_nixs_limit() {
    let nested = |depth: usize| {
        let mut tree = Tree::Link(b"x".to_vec());
        for _ in 0..depth {
            tree = Tree::Folder([(b"d".to_vec(), tree)].into());
        }
        encode(&tree)
    };
    assert!(decode(&nested(63)).is_ok());
    assert!(problem(&nested(64)).contains("more than 64 folders"));
}

#[test]
fn foreign_words_are_refused() {
    for bytes in [
        words(&[b"nix-archive-2", b"(", b"type", b"directory", b")"]),
        words(&[b"nix-archive-1", b"(", b"type", b"device", b")"]),
        words(&[b"nix-archive-1", b"(", b"type", b"regular", b"executable", b"yes", b"contents", b"", b")"]),
        words(&[b"nix-archive-1", b"(", b"type", b"directory", b"entrance", b")"]),
        words(&[b"nix-archive-1", b"[", b"type", b"directory", b")"]),
    ] {
        decode(&bytes).expect_err("it has a foreign word");
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(x, bytes)| Tree::File(x, bytes)),
        prop::collection::vec(1u8..=255, 1..20).prop_map(Tree::Link),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let name = "[a-zA-Z0-9+._~ -]{1,12}".prop_map(String::into_bytes);
        let name = name.prop_filter("a plain name", |name| is_plain(name));
        prop::collection::btree_map(name, inner, 0..5).prop_map(Tree::Folder)
    })
}

proptest! {
    #[test]
    fn trees_survive_the_way_there_and_back(tree in trees()) {
        let bytes = encode(&tree);
        prop_assert_eq!(decode(&bytes).unwrap(), tree);
    }

    #[test]
    fn what_is_read_is_what_would_be_written(tree in trees(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&tree);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(encode(&read), bytes);
        }
    }
}
