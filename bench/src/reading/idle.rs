//! Applications that signed in, chose a mailbox and wait for letters.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::door::ReadingDoorArgs;

/// Sign-ins at the same time.
const AT_ONCE: usize = 8;

/// `idle-readers`.
#[derive(Args)]
pub(crate) struct IdleReaders {
    #[command(flatten)]
    door: ReadingDoorArgs,
    /// How many
    #[arg(long, default_value_t = 2_000)]
    connections: usize,
}

#[derive(Serialize)]
struct Outcome {
    connections: usize,
}

impl IdleReaders {
    /// Says how many are open; once a line comes on standard input, asks each whether it is still served, and says how many are.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let door = Arc::new(self.door.open()?);
        let mut open = Vec::with_capacity(self.connections);
        while open.len() < self.connections {
            let n = AT_ONCE.min(self.connections - open.len());
            let batch: Vec<_> = (0..n)
                .map(|_| {
                    let door = Arc::clone(&door);
                    tokio::spawn(async move {
                        let mut reader = door.sign_in_small().await?;
                        reader.ask("SELECT INBOX").await?;
                        anyhow::Ok(reader)
                    })
                })
                .collect();
            for reader in batch {
                open.push(reader.await??);
            }
        }
        crate::print_json(&Outcome { connections: open.len() })?;
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose()).await??;
        if line.is_some() {
            for reader in &mut open {
                reader.ask("NOOP").await?;
            }
            crate::print_json(&Outcome { connections: open.len() })?;
        }
        Ok(())
    }
}
