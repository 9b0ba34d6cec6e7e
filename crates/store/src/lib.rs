//! The local store: database, locks, roots, adding and verifying paths.
