//! `/v1/intercepts`: warrants, for those who intercept. Nothing of it is logged here.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;

use super::api::{Api, Posted};
use super::authorized::{Authorized, Intercept};
use super::refusal::Refusal;
use crate::admin::intercept::Shown;
use crate::store::warrant::{Order, Warrant};
use crate::store::warrants::WarrantError;

type Answer = Result<Json<Warrant>, Refusal>;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/intercepts", get(list).post(request))
        .route("/v1/intercepts/{id}/approve", post(approve))
        .route("/v1/intercepts/{id}/end", post(end))
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

impl From<WarrantError> for Refusal {
    fn from(error: WarrantError) -> Refusal {
        let status = match error {
            WarrantError::Store(error) => return error.into(),
            WarrantError::Wrong(_) => StatusCode::BAD_REQUEST,
            WarrantError::NoLine | WarrantError::NoWarrant => StatusCode::NOT_FOUND,
            WarrantError::SamePerson | WarrantError::Past => StatusCode::CONFLICT,
        };
        Refusal::new(status, error.to_string())
    }
}
