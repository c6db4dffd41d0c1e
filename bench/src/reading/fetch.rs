//! Applications that read a whole mailbox.

use clap::Args;
use serde::Serialize;
use tokio::time::Instant;

use super::door::ReadingDoorArgs;

/// `fetch`.
#[derive(Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    door: ReadingDoorArgs,
    /// Connections at the same time
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// How often each reads all of it
    #[arg(long, default_value_t = 1)]
    times: usize,
}

#[derive(Serialize)]
struct Outcome {
    /// Of messages.
    bytes: u64,
    /// From the first question to the last answer; signing in does not count.
    seconds: f64,
}

impl Fetch {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let door = self.door.open()?;
        let mut readers = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            let mut reader = door.sign_in().await?;
            reader.ask("SELECT INBOX").await?;
            readers.push(reader);
        }
        let started = Instant::now();
        let reading: Vec<_> = readers
            .into_iter()
            .map(|mut reader| {
                tokio::spawn(async move {
                    let mut bytes = 0;
                    for _ in 0..self.times {
                        bytes += reader.ask("FETCH 1:* BODY[]").await?;
                    }
                    anyhow::Ok(bytes)
                })
            })
            .collect();
        let mut bytes = 0;
        for reading in reading {
            bytes += reading.await??;
        }
        crate::print_json(&Outcome { bytes, seconds: started.elapsed().as_secs_f64() })
    }
}
