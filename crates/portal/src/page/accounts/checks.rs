//! Checks that run in the background, and how the last ones went: a check may take a minute, and leaving its page stops nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_accounts::Progress;
use gatepost_core::MailAccountId;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Checks at once.
const MOST: usize = 32;

/// How long it is remembered how one went.
const REMEMBERED: Duration = Duration::from_mins(30);

/// Checks that are remembered; the oldest that is over gives way.
const MOST_REMEMBERED: usize = 512;

/// A stop waits so long for those that run: what they were told by a service is stored then.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// One check as far as it has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checking {
    pub(super) progress: Progress,
    /// None while it runs.
    pub(super) ended: Option<Ended>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// All steps were gone through, or one failed.
    Done,
    /// It could not begin, for this reason.
    NotPossible(String),
}

/// Too many run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// All checks of this door.
#[derive(Default)]
pub(crate) struct Checks {
    known: Arc<Known>,
    tasks: TaskTracker,
}

type Known = Mutex<HashMap<MailAccountId, One>>;

struct One {
    began: Instant,
    watched: watch::Receiver<Progress>,
    ended: Option<Ended>,
}

impl One {
    fn is_remembered(&self) -> bool {
        self.ended.is_none() || self.began.elapsed() < REMEMBERED
    }
}

impl Checks {
    /// Runs `check` in the background, unless one of this account runs already. It tells how it goes by what it is given.
    pub(super) fn begin<F>(
        &self,
        account: MailAccountId,
        check: impl FnOnce(watch::Sender<Progress>) -> F,
    ) -> Result<(), Full>
    where
        F: Future<Output = Ended> + Send + 'static,
    {
        let mut known = locked(&self.known);
        known.retain(|_, it| it.is_remembered());
        if known.get(&account).is_some_and(|it| it.ended.is_none()) {
            return Ok(());
        }
        if known.values().filter(|it| it.ended.is_none()).count() >= MOST {
            return Err(Full);
        }
        if known.len() >= MOST_REMEMBERED {
            let over = known.iter().filter(|(_, it)| it.ended.is_some());
            let oldest = over.min_by_key(|(_, it)| it.began).map(|(id, _)| *id);
            oldest.and_then(|id| known.remove(&id));
        }
        let (tells, watched) = watch::channel(Progress::default());
        known.insert(account, One { began: Instant::now(), watched, ended: None });
        drop(known);
        let end = Ending { account, known: Arc::clone(&self.known) };
        let running = check(tells);
        self.tasks.spawn(async move {
            let ended = running.await;
            end.with(ended);
        });
        Ok(())
    }

    /// How the last one went, or goes.
    pub(super) fn find(&self, account: MailAccountId) -> Option<Checking> {
        let known = locked(&self.known);
        let it = known.get(&account).filter(|it| it.is_remembered())?;
        Some(Checking { progress: it.watched.borrow().clone(), ended: it.ended.clone() })
    }

    /// Waits a while for those that run.
    pub(crate) async fn end(&self) {
        self.tasks.close();
        let _ = tokio::time::timeout(STOP_WITHIN, self.tasks.wait()).await;
    }
}

/// A check that ends by a mistake of ours is over too: otherwise nobody could begin another.
struct Ending {
    account: MailAccountId,
    known: Arc<Known>,
}

impl Ending {
    fn with(&self, ended: Ended) {
        if let Some(it) = locked(&self.known).get_mut(&self.account) {
            it.ended.get_or_insert(ended);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.with(Ended::NotPossible(String::new()));
    }
}

fn locked(known: &Known) -> MutexGuard<'_, HashMap<MailAccountId, One>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use gatepost_accounts::{Direction, Outcome, Step, Taken};
    use gatepost_core::World;
    use tokio::sync::oneshot;

    use super::*;

    fn world() -> World {
        gatepost_testkit::world().0
    }

    #[tokio::test]
    async fn a_check_runs_once_and_says_how_far_it_has_come() {
        let (checks, account) = (Checks::default(), MailAccountId::new(&world()));
        assert!(checks.find(account).is_none());
        let (go_on, stopped) = oneshot::channel::<()>();
        let taken = Taken { direction: Direction::Sending, step: Step::Resolve, outcome: Outcome::Passed };
        let begin = checks.begin(account, |tells| async move {
            tells.send_modify(|it| it.taken.push(taken));
            stopped.await.unwrap();
            Ended::Done
        });
        begin.unwrap();
        checks.begin(account, |_| async { panic!("it runs already") }).unwrap();
        while checks.find(account).unwrap().progress.taken.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(checks.find(account).unwrap().ended.is_none());
        go_on.send(()).unwrap();
        checks.end().await;
        let over = checks.find(account).unwrap();
        assert!(matches!(over.ended, Some(Ended::Done)) && over.progress.taken.len() == 1);
    }

    #[tokio::test]
    async fn one_that_ends_by_a_mistake_is_over() {
        let (checks, account) = (Checks::default(), MailAccountId::new(&world()));
        checks.begin(account, |_| async { panic!("a mistake of ours") }).unwrap();
        checks.end().await;
        assert!(matches!(checks.find(account).unwrap().ended, Some(Ended::NotPossible(_))));
        checks.begin(account, |_| async { Ended::Done }).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_run_at_once_and_so_many_are_remembered() {
        let (checks, world) = (Checks::default(), world());
        let mut waiting = Vec::new();
        for _ in 0..MOST {
            let (go_on, stopped) = oneshot::channel::<()>();
            waiting.push(go_on);
            let begun = checks.begin(MailAccountId::new(&world), |_| async move {
                let _ = stopped.await;
                Ended::Done
            });
            begun.unwrap();
        }
        assert_eq!(checks.begin(MailAccountId::new(&world), |_| async { Ended::Done }), Err(Full));
        drop(waiting);
        checks.tasks.close();
        checks.tasks.wait().await;
        for _ in 0..MOST_REMEMBERED + 10 {
            checks.begin(MailAccountId::new(&world), |_| async { Ended::Done }).unwrap();
            checks.tasks.wait().await;
        }
        assert_eq!(locked(&checks.known).len(), MOST_REMEMBERED);
        tokio::time::advance(REMEMBERED).await;
        checks.begin(MailAccountId::new(&world), |_| async { Ended::Done }).unwrap();
        assert_eq!(locked(&checks.known).len(), 1);
    }
}
