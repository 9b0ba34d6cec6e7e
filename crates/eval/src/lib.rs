//! Values, laziness, string contexts and builtins; asks the World trait for everything outside.
