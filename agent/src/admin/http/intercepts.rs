//! `/v1/intercepts`: warrants, for those who intercept. Nothing of it is logged here.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Posted};
use super::authorized::{Authorized, Intercept};
use super::refusal::Refusal;
use crate::admin::intercept::Shown;
use crate::alarm::Alarm;
use crate::store::interception::Listed;
use crate::store::warrant::{Order, Warrant};
use crate::store::warrants::WarrantError;

/// Which file of a part.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Content,
    Signalling,
}

type Answer = Result<Json<Warrant>, Refusal>;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/intercepts", get(list).post(request))
        .route("/v1/intercepts/{id}/approve", post(approve))
        .route("/v1/intercepts/{id}/end", post(end))
        .route("/v1/intercepts/{id}/content", get(parts).delete(forget))
        .route("/v1/intercepts/{id}/content/{call}/{part}/{which}", get(part))
        .route("/v1/intercepts/alarms", get(alarms))
}

async fn list(_: Authorized<Intercept>, State(api): State<Api>) -> Result<Json<Vec<Shown>>, Refusal> {
    let warrants = api.store.warrants(Utc::now()).await?;
    Ok(Json(warrants.into_iter().map(|(warrant, standing)| Shown { warrant, standing }).collect()))
}

async fn request(
    by: Authorized<Intercept>,
    State(api): State<Api>,
    Posted(order): Posted<Order>,
) -> Result<(StatusCode, Json<Warrant>), Refusal> {
    Ok((StatusCode::CREATED, Json(api.store.request_warrant(order, &by.person).await?)))
}

async fn approve(by: Authorized<Intercept>, State(api): State<Api>, Path(id): Path<String>) -> Answer {
    Ok(Json(api.store.approve_warrant(&id, &by.person).await?))
}

async fn end(by: Authorized<Intercept>, State(api): State<Api>, Path(id): Path<String>) -> Answer {
    Ok(Json(api.store.end_warrant(&id, &by.person).await?))
}

async fn alarms(_: Authorized<Intercept>, State(api): State<Api>) -> Json<Vec<Alarm>> {
    Json(api.interception_alarms.list())
}

async fn parts(
    _: Authorized<Intercept>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Vec<Listed>>, Refusal> {
    Ok(Json(api.store.interceptions(&id).await?))
}

/// Each file that is handed out is an entry in the audit log.
async fn part(
    by: Authorized<Intercept>,
    State(api): State<Api>,
    Path((id, call, part, which)): Path<(String, String, u32, Which)>,
) -> Result<impl IntoResponse, Refusal> {
    let sealed = api.store.fetch_interception(&id, &call, part, &by.person).await?;
    let file = match which {
        Which::Content => sealed.content,
        Which::Signalling => sealed.signalling,
    };
    Ok(([(CONTENT_TYPE, "application/octet-stream")], file))
}

async fn forget(
    by: Authorized<Intercept>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let parts = api.store.delete_interceptions(&id, &by.person).await?;
    Ok(Json(json!({ "parts": parts })))
}

impl From<WarrantError> for Refusal {
    fn from(error: WarrantError) -> Refusal {
        let status = match error {
            WarrantError::Store(error) => return error.into(),
            WarrantError::Wrong(_) => StatusCode::BAD_REQUEST,
            WarrantError::NoLine | WarrantError::NoWarrant | WarrantError::NoPart => StatusCode::NOT_FOUND,
            WarrantError::SamePerson | WarrantError::Past => StatusCode::CONFLICT,
        };
        Refusal::new(status, error.to_string())
    }
}
