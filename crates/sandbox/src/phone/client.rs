//! For another process: lets the phone of a living sandbox read a QR code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_net::{Dialer, Guard, Host, Resolver};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::SandboxError;

/// How long the sandbox may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const MOST_BYTES: usize = 1 << 16;

/// Shows an `otpauth://totp/…` address to the phone of the sandbox whose pages are at `pages`, as a person would hold the
/// phone before a QR code, and returns the code that the phone shows now. The same account again replaces the one on the phone.
pub async fn give_phone(pages: SocketAddr, uri: &SecretText) -> Result<SecretText, SandboxError> {
    let answer = ask(pages, uri).await.ok_or(SandboxError::NoAnswer { pages })?;
    // RFC 9112 §4: the status stands behind the version.
    let code = match answer.split(' ').nth(1) {
        Some("200") => text_of(&answer, "code"),
        _ => None,
    };
    code.map(SecretText::new).ok_or_else(|| SandboxError::PhoneRefused { words: words(&answer) })
}

/// A text of the answer's JSON.
fn text_of(answer: &str, key: &str) -> Option<String> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body = serde_json::from_str::<serde_json::Value>(body).ok()?;
    body.get(key)?.as_str().map(str::to_owned)
}

/// The sentence of a refusal, or what came instead of one.
fn words(answer: &str) -> String {
    text_of(answer, "error").unwrap_or_else(|| answer.lines().next().unwrap_or_default().to_owned())
}

/// One request and its answer (RFC 9112), as text; `None` if anything is wrong with the connection.
async fn ask(pages: SocketAddr, uri: &SecretText) -> Option<String> {
    let deadline = Instant::now() + ANSWERS_WITHIN;
    let loopback = ["127.0.0.0/8", "::1"].map(|it| it.parse().expect("these are networks"));
    let dialer = Dialer::new(Resolver::system(), Arc::new(Guard::new(loopback.to_vec())));
    let mut connection = dialer.dial(&Host::Address(pages.ip()), pages.port()).await.ok()?.connection;
    let body = Zeroizing::new(serde_json::json!({ "uri": uri.reveal() }).to_string());
    let request = Zeroizing::new(format!(
        "PUT /api/phone/authenticators HTTP/1.1\r\nHost: {pages}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.len(),
        *body
    ));
    connection.write_all(request.as_bytes(), deadline).await.ok()?;
    // The other side closes when all is said.
    while connection.buffered().len() < MOST_BYTES && connection.fill_more(deadline).await.is_ok() {}
    Some(String::from_utf8_lossy(connection.buffered()).into_owned()).filter(|it| !it.is_empty())
}
