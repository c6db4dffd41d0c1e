//! Applications that sign in and leave.

use clap::Args;
use serde::Serialize;
use tokio::time::Instant;

use super::door::ReadingDoorArgs;

/// `sign-ins`.
#[derive(Args)]
pub(crate) struct SignIns {
    #[command(flatten)]
    door: ReadingDoorArgs,
    /// How many, one after the other
    #[arg(long, default_value_t = 500)]
    times: usize,
}

#[derive(Serialize)]
struct Outcome {
    seconds: f64,
}

impl SignIns {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let door = self.door.open()?;
        let started = Instant::now();
        for _ in 0..self.times {
            door.sign_in_small().await?.ask("LOGOUT").await?;
        }
        crate::print_json(&Outcome { seconds: started.elapsed().as_secs_f64() })
    }
}
