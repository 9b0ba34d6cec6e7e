//! Inputs from outside: archives, git repositories, folders, by references as Nix has them.
//!
//! An [`Input`] is attributes with a type; a [`Fetcher`] brings what it names into the
//! store and fills in what pins it. [`Url`] is how references are written.

mod archive;
mod attributes;
mod cache;
pub(crate) mod error;
mod fetch;
mod input;
pub mod registry;
mod schemes;
mod settings;
mod url;

pub use attributes::{Attribute, Attributes};
pub use error::Error;
pub use fetch::{Fetcher, File, Tree, UseRegistries};
pub(crate) use fetch::{hg, output};
pub use input::{
    FINAL, Input, NO_REVISION, is_flake_id, is_reference_name, looks_like_revision, parse_revision,
};
pub use schemes::Scheme;
pub use settings::FetchSettings;
pub use url::{Authority, Url, decode, decode_query, encode, fix_git_url};
