//! LOGIN and AUTHENTICATE.

use gatepost_core::{SecretBytes, SecretText};
use gatepost_net::{Line, LineEnd};
use gatepost_wire::imap::{SASL_LINE, ServerResponse};
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, Secret, ServerExchange, ServerStep};
use tokio::time::{Instant, sleep};

use super::{Dialogue, reply};
use crate::conduct::Ending;
use crate::enter::{Asking, Entered, NoEntry};

impl Dialogue<'_> {
    pub(super) async fn login(
        &mut self,
        tag: &str,
        user_name: String,
        password: SecretText,
    ) -> Result<Option<Entered>, Ending> {
        let credentials =
            Credentials { authorization_id: None, user_name, secret: Secret::Password(password) };
        self.judge(tag, None, &credentials).await
    }

    pub(super) async fn authenticate(
        &mut self,
        tag: &str,
        mechanism: &str,
        initial: Option<SecretBytes>,
    ) -> Result<Option<Entered>, Ending> {
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            let words = "Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER";
            self.complain(&reply::bad(tag, words)).await?;
            return Ok(None);
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(tag, Some(mechanism), &credentials).await,
            // AP-10: empty is as wrong as any other.
            Err(SaslError::Empty) => self.refuse(tag, Some(mechanism)).await.map(|()| None),
            Err(error) => self.complain(&ServerResponse::for_sasl(tag, error)).await.map(|()| None),
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
                    step = exchange.respond(&self.ask(&challenge).await?)
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    async fn ask(&mut self, challenge: &str) -> Result<Line, Ending> {
        if self.connection.has_input_waiting() {
            return Err(Ending::UnaskedBytes);
        }
        self.say(&ServerResponse::go_on(challenge));
        self.flush().await?;
        Ok(self.connection.read_line(SASL_LINE - 2, LineEnd::Crlf, self.sign_in_by).await?)
    }

    /// Opens the mailbox, or says why not; then there is time for another try.
    async fn judge(
        &mut self,
        tag: &str,
        mechanism: Option<Mechanism>,
        credentials: &Credentials,
    ) -> Result<Option<Entered>, Ending> {
        let asking = Asking {
            session: self.number,
            credentials,
            protocol: gatepost_accounts::ReadingProtocol::Imap,
            mechanism: mechanism.map_or("LOGIN", Mechanism::name),
            source: self.connection.peer().ip().to_canonical(),
            tls: self.connection.tls_version(),
        };
        let entered = self.gateway.enter(&asking).await;
        self.sign_in_by = Instant::now() + self.gateway.settings.spans.sign_in;
        match entered {
            Ok(entered) => {
                let capabilities = entered.capabilities.clone().of_what_passes();
                self.say(&reply::signed_in(tag, &capabilities, entered.address.as_str()));
                self.flush().await?;
                Ok(Some(entered))
            }
            Err(NoEntry::Wrong) => self.refuse(tag, mechanism).await.map(|()| None),
            Err(NoEntry::Full(words)) => {
                self.say(&reply::full(tag, &words));
                Ok(None)
            }
            Err(NoEntry::Unavailable(words)) => {
                self.say(&reply::unavailable(tag, &words));
                Ok(None)
            }
            Err(NoEntry::Over(ending)) => Err(ending),
        }
    }

    /// Whatever was wrong, the client hears the same words after the same time (AP-10).
    async fn refuse(&mut self, tag: &str, mechanism: Option<Mechanism>) -> Result<(), Ending> {
        sleep(self.gateway.settings.spans.penalty).await;
        if let Some(challenge) = mechanism.and_then(ServerExchange::refusal) {
            // RFC 7628 §3.2.3: the client answers with one line, and what is on it does not matter.
            drop(self.ask(&challenge).await?);
        }
        self.say(&reply::wrong(tag));
        self.conduct.signed_in_wrongly()
    }
}
