//! What a process needs to refresh tokens: the way to the services, and one refresh at a time for an account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gatepost_core::MailAccountId;
use gatepost_providers::OAuthClient;
use uuid::Uuid;

/// Shared by all clones of the accounts.
pub(crate) struct Tokens {
    pub(crate) oauth: OnceLock<OAuthClient>,
    /// Names this process in claims.
    pub(crate) owner: Uuid,
    flights: Mutex<HashMap<MailAccountId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { oauth: OnceLock::new(), owner: Uuid::new_v4(), flights: Mutex::default() }
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
}
