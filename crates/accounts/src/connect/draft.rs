//! One draft as its row has it.

use std::time::Duration;

use gatepost_core::{
    CredentialId, Diagnosis, DraftId, EmailAddress, MailAccountId, OrganisationId, PersonId, Timestamp,
};
use gatepost_providers::Catalogue;
use gatepost_store::{Row, Store, StoreError, params};
use serde::{Deserialize, Serialize};

use super::details::Details;
use super::error::ConnectError;
use super::{Whose, sql, steps};
use crate::check::Progress;

/// How long a draft waits for its next step.
const LIVES_FOR: Duration = Duration::from_hours(24);

/// A mailbox while it is being connected, or being signed in to again. Its secret is not part of it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Where the account is or is to be.
    pub organisation: OrganisationId,
    /// Who began it; none: a command.
    pub person: Option<PersonId>,
    /// The account that it is about, if there is one already.
    pub account: Option<MailAccountId>,
    /// What that account signed in with when this began.
    pub(crate) grant: Option<CredentialId>,
    /// What it said of itself then.
    pub(crate) was: Option<Details>,
    /// Raised by each change of what a check proves.
    pub revision: u64,
    /// What was said.
    pub details: Details,
    /// How far it is.
    pub state: DraftState,
    /// Why the last sign-in brought nothing.
    pub refused: Option<Refused>,
    /// The last check, as far as it went.
    pub progress: Option<Progress>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// How far a draft is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftState {
    /// There is nothing to sign in with yet.
    Open,
    /// There is, and it was not checked.
    HasSecret,
    /// A check is under way, until then at most.
    Checking(Timestamp),
    /// A check is over; its steps say how it went.
    Checked(Timestamp),
    /// It is an account.
    Finished(MailAccountId),
}

/// Why a sign-in at a provider brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Cause and cure.
    pub diagnosis: Diagnosis,
    /// The service's own words, without secrets. Hostile: escaped where they are shown.
    pub words: String,
    /// Who signed in, where that was somebody else than expected.
    pub other: Option<SomebodyElse>,
    /// The permissions that were not given, in the words of the service's page.
    pub missing: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// Who signed in instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SomebodyElse {
    /// Their address, where the service said it.
    pub address: Option<EmailAddress>,
    /// Issuer and subject.
    pub subject: (String, String),
}

/// As the column has it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct StoredRefused {
    pub(super) rule: String,
    pub(super) words: String,
    pub(super) address: Option<String>,
    pub(super) subject: Option<(String, String)>,
    pub(super) missing: Vec<String>,
    pub(super) at: i64,
}

impl StoredRefused {
    fn read(text: &str, catalogue: &Catalogue) -> Option<Refused> {
        let it: Self = serde_json::from_str(text).ok()?;
        let address = it.address.and_then(|it| it.parse().ok());
        Some(Refused {
            diagnosis: catalogue.find(&it.rule)?.clone(),
            words: it.words,
            other: it.subject.map(|subject| SomebodyElse { address, subject }),
            missing: it.missing,
            at: Timestamp::from_millis(it.at),
        })
    }
}

impl Draft {
    /// A new one; with the account and its grant where it is about one.
    pub(super) async fn insert(
        store: &Store,
        whose: Whose,
        details: Details,
        account: Option<(MailAccountId, Option<CredentialId>)>,
    ) -> Result<Self, StoreError> {
        let world = store.world().clone();
        let id = DraftId::new(&world);
        let now = world.now();
        let (account, grant) = account.map_or((None, None), |(id, grant)| (Some(id), grant));
        let draft = Self {
            id,
            organisation: whose.organisation,
            person: whose.person,
            account,
            grant,
            was: account.map(|_| details.clone()),
            revision: 1,
            details,
            state: DraftState::Open,
            refused: None,
            progress: None,
            created_at: now,
            expires_at: now + LIVES_FOR,
            sealed: None,
        };
        let it = draft.clone();
        let inserted = store.write(move |tx| {
            let (details, was) = (it.details.to_text(), it.was.as_ref().map(Details::to_text));
            let values = params![
                it.id,
                it.organisation,
                it.person,
                it.account,
                it.grant,
                was.as_deref(),
                &details,
                it.created_at,
                it.expires_at,
            ];
            tx.execute(&sql::INSERT_DRAFT, values)
        });
        inserted.await?;
        Ok(draft)
    }

    /// A check that has not ended in its time was cut off: it can begin again.
    pub(super) fn read(row: &Row, catalogue: &Catalogue, now: Timestamp) -> Result<Self, StoreError> {
        let contradiction = |column, expected| StoreError::Contradiction {
            statement: sql::FIND_DRAFT.name,
            column,
            expected,
        };
        let details = Details::read(&row.get::<String>(6)?).ok_or(contradiction(6, "a draft's details"))?;
        let was = row.get::<Option<String>>(15)?.and_then(|it| Details::read(&it));
        let refused = match row.get::<Option<String>>(8)? {
            Some(text) => StoredRefused::read(&text, catalogue),
            None => None,
        };
        let progress = match row.get::<Option<String>>(9)? {
            Some(text) => steps::read(&text, catalogue),
            None => None,
        };
        let account: Option<MailAccountId> = row.get(3)?;
        let sealed: Option<Vec<u8>> = row.get(7)?;
        let checking = row.get::<Option<Timestamp>>(10)?.filter(|until| *until > now);
        let checked: Option<Timestamp> = row.get(11)?;
        let state = match (row.get::<Option<Timestamp>>(14)?, account, checking, checked, &sealed) {
            (Some(_), Some(account), ..) => DraftState::Finished(account),
            (_, _, Some(until), ..) => DraftState::Checking(until),
            (_, _, None, Some(at), Some(_)) => DraftState::Checked(at),
            (_, _, None, None, Some(_)) => DraftState::HasSecret,
            _ => DraftState::Open,
        };
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            person: row.get(2)?,
            account,
            grant: row.get(4)?,
            was,
            revision: row.get(5)?,
            details,
            state,
            refused,
            progress,
            created_at: row.get(12)?,
            expires_at: row.get(13)?,
            sealed,
        })
    }

    /// What was said anew. What was proven stays if it does not depend on that; else all of it is gone, and sign-ins that
    /// are under way end.
    pub(super) async fn put_details(&self, store: &Store, details: Details) -> Result<(), ConnectError> {
        let (organisation, id, revision) = (self.organisation, self.id, self.revision);
        let is_proven = details.proves_the_same(&self.details);
        let text = details.to_text();
        let put = store.write(move |tx| {
            let statement = if is_proven { &sql::PUT_NAMES } else { &sql::PUT_DETAILS };
            let n = tx.execute(statement, params![organisation, id, revision, &text])?;
            if n == 1 && !is_proven {
                tx.execute(&sql::DELETE_FLOWS, params![organisation, id])?;
            }
            Ok::<_, StoreError>(n)
        });
        if put.await? == 1 { Ok(()) } else { Err(ConnectError::Changed) }
    }

    /// Notes why a sign-in brought nothing. What there was before it stays.
    pub(super) async fn put_refused(&self, store: &Store, refused: &StoredRefused) -> Result<(), StoreError> {
        let (organisation, id, revision) = (self.organisation, self.id, self.revision);
        let text = serde_json::to_string(refused).expect("texts and numbers can always be written as JSON");
        let put =
            store.write(move |tx| tx.execute(&sql::PUT_REFUSED, params![organisation, id, revision, &text]));
        put.await.map(drop)
    }
}
