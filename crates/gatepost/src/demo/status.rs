//! What the status page shows, from the rooms that know it.

use gatepost_accounts::{MailAccount, StatusName};
use gatepost_core::{OrganisationId, Timestamp};
use gatepost_delivery::state::StateName;
use gatepost_delivery::{Filter, SubmissionView};
use gatepost_portal as page;
use gatepost_portal::{StatusSource, StatusUnavailable};
use gatepost_providers::Presets;

use crate::app::App;

/// The rooms, asked for one organisation.
pub(super) struct Status {
    app: App,
    organisation: OrganisationId,
}

impl Status {
    pub(super) fn new(app: App, organisation: OrganisationId) -> Self {
        Self { app, organisation }
    }

    async fn account(&self, it: MailAccount) -> Result<page::AccountView, StatusUnavailable> {
        let status = self.app.accounts.status(self.organisation, it.id).await.map_err(unavailable)?;
        let n_waiting = self.app.outbox.n_waiting(self.organisation, it.id).await.map_err(unavailable)?;
        let preset = Presets::embedded().find(&it.provider);
        let is_checked = status.status != StatusName::Unchecked;
        Ok(page::AccountView {
            short_name: it.short_name,
            address: it.address,
            provider: preset.map_or(it.provider, |preset| preset.name.clone()),
            state: match status.status {
                StatusName::Unchecked => page::AccountState::Unchecked,
                StatusName::Connected => page::AccountState::Connected,
                StatusName::NeedsSignIn => page::AccountState::NeedsSignIn,
                StatusName::Failing => page::AccountState::Failing,
                StatusName::Paused => page::AccountState::Paused,
            },
            since: it.paused_at.or(is_checked.then_some(status.sending.since)),
            diagnosis: status.sending.diagnosis,
            provider_words: status.sending.reply,
            n_waiting,
        })
    }

    fn letter(&self, it: &SubmissionView) -> page::SubmissionView {
        let is_held = |account| self.app.accounts.is_held(account);
        let state = it.state(is_held);
        page::SubmissionView {
            id: it.id.to_string(),
            message_id: Some(it.message_id.trim_matches(['<', '>']).to_owned()),
            from: it.from.clone(),
            recipients: it
                .recipients
                .iter()
                .map(|to| page::RecipientView {
                    address: to.address.clone(),
                    state: shown(to.state(is_held)),
                    is_uncertain: to.is_uncertain,
                })
                .collect(),
            state: shown(state),
            because: self.app.because(it, state),
            accepted_at: it.accepted_at,
            next_attempt_at: next_attempt_at(it, state),
            attempts: it.attempts.iter().map(attempt).collect(),
        }
    }
}

impl StatusSource for Status {
    async fn accounts(&self) -> Result<Vec<page::AccountView>, StatusUnavailable> {
        let mut views = Vec::new();
        for it in self.app.accounts.list(self.organisation).await.map_err(unavailable)? {
            views.push(self.account(it).await?);
        }
        // Those that need somebody first.
        views.sort_by_key(|it| it.diagnosis.is_none());
        Ok(views)
    }

    async fn outbox(&self, at_most: usize) -> Result<Vec<page::SubmissionView>, StatusUnavailable> {
        let limit = u32::try_from(at_most).unwrap_or(u32::MAX);
        let filter = Filter { state: None, before: None, limit };
        let newest = self.app.outbox.list(self.organisation, filter).await.map_err(unavailable)?;
        let mut views = Vec::with_capacity(newest.len());
        for it in newest {
            // With its time line, which lists leave out. A letter is never removed.
            let found = self.app.outbox.show(self.organisation, it.id).await.map_err(unavailable)?;
            views.push(self.letter(&found.unwrap_or(it)));
        }
        Ok(views)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StatusUnavailable {
    StatusUnavailable(Box::new(error))
}

fn shown(state: StateName) -> page::DeliveryState {
    match state {
        StateName::Held => page::DeliveryState::Held,
        StateName::Deferred => page::DeliveryState::Deferred,
        StateName::Waiting => page::DeliveryState::Waiting,
        StateName::Failed => page::DeliveryState::Failed,
        StateName::Cancelled => page::DeliveryState::Cancelled,
        StateName::Sent => page::DeliveryState::Sent,
    }
}

fn next_attempt_at(it: &SubmissionView, state: StateName) -> Option<Timestamp> {
    match state {
        StateName::Waiting | StateName::Deferred => it.next_attempt_at(),
        StateName::Held | StateName::Failed | StateName::Cancelled | StateName::Sent => None,
    }
}

fn attempt(it: &gatepost_delivery::AttemptView) -> page::AttemptView {
    let result = match it.result.as_str() {
        "sent" => page::AttemptResult::Sent,
        "failed" => page::AttemptResult::Refused,
        "uncertain" => page::AttemptResult::Uncertain,
        "running" => page::AttemptResult::Running,
        _ => page::AttemptResult::NotNow,
    };
    page::AttemptView {
        at: it.at,
        recipient: Some(it.recipient.clone()),
        result,
        words: it.reply.clone().unwrap_or_default(),
    }
}
