//! Store paths, hashes, derivations, NAR and narinfo as plain data and streaming codecs.
