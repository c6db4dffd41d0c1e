//! Hashing on few threads, so that a thousand sign-ins at once take neither all memory nor all processors (ID-6).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::hash::Memory;

/// How many may wait for a thread, and for how long.
const MOST_WAITING: usize = 64;
const WAIT: Duration = Duration::from_secs(2);

/// Runs hashes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HashPool {
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// As many as there ever were hashes at once.
    memories: Arc<Mutex<Vec<Memory>>>,
    #[cfg(test)]
    pub(crate) n_runs: Arc<std::sync::atomic::AtomicUsize>,
}

/// Too many at this moment.
#[derive(Debug)]
pub(crate) struct Busy;

impl HashPool {
    /// At most `workers` hashes at once.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers: Arc::new(Semaphore::new(workers.max(1))),
            places: Arc::new(Semaphore::new(workers.max(1) + MOST_WAITING)),
            memories: Arc::default(),
            #[cfg(test)]
            n_runs: Arc::default(),
        }
    }

    /// Nobody gets a place while this is held.
    #[cfg(test)]
    pub(crate) async fn fill(&self) -> impl Sized + use<> {
        let places = u32::try_from(self.places.available_permits()).expect("places are few");
        Arc::clone(&self.places).acquire_many_owned(places).await
    }

    /// A place among those who are hashed for or wait: taken before anything is counted that only a hash can settle.
    pub(crate) fn reserve(&self) -> Result<Place, Busy> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        Ok(Place { pool: self.clone(), permit })
    }

    /// One hash, if there is a place.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.reserve()?.run(work).await
    }
}

/// A place in the queue.
pub(crate) struct Place {
    pool: HashPool,
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// One hash. Dropping the future does not stop one that has begun; its thread is free when it is done.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let Self { pool, permit } = self;
        let worker = timeout(WAIT, Arc::clone(&pool.workers).acquire_owned()).await;
        let worker = worker.map_err(|_| Busy)?.map_err(|_| Busy)?;
        #[cfg(test)]
        pool.n_runs.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let done = tokio::task::spawn_blocking(move || {
            let memories = || pool.memories.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = memories().pop().unwrap_or_default();
            let done = work(&mut memory);
            memories().push(memory);
            drop((worker, permit));
            done
        });
        done.await.map_err(|err| {
            tracing::error!(error = &err as &dyn std::error::Error, "hashing a password failed");
            Busy
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn never_more_hashes_at_once_than_workers() {
        let pool = HashPool::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let runs = (0..40).map(|_| {
            let (pool, now, most) = (pool.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let work = move |_: &mut Memory| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                pool.run(work).await
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap().unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert!(pool.memories.lock().unwrap().len() <= 2, "memory is kept for as many and no more");
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixty_fifth_waits_for_nothing_and_nobody_longer_than_two_seconds() {
        let pool = HashPool::new(1);
        let place = pool.reserve().unwrap();
        let taken = Arc::clone(&pool.workers).acquire_owned().await.unwrap();
        let began = tokio::time::Instant::now();
        let mut waiting: Vec<_> = (0..64).map(|_| Box::pin(pool.run(|_| ()))).collect();
        for it in &mut waiting {
            assert!(futures_poll_once(it).await.is_none());
        }
        assert!(matches!(pool.run(|_| ()).await, Err(Busy)));
        assert_eq!(began.elapsed(), Duration::ZERO);
        for it in waiting {
            assert!(it.await.is_err());
        }
        assert_eq!(began.elapsed(), WAIT);
        drop((place, taken));
        assert!(pool.run(|_| ()).await.is_ok());
    }

    /// Polls once, so that the future has taken its place.
    async fn futures_poll_once<F: Future + Unpin>(it: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *it).poll(context) {
                std::task::Poll::Ready(done) => Some(done),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
