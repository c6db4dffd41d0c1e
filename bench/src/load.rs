//! Many letters, as fast as the server takes them.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use gatepost_core::World;
use serde::Serialize;
use tokio::sync::Barrier;
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::{Client, Door, DoorArgs};
use crate::latency::Latencies;
use crate::letter::Letters;

/// After a failure, before the next try: a server that restarts is not stormed.
const BREATHE_FOR: Duration = Duration::from_millis(20);

/// `load`.
#[derive(Args)]
pub(crate) struct Load {
    #[command(flatten)]
    door: DoorArgs,
    /// Letters in all
    #[arg(long, default_value_t = 1_000)]
    letters: u64,
    /// Connections at the same time
    #[arg(long, default_value_t = 20)]
    concurrency: usize,
    /// Size of a letter in bytes, header included
    #[arg(long, default_value_t = 4_096)]
    size: usize,
    /// What each letter costs in connections
    #[arg(long, value_enum, default_value = "persistent")]
    mode: Mode,
    /// Append the Message-ID of each acknowledged letter to this file
    #[arg(long)]
    acknowledged: Option<PathBuf>,
    /// Stop after so many seconds, whatever is left
    #[arg(long, default_value_t = 60)]
    at_most: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Each connection is made and signed in once, before time is taken
    Persistent,
    /// A new connection, TLS handshake and sign-in for each letter
    Fresh,
}

/// What is printed. Times of day are milliseconds since 1970.
#[derive(Serialize)]
struct Outcome {
    letters: usize,
    seconds: f64,
    /// Letters acknowledged per second, from the start to the last acknowledgement.
    rate: f64,
    /// From the first byte of a letter, or of its connection in mode `fresh`, to its acknowledgement.
    p50_ms: f64,
    p99_ms: f64,
    errors: u64,
    first_error: Option<String>,
    first_accepted_at: i64,
    last_accepted_at: i64,
}

/// What the connections share.
struct Shared {
    door: Door,
    letters: Letters,
    mode: Mode,
    world: World,
    ready: Barrier,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    n_letters: usize,
    latencies: Latencies,
    errors: u64,
    first_error: Option<String>,
    started: Option<Instant>,
    last: Option<Instant>,
    first_accepted_at: i64,
    last_accepted_at: i64,
    acknowledged: Option<BufWriter<File>>,
}

impl Load {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let open = |path: &PathBuf| File::options().create(true).append(true).open(path).map(BufWriter::new);
        let acknowledged =
            self.acknowledged.as_ref().map(open).transpose().context("cannot open the list of letters")?;
        let letters = Letters::new(self.letters, self.size, &self.door.from, &self.door.to);
        let shared = Arc::new(Shared {
            door: self.door.open()?,
            letters,
            mode: self.mode,
            world: World::real(),
            ready: Barrier::new(self.concurrency),
            tally: Mutex::new(Tally { acknowledged, ..Tally::default() }),
        });
        let deadline = Instant::now() + Duration::from_secs(self.at_most);
        let workers: Vec<_> = (0..self.concurrency)
            .map(|_| tokio::spawn(timeout_at(deadline, work(Arc::clone(&shared)))))
            .collect();
        for worker in workers {
            if worker.await?.is_err() {
                shared.tally().fail("time is up");
            }
        }
        let outcome = shared.tally().outcome()?;
        crate::print_json(&outcome)
    }
}

async fn work(shared: Arc<Shared>) {
    let mut client = None;
    if shared.mode == Mode::Persistent {
        client = shared.connect().await;
    }
    shared.ready.wait().await;
    shared.tally().started.get_or_insert_with(Instant::now);
    // A letter that failed is not sent again under the same id: whether it was kept is what the sink tells.
    while let Some(id) = shared.letters.take() {
        let begun = Instant::now();
        match shared.hand_in(&mut client, &id).await {
            Ok(()) => shared.accept(&id, begun.elapsed()),
            Err(error) => {
                client = None;
                shared.tally().fail(&format!("{error:#}"));
                sleep(BREATHE_FOR).await;
            }
        }
    }
    if let Some(client) = client {
        // All letters are acknowledged; how the connection ends changes nothing.
        let _ended = client.quit().await;
    }
}

impl Shared {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Option<Client> {
        match self.door.sign_in().await {
            Ok(client) => Some(client),
            Err(error) => {
                self.tally().fail(&format!("{error:#}"));
                None
            }
        }
    }

    async fn hand_in(&self, client: &mut Option<Client>, id: &str) -> anyhow::Result<()> {
        let mut own = match client.take() {
            Some(client) => client,
            None => self.door.sign_in().await?,
        };
        own.begin().await?;
        self.letters.write_to(id, &mut own.channel.output);
        own.acknowledged().await?;
        match self.mode {
            Mode::Persistent => *client = Some(own),
            Mode::Fresh => own.quit().await?,
        }
        Ok(())
    }

    fn accept(&self, id: &str, span: Duration) {
        let now = self.world.now().millis();
        let mut tally = self.tally();
        if tally.n_letters == 0 {
            tally.first_accepted_at = now;
        }
        tally.n_letters += 1;
        tally.last_accepted_at = now;
        tally.last = Some(Instant::now());
        tally.latencies.push(span.as_secs_f64() * 1_000.0);
        if let Some(file) = &mut tally.acknowledged
            && let Err(error) = writeln!(file, "{id}")
        {
            tally.fail(&format!("cannot write the list of letters: {error}"));
        }
    }
}

impl Tally {
    fn fail(&mut self, error: &str) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| error.to_owned());
    }

    fn outcome(&mut self) -> anyhow::Result<Outcome> {
        if let Some(file) = &mut self.acknowledged {
            file.flush().context("cannot write the list of letters")?;
        }
        let span = self.started.zip(self.last).map(|(started, last)| last - started);
        let seconds = span.unwrap_or_default().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^53 letters")]
        let rate = if seconds > 0.0 { self.n_letters as f64 / seconds } else { 0.0 };
        Ok(Outcome {
            letters: self.n_letters,
            seconds,
            rate,
            p50_ms: self.latencies.percentile(50),
            p99_ms: self.latencies.percentile(99),
            errors: self.errors,
            first_error: self.first_error.take(),
            first_accepted_at: self.first_accepted_at,
            last_accepted_at: self.last_accepted_at,
        })
    }
}
