//! Taking connections in.

mod admission;
mod listener;
mod proxy_protocol;

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use gatepost_core::Network;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use admission::Refusal;
pub use admission::{Admission, Counts, Limits, Ticket};
pub use listener::{BindError, Listener};

use crate::connection::Connection;
use crate::tls::{Protocols, ServerTls};

/// How long a TLS handshake may take (SS-11).
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long a trusted proxy may take to say whom it brings (SS-21).
const PROXY_HEADER_WITHIN: Duration = Duration::from_secs(5);

/// What talks to the clients of a door. One for all its connections.
pub trait Service: Send + Sync + 'static {
    /// Talks until the session is over. What is queued and not flushed when it returns is still sent.
    fn talk<'a>(
        &'a self,
        connection: &'a mut Connection,
        ticket: &'a Ticket,
    ) -> impl Future<Output = ()> + Send + 'a;

    /// The last line to someone who is not let in, or whose session cannot go on; empty for none.
    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]>;
}

/// Why a session ends that did not end itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// This source has too many connections, or opens them too fast.
    TooManyFromHere,
    /// The door is full.
    Full,
    /// A mistake of ours ended the session. Not said where something was passed on before.
    Panicked,
}

/// A listener and the rules of its door.
pub struct Door {
    /// Where connections arrive.
    pub listener: Listener,
    /// TLS from the first byte, with the names for ALPN; none where the session starts in the clear.
    pub implicit_tls: Option<(ServerTls, Protocols)>,
    /// Proxies that say in a PROXY header whom they bring. From anyone else such a header is rubbish, and from these
    /// nothing else is taken (SS-21).
    pub proxies: Vec<Network>,
}

/// Takes connections in until `stop`, each in a task of `sessions`. Returns once it listens no more; sessions may still run.
pub async fn serve<S: Service>(
    door: Door,
    service: Arc<S>,
    admission: Arc<Admission>,
    sessions: TaskTracker,
    stop: CancellationToken,
) {
    // The listening socket is not shared with the sessions: it must close when listening ends, not when they do.
    let Door { listener, implicit_tls, proxies } = door;
    let implicit_tls = implicit_tls.map(Arc::new);
    let mut pause = Duration::ZERO;
    loop {
        let accepted = tokio::select! {
            // Accepting may be dropped: a connection is taken from the queue only when it completes.
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                pause = Duration::ZERO;
                let arrival = Arrival {
                    implicit_tls: implicit_tls.clone(),
                    service: service.clone(),
                    admission: admission.clone(),
                };
                if proxies.iter().any(|proxy| proxy.contains(peer.ip())) {
                    sessions.spawn(arrival.receive_through_proxy(socket));
                } else {
                    match admission.admit(peer.ip()) {
                        Ok(ticket) => {
                            sessions.spawn(arrival.receive(socket, ticket));
                        }
                        Err(refusal) => arrival.turn_away(&socket, refusal),
                    }
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: whoever waits stays in the queue. Trying on at once would only spin.
                pause = (pause * 2).clamp(Duration::from_millis(50), Duration::from_secs(1));
                tracing::warn!(address = %listener.address(), %error, "cannot take connections in for now");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

/// The client gave up between connecting and being accepted (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// One connection on its way in.
struct Arrival<S> {
    implicit_tls: Option<Arc<(ServerTls, Protocols)>>,
    service: Arc<S>,
    admission: Arc<Admission>,
}

impl<S: Service> Arrival<S> {
    /// Says why, if it can be said in the clear and at once, and closes.
    fn turn_away(&self, socket: &TcpStream, refusal: Refusal) {
        if self.implicit_tls.is_none() {
            // A new socket's buffer is empty: a line always fits, or the client is gone.
            let _said = socket.try_write(&self.service.farewell(refusal.farewell()));
        }
    }

    async fn receive(self, socket: TcpStream, ticket: Ticket) {
        if let Ok(connection) = Connection::from_tcp(socket) {
            self.converse(connection, ticket).await;
        }
    }

    /// The source is known only once the proxy has named it; until then its own connections are not counted.
    async fn receive_through_proxy(self, socket: TcpStream) {
        let Ok(mut connection) = Connection::from_tcp(socket) else { return };
        let deadline = Instant::now() + PROXY_HEADER_WITHIN;
        match proxy_protocol::read(&mut connection, deadline).await {
            Ok(Some(client)) => connection.set_peer(client),
            // The proxy speaks for itself, to see whether we live.
            Ok(None) => {}
            Err(error) => {
                tracing::info!(proxy = %connection.peer(), %error, "closed");
                return;
            }
        }
        match self.admission.admit(connection.peer().ip()) {
            Ok(ticket) => self.converse(connection, ticket).await,
            Err(refusal) if self.implicit_tls.is_none() => {
                connection.part(&self.service.farewell(refusal.farewell())).await;
            }
            Err(_) => {}
        }
    }

    async fn converse(self, mut connection: Connection, ticket: Ticket) {
        if let Some((tls, protocols)) = self.implicit_tls.as_deref() {
            let deadline = Instant::now() + HANDSHAKE_WITHIN;
            if let Err(error) = connection.start_tls_server(tls, protocols, deadline).await {
                // ALPN's name, which is the protocol's.
                let protocol = protocols.first();
                tracing::info!(peer = %connection.peer(), door = %connection.local(), protocol, %error, "TLS did not begin");
                return;
            }
        } else {
            connection.expect_text();
        }
        // A session is not used again after a panic, so nothing can see it half-changed.
        let talked = {
            let mut talking = pin!(self.service.talk(&mut connection, &ticket));
            poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| talking.as_mut().poll(context))) {
                Ok(poll) => poll.map(Ok),
                Err(_panic) => Poll::Ready(Err(())),
            })
            .await
        };
        let farewell = match talked {
            Ok(()) => Cow::Borrowed(&[][..]),
            Err(()) => {
                // SS-22. The panic's own message and place were printed by the panic hook.
                self.admission.count_panic();
                tracing::error!(peer = %connection.peer(), "a session ended by a mistake in this program");
                if connection.has_passed_on() {
                    // Who knew whether a line may begin is gone: within a message the words would become a part of it.
                    Cow::Borrowed(&[][..])
                } else {
                    self.service.farewell(Farewell::Panicked)
                }
            }
        };
        connection.part(&farewell).await;
    }
}

impl Refusal {
    const fn farewell(self) -> Farewell {
        match self {
            Self::TooMany | Self::TooFast => Farewell::TooManyFromHere,
            Self::Full => Farewell::Full,
        }
    }
}

/// Where a door is, for logs and the address guard.
impl Door {
    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }
}

#[cfg(test)]
mod tests;
