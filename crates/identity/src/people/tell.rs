//! Telling people of what touches the safety of their account (ID-26).

use gatepost_core::{AppPasswordId, EmailAddress, LinkId, World};
use gatepost_journal::{Notice, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::{Value, json};

use super::kind::NewLink;
use crate::{LinkKind, Person, sql};

/// Writes a notice to a person's own address and all their proven ones, as they are at this point of the transaction, with a "This
/// was not me" link. `app_password`: the one that the notice is about; the link removes it on request.
///
/// Not for letters that carry a link of their own (invitation, reset, contact): those are `gatepost_journal::notify` alone.
pub(crate) fn tell(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    kind: NoticeKind,
    details: Value,
    app_password: Option<AppPasswordId>,
) -> Result<(), StoreError> {
    let addresses = proven_addresses(tx, person)?;
    let names = app_password.map_or_else(|| json!({}), |id| json!({ "app_password": id.to_string() }));
    let link = LinkId::new(world);
    NewLink {
        id: link,
        organisation: person.organisation,
        person: person.id,
        kind: LinkKind::NotMe,
        details: names,
    }
    .insert(tx, world)?;
    let (organisation, person) = (person.organisation, person.id);
    let link = Some(link);
    gatepost_journal::notify(
        tx,
        world,
        &Notice { organisation, kind, person, addresses: &addresses, link, details },
    )
    .map(drop)
}

/// The address a person signs in with, and those of their contacts that are proven.
fn proven_addresses(tx: &mut Transaction<'_>, person: &Person) -> Result<Vec<EmailAddress>, StoreError> {
    let mut addresses = vec![person.address.clone()];
    for row in tx.rows(&sql::LIST_PROVEN_ADDRESSES, params![person.organisation, person.id])? {
        addresses.push(row.parse(0, "an address")?);
    }
    Ok(addresses)
}
