//! `builtin:unpack-deb`: the tree of a Debian package, and what is to be known beside it.

use super::Work;
use crate::deb::{Limits, unpack_until};

/// Which form the unpacked tree has; a change of the form is a change of every path.
pub const PACKAGE_FORM: &str = "1";

pub(super) fn run(work: &mut Work<'_>) -> Result<(), String> {
    let form = work.wanted("form")?;
    if form != PACKAGE_FORM {
        return Err(format!(
            "this version unpacks packages into the form `{PACKAGE_FORM}`, and not `{form}`"
        ));
    }
    let archive = (work.physical)(&work.wanted("archive")?);
    let out = work.output()?;
    let unpacked = unpack_until(&archive, &out, &Limits::default(), work.cancel.flag());
    unpacked.map(|_| ()).map_err(|error| error.to_string())
}
