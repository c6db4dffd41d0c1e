//! IMAP until somebody has signed in (MP-1, MP-4).

mod reply;

use gatepost_accounts::ReadingProtocol;
use gatepost_net::{Connection, Protocols};
use gatepost_wire::imap::{
    Command, CommandError, CommandLimits, CommandReader, Follower, Heard, SASL_LINE, ServerResponse,
    StatusKind,
};
use gatepost_wire::sasl::SaslError;
use tokio::time::Instant;

use crate::conduct::Ending;
use crate::enter::Entered;
use crate::session::{Dialect, Refusal, Session};

/// The commands of a client that has not signed in.
pub(crate) struct Imap {
    reader: CommandReader,
}

impl Dialect for Imap {
    const NAME: &'static str = "IMAP";
    const PROTOCOL: ReadingProtocol = ReadingProtocol::Imap;
    const APPLICATION_PROTOCOLS: Protocols = &["imap"];
    const SASL_LINE: usize = SASL_LINE;
    const PASSWORD_COMMAND: &'static str = "LOGIN";

    type Tag = str;
    type Reply = ServerResponse;
    type Follower = Follower;

    fn new(is_encrypted: bool) -> Self {
        Self { reader: CommandReader::new(limits(is_encrypted)) }
    }

    async fn converse(session: &mut Session<'_, Self>) -> Result<Entered, Ending> {
        session.run().await
    }

    fn queue(connection: &mut Connection, response: &ServerResponse) {
        connection.queue(response.as_bytes());
    }

    fn ok(tag: &str, words: &str) -> ServerResponse {
        ServerResponse::status(Some(tag), StatusKind::Ok, None, words)
    }

    fn bad(tag: &str, words: &str) -> ServerResponse {
        ServerResponse::status(Some(tag), StatusKind::Bad, None, words)
    }

    fn sasl_error(tag: &str, error: SaslError) -> ServerResponse {
        ServerResponse::for_sasl(tag, error)
    }

    fn challenge(challenge: String) -> ServerResponse {
        ServerResponse::go_on(&challenge)
    }

    fn opened(tag: &str, entered: &Entered) -> ServerResponse {
        reply::opened(tag, &entered.capabilities.clone().of_what_passes(), entered.whose.address.as_str())
    }

    fn refused(tag: &str, because: Refusal, words: &str) -> ServerResponse {
        ServerResponse::status(Some(tag), StatusKind::No, Some(reply::code(because)), words)
    }

    fn farewell(words: &str, is_trouble: bool) -> ServerResponse {
        ServerResponse::status(None, StatusKind::Bye, is_trouble.then_some("UNAVAILABLE"), words)
    }
}

impl Session<'_, Imap> {
    async fn run(&mut self) -> Result<Entered, Ending> {
        self.say(&reply::greeting(self.connection.is_encrypted()));
        loop {
            let (tag, command) = self.hear().await?;
            match command {
                Command::Capability => {
                    self.has_asked();
                    self.say(&ServerResponse::capability(&reply::capabilities(
                        self.connection.is_encrypted(),
                    )));
                    self.say(&Imap::ok(&tag, "That is what is possible here"));
                }
                Command::Noop => self.say(&Imap::ok(&tag, "Nothing has happened")),
                Command::Id(_) => {
                    self.say(&ServerResponse::id("Gatepost", env!("CARGO_PKG_VERSION")));
                    self.say(&Imap::ok(&tag, "Pleased to meet you"));
                }
                Command::Logout => {
                    self.say(&Imap::farewell("Goodbye", false));
                    self.say(&Imap::ok(&tag, "Goodbye"));
                    return Err(Ending::Goodbye);
                }
                Command::StartTls => self.start_tls(&tag).await?,
                Command::Login { .. } | Command::Authenticate { .. } if !self.connection.is_encrypted() => {
                    self.needs_tls();
                    self.complain(&reply::tls_first(&tag)).await?;
                }
                Command::Login { user_name, password } => {
                    if let Some(entered) = self.sign_in(&tag, user_name, password).await? {
                        return Ok(entered);
                    }
                }
                Command::Authenticate { mechanism, initial } => {
                    if let Some(entered) = self.authenticate(&tag, &mechanism, initial).await? {
                        return Ok(entered);
                    }
                }
                _ => self.complain(&Imap::bad(&tag, "This command is not possible before sign-in")).await?,
            }
        }
    }

    /// The next command; mistakes are answered on the way.
    async fn hear(&mut self) -> Result<(String, Command), Ending> {
        loop {
            self.flush_much().await?;
            if self.connection.buffered().is_empty() {
                self.flush().await?;
                self.fill().await?;
            }
            if Instant::now() >= self.sign_in_by {
                return Err(Ending::TimedOut);
            }
            let (n_taken, heard) = self.dialect.reader.push(self.connection.buffered());
            self.connection.consume(n_taken);
            match heard {
                None => {}
                Some(Heard::Command { tag, command }) => return Ok((tag, command)),
                Some(Heard::Continue) => self.say(&ServerResponse::go_on("go on")),
                Some(Heard::Refused { tag, because }) => {
                    let is_literal =
                        matches!(because, CommandError::LiteralRefused | CommandError::LiteralTooLarge);
                    // It would have been a name or a password.
                    let is_in_clear = is_literal && !self.connection.is_encrypted();
                    if is_in_clear {
                        self.needs_tls();
                    }
                    if because.is_fatal() {
                        return Err(Ending::BadLine);
                    }
                    let refusal = match tag {
                        Some(tag) if is_in_clear => reply::tls_first(&tag),
                        tag => ServerResponse::for_command(tag.as_deref(), because),
                    };
                    self.complain(&refusal).await?;
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
}

/// Before TLS nobody is asked for a literal: it would be a name or a password.
const fn limits(is_encrypted: bool) -> CommandLimits {
    let limits = CommandLimits::BEFORE_SIGN_IN;
    if is_encrypted { limits } else { CommandLimits { literals: 0, ..limits } }
}
