//! Further addresses and the telephone number.

use std::time::Duration;

use gatepost_core::{ContactId, EmailAddress, LinkId, OrganisationId, PersonId, World};
use gatepost_journal::{Actor, Notice, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::json;

use super::{NewLink, tell};
use crate::person::small;
use crate::{AccountProblem, Contact, ContactKind, LinkKind, People, Person, PersonRefusal, Session, sql};

/// How many a person may have.
const MOST: usize = 5;
/// Letters that prove an address, for one person in an hour.
const MOST_LETTERS: u32 = 5;
const HOUR: Duration = Duration::from_hours(1);

impl People {
    /// Adds an address for notices (a link is sent to it) or the telephone number, which takes the place of an earlier one.
    pub async fn add_contact(
        &self,
        session: &Session,
        kind: ContactKind,
        value: &str,
    ) -> Result<Contact, AccountProblem> {
        let value = match kind {
            ContactKind::Address => {
                small(&value.trim().parse().map_err(|_| AccountProblem::NotAnAddress)?).as_str().to_owned()
            }
            ContactKind::Telephone => telephone(value).ok_or(AccountProblem::NotANumber)?,
        };
        let world = self.identity().world().clone();
        let (organisation, id, session) = (session.organisation(), session.person.id, session.clone());
        let contact =
            Contact { id: ContactId::new(&world), kind, value, created_at: world.now(), proven_at: None };
        self.write(move |tx| {
            let Some(person) = lock(tx, &session)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            let all = contacts(tx, organisation, id)?;
            let is_known = all.iter().any(|it| (it.kind, &it.value) == (kind, &contact.value));
            if is_known || (kind == ContactKind::Address && person.address.as_str() == contact.value) {
                return Ok(Err(AccountProblem::ContactExists));
            }
            let old = all.iter().find(|it| kind == ContactKind::Telephone && it.kind == kind);
            if old.is_none() && all.len() >= MOST {
                return Ok(Err(AccountProblem::TooManyContacts));
            }
            if let Some(old) = old {
                tx.execute(&sql::DELETE_CONTACT, params![organisation, id, old.id])?;
            }
            let word = kind.to_string();
            let values = params![
                contact.id,
                organisation,
                id,
                word,
                &contact.value,
                contact.created_at,
                contact.proven_at
            ];
            tx.execute(&sql::INSERT_CONTACT, values)?;
            if kind == ContactKind::Address {
                // Letters to addresses of strangers: adding and removing in turn must not send more.
                let word = LinkKind::Contact.to_string();
                let since = world.now() - HOUR;
                let row = tx.row(&sql::COUNT_LINKS, params![organisation, id, &word, since, world.now()])?;
                if row.map_or(Ok(0), |row| row.get::<u32>(0))? >= MOST_LETTERS {
                    return Ok(Err(PersonRefusal::Slowed { retry_after: HOUR }.into()));
                }
                let link = LinkId::new(&world);
                let details = json!({ "contact": contact.id.to_string() });
                NewLink { id: link, organisation, person: id, kind: LinkKind::Contact, details }
                    .insert(tx, &world)?;
                let addresses =
                    [contact.value.parse::<EmailAddress>().map_err(|_| AccountProblem::NotAnAddress)?];
                let notice = Notice {
                    organisation,
                    kind: NoticeKind::Contact,
                    person: id,
                    addresses: &addresses,
                    link: Some(link),
                    details: json!({}),
                };
                gatepost_journal::notify(tx, &world, &notice)?;
            }
            changed(tx, &world, &person, "added", &contact)?;
            Ok::<_, AccountProblem>(Ok(contact.clone()))
        })
        .await?
    }

    /// Removes a contact.
    pub async fn remove_contact(&self, session: &Session, id: ContactId) -> Result<(), AccountProblem> {
        let world = self.identity().world().clone();
        let (organisation, owner, session) = (session.organisation(), session.person.id, session.clone());
        self.write(move |tx| {
            let Some(person) = lock(tx, &session)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            let all = contacts(tx, organisation, owner)?;
            let Some(contact) = all.iter().find(|it| it.id == id) else {
                return Ok(Err(AccountProblem::NotFound));
            };
            tx.execute(&sql::DELETE_CONTACT, params![organisation, owner, id])?;
            changed(tx, &world, &person, "removed", contact)?;
            tell_removed(tx, &world, &person, contact)?;
            Ok::<_, AccountProblem>(Ok(()))
        })
        .await?
    }

    /// A proven address becomes the one to sign in with; the old one becomes a contact, and for a week "This was not me" brings it back.
    pub async fn sign_in_with_contact(
        &self,
        session: &Session,
        id: ContactId,
    ) -> Result<EmailAddress, AccountProblem> {
        let world = self.identity().world().clone();
        let (organisation, owner, session) = (session.organisation(), session.person.id, session.clone());
        self.write(move |tx| {
            let Some(person) = lock(tx, &session)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            let all = contacts(tx, organisation, owner)?;
            let contact = all.iter().find(|it| it.id == id && it.kind == ContactKind::Address);
            let Some(contact) = contact else { return Ok(Err(AccountProblem::NotFound)) };
            if contact.proven_at.is_none() {
                return Ok(Err(AccountProblem::NotProven));
            }
            let Ok(address) = contact.value.parse::<EmailAddress>() else {
                return Ok(Err(AccountProblem::NotAnAddress));
            };
            if tx.row(&sql::FIND_CREDENTIAL, params![&address])?.is_some() {
                return Ok(Err(AccountProblem::AddressTaken));
            }
            changed(tx, &world, &person, "signs_in", contact)?;
            tx.execute(&sql::DELETE_CONTACT, params![organisation, owner, id])?;
            tx.execute(&sql::UPDATE_ADDRESS, params![organisation, owner, &address])?;
            // What was mailed to the old one may be read by others.
            tx.execute(&sql::END_PASSWORD_LINKS, params![organisation, owner, world.now()])?;
            let word = ContactKind::Address.to_string();
            let (old, now) = (ContactId::new(&world), world.now());
            let values = params![old, organisation, owner, word, &person.address, now, now];
            tx.execute(&sql::INSERT_CONTACT, values)?;
            tx.execute(&sql::INSERT_FORMER_ADDRESS, params![old, organisation, owner, &person.address, now])?;
            Ok::<_, AccountProblem>(Ok(address))
        })
        .await?
    }
}

/// Whoever changes the contacts of a person is alone with them. None if what ends sessions came first.
fn lock(tx: &mut Transaction<'_>, session: &Session) -> Result<Option<Person>, StoreError> {
    let values = params![session.organisation(), session.person.id];
    let Some(row) = tx.row(&sql::LOCK_PERSON, values)? else { return Ok(None) };
    if row.get::<u64>(0)? != session.epoch {
        return Ok(None);
    }
    tx.row(&sql::FIND_PERSON_BY_ID, values)?.map(Person::try_from).transpose()
}

pub(super) fn contacts(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: PersonId,
) -> Result<Vec<Contact>, StoreError> {
    tx.rows(&sql::LIST_CONTACTS, params![organisation, id])?.into_iter().map(Contact::try_from).collect()
}

/// What was removed hears of it too, but is no longer asked whether it was the person.
pub(super) fn tell_removed(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    contact: &Contact,
) -> Result<(), StoreError> {
    let (true, Ok(address)) = (contact.proven_at.is_some(), contact.value.parse::<EmailAddress>()) else {
        return Ok(());
    };
    let (organisation, kind, addresses) = (person.organisation, NoticeKind::ContactChanged, &[address][..]);
    let details = details("removed", contact);
    let notice = Notice { organisation, kind, person: person.id, addresses, link: None, details };
    gatepost_journal::notify(tx, world, &notice).map(drop)
}

fn changed(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    how: &'static str,
    contact: &Contact,
) -> Result<(), StoreError> {
    tell(tx, world, person, NoticeKind::ContactChanged, details(how, contact), None)?;
    let details = json!({ "change": how, "contact": contact.kind.to_string() });
    let (by, what) = (Actor::Person(person.id), ("contact", contact.id.uuid()));
    person.journal_of(tx, world, by, "contact.changed", what, details)
}

fn details(how: &'static str, contact: &Contact) -> serde_json::Value {
    let (kind, value) = (contact.kind, contact.value.as_str());
    let mut details = json!({ "change": how, "contact": kind.to_string(), "value": value });
    // The words of the letter, which shows numbers to nobody.
    details["name"] = match (kind, how) {
        (ContactKind::Address, "signs_in") => "the address to sign in with".to_owned(),
        (ContactKind::Address, how) => format!("address {how}"),
        (ContactKind::Telephone, how) => format!("telephone number {how}"),
    }
    .into();
    if kind == ContactKind::Address {
        details["address"] = value.into();
    }
    details
}

/// 5 to 20 digits, a plus sign in front, spaces, hyphens, slashes, dots and brackets between them: as it was typed, without the
/// spaces around it.
fn telephone(text: &str) -> Option<String> {
    let text = text.trim();
    let n_digits = text.chars().filter(char::is_ascii_digit).count();
    let is_fine = |(n, c): (usize, char)| match c {
        '+' => n == 0,
        ' ' | '-' | '/' | '.' | '(' | ')' => true,
        c => c.is_ascii_digit(),
    };
    ((5..=20).contains(&n_digits) && text.len() <= 40 && text.chars().enumerate().all(is_fine))
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_one_that_can_be_dialled() {
        for text in ["12345", "+49 30 1234-567", " (030) 123/45.67 ", "+1 (555) 010-9999"] {
            assert_eq!(telephone(text).as_deref(), Some(text.trim()));
        }
        for text in ["", "1234", "1".repeat(21).as_str(), "555-CALL-NOW", "12+345", "12345\n6", "١٢٣٤٥"]
        {
            assert_eq!(telephone(text), None, "{text:?}");
        }
    }
}
