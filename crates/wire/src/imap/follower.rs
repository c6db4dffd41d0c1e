//! What passes after sign-in (MP-5, MP-7, MP-8): lines and literals, and of lines the beginning.

mod client;
mod line;
mod server;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::client::Client;
use self::server::Server;
use crate::passage::{self, Lost, Passage};

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
    /// The command whose literal the server has not asked for yet.
    asked: Asked,
    /// Answers to commands that were kept back.
    answers: VecDeque<Vec<u8>>,
}

/// A synchronising literal (RFC 9051 §4.3): the client sends it when the server asks, and not at all where the server answers instead.
#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    /// By the command with this tag.
    By(Vec<u8>),
    /// The server wants it.
    Granted,
    /// The server has answered: the next line is another command.
    Denied,
}

/// Answers that wait for a client that reads none.
const ANSWERS: usize = 1_000;

impl passage::Follower for Follower {
    fn hear_client(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        if self.between.answers.len() >= ANSWERS {
            return Ok(Passage::Wait);
        }
        self.client.hear(bytes, &mut self.between)
    }

    fn hear_server(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        self.server.hear(bytes, &mut self.between)
    }

    fn is_at_boundary(&self) -> bool {
        self.server.is_at_boundary()
    }
}
