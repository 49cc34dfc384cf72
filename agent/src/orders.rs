//! What persons ask of nodes: of the one whose agent they ask, or, by the database, of any other.
//!
//! An [`order`] to this node is done at once by its [`hands`]. One to another is written down, and that node's [`clerk`], who looks once a second, takes
//! it, once, does it, and writes down what came of it, for which the first clerk waits. Who waited in vain takes the order back in the same way, so that
//! it is known whether it may still be done.

pub mod clerk;
pub mod hands;
pub mod order;
