//! The threads that own the connections.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::sqlite::Sqlite;
use crate::job::{Failed, Job};
use crate::{StoreError, Transaction};

/// How many jobs share one sync at most. Beyond this the gain is small and the wait of the first job grows.
const LARGEST_GROUP: usize = 128;

/// How often a job is repeated after a deadlock or a connection lost before COMMIT.
const MOST_REPEATS: usize = 5;

type SharedQueue = Arc<Mutex<Receiver<Box<dyn Job>>>>;

/// SQLite's one writer: all jobs that wait share one transaction and one sync (design §5, group commit).
pub(crate) fn write_in_groups(
    mut engine: Sqlite,
    mut queue: Receiver<Box<dyn Job>>,
    broken: &CancellationToken,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < LARGEST_GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        if broken.is_cancelled() {
            group.into_iter().for_each(|job| job.answer(Err(StoreError::SyncFailed)));
            continue;
        }
        match run_together(&mut engine, &mut group) {
            Ended::Committed => group.into_iter().for_each(|job| job.answer(Ok(()))),
            Ended::OneFailed if group.len() > 1 => {
                group.into_iter().for_each(|job| run_alone(&mut engine, job, broken));
            }
            Ended::OneFailed => group.into_iter().for_each(|job| job.answer(Ok(()))),
            Ended::Lost(failure) => {
                for job in group {
                    job.answer(Err(again(&failure, broken)));
                }
            }
        }
    }
    // The last word before the file is closed: everything is in it, and erased content is gone from the log.
    if let Err(err) = engine.empty_log() {
        tracing::warn!(error = %err, "the write-ahead log could not be emptied");
    }
}

enum Ended {
    Committed,
    /// A job refused; everything was rolled back.
    OneFailed,
    /// BEGIN or COMMIT failed; nothing was written.
    Lost(StoreError),
}

fn run_together(engine: &mut Sqlite, group: &mut [Box<dyn Job>]) -> Ended {
    if let Err(failure) = engine.begin() {
        return Ended::Lost(failure);
    }
    for job in group {
        if job.run(&mut Transaction::new(engine)).is_err() {
            engine.rollback();
            return Ended::OneFailed;
        }
    }
    match engine.commit() {
        Ok(()) => Ended::Committed,
        Err(failure) => {
            engine.rollback();
            Ended::Lost(failure)
        }
    }
}

/// Runs one job in a transaction of its own and answers it.
fn run_alone(engine: &mut dyn Engine, mut job: Box<dyn Job>, broken: &CancellationToken) {
    for repeats in 0.. {
        if let Err(failure) = engine.begin() {
            return job.answer(Err(again(&failure, broken)));
        }
        let ran = job.run(&mut Transaction::new(engine));
        let ended = match &ran {
            Ok(()) => engine.commit().map_err(|failure| again(&failure, broken)),
            // The job keeps its own error and answers with it.
            Err(Failed) => {
                engine.rollback();
                Ok(())
            }
        };
        let committed = ran.is_ok() && ended.is_ok();
        // What is committed must not run again, whatever happened on the way to it.
        if committed || repeats >= MOST_REPEATS || !engine.may_repeat() {
            return job.answer(ended);
        }
    }
}

/// Serves jobs one by one: SQLite's readers, and every connection to PostgreSQL.
pub(crate) fn serve_one_by_one(mut engine: Box<dyn Engine>, queue: &SharedQueue, broken: &CancellationToken) {
    loop {
        // Whoever waits for a job holds the lock; the others wait for the lock.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = next else { return };
        run_alone(engine.as_mut(), job, broken);
    }
}

/// The same failure for one more waiting job; a failed sync also stops the store for good.
fn again(failure: &StoreError, broken: &CancellationToken) -> StoreError {
    match failure {
        StoreError::Full => StoreError::Full,
        StoreError::Unknown => StoreError::Unknown,
        StoreError::SyncFailed => {
            broken.cancel();
            StoreError::SyncFailed
        }
        StoreError::Unreachable { database, reason } => {
            StoreError::Unreachable { database: database.clone(), reason: reason.clone() }
        }
        other => StoreError::Statement { statement: "COMMIT", reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::job::Closure;
    use crate::{Row, Statement, Value};

    /// A connection that was lost and made anew on the way: every transaction after it could be repeated.
    struct Reconnected {
        commits: Vec<Result<(), StoreError>>,
    }

    impl Engine for Reconnected {
        fn begin(&mut self) -> Result<(), StoreError> {
            Ok(())
        }

        fn commit(&mut self) -> Result<(), StoreError> {
            self.commits.pop().unwrap_or(Ok(()))
        }

        fn rollback(&mut self) {}

        fn execute(&mut self, _: &Statement, _: &[Value<'_>]) -> Result<u64, StoreError> {
            Ok(1)
        }

        fn rows(&mut self, _: &Statement, _: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
            Ok(Vec::new())
        }

        fn prepare(&mut self, _: &Statement) -> Result<(), StoreError> {
            Ok(())
        }

        fn script(&mut self, _: &'static str, _: &str) -> Result<(), StoreError> {
            Ok(())
        }

        fn may_repeat(&self) -> bool {
            true
        }
    }

    /// How often a job runs whose commits end like this, the last of them first.
    fn n_runs(commits: Vec<Result<(), StoreError>>) -> u32 {
        let n_runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&n_runs);
        let (job, mut answer) = Closure::new(move |_: &mut Transaction<'_>| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, StoreError>(())
        });
        run_alone(&mut Reconnected { commits }, Box::new(job), &CancellationToken::new());
        assert!(answer.try_recv().expect("it is answered").is_ok());
        n_runs.load(Ordering::SeqCst)
    }

    /// The server went away before BEGIN and came back: a job that was committed after that ran a second time.
    #[test]
    fn a_committed_job_runs_once_although_the_connection_was_made_anew() {
        assert_eq!(n_runs(Vec::new()), 1);
        let deadlock = StoreError::Statement { statement: "COMMIT", reason: "deadlock detected".into() };
        assert_eq!(n_runs(vec![Err(deadlock)]), 2, "what was not committed is repeated");
    }
}
