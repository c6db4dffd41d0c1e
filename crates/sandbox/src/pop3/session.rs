//! One connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{Connection, Line, LineEnd, ReadError};
use gatepost_wire::pop3::{AUTH_LINE, Command, CommandError, ServerReply};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reply;
use crate::fault::{FaultReply, Occasion, Phase, Protocol};
use crate::mailbox::MessageSummary;
use crate::provider::{OpenSession, Provider};
use crate::session::{Conversation, Ending, MOST_ERRORS, Step};

/// RFC 1939 §3: at least 10 minutes.
const COMMAND_WITHIN: Duration = Duration::from_secs(600);

/// The states of RFC 1939 §3; UPDATE is the end of [`Session::run`].
pub(super) enum State {
    /// Waits for a sign-in; with the name that USER gave.
    Authorization {
        user: Option<String>,
    },
    Transaction(Maildrop),
}

/// What was in the mailbox when somebody signed in.
pub(super) struct Maildrop {
    pub(super) owner: EmailAddress,
    pub(super) letters: Vec<Letter>,
    pub(super) _open: OpenSession,
}

/// One message of the maildrop.
pub(super) struct Letter {
    pub(super) summary: MessageSummary,
    pub(super) is_deleted: bool,
}

/// One session; its connection belongs to the caller, who ends it.
pub(super) struct Session<'a> {
    pub(super) provider: &'a Arc<Provider>,
    pub(super) connection: &'a mut Connection,
    pub(super) state: State,
    pub(super) ends: CancellationToken,
    n_errors: u32,
    pub(super) n_missed_sign_ins: u32,
}

impl Conversation for Session<'_> {
    async fn talk(&mut self) -> Step<Infallible> {
        match self.meet(Phase::Connect).await? {
            Some(other) => {
                let bytes = other.to_pop3(Some("SYS/TEMP"));
                self.connection.queue(&bytes);
                if !is_good(&bytes) {
                    return Err(Ending::Said);
                }
            }
            None => self.say(&reply::greeting()),
        }
        loop {
            let line = self.read_line().await?;
            match Command::parse(&line) {
                Ok(command) => self.obey(command).await?,
                Err(error) => self.complain(&ServerReply::for_command(&error))?,
            }
        }
    }

    fn both_ends(&mut self) -> (&Arc<Provider>, &mut Connection) {
        (self.provider, self.connection)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(
        provider: &'a Arc<Provider>,
        connection: &'a mut Connection,
        ends: CancellationToken,
    ) -> Self {
        let state = State::Authorization { user: None };
        Self { provider, connection, state, ends, n_errors: 0, n_missed_sign_ins: 0 }
    }

    /// The next line; what was answered until now leaves before it is waited for.
    pub(super) async fn read_line(&mut self) -> Step<Line> {
        let deadline = Instant::now() + COMMAND_WITHIN;
        if !self.connection.buffered().contains(&b'\n') {
            self.flush().await?;
        }
        self.connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, deadline).await.map_err(|error| {
            match error {
                ReadError::TimedOut => self.say(&reply::too_slow()),
                ReadError::BareLineFeed => self.say(&ServerReply::for_command(&CommandError::BareLineFeed)),
                ReadError::LineTooLong { .. } => {
                    self.say(&ServerReply::for_command(&CommandError::LineTooLong));
                }
                ReadError::Closed | ReadError::Truncated | ReadError::BeganTls | ReadError::Broken(_) => {}
            }
            Ending::Said
        })
    }

    pub(super) fn say(&mut self, reply: &ServerReply) {
        self.connection.queue(&reply.to_bytes());
    }

    /// Answers a mistake, and ends the session after too many.
    pub(super) fn complain(&mut self, refusal: &ServerReply) -> Step {
        self.n_errors += 1;
        if self.n_errors >= MOST_ERRORS {
            self.say(&reply::too_many_errors());
            return Err(Ending::Said);
        }
        self.say(refusal);
        Ok(())
    }

    /// Lets a fault strike at this phase. Gives the reply that takes the place of the usual one, if there is one.
    pub(super) async fn meet(&mut self, phase: Phase) -> Step<Option<FaultReply>> {
        let account = match &self.state {
            State::Transaction(maildrop) => Some(maildrop.owner.clone()),
            State::Authorization { .. } => None,
        };
        let account = account.as_ref();
        let occasion = Occasion { door: Protocol::Pop3, phase, account, recipient: None, sign_in: None };
        self.suffer(&occasion).await
    }
}

/// Whether a reply says that all is well.
pub(super) fn is_good(reply: &[u8]) -> bool {
    reply.starts_with(b"+OK")
}
