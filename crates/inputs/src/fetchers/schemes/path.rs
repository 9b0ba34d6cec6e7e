//! `path:`: a folder of this machine, or one beside the flake that names it.

use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::Error;
use crate::fetchers::input::{FINAL, Input};
use crate::fetchers::url::{Authority, Url};

pub(super) fn from_url(url: &Url) -> Result<Option<Attributes>, Error> {
    if url.scheme != "path" {
        return Ok(None);
    }
    if url.authority.as_ref().is_some_and(|authority| !authority.host.is_empty()) {
        return Err(Error::Reference(format!("a path has no host: `{url}`")));
    }
    let mut attributes = Attributes::default();
    attributes.set("type", "path");
    attributes.set("path", url.file_path()?);
    for (name, value) in &url.query {
        match name.as_str() {
            "rev" | "narHash" => attributes.set(name, value.as_str()),
            "revCount" | "lastModified" => {
                let wrong = |_| Error::Reference(format!("`{url}` has an invalid parameter `{name}`"));
                attributes.set(name, Attribute::Int(value.parse().map_err(wrong)?));
            }
            _ => return Err(Error::Reference(format!("`{url}` has a parameter that no path has: `{name}`"))),
        }
    }
    Ok(Some(attributes))
}

pub(super) fn to_url(input: &Input) -> Result<Url, Error> {
    let path = input.attributes.expect_text("path")?;
    let query =
        input.attributes.0.iter().filter(|(name, _)| !["path", "type", FINAL].contains(&name.as_str()));
    let shown = |value: &Attribute| match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Int(int) => int.to_string(),
        Attribute::Bool(yes) => u8::from(*yes).to_string(),
    };
    Ok(Url {
        scheme: "path".to_owned(),
        authority: None::<Authority>,
        path: path.split('/').map(str::to_owned).collect(),
        query: query.map(|(name, value)| (name.clone(), shown(value))).collect(),
        fragment: String::new(),
    })
}
