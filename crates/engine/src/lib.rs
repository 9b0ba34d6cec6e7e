//! From an expression to a built machine: the World of the evaluator, over the store and the lock.
