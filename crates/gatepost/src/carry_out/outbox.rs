//! Letters.

use std::collections::HashMap;

use gatepost_accounts::Target as Choosing;
use gatepost_core::{Diagnosis, MailAccountId, SubmissionId};
use gatepost_delivery::state::{Delivery, HoldReason, StateName};
use gatepost_delivery::{Command, Filter, OutboxError, SubmissionView};
use gatepost_identity::Organisation;
use gatepost_journal::Actor;
use gatepost_providers::Catalogue;
use gatepost_store::StoreError;
use serde_json::Value;

use super::account::diagnosis;
use super::{done, may_send_as, parsed, words};
use crate::answer::{AttemptShown, ConsideredShown, ExplainedShown, LetterShown, RecipientShown};
use crate::app::App;
use crate::control::{Refusal, Report, Target};

/// Letters read at a time.
const PAGE: u32 = 200;

impl App {
    pub(super) async fn list_letters(
        &self,
        organisation: &Organisation,
        states: &[String],
        limit: Option<u64>,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let names = self.account_names(organisation).await?;
        let (mut left, mut before) = (limit.unwrap_or(u64::MAX), None);
        loop {
            let filter = Filter { state: None, before, limit: PAGE };
            let page = self.outbox.list(organisation.id, filter).await.map_err(|error| self.refuse(error))?;
            for view in &page {
                let letter = self.shown(view, &names);
                if left > 0 && (states.is_empty() || states.contains(&letter.state)) {
                    report.item(done(letter)?).await;
                    left -= 1;
                }
            }
            match page.last() {
                Some(last) if left > 0 && page.len() == PAGE as usize => before = Some(last.id),
                _ => return Ok(Value::Null),
            }
        }
    }

    pub(super) async fn show_letter(&self, organisation: &Organisation, id: &str) -> Result<Value, Refusal> {
        let id: SubmissionId = parsed(id)?;
        let found = self.outbox.show(organisation.id, id).await.map_err(|error| self.refuse(error))?;
        let view = found.ok_or_else(|| self.refuse(OutboxError::NotFound(id)))?;
        let mut letter = self.shown(&view, &self.account_names(organisation).await?);
        let attempts = view.attempts.iter().map(|it| AttemptShown {
            at: it.at.to_string(),
            recipient: it.recipient.to_string(),
            result: it.result.clone(),
            reply: it.reply.as_deref().map(words),
        });
        letter.attempts = Some(attempts.collect());
        letter.held_by = self.held_by(organisation, &view).await?;
        done(letter)
    }

    /// Looks for the login's target alone: explaining makes no login.
    pub(super) async fn explain_letter(
        &self,
        organisation: &Organisation,
        login: &Target,
    ) -> Result<Value, Refusal> {
        let (target, own) = match login {
            Target::Account(text) => (Choosing::Account(self.account(organisation, text).await?.id), None),
            Target::Person(text) => {
                let person = self.person(organisation, text).await?;
                (Choosing::Person { id: person.id, home: person.home_location }, Some(person.address))
            }
            Target::Location(name) => (Choosing::Location(self.location(organisation, name).await?.id), None),
        };
        self.accounts.refresh(organisation.id).await.map_err(|error| self.refuse(error))?;
        let explained = self.accounts.explain(organisation.id, target).await;
        let it = explained.map_err(|error| self.refuse(error))?;
        let names = self.account_names(organisation).await?;
        let may_send_as = may_send_as(&it.chosen, own);
        let is_refused = it.chosen.account.is_none() && may_send_as.is_empty();
        let (held, refused) = if is_refused { (None, it.held) } else { (it.held, None) };
        done(ExplainedShown {
            account: it.chosen.account.and_then(|id| names.get(&id).cloned()),
            because: it.chosen.because,
            held,
            refused,
            waits: it.waits,
            may_send_as: may_send_as.iter().map(ToString::to_string).collect(),
            considered: it
                .considered
                .iter()
                .map(|it| ConsideredShown {
                    place: it.place.to_owned(),
                    account: it.account.as_ref().map(ToString::to_string),
                    verdict: it.verdict.word().to_owned(),
                })
                .collect(),
        })
    }

    /// Does it, and answers with the letter as it is then.
    pub(super) async fn command_letter(
        &self,
        organisation: &Organisation,
        id: &str,
        command: Command,
    ) -> Result<Value, Refusal> {
        let clocks =
            self.accounts.running_clocks(organisation.id).await.map_err(|error| self.refuse(error))?;
        let world = self.world.clone();
        let clock = move |account| clocks.reading(account, world.now());
        let commanded =
            self.outbox.command(command, organisation.id, parsed(id)?, Actor::Command, clock).await;
        commanded.map_err(|error| self.refuse(error))?;
        self.show_letter(organisation, id).await
    }

