//! The command's end: through the running server if there is one, else here.

use std::future::Future;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use zeroize::Zeroize as _;

use super::stream::{LineReader, write_line};
use super::{CarryOut, Line, Refusal, Request, WAITING_LINES, answer, socket_path};
use crate::data_dir::{self, DataDir, DataDirError};

/// How long a command waits for another that has the folder, or for a server that is just starting.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which way an order went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The running server carried it out.
    AtTheServer,
    /// This process did.
    Here,
}

/// Has `request` carried out and hands each line of the answer to `show`, last one included.
///
/// `open` is called when no server runs, with the data folder taken; what it returns carries the order out, and is dropped
/// before the folder is free again.
pub async fn carry<C: CarryOut, F>(
    data_dir: &Path,
    request: Request,
    open: impl FnOnce(DataDir) -> F,
    show: impl FnMut(Line),
) -> Result<Ended, Refusal>
where
    F: Future<Output = Result<C, Refusal>>,
{
    let started = Instant::now();
    let refuse = |error: DataDirError| Refusal::new(error.to_string());
    // Whose folder it is matters also when a server answers: root could talk to any server.
    data_dir::inspect(data_dir).map_err(refuse)?;
    loop {
        match UnixStream::connect(socket_path(data_dir)).await {
            Ok(stream) => {
                at_the_server(stream, &request, show).await?;
                return Ok(Ended::AtTheServer);
            }
            Err(error) if is_nobody_there(&error) => {}
            Err(error) => {
                return Err(Refusal::new(format!("cannot reach the running server: {error}. Restart it")));
            }
        }
        match DataDir::take(data_dir) {
            Ok(taken) => {
                here(open(taken).await?, request, show).await;
                return Ok(Ended::Here);
            }
            Err(DataDirError::InUse { .. }) if started.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(refuse(error)),
        }
    }
}

fn is_nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

async fn at_the_server(
    stream: UnixStream,
    request: &Request,
    mut show: impl FnMut(Line),
) -> Result<(), Refusal> {
    let gone =
        |_| Refusal::new("the running server ended before it answered. Look at its log, and ask again");
    let (read, mut write) = stream.into_split();
    let mut line =
        request.to_line().map_err(|error| Refusal::new(format!("this order cannot be sent: {error}")))?;
    let sent = write_line(&mut write, &line).await;
    line.zeroize();
    sent.map_err(gone)?;
    let mut lines = LineReader::new(read);
    loop {
        // No deadline: signing in at a slow provider takes as long as it takes, and a server that dies ends the stream.
        let line = lines
            .next()
            .await
            .map_err(gone)?
            .ok_or(())
            .map_err(|()| gone(io::ErrorKind::UnexpectedEof.into()))?;
        let line: Line = serde_json::from_slice(&line).map_err(|_| {
            Refusal::new(
                "the running server answers in another version's words. Restart it, or use its program",
            )
        })?;
        let is_last = !matches!(line, Line::Item(_));
        show(line);
        if is_last {
            return Ok(());
        }
    }
}

async fn here(carry_out: impl CarryOut, request: Request, mut show: impl FnMut(Line)) {
    let (lines, mut waiting) = mpsc::channel(WAITING_LINES);
    let showing = async {
        while let Some(line) = waiting.recv().await {
            show(line);
        }
    };
    tokio::join!(answer(&carry_out, request, lines), showing);
}
