//! `/v1/listening`: who listens to calls.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::Api;
use super::authorized::{Authorized, Supervisor};
use super::calls::at;
use super::refusal::Refusal;
use crate::orders::order::{Refused, Why};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/listening", get(list)).route("/v1/listening/{id}", delete(end))
}

/// Those of all nodes; `silent` are nodes that did not say.
async fn list(by: Authorized<Supervisor>, State(api): State<Api>) -> Result<Json<Value>, Refusal> {
    let (mut listening, mut silent) = (Vec::new(), Vec::new());
    for (node, told) in api.clerk.listenings(&by.person).await? {
        match told {
            Ok(told) => listening.extend(told.as_array().into_iter().flatten().map(|one| at(&node, one.clone()))),
            Err(Refused { .. }) => silent.push(node),
        }
    }
    Ok(Json(json!({ "listening": listening, "silent": silent })))
}

async fn end(
    by: Authorized<Supervisor>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::new(StatusCode::NOT_FOUND, "nobody listens under this id"))?;
    api.tell(&by.person, "listen.end", &id.to_string(), &json!({})).await?;
    Ok(Json(api.clerk.end_listening(id, &by.person).await?))
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        let status = match refused.why {
            Why::Missing => StatusCode::NOT_FOUND,
            Why::Wrong => StatusCode::BAD_REQUEST,
            Why::Forbidden => StatusCode::CONFLICT,
            Why::Away => StatusCode::SERVICE_UNAVAILABLE,
            Why::Unknown => StatusCode::GATEWAY_TIMEOUT,
        };
        Refusal::new(status, refused.error)
    }
}
