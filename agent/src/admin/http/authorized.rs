//! Who asks, and whether they may: the first argument of every handler below `/v1/`.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::Utc;
use tokio::time::Instant;

use super::api::{Api, by};
use super::refusal::Refusal;
use crate::store::token::{Rejected, Role};

/// What a handler asks of a token.
pub(super) trait Right {
    /// Whether this role has it.
    fn has(role: Role) -> bool;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $roles:pat,)*) => {
        $($(#[$doc])* #[derive(Debug)] pub(super) struct $name; impl Right for $name {
            fn has(role: Role) -> bool { matches!(role, $roles) }
        })*
    };
}

rights! {
    /// Whoever has a token.
    Anybody = _,
    /// Who intercepts.
    Intercept = Role::Intercept,
    /// Who reads the audit log.
    Auditor = Role::Auditor,
}

/// A person whose token is good, and has this right.
#[derive(Debug)]
pub(super) struct Authorized<R> {
    /// Who it is.
    pub(super) person: String,
    /// What the token is good for.
    pub(super) role: Role,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<Api> for Authorized<R> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        if let Some(left) = api.guesses.locked(peer, Instant::now()) {
            count("locked");
            return Err(Refusal::too_many(left));
        }
        let said = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(text) = said.and_then(|text| text.strip_prefix("Bearer ")) else {
            count("missing");
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "a token is needed: Authorization: Bearer tandem_..."));
        };
        let token = match api.store.token(text.trim(), Utc::now(), by()).await {
            Ok(Ok(token)) => token,
            Ok(Err(rejected)) => {
                count(match rejected {
                    Rejected::Unknown => "wrong",
                    Rejected::Expired => "expired",
                    Rejected::Revoked => "revoked",
                });
                if rejected == Rejected::Unknown {
                    tokio::time::sleep(api.guesses.wrong(peer, Instant::now())).await;
                }
                return Err(Refusal::new(StatusCode::UNAUTHORIZED, rejected.to_string()));
            }
            Err(error) => {
                count("away");
                return Err(error.into());
            }
        };
        if !R::has(token.role) {
            count("role");
            let error = format!("a token of the role {} may not do this", token.role.name());
            return Err(Refusal::new(StatusCode::FORBIDDEN, error));
        }
        Ok(Authorized { person: token.person, role: token.role, right: PhantomData })
    }
}

fn count(why: &'static str) {
    metrics::counter!("tandem_api_refused_total", "why" => why).increment(1);
}
