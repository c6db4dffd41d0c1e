//! The POP3 door (RFC 1939), with TOP, UIDL, CAPA (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034).

mod command;
mod reply;
mod sending;
mod session;
mod sign_in;

use std::borrow::Cow;
use std::sync::Arc;

use gatepost_net::{Connection, Farewell, Service, Ticket};

use crate::provider::Provider;
use crate::session::{Conversation as _, run_until};
use session::Session;

/// Talks POP3 to whoever connects.
pub(crate) struct Pop3Door(pub(crate) Arc<Provider>);

impl Service for Pop3Door {
    async fn talk<'a>(&'a self, connection: &'a mut Connection, _ticket: &'a Ticket) {
        let ends = self.0.stop.child_token();
        let mut session = Session::new(&self.0, connection, ends.clone());
        // A session may be dropped at any point: nothing is deleted before QUIT.
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
