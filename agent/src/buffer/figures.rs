//! What is told of a shipment: to Prometheus, and to operators.

use std::time::Duration;

use metrics::{Counter, Gauge};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What a shipper has to do, for `GET /status`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Progress {
    /// What is shipped.
    pub cargo: String,
    /// Rows that wait.
    pub backlog_rows: u64,
    /// Age of the oldest of them, in seconds.
    pub backlog_seconds: i64,
    /// Rows sent in the last ten seconds, a second.
    pub rows_per_second: f64,
    /// Rows in quarantine.
    pub quarantined: u64,
}

/// The metrics of a cargo.
pub(super) struct Figures {
    pub(super) backlog_rows: Gauge,
    pub(super) backlog_seconds: Gauge,
    pub(super) quarantined: Gauge,
    pub(super) set_aside: Counter,
    pub(super) batches: Counter,
    rows: Counter,
    pub(super) retries: Counter,
    rate: Gauge,
    /// Since when rows are counted for the rate, how many, and the rate before that.
    counted: (Instant, u64, f64),
}

/// Over which the rate is told.
const RATE_OVER: Duration = Duration::from_secs(10);

impl Figures {
    pub(super) fn new(cargo: &'static str) -> Figures {
        Figures {
            backlog_rows: metrics::gauge!("tandem_shipment_backlog_rows", "cargo" => cargo),
            backlog_seconds: metrics::gauge!("tandem_shipment_backlog_seconds", "cargo" => cargo),
            quarantined: metrics::gauge!("tandem_shipment_quarantined_rows", "cargo" => cargo),
            set_aside: metrics::counter!("tandem_shipment_set_aside_total", "cargo" => cargo),
            batches: metrics::counter!("tandem_shipment_batches_total", "cargo" => cargo),
            rows: metrics::counter!("tandem_shipment_rows_total", "cargo" => cargo),
            retries: metrics::counter!("tandem_shipment_retries_total", "cargo" => cargo),
            rate: metrics::gauge!("tandem_shipment_rows_per_second", "cargo" => cargo),
            counted: (Instant::now(), 0, 0.0),
        }
    }

    pub(super) fn sent(&mut self, rows: u64) {
        self.rows.increment(rows);
        self.counted.1 += rows;
    }

    /// Rows a second over the last whole ten seconds.
    pub(super) fn rate(&mut self) -> f64 {
        let (since, rows, _) = self.counted;
        if since.elapsed() >= RATE_OVER {
            self.counted = (Instant::now(), 0, rows as f64 / since.elapsed().as_secs_f64());
            self.rate.set(self.counted.2);
        }
        self.counted.2
    }
}
