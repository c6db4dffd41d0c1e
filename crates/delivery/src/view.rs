//! The outbox as people and programs see it.

use std::collections::HashMap;

use gatepost_core::{
    AttemptId, EmailAddress, LoginId, MailAccountId, OrganisationId, SubmissionId, Timestamp,
};
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::sql;
use crate::state::{Delivery, StateName};
use crate::submission::{Origin, RecipientRow, Submission};

/// One letter.
#[derive(Clone, Debug)]
pub struct SubmissionView {
    /// Its id.
    pub id: SubmissionId,
    /// Who handed it in.
    pub origin: Origin,
    /// Its Message-ID.
    pub message_id: String,
    /// The account it leaves by.
    pub account: Option<MailAccountId>,
    /// Why that account was chosen.
    pub chosen_because: String,
    /// MAIL FROM; `None` for a bounce.
    pub from: Option<EmailAddress>,
    /// The address of the application.
    pub client: String,
    /// Plain bytes.
    pub size_bytes: u64,
    /// To whom, in order.
    pub recipients: Vec<RecipientView>,
    /// What was tried, oldest first; empty in lists.
    pub attempts: Vec<AttemptView>,
    /// When the application was told 250.
    pub accepted_at: Timestamp,
    /// When the last recipient was done with.
    pub finished_at: Option<Timestamp>,
    /// When its text was erased.
    pub body_erased_at: Option<Timestamp>,
}

/// One recipient of it.
#[derive(Clone, Debug)]
pub struct RecipientView {
    /// Where to.
    pub address: EmailAddress,
    /// By which account.
    pub account: Option<MailAccountId>,
    /// Where it stands.
    pub delivery: Delivery,
    /// Whether an attempt has it in hand.
    pub is_in_hand: bool,
    /// Whether it may have arrived once more than is known.
    pub is_uncertain: bool,
    /// The provider's last words about it.
    pub reply: Option<Vec<u8>>,
}

/// One try, for one recipient.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// When it ended, or began if it has not.
    pub at: Timestamp,
    /// For whom.
    pub recipient: EmailAddress,
    /// sent, deferred, failed, uncertain, released, or "running".
    pub result: String,
    /// The provider's words.
    pub reply: Option<Vec<u8>>,
}

/// Letters letters to list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Only those with a recipient in this state.
    pub state: Option<StateName>,
    /// Only those older than this one.
    pub before: Option<SubmissionId>,
    /// At most so many.
    pub limit: u32,
}

/// One letter with its time line.
pub(crate) async fn show(
    store: &Store,
    organisation: OrganisationId,
    id: SubmissionId,
) -> Result<Option<SubmissionView>, StoreError> {
    store
        .read(move |tx| match tx.row(&sql::FIND_SUBMISSION, params![organisation, id])? {
            Some(row) => view(tx, organisation, &Submission::try_from(&row)?, Detail::TimeLine).map(Some),
            None => Ok(None),
        })
        .await
}

/// Letters, newest first, without their time lines.
pub(crate) async fn list(
    store: &Store,
    organisation: OrganisationId,
    filter: Filter,
) -> Result<Vec<SubmissionView>, StoreError> {
    store
        .read(move |tx| {
            let newest = SubmissionId::from_uuid(gatepost_core::LARGEST_ID);
            let before = filter.before.unwrap_or(newest);
            let rows = match filter.state {
                Some(
                    state
                    @ (StateName::Deferred | StateName::Held | StateName::Failed | StateName::Cancelled),
                ) => tx.rows(
                    &sql::LIST_SUBMISSIONS_BY_STATE,
                    params![organisation, state.word(), before, filter.limit],
                )?,
                _ => tx.rows(&sql::LIST_SUBMISSIONS, params![organisation, before, filter.limit])?,
            };
            rows.iter()
                .map(|row| view(tx, organisation, &Submission::try_from(row)?, Detail::LastReplies))
                .collect()
        })
        .await
}

/// Letters letters to page through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// All of the organisation.
    All,
    /// Those with a recipient who is not done with.
    Open,
    /// Those that came by one login.
    OfLogin(LoginId),
}

