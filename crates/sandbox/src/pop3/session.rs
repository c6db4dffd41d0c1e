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
use crate::fault::{FaultReply, Occasion, Outcome, Phase, Protocol};
use crate::mailbox::MessageSummary;
use crate::provider::{OpenSession, Provider};

/// RFC 1939 §3: at least 10 minutes.
const COMMAND_WITHIN: Duration = Duration::from_secs(600);

/// How long a reply may take to leave.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// Errors in one session.
const MOST_ERRORS: u32 = 20;

/// How a session ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// What there was to say has been queued or sent.
    Said,
    /// Without another word.
    Cut,
    /// From outside: the account was signed out, or the sandbox stops.
    SignedOut,
}

/// A step of the session: go on, or end.
pub(super) type Step<T = ()> = Result<T, Ending>;

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

impl<'a> Session<'a> {
    pub(super) fn new(
        provider: &'a Arc<Provider>,
        connection: &'a mut Connection,
        ends: CancellationToken,
    ) -> Self {
        let state = State::Authorization { user: None };
        Self { provider, connection, state, ends, n_errors: 0, n_missed_sign_ins: 0 }
    }

    /// Talks until the end.
    pub(super) async fn run(&mut self) -> Ending {
        let Err(ending) = self.talk().await;
        if ending == Ending::Cut {
            // What was said before the cut has been said.
            let _ = self.connection.flush(Instant::now() + WRITE_WITHIN).await;
        }
        ending
    }

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
                ReadError::Closed | ReadError::Truncated | ReadError::Broken(_) => {}
            }
            Ending::Said
        })
    }

    pub(super) async fn flush(&mut self) -> Step {
        self.connection.flush(Instant::now() + WRITE_WITHIN).await.map_err(|_gone| Ending::Cut)
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

    pub(super) async fn suffer(&mut self, occasion: &Occasion<'_>) -> Step<Option<FaultReply>> {
        let struck = self.provider.faults.strike(occasion);
        if !struck.wait.is_zero() {
            self.flush().await?;
            tokio::time::sleep(struck.wait).await;
        }
        match struck.outcome {
            Some(Outcome::Cut) => Err(Ending::Cut),
            Some(Outcome::Reply(reply)) => Ok(Some(reply)),
            None => Ok(None),
        }
    }
}

/// Whether a reply says that all is well.
pub(super) fn is_good(reply: &[u8]) -> bool {
    reply.starts_with(b"+OK")
}
