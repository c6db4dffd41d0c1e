//! AUTH (RFC 4954).

use gatepost_core::SecretBytes;
use gatepost_wire::sasl::{Credentials, Mechanism, ServerExchange, ServerStep};
use gatepost_wire::smtp::ServerReply;

use super::reply;
use super::session::Session;
use super::state::State;
use crate::fault::{Occasion, Phase, Protocol};
use crate::mailbox::Verdict;
use crate::oauth::Scope;
use crate::session::{Conversation as _, Ending, Step};

/// Wrong sign-ins in one session.
const MOST_MISSES: u32 = 3;

impl Session<'_> {
    pub(super) async fn cmd_auth(&mut self, mechanism: &str, initial: Option<SecretBytes>) -> Step {
        match &self.state {
            _ if !self.connection.is_encrypted() => return self.complain(reply::encryption_required()),
            State::Greeted => return self.complain(reply::hello_first()),
            State::Ready { .. } => {}
            State::SignedIn { .. } | State::InTransaction { .. } => {
                return self.complain(reply::signed_in_already());
            }
        }
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            return self.complain(reply::unknown_mechanism());
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(mechanism, &credentials).await,
            Err(refusal) => self.complain(refusal),
        }
    }

    /// The dialogue of the mechanism.
    async fn exchange(
        &mut self,
        mechanism: Mechanism,
        initial: Option<SecretBytes>,
    ) -> Step<Result<Credentials, ServerReply>> {
        let mut step = ServerExchange::start(mechanism, initial);
        loop {
            match step {
                Ok(ServerStep::Done(credentials)) => return Ok(Ok(credentials)),
                Ok(ServerStep::Challenge(challenge, exchange)) => {
                    self.say(ServerReply::plain(334, challenge));
                    let line = self.read_line().await?;
                    step = exchange.respond(&line);
                }
                Err(error) => return Ok(Err(error.reply())),
            }
        }
    }

    async fn judge(&mut self, mechanism: Mechanism, credentials: &Credentials) -> Step {
        let (claimed, verdict) = self.provider.check_credentials(credentials, Scope::MailSend).await;
        let sign_in = verdict.sign_in();
        let occasion = Occasion {
            door: Protocol::Smtp,
            phase: Phase::Auth,
            account: claimed.as_ref(),
            recipient: None,
            sign_in,
        };
        let other = self.suffer(&occasion).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 235) {
            return self.refuse(mechanism, &other.bytes).await;
        }
        match claimed.filter(|_| sign_in.is_some()) {
            Some(address) => {
                self.state.sign_in(self.provider, address, self.ends.clone());
                self.say_or(other, reply::signed_in());
                Ok(())
            }
            None if verdict == Verdict::AppPasswordNeeded => {
                self.refuse(mechanism, &reply::app_password_needed().to_bytes()).await
            }
            None => self.refuse(mechanism, &reply::refused().to_bytes()).await,
        }
    }

    async fn refuse(&mut self, mechanism: Mechanism, bytes: &[u8]) -> Step {
        if let Some(challenge) = ServerExchange::refusal(mechanism) {
            // The client says one more line, whatever it is, and only then is refused.
            self.say(ServerReply::plain(334, challenge));
            self.read_line().await?;
        }
        self.connection.queue(bytes);
        self.n_missed_sign_ins += 1;
        if self.n_missed_sign_ins >= MOST_MISSES {
            self.say(reply::too_many_misses());
            return Err(Ending::Said);
        }
        Ok(())
    }
}
