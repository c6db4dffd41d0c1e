//! One connection.

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{Connection, LineEnd, ReadError, StartTlsError};
use gatepost_wire::smtp::{
    AUTH_LINE, ClientName, Command, CommandError, MailCommand, RcptCommand, ReversePath, ServerReply,
    is_http_verb,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LARGEST_BYTES, MOST_RECIPIENTS, reply};
use crate::fault::{Occasion, Outcome, Phase};
use crate::provider::{OpenSession, Provider};

/// RFC 5321 §4.5.3.2.7: at least 5 minutes for the next command.
const COMMAND_WITHIN: Duration = Duration::from_secs(300);

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long a reply may take to leave.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// Errors in one session.
const MOST_ERRORS: u32 = 20;

/// Names for ALPN: none but mail programs shall come (ALPACA).
const ALPN: &[&str] = &["smtp"];

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

/// The states; each has what exists only in it.
pub(super) enum State {
    /// Waits for EHLO.
    Greeted,
    /// Waits for a sign-in.
    Ready { client: Client },
    /// Waits for MAIL.
    SignedIn { client: Client, owner: Owner },
    /// Waits for RCPT or DATA.
    InTransaction { client: Client, owner: Owner, envelope: Envelope },
}

/// What the client calls itself, with the right verb.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) is_extended: bool,
}

/// Who has signed in.
pub(super) struct Owner {
    pub(super) address: EmailAddress,
    _open: OpenSession,
}

/// The envelope so far.
pub(super) struct Envelope {
    pub(super) mail: MailCommand,
    /// Each mailbox once.
    pub(super) recipients: Vec<EmailAddress>,
}

