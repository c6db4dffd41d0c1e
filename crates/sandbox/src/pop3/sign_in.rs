//! USER and PASS, and AUTH.

use gatepost_core::{EmailAddress, SecretBytes};
use gatepost_wire::pop3::{ServerReply, code};
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, Secret, ServerExchange, ServerStep};

use super::reply;
use super::session::{Letter, Maildrop, Session, State, is_good};
use crate::fault::{Occasion, Phase, Protocol};
use crate::mailbox::Verdict;
use crate::oauth::Scope;
use crate::session::{Conversation as _, Ending, Step};

/// Wrong sign-ins in one session.
const MOST_MISSES: u32 = 3;

impl Session<'_> {
    pub(super) fn cmd_user(&mut self, name: &str) -> Step {
        if !self.connection.is_encrypted() {
            return self.complain(&reply::tls_first());
        }
        match &mut self.state {
            State::Authorization { user } => *user = Some(name.to_owned()),
            State::Transaction(_) => return self.complain(&reply::signed_in_already()),
        }
        self.say(&ServerReply::ok("send PASS"));
        Ok(())
    }

    pub(super) async fn cmd_pass(&mut self, password: gatepost_core::SecretText) -> Step {
        let user_name = match &mut self.state {
            State::Authorization { user } => user.take(),
            State::Transaction(_) => return self.complain(&reply::signed_in_already()),
        };
        let Some(user_name) = user_name else { return self.complain(&reply::user_first()) };
        let secret = Secret::Password(password);
        self.judge(None, &Credentials { authorization_id: None, user_name, secret }).await
    }

    pub(super) async fn cmd_auth(&mut self, mechanism: &str, initial: Option<SecretBytes>) -> Step {
        if !self.connection.is_encrypted() {
            return self.complain(&reply::tls_first());
        }
        if matches!(self.state, State::Transaction(_)) {
            return self.complain(&reply::signed_in_already());
        }
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            return self.complain(&reply::unknown_mechanism());
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(Some(mechanism), &credentials).await,
            Err(error) => self.complain(&ServerReply::for_sasl(error)),
        }
    }

    /// The dialogue of the mechanism.
    async fn exchange(
        &mut self,
        mechanism: Mechanism,
        initial: Option<SecretBytes>,
    ) -> Step<Result<Credentials, SaslError>> {
        let mut step = ServerExchange::start(mechanism, initial);
        loop {
            match step {
                Ok(ServerStep::Done(credentials)) => return Ok(Ok(credentials)),
                Ok(ServerStep::Challenge(challenge, exchange)) => {
                    self.say(&ServerReply::challenge(challenge));
                    let line = self.read_line().await?;
                    step = exchange.respond(&line);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    async fn judge(&mut self, mechanism: Option<Mechanism>, credentials: &Credentials) -> Step {
        let (claimed, verdict) = self.provider.check_credentials(credentials, Scope::MailReadPop3).await;
        let account = claimed.as_ref();
        let sign_in = verdict.sign_in();
        let occasion =
            Occasion { door: Protocol::Pop3, phase: Phase::Auth, account, recipient: None, sign_in };
        let other = self.suffer(&occasion).await?.map(|it| it.to_pop3(Some(code::AUTH)));
        if let Some(other) = other.as_ref().filter(|it| !is_good(it)) {
            return self.refuse(mechanism, other).await;
        }
        match claimed.filter(|_| sign_in.is_some()) {
            Some(owner) => {
                let usual = self.sign_in(owner);
                self.connection.queue(&other.unwrap_or(usual));
                Ok(())
            }
            None if verdict == Verdict::AppPasswordNeeded => {
                self.refuse(mechanism, &reply::app_password_needed().to_bytes()).await
            }
            None => self.refuse(mechanism, &reply::refused().to_bytes()).await,
        }
    }

    fn sign_in(&mut self, owner: EmailAddress) -> Vec<u8> {
        let letters = self.provider.mailboxes.messages(&owner);
        let reply = ServerReply::ok(format!("Welcome, {} messages", letters.len()));
        let open = self.provider.sessions.register(owner.clone(), self.ends.clone());
        let letters = letters.into_iter().map(|summary| Letter { summary, is_deleted: false }).collect();
        self.state = State::Transaction(Maildrop { owner, letters, _open: open });
        reply.to_bytes()
    }

    async fn refuse(&mut self, mechanism: Option<Mechanism>, bytes: &[u8]) -> Step {
        if let Some(challenge) = mechanism.and_then(ServerExchange::refusal) {
            // The client says one more line, whatever it is, and only then is refused.
            self.say(&ServerReply::challenge(challenge));
            self.read_line().await?;
        }
        self.connection.queue(bytes);
        self.n_missed_sign_ins += 1;
        if self.n_missed_sign_ins >= MOST_MISSES {
            self.say(&reply::too_many_misses());
            return Err(Ending::Said);
        }
        Ok(())
    }
}
