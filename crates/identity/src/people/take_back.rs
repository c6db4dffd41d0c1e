//! What "This was not me" takes back: whoever had the account for a while must not keep an address of it.

use std::time::Duration;

use gatepost_core::{ContactId, EmailAddress, World};
use gatepost_journal::Actor;
use gatepost_store::{StoreError, Transaction, params};
use serde_json::json;

use super::contact::{contacts, tell_removed};
use super::moment::SLACK;
use crate::{Contact, ContactKind, LinkKind, Person, TakenBack, sql};

/// For as long as the letter's link lives: a person was asked at the older address, too.
const WEEK: Duration = LinkKind::NotMe.lives_for();

/// Where a person goes back to.
pub(super) enum Before {
    /// The address to sign in with was not changed, or it was changed back.
    Same,
    /// What they signed in with before the week's first change.
    Address(EmailAddress),
    /// It was changed, and others have what there was before.
    Gone,
}

/// Looks for the oldest address of the week that nobody else signs in with.
pub(super) fn before(tx: &mut Transaction<'_>, world: &World, person: &Person) -> Result<Before, StoreError> {
    let now = world.now();
    let values = params![person.organisation, person.id, now - WEEK, now + SLACK];
    let mut before = Before::Same;
    for row in tx.rows(&sql::LIST_FORMER_ADDRESSES, values)? {
        let address: EmailAddress = row.parse(0, "an address")?;
        if address == person.address {
            return Ok(Before::Same);
        }
        if tx.row(&sql::FIND_CREDENTIAL, params![&address])?.is_none() {
            return Ok(Before::Address(address));
        }
        before = Before::Gone;
    }
    Ok(before)
}

/// What was taken back, and of whom.
pub(super) struct Taken {
    /// The person as they are from now on.
    pub(super) person: Person,
    pub(super) back: TakenBack,
    /// Whether a letter may go to the address to sign in with: not to one of this week where others have the one of before.
    pub(super) is_reachable: bool,
}

/// Puts the address to sign in with back, and removes the later ones, the contacts of the week and addresses that nobody has proven,
/// as part of the transaction that uses the link up. What is removed hears of it.
pub(super) fn take_back(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
) -> Result<Taken, StoreError> {
    let (organisation, id, now) = (person.organisation, person.id, world.now());
    let before = before(tx, world, person)?;
    let is_reachable = !matches!(before, Before::Gone);
    let (mut person, mut removed, mut address) = (person.clone(), Vec::new(), None);
    if let Before::Address(old) = before {
        tx.execute(&sql::UPDATE_ADDRESS, params![organisation, id, &old])?;
        let later = std::mem::replace(&mut person.address, old.clone()).to_string();
        let (contact, kind) = (ContactId::new(world), ContactKind::Address);
        removed.push(Contact { id: contact, kind, value: later, created_at: now, proven_at: Some(now) });
        address = Some(old);
    }
    let is_old = |at| at <= now - WEEK;
    for it in contacts(tx, organisation, id)? {
        let is_own = it.kind == ContactKind::Address && it.value == person.address.as_str();
        let counts = it.kind == ContactKind::Telephone || it.proven_at.is_some_and(is_old);
        if is_own || !counts || !is_old(it.created_at) {
            tx.execute(&sql::DELETE_CONTACT, params![organisation, id, it.id])?;
            removed.extend((!is_own).then_some(it));
        }
    }
    tx.execute(&sql::DELETE_FORMER_ADDRESSES, params![organisation, id])?;
    let mut end = |kind: LinkKind| {
        tx.execute(&sql::END_LINKS_OF_KIND, params![organisation, id, kind.to_string(), now]).map(drop)
    };
    end(LinkKind::Contact)?;
    if !removed.is_empty() {
        // Whoever reads the mailbox of such an address is asked nothing any more.
        end(LinkKind::NotMe)?;
    }
    for it in &removed {
        tell_removed(tx, world, &person, it)?;
    }
    let removed: Vec<_> = removed.into_iter().map(|it| it.value).collect();
    if address.is_some() || !removed.is_empty() {
        let details =
            json!({ "change": "taken_back", "sign_in": address.is_some(), "removed": removed.len() });
        person.journal(tx, world, Actor::Person(id), "contact.changed", details)?;
    }
    Ok(Taken { person, back: TakenBack { address, removed }, is_reachable })
}
