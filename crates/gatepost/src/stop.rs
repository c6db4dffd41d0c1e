//! Ending in good order when somebody asks for it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::control::Refusal;

/// Cancelled at SIGTERM, ctrl-c, or when the terminal is closed. Whoever asks a second time does not want to wait.
pub(crate) fn when_asked() -> Result<CancellationToken, Refusal> {
    let listen = |kind| {
        signal(kind).map_err(|error| Refusal::new(format!("cannot listen for signals: {error}. Start again")))
    };
    let (mut terminate, mut interrupt, mut hang_up) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hang_up.recv() => {}
            }
            if asked.is_cancelled() {
                // As after a kill: the next start recovers.
                std::process::exit(1);
            }
            asked.cancel();
        }
    });
    Ok(stop)
}
