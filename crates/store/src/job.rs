//! A piece of work for the database, and how its sender hears of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{StoreError, Transaction};

/// Work that runs inside one transaction, possibly more than once.
pub(crate) trait Job: Send {
    /// Runs once and keeps the result. `Err` means that its changes must be rolled back.
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Failed>;
    /// Tells the sender: the kept result, or the store's own failure in its place.
    fn answer(self: Box<Self>, ended: Result<(), StoreError>);
}

/// The job refused or failed; its own error waits in the job.
pub(crate) struct Failed;

/// A room's closure with the place for its result.
pub(crate) struct Closure<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Closure<F, T, E>
where
    F: FnMut(&mut Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work, result: None, reply }, answer)
    }
}

impl<F, T, E> Job for Closure<F, T, E>
where
    F: FnMut(&mut Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Failed> {
        // A mistake in one room's closure must not take the thread that all rooms share.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx))).unwrap_or_else(|_| {
            tracing::error!("a database job panicked; its transaction is rolled back");
            Err(E::from(StoreError::Stopped))
        });
        let ended = if result.is_ok() { Ok(()) } else { Err(Failed) };
        self.result = Some(result);
        ended
    }

    fn answer(self: Box<Self>, ended: Result<(), StoreError>) {
        let result = match (ended, self.result) {
            (Err(failure), _) => Err(E::from(failure)),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(E::from(StoreError::Stopped)),
        };
        // A sender that no longer waits has been cancelled; what was committed stays committed.
        let _ = self.reply.send(result);
    }
}
