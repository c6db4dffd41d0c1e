//! BDAT (RFC 3030).
//!
//! Whatever is wrong, a chunk's octets are read before it is answered, and an answer is given to each: they must never be
//! taken for commands.

use gatepost_identity::LiveSession;
use gatepost_wire::smtp::{BdatReader, ServerReply};

use crate::ChooseAccount;
use crate::letter::Intake;
use crate::reply;
use crate::session::{BodyClock, Ending, Session};
use crate::state::{Authenticated, Chunks, Content, InTransaction, State};

/// From somebody who has not signed in nothing is read that is no command, so this is the end.
pub(crate) fn bdat_out_of_place() -> Result<State, Ending> {
    Err(Ending::ChunkOutOfPlace)
}

impl Authenticated {
    /// Without a transaction: perhaps what a client had pipelined behind a chunk that was refused.
    pub(crate) async fn cmd_bdat<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        size: u64,
    ) -> Result<State, Ending> {
        skip(session, &self.live, size).await?;
        session.answer(reply::out_of_order("Say MAIL first")).await?;
        Ok(self.into())
    }
}

impl InTransaction {
    pub(crate) async fn cmd_bdat<C: ChooseAccount>(
        mut self: Box<Self>,
        session: &mut Session<'_, C>,
        size: u64,
        last: bool,
    ) -> Result<State, Ending> {
        if self.envelope.recipients.is_empty() {
            skip(session, &self.session.live, size).await?;
            session.answer(reply::out_of_order("Name a recipient first")).await?;
            return Ok(self.into());
        }
        let chunks = match std::mem::replace(&mut self.content, Content::None) {
            Content::Chunks(chunks) => Some(chunks),
            Content::None => self.begin(session),
        };
        let Some(mut chunks) = chunks else {
            skip(session, &self.session.live, size).await?;
            session.reply(&reply::overloaded());
            return Ok(self.session.into());
        };
        self.read(session, &mut chunks, size).await?;
        if last {
            let Chunks { reader, mut intake, .. } = *chunks;
            let mut held = Vec::new();
            let flaws = reader.finish(|piece| held.push(piece));
            intake.take(&self.circumstances(session), &held).await;
            return self.conclude(session, intake, flaws).await;
        }
        if let Some(refusal) = chunks.intake.refusal() {
            // RFC 3030 §2: the transaction has failed, and the client is told at this chunk already.
            session.answer(refusal.reply()).await?;
            return Ok(self.session.into());
        }
        session.reply(&ServerReply::new(250, (2, 0, 0), format!("{size} octets received")));
        self.content = Content::Chunks(chunks);
        Ok(self.into())
    }

    /// At the first chunk; none if there is no place for one more message.
    fn begin<C: ChooseAccount>(&self, session: &Session<'_, C>) -> Option<Box<Chunks>> {
        let place = session.server.places.clone().try_acquire_owned().ok()?;
        let intake = Intake::begin(&session.server.stands.world, self.message_limit(session), place);
        let clock = BodyClock::start(&session.server.settings.spans);
        Some(Box::new(Chunks { reader: BdatReader::new(self.line_ends()), intake, clock, n_bytes: 0 }))
    }

    /// Exactly `size` octets.
    async fn read<C: ChooseAccount>(
        &self,
        session: &mut Session<'_, C>,
        chunks: &mut Chunks,
        size: u64,
    ) -> Result<(), Ending> {
        let end = chunks.n_bytes.saturating_add(size);
        // SS-6: the sum of all chunks counts, and is known before they come.
        chunks.intake.expect(end);
        while chunks.n_bytes < end {
            session.wait_for_body(&self.session.live, &mut chunks.clock, chunks.n_bytes).await?;
            let input = wanted(session.connection.buffered(), end - chunks.n_bytes);
            let mut pieces = Vec::new();
            chunks.reader.push(input, |piece| pieces.push(piece)).map_err(Ending::Unreadable)?;
            let n_taken = input.len();
            chunks.intake.take(&self.circumstances(session), &pieces).await;
            session.connection.consume(n_taken);
            chunks.n_bytes += n_taken as u64;
        }
        Ok(())
    }
}

/// Reads `size` octets and forgets them.
async fn skip<C: ChooseAccount>(
    session: &mut Session<'_, C>,
    live: &LiveSession,
    size: u64,
) -> Result<(), Ending> {
    let mut clock = BodyClock::start(&session.server.settings.spans);
    let mut n_bytes = 0;
    while n_bytes < size {
        session.wait_for_body(live, &mut clock, n_bytes).await?;
        let n_taken = wanted(session.connection.buffered(), size - n_bytes).len();
        session.connection.consume(n_taken);
        n_bytes += n_taken as u64;
    }
    Ok(())
}

/// What of the buffered bytes belongs to the chunk.
fn wanted(buffered: &[u8], missing: u64) -> &[u8] {
    let n = usize::try_from(missing).unwrap_or(usize::MAX).min(buffered.len());
    buffered.get(..n).unwrap_or_default()
}