    async fn account_names(
        &self,
        organisation: &Organisation,
    ) -> Result<HashMap<MailAccountId, String>, Refusal> {
        let list = async {
            self.accounts.refresh(organisation.id).await?;
            self.accounts.list(organisation.id).await
        };
        let all = list.await.map_err(|error: StoreError| self.refuse(error))?;
        Ok(all.into_iter().map(|it| (it.id, it.address.to_string())).collect())
    }

    fn shown(&self, view: &SubmissionView, names: &HashMap<MailAccountId, String>) -> LetterShown {
        let is_held = |account| self.accounts.is_held(account);
        let state = view.state(is_held);
        let next_attempt_at = match state {
            StateName::Waiting | StateName::Deferred => view.next_attempt_at(),
            StateName::Held | StateName::Failed | StateName::Cancelled | StateName::Sent => None,
        };
        LetterShown {
            id: view.id.to_string(),
            message_id: view.message_id.clone(),
            state: state.word().to_owned(),
            because: self.because(view, state),
            held_by: None,
            diagnosis: self.diagnosed(view, state).as_ref().map(diagnosis),
            account: view.account.and_then(|id| names.get(&id).cloned()),
            from: view.from.as_ref().map(ToString::to_string),
            recipients: view
                .recipients
                .iter()
                .map(|it| RecipientShown {
                    address: it.address.to_string(),
                    state: it.state(is_held).word().to_owned(),
                    uncertain: it.is_uncertain,
                    reply: it.reply.as_deref().map(words),
                })
                .collect(),
            attempts: None,
            accepted_at: view.accepted_at.to_string(),
            next_attempt_at: next_attempt_at.map(|at| at.to_string()),
            size_bytes: view.size_bytes,
            client: view.client.clone(),
        }
    }

    /// Why the letter is in the state it shows: the reason of the first recipient that is in it.
    pub(crate) fn because(&self, view: &SubmissionView, state: StateName) -> Option<String> {
        let is_held = |account| self.accounts.is_held(account);
        let first = view.recipients.iter().find(|it| it.state(is_held) == state)?;
        match &first.delivery {
            // None was chosen, and the letter knows why: in the words of `outbox explain`.
            Delivery::Held { because: HoldReason::NoAccount, .. } if view.account.is_none() => {
                Some(view.chosen_because.clone())
            }
            Delivery::Held { because, .. } => Some(because.to_string()),
            Delivery::Waiting { .. } | Delivery::Deferred { .. } if state == StateName::Held => {
                first.account.and_then(|account| self.accounts.held_reason(account))
            }
            // The provider lets the account in, and lets no letter out.
            Delivery::Waiting { .. } => {
                let found = first.account.and_then(|account| self.accounts.sending_diagnosis(account));
                found.map(|it| format!("{} {}", it.cause, it.cure))
            }
            Delivery::Deferred { because, .. } | Delivery::Failed { because } => {
                Some(in_words(self.accounts.providers().catalogue(), because))
            }
            Delivery::Sent | Delivery::Cancelled => None,
        }
    }

    /// What holds a letter, in a word: its own reason, or the status of the account it waits for.
    async fn held_by(
        &self,
        organisation: &Organisation,
        view: &SubmissionView,
    ) -> Result<Option<String>, Refusal> {
        let is_held = |account| self.accounts.is_held(account);
        let held = view.recipients.iter().find(|it| it.state(is_held) == StateName::Held);
        let Some(first) = held else { return Ok(None) };
        Ok(match (&first.delivery, first.account) {
            (Delivery::Held { because, .. }, _) => Some(because.word().to_owned()),
            (_, Some(account)) => {
                let status = self.accounts.status(organisation.id, account).await;
                Some(status.map_err(|error| self.refuse(error))?.status.word().to_owned())
            }
            (_, None) => None,
        })
    }

    /// The diagnosis behind that, if it is one: the letter's own, or that of the account it waits for.
    fn diagnosed(&self, view: &SubmissionView, state: StateName) -> Option<Diagnosis> {
        let is_held = |account| self.accounts.is_held(account);
        let first = view.recipients.iter().find(|it| it.state(is_held) == state)?;
        match &first.delivery {
            Delivery::Deferred { because, .. } | Delivery::Failed { because } if state != StateName::Held => {
                self.accounts.providers().catalogue().find(because).cloned()
            }
            Delivery::Waiting { .. } | Delivery::Deferred { .. } => {
                first.account.and_then(|account| self.accounts.sending_diagnosis(account))
            }
            Delivery::Held { .. } | Delivery::Failed { .. } | Delivery::Sent | Delivery::Cancelled => None,
        }
    }
}

/// A row names the diagnosis; people read what it says.
fn in_words(catalogue: &Catalogue, rule: &str) -> String {
    match catalogue.find(rule) {
        Some(it) => format!("{} {}", it.cause, it.cure),
        None => rule.to_owned(),
    }
}
