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
use crate::session::{Conversation as _, run_until};
use session::Session;

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
        let ending = run_until(&ends, session.run()).await;
        drop(session);
        ending.part(connection, &self.0.stop, reply::last).await;
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(reply::last(why.into()))
    }
}

#[cfg(test)]
mod tests;
