//! The flow `linetest`: what an installer dials to see that a line works both ways.
//!
//! It reads the caller's number back (the dialplan makes it the line's id), then each number keyed in; `*` records a
//! few words and plays them.
//! `#` alone, silence, or a minute of recordings ends it.

use std::path::PathBuf;
use std::time::Duration;

use super::Ports;
use crate::call::{Call, Prompt, RecordingEnd, RecordingLimits, Step};
use crate::phrases;

/// Rounds after which the test ends by itself.
const ROUNDS: usize = 20;

/// Converses until the caller has enough.
///
/// # Errors
/// The caller hung up, or the transport broke.
pub async fn run(call: &mut impl Call, ports: &Ports) -> Step<&'static str> {
    call.answer().await?;
    let number = call.caller().number.clone();
    call.play(&[Prompt::from("extension")], "").await?;
    phrases::digits(call, &number).await?;
    for _ in 0..ROUNDS {
        let keyed = call.collect(&["beep".into()], 20, Duration::from_secs(5)).await?;
        match keyed.keys.as_str() {
            "" => break,
            "*" => echo(call, ports).await?,
            keys => {
                call.play(&["you-entered".into()], "").await?;
                phrases::digits(call, keys).await?;
            }
        }
    }
    call.play(&["goodbye".into()], "").await?;
    call.hangup(16).await?;
    Ok("tested")
}

/// Records a few words, plays them back and removes them.
async fn echo(call: &mut impl Call, ports: &Ports) -> Step<()> {
    let path = ports.recordings.join(format!("linetest-{}", call.caller().uniqueid.replace(['/', '.'], "-")));
    // The node keeps nothing of a test, however it ends.
    let _file = Removed(path.with_added_extension("wav"));
    let path = path.to_string_lossy().into_owned();
    let limits = RecordingLimits {
        longest: Duration::from_secs(10),
        silence: Duration::from_secs(3),
        keys: "#".into(),
        beep: true,
    };
    let recording = call.record(&path, &limits).await?;
    if recording.end != RecordingEnd::Hangup {
        call.play(&[Prompt(recording.path)], "#").await?;
    }
    Ok(())
}

/// A file that goes with this value: also when the caller hangs up, the connection breaks or the agent is stopped.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // One that was never written is no fault.
        let _ = std::fs::remove_file(&self.0);
    }
}
