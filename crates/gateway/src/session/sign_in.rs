//! Signing in, by SASL or by a password alone.

use gatepost_core::{SecretBytes, SecretText};
use gatepost_net::{Line, LineEnd};
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, Secret, ServerExchange, ServerStep};
use tokio::time::{Instant, sleep};

use super::{Dialect, Refusal, Session};
use crate::conduct::Ending;
use crate::enter::{Asking, Entered, NoEntry};

impl<D: Dialect> Session<'_, D> {
    /// LOGIN of IMAP, USER and PASS of POP3.
    pub(crate) async fn sign_in(
        &mut self,
        tag: &D::Tag,
        user_name: String,
        password: SecretText,
    ) -> Result<Option<Entered>, Ending> {
        let credentials =
            Credentials { authorization_id: None, user_name, secret: Secret::Password(password) };
        self.judge(tag, None, &credentials).await
    }

    /// AUTHENTICATE of IMAP, AUTH of POP3.
    pub(crate) async fn authenticate(
        &mut self,
        tag: &D::Tag,
        mechanism: &str,
        initial: Option<SecretBytes>,
    ) -> Result<Option<Entered>, Ending> {
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            let words = "Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER";
            return self.complain(&D::bad(tag, words)).await.map(|()| None);
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(tag, Some(mechanism), &credentials).await,
            // AP-10: empty is as wrong as any other.
            Err(SaslError::Empty) => self.refuse(tag, Some(mechanism)).await.map(|()| None),
            Err(error) => self.complain(&D::sasl_error(tag, error)).await.map(|()| None),
        }
    }

    async fn exchange(
        &mut self,
        mechanism: Mechanism,
        initial: Option<SecretBytes>,
    ) -> Result<Result<Credentials, SaslError>, Ending> {
        let mut step = ServerExchange::start(mechanism, initial);
        loop {
            match step {
                Ok(ServerStep::Done(credentials)) => return Ok(Ok(credentials)),
                Ok(ServerStep::Challenge(challenge, exchange)) => {
                    step = exchange.respond(&self.ask(challenge).await?)
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    async fn ask(&mut self, challenge: String) -> Result<Line, Ending> {
        self.refuse_unasked_bytes()?;
        self.say(&D::challenge(challenge));
        self.flush().await?;
        Ok(self.connection.read_line(D::SASL_LINE - 2, LineEnd::Crlf, self.sign_in_by).await?)
    }

    /// Opens the mailbox, or says why not; then there is time for another try.
    async fn judge(
        &mut self,
        tag: &D::Tag,
        mechanism: Option<Mechanism>,
        credentials: &Credentials,
    ) -> Result<Option<Entered>, Ending> {
        let asking = Asking {
            session: self.number,
            credentials,
            protocol: D::PROTOCOL,
            mechanism: mechanism.map_or(D::PASSWORD_COMMAND, Mechanism::name),
            source: self.connection.peer().ip().to_canonical(),
            tls: self.connection.tls_version(),
        };
        let entered = self.gateway.enter(&asking).await;
        self.sign_in_by = Instant::now() + self.gateway.settings.spans.sign_in;
        let (because, words) = match entered {
            Ok(entered) => {
                self.say(&D::opened(tag, &entered));
                self.flush().await?;
                return Ok(Some(entered));
            }
            Err(NoEntry::Wrong) => return self.refuse(tag, mechanism).await.map(|()| None),
            Err(NoEntry::Slowed(words)) => {
                // As wrong as the others, or a program in a loop would be answered thousands of times a second.
                sleep(self.gateway.settings.spans.penalty).await;
                self.say(&D::refused(tag, Refusal::Unavailable, &words));
                return self.conduct.signed_in_wrongly().map(|()| None);
            }
            Err(NoEntry::Full(words)) => (Refusal::Full, words),
            Err(NoEntry::Unavailable(words)) => (Refusal::Unavailable, words),
            Err(NoEntry::Over(ending)) => return Err(ending),
        };
        self.complain(&D::refused(tag, because, &words)).await.map(|()| None)
    }

    /// Whatever was wrong, the client hears the same words after the same time (AP-10).
    async fn refuse(&mut self, tag: &D::Tag, mechanism: Option<Mechanism>) -> Result<(), Ending> {
        sleep(self.gateway.settings.spans.penalty).await;
        if let Some(challenge) = mechanism.and_then(ServerExchange::refusal) {
            // RFC 7628 §3.2.3: the client answers with one line, and what is on it does not matter.
            drop(self.ask(challenge).await?);
        }
        let words = "Sign-in refused: check user name and app password";
        self.say(&D::refused(tag, Refusal::Wrong, words));
        self.conduct.signed_in_wrongly()
    }
}
