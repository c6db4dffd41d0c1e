//! POP3 until somebody has signed in (MP-1, MP-9).

mod reply;
mod sign_in;

use gatepost_net::{Connection, Line, LineEnd, Ticket, WriteError};
use gatepost_wire::pop3::{AUTH_LINE, Command, CommandError, Follower, ServerReply, code, push_line};
use tokio::time::{Duration, Instant, sleep};

use crate::conduct::{Conduct, Ending};
use crate::enter::Entered;
use crate::pump;
use crate::service::{Gateway, Pop3Door};

/// How long the client may take to accept replies.
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
        connection.queue(&match ending.is_trouble() {
            true => ServerReply::refusal(code::SYS_TEMP, words).to_bytes(),
            false => ServerReply::error(words).to_bytes(),
        });
    }
    let (down, up) = n_passed;
    tracing::info!(session.id = number, peer = %peer, down, up, because = %ending, "POP3 session ended");
}

/// The part before sign-in.
struct Dialogue<'a> {
    gateway: &'a Gateway,
    connection: &'a mut Connection,
    number: u64,
    /// Whom USER named, behind TLS.
    user: Option<String>,
    conduct: Conduct,
    sign_in_by: Instant,
}

impl<'a> Dialogue<'a> {
    fn new(gateway: &'a Gateway, connection: &'a mut Connection, number: u64) -> Self {
        let sign_in_by = Instant::now() + gateway.settings.spans.sign_in;
        Self { gateway, connection, number, user: None, conduct: Conduct::default(), sign_in_by }
    }

    async fn run(mut self) -> Result<Entered, Ending> {
        // No timestamp: there is no APOP, whose secrets a server must be able to read.
        self.say(&ServerReply::ok("Gatepost is ready"));
        loop {
            let line = self.hear().await?;
            let command = match Command::parse(&line) {
                Ok(command) => command,
                Err(error) => {
                    self.misheard(&line, &error).await?;
                    continue;
                }
            };
            let is_encrypted = self.connection.is_encrypted();
            match command {
                Command::Capa => self.list_capabilities(),
                Command::Stls => self.start_tls().await?,
                Command::Quit => {
                    self.say(&ServerReply::ok("Goodbye"));
                    return Err(Ending::Goodbye);
                }
                Command::User(_) | Command::Pass(_) | Command::Auth { .. } if !is_encrypted => {
                    self.complain(&reply::tls_first()).await?;
                }
                Command::User(name) => {
                    self.user = Some(name.as_str().to_owned());
                    self.say(&ServerReply::ok("And the app password?"));
                }
                Command::Pass(password) => {
                    if let Some(entered) = self.pass(password).await? {
                        return Ok(entered);
                    }
                }
                Command::Auth { mechanism, initial } => {
                    if let Some(entered) = self.auth(&mechanism, initial).await? {
                        return Ok(entered);
                    }
                }
                _ => {
                    self.complain(&ServerReply::error("This command is not possible before sign-in")).await?
                }
            }
        }
    }

    async fn misheard(&mut self, line: &Line, error: &CommandError) -> Result<(), Ending> {
        let is_bare_auth = line.eq_ignore_ascii_case(b"AUTH");
        if is_bare_auth && self.connection.is_encrypted() {
            // The way to ask before CAPA was made; old programs still do.
            self.say(&ServerReply::ok("These are the ways to sign in"));
            self.list(&reply::mechanisms());
            return Ok(());
        }
        self.complain(&ServerReply::for_command(error)).await
    }

    fn list_capabilities(&mut self) {
        self.say(&ServerReply::ok("That is what is possible here"));
        self.list(&reply::capabilities(self.connection.is_encrypted()).to_lines());
    }

    fn list(&mut self, lines: &[String]) {
        let mut out = Vec::new();
        lines.iter().for_each(|it| push_line(&mut out, it));
        out.extend_from_slice(gatepost_wire::pop3::LISTING_END);
        self.connection.queue(&out);
    }

    /// The next line; what was answered until now leaves before it is waited for.
    async fn hear(&mut self) -> Result<Line, Ending> {
        if Instant::now() >= self.sign_in_by {
            return Err(Ending::TimedOut);
        }
        if !self.connection.buffered().contains(&b'\n') {
            self.flush().await?;
        }
        tokio::select! {
            biased;
            () = self.gateway.stands.stop.cancelled() => Err(Ending::Stopping),
            line = self.connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, self.sign_in_by) => Ok(line?),
        }
    }

    /// MP-2: nothing may stand behind the command, in our buffer or in the system's.
    async fn start_tls(&mut self) -> Result<(), Ending> {
        if self.connection.is_encrypted() {
            return self.complain(&ServerReply::error("TLS is on already")).await;
        }
        if self.connection.has_input_waiting() {
            return Err(Ending::UnaskedBytes);
        }
        self.say(&ServerReply::ok("Begin TLS now"));
        self.flush().await?;
        let deadline = Instant::now() + self.gateway.settings.spans.handshake;
        let tls = &self.gateway.stands.tls;
        let started = self.connection.start_tls_server(tls, Pop3Door::APPLICATION_PROTOCOLS, deadline);
        Box::pin(started).await.map_err(Ending::NoTls)
    }

    fn say(&mut self, reply: &ServerReply) {
        self.connection.queue(&reply.to_bytes());
    }

    async fn flush(&mut self) -> Result<(), WriteError> {
        if self.connection.queued_bytes() > 0 {
            self.connection.flush(Instant::now() + WRITE_WITHIN).await?;
        }
        Ok(())
    }

    /// Answers a mistake; many cost time, and at last the session.
    async fn complain(&mut self, reply: &ServerReply) -> Result<(), Ending> {
        if self.conduct.mistaken()? {
            self.flush().await?;
            sleep(self.gateway.settings.spans.penalty).await;
        }
        self.say(reply);
        Ok(())
    }
}
