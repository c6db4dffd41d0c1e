//! What sessions of all three protocols have in common.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use gatepost_net::{Connection, Farewell, Protocols};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fault::{FaultReply, Occasion, Outcome};
use crate::provider::Provider;

/// How long a reply may take to leave.
const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// How long a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Errors in one session.
pub(crate) const MOST_ERRORS: u32 = 20;

/// How a session ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// What there was to say has been queued or sent.
    Said,
    /// Without another word.
    Cut,
    /// From outside: the account was signed out, or the sandbox stops.
    SignedOut,
}

/// A step of a session: go on, or end.
pub(crate) type Step<T = ()> = Result<T, Ending>;

/// A session; its connection belongs to the caller, who ends it.
pub(crate) trait Conversation {
    /// Greets, and answers until the end.
    async fn talk(&mut self) -> Step<Infallible>;

    /// Who is spoken for, and the way to whom it is said.
    fn both_ends(&mut self) -> (&Arc<Provider>, &mut Connection);

    /// Talks until the end.
    async fn run(&mut self) -> Ending {
        let Err(ending) = self.talk().await;
        if ending == Ending::Cut {
            // What was said before the cut has been said.
            let _gone = self.flush().await;
        }
        ending
    }

    /// What was queued leaves.
    async fn flush(&mut self) -> Step {
        let (_, connection) = self.both_ends();
        connection.flush(Instant::now() + WRITE_WITHIN).await.map_err(|_gone| Ending::Cut)
    }

    /// Turns TLS on, once the client was told to begin.
    async fn begin_tls(&mut self, protocols: Protocols) -> Step {
        self.flush().await?;
        let (provider, connection) = self.both_ends();
        let deadline = Instant::now() + HANDSHAKE_WITHIN;
        let turned = connection.start_tls_server(&provider.tls, protocols, deadline).await;
        turned.map_err(|error| {
            tracing::info!(peer = %connection.peer(), %error, "no TLS");
            Ending::Cut
        })
    }

    /// Lets a fault strike on this occasion. Gives the reply that takes the place of the usual one, if there is one.
    async fn suffer(&mut self, occasion: &Occasion<'_>) -> Step<Option<FaultReply>> {
        let struck = self.both_ends().0.faults.strike(occasion);
        if !struck.wait.is_zero() {
            self.flush().await?;
            tokio::time::sleep(struck.wait).await;
        }
        match struck.outcome {
            Some(Outcome::Cut) => Err(Ending::Cut),
            Some(Outcome::Reply(reply)) => Ok(Some(reply)),
            None => Ok(None),
        }
    }
}

/// Lets a session run until it ends, or is ended from outside. It may be dropped at any point.
pub(crate) async fn run_until(ends: &CancellationToken, running: impl Future<Output = Ending>) -> Ending {
    tokio::select! {
        biased;
        () = ends.cancelled() => Ending::SignedOut,
        ending = running => ending,
    }
}

/// Why a session is over that neither side has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parting {
    SignedOut,
    Stopping,
    Full,
    Panicked,
}

impl Parting {
    /// What there is to say of it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::SignedOut => "Signed out: sign in again",
            Self::Stopping => "The sandbox is stopping",
            Self::Full => "Too many connections",
            Self::Panicked => "The sandbox made a mistake",
        }
    }
}

impl From<Farewell> for Parting {
    fn from(why: Farewell) -> Self {
        match why {
            Farewell::TooManyFromHere | Farewell::Full => Self::Full,
            Farewell::Panicked => Self::Panicked,
        }
    }
}

impl Ending {
    /// Takes leave of whoever is connected, in the words of the protocol.
    pub(crate) async fn part(
        self,
        connection: &mut Connection,
        stop: &CancellationToken,
        words: fn(Parting) -> Vec<u8>,
    ) {
        let why = if stop.is_cancelled() { Parting::Stopping } else { Parting::SignedOut };
        match self {
            Self::Cut => connection.cut(),
            Self::Said => {}
            Self::SignedOut => connection.part(&words(why)).await,
        }
    }
}
