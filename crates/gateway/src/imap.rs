//! IMAP until somebody has signed in (MP-1, MP-4).

mod reply;
mod sign_in;

use gatepost_net::{Connection, Ticket, WriteError};
use gatepost_wire::imap::{
    Command, CommandLimits, CommandReader, Follower, Heard, ServerResponse, StatusKind,
};
use tokio::time::{Duration, Instant, sleep};

use crate::conduct::{Conduct, Ending};
use crate::enter::Entered;
use crate::pump;
use crate::service::{Gateway, ImapDoor};

/// How long the client may take to accept responses.
const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// One session, from its greeting to its end.
pub(crate) async fn talk(gateway: &Gateway, connection: &mut Connection, ticket: &Ticket) {
    let number = gateway.next_session();
    let peer = connection.peer().ip().to_canonical();
    // Large, and over when bytes pass: it must not lie beside them for hours.
    let opened = Box::pin(Dialogue::new(gateway, connection, number).run()).await;
    let (ending, may_speak, n_passed) = match opened {
        Err(ending) => (ending, true, (0, 0)),
        Ok(mut entered) => {
            ticket.mark_signed_in();
            let (ending, may_speak) =
                pump::pass(gateway, connection, &mut entered, Follower::default()).await;
            (ending, may_speak, entered.entry.n_passed())
        }
    };
    if let Some(words) = ending.words().filter(|_| may_speak) {
        let code = ending.is_trouble().then_some("UNAVAILABLE");
        connection.queue(ServerResponse::status(None, StatusKind::Bye, code, words).as_bytes());
    }
    let (down, up) = n_passed;
    tracing::info!(session.id = number, peer = %peer, down, up, because = %ending, "IMAP session ended");
}

/// The part before sign-in.
struct Dialogue<'a> {
    gateway: &'a Gateway,
    connection: &'a mut Connection,
    number: u64,
    reader: CommandReader,
    conduct: Conduct,
    sign_in_by: Instant,
}

impl<'a> Dialogue<'a> {
    fn new(gateway: &'a Gateway, connection: &'a mut Connection, number: u64) -> Self {
        let reader = CommandReader::new(limits(connection.is_encrypted()));
        let sign_in_by = Instant::now() + gateway.settings.spans.sign_in;
        Self { gateway, connection, number, reader, conduct: Conduct::default(), sign_in_by }
    }

    async fn run(mut self) -> Result<Entered, Ending> {
        self.say(&reply::greeting(self.connection.is_encrypted()));
        loop {
            let (tag, command) = self.hear().await?;
            match command {
                Command::Capability => {
                    self.say(&ServerResponse::capability(&reply::capabilities(
                        self.connection.is_encrypted(),
                    )));
                    self.say(&reply::ok(&tag, "That is what is possible here"));
                }
                Command::Noop => self.say(&reply::ok(&tag, "Nothing has happened")),
                Command::Id(_) => {
                    self.say(&ServerResponse::id("Gatepost", env!("CARGO_PKG_VERSION")));
                    self.say(&reply::ok(&tag, "Pleased to meet you"));
                }
                Command::Logout => {
                    self.say(&ServerResponse::status(None, StatusKind::Bye, None, "Goodbye"));
                    self.say(&reply::ok(&tag, "Goodbye"));
                    return Err(Ending::Goodbye);
                }
                Command::StartTls => self.start_tls(&tag).await?,
                Command::Login { .. } | Command::Authenticate { .. } if !self.connection.is_encrypted() => {
                    self.complain(&reply::tls_first(&tag)).await?;
                }
                Command::Login { user_name, password } => {
                    if let Some(entered) = self.login(&tag, user_name, password).await? {
                        return Ok(entered);
                    }
                }
                Command::Authenticate { mechanism, initial } => {
                    if let Some(entered) = self.authenticate(&tag, &mechanism, initial).await? {
                        return Ok(entered);
                    }
                }
                _ => self.complain(&reply::sign_in_first(&tag)).await?,
            }
        }
    }

    /// The next command; mistakes are answered on the way.
    async fn hear(&mut self) -> Result<(String, Command), Ending> {
        loop {
            if self.connection.buffered().is_empty() {
                self.flush().await?;
                self.fill().await?;
            }
            if Instant::now() >= self.sign_in_by {
                return Err(Ending::TimedOut);
            }
            let (n_taken, heard) = self.reader.push(self.connection.buffered());
            self.connection.consume(n_taken);
            match heard {
                None => {}
                Some(Heard::Command { tag, command }) => return Ok((tag, command)),
                Some(Heard::Continue) => self.say(&ServerResponse::go_on("go on")),
                Some(Heard::Refused { because, .. }) if because.is_fatal() => return Err(Ending::BadLine),
                Some(Heard::Refused { tag, because }) => {
                    self.complain(&ServerResponse::for_command(tag.as_deref(), because)).await?;
                }
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Ending> {
        tokio::select! {
            biased;
            () = self.gateway.stands.stop.cancelled() => Err(Ending::Stopping),
            filled = self.connection.fill(self.sign_in_by) => Ok(filled.map(drop)?),
        }
    }

    /// MP-2: nothing may stand behind the command, in our buffer or in the system's.
    async fn start_tls(&mut self, tag: &str) -> Result<(), Ending> {
        if self.connection.is_encrypted() {
            return self.complain(&reply::bad(tag, "TLS is on already")).await;
        }
        if self.connection.has_input_waiting() {
            return Err(Ending::UnaskedBytes);
        }
        self.say(&reply::ok(tag, "Begin TLS now"));
        self.flush().await?;
        let deadline = Instant::now() + self.gateway.settings.spans.handshake;
        let tls = &self.gateway.stands.tls;
        let started = self.connection.start_tls_server(tls, ImapDoor::APPLICATION_PROTOCOLS, deadline);
        Box::pin(started).await.map_err(Ending::NoTls)?;
        self.reader = CommandReader::new(limits(true));
        Ok(())
    }

    fn say(&mut self, response: &ServerResponse) {
        self.connection.queue(response.as_bytes());
    }

    async fn flush(&mut self) -> Result<(), WriteError> {
        if self.connection.queued_bytes() > 0 {
            self.connection.flush(Instant::now() + WRITE_WITHIN).await?;
        }
        Ok(())
    }

    /// Answers a mistake; many cost time, and at last the session.
    async fn complain(&mut self, response: &ServerResponse) -> Result<(), Ending> {
        if self.conduct.mistaken()? {
            self.flush().await?;
            sleep(self.gateway.settings.spans.penalty).await;
        }
        self.say(response);
        Ok(())
    }
}

/// Before TLS nobody is asked for a literal: it would be a name or a password.
const fn limits(is_encrypted: bool) -> CommandLimits {
    let limits = CommandLimits::BEFORE_SIGN_IN;
    if is_encrypted { limits } else { CommandLimits { literals: 0, ..limits } }
}
