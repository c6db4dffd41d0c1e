//! POP3 until somebody has signed in (MP-1, MP-9).

mod reply;

use gatepost_accounts::ReadingProtocol;
use gatepost_core::SecretText;
use gatepost_net::{Connection, Line, LineEnd, Protocols};
use gatepost_wire::pop3::{AUTH_LINE, Command, CommandError, Follower, ServerReply, code, push_line};
use gatepost_wire::sasl::SaslError;
use tokio::time::Instant;

use crate::conduct::Ending;
use crate::enter::Entered;
use crate::session::{Dialect, Refusal, Session};

/// The commands of a client that has not signed in.
#[derive(Default)]
pub(crate) struct Pop3 {
    /// Whom USER named, behind TLS.
    user: Option<String>,
}

impl Dialect for Pop3 {
    const NAME: &'static str = "POP3";
    const PROTOCOL: ReadingProtocol = ReadingProtocol::Pop3;
    const APPLICATION_PROTOCOLS: Protocols = &["pop3"];
    const SASL_LINE: usize = AUTH_LINE;
    const PASSWORD_COMMAND: &'static str = "USER";

    type Tag = ();
    type Reply = ServerReply;
    type Follower = Follower;

    fn new(_is_encrypted: bool) -> Self {
        Self::default()
    }

    async fn converse(session: &mut Session<'_, Self>) -> Result<Entered, Ending> {
        session.run().await
    }

    fn queue(connection: &mut Connection, reply: &ServerReply) {
        connection.queue(&reply.to_bytes());
    }

    fn ok((): &(), words: &str) -> ServerReply {
        ServerReply::ok(words.to_owned())
    }

    fn bad((): &(), words: &str) -> ServerReply {
        ServerReply::error(words.to_owned())
    }

    fn sasl_error((): &(), error: SaslError) -> ServerReply {
        ServerReply::for_sasl(error)
    }

    fn challenge(challenge: String) -> ServerReply {
        ServerReply::challenge(challenge)
    }

    fn opened((): &(), entered: &Entered) -> ServerReply {
        ServerReply::ok(format!("{} is open", entered.whose.address))
    }

    fn refused((): &(), because: Refusal, words: &str) -> ServerReply {
        ServerReply::refusal(reply::code(because), words.to_owned())
    }

    fn farewell(words: &str, is_trouble: bool) -> ServerReply {
        let words = words.to_owned();
        if is_trouble { ServerReply::refusal(code::SYS_TEMP, words) } else { ServerReply::error(words) }
    }
}

impl Session<'_, Pop3> {
    async fn run(&mut self) -> Result<Entered, Ending> {
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
                Command::Capa => {
                    self.has_asked();
                    self.list_capabilities();
                }
                Command::Stls => self.start_tls(&()).await?,
                Command::Quit => {
                    self.say(&ServerReply::ok("Goodbye"));
                    return Err(Ending::Goodbye);
                }
                Command::User(_) | Command::Pass(_) | Command::Auth { .. } if !is_encrypted => {
                    self.needs_tls();
                    self.complain(&reply::tls_first()).await?;
                }
                Command::User(name) => {
                    self.dialect.user = Some(name.as_str().to_owned());
                    self.say(&ServerReply::ok("And the app password?"));
                }
                Command::Pass(password) => {
                    if let Some(entered) = self.pass(password).await? {
                        return Ok(entered);
                    }
                }
                Command::Auth { mechanism, initial } => {
                    if let Some(entered) = self.authenticate(&(), &mechanism, initial).await? {
                        return Ok(entered);
                    }
                }
                _ => {
                    self.complain(&ServerReply::error("This command is not possible before sign-in")).await?
                }
            }
        }
    }

    async fn pass(&mut self, password: SecretText) -> Result<Option<Entered>, Ending> {
        let Some(user_name) = self.dialect.user.take() else {
            return self.complain(&ServerReply::error("Say USER first")).await.map(|()| None);
        };
        self.sign_in(&(), user_name, password).await
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
        self.flush_much().await?;
        if !self.connection.buffered().contains(&b'\n') {
            self.flush().await?;
        }
        tokio::select! {
            biased;
            () = self.gateway.stands.stop.cancelled() => Err(Ending::Stopping),
            line = self.connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, self.sign_in_by) => Ok(line?),
        }
    }
}
