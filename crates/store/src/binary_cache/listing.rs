//! Listings: what a cache says of an archive's contents, so that nobody needs to fetch it to look.

use nival_store_model::nar::{Decoder, Event, NarError};
use serde_json::{Map, Value as Json, json};
use std::io::Read;

/// An archive's node with its place in the archive, as `NAME.ls` files and `nix store ls --json` write it.
///
/// # Errors
/// What is wrong with the archive.
pub fn listing(nar: impl Read) -> Result<Json, NarError> {
    let mut decoder = Decoder::new(nar);
    let mut open: Vec<(Map<String, Json>, String)> = Vec::new();
    let mut name = String::new();
    let mut root = Json::Null;
    while let Some(event) = decoder.next()? {
        let node = match event {
            Event::Entry(entry) => {
                name = String::from_utf8_lossy(&entry).into_owned();
                continue;
            }
            Event::Directory => {
                open.push((Map::new(), std::mem::take(&mut name)));
                continue;
            }
            Event::EndDirectory => {
                let Some((entries, folder)) = open.pop() else { continue };
                name = folder;
                json!({ "entries": entries, "type": "directory" })
            }
            Event::Symlink(target) => {
                json!({ "target": String::from_utf8_lossy(&target), "type": "symlink" })
            }
            Event::File { executable, length } => file(decoder.position(), executable, length),
        };
        match open.last_mut() {
            Some((entries, _)) => drop(entries.insert(std::mem::take(&mut name), node)),
            None => root = node,
        }
    }
    Ok(root)
}

fn file(position: u64, executable: bool, length: u64) -> Json {
    let mut node = Map::new();
    if executable {
        node.insert("executable".to_owned(), Json::Bool(true));
    }
    node.insert("narOffset".to_owned(), position.into());
    node.insert("size".to_owned(), length.into());
    node.insert("type".to_owned(), "regular".into());
    Json::Object(node)
}
