//! AUTH (RFC 4954).

use gatepost_core::SecretBytes;
use gatepost_identity::{Attempt, Protocol, RefusedBecause, SignInRefusal, SignedIn};
use gatepost_wire::sasl::{Credentials, Mechanism, SaslError, ServerExchange, ServerStep};
use gatepost_wire::smtp::ServerReply;
use tokio::time::sleep;

use crate::ChooseAccount;
use crate::reply;
use crate::session::{Ending, Session};
use crate::state::{Authenticated, Ready, State};

/// Why nobody has signed in.
enum NotSignedIn {
    /// The exchange came to nothing.
    Exchange(SaslError),
    /// It wants to act as somebody else (AP-8).
    Impersonation,
    /// Checked, and not let in.
    Refused(SignInRefusal),
}

impl Ready {
    /// Nothing happens on the client's behalf before its credential has been verified (AP-9).
    pub(crate) async fn cmd_auth<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        mechanism: String,
        initial: Option<SecretBytes>,
    ) -> Result<State, Ending> {
        session.refuse_unasked_bytes()?;
        let Some(mechanism) = Mechanism::from_name(&mechanism) else {
            session.answer(reply::unknown_mechanism()).await?;
            return Ok(self.into());
        };
        let who = match exchange(session, mechanism, initial).await? {
            Ok(credentials) => verify(session, &credentials).await,
            Err(error) => Err(NotSignedIn::Exchange(error)),
        };
        match who {
            Ok(who) => Ok(self.sign_in(session, mechanism, who)),
            Err(why) => self.refuse(session, mechanism, why).await,
        }
    }

    fn sign_in<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        mechanism: Mechanism,
        who: SignedIn,
    ) -> State {
        let live = session.server.stands.watch.register(&who);
        session.has_signed_in();
        session.reply(&reply::signed_in());
        tracing::info!(
            session.id = session.number,
            login.id = %who.login,
            app_password.id = %who.app_password,
            peer = %session.peer(),
            mechanism = mechanism.name(),
            tls = session.connection.tls_description(),
            "signed in"
        );
        Box::new(Authenticated { client: self.client, who, live }).into()
    }

    async fn refuse<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        mechanism: Mechanism,
        why: NotSignedIn,
    ) -> Result<State, Ending> {
        let (said, reason) = match why {
            NotSignedIn::Refused(SignInRefusal::Slowed { retry_after }) => {
                (reply::sign_in_slowed(retry_after), "too many wrong tries from there")
            }
            NotSignedIn::Refused(SignInRefusal::Unavailable) => {
                (reply::sign_in_unavailable(), "nobody can say right now")
            }
            NotSignedIn::Exchange(error) if error != SaslError::Empty => {
                session.answer(error.reply()).await?;
                return Ok(self.into());
            }
            NotSignedIn::Exchange(_) => return self.refuse_credential(session, mechanism, "empty").await,
            NotSignedIn::Impersonation => {
                return self.refuse_credential(session, mechanism, "wants to act as somebody else").await;
            }
            NotSignedIn::Refused(SignInRefusal::Refused { why }) => {
                return self.refuse_credential(session, mechanism, reason(why)).await;
            }
        };
        tracing::info!(session.id = session.number, peer = %session.peer(), because = reason, "sign-in put off");
        session.reply(&said);
        Ok(self.into())
    }

    /// Whatever was wrong, the client sees the same words after the same time (AP-10); only the log tells.
    async fn refuse_credential<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        mechanism: Mechanism,
        because: &'static str,
    ) -> Result<State, Ending> {
        tracing::info!(session.id = session.number, peer = %session.peer(), because, "sign-in refused");
        sleep(session.server.settings.spans.penalty).await;
        if let Some(challenge) = ServerExchange::refusal(mechanism) {
            session.reply(&ServerReply::plain(334, challenge));
            // RFC 7628 §3.2.3: the client answers with one line, and what is on it does not matter.
            drop(session.hear_response().await?);
        }
        session.reply(&reply::sign_in_refused());
        session.conduct.signed_in_wrongly()?;
        Ok(self.into())
    }
}

/// For the log, where names of logins do not belong: somebody may have typed the password there.
const fn reason(why: RefusedBecause) -> &'static str {
    match why {
        RefusedBecause::UnknownUserName => "unknown user name",
        RefusedBecause::WrongPassword => "wrong password",
        RefusedBecause::Removed => "the app password was removed",
        RefusedBecause::LoginDisabled => "the login is disabled",
        RefusedBecause::PersonDisabled => "the person is disabled",
        RefusedBecause::Expired => "the app password has expired",
        RefusedBecause::Protocol => "the app password is not for sending",
        RefusedBecause::Network => "the app password is not for this network",
    }
}

/// Carries lines until the mechanism has heard all it needs.
async fn exchange<C: ChooseAccount>(
    session: &mut Session<'_, C>,
    mechanism: Mechanism,
    initial: Option<SecretBytes>,
) -> Result<Result<Credentials, SaslError>, Ending> {
    let mut step = ServerExchange::start(mechanism, initial);
    loop {
        match step {
            Err(error) => return Ok(Err(error)),
            Ok(ServerStep::Done(credentials)) => return Ok(Ok(credentials)),
            Ok(ServerStep::Challenge(challenge, waiting)) => {
                session.reply(&ServerReply::plain(334, challenge));
                let line = session.hear_response().await?;
                session.refuse_unasked_bytes()?;
                step = waiting.respond(&line);
            }
        }
    }
}

async fn verify<C: ChooseAccount>(
    session: &Session<'_, C>,
    credentials: &Credentials,
) -> Result<SignedIn, NotSignedIn> {
    let name = credentials.user_name.trim().to_lowercase();
    if credentials.authorization_id.as_ref().is_some_and(|it| it.trim().to_lowercase() != name) {
        return Err(NotSignedIn::Impersonation);
    }
    let attempt = Attempt {
        user_name: &credentials.user_name,
        password: credentials.secret.text(),
        protocol: Protocol::Smtp,
        source: session.peer(),
    };
    session.server.stands.sign_ins.verify(attempt).await.map_err(NotSignedIn::Refused)
}
