//! Recording something and listening to it again: messages of callers, comments, and owners' greetings (`app_voicemail.c`, `play_record_review`).

use std::path::PathBuf;
use std::time::Duration;

use crate::call::{Call, Ended, Prompt, RecordingEnd, RecordingLimits, Step};
use crate::phrases::{KEYS, ask, sentence, speak};
use crate::voicemail::Voicemail;
use crate::voicemail::drafts::Draft;

/// For a key after a question.
const KEY: Duration = Duration::from_secs(6);
/// For a key after the offer of the operator.
const HOLD: Duration = Duration::from_secs(3);
/// Questions without an answer, after which what was recorded is kept.
const PATIENCE: u32 = 3;

/// How something is recorded.
#[derive(Debug, Clone)]
pub(super) struct Manner<'a> {
    /// What is said before; of messages it is said before a further try only.
    pub prompt: &'a str,
    /// Whether it is a message: it is kept when the caller hangs up, and may be urgent. A greeting is neither.
    pub message: bool,
    /// Whether it can be listened to and recorded again.
    pub review: bool,
    /// Whether key 0 leads to an operator.
    pub operator: bool,
    /// Longest and shortest length.
    pub longest: Duration,
    /// What is shorter is not kept.
    pub least: Duration,
    /// Silence that ends it; zero for none.
    pub silence: Duration,
}

/// What became of it.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Whether it is to be kept.
    pub keep: bool,
    /// Whether the caller calls it urgent.
    pub urgent: bool,
    /// Whether the caller wants the operator.
    pub operator: bool,
    /// Why the conversation is over, if it is.
    pub ended: Option<Ended>,
}

/// How a round of recording and listening ends.
enum Verdict {
    Keep,
    Drop,
    OperatorAndKeep,
    OperatorAndDrop,
}

/// What is known while the caller is still at it.
#[derive(Default)]
struct State {
    /// What was recorded last may be kept.
    usable: bool,
    urgent: bool,
    rounds: u32,
}

/// Records, and lets the caller listen, record again and decide. However it ends, what it was then is told.
pub(super) async fn record(
    call: &mut impl Call,
    draft: &Draft,
    manner: &Manner<'_>,
    voicemail: &Voicemail,
) -> Recorded {
    let mut state = State::default();
    let verdict = Box::pin(rounds(call, draft, manner, voicemail, &mut state)).await;
    let (keep, operator, ended) = match verdict {
        Ok(Verdict::Keep) => (true, false, None),
        Ok(Verdict::Drop) => (false, false, None),
        Ok(Verdict::OperatorAndKeep) => (true, true, None),
        Ok(Verdict::OperatorAndDrop) => (false, true, None),
        Err(ended) => (manner.message && state.usable, false, Some(ended)),
    };
    Recorded { keep, urgent: state.urgent, operator, ended }
}

async fn rounds(
    call: &mut impl Call,
    draft: &Draft,
    manner: &Manner<'_>,
    voicemail: &Voicemail,
    state: &mut State,
) -> Step<Verdict> {
    let mut command = Some('3');
    let mut unanswered = 0;
    loop {
        command = match command.take() {
            Some('3') => match take(call, draft, manner, voicemail, state).await? {
                Some(verdict) => return Ok(verdict),
                None => None,
            },
            // With nothing to save, it is to record.
            Some('1') if !state.usable => Some('3'),
            Some('1') => return Ok(Verdict::Keep),
            Some('2') if state.usable => call.play(&[Prompt(draft.path())], KEYS).await?,
            Some('4') if manner.message => {
                state.urgent = !state.urgent;
                let said = if state.urgent { "vm-marked-urgent" } else { "vm-marked-nonurgent" };
                call.play(&[said.into()], KEYS).await?
            }
            Some('0') if manner.operator => return leave_to_operator(call, state).await,
            Some(_) => call.play(&["vm-sorry".into()], KEYS).await?,
            None => {
                let key = offer(call, manner, state).await?;
                unanswered += u32::from(key.is_none());
                if unanswered >= PATIENCE {
                    return Ok(if state.usable { Verdict::Keep } else { Verdict::Drop });
                }
                key
            }
        };
    }
}

/// Records once. A verdict ends it; else what can be done with it is offered.
async fn take(
    call: &mut impl Call,
    draft: &Draft,
    manner: &Manner<'_>,
    voicemail: &Voicemail,
    state: &mut State,
) -> Step<Option<Verdict>> {
    if !manner.message || state.rounds > 0 {
        speak(call, &sentence(&[manner.prompt]), "").await?;
    }
    state.rounds += 1;
    state.usable = false;
    let keys = if manner.operator { "#0" } else { "#" };
    let limits =
        RecordingLimits { longest: manner.longest, silence: manner.silence, keys: keys.to_owned(), beep: true };
    let recording = call.record(&draft.path(), &limits).await;
    let measure = voicemail.clerk.measure(draft).await.unwrap_or_default();
    let sounding = measure.sound >= voicemail.rules.least_sound;
    state.usable = measure.length >= manner.least && sounding && measure.length > Duration::ZERO;
    let recording = recording?;
    if recording.end == RecordingEnd::Hangup {
        return Err(Ended::Hangup);
    }
    if recording.end == RecordingEnd::Key('0') {
        return leave_to_operator(call, state).await.map(Some);
    }
    if !state.usable {
        call.play(&["vm-tooshort".into()], "").await?;
        return Ok((manner.message && !manner.review).then_some(Verdict::Drop));
    }
    Ok((manner.message && !manner.review).then_some(Verdict::Keep))
}

/// Tells what can be done, and waits for a key.
async fn offer(call: &mut impl Call, manner: &Manner<'_>, state: &State) -> Step<Option<char>> {
    let mut prompts = Vec::new();
    if state.usable {
        prompts.push("vm-review");
        if manner.message {
            // The prompts are named by what the message is.
            prompts.push(if state.urgent { "vm-review-urgent" } else { "vm-review-nonurgent" });
        }
    } else {
        prompts.push("vm-torerecord");
    }
    if manner.operator {
        prompts.push("vm-reachoper");
    }
    ask(call, &sentence(&prompts), KEY).await
}

/// Who asks for the operator may keep the message before.
async fn leave_to_operator(call: &mut impl Call, state: &State) -> Step<Verdict> {
    if !state.usable {
        return Ok(Verdict::OperatorAndDrop);
    }
    match ask(call, &sentence(&["vm-saveoper"]), HOLD).await? {
        Some('1') => Ok(Verdict::OperatorAndKeep),
        _ => {
            call.play(&["vm-deleted".into()], "").await?;
            Ok(Verdict::OperatorAndDrop)
        }
    }
}

/// A recording of a conversation that goes with this value, unless it was put into the spool.
#[derive(Debug)]
pub(super) struct Passing(pub PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // One that was never written is no fault.
        let _ = std::fs::remove_file(&self.0);
    }
}
