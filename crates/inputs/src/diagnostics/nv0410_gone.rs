//! NV0410: a locked package is gone from every mirror.

use nival_diagnostics::{Diagnostic, Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0410",
    title: "a locked package is gone from every mirror",
    page: "A mirror keeps the newest version of each package only, and the locked one was superseded.\n\n`nival update PACKAGE` locks the version that the mirrors have now. To keep the old one, name an archive of past packages: `--snapshots ADDRESS`, where `@SNAPSHOTID@` stands for the time at which the package was locked. Archives that the repository itself or this host's apt names (`Snapshots:` of a release, `Acquire::Snapshots::URI` of `apt-config dump`) are asked without it.",
    example: Example::Situation {
        story: "A project is built a year after it was locked.",
        test: "a_package_that_is_gone_names_the_update",
    },
};

/// Tells where the package was looked for.
pub(crate) fn diagnostic(package: &str, version: &str, source: &nival_transport::Error) -> Diagnostic {
    let message = format!("the locked package `{package}` {version} is gone from every mirror");
    let looked = source.diagnostic().notes;
    looked
        .into_iter()
        .fold(Diagnostic::error(&ENTRY, message), Diagnostic::note)
        .help(format!("run `nival update {package}` to lock the version that the mirrors have now"))
        .help("or name an archive of past packages: `--snapshots ADDRESS`, with `@SNAPSHOTID@` for the time")
}
