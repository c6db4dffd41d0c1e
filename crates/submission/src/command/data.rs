//! DATA (RFC 5321 §4.1.1.4).

use gatepost_wire::smtp::{DataProgress, DataReader, ServerReply};

use crate::ChooseAccount;
use crate::letter::Intake;
use crate::reply;
use crate::session::{BodyClock, Ending, Session};
use crate::state::{Content, InTransaction, State};

impl InTransaction {
    /// Reads the message to its true end, whatever is wrong with it: what follows must not be taken for commands (SS-5).
    pub(crate) async fn cmd_data<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
    ) -> Result<State, Ending> {
        // RFC 3030 §2.
        if matches!(self.content, Content::Chunks(_)) {
            let text = "The message comes in chunks: end it with BDAT LAST, or say RSET";
            session.answer(reply::out_of_order(text)).await?;
            return Ok(self.into());
        }
        if self.envelope.recipients.is_empty() {
            session.answer(reply::out_of_order("Name a recipient first")).await?;
            return Ok(self.into());
        }
        let Ok(place) = session.server.places.clone().try_acquire_owned() else {
            session.reply(&reply::overloaded());
            return Ok(self.session.into());
        };
        session.reply(&ServerReply::plain(354, "End the message with a dot on a line of its own"));
        let mut intake = Intake::begin(&session.server.stands.world, self.message_limit(session), place);
        let mut reader = DataReader::new(self.line_ends());
        let mut clock = BodyClock::start(&session.server.settings.spans);
        let mut n_bytes = 0;
        loop {
            session.wait_for_body(&self.session.live, &mut clock, n_bytes).await?;
            let input = session.connection.buffered();
            let mut pieces = Vec::new();
            let progress = reader.push(input, |piece| pieces.push(piece)).map_err(Ending::Unreadable)?;
            let n_taken = match progress {
                DataProgress::More => input.len(),
                DataProgress::End { consumed } => consumed,
            };
            intake.take(&self.circumstances(session), &pieces).await;
            session.connection.consume(n_taken);
            n_bytes += n_taken as u64;
            if progress != DataProgress::More {
                break;
            }
        }
        self.conclude(session, intake, reader.flaws()).await
    }
}
