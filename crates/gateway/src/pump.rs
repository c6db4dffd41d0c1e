//! Bytes both ways, in one task (MP-5).
//!
//! Each way is a small machine: what the follower has decided is done first. What goes on is gathered as long as more is there at once, and
//! nothing is read while as much as that waits to go out. So a side that takes nothing holds the other one back.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use gatepost_net::{Connection, ReadError, WriteError};
use gatepost_wire::passage::{Follower, Lost, Passage};
use tokio::time::{Duration, Instant, sleep_until, timeout};

use crate::Gateway;
use crate::conduct::Ending;
use crate::enter::Entered;
use crate::open::Moved;

/// One way.
#[derive(Default)]
struct Way {
    /// Octets at hand that go on.
    passing: usize,
    /// What goes out next, and how much of it has gone.
    out: Vec<u8>,
    n_out: usize,
    /// The follower wants to see more behind what is at hand.
    wants_more: bool,
    /// Something was handed over and may not have left yet.
    is_dirty: bool,
    /// Nothing more comes, and why. What was good goes out first.
    over: Option<Over>,
    /// Something at hand waits for the other side, and whoever said it has left or cannot be looked at any more.
    is_held_up: bool,
}

/// Of what waits for the other side so much is kept, so that it is noticed when whoever said it leaves.
const KEPT_BYTES: usize = 16 * 1024;

/// So much goes out at once if it has come: a record of TLS (RFC 8446 §5.1). Many send records of 4 KiB, and each that is passed on alone
/// costs a record, a call of the system, and the same again at the client.
const GATHERED_BYTES: usize = 16 * 1024;

/// Why one way is over.
enum Over {
    Read(ReadError),
    Write(WriteError),
    Lost(Lost),
}

/// What there is to be heard.
enum AtHand {
    Something,
    Nothing,
    End(ReadError),
}

/// Which connection is which, seen from one way.
struct Ends<'a> {
    from: &'a mut Connection,
    to: &'a mut Connection,
    n_moved: &'a AtomicU64,
}

impl Way {
    const fn is_idle(&self) -> bool {
        self.passing == 0 && self.out.is_empty() && !self.is_dirty && self.over.is_none() && !self.is_held_up
    }

    /// Does one thing. False if nothing can be done now; whatever it waits for wakes the task.
    fn step(
        &mut self,
        ends: &mut Ends<'_>,
        context: &mut Context<'_>,
        hear: impl FnOnce(&[u8]) -> Result<Passage, Lost>,
    ) -> Result<bool, Over> {
        if self.out.is_empty()
            && let Some(over) = self.over.take()
        {
            return Err(over);
        }
        if self.over.is_some() || self.out.len() >= GATHERED_BYTES {
            return self.send(ends, context);
        }
        if self.passing > 0 {
            return self.gather(ends, context);
        }
        if self.wants_more {
            match ends.from.poll_more_input(context) {
                Poll::Ready(Ok(())) => self.wants_more = false,
                Poll::Ready(Err(error)) => self.over = Some(Over::Read(error)),
                Poll::Pending => return self.send(ends, context),
            }
            return Ok(true);
        }
        let (passage, at_hand) = match ends.from.poll_input(context) {
            Poll::Ready(Ok(bytes)) => (hear(bytes), AtHand::Something),
            Poll::Ready(Err(error)) => (hear(&[]), AtHand::End(error)),
            Poll::Pending => (hear(&[]), AtHand::Nothing),
        };
        if !matches!(passage, Ok(Passage::Wait)) {
            self.is_held_up = false;
        }
        match (passage, at_hand) {
            (Ok(Passage::Wait), AtHand::Something) if self.hears_more(ends, context) => {}
            (Err(lost), _) => self.over = Some(Over::Lost(lost)),
            // Something of ours goes out first.
            (Ok(Passage::Say(words)), _) => self.out.extend_from_slice(&words),
            (Ok(_), AtHand::End(error)) => self.over = Some(Over::Read(error)),
            (Ok(Passage::Pass(n)), _) => self.passing = n,
            (Ok(Passage::Drop(n)), _) => ends.from.use_up(n),
            (Ok(Passage::More), AtHand::Something) => self.wants_more = true,
            (Ok(Passage::More | Passage::Wait), _) => return self.send(ends, context),
        }
        Ok(true)
    }

    /// Whether more has come behind what waits.
    fn hears_more(&mut self, ends: &mut Ends<'_>, context: &mut Context<'_>) -> bool {
        if self.is_held_up {
            return false;
        }
        let more = match ends.from.buffered().len() {
            0..KEPT_BYTES => ends.from.poll_more_input(context),
            _ => Poll::Ready(Err(ReadError::Closed)),
        };
        // What waits may still go on, and only then its end counts; until then nobody is at rest.
        self.is_held_up = matches!(more, Poll::Ready(Err(_)));
        matches!(more, Poll::Ready(Ok(())))
    }

