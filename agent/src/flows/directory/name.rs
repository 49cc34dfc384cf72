//! Who it is: the name as its owner says it, else spoken, else spelled; and the extension, where there is one and the directory tells it.

use crate::call::{Call, Prompt, Say, Step};
use crate::flows::menu::say::spoken;
use crate::flows::{Ports, voicemail};
use crate::phrases::{KEYS, Part, speak, spell};
use crate::store::directory::{Directory, Person};

/// Tells it; a key interrupts, and is returned.
pub(super) async fn tell(
    call: &mut impl Call,
    person: &Person,
    directory: &Directory,
    ports: &Ports,
) -> Step<Option<char>> {
    let key = name(call, person, ports).await?;
    if key.is_some() || !directory.say_extension || !person.reachable {
        return Ok(key);
    }
    let parts: [Part; 2] = ["vm-extension".into(), Say::Digits(person.extension.clone()).into()];
    speak(call, &parts, KEYS).await
}

async fn name(call: &mut impl Call, person: &Person, ports: &Ports) -> Step<Option<char>> {
    if let Some(audio) = &person.spoken
        && let Some(heard) = voicemail::play(call, audio, KEYS, ports).await?
    {
        return Ok(heard);
    }
    match spoken(call, &person.name, ports).await? {
        Some(spoken) => call.play(&[Prompt(spoken.prompt())], KEYS).await,
        None => spell(call, &person.name, KEYS).await,
    }
}