/// Letters, newest first, without their time lines, older than `before`. Each kind has an index, so a page costs the same however
/// many letters there are.
pub(crate) async fn page(
    store: &Store,
    organisation: OrganisationId,
    which: Letters,
    before: Option<SubmissionId>,
    limit: u32,
) -> Result<Vec<SubmissionView>, StoreError> {
    store
        .read(move |tx| {
            let newest = SubmissionId::from_uuid(gatepost_core::LARGEST_ID);
            let before = before.unwrap_or(newest);
            let rows = match which {
                Letters::All => tx.rows(&sql::LIST_SUBMISSIONS, params![organisation, before, limit])?,
                Letters::Open => {
                    tx.rows(&sql::LIST_OPEN_SUBMISSIONS, params![organisation, before, limit])?
                }
                Letters::OfLogin(login) => {
                    tx.rows(&sql::LIST_SUBMISSIONS_OF_LOGIN, params![organisation, login, before, limit])?
                }
            };
            rows.iter()
                .map(|row| view(tx, organisation, &Submission::try_from(row)?, Detail::LastReplies))
                .collect()
        })
        .await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    LastReplies,
    TimeLine,
}

fn view(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    letter: &Submission,
    detail: Detail,
) -> Result<SubmissionView, StoreError> {
    let rows = tx.rows(&sql::LIST_DELIVERIES, params![organisation, letter.id])?;
    let rows: Vec<RecipientRow> = rows.iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    let address_of: HashMap<u32, &EmailAddress> =
        rows.iter().map(|row| (row.ordinal, &row.recipient.address)).collect();
    let mut attempts: Vec<AttemptView> = Vec::new();
    let mut last_reply: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut answered: Vec<AttemptId> = Vec::new();
    for row in tx.rows(&sql::LIST_OUTCOMES, params![organisation, letter.id])? {
        let (ordinal, reply) = (row.get::<u32>(1)?, row.get::<Option<Vec<u8>>>(4)?);
        answered.push(row.get(0)?);
        if let Some(reply) = &reply {
            last_reply.insert(ordinal, reply.clone());
        }
        if let Some(recipient) = address_of.get(&ordinal) {
            let recipient = (*recipient).clone();
            attempts.push(AttemptView { at: row.get(2)?, recipient, result: row.get(3)?, reply });
        }
    }
    if detail == Detail::TimeLine {
        for row in tx.rows(&sql::LIST_ATTEMPTS, params![organisation, letter.id])? {
            if answered.contains(&row.get(0)?) {
                continue;
            }
            for it in rows.iter().filter(|it| it.is_in_hand) {
                let recipient = it.recipient.address.clone();
                attempts.push(AttemptView {
                    at: row.get(1)?,
                    recipient,
                    result: "running".into(),
                    reply: None,
                });
            }
        }
    } else {
        attempts.clear();
    }
    Ok(SubmissionView {
        id: letter.id,
        origin: letter.origin,
        message_id: letter.message_id.clone(),
        account: rows.first().and_then(|row| row.account),
        chosen_because: letter.chosen_because.clone(),
        from: letter.reverse_path.address().cloned(),
        client: letter.client.clone(),
        size_bytes: letter.size_bytes,
        recipients: rows
            .iter()
            .map(|row| RecipientView {
                address: row.recipient.address.clone(),
                account: row.account,
                delivery: row.delivery.clone(),
                is_in_hand: row.is_in_hand,
                is_uncertain: row.is_uncertain,
                reply: last_reply.remove(&row.ordinal),
            })
            .collect(),
        attempts,
        accepted_at: letter.accepted_at,
        finished_at: letter.finished_at,
        body_erased_at: letter.body_erased_at,
    })
}

impl SubmissionView {
    /// The state a letter shows: the first in the order of [`StateName::ALL`] that any recipient is in. `is_held` says
    /// whether an account holds its mail; a waiting or deferred recipient of such an account shows as held.
    #[must_use]
    pub fn state(&self, is_held: impl Fn(MailAccountId) -> bool) -> StateName {
        let shown = |it: &RecipientView| it.state(&is_held);
        StateName::ALL
            .into_iter()
            .find(|name| self.recipients.iter().any(|it| shown(it) == *name))
            .unwrap_or(StateName::Sent)
    }

    /// When it is tried next, if it is: the earliest of its recipients.
    #[must_use]
    pub fn next_attempt_at(&self) -> Option<Timestamp> {
        let due = |it: &RecipientView| match &it.delivery {
            Delivery::Waiting { .. } => Some(self.accepted_at),
            Delivery::Deferred { next_attempt_at, .. } => Some(*next_attempt_at),
            _ => None,
        };
        self.recipients.iter().filter_map(due).min()
    }
}

impl RecipientView {
    /// The state this recipient shows.
    pub fn state(&self, is_held: impl Fn(MailAccountId) -> bool) -> StateName {
        match self.delivery.name() {
            StateName::Waiting | StateName::Deferred if self.account.is_some_and(&is_held) => StateName::Held,
            name => name,
        }
    }
}
