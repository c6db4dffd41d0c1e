//! Ending: nothing new is taken in, what runs is finished, and the database is closed last (OP-10).

use std::time::Duration;

use gatepost_identity::LastUses;
use gatepost_store::StoreError;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, Closing};
use crate::control::Refusal;

/// Letters and attempts under way may take so long.
const FINISH_WITHIN: Duration = Duration::from_secs(31);
/// After a disk that failed, answers that are on their way may still leave.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Writing down what is known, and closing.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// Why the server ends.
pub(super) enum Why {
    Asked,
    DiskFailed,
    SenderFailed(String),
}

/// What has to end, and in which order.
pub(super) struct Ending {
    pub(super) app: App,
    pub(super) closing: Closing,
    pub(super) sessions: TaskTracker,
    pub(super) sending: JoinHandle<Result<(), StoreError>>,
    pub(super) tasks: TaskTracker,
    /// Ends what must go on until the rest has ended.
    pub(super) last: CancellationToken,
    pub(super) last_uses: LastUses,
}

impl Why {
    pub(super) fn into_result(self) -> Result<(), Refusal> {
        match self {
            Self::Asked => Ok(()),
            Self::DiskFailed => Err(Refusal::new(
                "the disk failed to confirm a write, so this process has ended; nothing that was acknowledged is lost. Check the disk, and start again",
            )),
            Self::SenderFailed(reason) => {
                Err(Refusal::new(format!("the sender has ended: {reason}. Look at the log, and start again")))
            }
        }
    }
}

/// Waits for a reason to end.
pub(super) async fn wait(
    stop: &CancellationToken,
    broken: &CancellationToken,
    sending: &mut JoinHandle<Result<(), StoreError>>,
) -> Why {
    tokio::select! {
        biased;
        () = broken.cancelled() => Why::DiskFailed,
        () = stop.cancelled() => Why::Asked,
        ended = sending => Why::SenderFailed(reason(ended)),
    }
}

fn reason(ended: Result<Result<(), StoreError>, JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "nobody asked it to".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

pub(super) async fn finish(ending: Ending, why: &Why) {
    let Ending { app, closing, sessions, sending, tasks, last, last_uses } = ending;
    tracing::info!("stopping");
    let within = match why {
        Why::Asked | Why::SenderFailed(_) => FINISH_WITHIN,
        Why::DiskFailed => ANSWER_WITHIN,
    };
    let deadline = Instant::now() + within;
    sessions.close();
    if timeout_at(deadline, sessions.wait()).await.is_err() {
        tracing::warn!(sessions = sessions.len(), "connections of applications are cut off");
    }
    if let Why::Asked | Why::DiskFailed = why
        && let Ok(ended) = timeout_at(deadline, sending).await
        && !matches!(ended, Ok(Ok(())))
    {
        tracing::error!(
            error = reason(ended),
            "the sender ended with letters in hand; the next start settles them"
        );
    }
    if timeout_at(deadline, app.accounts.ended()).await.is_err() {
        tracing::warn!("refreshes of access tokens are cut off; the next start settles them");
    }
    let deadline = Instant::now() + CLOSE_WITHIN;
    let closed = timeout_at(deadline, async {
        // A last flush, after the last session that could have used a password.
        if let Err(error) = last_uses.flush().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last use of some app passwords is not written"
            );
        }
        last.cancel();
        tasks.close();
        tasks.wait().await;
        drop((app, last_uses));
        closing.finish().await;
    });
    match closed.await {
        Ok(()) => tracing::info!("stopped"),
        // Everything that was acknowledged is on the disk; the next start recovers the rest.
        Err(_elapsed) => tracing::warn!("stopped without waiting for the last writes"),
    }
}
