//! A stream of parts of a page (`data-listen` in the script): server-sent events, as <https://html.spec.whatwg.org/#server-sent-events> has them.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio_util::io::ReaderStream;

/// Octets that wait for a browser that does not read.
const MOST_WAITING: usize = 32 * 1024;

/// How long a browser may not read before it is given up.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// The sender's end of an open stream. Dropping it ends the stream, and the browser asks again; [`Events::end`] tells it not to.
/// Its task must also end with `app.stop` and with the session.
pub(crate) struct Events(DuplexStream);

/// The browser has gone, or does not read any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Events {
    /// An open stream, and the answer that carries it.
    pub(crate) fn open() -> (Self, Response) {
        let (ours, theirs) = tokio::io::duplex(MOST_WAITING);
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream"),
            // A proxy that gathers answers would hold the events back.
            (header::HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (Self(ours), (headers, Body::from_stream(ReaderStream::new(theirs))).into_response())
    }

    /// A part of a page, put at the end of the panel.
    pub(crate) async fn part(&mut self, html: &str) -> Result<(), Gone> {
        self.send("", html).await
    }

    /// A part of a page in place of what the panel holds.
    pub(crate) async fn replace(&mut self, html: &str) -> Result<(), Gone> {
        self.send("event: replace\n", html).await
    }

    /// Nothing new. Every 15 seconds or so, so that nobody on the way closes a quiet connection, and a browser that has gone is noticed.
    pub(crate) async fn still_here(&mut self) -> Result<(), Gone> {
        self.write(":\n\n").await
    }

    /// Nothing will come any more.
    pub(crate) async fn end(mut self) {
        let _ = self.send("event: end\n", "end").await;
    }

    async fn send(&mut self, kind: &str, html: &str) -> Result<(), Gone> {
        let lines: String = html.lines().map(|it| format!("data: {it}\n")).collect();
        self.write(&format!("{kind}{lines}\n")).await
    }

    async fn write(&mut self, text: &str) -> Result<(), Gone> {
        match tokio::time::timeout(READ_WITHIN, self.0.write_all(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_arrive_as_events() {
        let (mut events, response) = Events::open();
        events.part("<li>one</li>\n<li>two</li>").await.unwrap();
        events.replace("<p>").await.unwrap();
        events.still_here().await.unwrap();
        events.end().await;
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let want = "data: <li>one</li>\ndata: <li>two</li>\n\nevent: replace\ndata: <p>\n\n:\n\nevent: end\ndata: end\n\n";
        assert_eq!(body, want);
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_has_gone_or_does_not_read_is_noticed() {
        let (mut events, response) = Events::open();
        drop(response);
        assert_eq!(events.part("x").await, Err(Gone));
        let (mut events, _response) = Events::open();
        assert_eq!(events.part(&"x".repeat(MOST_WAITING + 1)).await, Err(Gone));
    }
}
