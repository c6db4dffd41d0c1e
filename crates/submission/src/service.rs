//! The server as the binary sees it: made once, and handed to [`gatepost_net::serve`] for each of its doors.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_core::World;
use gatepost_delivery::Outbox;
use gatepost_identity::{RevocationWatch, SignIns};
use gatepost_net::{Connection, Farewell, Protocols, ServerTls, Service, Ticket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::free_space::FreeSpace;
use crate::reply;
use crate::sending_rate::SendingRates;
use crate::session::Session;
use crate::{ChooseAccount, Settings};

/// The name this protocol has in ALPN, for doors with TLS from the first byte (SS-12).
pub const APPLICATION_PROTOCOLS: Protocols = &["smtp"];

/// What the server stands on.
pub struct Stands {
    /// Keeps letters.
    pub outbox: Outbox,
    /// Checks app passwords.
    pub sign_ins: Arc<SignIns>,
    /// Says when a session has to end.
    pub watch: RevocationWatch,
    /// For STARTTLS.
    pub tls: ServerTls,
    /// Time, and ids.
    pub world: World,
    /// Ends all sessions, each where it is safe.
    pub stop: CancellationToken,
}

/// The submission server: one for all its connections and doors.
pub struct Submission<C> {
    pub(crate) stands: Stands,
    pub(crate) accounts: C,
    pub(crate) settings: Settings,
    pub(crate) rates: SendingRates,
    pub(crate) free_space: FreeSpace,
    /// A place for each message that is being read.
    pub(crate) places: Arc<Semaphore>,
    n_sessions: AtomicU64,
}

impl<C: ChooseAccount> Submission<C> {
    /// A server with no sessions yet.
    #[must_use]
    pub fn new(stands: Stands, accounts: C, settings: Settings) -> Self {
        Self {
            stands,
            accounts,
            rates: SendingRates::new(settings.caps),
            free_space: FreeSpace::new(&settings.keep_free, settings.max_message_bytes),
            places: Arc::new(Semaphore::new(settings.max_letters_at_once.min(Semaphore::MAX_PERMITS))),
            settings,
            n_sessions: AtomicU64::new(0),
        }
    }
}

impl<C: ChooseAccount> Service for Submission<C> {
    async fn talk(&self, connection: &mut Connection, ticket: &Ticket) {
        let number = self.n_sessions.fetch_add(1, Ordering::Relaxed) + 1;
        Session::new(self, connection, ticket, number).talk().await;
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(reply::farewell(why).to_bytes())
    }
}
