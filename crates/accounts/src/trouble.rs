//! What a person is told of wherever they are: accounts that wait for somebody to sign in again, one entry for one cause.

use std::time::Duration;

use gatepost_core::{Diagnosis, MailAccountId, OrganisationId, PersonId, Timestamp};
use gatepost_providers::Catalogue;
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::account::{MailAccount, Serves};
use crate::application::INSTALLATION;
use crate::memory::Organisation;
use crate::record::Record;
use crate::sql;
use crate::standing::{Standing, State};
use crate::status::Direction;

/// "Later" means tomorrow.
const LATER: Duration = Duration::from_hours(24);

/// Somebody who may have to be told.
#[derive(Clone, Copy, Debug)]
pub struct Watcher {
    /// Who.
    pub person: PersonId,
    /// Whether they look after the whole organisation, or only after what serves themselves.
    pub rules: bool,
}

/// One cause, with the accounts that it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What has to be done about it.
    pub kind: TroubleKind,
    /// Cause and cure, where the catalogue knows the rule.
    pub diagnosis: Option<Diagnosis>,
    /// The accounts, the longest stopped first; never empty.
    pub accounts: Vec<Troubled>,
}

/// Who can end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// Somebody signs in again at each account.
    SignIn,
    /// The service refuses the registered application: that is mended once, and nobody signs in again.
    Application,
}

/// An account that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Troubled {
    /// Which one.
    pub id: MailAccountId,
    /// What people call it.
    pub short_name: String,
    /// Whether no letters leave.
    pub cannot_send: bool,
    /// Whether it cannot be read.
    pub cannot_read: bool,
    /// Since when: this is what a postponement is about.
    pub since: Timestamp,
}

/// What one person wants to hear of later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postponed {
    /// About which account.
    pub account: MailAccountId,
    /// About the trouble that began then; a later one is told all the same.
    pub since: Timestamp,
}

/// What makes an account one that a person must hear of; computed whenever an account changes, so that pages where nothing is
/// wrong look at an empty list.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    account: MailAccountId,
    serves: Serves,
    kind: TroubleKind,
    /// Same rule, same provider: one cause.
    rule: Option<String>,
    provider: String,
    troubled: Troubled,
}

/// All that anybody of the organisation is to be told, the longest first. `refused`: the rules by which services refuse registered
/// applications now.
pub(crate) fn findings(organisation: &Organisation, refused: &[String]) -> Vec<Finding> {
    let mut all: Vec<Finding> =
        organisation.records.values().filter_map(|record| finding(record, refused)).collect();
    all.sort_by_key(|it| (it.troubled.since, it.account));
    all
}

/// Of one that is paused nobody needs to hear: somebody stopped it on purpose.
fn finding(record: &Record, refused: &[String]) -> Option<Finding> {
    let MailAccount { id, serves, short_name, provider, .. } = &record.account;
    if !record.account.is_live() || record.account.paused_at.is_some() {
        return None;
    }
    let kind_of = |it: &Standing| match it.state {
        State::NeedsSignIn => Some(TroubleKind::SignIn),
        State::Failing if it.rule.as_ref().is_some_and(|rule| refused.contains(rule)) => {
            Some(TroubleKind::Application)
        }
        State::Unchecked | State::Connected | State::Failing | State::Blocked => None,
    };
    let stopped = |direction: Direction| {
        let standing = match direction {
            Direction::Sending => Some(&record.sending),
            Direction::Reading => record.reading.as_ref(),
        }?;
        kind_of(standing).map(|kind| (kind, standing))
    };
    let (sending, reading) = (stopped(Direction::Sending), stopped(Direction::Reading));
    let (kind, first) = sending.or(reading)?;
    let since = [sending, reading].into_iter().flatten().map(|(_, it)| it.since).min()?;
    Some(Finding {
        account: *id,
        serves: *serves,
        kind,
        rule: first.rule.clone(),
        provider: provider.clone(),
        troubled: Troubled {
            id: *id,
            short_name: short_name.clone(),
            cannot_send: sending.is_some(),
            cannot_read: reading.is_some(),
            since,
        },
    })
}

