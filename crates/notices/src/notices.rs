//! The task that carries notices out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gatepost_accounts::Accounts;
use gatepost_core::{LinkId, OrganisationId, SecretText};
use gatepost_delivery::Outbox;
use gatepost_identity::{Identity, IdentityError};
use gatepost_journal::{
    DueNotice, OpenNotice, due_notices, notice_done, notice_given_up, notice_waits, take_notice,
};
use gatepost_store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::schedule::{ACCOUNT_AGAIN, LONGEST_TRY, due_time, retry_delay};
use crate::submit::{Submitted, Trouble};
use crate::texts::Texts;

/// How often it looks without being rung for: what another node or a command wrote down waits no longer.
const TICK: Duration = Duration::from_secs(3);

/// Notices of one look into the table.
const BATCH: u32 = 50;

type Issued = Result<Option<SecretText>, IdentityError>;

/// Makes the token of a link, as text.
pub(crate) type Issue =
    Box<dyn Fn(OrganisationId, LinkId) -> Pin<Box<dyn Future<Output = Issued> + Send>> + Send + Sync>;

/// Carries notices out. Cheap to clone; one clone runs, the others ring.
#[derive(Clone)]
pub struct Notices(Arc<Desk>);

/// What lies at hand.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) outbox: Outbox,
    pub(crate) accounts: Accounts,
    pub(crate) identity: Identity,
    pub(crate) issue: Issue,
    pub(crate) texts: Texts,
    /// Without a slash at its end.
    pub(crate) public_url: String,
    bell: Notify,
}

impl Notices {
    /// Ready to run. `public_url` is where people reach the portal, such as `https://gatepost.example.org`: links begin with it.
    #[must_use]
    pub fn new(
        store: &Store,
        outbox: &Outbox,
        accounts: &Accounts,
        identity: &Identity,
        public_url: &str,
    ) -> Self {
        let links = identity.clone();
        let issue: Issue = Box::new(move |organisation, link| {
            let links = links.clone();
            Box::pin(async move {
                let token = links.issue_link(organisation, link).await?;
                Ok(token.map(|it| SecretText::new(it.reveal().to_owned())))
            })
        });
        Self::with_links(store, outbox, accounts, (identity, issue), public_url)
    }

    /// The same with tokens from elsewhere.
    pub(crate) fn with_links(
        store: &Store,
        outbox: &Outbox,
        accounts: &Accounts,
        (identity, issue): (&Identity, Issue),
        public_url: &str,
    ) -> Self {
        Self(Arc::new(Desk {
            store: store.clone(),
            outbox: outbox.clone(),
            accounts: accounts.clone(),
            identity: identity.clone(),
            issue,
            texts: Texts::english(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            bell: Notify::new(),
        }))
    }

    /// A notice has just been written down: it leaves now instead of within some seconds.
    pub fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Carries out what is due until stopped; a notice in hand is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticker = tokio::time::interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // All of these may be dropped half-way: the bell keeps that it was rung, ticks come again.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.bell.notified() => {}
                _ = ticker.tick() => {}
            }
            if let Err(error) = self.look(&stop).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "notices to people cannot be read; they leave later"
                );
            }
        }
    }

    /// Carries out everything that is due.
    pub(crate) async fn look(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        loop {
            let time = due_time(self.0.store.world().now());
            let due = due_notices(&self.0.store, time, BATCH).await?;
            for one in &due {
                if stop.is_cancelled() {
                    return Ok(());
                }
                self.carry_out(*one).await?;
            }
            // Each of these was put off, done, or taken by another node; fewer than asked for were all.
            if due.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// One notice, from "due" to what became of it.
    async fn carry_out(&self, due: DueNotice) -> Result<(), StoreError> {
        let notice = match self.take(due).await {
            Ok(Some(notice)) => notice,
            Ok(None) => return Ok(()),
            // It is put off, and those behind it leave.
            Err(error @ StoreError::Contradiction { .. }) => {
                tracing::error!(notice.id = %due.id, %error, "a notice cannot be read");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let submitted = tokio::time::timeout(LONGEST_TRY, self.submit(&notice)).await;
        self.conclude(due, &notice, submitted.unwrap_or(Err(Trouble::TooLong))).await
    }

    /// Takes it in hand; the next try is written down before this one begins.
    pub(crate) async fn take(&self, due: DueNotice) -> Result<Option<OpenNotice>, StoreError> {
        let now = self.0.store.world().now();
        let next_try_at = now + retry_delay(due.n_tries.saturating_add(1));
        take_notice(&self.0.store, due, due_time(now), next_try_at).await
    }

    /// The second half of carrying a notice out: what became of it is written down.
    pub(crate) async fn conclude(
        &self,
        due: DueNotice,
        notice: &OpenNotice,
        submitted: Result<Submitted, Trouble>,
    ) -> Result<(), StoreError> {
        let (store, now, kind) = (&self.0.store, self.0.store.world().now(), notice.kind);
        match submitted {
            Ok(Submitted::InOutbox) => notice_done(store, notice.due).await,
            // Not counted as a try: it costs nothing, and whoever connects an account waits for the letter to leave.
            Ok(Submitted::NoAccount(because)) => notice_waits(store, due, because, now + ACCOUNT_AGAIN).await,
            Ok(Submitted::Over(because)) => {
                tracing::warn!(notice.id = %due.id, %kind, because, "a notice was given up");
                notice_given_up(store, notice, because, None).await
            }
            Err(error) => {
                tracing::error!(notice.id = %due.id, %kind, %error, "a notice cannot leave yet");
                let next_try_at = now + retry_delay(notice.due.n_tries);
                notice_waits(store, notice.due, error.to_string(), next_try_at).await
            }
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0
    }
}
