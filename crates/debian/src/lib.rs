//! Debian's index and version formats, and a solver that decides in apt's order.
