//! The flow `linetest`: what an installer dials to see that a line works both ways.
//!
//! It reads the line's own number back, then each number keyed in; `*` records a few words and plays them.
//! `#` alone, silence, or a minute of recordings ends it.

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
    let path = path.to_string_lossy().into_owned();
    let limits = RecordingLimits {
        longest: Duration::from_secs(10),
        silence: Duration::from_secs(3),
        keys: "#".into(),
        beep: true,
    };
    let recording = call.record(&path, &limits).await?;
    let played = match recording.end {
        RecordingEnd::Hangup => Ok(None),
        _ => call.play(&[Prompt(recording.path.clone())], "#").await,
    };
    // The node keeps nothing of a test; a file that is already gone is no fault.
    let _ = tokio::fs::remove_file(format!("{}.wav", recording.path)).await;
    played.map(|_| ())
}
