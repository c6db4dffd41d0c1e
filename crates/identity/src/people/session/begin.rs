//! A session begins, and the person hears of what is unusual about it.

use std::time::Duration;

use gatepost_core::{SessionId, World};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Digest, PurposeKey};
use serde_json::json;

use crate::people::device::{recognise, remember};
use crate::people::miss::MANY_MISSES;
use crate::people::tell;
use crate::token::Opens;
use crate::{NewSession, Person, Policy, Session, Token, Visitor, sql};

/// Letters about new devices, for one person in an hour: whoever has the right password must not use up the mailbox's day with them.
const MOST_TOLD: u32 = 5;
const HOUR: Duration = Duration::from_hours(1);
/// No session that is not a lasting one lives longer (WP-3).
const LONGEST: Duration = Duration::from_hours(12);

/// Who comes in, and with what.
pub(crate) struct Entering<'a> {
    pub(crate) person: &'a Person,
    /// The epoch in which it was proven: if it rose meanwhile, the session is dead.
    pub(crate) epoch: u64,
    pub(crate) visitor: &'a Visitor,
    /// The hash of the token that the browser brought.
    pub(crate) browser: Option<&'a Digest>,
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

    /// Whether a browser came by itself; the demo's link is opened where it is printed.
    const fn is_by_a_browser(self) -> bool {
        !matches!(self, Self::Link)
    }

    /// Whether it was the strongest that is enrolled.
    const fn is_proof(self) -> bool {
        matches!(self, Self::Password | Self::TwoSteps(_))
    }
}

/// Makes a session as part of the transaction that found what was shown right; `None` if the person's epoch rose meanwhile.
pub(crate) fn begin_session(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
) -> Result<Option<NewSession>, StoreError> {
    let Entering { person, epoch, visitor, shown, .. } = *entering;
    let (organisation, now) = (person.organisation, world.now());
    let source = visitor.source.to_canonical().to_string();
    let browser = if shown.is_by_a_browser() { Some(recognise(tx, world, entering)?) } else { None };
    let (id, token) = (SessionId::new(world), Token::generate(world));
    let session = Session {
        id,
        lineage: id,
        person: Person { signed_in_at: Some(now), ..person.clone() },
        policy: Policy::of(person.role),
        created_at: now,
        proven_at: shown.is_proof().then_some(now),
        is_lasting: false,
        is_single_factor: !shown.is_proof(),
        needs_factor: false,
        epoch,
        device: browser.map(|it| it.id),
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
        session.lineage,
        session.device,
    ];
    if tx.execute(&sql::INSERT_SESSION, values)? == 0 {
        return Ok(None);
    }
    let values = params![organisation, person.id, now, now - LONGEST, id];
    tx.execute(&sql::CAP_SESSIONS, values)?;
    tx.execute(&sql::RECORD_SIGN_IN, params![organisation, person.id, now])?;
    let details = json!({ "factors": shown.factors(), "device": visitor.device, "source": source });
    let by = Actor::Person(person.id);
    person.journal_of(tx, world, by, "session.began", ("session", session.id.uuid()), details)?;
    let mut device = None;
    if let Some(browser) = browser {
        device = remember(tx, tokens, world, entering, browser)?;
        let told =
            gatepost_journal::count_notices(tx, organisation, person.id, NoticeKind::NewDevice, now - HOUR)?;
        if !browser.is_known && person.signed_in_at.is_some() && told < MOST_TOLD {
            tell(tx, world, person, NoticeKind::NewDevice, seen_as(visitor), None)?;
        }
    }
    Ok(Some(NewSession { token, session, device }))
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