impl Watcher {
    /// What they are to be told, had they not put it off.
    pub(crate) fn findings(self, organisation: &Organisation) -> Vec<Finding> {
        let all = organisation.findings.iter();
        all.filter(|it| self.rules || it.serves == Serves::Person(self.person)).cloned().collect()
    }
}

/// One entry for one cause, without what something speaks against.
pub(crate) fn grouped(findings: Vec<Finding>, against: &Against, catalogue: &Catalogue) -> Vec<Trouble> {
    let mut all: Vec<(Trouble, Option<String>, String)> = Vec::new();
    for Finding { kind, rule, provider, troubled, .. } in
        findings.into_iter().filter(|it| !against.speaks(it))
    {
        let same = all.iter_mut().find(|(trouble, known_rule, known_provider)| {
            trouble.kind == kind && *known_rule == rule && *known_provider == provider
        });
        if let Some((trouble, ..)) = same {
            trouble.accounts.push(troubled);
        } else {
            let diagnosis = rule.as_deref().and_then(|rule| catalogue.find(rule)).cloned();
            all.push((Trouble { kind, diagnosis, accounts: vec![troubled] }, rule, provider));
        }
    }
    all.into_iter().map(|(trouble, ..)| trouble).collect()
}

/// What speaks against telling somebody: looked up only where there is something to tell.
pub(crate) struct Against {
    postponed: Vec<Postponed>,
    /// By which rules services refuse registered applications at this moment. A new secret ends that before any account has tried it.
    refused: Vec<String>,
}

impl Against {
    /// What a person has put off. A time beyond a day from now was written before the clock was set back.
    pub(crate) async fn find(
        store: &Store,
        organisation: OrganisationId,
        person: PersonId,
    ) -> Result<Self, StoreError> {
        let now = store.world().now();
        let find = move |tx: &mut Transaction<'_>| {
            let values = params![organisation, person, now, now + LATER];
            Ok::<_, StoreError>((tx.rows(&sql::LIST_POSTPONEMENTS, values)?, refused(tx, organisation)?))
        };
        let (rows, refused) = store.read(find).await?;
        let postponed = rows.iter().map(|row| Ok(Postponed { account: row.get(0)?, since: row.get(1)? }));
        Ok(Self { postponed: postponed.collect::<Result<_, StoreError>>()?, refused })
    }

    fn speaks(&self, it: &Finding) -> bool {
        let is_refused = || it.rule.as_ref().is_some_and(|rule| self.refused.contains(rule));
        self.postponed.iter().any(|postponed| it.is(postponed))
            || (it.kind == TroubleKind::Application && !is_refused())
    }
}

/// By which rules services refuse the applications that an organisation uses.
pub(crate) fn refused(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
) -> Result<Vec<String>, StoreError> {
    let rows = tx.rows(&sql::LIST_REFUSED_APPLICATIONS, params![organisation, INSTALLATION])?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Puts off what they are told of at this moment; anything else is left out.
pub(crate) async fn postpone(
    store: &Store,
    organisation: OrganisationId,
    watcher: Watcher,
    told: Vec<Postponed>,
) -> Result<(), StoreError> {
    let (now, person) = (store.world().now(), watcher.person);
    let put = move |tx: &mut Transaction<'_>| {
        tx.execute(&sql::SWEEP_POSTPONEMENTS, params![organisation, person, now])?;
        for it in &told {
            let values = params![person, it.account, organisation, it.since, now + LATER];
            tx.execute(&sql::PUT_POSTPONEMENT, values)?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(put).await
}

impl Finding {
    pub(crate) fn is(&self, postponed: &Postponed) -> bool {
        self.account == postponed.account && self.troubled.since == postponed.since
    }
}
