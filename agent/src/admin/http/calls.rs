//! `/v1/calls`: the calls that go on, new ones, and who listens to them or records them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Posted};
use super::authorized::{Authorized, Operator, Supervisor};
use super::refusal::Refusal;
use crate::listen::how::How;
use crate::orders::order::Order;
use crate::store::live_call::{ListedCall, Which};
use crate::store::recording::Form;

type Made = Result<(StatusCode, Json<Value>), Refusal>;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/calls", get(list).post(call))
        .route("/v1/calls/{node}/{uniqueid}/listen", post(listen))
        .route("/v1/calls/{node}/{uniqueid}/record", post(record))
}

async fn list(
    _: Authorized<Operator>,
    State(api): State<Api>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Vec<ListedCall>>, Refusal> {
    let Query(which) = which.map_err(|wrong| Refusal::new(StatusCode::BAD_REQUEST, wrong.body_text()))?;
    let mut calls = api.store.live_calls().await?;
    calls.retain(|call| which.is(call));
    Ok(Json(calls))
}

#[derive(Deserialize)]
struct Wish {
    from: String,
    to: String,
    node: Option<String>,
}

async fn call(by: Authorized<Operator>, State(api): State<Api>, Posted(wish): Posted<Wish>) -> Made {
    let Wish { from, to, node } = wish;
    let node = node.unwrap_or_else(|| api.clerk.node().to_owned());
    api.tell(&by.person, "call.place", &from, &json!({ "to": to, "node": node })).await?;
    let made = api.clerk.give(&node, Order::Call { from, to }, &by.person).await?;
    Ok((StatusCode::CREATED, Json(at(&node, made))))
}

#[derive(Deserialize)]
struct Ear {
    line: String,
    how: How,
}

async fn listen(
    by: Authorized<Supervisor>,
    State(api): State<Api>,
    Path((node, uniqueid)): Path<(String, String)>,
    Posted(Ear { line, how }): Posted<Ear>,
) -> Made {
    let subject = json!({ "line": line, "how": how, "node": node });
    api.tell(&by.person, "listen.begin", &uniqueid, &subject).await?;
    let made = api.clerk.give(&node, Order::Listen { uniqueid, line, how }, &by.person).await?;
    Ok((StatusCode::CREATED, Json(at(&node, made))))
}

#[derive(Deserialize)]
struct Tape {
    form: Option<Form>,
}

async fn record(
    by: Authorized<Supervisor>,
    State(api): State<Api>,
    Path((node, uniqueid)): Path<(String, String)>,
    Posted(Tape { form }): Posted<Tape>,
) -> Made {
    let form = form.unwrap_or(Form::Stereo);
    api.tell(&by.person, "recording.begin", &uniqueid, &json!({ "node": node, "form": form })).await?;
    let made = api.clerk.give(&node, Order::Record { uniqueid, form }, &by.person).await?;
    Ok((StatusCode::CREATED, Json(at(&node, made))))
}

/// What a node told, with its name.
pub(super) fn at(node: &str, mut told: Value) -> Value {
    if let Some(fields) = told.as_object_mut() {
        fields.insert("node".to_owned(), node.into());
    }
    told
}
