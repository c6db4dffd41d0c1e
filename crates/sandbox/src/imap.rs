//! The IMAP door (RFC 3501): enough for real programs to read the mailboxes. Each has one folder, INBOX.

mod command;
mod fetch;
mod folder;
mod letter;
mod reply;
mod search;
mod session;
mod sign_in;

use std::borrow::Cow;
use std::sync::Arc;

use gatepost_net::{Connection, Farewell, Service, Ticket};

use crate::provider::Provider;
use session::{Ending, Session};

/// Talks IMAP to whoever connects.
pub(crate) struct ImapDoor(pub(crate) Arc<Provider>);

impl Service for ImapDoor {
    async fn talk<'a>(&'a self, connection: &'a mut Connection, _ticket: &'a Ticket) {
        let ends = self.0.stop.child_token();
        let mut session = Session::new(&self.0, connection, ends.clone());
        let ending = tokio::select! {
            biased;
            () = ends.cancelled() => Ending::SignedOut,
            ending = session.run() => ending,
        };
        drop(session);
        match ending {
            Ending::Cut => connection.cut(),
            Ending::Said => {}
            Ending::SignedOut if self.0.stop.is_cancelled() => {
                connection.part(reply::bye("The sandbox is stopping").as_bytes()).await;
            }
            Ending::SignedOut => connection.part(reply::bye("Signed out: sign in again").as_bytes()).await,
        }
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        let text = match why {
            Farewell::TooManyFromHere | Farewell::Full => "Too many connections",
            Farewell::Panicked => "The sandbox made a mistake",
        };
        Cow::Owned(reply::bye(text).as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests;
