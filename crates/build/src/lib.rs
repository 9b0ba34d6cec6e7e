//! Built-in builders and, later, the scheduler and the sandbox.
