//! The calls that go on now.
//!
//! - [`watcher`]: hears of them from Asterisk, by a Stasis app of its own beside that of the calls; [`leg`] is what it reads of a channel.
//! - [`board`]: the picture in memory, and what changes in it.
//! - [`ledger`]: the same in the central database, a second later, so that limits hold over all nodes and anybody can look.
//! - [`dialler`]: calls that somebody asks for by a click.

pub mod board;
pub mod dialler;
pub mod ledger;
mod leg;
pub mod watcher;
