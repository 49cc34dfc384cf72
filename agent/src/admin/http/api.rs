//! `/v1/`: what persons with tokens ask. Answers are JSON, refusals `{"error": "..."}`.
//!
//! | path | role | answers |
//! |---|---|---|
//! | `GET /v1/whoami` | any | the token's person and role |
//! | `GET /v1/audit?after=N` | `auditor` | entries of the audit log after a number |
//! | `GET /v1/calls?node=&line=&account=&gateway=` | `operator` | the calls that go on |
//! | `POST /v1/calls` | `operator` | rings a line's phone, which then calls |
//! | `POST /v1/calls/{node}/{uniqueid}/listen`, `/record` | `supervisor` | rings a line's phone, which then listens; records from now on |
//! | `GET /v1/listening`, `DELETE /v1/listening/{id}` | `supervisor` | who listens; ends it |
//! | `GET /v1/recordings`, `/{id}`, `/{id}/audio` | `supervisor` | what was recorded |
//! | `GET`, `POST /v1/recording-orders`, `DELETE /{id}` | `supervisor` | whose calls are to be recorded; ends that |
//! | `GET`, `POST /v1/intercepts` | `intercept` | warrants; requests one |
//! | `POST /v1/intercepts/{id}/approve`, `/end` | `intercept` | approves one that another person requested; ends one |
//! | `GET`, `DELETE /v1/intercepts/{id}/content` | `intercept` | what was intercepted, in parts; deletes it |
//! | `GET /v1/intercepts/{id}/content/{call}/{part}/content`, `/signalling` | `intercept` | a part, as files of age |
//! | `GET /v1/intercepts/alarms` | `intercept` | what keeps this node from intercepting |
//!
//! A route is a handler that begins with who may ask: `async fn calls(_: Authorized<Operator>, State(api): State<Api>, ...)`, and answers
//! `Result<Json<T>, Refusal>`. A body is `Posted<T>`; a further right is a line in `authorized.rs`.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::authorized::{Anybody, Auditor, Authorized};
use super::guesses::Guesses;
use super::refusal::Refusal;
use super::{calls, intercepts, listening, recordings};
use crate::alarm::Alarms;
use crate::media::depot::Depot;
use crate::orders::clerk::Clerk;
use crate::store::audit::{Deed, Entry};
use crate::store::token::Role;
use crate::store::{Store, StoreError};

/// Bytes of a body at the most.
const BODY: usize = 64 * 1024;
/// A person has more patience than a caller.
const PATIENCE: Duration = Duration::from_secs(5);

/// What handlers have.
#[derive(Debug, Clone)]
pub struct Api {
    /// The central database.
    pub store: Store,
    /// Has nodes do things.
    pub clerk: Clerk,
    /// Where audio is.
    pub depot: Arc<Depot>,
    /// What those who intercept have to look at on this node.
    pub interception_alarms: Alarms,
    pub(super) guesses: Guesses,
}

impl Api {
    /// On this store, with these parts of the node.
    #[must_use]
    pub fn new(store: Store, clerk: Clerk, depot: Depot, interception_alarms: Alarms) -> Api {
        Api { store, clerk, depot: Arc::new(depot), interception_alarms, guesses: Guesses::default() }
    }

    /// Tells the audit log what somebody is about to do. Nobody does what it cannot be told of.
    pub(super) async fn tell(
        &self,
        person: &str,
        action: &'static str,
        about: &str,
        subject: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let (about, subject) = (about.to_owned(), subject.to_string());
        self.store.tell(Deed { person: person.to_owned(), action, about, subject }).await
    }
}

/// A deadline for a question that a person waits for.
pub(super) fn by() -> Instant {
    Instant::now() + PATIENCE
}

/// A body in JSON.
#[derive(Debug)]
pub(super) struct Posted<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Posted<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Refusal> {
        match Json::from_request(request, api).await {
            Ok(Json(body)) => Ok(Posted(body)),
            // A field that is not as it should be is named in the text.
            Err(JsonRejection::JsonDataError(wrong)) => Err(Refusal::new(StatusCode::BAD_REQUEST, wrong.body_text())),
            Err(wrong) => Err(Refusal::new(wrong.status(), wrong.body_text())),
        }
    }
}

pub(super) fn routes(api: Api) -> Router {
    Router::new()
        .route("/v1/whoami", get(whoami))
        .route("/v1/audit", get(audit))
        .merge(calls::routes())
        .merge(listening::routes())
        .merge(recordings::routes())
        .merge(intercepts::routes())
        .route("/v1/{*path}", any(async || Refusal::new(StatusCode::NOT_FOUND, "there is no such path")))
        .method_not_allowed_fallback(async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method"))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(api)
}

#[derive(Serialize)]
struct Me {
    person: String,
    role: Role,
}

async fn whoami(Authorized { person, role, .. }: Authorized<Anybody>) -> Json<Me> {
    Json(Me { person, role })
}

#[derive(Deserialize)]
struct After {
    after: Option<i64>,
}

/// Of interceptions an auditor sees who did what and when, not to whom.
async fn audit(
    _: Authorized<Auditor>,
    State(api): State<Api>,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Json<Vec<Entry>>, Refusal> {
    let Query(After { after }) = after.map_err(|wrong| Refusal::new(wrong.status(), wrong.body_text()))?;
    let mut entries = api.store.entries_after(after, by()).await?;
    for entry in entries.iter_mut().filter(|entry| entry.action.starts_with("intercept.")) {
        entry.subject = "\"withheld\"".to_owned();
    }
    Ok(Json(entries))
}
