//! Waiting for the client. Each wait has a deadline, and ends early when the app password is removed or the program stops.

use std::future::pending;
use std::time::Duration;

use gatepost_identity::LiveSession;
use gatepost_net::{Connection, Line, LineEnd, Pace, ReadError};
use gatepost_wire::smtp::{AUTH_LINE, Command, CommandError, is_http_verb, line_limit};
use tokio::time::{Instant, sleep_until};

use super::{Ending, Session};
use crate::settings::Spans;
use crate::state::State;
use crate::{ChooseAccount, Submission};

/// How long the client may take to accept replies.
const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// Of an over-long line, so much is skipped before the session is given up.
const SKIPPED_BYTES: usize = 64 * 1024;

impl<C: ChooseAccount> Session<'_, C> {
    /// The next command. A line that is none is the client's mistake, and the session goes on.
    pub(crate) async fn hear(&mut self, state: &State) -> Result<Result<Command, CommandError>, Ending> {
        let now = Instant::now();
        let mut deadline = now + self.server.settings.spans.command;
        if !state.is_signed_in() {
            deadline = deadline.min(self.sign_in_by);
            // A stranger whose next command is always there would never be waited for.
            if now >= self.sign_in_by {
                return Err(Ending::TimedOut);
            }
        }
        let heard = interruptible(self.server, state.live(), command_line(self.connection, deadline)).await?;
        let line = match heard? {
            Ok(line) => line,
            Err(mistake) => return Ok(Err(mistake)),
        };
        if !state.is_signed_in() && is_http_verb(&line) {
            return Err(Ending::NotSmtp);
        }
        Ok(Command::parse(&line))
    }

    /// The next line of an AUTH exchange; nobody has signed in yet.
    pub(crate) async fn hear_response(&mut self) -> Result<Line, Ending> {
        let deadline = self.sign_in_by;
        let connection = &mut *self.connection;
        let reading = async {
            flush(connection).await?;
            Ok(connection.read_line(AUTH_LINE - 2, LineEnd::Crlf, deadline).await?)
        };
        interruptible(self.server, None, reading).await?
    }

    /// Sends what was queued.
    pub(crate) async fn flush(&mut self) -> Result<(), Ending> {
        flush(self.connection).await
    }

    /// Waits until bytes of a message are buffered, and sends before it waits what was queued.
    ///
    /// A removal ends the wait at once (AP-7). A stop gives the message some time (OP-10).
    pub(crate) async fn wait_for_body(
        &mut self,
        live: &LiveSession,
        clock: &mut BodyClock,
        bytes_so_far: u64,
    ) -> Result<(), Ending> {
        // A message that never ends and always has bytes waiting would never be waited for.
        if Instant::now() >= clock.pace.deadline(bytes_so_far) {
            return Err(Ending::BodyTooSlow);
        }
        while self.connection.buffered().is_empty() {
            let (deadline, stops_at) = (clock.pace.deadline(bytes_so_far), clock.stops_at);
            let connection = &mut *self.connection;
            // All four may be dropped: a write that is cut off is followed by nothing but the end of the connection.
            tokio::select! {
                biased;
                () = live.ended() => return Err(Ending::Removed),
                () = self.server.stands.stop.cancelled(), if stops_at.is_none() => {
                    clock.stops_at = Some(Instant::now() + clock.stopping);
                }
                () = sleep_until(stops_at.unwrap_or(deadline)), if stops_at.is_some() => {
                    return Err(Ending::Stopping);
                }
                read = more(connection, deadline) => match read {
                    Err(Ending::TimedOut) => return Err(Ending::BodyTooSlow),
                    read => return read,
                },
            }
        }
        // What is buffered is taken without waiting; a removal counts all the same.
        if live.is_ended() { Err(Ending::Removed) } else { Ok(()) }
    }
}

/// How long one message may take.
pub(crate) struct BodyClock {
    pace: Pace,
    stopping: Duration,
    stops_at: Option<Instant>,
}

impl BodyClock {
    pub(crate) fn start(spans: &Spans) -> Self {
        let pace = Pace::new(spans.body_grace, spans.body_bytes_per_second, spans.body_longest);
        Self { pace, stopping: spans.stopping, stops_at: None }
    }
}

/// `reading`, unless the app password is removed or the program stops first. It may be dropped: lines are taken out of the
/// buffer whole, and after a write that was cut off nothing is sent any more.
async fn interruptible<C, T>(
    server: &Submission<C>,
    live: Option<&LiveSession>,
    reading: impl Future<Output = T>,
) -> Result<T, Ending> {
    let removed = async {
        match live {
            Some(live) => live.ended().await,
            None => pending().await,
        }
    };
    tokio::select! {
        // In this order, so that a client that always has another command waiting is interrupted too.
        biased;
        () = removed => Err(Ending::Removed),
        () = server.stands.stop.cancelled() => Err(Ending::Stopping),
        read = reading => Ok(read),
    }
}

/// Sends what was queued. With nothing queued it costs nothing.
async fn flush(connection: &mut Connection) -> Result<(), Ending> {
    if connection.queued_bytes() > 0 {
        connection.flush(Instant::now() + WRITE_WITHIN).await?;
    }
    Ok(())
}

/// Sends what was queued, and waits for the client.
async fn more(connection: &mut Connection, deadline: Instant) -> Result<(), Ending> {
    flush(connection).await?;
    connection.fill_more(deadline).await?;
    Ok(())
}

/// One line of at most what its command may have (SS-7). Replies leave before it waits, and not while whole commands are
/// still buffered: so a pipelined group is answered in one piece, and nobody waits for the other.
async fn command_line(
    connection: &mut Connection,
    deadline: Instant,
) -> Result<Result<Line, CommandError>, Ending> {
    /// RFC 2920 §3.2: a client may read nothing until it has sent its group; we hold no more than this for it.
    const MOST_QUEUED: usize = 16 * 1024;
    let has_line = connection.buffered().contains(&b'\n');
    if !has_line || connection.queued_bytes() > MOST_QUEUED {
        flush(connection).await?;
    }
    // The first four bytes tell which command it is, and with that how long it may be.
    while connection.buffered().len() < 4 && !connection.buffered().contains(&b'\n') {
        connection.fill_more(deadline).await?;
    }
    let limit = line_limit(connection.buffered()) - 2;
    match connection.read_line(limit, LineEnd::Crlf, deadline).await {
        Ok(line) => Ok(Ok(line)),
        Err(ReadError::BareLineFeed) => Ok(Err(CommandError::BareLineFeed)),
        Err(ReadError::LineTooLong { .. }) => {
            connection.skip_line(SKIPPED_BYTES, deadline).await?;
            Ok(Err(CommandError::LineTooLong))
        }
        Err(error) => Err(error.into()),
    }
}
