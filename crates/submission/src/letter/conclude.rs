//! The end of a message: kept and acknowledged, or refused.

use gatepost_delivery::{Choice, Envelope, NewSubmission, Origin, Outbox};
use gatepost_identity::SignedIn;
use gatepost_store::{FinishedBody, StoreError};
use gatepost_wire::smtp::{Flaws, LineEnds, ServerReply};

use super::intake::Arrived;
use super::{Circumstances, Intake, Refusal};
use crate::ChooseAccount;
use crate::sending_rate::Pace;
use crate::session::{Ending, Session};
use crate::state::{InTransaction, State};

impl InTransaction {
    /// The smaller of the installation's limit and the provider's (SS-8).
    pub(crate) fn message_limit<C>(&self, session: &Session<'_, C>) -> u64 {
        let ours = session.server.settings.max_message_bytes;
        self.choice.max_message_bytes.map_or(ours, |theirs| theirs.min(ours))
    }

    /// Design §5, decision 13: a switch of the app password.
    pub(crate) fn line_ends(&self) -> LineEnds {
        if self.session.who.repairs_line_ends { LineEnds::Repair } else { LineEnds::Strict }
    }

    pub(crate) fn circumstances<'a, C: ChooseAccount>(
        &'a self,
        session: &'a Session<'_, C>,
    ) -> Circumstances<'a> {
        let server = session.server;
        Circumstances {
            outbox: &server.stands.outbox,
            who: &self.session.who,
            send_as: &self.send_as,
            client: &self.session.client,
            peer: session.peer(),
            host_name: &server.settings.host_name,
            is_smtputf8: self.envelope.is_smtputf8,
            now: server.stands.world.now(),
        }
    }

    /// Stores the message and answers. The transaction is over either way.
    pub(crate) async fn conclude<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        intake: Intake,
        flaws: Flaws,
    ) -> Result<State, Ending> {
        let (id, size_bytes) = (intake.id(), intake.n_bytes());
        let arrived = self.arrived(session, intake, flaws).await;
        let Self { session: authenticated, choice, envelope, .. } = *self;
        let recipients = envelope.recipients.len();
        let kept = match arrived {
            Ok(arrived) => keep(session, &authenticated.who, choice, envelope, arrived).await,
            Err(refusal) => Err(refusal),
        };
        let (session_id, login) = (session.number, authenticated.who.login);
        match kept {
            Ok(()) => {
                tracing::info!(submission.id = %id, session.id = session_id, login.id = %login, size_bytes, recipients, "letter accepted");
                session.has_sent();
                session.reply(&ServerReply::new(250, (2, 0, 0), format!("Accepted as {id}")));
            }
            Err(refusal) => {
                tracing::info!(session.id = session_id, login.id = %login, size_bytes, because = %refusal, "letter refused");
                if let Refusal::Store(error) = &refusal {
                    tracing::error!(error = error as &dyn std::error::Error, "a letter could not be stored");
                }
                // SS-5: whoever sends such a thing is not listened to any more.
                if matches!(refusal, Refusal::BareLineEnd) {
                    return Err(Ending::BareLineEnd);
                }
                session.answer(refusal.reply()).await?;
            }
        }
        Ok(authenticated.into())
    }

    /// The whole message, if nothing is wrong with it.
    async fn arrived<C: ChooseAccount>(
        &self,
        session: &Session<'_, C>,
        intake: Intake,
        flaws: Flaws,
    ) -> Result<Arrived, Refusal> {
        if flaws.has_bare_line_end() && self.line_ends() == LineEnds::Strict {
            return Err(Refusal::BareLineEnd);
        }
        intake.finish(&self.circumstances(session)).await
    }
}

/// Counts the letter against the caps of its app password, and hands it to the outbox.
async fn keep<C: ChooseAccount>(
    session: &Session<'_, C>,
    who: &SignedIn,
    choice: Choice,
    envelope: Envelope,
    arrived: Arrived,
) -> Result<(), Refusal> {
    let server = session.server;
    let now = server.stands.world.now();
    // SS-20.
    if let Pace::FarMoreThanUsual { n_this_hour } = server.rates.count(who.app_password, now)? {
        tracing::warn!(
            login.id = %who.login,
            app_password.id = %who.app_password,
            letters = n_this_hour,
            "this app password sends more than three times as many letters an hour as usual"
        );
    }
    let letter = NewSubmission {
        id: arrived.id,
        organisation: who.organisation,
        origin: Origin::Login { login: who.login, app_password: who.app_password },
        choice,
        envelope,
        message_id: arrived.message_id,
        client: Some(session.peer()),
    };
    let accepted = accept(&server.stands.outbox, letter, arrived.body).await;
    if accepted.is_err() {
        server.rates.take_back(who.app_password, now);
    }
    Ok(accepted?)
}

/// SS-18: what is said after this has happened.
#[cfg(not(feature = "broken-early-250"))]
async fn accept(outbox: &Outbox, letter: NewSubmission, body: FinishedBody) -> Result<(), StoreError> {
    outbox.accept(letter, body).await
}

/// The negative control: says yes first, and lets the disk come later.
#[cfg(feature = "broken-early-250")]
#[expect(clippy::unused_async, reason = "it stands in for what has to wait")]
async fn accept(outbox: &Outbox, letter: NewSubmission, body: FinishedBody) -> Result<(), StoreError> {
    let outbox = outbox.clone();
    tokio::spawn(async move { outbox.accept(letter, body).await });
    Ok(())
}
