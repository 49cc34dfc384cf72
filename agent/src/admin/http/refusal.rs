//! Why a request comes to nothing, as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio::time::Duration;
use tracing::warn;

use crate::store::StoreError;

/// An answer that is none: `{"error": "..."}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Refusal {
        Refusal { status, error: error.into(), retry_after: None }
    }

    pub(super) fn too_many(retry_after: Duration) -> Refusal {
        let error = "too many wrong tokens came from this address".to_owned();
        Refusal { status: StatusCode::TOO_MANY_REQUESTS, error, retry_after: Some(retry_after) }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        warn!(%error, "a request was refused: the database did not answer");
        match error {
            StoreError::Slow(_) | StoreError::Unavailable(_) => {
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again later")
            }
            StoreError::Broken(_) => {
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the database answered wrongly; see the agent's log")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(serde_json::json!({ "error": self.error }))).into_response();
        if let Some(wait) = self.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        answer
    }
}
