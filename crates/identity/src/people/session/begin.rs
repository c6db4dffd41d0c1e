//! A session begins, and the person hears of what is unusual about it.

use std::net::IpAddr;

use gatepost_core::{Network, SessionId, World};
use gatepost_journal::{Actor, Entry, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::PurposeKey;
use serde_json::json;

use crate::people::miss::MANY_MISSES;
use crate::people::tell;
use crate::token::Opens;
use crate::{NewSession, Person, Session, Token, Visitor, sql};

/// Blocks of addresses that count as one place: what one provider gives one house over time is mostly of the same.
const BLOCK_V4: u8 = 24;
const BLOCK_V6: u8 = 48;

/// Who comes in, and with what.
pub(crate) struct Entering<'a> {
    pub(crate) person: &'a Person,
    /// The epoch in which it was proven: if it rose meanwhile, the session is dead.
    pub(crate) epoch: u64,
    pub(crate) visitor: &'a Visitor,
    pub(crate) shown: Shown,
}

/// What was shown.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    /// The password, where nothing more is asked.
    Password,
    /// The password, on a trusted device (ID-23).
    PasswordOnTrustedDevice,
    /// The password and a second step, in the journal's word.
    TwoSteps(&'static str),
    /// The demo's link.
    Link,
}

impl Shown {
    fn factors(self) -> Vec<&'static str> {
        match self {
            Self::Password => vec!["password"],
            Self::PasswordOnTrustedDevice => vec!["password", "trusted_device"],
            Self::TwoSteps(second) => vec!["password", second],
            Self::Link => vec!["link"],
        }
    }

    /// Whether it was the strongest that is enrolled.
    const fn is_proof(self) -> bool {
        matches!(self, Self::Password | Self::TwoSteps(_))
    }
}

/// Makes a session as part of the transaction that found what was shown right.
pub(crate) fn begin_session(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
) -> Result<NewSession, StoreError> {
    let Entering { person, epoch, visitor, shown } = *entering;
    let (organisation, now) = (person.organisation, world.now());
    let source = visitor.source.to_canonical().to_string();
    let is_new_device = person.signed_in_at.is_some() && !was_seen(tx, person, visitor)?;
    let token = Token::generate(world);
    let session = Session {
        id: SessionId::new(world),
        person: Person { signed_in_at: Some(now), ..person.clone() },
        created_at: now,
        proven_at: shown.is_proof().then_some(now),
        is_lasting: false,
        is_single_factor: !shown.is_proof(),
        needs_factor: false,
        epoch,
    };
    let digest = token.digest(tokens, Opens::Session);
    let values = params![
        session.id,
        organisation,
        person.id,
        digest.as_bytes(),
        epoch,
        &source,
        &visitor.device,
        session.is_lasting,
        session.is_single_factor,
        now,
        now,
        now,
        session.proven_at,
    ];
    tx.execute(&sql::INSERT_SESSION, values)?;
    tx.execute(&sql::RECORD_SIGN_IN, params![organisation, person.id, now])?;
    gatepost_journal::append(
        tx,
        world,
        &Entry {
            organisation,
            actor: Actor::Person(person.id),
            action: "person.signed_in",
            subject: "session",
            subject_id: Some(session.id.uuid()),
            details: json!({ "factors": shown.factors(), "device": visitor.device, "source": source }),
        },
    )?;
    if is_new_device {
        tell(tx, world, person, NoticeKind::NewDevice, seen_as(visitor), None)?;
    }
    Ok(NewSession { token, session })
}

/// Tells of a right try after many wrong ones (ID-26).
pub(crate) fn tell_of_misses(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    n_misses: u32,
    visitor: &Visitor,
) -> Result<(), StoreError> {
    if n_misses < MANY_MISSES {
        return Ok(());
    }
    let mut details = seen_as(visitor);
    details["n"] = n_misses.into();
    tell(tx, world, person, NoticeKind::ManyMisses, details, None)
}

/// Who it was, as far as a notice can say.
pub(crate) fn seen_as(visitor: &Visitor) -> serde_json::Value {
    json!({ "device": visitor.device, "source": visitor.source.to_canonical().to_string() })
}

/// Whether this person has come with such a browser from there before.
fn was_seen(tx: &mut Transaction<'_>, person: &Person, visitor: &Visitor) -> Result<bool, StoreError> {
    let here = place(visitor.source);
    let values = params![person.organisation, person.id, &visitor.device];
    for row in tx.rows(&sql::LIST_SEEN_SOURCES, values)? {
        if here.contains(row.parse::<IpAddr>(0, "an address")?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn place(source: IpAddr) -> Network {
    let bits = if source.to_canonical().is_ipv4() { BLOCK_V4 } else { BLOCK_V6 };
    Network::around(source, bits)
}
