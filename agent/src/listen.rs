//! Supervisors who listen to calls.
//!
//! A supervisor's phone rings; when it is answered, the channel that is listened to is snooped on, and both are bridged:
//!
//! ```text
//! channel of the call <~~ snoop listen-<id>.<n> --[bridge listen-<id>]-- phone listen-<id>
//! ```
//!
//! The call itself notices nothing. With each further key that says [`how`], one more snoop takes the place of the last, since Asterisk alters none.
//!
//! All that is known of a listening stands in Asterisk: its id in the ids of its channels, the rest in what they were given for the app. So the next agent
//! finds what it needs ([`listening`]), and goes on: what is left over of a call or a supervisor who is gone, it removes ([`desk`]).

pub mod desk;
pub mod how;
pub mod listener;
pub mod listening;
mod part;
