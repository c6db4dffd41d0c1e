//! How long a provider may take.

use std::time::Duration;

use gatepost_net::Pace;

/// Longest waits, phase by phase. Each is for a whole reply or a whole block, so that a server that sends a byte now and then
/// gains nothing. Connecting has its own limit in the dialler.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// A TLS handshake.
    pub handshake: Duration,
    /// The greeting.
    pub greeting: Duration,
    /// The reply to any command but those below.
    pub command: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// The server taking one block of a message.
    pub block: Duration,
    /// The reply to the end of a message.
    pub message: Duration,
    /// The reply to QUIT, which nothing depends on.
    pub quit: Duration,
    /// A whole message, or a whole list of messages, that is fetched. Within it, what comes must keep up
    /// [`Deadlines::FETCH_BYTES_PER_SECOND`] on average once [`Deadlines::block`] is over (MP-13).
    pub fetch: Duration,
}

impl Deadlines {
    /// The slowest that a message may come on average.
    pub const FETCH_BYTES_PER_SECOND: u32 = 1024;

    /// The pace that something fetched has to keep, from now on.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.block, Self::FETCH_BYTES_PER_SECOND, self.fetch)
    }
}

impl Default for Deadlines {
    /// RFC 5321 §4.5.3.2; handshake, QUIT and fetching are ours (SC-6). IMAP and POP3 name none.
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self {
            handshake: Duration::from_secs(30),
            greeting: Duration::from_secs(5 * MINUTE),
            command: Duration::from_secs(5 * MINUTE),
            data: Duration::from_secs(2 * MINUTE),
            block: Duration::from_secs(3 * MINUTE),
            message: Duration::from_secs(10 * MINUTE),
            quit: Duration::from_secs(5),
            fetch: Duration::from_secs(60 * MINUTE),
        }
    }
}
