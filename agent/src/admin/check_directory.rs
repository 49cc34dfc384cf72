//! The part of `tandem check` about directories: whether somebody is found there, and whether key 0 leads anywhere.

use std::time::Duration;

use tokio::time::timeout;

use super::check::Finding;
use crate::store::Store;

/// An operator waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// Directories that are named; the rest is counted.
const NAMED: usize = 10;

/// What was found.
pub(super) async fn findings(store: &Store) -> Vec<Finding> {
    // What is said of the database says why there is no answer.
    let Ok(Ok(gaps)) = timeout(PATIENCE, store.directory_gaps()).await else { return Vec::new() };
    let lacking = |lacks: &str, what: &str, mend: &str| {
        let ids: Vec<&str> = gaps.iter().filter(|gap| gap.lacks == lacks).map(|gap| gap.id.as_str()).collect();
        let named = ids.get(..ids.len().min(NAMED)).filter(|named| !named.is_empty())?;
        Some(Finding::Doubtful(format!("directories: {} {what}: {}", ids.len(), named.join(", ")), mend.into()))
    };
    let people = lacking(
        "people",
        "have nobody whom callers could find",
        "look at name, department, status and hidden of the account's mailboxes; the running agent computes the keys of names",
    );
    let operator = lacking("operator", "have an operator whose extension is not there", "tandem import extensions");
    people.into_iter().chain(operator).collect()
}
