//! AUTH (RFC 4954).

use std::time::Duration;

use gatepost_core::SecretBytes;
use gatepost_identity::{Attempt, Protocol, SignInRefusal, SignedIn};
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
    /// The credential is wrong, in whichever way.
    Wrong,
    /// Too many wrong ones came from there.
    Slowed(Duration),
    /// Nobody can say right now.
    Unavailable,
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
            Ok(credentials) => verify(session, mechanism, &credentials).await,
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
            user_name = gatepost_identity::masked(&who.user_name),
            app_password.name = who.app_password_name,
            login.id = %who.login,
            app_password.id = %who.app_password,
            peer = %session.peer(),
            mechanism = mechanism.name(),
            tls = session.connection.tls_description(),
            "signed in to send"
        );
        Box::new(Authenticated { client: self.client, who, live }).into()
    }

    async fn refuse<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        mechanism: Mechanism,
        why: NotSignedIn,
    ) -> Result<State, Ending> {
        match why {
            NotSignedIn::Exchange(SaslError::Empty) | NotSignedIn::Wrong => {
                refuse_credential(session, mechanism).await?;
            }
            NotSignedIn::Exchange(error) => session.answer(error.reply()).await?,
            NotSignedIn::Slowed(retry_after) => {
                // As wrong as the others, or a program in a loop would be answered thousands of times a second.
                sleep(session.server.settings.spans.penalty).await;
                session.reply(&reply::sign_in_slowed(retry_after));
                session.conduct.signed_in_wrongly()?;
            }
            NotSignedIn::Unavailable => session.reply(&reply::sign_in_unavailable()),
        }
        Ok(self.into())
    }
}

/// Whatever was wrong, the client hears the same words after the same time (AP-10); only the log tells.
async fn refuse_credential<C: ChooseAccount>(
    session: &mut Session<'_, C>,
    mechanism: Mechanism,
) -> Result<(), Ending> {
    sleep(session.server.settings.spans.penalty).await;
    if let Some(challenge) = ServerExchange::refusal(mechanism) {
        session.reply(&ServerReply::plain(334, challenge));
        // RFC 7628 §3.2.3: the client answers with one line, and what is on it does not matter.
        drop(session.hear_response().await?);
    }
    session.reply(&reply::sign_in_refused());
    session.conduct.signed_in_wrongly()
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

/// Asks identity, and tells the log what the client is not told.
async fn verify<C: ChooseAccount>(
    session: &Session<'_, C>,
    mechanism: Mechanism,
    credentials: &Credentials,
) -> Result<SignedIn, NotSignedIn> {
    let (why, because) = match check(session, mechanism, credentials).await {
        Ok(who) => return Ok(who),
        Err(None) => (NotSignedIn::Wrong, "it wants to act as somebody else".to_owned()),
        Err(Some(SignInRefusal::Refused { why })) => (NotSignedIn::Wrong, why.to_string()),
        Err(Some(SignInRefusal::Slowed { retry_after })) => {
            (NotSignedIn::Slowed(retry_after), "too many wrong ones came from there".to_owned())
        }
        Err(Some(SignInRefusal::Unavailable)) => {
            (NotSignedIn::Unavailable, "nobody can say right now".to_owned())
        }
    };
    tracing::info!(
        session.id = session.number,
        protocol = "SMTP",
        peer = %session.peer(),
        user_name = gatepost_identity::masked(&credentials.user_name),
        because,
        "sign-in refused"
    );
    Err(why)
}

/// `None` for somebody who wants to act as somebody else: the mailbox is chosen by the grant, and not by the client (AP-8).
async fn check<C: ChooseAccount>(
    session: &Session<'_, C>,
    mechanism: Mechanism,
    credentials: &Credentials,
) -> Result<SignedIn, Option<SignInRefusal>> {
    let name = credentials.user_name.trim().to_lowercase();
    if credentials.authorization_id.as_ref().is_some_and(|it| it.trim().to_lowercase() != name) {
        return Err(None);
    }
    let attempt = Attempt {
        user_name: &credentials.user_name,
        password: credentials.secret.text(),
        protocol: Protocol::Smtp,
        source: session.peer(),
        tls: session.connection.tls_version(),
        mechanism: Some(mechanism.name()),
    };
    session.server.stands.sign_ins.verify(attempt).await.map_err(Some)
}
