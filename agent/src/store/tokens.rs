//! The questions about tokens. They go to the central database alone: a token that was revoked is worth nothing from the next moment on.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use sqlx::FromRow;
use tokio::time::Instant;

use super::audit::{Deed, Entry};
use super::audit_log::{EntryColumns, Outcome, Work};
use super::connection::{Connection, Value};
use super::statement::{INSERT_TOKEN, INTERCEPT_HOLDERS, REVOKE_TOKEN, TOKEN, TOKENS};
use super::time::Time;
use super::token::{Bearer, CREATE, REVOKE, Rejected, Role, Token};
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
    holder: String,
    role: String,
    secret_hash: String,
    created_at: Time,
    expires_at: Time,
    revoked_at: Option<Time>,
}

#[derive(FromRow)]
struct ToldToken {
    #[sqlx(flatten)]
    token: TokenColumns,
    #[sqlx(flatten)]
    entry: EntryColumns,
}

impl TokenColumns {
    fn token(&self) -> Result<Token, StoreError> {
        let role = Role::named(&self.role);
        Ok(Token {
            id: self.id.clone(),
            person: self.holder.clone(),
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
        let rows: Vec<ToldToken> = self.hosts.ask(&TOKEN, &[key(&bearer.id)], by).await?;
        let Some(row) = rows.first().filter(|row| bearer.matches(&row.token.secret_hash)) else {
            return Ok(Err(Rejected::Unknown));
        };
        let token = row.token.token()?;
        let told: Vec<Entry> = rows.into_iter().map(|row| row.entry.into()).collect();
        Ok(token.checked(&told, now))
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
        let now = Utc::now().trunc_subsecs(0);
        let token = Token {
            id: bearer.id.clone(),
            person: person.to_owned(),
            role,
            created_at: now,
            expires_at: now + TimeDelta::days(days.into()),
            revoked_at: None,
        };
        self.audited(&Create { token, secret_hash: bearer.hash(), maker, admitted }).await?;
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
    token: Token,
    secret_hash: String,
    maker: &'a str,
    admitted: bool,
}

impl Work for Create<'_> {
    type Done = ();
    type Refused = TokenError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let Create { token, secret_hash, maker, admitted } = self;
        let backend = connection.backend();
        if token.role == Role::Intercept && !admitted {
            let text = INTERCEPT_HOLDERS.text(backend);
            let holders: Vec<(String,)> = connection.rows(text, &[Time(token.created_at).into()]).await?;
            if holders.len() >= ENOUGH {
                return Ok(Err(TokenError::NotAdmitted));
            }
        }
        let values = [
            Value::from(token.id.as_str()),
            token.person.as_str().into(),
            token.role.name().into(),
            secret_hash.as_str().into(),
            Time(token.created_at).into(),
            Time(token.expires_at).into(),
        ];
        connection.execute(INSERT_TOKEN.text(backend), &values).await?;
        Ok(Ok(((), deed(maker, CREATE, &token.id, token.subject()))))
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
        Ok(Ok(((), deed(maker, REVOKE, id, "{}".to_owned()))))
    }
}

fn deed(maker: &str, action: &'static str, id: &str, subject: String) -> Deed {
    Deed { person: maker.to_owned(), action, about: id.to_owned(), subject }
}
