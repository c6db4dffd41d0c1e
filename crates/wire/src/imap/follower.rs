//! What passes after sign-in (MP-5, MP-7, MP-8): lines and literals, and of lines the beginning.
//!
//! No two servers agree on what follows a literal that they do not want. So towards the server every literal waits to be asked for,
//! also where the client does not (RFC 7888), and nothing else is said meanwhile: whatever the server makes of a command, both know
//! where the next one begins. Nor does such a command go on before all others are answered: whatever their tags are, what the server
//! asks for and answers then is its own.

#[cfg(test)]
mod agreement;
mod client;
mod line;
mod server;
#[cfg(test)]
mod tests;
mod unanswered;

use self::client::Client;
use self::server::Server;
use self::unanswered::Unanswered;
use crate::passage::{self, Leave, Lost, Passage};

/// Follows an IMAP session from the sign-in to its end.
#[derive(Default)]
pub struct Follower {
    client: Client,
    server: Server,
    between: Between,
}

/// What each side has to know of the other.
#[derive(Default)]
struct Between {
    asked: Asked,
    unanswered: Unanswered,
    /// The answer to a command that was kept back. One at a time: nobody hears the client before it is out.
    answer: Option<Vec<u8>>,
}

/// A command that goes on once the server asks for it (RFC 9051 §4.3), and not at all where the server answers instead.
#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    /// By the command with this tag. The client may not be waiting: then it must not hear that it is asked.
    By { tag: Vec<u8>, client_waits: bool },
    /// The server wants it.
    Granted,
    /// The server has answered: it will hear nothing more of that command.
    Denied,
    /// By IDLE with this tag, which the server may end by itself.
    ToIdle { tag: Vec<u8>, idling: Idling },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Idling {
    NotYet,
    Now,
    NoMore,
}

impl passage::Follower for Follower {
    fn hear_client(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        if self.between.answer.is_some() {
            return Ok(Passage::Wait);
        }
        self.client.hear(bytes, &mut self.between)
    }

    fn hear_server(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        self.server.hear(bytes, &mut self.between)
    }

    fn is_within(&self) -> bool {
        self.client.is_within() || self.server.is_within()
    }

    fn is_at_boundary(&self) -> bool {
        self.server.is_at_boundary()
    }

    fn leave(&self) -> Leave {
        // RFC 9051 §6.1.3: BYE, and then the answer, which nobody looks at any more.
        let is_answered = self.server.is_over() || self.between.unanswered.is_empty();
        match (self.client.leaves(), is_answered) {
            (false, _) => Leave::NotAsked,
            (true, false) => Leave::Asked,
            (true, true) => Leave::Answered,
        }
    }
}
