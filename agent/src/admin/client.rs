//! Asks the agent of this node below `/v1/`, in the name of whose token is in `TANDEM_TOKEN`.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;

/// An agent, and a token for it.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// The token in the environment; it is no argument, which every user of the machine would see.
pub(super) fn token() -> Option<String> {
    std::env::var("TANDEM_TOKEN").ok().filter(|text| !text.is_empty())
}

impl Client {
    /// For the agent of this node.
    pub(super) fn new(config: &Config) -> Result<Client, String> {
        let token = token().ok_or("a token is needed in TANDEM_TOKEN; `tandem token create` makes one")?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build();
        let http = http.map_err(|error| error.to_string())?;
        Ok(Client { http, base: format!("http://{}/v1", config.http.listen), token })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        self.ask(self.http.get(format!("{}{path}", self.base))).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, String> {
        self.ask(self.http.post(format!("{}{path}", self.base)).json(body)).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        self.ask(self.http.delete(format!("{}{path}", self.base))).await
    }

    /// What is no JSON.
    pub(super) async fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        self.answer(self.http.get(format!("{}{path}", self.base))).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, String> {
        let body = self.answer(request).await?;
        serde_json::from_slice(&body).map_err(|error| format!("the agent answered something else: {error}"))
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, String> {
        let away = |error: reqwest::Error| format!("the agent of this node does not answer ({}): {error}", self.base);
        let answer = request.bearer_auth(&self.token).send().await.map_err(away)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(away)?;
        if status.is_success() {
            return Ok(body.to_vec());
        }
        let said: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let why = said.as_ref().and_then(|said| said.get("error")).and_then(|why| why.as_str());
        Err(why.map_or_else(|| format!("the agent refused: {status}"), str::to_owned))
    }
}
