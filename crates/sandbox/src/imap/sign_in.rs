//! LOGIN and AUTHENTICATE.

use std::time::Duration;

use gatepost_core::SecretBytes;
use gatepost_net::LineEnd;
use gatepost_wire::imap::ServerResponse;
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, ServerExchange, ServerStep};
use tokio::time::Instant;

use super::reply;
use super::session::{Session, State};
use crate::fault::{Occasion, Phase, Protocol};
use crate::mailbox::Verdict;
use crate::oauth::Scope;
use crate::session::{Conversation as _, Ending, Step};

/// Wrong sign-ins in one session.
const MOST_MISSES: u32 = 3;

/// Octets of a line of the dialogue.
const LINE: usize = 12_286;

/// How long the next line of the dialogue may take.
const LINE_WITHIN: Duration = Duration::from_secs(300);

impl Session<'_> {
    /// Whether somebody may sign in now; else the client has been told.
    fn may_sign_in(&mut self, tag: &str) -> Step<bool> {
        if !self.connection.is_encrypted() {
            self.complain(&reply::tls_first(tag))?;
            return Ok(false);
        }
        if !matches!(self.state, State::NotAuthenticated) {
            self.complain(&reply::bad(tag, "Signed in already"))?;
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) async fn cmd_login(&mut self, tag: &str, credentials: Credentials) -> Step {
        if !self.may_sign_in(tag)? {
            return Ok(());
        }
        self.judge(tag, None, &credentials).await
    }

    pub(super) async fn cmd_authenticate(
        &mut self,
        tag: &str,
        mechanism: &str,
        initial: Option<SecretBytes>,
    ) -> Step {
        if !self.may_sign_in(tag)? {
            return Ok(());
        }
        let Some(mechanism) = Mechanism::from_name(mechanism) else {
            return self.complain(&reply::bad(tag, "Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER"));
        };
        match self.exchange(mechanism, initial).await? {
            Ok(credentials) => self.judge(tag, Some(mechanism), &credentials).await,
            Err(error) => self.complain(&ServerResponse::for_sasl(tag, error)),
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
                    let line = self.ask(&challenge).await?;
                    step = exchange.respond(&line);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    async fn ask(&mut self, challenge: &str) -> Step<gatepost_net::Line> {
        self.say(&ServerResponse::go_on(challenge));
        self.flush().await?;
        let deadline = Instant::now() + LINE_WITHIN;
        self.connection.read_line(LINE, LineEnd::Crlf, deadline).await.map_err(|_error| Ending::Said)
    }

    async fn judge(&mut self, tag: &str, mechanism: Option<Mechanism>, credentials: &Credentials) -> Step {
        let (claimed, verdict) = self.provider.check_credentials(credentials, Scope::MailReadImap).await;
        let account = claimed.as_ref();
        let sign_in = verdict.sign_in();
        let occasion =
            Occasion { door: Protocol::Imap, phase: Phase::Auth, account, recipient: None, sign_in };
        let other = self.suffer(&occasion).await?;
        if let Some(other) = other.as_ref().filter(|it| !it.is_imap_ok()) {
            let bytes = other.to_imap(tag, Some("AUTHENTICATIONFAILED"));
            return self.refuse(mechanism, &bytes).await;
        }
        match claimed.filter(|_| sign_in.is_some()) {
            Some(address) => {
                self.sign_in(address);
                let code = format!("CAPABILITY {}", reply::capabilities(true).to_words());
                match other {
                    Some(other) => self.connection.queue(&other.to_imap(tag, None)),
                    None => self.say(&reply::ok_with(tag, &code, "Signed in")),
                }
                Ok(())
            }
            None if verdict == Verdict::AppPasswordNeeded => {
                self.refuse(mechanism, reply::app_password_needed(tag).as_bytes()).await
            }
            None => self.refuse(mechanism, reply::refused(tag).as_bytes()).await,
        }
    }

    async fn refuse(&mut self, mechanism: Option<Mechanism>, bytes: &[u8]) -> Step {
        if let Some(challenge) = mechanism.and_then(ServerExchange::refusal) {
            // The client says one more line, whatever it is, and only then is refused.
            self.ask(&challenge).await?;
        }
        self.connection.queue(bytes);
        self.n_missed_sign_ins += 1;
        if self.n_missed_sign_ins >= MOST_MISSES {
            self.say(&reply::bye("Too many wrong sign-ins"));
            return Err(Ending::Said);
        }
        Ok(())
    }
}
