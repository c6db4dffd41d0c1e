//! What has to be done from time to time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gatepost_identity::{LastUses, People};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::certificate::Certificate;
use crate::app::App;

/// Refreshes of access tokens that wait for their services at the same time.
const REFRESHES_AT_ONCE: usize = 16;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Starts them all, until `stop`.
pub(super) fn start(
    app: &App,
    certificate: Certificate,
    last_uses: &LastUses,
    people: People,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let last_uses = last_uses.clone();
    repeat(tasks, stop, 5 * SECOND, move || {
        let last_uses = last_uses.clone();
        async move {
            if let Err(error) = last_uses.flush().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the last use of app passwords is written later"
                );
            }
        }
    });
    let erasing = app.clone();
    repeat(tasks, stop, MINUTE, move || {
        let app = erasing.clone();
        async move {
            // QS-13, VA-9.
            if let Err(error) = app.outbox.erase_finished(app.settings.outbox.keep_bodies_for).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the texts of finished letters are erased later"
                );
            }
        }
    });
    let adopting = app.clone();
    let ends = stop.clone();
    tasks.spawn(async move {
        loop {
            if let Err(refusal) = adopting.adopt_all_orphans().await {
                tracing::warn!(refusal = %refusal, "letters without an account are looked at later");
            }
            // Whoever has connected an account need not wait; another node's is found by the way.
            let served = tokio::time::timeout(MINUTE, adopting.accounts.somebody_is_served());
            if ends.run_until_cancelled(served).await.is_none() {
                return;
            }
        }
    });
    let refreshing = app.clone();
    repeat(tasks, stop, 5 * SECOND, move || {
        let app = refreshing.clone();
        async move {
            // OC-6. What has begun is finished: its answer may hold the only token that lives.
            if let Err(error) = app.accounts.refresh_due(REFRESHES_AT_ONCE).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "access tokens that are due are refreshed later"
                );
            }
        }
    });
    let probing = (app.clone(), stop.clone());
    repeat(tasks, stop, 5 * SECOND, move || {
        let (app, stop) = probing.clone();
        async move {
            // SC-8. Whoever sends probes sending; nobody else looks whether a parked mailbox can be read again.
            let probed = stop.run_until_cancelled(app.accounts.probe_reading(&app.reach)).await;
            if let Some(Err(error)) = probed {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "parked mailboxes are looked at later"
                );
            }
        }
    });
    let sweeping = app.clone();
    repeat(tasks, stop, HOUR, move || {
        let app = sweeping.clone();
        async move {
            match app.bodies.sweep().await {
                Ok(0) => {}
                Ok(n) => tracing::info!(files = n, "removed what interrupted uploads have left"),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the folder of letters cannot be swept"
                    );
                }
            }
        }
    });
    let drafts = app.clone();
    repeat(tasks, stop, HOUR, move || {
        let app = drafts.clone();
        async move {
            if let Err(error) = app.accounts.sweep_drafts().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "mailboxes that nobody went on to connect are forgotten later"
                );
            }
        }
    });
    let notices = app.store.clone();
    repeat(tasks, stop, HOUR, move || {
        let (people, store) = (people.clone(), notices.clone());
        async move {
            for swept in [people.sweep().await, gatepost_journal::sweep_notices(&store).await] {
                if let Err(error) = swept {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "sessions, links and notices that are over are deleted later"
                    );
                }
            }
        }
    });
    let certificate = Arc::new(certificate);
    let (tls, watching) = (certificate.tls.clone(), stop.clone());
    tasks.spawn(async move { tls.watch(5 * SECOND, watching).await });
    let world = app.world.clone();
    repeat(tasks, stop, 12 * HOUR, move || {
        certificate.renew(&world);
        certificate.warn();
        std::future::ready(())
    });
}

/// Does it now and again and again. What has begun is finished.
fn repeat<F: Future<Output = ()> + Send + 'static>(
    tasks: &TaskTracker,
    stop: &CancellationToken,
    every: Duration,
    mut work: impl FnMut() -> F + Send + 'static,
) {
    let stop = stop.clone();
    tasks.spawn(async move {
        loop {
            work().await;
            if stop.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
                return;
            }
        }
    });
}
