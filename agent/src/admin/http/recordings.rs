//! `/v1/recordings` and `/v1/recording-orders`: what was recorded of calls, and what is to be.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{delete, get};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::api::{Api, Posted, by};
use super::authorized::{Authorized, Supervisor};
use super::refusal::Refusal;
use crate::media::depot::DepotError;
use crate::store::recording::{Filter, Form, Kept, NewOrder, Order, Whose};

/// Audio has its size.
const FETCH: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/recordings", get(list))
        .route("/v1/recordings/{id}", get(one))
        .route("/v1/recordings/{id}/audio", get(audio))
        .route("/v1/recording-orders", get(orders).post(order))
        .route("/v1/recording-orders/{id}", delete(end))
}

#[derive(Deserialize)]
struct Which {
    line: Option<String>,
    account: Option<String>,
    since: Option<DateTime<Utc>>,
}

/// Of the last week, unless it is said otherwise.
async fn list(
    _: Authorized<Supervisor>,
    State(api): State<Api>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Vec<Kept>>, Refusal> {
    let Query(Which { line, account, since }) =
        which.map_err(|wrong| Refusal::new(StatusCode::BAD_REQUEST, wrong.body_text()))?;
    let since = since.unwrap_or_else(|| Utc::now() - TimeDelta::days(7));
    Ok(Json(api.store.recordings(&Filter { line_id: line, account_id: account, since }, by()).await?))
}

async fn one(_: Authorized<Supervisor>, State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Kept>, Refusal> {
    Ok(Json(find(&api, &id).await?))
}

async fn audio(
    by: Authorized<Supervisor>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let kept = find(&api, &id).await?;
    let subject = json!({ "line": kept.recording.line_id, "linked_id": kept.recording.linked_id });
    api.tell(&by.person, "recording.fetch", &id, &subject).await?;
    let audio = api.depot.get(&kept.audio, Instant::now() + FETCH).await?;
    Ok(([(CONTENT_TYPE, "audio/wav")], audio))
}

async fn find(api: &Api, id: &str) -> Result<Kept, Refusal> {
    let none = || Refusal::new(StatusCode::NOT_FOUND, "there is no such recording");
    let id: Uuid = id.parse().map_err(|_| none())?;
    api.store.recording(id, by()).await?.ok_or_else(none)
}

fn shown(order: &Order) -> Value {
    json!({
        "id": order.id,
        "line": order.line_id,
        "account": order.account_id,
        "calls_left": order.calls_left,
        "form": order.form,
        "ordered_by": order.ordered_by,
        "ordered_at": order.ordered_at,
        "until": order.ends_at,
    })
}

async fn orders(_: Authorized<Supervisor>, State(api): State<Api>) -> Result<Json<Vec<Value>>, Refusal> {
    let orders = api.store.recording_orders(Utc::now(), by()).await?;
    Ok(Json(orders.iter().map(shown).collect()))
}

#[derive(Deserialize)]
struct Wish {
    line: Option<String>,
    account: Option<String>,
    calls: Option<i32>,
    until: Option<DateTime<Utc>>,
    form: Option<Form>,
}

async fn order(
    who: Authorized<Supervisor>,
    State(api): State<Api>,
    Posted(wish): Posted<Wish>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let wrong = |text: &str| Refusal::new(StatusCode::BAD_REQUEST, text);
    let whose = match (wish.line, wish.account) {
        (Some(line), None) => Whose::Line(line),
        (None, Some(account)) => Whose::Account(account),
        _ => return Err(wrong("line, account: one of the two, and not both")),
    };
    if wish.calls.is_some_and(|calls| calls < 1) {
        return Err(wrong("calls: one at the least"));
    }
    if wish.calls.is_some() && wish.until.is_some() {
        return Err(wrong("calls, until: one of the two at the most"));
    }
    if let Whose::Line(line) = &whose
        && api.store.recording_policy(line, by()).await?.is_none()
    {
        return Err(Refusal::new(StatusCode::NOT_FOUND, format!("line: there is no line {line}")));
    }
    let order = NewOrder {
        id: Uuid::now_v7(),
        whose,
        calls: wish.calls,
        form: wish.form.unwrap_or(Form::Stereo),
        ordered_by: who.person.clone(),
        ordered_at: Utc::now(),
        ends_at: wish.until,
    };
    let (line, account) = match &order.whose {
        Whose::Line(id) => (Some(id), None),
        Whose::Account(id) => (None, Some(id)),
    };
    let subject = json!({ "line": line, "account": account, "calls": order.calls, "until": order.ends_at });
    api.tell(&who.person, "recording.order", &order.id.to_string(), &subject).await?;
    api.store.order_recording(&order, by()).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": order.id }))))
}

/// What was recorded by it is kept.
async fn end(
    who: Authorized<Supervisor>,
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let orders = api.store.recording_orders(Utc::now(), by()).await?;
    let order = orders.into_iter().find(|order| order.id.to_string() == id);
    let order = order.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "there is no such order that holds"))?;
    api.tell(&who.person, "recording.end", &id, &json!({ "line": order.line_id, "account": order.account_id })).await?;
    api.store.end_recording_order(order.id, Utc::now(), by()).await?;
    Ok(Json(json!({ "id": id })))
}

impl From<DepotError> for Refusal {
    fn from(error: DepotError) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}
