//! Composing roots, machines in containers, generations, plans and the journalled switch.
