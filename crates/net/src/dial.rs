//! Dialling a provider.

mod allowed;
mod guard;
mod resolve;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

pub use allowed::{AllowedNetwork, AllowedNetworkError};
pub use guard::{Errand, Forbidden, Guard, Permit};
pub use resolve::{MailExchanger, Resolver};

use crate::connection::Connection;
use crate::host::Host;

/// How long connecting may take in all, addresses tried in turn (SC-6).
pub const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// Dials hosts that people typed in. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    resolver: Arc<Resolver>,
    guard: Arc<Guard>,
    connect_within: Duration,
}

/// A connection, and what the guard said of its other end.
pub struct Dialled {
    /// The connection, still without TLS.
    pub connection: Connection,
    /// The address that was judged and dialled.
    pub address: SocketAddr,
    /// Why it was allowed.
    pub permit: Permit,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("there is no host named {host}: check its spelling")]
    NotFound {
        /// The name.
        host: String,
    },
    /// The name servers did not answer, or with an error.
    #[error("the address of {host} could not be found out: {reason}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// The guard refused one of the addresses.
    #[error("{host} is not dialled: {because}")]
    Forbidden {
        /// Name or address, as it was asked for.
        host: Host,
        /// Which address, and why.
        because: Forbidden,
    },
    /// No address took the connection.
    #[error("no connection to {host} port {port} at the address {}", address.ip())]
    Unreachable {
        /// Name or address, as it was asked for.
        host: Host,
        /// The port.
        port: u16,
        /// The last address tried.
        address: SocketAddr,
        /// What the last address tried gave.
        #[source]
        source: io::Error,
    },
    /// No address answered in time.
    #[error("{host} port {port} did not answer within {} seconds", within.as_secs())]
    TimedOut {
        /// Name or address, as it was asked for.
        host: Host,
        /// The port.
        port: u16,
        /// How long we waited.
        within: Duration,
    },
}

impl Dialer {
    /// A dialler with the usual patience.
    #[must_use]
    pub fn new(resolver: Resolver, guard: Arc<Guard>) -> Self {
        Self { resolver: Arc::new(resolver), guard, connect_within: CONNECT_WITHIN }
    }

    /// The same, giving up sooner or later.
    #[must_use]
    pub fn with_patience(self, connect_within: Duration) -> Self {
        Self { connect_within, ..self }
    }

    /// The guard, to make own listeners known to it.
    #[must_use]
    pub fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }

    /// Connects to `host`. Its addresses are looked up once, all of them are judged, and one of those is dialled: a name
    /// whose answer changes between judging and dialling gains nothing (WH-2).
    pub async fn dial(&self, host: &Host, port: u16) -> Result<Dialled, DialError> {
        let deadline = Instant::now() + self.connect_within;
        let timed_out = || DialError::TimedOut { host: host.clone(), port, within: self.connect_within };
        let addresses =
            timeout_at(deadline, self.vet(host, port)).await.map_err(|_elapsed| timed_out())??;
        let mut last_failure = None;
        let n_addresses = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for (n_tried, (address, permit)) in (0..).zip(addresses) {
            // Each address gets its share of what time is left, so that one that is silent does not hide the next.
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / n_addresses.saturating_sub(n_tried).max(1);
            match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    let connection = Connection::from_tcp(socket).map_err(|source| {
                        DialError::Unreachable { host: host.clone(), port, address, source }
                    })?;
                    return Ok(Dialled { connection, address, permit });
                }
                Ok(Err(error)) => last_failure = Some((address, error)),
                Err(_elapsed) => {}
            }
        }
        Err(last_failure.map_or_else(timed_out, |(address, source)| DialError::Unreachable {
            host: host.clone(),
            port,
            address,
            source,
        }))
    }

    /// Looks up who takes the mail of `domain`. Letters do not leave that way; it tells where a mailbox lives.
    pub async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, DialError> {
        self.resolver.mail_exchangers(domain).await
    }

    /// Looks `host` up and judges all its addresses; one that is forbidden forbids the host.
    pub async fn vet(&self, host: &Host, port: u16) -> Result<Vec<(SocketAddr, Permit)>, DialError> {
        self.vet_for(Errand::Mail, host, port).await
    }

    /// The same for whoever makes the connection itself: it must go to one of these addresses.
    pub async fn vet_for(
        &self,
        errand: Errand,
        host: &Host,
        port: u16,
    ) -> Result<Vec<(SocketAddr, Permit)>, DialError> {
        let addresses = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolver.look_up(name).await?,
        };
        addresses
            .into_iter()
            .map(|ip| {
                let address = SocketAddr::new(ip, port);
                let permit = self
                    .guard
                    .check_for(errand, address)
                    .map_err(|because| DialError::Forbidden { host: host.clone(), because })?;
                Ok((address, permit))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
