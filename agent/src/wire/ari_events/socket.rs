//! The websocket of one app, whichever side opened it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{StatusCode, request};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Event;

/// For connecting and shaking hands.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two pings; an Asterisk that has not sent anything for three of them is gone.
const PING: Duration = Duration::from_secs(5);
/// Bytes of one event at the most.
const LONGEST: usize = 1 << 20;

/// Why a socket could not be had, or is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The connection broke, or the peer is no Asterisk.
    #[error("{0}")]
    Broken(String),
    /// Our name and password are not those of `ari.conf`.
    #[error("Asterisk refused ari.user and ari.password: they are not those of ari.conf")]
    Refused,
    /// Nothing came for too long.
    #[error("Asterisk said nothing for {} s", PING.as_secs() * 3)]
    Silent,
}

impl From<Error> for SocketError {
    fn from(error: Error) -> Self {
        match error {
            Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => SocketError::Refused,
            Error::Http(answer) => SocketError::Broken(format!("Asterisk answered {}", answer.status())),
            error => SocketError::Broken(error.to_string()),
        }
    }
}

impl From<std::io::Error> for SocketError {
    fn from(error: std::io::Error) -> Self {
        SocketError::Broken(error.to_string())
    }
}

/// Who may speak: the name and the password of a user of `ari.conf`, in the header of a request.
#[must_use]
pub fn credentials(user: &str, password: &str) -> HeaderValue {
    let request = reqwest::Client::new().get("http://localhost").basic_auth(user, Some(password)).build();
    let header = request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
    header.unwrap_or_else(|| HeaderValue::from_static(""))
}

/// An open websocket that events come by.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<QuickAck>,
    pings: Interval,
    silent: u32,
}

impl Socket {
    /// Connects to Asterisk, and registers the app: from now on its events come here. Of the whole Asterisk with `all`.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub async fn connect(url: &str, credentials: &HeaderValue, app: &str, all: bool) -> Result<Socket, SocketError> {
        let address = format!("{}/events?app={app}&subscribeAll={all}", url.replacen("http://", "ws://", 1));
        let mut request = address.into_client_request()?;
        request.headers_mut().insert(AUTHORIZATION, credentials.clone());
        let open = async {
            let stream = TcpStream::connect(peer(&request)).await?;
            stream.set_nodelay(true)?;
            let (stream, _) =
                tokio_tungstenite::client_async_with_config(request, QuickAck(stream), Some(limits())).await?;
            Ok(Socket::new(stream))
        };
        timeout(PATIENCE, open).await.map_err(|_| SocketError::Broken(format!("{url} did not answer within 5 s")))?
    }

    /// Takes a connection that Asterisk has opened (`type = outbound_websocket` of `ari.conf`).
    ///
    /// # Errors
    /// See [`SocketError`]; [`SocketError::Refused`] when it does not say the right name and password.
    pub async fn accept(stream: TcpStream, credentials: &HeaderValue) -> Result<Socket, SocketError> {
        stream.set_nodelay(true)?;
        #[allow(clippy::result_large_err, reason = "the shape that tungstenite asks for")]
        let greet = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            if request.headers().get(AUTHORIZATION) != Some(credentials) {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                return Err(refusal);
            }
            // Asterisk closes the connection without it.
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("ari"));
            Ok(response)
        };
        let shake = tokio_tungstenite::accept_hdr_async_with_config(QuickAck(stream), greet, Some(limits()));
        let shaken = timeout(PATIENCE, shake).await.map_err(|_| SocketError::Silent)?;
        Ok(Socket::new(shaken?))
    }

    fn new(stream: WebSocketStream<QuickAck>) -> Socket {
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Socket { stream, pings, silent: 0 }
    }

    /// The next event. An event that cannot be read is [`Event::Other`]: a newer Asterisk may say what we do not know.
    ///
    /// # Errors
    /// The socket is of no more use.
    pub async fn next(&mut self) -> Result<Event, SocketError> {
        loop {
            let message = tokio::select! {
                message = self.stream.next() => message,
                _ = self.pings.tick() => {
                    self.silent += 1;
                    if self.silent > 3 {
                        return Err(SocketError::Silent);
                    }
                    self.stream.send(Message::Ping(Vec::new().into())).await?;
                    continue;
                }
            };
            self.silent = 0;
            match message {
                None | Some(Ok(Message::Close(_))) => {
                    return Err(SocketError::Broken("Asterisk closed the websocket".to_owned()));
                }
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap_or(Event::Other));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST))
}

/// `host:port` of a request.
fn peer(request: &request::Request<()>) -> String {
    let host = request.uri().host().unwrap_or_default();
    format!("{host}:{}", request.uri().port_u16().unwrap_or(80))
}

/// Acknowledges at once what has been received: Asterisk leaves Nagle's algorithm on, and the second of two events that it writes in a row
/// would wait 40 ms for it. Linux forgets the wish, so it is repeated before each read.
#[derive(Debug)]
struct QuickAck(TcpStream);

impl AsyncRead for QuickAck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        // Refused only on a dead socket, which the read reports.
        let _ = SockRef::from(&self.0).set_tcp_quickack(true);
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for QuickAck {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Where Asterisk may connect to.
///
/// # Errors
/// The address cannot be bound.
pub async fn listen(address: SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
    let bound = tokio::net::TcpListener::bind(address).await;
    bound.map_err(|error| std::io::Error::new(error.kind(), format!("ari.listen {address}: {error}")))
}
