//! One connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{Connection, ReadError};
use gatepost_wire::imap::{Command, CommandLimits, CommandReader, Heard, ServerResponse};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::folder::View;
use super::reply;
use crate::fault::{FaultReply, Occasion, Phase, Protocol};
use crate::provider::{OpenSession, Provider};
use crate::session::{Conversation, Ending, MOST_ERRORS, Step};

/// RFC 9051 §5.4: at least 30 minutes once somebody has signed in.
const COMMAND_WITHIN: Duration = Duration::from_secs(1_800);

/// The largest message that APPEND brings, in octets.
const LARGEST_BYTES: u64 = 50 << 20;

/// RFC 9051 §3.
pub(super) enum State {
    NotAuthenticated,
    Authenticated(Owner),
    Selected(Owner, View),
}

/// Who has signed in.
pub(super) struct Owner {
    pub(super) address: EmailAddress,
    _open: OpenSession,
}

/// One session; its connection belongs to the caller, who ends it.
pub(super) struct Session<'a> {
    pub(super) provider: &'a Arc<Provider>,
    pub(super) connection: &'a mut Connection,
    pub(super) state: State,
    reader: CommandReader,
    ends: CancellationToken,
    n_errors: u32,
    pub(super) n_missed_sign_ins: u32,
}

impl Conversation for Session<'_> {
    async fn talk(&mut self) -> Step<Infallible> {
        match self.meet(Phase::Connect).await? {
            Some(other) => {
                let is_good = other.is_imap_ok();
                self.connection.queue(&other.to_imap(if is_good { "*" } else { "* BYE" }, None));
                if !is_good {
                    return Err(Ending::Said);
                }
            }
            None => self.say(&reply::greeting(self.connection.is_encrypted())),
        }
        loop {
            let (tag, command) = self.read_command().await?;
            self.obey(&tag, command).await?;
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
        let reader = CommandReader::new(CommandLimits::BEFORE_SIGN_IN);
        let state = State::NotAuthenticated;
        Self { provider, connection, state, reader, ends, n_errors: 0, n_missed_sign_ins: 0 }
    }

    /// The next command; mistakes are answered on the way.
    async fn read_command(&mut self) -> Step<(String, Command)> {
        loop {
            if self.connection.buffered().is_empty() {
                self.flush().await?;
                let filled = self.connection.fill(Instant::now() + COMMAND_WITHIN).await.map(|_| ());
                filled.map_err(|error| {
                    if matches!(error, ReadError::TimedOut) {
                        self.say(&reply::bye("Nothing came in time"));
                    }
                    Ending::Said
                })?;
            }
            let (n_taken, heard) = self.reader.push(self.connection.buffered());
            self.connection.consume(n_taken);
            match heard {
                None => {}
                Some(Heard::Command { tag, command }) => return Ok((tag, command)),
                Some(Heard::Continue) => {
                    self.say(&ServerResponse::go_on("go on"));
                    self.flush().await?;
                }
                Some(Heard::Refused { tag, because }) => {
                    let response = ServerResponse::for_command(tag.as_deref(), because);
                    if because.is_fatal() {
                        self.say(&response);
                        return Err(Ending::Said);
                    }
                    self.complain(&response)?;
                }
            }
        }
    }

    pub(super) fn say(&mut self, response: &ServerResponse) {
        self.connection.queue(response.as_bytes());
    }

    /// Answers a mistake, and ends the session after too many.
    pub(super) fn complain(&mut self, response: &ServerResponse) -> Step {
        self.say(response);
        self.n_errors += 1;
        if self.n_errors >= MOST_ERRORS {
            self.say(&reply::bye("Too many errors"));
            return Err(Ending::Said);
        }
        Ok(())
    }

    /// From now on the session belongs to this account.
    pub(super) fn sign_in(&mut self, address: EmailAddress) {
        let open = self.provider.sessions.register(address.clone(), self.ends.clone());
        self.state = State::Authenticated(Owner { address, _open: open });
        self.reader.set_limits(CommandLimits::signed_in(LARGEST_BYTES));
    }

    pub(super) fn owner(&self) -> Option<&EmailAddress> {
        match &self.state {
            State::NotAuthenticated => None,
            State::Authenticated(owner) | State::Selected(owner, _) => Some(&owner.address),
        }
    }

    /// The open folder.
    pub(super) fn view(&mut self) -> Option<&mut View> {
        match &mut self.state {
            State::Selected(_, view) => Some(view),
            State::NotAuthenticated | State::Authenticated(_) => None,
        }
    }

    /// Opens a folder in the place of another, or none.
    pub(super) fn select(&mut self, view: Option<View>) {
        self.state = match (std::mem::replace(&mut self.state, State::NotAuthenticated), view) {
            (State::Authenticated(owner) | State::Selected(owner, _), Some(view)) => {
                State::Selected(owner, view)
            }
            (State::Authenticated(owner) | State::Selected(owner, _), None) => State::Authenticated(owner),
            (State::NotAuthenticated, _) => State::NotAuthenticated,
        };
    }

    /// Lets a fault strike at this phase. Gives the response that takes the place of the usual one, if there is one.
    pub(super) async fn meet(&mut self, phase: Phase) -> Step<Option<FaultReply>> {
        let account = self.owner().cloned();
        let account = account.as_ref();
        let occasion = Occasion { door: Protocol::Imap, phase, account, recipient: None, sign_in: None };
        self.suffer(&occasion).await
    }
}
