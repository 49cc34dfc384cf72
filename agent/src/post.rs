//! What has to reach somebody outside: each of it is a file until it is delivered, and one address that cannot be reached delays no other.
//!
//! [`errand`] is what is to be done for one address, [`outbox`] the files, [`rounds`] the tries and their pauses; [`mail`] and [`web`] deliver.

pub mod errand;
pub mod mail;
pub mod outbox;
pub mod rounds;
pub mod web;
