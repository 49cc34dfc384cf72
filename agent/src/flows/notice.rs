//! The flow `notice`: a line is told of an emergency call. By message the dialplan sends it, and says how that went
//! (`AGI(.../notice/<id>/SUCCESS)`); by telephone whoever answers hears the callback number and the location.

use super::Ports;
use crate::call::{Call, Fault, Prompt, Step};
use crate::phrases;

/// Tells what was begun under the id.
///
/// # Errors
/// The line hung up, or the transport broke: then it is tried again.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let [id, status @ ..] = arguments else { return Err(Fault("a notice has no id".to_owned()).into()) };
    if let [status, ..] = status {
        let told = status == "SUCCESS";
        ports.talks.end(id, told);
        call.set(&[("TANDEM_DONE", "1")]).await?;
        return Ok(if told { "told" } else { "not-told" });
    }
    let Some(talk) = ports.talks.get(id) else { return Err(Fault(format!("there is no notice {id} any more")).into()) };
    if talk.message {
        // A message has no lines of its own: what separates is one.
        let text = talk.text.replace('\n', "; ");
        let variables = [
            ("TANDEM_ACTION", "message"),
            ("TANDEM_NOTICE_LINE", talk.line_id.as_str()),
            ("TANDEM_NOTICE_TEXT", &text),
            ("TANDEM_DONE", "1"),
        ];
        call.set(&variables).await?;
        return Ok("message");
    }
    call.answer().await?;
    let spoken = ports.speech.speak(&talk.text, "").await;
    // What is spoken goes by quickly; what is spelled does not.
    for _ in 0..if spoken.is_some() { 2 } else { 1 } {
        call.play(&["vm-Urgent".into(), "vm-message".into(), "vm-from-phonenumber".into()], "").await?;
        phrases::digits(call, &talk.number).await?;
        match &spoken {
            Some(spoken) => drop(call.play(&[Prompt(spoken.prompt())], "").await?),
            None => drop(phrases::spell(call, &talk.place, "").await?),
        }
    }
    ports.talks.end(id, true);
    call.hangup(16).await?;
    Ok("told")
}
