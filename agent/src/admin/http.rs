//! The HTTP surface, for probes and Prometheus.
//!
//! | path | answers |
//! |---|---|
//! | `GET /live` | `200` while the process runs at all |
//! | `GET /ready` | `200` while new calls are taken, `503` before and while stopping |
//! | `GET /metrics` | Prometheus text |
//! | `GET /status` | alarms and shipments, JSON |

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::status::{Sources, Status};

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
    stop: CancellationToken,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(render))
        .route("/status", get(status))
        .with_state(Surface { readiness, metrics, sources });
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
