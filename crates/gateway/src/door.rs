//! The doors as the binary sees them: made once, and handed to [`gatepost_net::serve`].

use std::borrow::Cow;
use std::sync::Arc;

use gatepost_net::{Connection, Farewell, Protocols, Service, Ticket};

use crate::Gateway;
use crate::imap::Imap;
use crate::pop3::Pop3;
use crate::session::{self, Dialect};

/// The IMAP door.
pub struct ImapDoor(pub Arc<Gateway>);

/// The POP3 door.
pub struct Pop3Door(pub Arc<Gateway>);

impl ImapDoor {
    /// The name this protocol has in ALPN, for doors with TLS from the first byte.
    pub const APPLICATION_PROTOCOLS: Protocols = Imap::APPLICATION_PROTOCOLS;
}

impl Pop3Door {
    /// The name this protocol has in ALPN, for doors with TLS from the first byte.
    pub const APPLICATION_PROTOCOLS: Protocols = Pop3::APPLICATION_PROTOCOLS;
}

/// Why somebody is not let in, in words.
const fn words(why: Farewell) -> &'static str {
    match why {
        Farewell::TooManyFromHere => "Too many connections from here: try again later",
        Farewell::Full => "Too many connections: try again later",
        Farewell::Panicked => "Gatepost made a mistake: try again",
    }
}

impl Service for ImapDoor {
    async fn talk(&self, connection: &mut Connection, ticket: &Ticket) {
        session::talk::<Imap>(&self.0, connection, ticket).await;
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(Imap::farewell(words(why), true).as_bytes().to_vec())
    }
}

impl Service for Pop3Door {
    async fn talk(&self, connection: &mut Connection, ticket: &Ticket) {
        session::talk::<Pop3>(&self.0, connection, ticket).await;
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(Pop3::farewell(words(why), true).to_bytes())
    }
}
