//! The server's end.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroize as _;

use super::stream::{LineReader, PATIENCE, write_line};
use super::{CarryOut, Line, Refusal, Request, WAITING_LINES, answer, socket_path};
use crate::data_dir::DataDir;

/// The socket, listening; removed when dropped.
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Listens in a data folder that is ours. What a killed server left behind is replaced.
    pub fn listen(data_dir: &DataDir) -> io::Result<Self> {
        let path = socket_path(data_dir.path());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Nobody but this user can reach into the folder, so there is no moment in which the wider mode matters.
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Carries orders out until `stop`; those begun by then are finished.
    pub async fn serve(self, carry_out: Arc<impl CarryOut>, stop: CancellationToken) {
        let orders = TaskTracker::new();
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "the control socket cannot accept a command");
                        // Out of descriptors: trying again at once would only burn the processor.
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let carry_out = carry_out.clone();
            orders.spawn(async move {
                if let Err(error) = converse(stream, &*carry_out).await {
                    tracing::debug!(%error, "a command went away");
                }
            });
        }
        drop(self.listener);
        orders.close();
        orders.wait().await;
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse(stream: UnixStream, carry_out: &impl CarryOut) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != rustix::process::geteuid().as_raw() {
        tracing::warn!(user = peer, "another user tried the control socket");
        return Ok(());
    }
    let (read, mut write) = stream.into_split();
    let line = tokio::time::timeout(PATIENCE, LineReader::new(read).next()).await??;
    let request = match Request::from_line(line.unwrap_or_default()) {
        Ok(request) => request,
        // The text of the error could show a piece of the order, and with it a password.
        Err(_) => {
            let text = "the running server does not understand this command: it is of another version. Restart it, or use its program";
            return send(&mut write, &Line::Refused(Refusal::new(text))).await;
        }
    };
    let (lines, mut waiting) = mpsc::channel(WAITING_LINES);
    let sending = async {
        while let Some(line) = waiting.recv().await {
            if let Err(error) = send(&mut write, &line).await {
                waiting.close();
                // Emptied, so that the order is not stopped by a channel that nobody reads.
                while waiting.recv().await.is_some() {}
                return Err(error);
            }
        }
        Ok(())
    };
    tokio::join!(answer(carry_out, request, lines), sending).1
}

async fn send(write: &mut OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    let written = write_line(write, &bytes).await;
    // A new app password crosses in such a line, once.
    bytes.zeroize();
    written
}
