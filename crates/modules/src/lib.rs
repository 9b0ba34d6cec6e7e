//! Options, types, definitions, priorities, and the origin of each value.
