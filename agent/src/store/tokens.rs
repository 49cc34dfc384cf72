//! The questions about tokens. They go to the central database alone: a token that was revoked is worth nothing from the next moment on.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use tokio::time::Instant;

use super::audit::Deed;
use super::audit_log::{Outcome, Work};
use super::connection::{Connection, Value};
use super::statement::{INSERT_TOKEN, INTERCEPT_HOLDERS, REVOKE_TOKEN, TOKEN, TOKENS};
use super::time::Time;
use super::token::{Bearer, Rejected, Role, Token};
use super::{Store, StoreError, key};

/// Persons with intercept tokens, from which on they alone admit further ones.
const ENOUGH: usize = 2;

/// Why there is no new token, or the old one goes on.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Only who intercepts admits others.
    #[error(
        "{ENOUGH} persons may intercept already: a further token of this role is made with the token of one of them in TANDEM_TOKEN"
    )]
    NotAdmitted,
    /// There is no such token that is good for anything.
    #[error("there is no token {0} that was not revoked yet; `tandem token list` tells which there are")]
    NoToken(String),
    /// The system has no random numbers.
    #[error("no secret could be drawn: {0}")]
    NoSecret(String),
}

#[derive(FromRow)]
struct TokenColumns {
    id: String,
    person: String,
    role: String,
    secret_hash: String,
    created_at: Time,
    expires_at: Time,
    revoked_at: Option<Time>,
}

impl TokenColumns {
    fn token(&self) -> Result<Token, StoreError> {
        let role = Role::named(&self.role);
        Ok(Token {
            id: self.id.clone(),
            person: self.person.clone(),
            role: role.ok_or_else(|| StoreError::Broken(format!("token {}: no role is named so", self.id)))?,
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
            revoked_at: self.revoked_at.map(|time| time.0),
        })
    }
}

impl Store {
    /// Whose token this text is, or why it is nobody's.
    ///
    /// # Errors
    /// The central database did not answer in time: nobody is let in.
    pub async fn token(
        &self,
        text: &str,
        now: DateTime<Utc>,
        by: Instant,
    ) -> Result<Result<Token, Rejected>, StoreError> {
        let Some(bearer) = Bearer::read(text) else { return Ok(Err(Rejected::Unknown)) };
        let rows: Vec<TokenColumns> = self.hosts.ask(&TOKEN, &[key(&bearer.id)], by).await?;
        let Some(row) = rows.first().filter(|row| bearer.matches(&row.secret_hash)) else {
            return Ok(Err(Rejected::Unknown));
        };
        let token = row.token()?;
        Ok(if token.revoked_at.is_some() {
            Err(Rejected::Revoked)
        } else if token.expires_at <= now {
            Err(Rejected::Expired)
        } else {
            Ok(token)
        })
    }

    /// All tokens that ever were.
    ///
    /// # Errors
    /// The central database did not answer in time.
    pub async fn tokens(&self, by: Instant) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<TokenColumns> = self.hosts.ask(&TOKENS, &[], by).await?;
        rows.iter().map(TokenColumns::token).collect()
    }

    /// Makes a token for `person`, in the name of `maker`; `admitted` says that the maker may intercept.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn create_token(
        &self,
        person: &str,
        role: Role,
        days: u32,
        maker: &str,
        admitted: bool,
    ) -> Result<Bearer, TokenError> {
        let bearer = Bearer::draw().map_err(|error| TokenError::NoSecret(error.to_string()))?;
        let now = Utc::now();
        let expires_at = now + TimeDelta::days(days.into());
        self.audited(&Create { bearer: &bearer, person, role, now, expires_at, maker, admitted }).await?;
        Ok(bearer)
    }

    /// Takes a token back, in the name of `maker`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn revoke_token(&self, id: &str, maker: &str) -> Result<(), TokenError> {
        self.audited(&Revoke { id, maker }).await
    }
}

struct Create<'a> {
    bearer: &'a Bearer,
    person: &'a str,
    role: Role,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    maker: &'a str,
    admitted: bool,
}

impl Work for Create<'_> {
    type Done = ();
    type Refused = TokenError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let Create { bearer, person, role, now, expires_at, maker, admitted } = *self;
        let backend = connection.backend();
        if role == Role::Intercept && !admitted {
            let text = INTERCEPT_HOLDERS.text(backend);
            let holders: Vec<(String,)> = connection.rows(text, &[Time(now).into()]).await?;
            if holders.len() >= ENOUGH {
                return Ok(Err(TokenError::NotAdmitted));
            }
        }
        let hash = bearer.hash();
        let values = [
            Value::from(bearer.id.as_str()),
            person.into(),
            role.name().into(),
            hash.as_str().into(),
            Time(now).into(),
            Time(expires_at).into(),
        ];
        connection.execute(INSERT_TOKEN.text(backend), &values).await?;
        let subject = serde_json::json!({ "person": person, "role": role, "expires_at": expires_at });
        Ok(Ok(((), deed(maker, "token.create", &bearer.id, &subject))))
    }
}

struct Revoke<'a> {
    id: &'a str,
    maker: &'a str,
}

impl Work for Revoke<'_> {
    type Done = ();
    type Refused = TokenError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let Revoke { id, maker } = *self;
        let values = [Time(Utc::now()).into(), key(id)];
        if connection.execute(REVOKE_TOKEN.text(connection.backend()), &values).await? == 0 {
            return Ok(Err(TokenError::NoToken(id.to_owned())));
        }
        Ok(Ok(((), deed(maker, "token.revoke", id, &serde_json::json!({})))))
    }
}

fn deed(maker: &str, action: &'static str, id: &str, subject: &serde_json::Value) -> Deed {
    Deed { person: maker.to_owned(), action, about: id.to_owned(), subject: subject.to_string() }
}
