//! The part of `tandem check` about menus: whether all of them lead somewhere.

use std::time::Duration;

use tokio::time::timeout;

use super::check::Finding;
use super::menu;
use crate::store::Store;

/// An operator waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was found.
pub(super) async fn findings(store: &Store) -> Vec<Finding> {
    // What is said of the database says why there is no answer.
    let Ok(Ok(checked)) = timeout(PATIENCE, menu::checked(store, None)).await else { return Vec::new() };
    let Some(first) = checked.faults.first() else { return Vec::new() };
    let text = format!("menus: {} faults, the first: {first}", checked.faults.len());
    vec![Finding::Doubtful(text, "`tandem menu check` names them all".into())]
}
