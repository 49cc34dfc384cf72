//! The HTTP surface, for probes and Prometheus.
//!
//! | path | answers |
//! |---|---|
//! | `GET /live` | `200` while the process runs at all |
//! | `GET /ready` | `200` while new calls are taken, `503` before and while stopping |
//! | `GET /metrics` | Prometheus text |
//! | `GET /status` | alarms and shipments, JSON |
//! | `POST /emergency` | takes a callback to protect from another node's agent; `emergency.peer_token` |
//! | `/v1/...` | what persons with tokens ask: [`api`] |

pub mod api;
mod authorized;
pub mod guesses;
mod intercepts;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use api::Api;

use super::status::{Sources, Status};
use crate::emergency::callbacks::{Callback, Callbacks};

/// Whether new calls are taken: set by the service, read by `/ready`.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether new calls are taken from now on.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Surface {
    readiness: Readiness,
    metrics: PrometheusHandle,
    sources: Sources,
    peers: Peers,
}

/// What other nodes' agents may tell this one.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The word that they say; empty for nobody.
    pub token: String,
    /// What they tell.
    pub callbacks: Callbacks,
}

/// Binds the listener, so that a taken port is reported before anything is served.
///
/// # Errors
/// The address cannot be bound.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop`.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: PrometheusHandle,
    sources: Sources,
    peers: Peers,
    api: Api,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(render))
        .route("/status", get(status))
        .route("/emergency", post(protect))
        .with_state(Surface { readiness, metrics, sources, peers })
        .merge(api::routes(api))
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn ready(State(surface): State<Surface>) -> impl IntoResponse {
    if surface.readiness.get() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: starting or stopping\n")
    }
}

async fn render(State(surface): State<Surface>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], surface.metrics.render())
}

async fn status(State(surface): State<Surface>) -> Json<Status> {
    Json(surface.sources.status())
}

async fn protect(
    State(surface): State<Surface>,
    headers: HeaderMap,
    Json(callback): Json<Callback>,
) -> impl IntoResponse {
    let Peers { token, callbacks } = &surface.peers;
    let said =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    if token.is_empty() || said != Some(token) {
        return (StatusCode::FORBIDDEN, "emergency.peer_token is not the same here\n");
    }
    callbacks.protect(callback);
    (StatusCode::OK, "protected\n")
}
