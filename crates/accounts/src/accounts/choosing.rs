//! Which account a letter leaves by, and why it waits.

use gatepost_core::{Diagnosis, MailAccountId, OrganisationId, Timestamp};
use gatepost_providers::Catalogue;
use gatepost_store::StoreError;

use super::Accounts;
use crate::choose::{Chosen, Explained, ForNotices, Target, choose, explain, for_notices};
use crate::record::Record;
use crate::standing::State;
use crate::status::StatusName;

impl Accounts {
    /// Whether the account's letters are held, by what is remembered of it.
    #[must_use]
    pub fn is_held(&self, id: MailAccountId) -> bool {
        self.memory.find(id, Record::is_held).unwrap_or(false)
    }

    /// Why the account's letters are held, in words, by what is remembered of it.
    #[must_use]
    pub fn held_reason(&self, id: MailAccountId) -> Option<String> {
        let (catalogue, now) = (self.providers.catalogue(), self.now());
        self.memory.find(id, |record| held_reason(record, catalogue, now)).flatten()
    }

    /// What is wrong with sending, by what is remembered of the account.
    #[must_use]
    pub fn sending_diagnosis(&self, id: MailAccountId) -> Option<Diagnosis> {
        let rule = self.memory.find(id, |it| it.sending.rule.clone()).flatten()?;
        self.providers.catalogue().find(&rule).cloned()
    }

    /// The account a letter leaves by. Looks at no credential and reaches for no provider (AP-9).
    pub async fn choose(&self, organisation: OrganisationId, target: Target) -> Result<Chosen, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(choose(&all, target, &self.providers, self.now()))
    }

    /// The same, with all that was looked at on the way and whether the letter would be held, or wait. Sends nothing.
    pub async fn explain(
        &self,
        organisation: OrganisationId,
        target: Target,
    ) -> Result<Explained, StoreError> {
        let (all, now) = (self.memory.recent(&self.store, organisation).await?, self.now());
        let held_reason = |it: &Record| held_reason(it, self.providers.catalogue(), now);
        let waits_because = |it: &Record| waits_because(it, self.providers.catalogue(), now);
        Ok(explain(&all, target, &self.providers, held_reason, waits_because, now))
    }

    /// The account that notices to the organisation's own people leave by, if it can send now.
    pub async fn for_notices(&self, organisation: OrganisationId) -> Result<ForNotices, StoreError> {
        let (all, now) = (self.memory.recent(&self.store, organisation).await?, self.now());
        let held_reason = |it: &Record| held_reason(it, self.providers.catalogue(), now);
        Ok(for_notices(&all, held_reason, &self.providers, now))
    }
}

fn held_reason(record: &Record, catalogue: &Catalogue, now: Timestamp) -> Option<String> {
    let account = &record.account;
    let who = format!("{} ({})", account.short_name, account.address);
    if let Some(since) = account.paused_at {
        let since = clock_time(since, now);
        return Some(format!(
            "{who} is paused since {since}: letters leave by themselves once it is resumed"
        ));
    }
    if record.sending.state != State::NeedsSignIn {
        return None;
    }
    let since = clock_time(record.sending.since, now);
    let diagnosis = record.sending.rule.as_deref().and_then(|rule| catalogue.find(rule));
    Some(match diagnosis {
        Some(it) => {
            format!(
                "{who} cannot send since {since}: {} Cure: {} Who can do this: {}",
                it.cause, it.cure, it.who
            )
        }
        None => format!("{who} cannot send since {since}: the provider refused the sign-in"),
    })
}

/// Why letters of an account that is not held wait all the same: it fails, and is tried again by itself.
fn waits_because(record: &Record, catalogue: &Catalogue, now: Timestamp) -> Option<String> {
    let (account, standing) = (&record.account, &record.sending);
    if record.is_held() || standing.state.name() != StatusName::Failing {
        return None;
    }
    let who = format!("{} ({})", account.short_name, account.address);
    let since = clock_time(standing.since, now);
    let again = match standing.waits_until(now) {
        Some(until) => format!("It is tried again at {}", clock_time(until, now)),
        None => "It is tried again with the next letter".to_owned(),
    };
    Some(match standing.rule.as_deref().and_then(|rule| catalogue.find(rule)) {
        Some(it) => format!(
            "{who} fails since {since}: {} Cure: {} Who can do this: {}. {again}",
            it.cause, it.cure, it.who
        ),
        None => format!("{who} fails since {since}. {again}"),
    })
}

/// The time of day, with the day in front unless it is today. UTC, like every time that is stored.
fn clock_time(at: Timestamp, now: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    if at.day() == now.day() { format!("{time} UTC") } else { format!("{day} {time} UTC") }
}
