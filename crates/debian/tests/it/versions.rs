//! The order of versions, as dpkg's own answers have it.

use nival_debian::{compare_versions, from_store_version, store_version};
use proptest::prelude::*;
use std::cmp::Ordering;

#[test]
fn versions_are_ordered_as_dpkg_orders_them() {
    let vectors = include_str!("versions.txt");
    for line in vectors.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let wanted = match parts[1] {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            _ => Ordering::Greater,
        };
        assert_eq!(compare_versions(parts[0], parts[2]), wanted, "{line}");
        assert_eq!(compare_versions(parts[2], parts[0]), wanted.reverse(), "{line}, turned");
    }
    assert!(vectors.lines().count() > 500);
}

proptest! {
    #[test]
    fn the_order_is_one(a in "[0-9]{0,2}:?[0-9a-z.+~-]{1,9}", b in "[0-9a-z.+~-]{1,9}", c in "[0-9a-z.+~-]{1,9}") {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        if compare_versions(&a, &b) != Ordering::Greater && compare_versions(&b, &c) != Ordering::Greater {
            prop_assert_ne!(compare_versions(&a, &c), Ordering::Greater);
        }
    }

    #[test]
    fn store_names_hold_every_version(version in "\\PC{0,20}") {
        let name = store_version(&version);
        prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+._?=-".contains(&b)));
        prop_assert_eq!(from_store_version(&name), Some(version));
    }

    #[test]
    fn no_text_stops_the_readers(text in "\\PC{0,200}") {
        let _ = nival_debian::Relations::new(&text).count();
        let _ = nival_debian::Release::parse(&text);
        let _ = nival_debian::parse_date(&text);
        let mut builder = nival_debian::UniverseBuilder::new("amd64");
        let repository = builder.add_repository(nival_debian::RepositoryFacts { name: "a".to_owned(), priority: 500 });
        builder.add_index(repository, &text);
        let _ = builder.build();
    }
}
