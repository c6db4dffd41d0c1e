//! How a command reaches the running server: a Unix socket in the data folder, one order a connection.
//!
//! The command writes its [`Request`] as one line of JSON; the server answers with any number of items and one last line that
//! says done or refused. With no server running the command takes the data folder itself and carries the order out in its
//! own process, through the same [`CarryOut`], so that both ways end in the same lines.
//!
//! Who may connect is decided by the file system (the folder is 0700, the socket 0600) and asked again of the kernel.

mod client;
mod order;
mod server;
mod stream;

use std::future::Future;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub use client::{Ended, carry};
pub use order::{
    EditedAccount, NewAccount, NewAppPassword, NewOAuthClient, NewPerson, Order, PasswordOnTheWay, Request,
    Served, Server, SigningInAgain, Target,
};
pub use server::ControlSocket;

/// Carries orders out; the wired rooms do, and tests.
pub trait CarryOut: Send + Sync + 'static {
    /// Does what is ordered, reporting on the way. Runs to its end even when whoever asked has gone.
    fn carry_out(
        &self,
        request: Request,
        report: &Report,
    ) -> impl Future<Output = Result<Value, Refusal>> + Send;
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// One of several things asked for, or one step of several.
    Item(Value),
    /// All is done; what came of it, or null.
    Done(Value),
    /// It was not done.
    Refused(Refusal),
}

/// Why an order was not carried out: `what: why. Cure.`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// One line for the person who gave the order.
    pub text: String,
}

impl Refusal {
    /// A refusal with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// Where items go while an order is carried out.
pub struct Report(mpsc::Sender<Line>);

impl Report {
    /// For orders that the program gives itself.
    pub(crate) fn nobody() -> Self {
        Self(mpsc::channel(1).0)
    }

    /// Hands one item on, waiting while whoever asked is slow. An asker who is gone misses it, and the order goes on.
    pub async fn item(&self, item: Value) {
        let _ = self.0.send(Line::Item(item)).await;
    }
}

/// Does what is ordered and sends all lines of its answer.
async fn answer(carry_out: &impl CarryOut, request: Request, lines: mpsc::Sender<Line>) {
    let report = Report(lines.clone());
    let last = carry_out.carry_out(request, &report).await.map_or_else(Line::Refused, Line::Done);
    // Whoever asked may be gone; the order is carried out all the same.
    let _ = lines.send(last).await;
}

/// How many lines may wait for a slow reader.
const WAITING_LINES: usize = 64;

fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

#[cfg(test)]
mod tests;
