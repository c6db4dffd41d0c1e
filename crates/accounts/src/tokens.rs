//! What a process needs to refresh tokens: the way to the services, and one refresh at a time for an account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gatepost_core::MailAccountId;
use gatepost_providers::OAuthClient;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::credential::Used;

/// Shared by all clones of the accounts.
pub(crate) struct Tokens {
    pub(crate) oauth: OnceLock<OAuthClient>,
    /// Names this process in claims.
    pub(crate) owner: Uuid,
    /// Refreshes, and grants that are given back. They end by themselves, whoever began them.
    pub(crate) tasks: TaskTracker,
    flights: Mutex<HashMap<MailAccountId, Arc<tokio::sync::Mutex<()>>>>,
    unproven: Mutex<HashMap<MailAccountId, Used>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            oauth: OnceLock::new(),
            owner: Uuid::new_v4(),
            tasks: TaskTracker::new(),
            flights: Mutex::default(),
            unproven: Mutex::default(),
        }
    }
}

impl Tokens {
    /// The turn of one account. Those that nobody waits for are forgotten now and then.
    pub(crate) fn flight(&self, id: MailAccountId) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.len() >= 1_024 {
            flights.retain(|_, it| Arc::strong_count(it) > 1);
        }
        Arc::clone(flights.entry(id).or_default())
    }

    /// An access token was handed out whose generation has not signed in yet.
    pub(crate) fn await_proof(&self, id: MailAccountId, by: Used) {
        self.unproven().insert(id, by);
    }

    /// Whether a sign-in with it that succeeds has to be written down.
    pub(crate) fn is_proof_awaited(&self, id: MailAccountId, by: Used) -> bool {
        self.unproven().get(&id) == Some(&by)
    }

    /// It was written down.
    pub(crate) fn proof_came(&self, id: MailAccountId, by: Used) {
        let mut unproven = self.unproven();
        if unproven.get(&id) == Some(&by) {
            unproven.remove(&id);
        }
    }

    fn unproven(&self) -> MutexGuard<'_, HashMap<MailAccountId, Used>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
