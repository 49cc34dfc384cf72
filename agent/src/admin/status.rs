//! How the running agent does: `GET /status`, and the question of it that `tandem check` and `tandem records` ask.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, Alarms};
use crate::buffer::figures::Progress;

/// What an agent tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The node's name.
    pub node: String,
    /// What an operator has to look at.
    pub alarms: Vec<Alarm>,
    /// What is shipped to the central database.
    pub shipments: Vec<Progress>,
}

/// Where the parts of a status are found.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The node's name.
    pub node: String,
    /// The alarms.
    pub alarms: Alarms,
    /// The shipments.
    pub shipments: Vec<Arc<Mutex<Progress>>>,
}

impl Sources {
    /// The status now.
    #[must_use]
    pub fn status(&self) -> Status {
        let shipments = self.shipments.iter();
        Status {
            node: self.node.clone(),
            alarms: self.alarms.list(),
            shipments: shipments.map(|one| one.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect(),
        }
    }
}

/// Asks the agent that serves here.
///
/// # Errors
/// It does not answer, or not as this version does.
pub async fn ask(address: SocketAddr) -> Result<Status, String> {
    let failed = |error: reqwest::Error| format!("the agent at {address} does not answer: {}", innermost(&error));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build().map_err(failed)?;
    let answer = client.get(format!("http://{address}/status")).send().await.map_err(failed)?;
    answer.error_for_status().map_err(failed)?.json().await.map_err(failed)
}

/// The cause: reqwest's own text names the URL once more.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