    /// Takes over what goes on, as far as there is room.
    fn gather(&mut self, ends: &mut Ends<'_>, context: &mut Context<'_>) -> Result<bool, Over> {
        let bytes = match ends.from.poll_input(context) {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(error)) => return Err(Over::Read(error)),
            Poll::Pending => return self.send(ends, context),
        };
        let n = bytes.len().min(self.passing).min(GATHERED_BYTES - self.out.len());
        if n >= GATHERED_BYTES / 4 {
            // More is likely to follow; a command and its answer take no more than they need.
            self.out.reserve_exact(GATHERED_BYTES - self.out.len());
        }
        self.out.extend_from_slice(bytes.get(..n).unwrap_or_default());
        ends.from.use_up(n);
        self.passing -= n;
        ends.n_moved.fetch_add(n as u64, Ordering::Relaxed);
        Ok(true)
    }

    /// Hands over what goes out, if there is anything and the other side takes it.
    fn send(&mut self, ends: &mut Ends<'_>, context: &mut Context<'_>) -> Result<bool, Over> {
        let rest = self.out.get(self.n_out..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(false);
        }
        match ends.to.poll_send(context, rest) {
            Poll::Ready(n) => self.n_out += n.map_err(Over::Write)?,
            Poll::Pending => return Ok(false),
        }
        self.is_dirty = true;
        if self.n_out >= self.out.len() {
            (self.out, self.n_out) = (Vec::new(), 0);
        }
        Ok(true)
    }

    /// What was handed over leaves.
    fn flush(&mut self, to: &mut Connection, context: &mut Context<'_>) -> Result<(), Over> {
        if self.is_dirty
            && let Poll::Ready(sent) = to.poll_sent(context)
        {
            sent.map_err(Over::Write)?;
            self.is_dirty = false;
        }
        Ok(())
    }
}

/// Both ways.
pub(crate) struct Pump<'a, F> {
    client: &'a mut Connection,
    provider: &'a mut Connection,
    follower: F,
    moved: &'a Moved,
    up: Way,
    down: Way,
    moved_at: Instant,
    /// The provider has left. What it said last is still on its way to the client.
    left: Option<Ending>,
}

impl<'a, F: Follower> Pump<'a, F> {
    pub(crate) fn new(
        client: &'a mut Connection,
        provider: &'a mut Connection,
        follower: F,
        moved: &'a Moved,
    ) -> Self {
        let (up, down) = (Way::default(), Way::default());
        Self { client, provider, follower, moved, up, down, moved_at: Instant::now(), left: None }
    }

    /// Passes on whatever is said until one side leaves, nothing was said for `idle`, one side has stood still for `stuck` with something to
    /// take or to finish, or until `ended`.
    pub(crate) async fn run(
        &mut self,
        (idle, stuck): (Duration, Duration),
        ended: impl Future<Output = Ending>,
    ) -> Ending {
        let ending = self.pass_on((idle, stuck), ended).await;
        ending.after(self.follower.leave())
    }

    async fn pass_on(
        &mut self,
        (idle, stuck): (Duration, Duration),
        ended: impl Future<Output = Ending>,
    ) -> Ending {
        let mut ended = pin!(ended);
        loop {
            // Looked at from time to time: a timer that each octet moves would cost more than the octet.
            let looks_at = Instant::now() + idle.min(stuck);
            // Polling may stop anywhere: it loses nothing.
            tokio::select! {
                biased;
                ending = &mut ended => return ending,
                ending = poll_fn(|context| self.poll(context)) => return ending,
                () = sleep_until(looks_at) => {}
            }
            match (self.is_at_rest(), self.moved_at.elapsed()) {
                (true, quiet) if quiet >= idle => return Ending::TimedOut,
                (false, quiet) if quiet >= stuck => return Ending::Stuck,
                _ => {}
            }
        }
    }

    /// Nobody owes anybody the rest of something.
    fn is_at_rest(&self) -> bool {
        self.up.is_idle() && self.down.is_idle() && !self.follower.is_within()
    }

