//! What a line dials that is no number: the code of a feature, perhaps with a number behind it.

use super::decide::Known;
use super::decision::{Decision, FeatureCall, Refusal};
use super::explanation::Listener;
use super::number;
use super::turn::Turn;
use crate::store::asking::Asking;
use crate::store::caller::LineCaller;
use crate::store::feature::Feature;
use crate::store::{Store, StoreError};

/// What becomes of a code; `None` for what is none. Only what begins with `*` or `#` is looked up.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    caller: &LineCaller,
    dialled: &str,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Option<Turn>, StoreError> {
    if !dialled.starts_with(['*', '#']) {
        return Ok(None);
    }
    let codes = store.feature_codes(asking).await?;
    let Some((feature, rest)) = longest(&codes, dialled) else { return Ok(None) };
    listener.step("feature", || format!("{dialled} is the code of {}, with {rest:?}", feature.name()));
    let known = Known {
        account_id: &caller.account.id,
        time_zone: &caller.account.time_zone,
        number: dialled,
        class: number::INTERNAL,
    };
    if let Some(class) = feature.class()
        && !store.may_use(&caller.line_id, class, asking).await?
    {
        listener.step("class", || format!("the line may not use class {class}"));
        return known.refuse(Refusal::FeatureForbidden).map(Some);
    }
    let privacy = match feature {
        Feature::Withhold => Some(true),
        Feature::Present => Some(false),
        Feature::SpeedDial => {
            return match store.speed_dial(&caller.line_id, rest, asking).await? {
                Some(number) => Ok(Some(Turn::Dialled { number, privacy: None })),
                None => known.refuse(Refusal::SpeedDialEmpty).map(Some),
            };
        }
        _ => {
            return Ok(Some(Turn::Decided(Decision::Feature(FeatureCall {
                feature,
                number: dialled.to_owned(),
                account_id: caller.account.id.clone(),
                time_zone: caller.account.time_zone.clone(),
            }))));
        }
    };
    Ok((!rest.is_empty()).then(|| Turn::Dialled { number: rest.to_owned(), privacy }))
}

/// The longest code with which `dialled` begins, and what follows it.
#[must_use]
pub fn longest<'a>(codes: &[(String, Feature)], dialled: &'a str) -> Option<(Feature, &'a str)> {
    let fitting =
        codes.iter().filter_map(|(code, feature)| Some((code.len(), *feature, dialled.strip_prefix(code.as_str())?)));
    fitting.max_by_key(|(length, ..)| *length).map(|(_, feature, rest)| (feature, rest))
}
