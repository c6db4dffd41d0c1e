//! The door: how rooms reach the database.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use gatepost_core::{SecretText, World};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::postgres::Postgres;
use crate::engine::sqlite::{Access, Sqlite};
use crate::job::{Closure, Job};
use crate::{RoomMigrations, StoreError, Transaction, migrate, worker};

/// How many jobs may wait before senders wait too.
const QUEUE: usize = 1_024;

/// Which database.
pub enum Database {
    /// A file, made if it is not there.
    Sqlite {
        /// Where; its folder must exist.
        file: PathBuf,
    },
    /// A server, as a `postgres://` address. It may hold a password, hence the type.
    Postgres {
        /// The address.
        url: SecretText,
        /// How many connections, each with a thread.
        connections: usize,
    },
}

/// How many threads read from SQLite beside the one that writes.
const READERS: usize = 3;

/// The database. Cheap to clone; it closes when the last clone is gone.
#[derive(Clone)]
pub struct Store {
    writes: mpsc::Sender<Box<dyn Job>>,
    reads: mpsc::Sender<Box<dyn Job>>,
    broken: CancellationToken,
    world: World,
}

/// The threads behind a [`Store`]; wait for them so that the last commit is on the disk and the log is emptied.
pub struct Threads(Vec<thread::JoinHandle<()>>);

impl Threads {
    /// Waits until all clones of the store are gone and the threads have ended.
    pub async fn ended(self) {
        for handle in self.0 {
            // A thread that panicked has said so; there is nothing left to wait for.
            let _ = tokio::task::spawn_blocking(move || handle.join()).await;
        }
    }
}

impl Store {
    /// Opens the database, refuses one that is newer than this program, and brings every room's tables up to date.
    pub async fn open(
        database: Database,
        world: World,
        rooms: &'static [RoomMigrations],
    ) -> Result<(Self, Threads), StoreError> {
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(database, world, rooms));
        opened.await.unwrap_or(Err(StoreError::Stopped))
    }

    fn open_blocking(
        database: Database,
        world: World,
        rooms: &[RoomMigrations],
    ) -> Result<(Self, Threads), StoreError> {
        let broken = CancellationToken::new();
        let mut threads = Vec::new();
        let mut pool = |name: &str, engines: Vec<Box<dyn Engine + Send>>| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let queue = Arc::new(Mutex::new(receiver));
            for engine in engines {
                let (queue, broken) = (Arc::clone(&queue), broken.clone());
                threads.push(spawn(name, move || worker::serve_one_by_one(engine, &queue, &broken))?);
            }
            Ok::<_, StoreError>(sender)
        };
        let (writes, reads) = match database {
            Database::Sqlite { file } => {
                let mut writer = Sqlite::open(&file, Access::Write)?;
                migrate::run(&mut writer, rooms, world.now())?;
                let readers = (0..READERS)
                    .map(|_| {
                        Sqlite::open(&file, Access::Read).map(|it| Box::new(it) as Box<dyn Engine + Send>)
                    })
                    .collect::<Result<_, _>>()?;
                let reads = pool("store-read", readers)?;
                let (writes, queue) = mpsc::channel(QUEUE);
                let broken = broken.clone();
                threads.push(spawn("store-write", move || worker::write_in_groups(writer, queue, &broken))?);
                (writes, reads)
            }
            Database::Postgres { url, connections } => {
                let mut first = Postgres::open(url.reveal())?;
                migrate::run(&mut first, rooms, world.now())?;
                let mut engines: Vec<Box<dyn Engine + Send>> = vec![Box::new(first)];
                for _ in 1..connections.max(2) {
                    engines.push(Box::new(Postgres::open(url.reveal())?));
                }
                let jobs = pool("store", engines)?;
                (jobs.clone(), jobs)
            }
        };
        Ok((Self { writes, reads, broken, world }, Threads(threads)))
    }

    /// Runs `job` in one durable transaction. When this returns `Ok`, the disk has it.
    ///
    /// The job may run more than once (a group that is replayed, a deadlock), so it has no effects but those on `tx`.
    /// A refusal that has written nothing is best returned inside `Ok`: an `Err` makes the whole group run again.
    /// Dropping the future does not undo or stop the job.
    pub async fn write<T, E>(
        &self,
        job: impl FnMut(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        send(&self.writes, job).await
    }

    /// Runs `job` in one transaction that must not write.
    pub async fn read<T, E>(
        &self,
        job: impl FnMut(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        send(&self.reads, job).await
    }

    /// Cancelled when the disk failed to confirm a write. The program must then end (QS-4).
    #[must_use]
    pub fn broken(&self) -> &CancellationToken {
        &self.broken
    }

    /// The clock and randomness that this store was opened with.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
}

async fn send<T, E>(
    queue: &mpsc::Sender<Box<dyn Job>>,
    job: impl FnMut(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (closure, answer) = Closure::new(job);
    queue.send(Box::new(closure)).await.map_err(|_| E::from(StoreError::Stopped))?;
    answer.await.unwrap_or_else(|_| Err(E::from(StoreError::Stopped)))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|source| StoreError::File {
        doing: "start a thread for",
        path: name.into(),
        source,
    })
}
