//! What comes from outside and is pinned: Debian archives, their signatures, and the one lock.
