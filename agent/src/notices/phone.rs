//! Notices to a line, by message or by call: Asterisk opens a channel, whose dialplan asks the agent what is to be told (`flows::notice`).

use uuid::Uuid;

use super::notice::{Notice, Way};
use crate::console::Console;
use crate::emergency::talks::{Talk, Talks};

/// Tells lines.
#[derive(Debug)]
pub(super) struct Phone {
    console: Console,
    /// How a line is dialled: `{line}`.
    line_dial: String,
    talks: Talks,
}

impl Phone {
    pub(super) fn new(console: Console, line_dial: &str, talks: Talks) -> Phone {
        Phone { console, line_dial: line_dial.to_owned(), talks }
    }

    /// Tells a line; the caller sets the limit of time.
    ///
    /// # Errors
    /// It could not be told.
    pub(super) async fn tell(&self, notice: &Notice) -> Result<(), String> {
        // New for each try, so that a late channel of an earlier one finds nothing.
        let id = Uuid::now_v7().simple().to_string();
        let message = notice.way == Way::Message;
        let talk = Talk {
            line_id: notice.address.clone(),
            message,
            text: notice.text(),
            place: notice.location.clone(),
            number: notice.callback_number.clone(),
        };
        let _end = End { talks: &self.talks, id: &id };
        let told = self.talks.begin(&id, talk);
        let command = if message {
            format!("channel originate Local/{id}@tandem-notice/n application Wait 2")
        } else {
            let line = self.line_dial.replace("{line}", &notice.address);
            format!("channel originate {line} extension {id}@tandem-notice")
        };
        let said = self.console.ask(&command).await?;
        // It says nothing when it does what it is told.
        if said.contains("No such command") {
            return Err("Asterisk has no `channel originate`: load res_clioriginate.so".to_owned());
        }
        told.await.map_err(|_| format!("line {} did not take it", notice.address))
    }
}

/// What is given up is no longer told.
struct End<'a> {
    talks: &'a Talks,
    id: &'a str,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.talks.end(self.id, false);
    }
}
