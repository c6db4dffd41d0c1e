//! Checks of drafts, in the background: a tab that is closed loses nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use gatepost_accounts::{ConnectError, Connecting, Draft, Proven};
use gatepost_core::DraftId;
use gatepost_providers::Callback;
use gatepost_store::StoreError;

use crate::frame::App;
use crate::page::accounts::check_in_background;

/// Drafts of which is remembered how many letters they let go.
const MOST: usize = 256;

/// How many letters waited for an account when it was signed in to again, by the draft that did it. The page that says so comes once,
/// a moment later; a node that did not do the check says it without a number.
#[derive(Default)]
pub(crate) struct Released(Mutex<VecDeque<(DraftId, u64)>>);

impl Released {
    fn put(&self, draft: DraftId, n: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((draft, n));
    }

    pub(super) fn find(&self, draft: DraftId) -> Option<u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(id, _)| *id == draft).map(|(_, n)| *n)
    }
}

/// Takes the answer of a provider's page, also if whoever brought it closes the tab meanwhile: its code is spent by then. What it
/// brought is checked at once.
pub(super) async fn answer(
    app: &App,
    connecting: &Connecting,
    callback: Callback,
    asked_by: &str,
) -> Result<Draft, ConnectError> {
    let (in_background, connecting, asked_by) = (app.clone(), connecting.clone(), asked_by.to_owned());
    let answering = app.tasks.spawn(async move {
        let draft = connecting.answer(callback).await?;
        if draft.refused.is_none() {
            spawn(&in_background, &connecting, &draft, &asked_by);
        }
        Ok(draft)
    });
    // A task that was cut off or broke has taken nothing over that a new sign-in does not give again.
    answering.await.unwrap_or(Err(ConnectError::FlowOver))
}

/// Begins a check. When the server stops it is cut off: its lease runs out, and it can be begun again.
pub(super) fn spawn(app: &App, connecting: &Connecting, draft: &Draft, asked_by: &str) {
    let (app, connecting) = (app.clone(), connecting.clone());
    let (id, revision, asked_by) = (draft.id, draft.revision, asked_by.to_owned());
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        let stop = app.stop.clone();
        let proving = async {
            match connecting.check(id, revision, &app.rooms.reach, &asked_by).await {
                Ok(proven) => act(&app, proven, asked_by.clone()).await,
                Err(ConnectError::Store(error)) => Err(error),
                // Somebody was faster, or has changed the draft: its page shows how it is.
                Err(why) => {
                    tracing::info!(draft.id = %id, %why, "a check of a mailbox has ended early");
                    Ok(())
                }
            }
        };
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(proving)).await {
            tracing::warn!(draft.id = %id, %error, "a check of a mailbox could not be kept");
        }
    });
}

/// Lets the outbox act on a change of the account.
async fn act(app: &App, Proven { draft, change }: Proven, asked_by: String) -> Result<(), StoreError> {
    let (Some(change), Some(account)) = (change, draft.account) else { return Ok(()) };
    let (outbox, organisation) = (&app.rooms.outbox, draft.organisation);
    if change.released {
        let n_waiting = outbox.n_waiting(organisation, account).await;
        outbox.account_released(organisation, account).await?;
        app.released.put(draft.id, n_waiting?);
    }
    outbox.account_changed(organisation, account);
    // The sign-in is proven; that letters leave and arrive follows, and too many checks at once are no reason to do without.
    let _ = check_in_background(app, organisation, account, asked_by);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let (released, world) = (Released::default(), gatepost_testkit::world().0);
        let first = DraftId::new(&world);
        released.put(first, 3);
        assert_eq!(released.find(first), Some(3));
        for n in 0..MOST as u64 {
            released.put(DraftId::new(&world), n);
        }
        assert_eq!(released.find(first), None);
    }
}