/// One session; its connection belongs to the caller, who ends it.
pub(super) struct Session<'a> {
    pub(super) provider: &'a Arc<Provider>,
    pub(super) connection: &'a mut Connection,
    pub(super) state: State,
    ends: CancellationToken,
    n_errors: u32,
    pub(super) n_missed_sign_ins: u32,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        provider: &'a Arc<Provider>,
        connection: &'a mut Connection,
        ends: CancellationToken,
    ) -> Self {
        Self { provider, connection, state: State::Greeted, ends, n_errors: 0, n_missed_sign_ins: 0 }
    }

    /// Talks until the end.
    pub(super) async fn run(&mut self) -> Ending {
        match self.talk().await {
            Ok(never) => never,
            Err(ending) => {
                if ending == Ending::Cut {
                    // What was said before the cut has been said.
                    let _ = self.connection.flush(Instant::now() + WRITE_WITHIN).await;
                }
                ending
            }
        }
    }

    async fn talk(&mut self) -> Step<Ending> {
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
                ReadError::Closed | ReadError::Truncated | ReadError::Broken(_) => {}
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

    pub(super) async fn flush(&mut self) -> Step {
        self.connection.flush(Instant::now() + WRITE_WITHIN).await.map_err(|_gone| Ending::Cut)
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
    async fn meet(
        &mut self,
        phase: Phase,
        recipient: Option<&EmailAddress>,
    ) -> Step<Option<crate::fault::FaultReply>> {
        let account = self.owner().cloned();
        let occasion = Occasion { phase, account: account.as_ref(), recipient, sign_in: None };
        self.suffer(&occasion).await
    }

    pub(super) async fn suffer(&mut self, occasion: &Occasion<'_>) -> Step<Option<crate::fault::FaultReply>> {
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

    fn owner(&self) -> Option<&EmailAddress> {
        match &self.state {
            State::Greeted | State::Ready { .. } => None,
            State::SignedIn { owner, .. } | State::InTransaction { owner, .. } => Some(&owner.address),
        }
    }

    async fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Ehlo(name) => self.cmd_hello(&name, true),
            Command::Helo(name) => self.cmd_hello(&name, false),
            Command::StartTls => self.cmd_starttls().await,
            Command::Auth { mechanism, initial } => self.cmd_auth(&mechanism, initial).await,
            Command::Mail(mail) => self.cmd_mail(mail).await,
            Command::Rcpt(rcpt) => self.cmd_rcpt(rcpt).await,
            Command::Data => self.cmd_data().await,
            Command::Rset => {
                self.drop_transaction();
                self.say(reply::ok());
                Ok(())
            }
            Command::Noop => {
                self.say(reply::ok());
                Ok(())
            }
            Command::Quit => {
                self.say(reply::goodbye());
                Err(Ending::Said)
            }
            Command::Vrfy(_) => {
                self.say(reply::cannot_verify());
                Ok(())
            }
            Command::Help(_) => {
                self.say(reply::help());
                Ok(())
            }
            Command::Bdat { .. } => {
                // Not offered, and its octets would be taken for commands.
                self.say(reply::not_offered());
                Err(Ending::Said)
            }
            Command::Expn(_) => self.complain(reply::not_offered()),
        }
    }

    fn cmd_hello(&mut self, name: &ClientName, is_extended: bool) -> Step {
        let client = Client { name: name.to_string(), is_extended };
        // RFC 5321 §4.1.4: EHLO ends a transaction, and nobody is signed out by it.
        self.state = match std::mem::replace(&mut self.state, State::Greeted) {
            State::Greeted | State::Ready { .. } => State::Ready { client },
            State::SignedIn { owner, .. } | State::InTransaction { owner, .. } => {
                State::SignedIn { client, owner }
            }
        };
        let encrypted = self.connection.is_encrypted();
        self.say(if is_extended { reply::hello(encrypted) } else { reply::old_hello() });
        Ok(())
    }

    async fn cmd_starttls(&mut self) -> Step {
        if self.connection.is_encrypted() {
            return self.complain(reply::tls_is_on());
        }
        // RFC 3207 §4.2: bytes behind the command came before encryption, from whomever. They end the connection.
        if self.connection.has_input_waiting() {
            return Err(Ending::Cut);
        }
        self.say(reply::go_ahead_with_tls());
        self.flush().await?;
        let deadline = Instant::now() + HANDSHAKE_WITHIN;
        let turned = self.connection.start_tls_server(&self.provider.tls, ALPN, deadline).await;
        turned.map_err(|error: StartTlsError| {
            tracing::info!(peer = %self.connection.peer(), %error, "no TLS");
            Ending::Cut
        })?;
        self.state = State::Greeted;
        Ok(())
    }

    async fn cmd_mail(&mut self, mail: MailCommand) -> Step {
        let account = match &self.state {
            _ if !self.connection.is_encrypted() => return self.complain(reply::tls_first()),
            State::Greeted => return self.complain(reply::hello_first()),
            State::Ready { .. } => return self.complain(reply::sign_in_first()),
            State::InTransaction { .. } => return self.complain(reply::mail_already()),
            State::SignedIn { owner, .. } => owner.address.clone(),
        };
        let other = self.meet(Phase::Mail, None).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 250) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        // A bounce has the null path and still comes from the account.
        let is_own = match &mail.reverse_path {
            ReversePath::Null => true,
            ReversePath::Address(address) => address.is_same_mailbox(&account),
        };
        if !is_own {
            return self.complain(reply::not_your_address(&account));
        }
        if mail.size_bytes.is_some_and(|size| size > LARGEST_BYTES) {
            return self.complain(reply::too_large());
        }
        if let State::SignedIn { client, owner } = std::mem::replace(&mut self.state, State::Greeted) {
            let envelope = Envelope { mail, recipients: Vec::new() };
            self.state = State::InTransaction { client, owner, envelope };
        }
        self.say_or(other, reply::sender_ok());
        Ok(())
    }

    async fn cmd_rcpt(&mut self, rcpt: RcptCommand) -> Step {
        let State::InTransaction { envelope, .. } = &self.state else {
            return self.complain(reply::mail_first());
        };
        if rcpt.needs_smtputf8() && !envelope.mail.is_smtputf8 {
            let side = gatepost_wire::smtp::EnvelopeSide::Recipient;
            return self.complain(CommandError::NeedsSmtpUtf8(side).reply());
        }
        let other = self.meet(Phase::Rcpt, Some(&rcpt.recipient)).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 250) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        if let State::InTransaction { envelope, .. } = &mut self.state {
            if envelope.recipients.len() >= MOST_RECIPIENTS {
                self.say(reply::too_many_recipients());
                return Ok(());
            }
            if !envelope.recipients.iter().any(|it| it.is_same_mailbox(&rcpt.recipient)) {
                envelope.recipients.push(rcpt.recipient);
            }
        }
        self.say_or(other, reply::recipient_ok());
        Ok(())
    }

    async fn cmd_data(&mut self) -> Step {
        match &self.state {
            State::InTransaction { envelope, .. } if envelope.recipients.is_empty() => {
                return self.complain(reply::no_recipients());
            }
            State::InTransaction { .. } => {}
            _ => return self.complain(reply::mail_first()),
        }
        let other = self.meet(Phase::Data, None).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 354) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        self.say_or(other, reply::go_ahead());
        self.receive_message().await
    }

    /// Says the other words if there are some.
    pub(super) fn say_or(&mut self, other: Option<crate::fault::FaultReply>, usual: ServerReply) {
        match other {
            Some(other) => self.connection.queue(&other.bytes),
            None => self.say(usual),
        }
    }

    pub(super) fn drop_transaction(&mut self) -> Option<(Client, EmailAddress, Envelope)> {
        match std::mem::replace(&mut self.state, State::Greeted) {
            State::InTransaction { client, owner, envelope } => {
                let dropped = (client.clone(), owner.address.clone(), envelope);
                self.state = State::SignedIn { client, owner };
                Some(dropped)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// From now on the session belongs to this account and ends when it is signed out.
    pub(super) fn sign_in(&mut self, address: EmailAddress) {
        let client = match std::mem::replace(&mut self.state, State::Greeted) {
            State::Ready { client } => client,
            other => {
                self.state = other;
                return;
            }
        };
        let open = self.provider.sessions.register(address.clone(), self.ends.clone());
        self.state = State::SignedIn { client, owner: Owner { address, _open: open } };
    }
}
