//! Those who fit, one at a time (`app_directory.c`, `select_item_seq`): 1 takes, `*` goes on, `#` leaves, 0 is the operator.

use super::{Found, TRIES, name, operator};
use crate::call::{Call, Step};
use crate::flows::Ports;
use crate::phrases::{ask, sentence};
use crate::store::directory::{Directory, Person};

/// Offers one after the other; `None` when none was taken.
pub(super) async fn offer(
    call: &mut impl Call,
    people: Vec<Person>,
    directory: &Directory,
    ports: &Ports,
) -> Step<Option<Found>> {
    for person in people {
        match answer(call, &person, directory, ports).await? {
            Some('1') => return Ok(Some(Found::Person(person))),
            Some('0') => return Ok(Some(operator(directory))),
            Some('#') => return Ok(Some(Found::Left)),
            Some(_) => {}
            None => return Ok(Some(Found::Silent)),
        }
    }
    Ok(None)
}

/// A key that is an answer, if one comes while the offer is repeated.
async fn answer(call: &mut impl Call, person: &Person, directory: &Directory, ports: &Ports) -> Step<Option<char>> {
    for _ in 0..TRIES {
        let key = match name::tell(call, person, directory, ports).await? {
            None => ask(call, &sentence(&["dir-instr"]), super::FIRST_KEY).await?,
            key => key,
        };
        match key {
            Some('1' | '*' | '#') => return Ok(key),
            Some('0') if !directory.operator.is_empty() => return Ok(key),
            Some(_) => drop(call.play(&["vm-sorry".into()], "").await?),
            None => {}
        }
    }
    Ok(None)
}
