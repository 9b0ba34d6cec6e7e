//! Tests of locking and fetching, against an archive made by hand; and against the real one where that is asked for.

mod apt_oracle;
mod archive;
mod fetching;
mod lock_file;
mod locking;
mod signatures;
mod sources;
