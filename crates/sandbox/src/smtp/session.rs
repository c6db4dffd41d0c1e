//! One connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{Connection, LineEnd, ReadError};
use gatepost_wire::smtp::{AUTH_LINE, Command, CommandError, ServerReply, is_http_verb};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reply;
use super::state::State;
use crate::fault::{FaultReply, Occasion, Phase, Protocol};
use crate::provider::Provider;
use crate::session::{Conversation, Ending, MOST_ERRORS, Step};

/// RFC 5321 §4.5.3.2.7: at least 5 minutes for the next command.
const COMMAND_WITHIN: Duration = Duration::from_secs(300);

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
        match self.meet(Phase::Connect, None).await? {
            Some(other) => {
                let is_refusal = other.code != 220;
                self.connection.queue(&other.bytes);
                if is_refusal {
                    return Err(Ending::Said);
                }
            }
            None => self.say(reply::greeting()),
        }
        loop {
            let line = self.read_command().await?;
            match line {
                Ok(command) => self.obey(command).await?,
                Err(refusal) => self.complain(refusal)?,
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
        Self { provider, connection, state: State::Greeted, ends, n_errors: 0, n_missed_sign_ins: 0 }
    }

    /// The next line; what was answered until now leaves before it is waited for.
    pub(super) async fn read_line(&mut self) -> Step<gatepost_net::Line> {
        let deadline = Instant::now() + COMMAND_WITHIN;
        if !self.connection.buffered().contains(&b'\n') {
            self.flush().await?;
        }
        self.connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, deadline).await.map_err(|error| {
            match error {
                ReadError::TimedOut => self.say(reply::too_slow()),
                ReadError::BareLineFeed => self.say(reply::bare_line_feed()),
                ReadError::LineTooLong { .. } => self.say(CommandError::LineTooLong.reply()),
                ReadError::Closed | ReadError::Truncated | ReadError::BeganTls | ReadError::Broken(_) => {}
            }
            Ending::Said
        })
    }

    async fn read_command(&mut self) -> Step<Result<Command, ServerReply>> {
        let line = self.read_line().await?;
        if is_http_verb(&line) {
            return Err(Ending::Cut);
        }
        Ok(Command::parse(&line).map_err(|error| error.reply()))
    }

    #[expect(clippy::needless_pass_by_value, reason = "a reply is said once")]
    pub(super) fn say(&mut self, reply: ServerReply) {
        self.connection.queue(&reply.to_bytes());
    }

    /// Answers a mistake, and ends the session after too many.
    pub(super) fn complain(&mut self, refusal: ServerReply) -> Step {
        self.n_errors += 1;
        if self.n_errors >= MOST_ERRORS {
            self.say(reply::too_many_errors());
            return Err(Ending::Said);
        }
        self.say(refusal);
        Ok(())
    }

    /// Lets a fault strike at this phase. Gives the reply that takes the place of the usual one, if there is one.
    pub(super) async fn meet(
        &mut self,
        phase: Phase,
        recipient: Option<&EmailAddress>,
    ) -> Step<Option<FaultReply>> {
        let account = self.state.owner().cloned();
        let occasion =
            Occasion { door: Protocol::Smtp, phase, account: account.as_ref(), recipient, sign_in: None };
        self.suffer(&occasion).await
    }

    /// Says the other words if there are some.
    pub(super) fn say_or(&mut self, other: Option<FaultReply>, usual: ServerReply) {
        match other {
            Some(other) => self.connection.queue(&other.bytes),
            None => self.say(usual),
        }
    }
}
