//! Large letters, all at the same time: what a server holds in memory of each shows here.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::sync::Barrier;
use tokio::time::Instant;

use crate::client::{Client, DoorArgs};
use crate::letter::{Letters, text};

/// Bytes sent in one piece.
const PIECE: usize = 64 * 1024;

/// `big`.
#[derive(Args)]
pub(crate) struct Big {
    #[command(flatten)]
    door: DoorArgs,
    /// How many
    #[arg(long, default_value_t = 50)]
    letters: usize,
    /// Size of each in MiB
    #[arg(long, default_value_t = 30)]
    mebibytes: usize,
}

#[derive(Serialize)]
struct Outcome {
    letters: usize,
    seconds: f64,
}

impl Big {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let heads = Arc::new(Letters::new(u64::MAX, 0, &self.door.from, &self.door.to));
        let door = Arc::new(self.door.open()?);
        let piece: Arc<[u8]> = text(PIECE).into();
        let n_pieces = (self.mebibytes << 20) / PIECE;
        let ready = Arc::new(Barrier::new(self.letters));
        let started = Instant::now();
        let workers: Vec<_> = (0..self.letters)
            .map(|_| {
                let (heads, door, piece, ready) =
                    (Arc::clone(&heads), Arc::clone(&door), Arc::clone(&piece), Arc::clone(&ready));
                tokio::spawn(async move {
                    let begun = begin(&door).await;
                    // All have to be here before the first goes on, or those that wait would wait for ever.
                    ready.wait().await;
                    send(begun?, &heads, &piece, n_pieces).await
                })
            })
            .collect();
        for worker in workers {
            worker.await??;
        }
        crate::print_json(&Outcome { letters: self.letters, seconds: started.elapsed().as_secs_f64() })
    }
}

async fn begin(door: &crate::client::Door) -> anyhow::Result<Client> {
    let mut client = door.sign_in().await?;
    client.begin().await?;
    Ok(client)
}

async fn send(mut client: Client, heads: &Letters, piece: &[u8], n_pieces: usize) -> anyhow::Result<()> {
    let id = heads.take().unwrap_or_default();
    let mut head = Vec::new();
    heads.write_to(&id, &mut head);
    // The letter goes on where it would have ended.
    client.channel.output.extend_from_slice(head.strip_suffix(b".\r\n").unwrap_or(&head));
    for _ in 0..n_pieces {
        client.channel.output.extend_from_slice(piece);
        client.channel.flush().await?;
    }
    client.channel.output.extend_from_slice(b".\r\n");
    client.acknowledged().await?;
    client.quit().await
}
