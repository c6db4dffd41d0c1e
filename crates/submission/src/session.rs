//! One connection from its greeting to its end.

mod conduct;
mod ending;
mod listen;
mod without_tls;

use std::net::IpAddr;

use gatepost_net::{Connection, Ticket};
use gatepost_wire::smtp::ServerReply;
use tokio::time::{Instant, sleep};

pub(crate) use conduct::Conduct;
pub(crate) use ending::Ending;
pub(crate) use listen::BodyClock;

use self::without_tls::WithoutTls;
use crate::state::State;
use crate::{ChooseAccount, Submission};

/// What every state and command works with: the connection, and what is known of the client's behaviour.
pub(crate) struct Session<'a, C> {
    pub(crate) server: &'a Submission<C>,
    pub(crate) connection: &'a mut Connection,
    ticket: &'a Ticket,
    /// Counted from the start of the program, for the log.
    pub(crate) number: u64,
    pub(crate) conduct: Conduct,
    without_tls: WithoutTls,
    /// Until then somebody has to have signed in (SS-11).
    sign_in_by: Instant,
    n_letters: u32,
}

impl<'a, C: ChooseAccount> Session<'a, C> {
    pub(crate) fn new(
        server: &'a Submission<C>,
        connection: &'a mut Connection,
        ticket: &'a Ticket,
        number: u64,
    ) -> Self {
        let sign_in_by = Instant::now() + server.settings.spans.sign_in;
        let (conduct, without_tls) = (Conduct::default(), WithoutTls::default());
        Self { server, connection, ticket, number, conduct, without_tls, sign_in_by, n_letters: 0 }
    }

    /// Talks until the session is over. The last reply is queued, and leaves as the connection is closed.
    pub(crate) async fn talk(mut self) {
        let greeting = format!("{} ESMTP Gatepost", self.server.settings.host_name);
        self.reply(&ServerReply::plain(220, greeting));
        let mut state = State::first(self.connection.is_encrypted());
        let ending = loop {
            state = match self.step(state).await {
                Ok(next) => next,
                Err(ending) => break ending,
            };
        };
        if let Some(last) = ending.reply() {
            self.reply(&last);
        }
        let ending = self.ends_without_tls(ending);
        tracing::info!(
            session.id = self.number,
            peer = %self.peer(),
            letters = self.n_letters,
            because = %ending,
            "SMTP session ended"
        );
    }

    /// One command and its answer.
    async fn step(&mut self, state: State) -> Result<State, Ending> {
        match self.hear(&state).await? {
            Ok(command) => state.take(self, command).await,
            Err(mistake) => {
                self.conduct.heard(&mistake, state.is_signed_in())?;
                self.answer(mistake.reply()).await?;
                Ok(state)
            }
        }
    }

    /// The address of the client.
    pub(crate) fn peer(&self) -> IpAddr {
        self.connection.peer().ip().to_canonical()
    }

    /// Queues a reply. Everything queued leaves in one piece before the session waits for more bytes, so that a group of
    /// pipelined commands costs one segment (RFC 2920 §3.2).
    pub(crate) fn reply(&mut self, reply: &ServerReply) {
        self.connection.queue(&reply.to_bytes());
    }

    /// Queues a reply and counts it among the client's mistakes if it is a permanent refusal. Many mistakes cost time, and
    /// at last the session (SS-12).
    pub(crate) async fn answer(&mut self, reply: ServerReply) -> Result<(), Ending> {
        if reply.code() >= 500 && self.conduct.refused()? {
            self.flush().await?;
            sleep(self.server.settings.spans.penalty).await;
        }
        self.reply(&reply);
        Ok(())
    }

    /// A letter was accepted: whoever sends letters may also make mistakes.
    pub(crate) fn has_sent(&mut self) {
        self.n_letters = self.n_letters.saturating_add(1);
        self.conduct.forgive();
    }

    /// The session leaves its place among strangers.
    pub(crate) fn has_signed_in(&mut self) {
        self.ticket.mark_signed_in();
        self.conduct.forgive();
    }

    /// Before somebody has signed in, EHLO, AUTH, its responses and DATA must be the last thing sent (RFC 2920 §3.1): a
    /// web page that is made to send mail cannot wait for answers (SS-10).
    pub(crate) fn refuse_unasked_bytes(&mut self) -> Result<(), Ending> {
        if self.connection.has_input_waiting() { Err(Ending::UnaskedBytes) } else { Ok(()) }
    }
}
