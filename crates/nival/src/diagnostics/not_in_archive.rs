//! `NV0841`: a path of the store or an archive holds no such file.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0841",
    title: "a path of the store or an archive holds no such file",
    page: r#"The store path or archive is there, but nothing of that name lies in it, or it is not a file where one is needed.
`nival store ls -R PATH` and `nival nar ls -R FILE` list what there is."#,
    example: Example::Situation {
        story: "A file is asked for that is not in the archive.",
        test: "contents_are_looked_at_without_unpacking",
    },
};
