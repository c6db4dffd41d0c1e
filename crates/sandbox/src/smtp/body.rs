//! What follows DATA.

use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{Pace, ReadError};
use gatepost_wire::smtp::{DataProgress, DataReader, Flaws, LineEnds, ServerReply};

use super::session::Session;
use super::state::{Client, Envelope};
use super::trace::trace_header;
use super::{LARGEST_BYTES, reply};
use crate::SandboxError;
use crate::fault::{FaultReply, Occasion, Outcome, Phase, Protocol};
use crate::mailbox::Incoming;
use crate::session::{Conversation as _, Ending, Step};

/// A body must come at this pace, and be over in an hour (SS-11).
const PACE: (Duration, u32, Duration) = (Duration::from_secs(60), 500, Duration::from_secs(3600));

/// A message that has come to its end.
struct Received {
    /// Not there if it cannot be kept, with the reason.
    kept: Result<Incoming, ServerReply>,
}

impl Session<'_> {
    pub(super) async fn receive_message(&mut self) -> Step {
        let Some((client, account, envelope)) = self.state.end_transaction() else { return Ok(()) };
        let received = self.read_body(&client, &envelope).await?;
        self.finish(account, envelope.recipients, received).await
    }

    async fn read_body(&mut self, client: &Client, envelope: &Envelope) -> Step<Received> {
        self.flush().await?;
        let mut kept = self.begin(client, envelope).await.map_err(|error| reply::cannot_keep(&error));
        let mut reader = DataReader::new(LineEnds::Strict);
        let pace = Pace::new(PACE.0, PACE.1, PACE.2);
        let (mut n_raw, mut n_content) = (0_u64, 0_u64);
        let mut content = Vec::new();
        loop {
            let input = match self.connection.fill(pace.deadline(n_raw)).await {
                Ok(input) => input,
                Err(error) => return Err(self.lost(&error)),
            };
            content.clear();
            let progress = reader.push(input, |piece| content.extend_from_slice(piece));
            let taken = match progress {
                Ok(DataProgress::End { consumed }) => consumed,
                Ok(DataProgress::More) | Err(_) => input.len(),
            };
            self.connection.consume(taken);
            n_raw += taken as u64;
            n_content += content.len() as u64;
            if n_content > LARGEST_BYTES {
                // RFC 1870 §6.3: read to the end, then refuse.
                kept = Err(reply::too_large());
            }
            if let Ok(incoming) = &mut kept
                && let Err(error) = incoming.write(&content).await
            {
                kept = Err(reply::cannot_keep(&error));
            }
            match progress {
                Ok(DataProgress::More) => {}
                Ok(DataProgress::End { .. }) => break,
                Err(error) => {
                    self.say(error.reply());
                    return Err(Ending::Said);
                }
            }
        }
        if reader.flaws().has_bare_line_end() {
            // RFC 5321 §2.3.8; what stands behind such a message is not to be trusted.
            self.say(Flaws::reply());
            return Err(Ending::Said);
        }
        Ok(Received { kept })
    }

    fn lost(&mut self, error: &ReadError) -> Ending {
        if matches!(error, ReadError::TimedOut) {
            self.say(reply::too_slow());
            return Ending::Said;
        }
        Ending::Cut
    }

    /// RFC 5321 §4.4: what is delivered begins with the reverse path and where it came from.
    async fn begin(&self, client: &Client, envelope: &Envelope) -> Result<Incoming, SandboxError> {
        let mut incoming = self.provider.mailboxes.receive().await?;
        let trace = trace_header(self, client, envelope, incoming.id());
        incoming.write(trace.as_bytes()).await?;
        Ok(incoming)
    }

    /// Keeps the message and answers. A cut or a wait strikes once the message is kept, because that is what senders get
    /// wrong: they cannot know, and must not send it twice without saying so.
    async fn finish(
        &mut self,
        account: EmailAddress,
        recipients: Vec<EmailAddress>,
        received: Received,
    ) -> Step {
        let occasion = Occasion {
            door: Protocol::Smtp,
            phase: Phase::Final,
            account: Some(&account),
            recipient: None,
            sign_in: None,
        };
        let struck = self.provider.faults.strike(&occasion);
        let other = match &struck.outcome {
            Some(Outcome::Reply(other)) => Some(other.clone()),
            Some(Outcome::Cut) | None => None,
        };
        let answer = match (received.kept, &other) {
            // Not kept: the provider has said no.
            (Ok(_), Some(refusal)) if refusal.code != 250 => None,
            (Ok(incoming), _) => Some(match self.provider.mailboxes.deliver(incoming, recipients).await {
                Ok(id) => reply::accepted(id),
                Err(error) => reply::cannot_keep(&error),
            }),
            (Err(refusal), _) => Some(refusal),
        };
        if !struck.wait.is_zero() {
            tokio::time::sleep(struck.wait).await;
        }
        if struck.outcome == Some(Outcome::Cut) {
            return Err(Ending::Cut);
        }
        self.answer(answer, other);
        Ok(())
    }

    fn answer(&mut self, usual: Option<ServerReply>, other: Option<FaultReply>) {
        match (usual, other) {
            // A fault cannot turn a message that was not kept into one that was.
            (Some(refusal), Some(other)) if refusal.code() != 250 && other.code == 250 => self.say(refusal),
            (_, Some(other)) => self.connection.queue(&other.bytes),
            (Some(usual), None) => self.say(usual),
            (None, None) => {}
        }
    }
}
