//! A provider on SQLite, for tests of decisions.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests; each uses a part"
)]

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection as _};
use tandem::config::Config;
use tandem::emergency::atlas::Atlas;
use tandem::emergency::callbacks::Callbacks;
use tandem::flows::route::Knowledge;
use tandem::flows::route::answer;
use tandem::flows::route::decide::{Origin, Request, decide};
use tandem::flows::route::explanation::Explanation;
use tandem::service;
use tandem::store::Store;
use tandem::store::asking::Asking;
use tokio::time::Instant;

/// A provider on SQLite, and how its calls are decided.
pub struct Provider {
    pub store: Store,
    pub config: Config,
    callbacks: Callbacks,
    folder: tempfile::TempDir,
}

impl Provider {
    pub async fn new() -> Provider {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tandem.db").display());
        let mut config = Config::default();
        config.database.urls = vec![url.clone()];
        config.emergency.gateways = vec!["em-1".into(), "em-2".into()];
        let store = service::store(&config).unwrap();
        store.migrate().await.unwrap();
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(include_str!("data/provider.sql"))).execute(&mut connection).await.unwrap();
        Provider { store, config, callbacks: Callbacks::default(), folder }
    }

    /// Changes its data.
    pub async fn sql(&self, text: &str) {
        let url = format!("sqlite:{}", self.folder.path().join("tandem.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    }

    pub async fn call(&self, origin: Origin<'_>, dialled: &str) -> Answer {
        self.call_as(origin, dialled, "", "2026-06-01T00:00:00Z").await
    }

    pub async fn call_as(&self, origin: Origin<'_>, dialled: &str, caller_number: &str, at: &str) -> Answer {
        let at = DateTime::parse_from_rfc3339(at).unwrap().with_timezone(&Utc);
        self.ask(Request { caller_number, at, ..request(origin, dialled) }).await
    }

    pub async fn ask(&self, request: Request<'_>) -> Answer {
        let mut explanation = Explanation::default();
        let mut asking = Asking::until(Instant::now() + Duration::from_secs(10));
        let rules = service::rules(&self.config);
        let atlas = Atlas::default();
        let knowledge = Knowledge { store: &self.store, atlas: &atlas, callbacks: &self.callbacks };
        let decision = decide(&request, &rules, &knowledge, &mut asking, &mut explanation).await.unwrap();
        Answer {
            variables: answer::variables(&decision, asking.source(), matches!(request.origin, Origin::Untaken(..))),
            explanation,
        }
    }
}

/// A request of which nothing else is known.
pub fn request<'a>(origin: Origin<'a>, dialled: &'a str) -> Request<'a> {
    Request {
        origin,
        device: "",
        dialled,
        caller_number: "",
        caller_name: "Caller",
        withheld: false,
        forwards: 0,
        seed: 0,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

pub struct Answer {
    pub variables: Vec<(String, String)>,
    pub explanation: Explanation,
}

impl Answer {
    pub fn get(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(key, _)| key == &format!("TANDEM_{name}"));
        found.map_or("", |(_, value)| value)
    }

    pub fn routes(&self, what: &str) -> Vec<&str> {
        let count = self.get("ROUTES").parse().unwrap_or(0);
        (1..=count).map(|n: usize| self.get(&format!("ROUTE_{n}_{what}"))).collect()
    }

    #[track_caller]
    pub fn dials(&self, routes: &[&str]) {
        assert_eq!((self.get("ACTION"), self.routes("DIAL")), ("dial", routes.to_vec()), "{:?}", self.explanation);
        assert_eq!(self.variables.last().unwrap(), &("TANDEM_DONE".to_owned(), "1".to_owned()));
    }

    #[track_caller]
    pub fn refused(&self, reason: &str) {
        assert_eq!((self.get("ACTION"), self.get("REASON")), ("reject", reason), "{:?}", self.explanation);
        assert!(!self.get("CAUSE").is_empty() && !self.get("PROMPT").is_empty());
        assert_eq!(self.variables.last().unwrap(), &("TANDEM_DONE".to_owned(), "1".to_owned()));
    }
}
