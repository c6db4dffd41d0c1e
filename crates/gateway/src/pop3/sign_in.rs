//! USER and PASS, and AUTH (RFC 5034).

use gatepost_accounts::ReadingProtocol;
use gatepost_core::{SecretBytes, SecretText};
use gatepost_net::{Line, LineEnd};
use gatepost_wire::pop3::{AUTH_LINE, ServerReply};
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, Secret, ServerExchange, ServerStep};
use tokio::time::{Instant, sleep};

use super::{Dialogue, reply};
use crate::conduct::Ending;
use crate::enter::{Asking, Entered, NoEntry};

impl Dialogue<'_> {
    pub(super) async fn pass(&mut self, password: SecretText) -> Result<Option<Entered>, Ending> {
        let Some(user_name) = self.user.take() else {
            return self.complain(&ServerReply::error("Say USER first")).await.map(|()| None);
        };
        let credentials =
            Credentials { authorization_id: None, user_name, secret: Secret::Password(password) };
        self.judge(None, &credentials).await
    }

    pub(super) async fn auth(
        &mut self,
        mechanism: &str,
        initial: Option<SecretBytes>,
    ) -> Result<Option<Entered>, Ending> {
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            let words = "Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER";
            return self.complain(&ServerReply::error(words)).await.map(|()| None);
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(Some(mechanism), &credentials).await,
            // AP-10: empty is as wrong as any other.
            Err(SaslError::Empty) => self.refuse(Some(mechanism)).await.map(|()| None),
            Err(error) => self.complain(&ServerReply::for_sasl(error)).await.map(|()| None),
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
        if self.connection.has_input_waiting() {
            return Err(Ending::UnaskedBytes);
        }
        self.say(&ServerReply::challenge(challenge));
        self.flush().await?;
        Ok(self.connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, self.sign_in_by).await?)
    }

    /// Opens the mailbox, or says why not; then there is time for another try.
    async fn judge(
        &mut self,
        mechanism: Option<Mechanism>,
        credentials: &Credentials,
    ) -> Result<Option<Entered>, Ending> {
        let asking = Asking {
            session: self.number,
            credentials,
            protocol: ReadingProtocol::Pop3,
            mechanism: mechanism.map_or("USER", Mechanism::name),
            source: self.connection.peer().ip().to_canonical(),
            tls: self.connection.tls_version(),
        };
        let entered = self.gateway.enter(&asking).await;
        self.sign_in_by = Instant::now() + self.gateway.settings.spans.sign_in;
        let refusal = match entered {
            Ok(entered) => {
                self.say(&ServerReply::ok(format!("{} is open", entered.address)));
                self.flush().await?;
                return Ok(Some(entered));
            }
            Err(NoEntry::Wrong) => return self.refuse(mechanism).await.map(|()| None),
            Err(NoEntry::Full(words)) => reply::full(words),
            Err(NoEntry::Unavailable(words)) => reply::unavailable(words),
            Err(NoEntry::Over(ending)) => return Err(ending),
        };
        self.say(&refusal);
        Ok(None)
    }

    /// Whatever was wrong, the client hears the same words after the same time (AP-10).
    async fn refuse(&mut self, mechanism: Option<Mechanism>) -> Result<(), Ending> {
        sleep(self.gateway.settings.spans.penalty).await;
        if let Some(challenge) = mechanism.and_then(ServerExchange::refusal) {
            // RFC 7628 §3.2.3: the client answers with one line, and what is on it does not matter.
            drop(self.ask(challenge).await?);
        }
        self.say(&reply::wrong());
        self.conduct.signed_in_wrongly()
    }
}
