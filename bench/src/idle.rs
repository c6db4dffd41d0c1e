//! Applications that signed in and have nothing to say.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::time::Instant;

use crate::client::{Client, DoorArgs};

/// Sign-ins at the same time.
const AT_ONCE: usize = 20;

/// `idle`.
#[derive(Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    door: DoorArgs,
    /// How many
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
}

#[derive(Serialize)]
struct Outcome {
    connections: usize,
    seconds: f64,
}

impl Idle {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let door = Arc::new(self.door.open()?);
        let started = Instant::now();
        let mut open: Vec<Client> = Vec::with_capacity(self.connections);
        while open.len() < self.connections {
            let n = AT_ONCE.min(self.connections - open.len());
            let door = &door;
            let batch: Vec<_> = (0..n)
                .map(|_| {
                    let door = Arc::clone(door);
                    tokio::spawn(async move { door.sign_in().await })
                })
                .collect();
            for client in batch {
                open.push(client.await??);
            }
        }
        crate::print_json(&Outcome { connections: open.len(), seconds: started.elapsed().as_secs_f64() })?;
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
        Ok(())
    }
}
