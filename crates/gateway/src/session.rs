//! One connection from its greeting to its end: what is the same by IMAP and by POP3.

mod sign_in;
mod without_tls;

use gatepost_accounts::ReadingProtocol;
use gatepost_net::{Connection, Protocols, Ticket, WriteError};
use gatepost_wire::passage::Follower;
use gatepost_wire::sasl::SaslError;
use tokio::time::{Duration, Instant, sleep};

use self::without_tls::WithoutTls;
use crate::Gateway;
use crate::conduct::{Conduct, Ending};
use crate::enter::Entered;
use crate::pump;

/// How long the client may take to accept replies.
const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// For whoever reads it in a mail program that signs in without TLS.
pub(crate) const ENCRYPT_FIRST: &str =
    "Switch on STARTTLS or TLS in the mail program: no password is taken without encryption";

/// Octets of answers that wait to leave together.
const MOST_QUEUED: usize = 4 * 1024;

/// A protocol as its door speaks it until somebody has signed in. A value is what it has to remember meanwhile.
pub(crate) trait Dialect: Send + Sized {
    /// How it is called in the log.
    const NAME: &'static str;
    const PROTOCOL: ReadingProtocol;
    /// In ALPN.
    const APPLICATION_PROTOCOLS: Protocols;
    /// The longest line of a SASL exchange, with its CRLF.
    const SASL_LINE: usize;
    /// The command that carries a password without SASL.
    const PASSWORD_COMMAND: &'static str;

    /// Which command is answered: IMAP's tag.
    type Tag: Sync + ?Sized;
    type Reply: Send + Sync;
    type Follower: Follower + Default;

    /// Knows nothing but whether there is TLS.
    fn new(is_encrypted: bool) -> Self;

    /// The dialogue: greets, and answers until a mailbox is open.
    fn converse(session: &mut Session<'_, Self>) -> impl Future<Output = Result<Entered, Ending>> + Send;

    fn queue(connection: &mut Connection, reply: &Self::Reply);

    /// It is done.
    fn ok(tag: &Self::Tag, words: &str) -> Self::Reply;

    /// It is a mistake.
    fn bad(tag: &Self::Tag, words: &str) -> Self::Reply;

    /// The exchange came to nothing.
    fn sasl_error(tag: &Self::Tag, error: SaslError) -> Self::Reply;

    fn challenge(challenge: String) -> Self::Reply;

    fn opened(tag: &Self::Tag, entered: &Entered) -> Self::Reply;

    fn refused(tag: &Self::Tag, because: Refusal, words: &str) -> Self::Reply;

    /// The last words; `is_trouble` if it passes by itself.
    fn farewell(words: &str, is_trouble: bool) -> Self::Reply;
}

/// Why a sign-in is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The credential is wrong, in whichever way.
    Wrong,
    /// Another session too many.
    Full,
    /// Trouble.
    Unavailable,
}

/// The part before sign-in.
pub(crate) struct Session<'a, D> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) connection: &'a mut Connection,
    number: u64,
    conduct: Conduct,
    without_tls: WithoutTls,
    pub(crate) sign_in_by: Instant,
    pub(crate) dialect: D,
}

/// One session, from its greeting to its end. What is queued at last leaves as the connection is closed.
pub(crate) async fn talk<D: Dialect>(gateway: &Gateway, connection: &mut Connection, ticket: &Ticket) {
    let number = gateway.next_session();
    let peer = connection.peer().ip().to_canonical();
    // Large, and over when bytes pass: it must not lie beside them for hours.
    let opened = Box::pin(converse::<D>(gateway, connection, number)).await;
    let (ending, may_speak, whose, (down, up)) = match opened {
        Err(ending) => (ending, true, None, (0, 0)),
        Ok(mut entered) => {
            ticket.mark_signed_in();
            let (ending, may_speak) =
                pump::pass(gateway, connection, &mut entered, D::Follower::default()).await;
            let n_passed = entered.entry.n_passed();
            (ending, may_speak, Some(entered.whose), n_passed)
        }
    };
    if let Some(words) = ending.words().filter(|_| may_speak) {
        D::queue(connection, &D::farewell(&words, ending.is_trouble()));
    }
    let whose = whose.as_ref();
    tracing::info!(
        session.id = number,
        account.address = whose.map(|it| it.address.masked()),
        account.name = whose.map(|it| it.account_name.as_str()),
        app_password.name = whose.map(|it| it.app_password_name.as_str()),
        peer = %peer,
        down,
        up,
        because = %ending,
        "{} session ended",
        D::NAME
    );
}

async fn converse<D: Dialect>(
    gateway: &Gateway,
    connection: &mut Connection,
    number: u64,
) -> Result<Entered, Ending> {
    let mut session = Session::<D>::new(gateway, connection, number);
    let opened = D::converse(&mut session).await;
    opened.map_err(|ending| session.ends_without_tls(ending))
}

impl<'a, D: Dialect> Session<'a, D> {
    fn new(gateway: &'a Gateway, connection: &'a mut Connection, number: u64) -> Self {
        let sign_in_by = Instant::now() + gateway.settings.spans.sign_in;
        let is_encrypted = connection.is_encrypted();
        let (dialect, without_tls) = (D::new(is_encrypted), WithoutTls::of(is_encrypted));
        Self { gateway, connection, number, conduct: Conduct::default(), without_tls, sign_in_by, dialect }
    }

    /// MP-2: nothing may stand behind the command, in our buffer or in the system's. What was said before counts for nothing.
    pub(crate) async fn start_tls(&mut self, tag: &D::Tag) -> Result<(), Ending> {
        if self.connection.is_encrypted() {
            return self.complain(&D::bad(tag, "TLS is on already")).await;
        }
        self.begins_tls();
        self.refuse_unasked_bytes()?;
        self.say(&D::ok(tag, "Begin TLS now"));
        self.flush().await?;
        let deadline = Instant::now() + self.gateway.settings.spans.handshake;
        let tls = &self.gateway.stands.tls;
        let started = self.connection.start_tls_server(tls, D::APPLICATION_PROTOCOLS, deadline);
        Box::pin(started).await.map_err(Ending::NoTls)?;
        self.dialect = D::new(true);
        Ok(())
    }

    pub(crate) fn refuse_unasked_bytes(&mut self) -> Result<(), Ending> {
        if self.connection.has_input_waiting() { Err(Ending::UnaskedBytes) } else { Ok(()) }
    }

    pub(crate) fn say(&mut self, reply: &D::Reply) {
        D::queue(self.connection, reply);
    }

    pub(crate) async fn flush(&mut self) -> Result<(), WriteError> {
        if self.connection.queued_bytes() > 0 {
            self.connection.flush(Instant::now() + WRITE_WITHIN).await?;
        }
        Ok(())
    }

    /// Much that was answered leaves before more is heard: a client that takes nothing gets no further (MP-4).
    pub(crate) async fn flush_much(&mut self) -> Result<(), WriteError> {
        if self.connection.queued_bytes() > MOST_QUEUED { self.flush().await } else { Ok(()) }
    }

    /// Answers a mistake; many cost time, and at last the session.
    pub(crate) async fn complain(&mut self, reply: &D::Reply) -> Result<(), Ending> {
        if self.conduct.mistaken()? {
            self.flush().await?;
            sleep(self.gateway.settings.spans.penalty).await;
        }
        self.say(reply);
        Ok(())
    }
}
