//! Choosing a password, and checking one.

mod blocklist;
mod check;
mod hash;
mod judge;
mod pool;

use gatepost_core::{SecretText, World};
use gatepost_journal::{Actor, Entry, NoticeKind};
use gatepost_store::{Keyring, StoreError, Transaction, params};
use serde_json::json;

pub(super) use check::{By, refused};
pub(crate) use pool::HashPool;

use super::miss::{Subject, clear_misses};
use super::session::seen_as;
use super::{Renewal, renew, tell};
use crate::app_password::remove_own_app_passwords;
use crate::{AccountProblem, NewSession, People, Person, PersonRefusal, Session, Visitor, sql};
pub(super) use hash::Password;
use hash::PasswordHash;

impl People {
    /// Changes the password; the current one is shown along. All other sessions end. `removes_app_passwords`: those that open the
    /// person's own login are removed too (B12).
    pub async fn change_password(
        &self,
        session: &Session,
        current: &SecretText,
        new: &SecretText,
        removes_app_passwords: bool,
        visitor: &Visitor,
    ) -> Result<NewSession, AccountProblem> {
        let new = self.judged(&session.person, new).await?;
        let right = self
            .check_password(session.person.address.as_str(), current, By::Device(session.device), visitor)
            .await?;
        let new = self.hashed(new).await?;
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let (session, visitor) = (session.clone(), visitor.clone());
        let renewal = Renewal { raises_epoch: true, shows_factor: true, ..Renewal::default() };
        let renewed = self.write(move |tx| {
            right.settle(tx, &keyring, &world, &visitor)?;
            let Some(mut renewed) = renew(tx, keyring.tokens(), &world, &session, renewal)? else {
                return Ok(None);
            };
            renewed.session.person.has_password = true;
            set_password(tx, &keyring, &world, &session.person, &new)?;
            let by = Actor::Person(session.person.id);
            if removes_app_passwords {
                remove_own_app_passwords(tx, &world, &session.person, by)?;
            }
            record(tx, &world, &session.person, by, "password.changed", &visitor)?;
            tell(tx, &world, &session.person, NoticeKind::PasswordChanged, seen_as(&visitor), None)?;
            Ok::<_, StoreError>(Some(renewed))
        });
        renewed.await?.ok_or_else(|| PersonRefusal::Over.into())
    }

    /// Whether this would do as a password, before anything else is asked.
    pub async fn judge_password(&self, person: &Person, new: &SecretText) -> Result<(), AccountProblem> {
        self.judged(person, new).await.map(drop)
    }

    pub(super) async fn judged(&self, person: &Person, new: &SecretText) -> Result<Password, AccountProblem> {
        let organisation = person.organisation;
        let row = self.read(move |tx| tx.row(&sql::FIND_ORGANISATION_NAME, params![organisation])).await?;
        let organisation: String = row.map_or_else(|| Ok(String::new()), |row| row.get(0))?;
        let names = [person.name.as_str(), person.address.as_str(), &organisation];
        judge::judge(new, &names).map_err(AccountProblem::Password)
    }

    pub(super) async fn hashed(&self, password: Password) -> Result<PasswordHash, PersonRefusal> {
        let salt = PasswordHash::new_salt(self.identity().world());
        let pepper = self.identity().keyring.pepper().clone();
        let made = self.hashes.run(move |memory| PasswordHash::make(&password, &pepper, salt, memory)).await;
        made.map_err(|pool::Busy| PersonRefusal::Busy)
    }
}

/// Writes a password down as part of the change, and forgets the misses of the one before.
pub(super) fn set_password(
    tx: &mut Transaction<'_>,
    keyring: &Keyring,
    world: &World,
    person: &Person,
    hash: &PasswordHash,
) -> Result<(), StoreError> {
    let (hash, key_id) = (hash.to_string(), keyring.pepper().id());
    tx.execute(&sql::SET_PASSWORD, params![person.id, person.organisation, hash, key_id, world.now()])?;
    clear_misses(tx, keyring.tokens(), &Subject::Password(person.address.to_string()))
}

/// An entry about a person and their browser.
pub(super) fn record(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    actor: Actor,
    action: &'static str,
    visitor: &Visitor,
) -> Result<(), StoreError> {
    let details = json!({ "device": visitor.device, "source": visitor.source.to_canonical().to_string() });
    let entry = Entry {
        organisation: person.organisation,
        actor,
        action,
        subject: "person",
        subject_id: Some(person.id.uuid()),
        details,
    };
    gatepost_journal::append(tx, world, &entry)
}