    /// At the end: whatever was handed over to the client leaves, and what we have begun to say is said, if it takes that in time. Tells
    /// whether words of ours begin a line then.
    pub(crate) async fn settle(&mut self) -> bool {
        if self.down.passing > 0 || !self.follower.is_at_boundary() {
            return false;
        }
        let settled = poll_fn(|context| self.poll_settled(context));
        timeout(SETTLE_WITHIN, settled).await.is_ok_and(|it| it.is_ok())
    }

    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Over>> {
        let Self { client, provider, moved, down, .. } = self;
        let mut ends = Ends { from: provider, to: client, n_moved: &moved.down };
        while !down.out.is_empty() {
            if !down.send(&mut ends, context)? {
                return Poll::Pending;
            }
        }
        down.flush(client, context)?;
        if down.is_dirty { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        if self.left.is_some() {
            return self.poll_last(context);
        }
        let mut has_moved = false;
        let polled = self.poll_steps(context, &mut has_moved);
        if has_moved {
            // The clock is asked once for all steps.
            self.moved_at = Instant::now();
        }
        polled
    }

    fn poll_steps(&mut self, context: &mut Context<'_>, has_moved: &mut bool) -> Poll<Ending> {
        /// Then others have their turn.
        const STEPS: u32 = 64;
        for _ in 0..STEPS {
            let Self { client, provider, follower, moved, up, down, .. } = self;
            let mut ends = Ends { from: client, to: provider, n_moved: &moved.up };
            let went_up = match up.step(&mut ends, context, |bytes| follower.hear_client(bytes)) {
                Ok(moved) => moved,
                Err(over) => return Poll::Ready(of_client_first(over)),
            };
            let mut ends = Ends { from: provider, to: client, n_moved: &moved.down };
            let went_down = match down.step(&mut ends, context, |bytes| follower.hear_server(bytes)) {
                Ok(moved) => moved,
                Err(over @ Over::Write(_)) => return Poll::Ready(of_provider_first(over)),
                Err(over @ (Over::Read(_) | Over::Lost(_))) => {
                    self.left = Some(of_provider_first(over));
                    return self.poll_last(context);
                }
            };
            if went_up || went_down {
                *has_moved = true;
                continue;
            }
            if let Err(over) = up.flush(provider, context) {
                return Poll::Ready(of_client_first(over));
            }
            if let Err(over) = down.flush(client, context) {
                return Poll::Ready(of_provider_first(over));
            }
            return Poll::Pending;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Nothing more comes from the provider: what it said before may lie in buffers of TLS, and is not to be lost with them.
    fn poll_last(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        if let Err(over) = self.down.flush(self.client, context) {
            return Poll::Ready(of_provider_first(over));
        }
        if self.down.is_dirty {
            return Poll::Pending;
        }
        self.left.take().map_or(Poll::Pending, Poll::Ready)
    }
}

fn of_client_first(over: Over) -> Ending {
    match over {
        Over::Read(error) => Ending::ClientGone(error),
        Over::Write(error) => Ending::ProviderDeaf(error),
        Over::Lost(lost) => Ending::Lost(lost),
    }
}

fn of_provider_first(over: Over) -> Ending {
    match over {
        Over::Read(error) => Ending::ProviderGone(error),
        Over::Write(error) => Ending::ClientDeaf(error),
        Over::Lost(lost) => Ending::Lost(lost),
    }
}

/// How long a provider may take to say what nobody hears, after the client has left.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// How long a client may take for what it was given last, before words of ours come behind that.
const SETTLE_WITHIN: Duration = Duration::from_millis(500);

/// A peer that is gone without a word is found within (MP-11).
const DEAD_WITHIN: Duration = Duration::from_mins(4);

/// Passes bytes until the end, and takes leave of the provider: gently where the client itself has left, because what it said last may be
/// still on its way; at once where it must not go on. Tells whether words to the client begin a line.
pub(crate) async fn pass<F: Follower>(
    gateway: &Gateway,
    client: &mut Connection,
    entered: &mut Entered,
    follower: F,
) -> (Ending, bool) {
    let Entered { provider, live, entry, protocol, .. } = entered;
    let (removed, asked, stop) = (live.signal(), entry.signal(), &gateway.stands.stop);
    let ended = async {
        tokio::select! {
            biased;
            () = removed.cancelled() => Ending::Removed,
            () = asked.cancelled() => Ending::Ended(entry.because()),
            () = stop.cancelled() => Ending::Stopping,
        }
    };
    for connection in [&mut *client, &mut *provider] {
        connection.hold_little();
        if let Err(error) = connection.find_dead_peer(DEAD_WITHIN) {
            tracing::debug!(%error, "a peer that is gone without a word will be found late");
        }
    }
    let mut pump = Pump::new(client, provider, follower, &entry.moved);
    let ending = pump.run((gateway.idle(*protocol), gateway.settings.spans.stuck), ended).await;
    let may_speak = pump.settle().await;
    take_leave(provider, &ending).await;
    (ending, may_speak)
}

async fn take_leave(provider: &mut Connection, ending: &Ending) {
    if ending.leaves_provider_in_peace() {
        provider.close(Instant::now() + LEAVE_WITHIN).await;
    } else {
        provider.cut();
    }
}

#[cfg(test)]
mod tests;
