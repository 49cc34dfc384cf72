//! Those who fit, up to eight at a time (`app_directory.c`, `select_item_menu`): 1 to 8 take, 9 or `*` goes on to more, `#` leaves, 0 is the operator.

use super::{FIRST_KEY, Found, TRIES, name, operator};
use crate::call::{Call, Say, Step};
use crate::flows::Ports;
use crate::phrases::{KEYS, Part, ask, sentence, speak};
use crate::store::directory::{Directory, Person};

/// People of a menu: one for each key, but for 9.
const MENU: usize = 8;

/// What a caller makes of a menu.
enum Answer {
    Chosen(usize),
    More,
    Ended(Found),
}

/// Offers menu after menu; `None` when nobody was taken.
pub(super) async fn offer(
    call: &mut impl Call,
    people: Vec<Person>,
    directory: &Directory,
    ports: &Ports,
) -> Step<Option<Found>> {
    let mut rest = people.as_slice();
    while !rest.is_empty() {
        let (menu, more) = rest.split_at(rest.len().min(MENU));
        match answer(call, menu, !more.is_empty(), directory, ports).await? {
            Answer::Chosen(place) => return Ok(menu.get(place).cloned().map(Found::Person)),
            Answer::Ended(found) => return Ok(Some(found)),
            Answer::More => rest = more,
        }
    }
    Ok(None)
}

async fn answer(
    call: &mut impl Call,
    menu: &[Person],
    more: bool,
    directory: &Directory,
    ports: &Ports,
) -> Step<Answer> {
    for _ in 0..TRIES {
        let key = read(call, menu, more, directory, ports).await?;
        let place = key.and_then(|key| "12345678".find(key)).filter(|place| *place < menu.len());
        match (key, place) {
            (_, Some(place)) => return Ok(Answer::Chosen(place)),
            (Some('*'), _) => return Ok(Answer::More),
            (Some('9'), _) if more => return Ok(Answer::More),
            (Some('#'), _) => return Ok(Answer::Ended(Found::Left)),
            (Some('0'), _) if !directory.operator.is_empty() => return Ok(Answer::Ended(operator(directory))),
            (Some(_), _) => drop(call.play(&["vm-sorry".into()], "").await?),
            (None, _) => {}
        }
    }
    Ok(Answer::Ended(Found::Silent))
}

/// `Press one for ..., press two for ..., press nine for more names`.
async fn read(
    call: &mut impl Call,
    menu: &[Person],
    more: bool,
    directory: &Directory,
    ports: &Ports,
) -> Step<Option<char>> {
    for (key, person) in (1..).zip(menu) {
        let parts: [Part; 3] = ["dir-multi1".into(), Say::Number(key).into(), "dir-multi2".into()];
        let pressed = match speak(call, &parts, KEYS).await? {
            None => name::tell(call, person, directory, ports).await?,
            key => key,
        };
        if pressed.is_some() {
            return Ok(pressed);
        }
    }
    ask(call, &sentence(if more { &["dir-multi9"] } else { &[] }), FIRST_KEY).await
}
