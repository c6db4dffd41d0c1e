//! What all sessions share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_accounts::{Accounts, Reach, ReadingProtocol, Target};
use gatepost_core::World;
use gatepost_identity::{RevocationWatch, SignIns, SignedIn};
use gatepost_net::ServerTls;
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::open::OpenConnections;
use crate::places::Places;

/// How often accounts with open connections are looked at: what was paused ends within a second.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the doors stand on.
pub struct Stands {
    /// Hands mailboxes out.
    pub accounts: Accounts,
    /// What a login points at, as accounts are chosen by it.
    pub target: fn(&SignedIn) -> Target,
    /// The way to providers.
    pub reach: Reach,
    /// Checks app passwords.
    pub sign_ins: Arc<SignIns>,
    /// Says when a session has to end.
    pub watch: RevocationWatch,
    /// For STARTTLS and STLS.
    pub tls: ServerTls,
    /// Time.
    pub world: World,
    /// Ends all sessions.
    pub stop: CancellationToken,
}

/// What both doors share: one for all connections.
pub struct Gateway {
    pub(crate) stands: Stands,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
    pub(crate) open: OpenConnections,
    n_sessions: AtomicU64,
}

impl Gateway {
    /// With no sessions yet.
    #[must_use]
    pub fn new(stands: Stands, settings: Settings, open: OpenConnections) -> Arc<Self> {
        Arc::new(Self { stands, settings, places: Places::default(), open, n_sessions: AtomicU64::new(0) })
    }

    /// A number for a session, for the log.
    pub(crate) fn next_session(&self) -> u64 {
        self.n_sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends connections whose account was paused, removed or signed in to anew; until `stop`.
    pub async fn watch_accounts(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            for (organisation, account, used) in self.open.signed_in() {
                match self.stands.accounts.may_read_on(organisation, account, used).await {
                    Ok(Some(because)) => self.open.end_all(account, used, because),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::debug!(%error, "accounts cannot be looked at; what is open stays so");
                        break;
                    }
                }
            }
        }
    }

    /// How many sessions an app password may have from there.
    pub(crate) fn most_sessions(&self, protocol: ReadingProtocol, source: std::net::IpAddr) -> u32 {
        let [imap, pop3] = &self.settings.exempt_networks;
        let [by_imap, by_pop3] = self.settings.sessions_per_app_password;
        let (exempt, most) = match protocol {
            ReadingProtocol::Imap => (imap, by_imap),
            ReadingProtocol::Pop3 => (pop3, by_pop3),
        };
        let is_exempt = source.is_loopback() || exempt.iter().any(|it| it.contains(source));
        if is_exempt { u32::MAX } else { most }
    }

    pub(crate) const fn idle(&self, protocol: ReadingProtocol) -> Duration {
        match protocol {
            ReadingProtocol::Imap => self.settings.spans.imap_idle,
            ReadingProtocol::Pop3 => self.settings.spans.pop3_idle,
        }
    }
}
