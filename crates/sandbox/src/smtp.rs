//! The SMTP door: submission as real providers have it, on STARTTLS.

mod auth;
mod body;
mod command;
mod reply;
mod session;
mod state;
mod trace;

use std::borrow::Cow;
use std::sync::Arc;

use gatepost_net::{Connection, Farewell, Service, Ticket};

use crate::provider::Provider;
use session::{Ending, Session};

/// The largest message, in octets.
const LARGEST_BYTES: u64 = 50 << 20;

/// Recipients of one message, as many as Microsoft 365 takes.
const MOST_RECIPIENTS: usize = 500;

/// How the provider calls itself.
const HOST_NAME: &str = "smtp.sandbox.test";

/// Talks SMTP to whoever connects.
pub(crate) struct SmtpDoor(pub(crate) Arc<Provider>);

impl Service for SmtpDoor {
    async fn talk<'a>(&'a self, connection: &'a mut Connection, _ticket: &'a Ticket) {
        let ends = self.0.stop.child_token();
        let mut session = Session::new(&self.0, connection, ends.clone());
        // A session may be dropped at any point: what it has not accepted is gone, and nobody was told otherwise.
        let ending = tokio::select! {
            biased;
            () = ends.cancelled() => Ending::SignedOut,
            ending = session.run() => ending,
        };
        drop(session);
        match ending {
            Ending::Cut => connection.cut(),
            Ending::Said => {}
            Ending::SignedOut if self.0.stop.is_cancelled() => connection.part(&reply::stopping()).await,
            Ending::SignedOut => connection.part(&reply::signed_out()).await,
        }
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(reply::farewell(why))
    }
}

#[cfg(test)]
mod tests;
