//! What keeps people in, and what ends it.

mod begin;
mod find;
mod renew;
mod sweep;

use gatepost_core::{OrganisationId, PersonId, SessionId};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{StoreError, params};
use serde_json::json;

pub(crate) use begin::{Entering, Shown, begin_session, seen_as, tell_of_misses};
pub(in crate::people) use find::is_within;
pub(crate) use renew::{Renewal, raise_epoch, renew};

use super::password::By;
use crate::{NewSession, People, Person, PersonRefusal, Proof, SecondStep, Session, Visitor, sql};

impl People {
    /// Proof again (ID-25). The session continues under a new id and token. A password is proof where two-step verification is off;
    /// where it is on, it is one factor for a lasting session that needs one.
    pub async fn confirm(
        &self,
        session: &Session,
        proof: &Proof,
        visitor: &Visitor,
    ) -> Result<NewSession, PersonRefusal> {
        let person = &session.person;
        let (is_proof, factor, right_password, n_misses) = match proof {
            Proof::Password(password) => {
                let right = self
                    .check_password(person.address.as_str(), password, By::Device(session.device), visitor)
                    .await?;
                (person.two_step_at.is_none(), "password", Some(right), 0)
            }
            Proof::SecondStep(shown) => {
                let right = self.check_second_step(person, shown, visitor, session.device).await?;
                (true, factor_word(shown), None, right.n_misses)
            }
        };
        let renewal = Renewal { shows_factor: true, is_proof, ..Renewal::default() };
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let (session, visitor) = (session.clone(), visitor.clone());
        let renewed = self.write(move |tx| {
            if let Some(right) = &right_password {
                right.settle(tx, &keyring, &world, &visitor)?;
            }
            begin::tell_of_misses(tx, &world, &session.person, n_misses, &visitor)?;
            let Some(renewed) = renew(tx, keyring.tokens(), &world, &session, renewal)? else {
                return Ok(None);
            };
            gatepost_journal::append(
                tx,
                &world,
                &Entry {
                    organisation: session.organisation(),
                    actor: Actor::Person(session.person.id),
                    action: "session.confirmed",
                    subject: "session",
                    subject_id: Some(renewed.session.id.uuid()),
                    details: json!({ "factor": factor, "source": visitor.source.to_string() }),
                },
            )?;
            Ok::<_, StoreError>(Some(renewed))
        });
        renewed.await?.ok_or(PersonRefusal::Over)
    }

    /// "Stay signed in": yes. The session continues for up to 30 days under a new id and token.
    pub async fn stay_signed_in(&self, session: &Session) -> Result<NewSession, PersonRefusal> {
        let may = crate::Policy::of(session.person.role).may_stay_signed_in;
        self.renewed(session, Renewal { becomes_lasting: may, ..Renewal::default() }, "session.made_lasting")
            .await
    }

    /// Ends this session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        self.end(session, session.id, "session.ended").await.map(drop)
    }

    /// Ends another session of the same person. Unknown ones: `false`.
    pub async fn end_session(&self, session: &Session, other: SessionId) -> Result<bool, StoreError> {
        self.end(session, other, "session.ended").await
    }

    /// Signs out everywhere and forgets all trusted devices; this session continues anew.
    pub async fn sign_out_everywhere(
        &self,
        session: &Session,
        visitor: &Visitor,
    ) -> Result<NewSession, PersonRefusal> {
        let _ = visitor;
        let renewal = Renewal { raises_epoch: true, ..Renewal::default() };
        self.renewed(session, renewal, "person.signed_out_everywhere").await
    }

    /// The person of a session as the database has them now.
    pub async fn person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
    ) -> Result<Option<Person>, StoreError> {
        let row = self.read(move |tx| tx.row(&sql::FIND_PERSON_BY_ID, params![organisation, id])).await?;
        row.map(Person::try_from).transpose()
    }

    async fn renewed(
        &self,
        session: &Session,
        renewal: Renewal,
        action: &'static str,
    ) -> Result<NewSession, PersonRefusal> {
        let (world, tokens) = (self.identity().world().clone(), self.tokens().clone());
        let session = session.clone();
        let renewed = self.write(move |tx| {
            let Some(renewed) = renew(tx, &tokens, &world, &session, renewal)? else { return Ok(None) };
            gatepost_journal::append(
                tx,
                &world,
                &Entry {
                    organisation: session.organisation(),
                    actor: Actor::Person(session.person.id),
                    action,
                    subject: "session",
                    subject_id: Some(renewed.session.id.uuid()),
                    details: json!({}),
                },
            )?;
            Ok::<_, StoreError>(Some(renewed))
        });
        renewed.await?.ok_or(PersonRefusal::Over)
    }

    async fn end(
        &self,
        session: &Session,
        which: SessionId,
        action: &'static str,
    ) -> Result<bool, StoreError> {
        let world = self.identity().world().clone();
        let (organisation, person, now) = (session.organisation(), session.person.id, world.now());
        self.write(move |tx| {
            let is_there = tx.execute(&sql::END_SESSION, params![organisation, person, which, now])? == 1;
            if is_there {
                gatepost_journal::append(
                    tx,
                    &world,
                    &Entry {
                        organisation,
                        actor: Actor::Person(person),
                        action,
                        subject: "session",
                        subject_id: Some(which.uuid()),
                        details: json!({}),
                    },
                )?;
            }
            Ok(is_there)
        })
        .await
    }
}

/// What the journal calls a second step.
pub(crate) const fn factor_word(shown: &SecondStep) -> &'static str {
    match shown {
        SecondStep::Code(_) => "authenticator_app",
        SecondStep::RecoveryCode(_) => "recovery_code",
    }
}
