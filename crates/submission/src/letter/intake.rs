//! Takes a message in, piece by piece. Holds the header until it is complete, and of the body no more than a chunk.

use gatepost_core::{SubmissionId, World};
use gatepost_store::{BodyWriter, FinishedBody};
use gatepost_wire::message::{HeaderBlock, HeaderProgress, HeaderScanner};
use tokio::sync::OwnedSemaphorePermit;

use super::Refusal;
use super::header::{self, Circumstances};

/// A message that is coming in. Dropped before its end, it leaves nothing behind.
pub(crate) struct Intake {
    id: SubmissionId,
    stage: Stage,
    /// Of the message, without dots and ends.
    n_bytes: u64,
    limit: u64,
    _place: OwnedSemaphorePermit,
}

enum Stage {
    /// The empty line has not come yet.
    Header(HeaderScanner),
    /// The header was fine and is written; what comes now is body.
    Body(Box<Opened>),
    /// Whatever comes is thrown away; the refusal is said at the true end (SS-5, SS-8).
    Refused(Refusal),
}

/// A letter whose header is written.
struct Opened {
    writer: BodyWriter,
    message_id: String,
}

/// A whole message, synced or in memory, that belongs to nothing yet.
pub(crate) struct Arrived {
    pub(crate) id: SubmissionId,
    pub(crate) body: FinishedBody,
    pub(crate) message_id: String,
}

impl Intake {
    pub(crate) fn begin(world: &World, limit: u64, place: OwnedSemaphorePermit) -> Self {
        let stage = Stage::Header(HeaderScanner::new());
        Self { id: SubmissionId::new(world), stage, n_bytes: 0, limit, _place: place }
    }

    pub(crate) fn id(&self) -> SubmissionId {
        self.id
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Why it will be refused, if that is known already.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.stage {
            Stage::Refused(refusal) => Some(refusal),
            Stage::Header(_) | Stage::Body(_) => None,
        }
    }

    /// The message will have this many bytes at least.
    pub(crate) fn expect(&mut self, n_bytes: u64) {
        if n_bytes > self.limit {
            self.refuse(Refusal::TooLarge(self.limit));
        }
    }

    /// Takes what came. What goes wrong is kept and told at the end.
    pub(crate) async fn take(&mut self, at: &Circumstances<'_>, pieces: &[&[u8]]) {
        for piece in pieces {
            self.n_bytes = self.n_bytes.saturating_add(piece.len() as u64);
            self.expect(self.n_bytes);
            if let Err(refusal) = self.take_piece(at, piece).await {
                self.refuse(refusal);
            }
        }
    }

    /// The first reason stays.
    fn refuse(&mut self, refusal: Refusal) {
        if self.refusal().is_none() {
            self.stage = Stage::Refused(refusal);
        }
    }

    async fn take_piece(&mut self, at: &Circumstances<'_>, piece: &[u8]) -> Result<(), Refusal> {
        match &mut self.stage {
            Stage::Refused(_) => {}
            Stage::Body(it) => it.writer.write(piece).await?,
            Stage::Header(scanner) => {
                if let HeaderProgress::Complete { consumed } = scanner.push(piece)? {
                    let header = std::mem::take(scanner).finish()?;
                    let mut opened = open(at, &header, self.id).await?;
                    opened.writer.write(piece.get(consumed..).unwrap_or_default()).await?;
                    self.stage = Stage::Body(opened);
                }
            }
        }
        Ok(())
    }

    /// Ends the message.
    pub(crate) async fn finish(self, at: &Circumstances<'_>) -> Result<Arrived, Refusal> {
        let opened = match self.stage {
            Stage::Refused(refusal) => return Err(refusal),
            Stage::Body(opened) => opened,
            // RFC 5322 §3.5: a message may be all header.
            Stage::Header(scanner) => open(at, &scanner.finish()?, self.id).await?,
        };
        let Opened { writer, message_id } = *opened;
        Ok(Arrived { id: self.id, body: writer.finish().await?, message_id })
    }
}

/// Checks the header and begins the stored letter with it.
async fn open(
    at: &Circumstances<'_>,
    header: &HeaderBlock,
    id: SubmissionId,
) -> Result<Box<Opened>, Refusal> {
    let header = header::finish(header, at, id)?;
    let mut writer = at.outbox.write_body(at.who.organisation, id).await?;
    writer.write(&header.bytes).await?;
    Ok(Box::new(Opened { writer, message_id: header.message_id }))
}
