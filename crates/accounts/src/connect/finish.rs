//! The end of a draft: an account.

use std::time::Duration;

use gatepost_core::DraftId;

use super::Connecting;
use super::draft::{Draft, DraftState};
use super::error::ConnectError;
use crate::account::{MailAccount, NewAccount, Overrides};
use crate::add::OfDraft;
use crate::check::{Outcome, Progress};
use crate::status::Direction;

/// What was proven longer ago is proven once more.
const FRESH_FOR: Duration = Duration::from_mins(10);

impl Draft {
    /// Whether it can become an account: it was checked, and letters can be sent.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        matches!(self.state, DraftState::Checked(_)) && self.progress.as_ref().is_some_and(Progress::has_sent)
    }
}

impl Progress {
    /// Whether every step of sending was taken with a tick.
    #[must_use]
    pub fn has_sent(&self) -> bool {
        let mut sending = self.taken.iter().filter(|it| it.direction == Direction::Sending).peekable();
        sending.peek().is_some() && sending.all(|it| it.outcome.is_tick())
    }

    /// The cross of a direction, if there is one.
    #[must_use]
    pub fn cross(&self, direction: Direction) -> Option<&Outcome> {
        let taken = self.taken.iter().filter(|it| it.direction == direction);
        taken.map(|it| &it.outcome).find(|it| matches!(it, Outcome::Failed { .. }))
    }
}

impl Connecting {
    /// Makes the account, connected as the check has found it. Its draft is over.
    pub async fn finish(&self, id: DraftId, revision: u64) -> Result<MailAccount, ConnectError> {
        let draft = self.open(id, revision).await?;
        let now = self.accounts.now();
        let is_fresh = match draft.state {
            DraftState::Checking(_) => return Err(ConnectError::Checking),
            DraftState::Checked(at) => at <= now && now < at + FRESH_FOR,
            DraftState::Open | DraftState::HasSecret | DraftState::Finished(_) => false,
        };
        if !is_fresh || !draft.is_proven() || draft.account.is_some() {
            return Err(ConnectError::NotChecked);
        }
        let secret = self.accounts.secret_of(&draft).await?.ok_or(ConnectError::NoSecret)?;
        let endpoints = draft.details.endpoints.clone().ok_or(ConnectError::NoServers)?;
        let settings = draft.details.settings();
        let new = NewAccount {
            organisation: draft.organisation,
            address: draft.details.address.clone(),
            short_name: settings.short_name,
            author_name: settings.author_name,
            provider: draft.details.provider.clone(),
            user_name: settings.user_name,
            endpoints,
            opens: settings.opens,
            further_addresses: settings.further_addresses,
            serves: settings.serves,
            overrides: Overrides::default(),
            secret,
            actor: self.whose.actor(),
        };
        let progress = draft.progress.clone().unwrap_or_default();
        let of_draft = OfDraft { id, revision, is_default: draft.details.is_default, progress };
        let added = self.accounts.add_proven(new, of_draft).await;
        match added {
            Err(crate::AccountsError::AlreadyThere(address)) => {
                let there = self.accounts.find(self.whose.organisation, &address).await?;
                Err(there
                    .map_or(ConnectError::Changed, |it| ConnectError::AlreadyThere { address, id: it.id }))
            }
            other => Ok(other?),
        }
    }
}
