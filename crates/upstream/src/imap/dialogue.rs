//! Commands out, responses in.

use gatepost_core::Phase;
use gatepost_net::Pace;
use gatepost_wire::imap::{
    Capabilities, ClientCommand, Lift, NotOneLine, Piece, Response, ResponseError, ResponseReader, Status,
    StatusKind,
};
use gatepost_wire::sasl::ClientExchange;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{capabilities_in, expect_ok};
use crate::channel::{Channel, Garbled, within};
use crate::error::{NotTheProtocol, UpstreamError};
use crate::scrub::Scrub;

const GARBLED: Garbled = Garbled {
    too_long: NotTheProtocol::Imap(ResponseError::TooLong),
    bare_line_feed: NotTheProtocol::Imap(ResponseError::BareLineFeed),
};

/// The most octets that a server may say between a command and its end, texts of messages aside (MP-13).
const COMMAND_BYTES: u64 = 1024 * 1024;
/// The most alerts that are kept of a session, and the longest.
const ALERTS: usize = 10;
const ALERT_BYTES: usize = 2 * 1024;

/// One connection on which IMAP is spoken.
pub(super) struct Dialogue {
    pub(super) channel: Channel,
    reader: ResponseReader,
    n_commands: u64,
    /// What the server wants people to read, raw and hostile. Never shown as words of ours (MP-3).
    pub(super) alerts: Vec<Vec<u8>>,
    /// Taken out of all status responses.
    pub(super) scrub: Scrub,
}

/// How far a command came.
pub(super) enum Step {
    /// An untagged response.
    Data(Response),
    /// The server asks to go on.
    Continue(Vec<u8>),
    /// The command is over.
    End(Status),
}

impl Dialogue {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            reader: ResponseReader::new(),
            n_commands: 0,
            alerts: Vec::new(),
            scrub: Scrub::default(),
        }
    }

    /// Everything that was said so far was said by anybody.
    pub(super) fn forget(&mut self) {
        self.alerts.clear();
        self.reader = ResponseReader::new();
    }

    /// The server's first words.
    pub(super) async fn greeting(&mut self) -> Result<Status, UpstreamError> {
        let deadline = within(self.channel.deadlines.greeting);
        let (response, _) =
            self.response(Phase::Greeting, &mut |_| deadline, None::<&mut tokio::io::Sink>).await?;
        match response {
            Response::Status(status) if status.tag.is_none() => Ok(status),
            _ => Err(garbled(Phase::Greeting, ResponseError::NotAResponse)),
        }
    }

    /// A command whose end must be good; what comes before its end goes to `each`.
    pub(super) async fn done(
        &mut self,
        command: &ClientCommand<'_>,
        phase: Phase,
        mut each: impl FnMut(Response),
    ) -> Result<Status, UpstreamError> {
        let mut talk = self.say(command, phase).await?;
        loop {
            match self.step(&mut talk).await? {
                Step::Data(response) => each(response),
                Step::Continue(_) => return Err(garbled(phase, ResponseError::NotAResponse)),
                Step::End(status) => return expect_ok(status, phase),
            }
        }
    }

    /// AUTHENTICATE, all its steps.
    pub(super) async fn authenticate(
        &mut self,
        command: &ClientCommand<'_>,
        exchange: &mut ClientExchange,
        mut each: impl FnMut(Response),
    ) -> Result<Status, UpstreamError> {
        let mut talk = self.say(command, Phase::Auth).await?;
        // Ends by itself: an exchange answers three challenges at most.
        loop {
            match self.step(&mut talk).await? {
                Step::Data(response) => each(response),
                Step::Continue(challenge) => {
                    let answer = exchange.answer(&challenge).map_err(UpstreamError::Challenge)?;
                    let line = Zeroizing::new([answer.reveal().as_bytes(), b"\r\n"].concat());
                    self.scrub.add_line(&line);
                    self.channel.send(&line, Phase::Auth).await?;
                }
                Step::End(status) => return Ok(status),
            }
        }
    }

    /// Says a command. Nothing is sent if it does not fit on one line.
    pub(super) async fn say(
        &mut self,
        command: &ClientCommand<'_>,
        phase: Phase,
    ) -> Result<Talk, UpstreamError> {
        self.n_commands += 1;
        let tag = format!("g{}", self.n_commands);
        // Wiped, because it may hold a secret.
        let mut line = Zeroizing::new(Vec::new());
        command.write_to(&tag, &mut line).map_err(|NotOneLine| UpstreamError::NotSayable)?;
        if let ClientCommand::Authenticate { .. } = command {
            self.scrub.add_line(&line);
        }
        self.channel.send(&line, phase).await?;
        let deadlines = &self.channel.deadlines;
        Ok(Talk {
            tag,
            phase,
            deadline: within(deadlines.command),
            pace: deadlines.pace(),
            n_bytes: 0,
            beside_bytes: 0,
        })
    }

    /// What comes next of a command.
    pub(super) async fn step(&mut self, talk: &mut Talk) -> Result<Step, UpstreamError> {
        let deadline = talk.deadline;
        let read = self.response(talk.phase, &mut |_| deadline, None::<&mut tokio::io::Sink>).await?;
        self.judge(talk, read)
    }

    /// The same for FETCH: the text of a message goes into `sink`, at a pace instead of within one span.
    pub(super) async fn step_into(
        &mut self,
        talk: &mut Talk,
        at_most: u64,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Step, UpstreamError> {
        let (pace, so_far) = (talk.pace, talk.n_bytes);
        self.reader.set_lift(Some(Lift { at_most }));
        let read = self.response(talk.phase, &mut |n| pace.deadline(so_far + n), Some(sink)).await;
        self.reader.set_lift(None);
        self.judge(talk, read?)
    }

    fn judge(
        &mut self,
        talk: &mut Talk,
        (response, n_bytes): (Response, u64),
    ) -> Result<Step, UpstreamError> {
        talk.n_bytes += n_bytes;
        // MP-13: a server that says more than anybody wants to know is left. The text of a message is counted by its limit.
        let text_bytes = match &response {
            Response::Fetch(fetched) => fetched.lifted_bytes.unwrap_or(0),
            _ => 0,
        };
        talk.beside_bytes += n_bytes.saturating_sub(text_bytes);
        if talk.beside_bytes > COMMAND_BYTES {
            return Err(garbled(talk.phase, ResponseError::TooLong));
        }
        let status = match response {
            Response::Continue(text) => return Ok(Step::Continue(text)),
            Response::Status(status) => status,
            other => return Ok(Step::Data(other)),
        };
        if status.has_code("ALERT") && self.alerts.len() < ALERTS {
            let text = status.text();
            self.alerts.push(text.get(..text.len().min(ALERT_BYTES)).unwrap_or_default().to_vec());
        }
        match (&status.tag, status.kind) {
            (Some(tag), _) if *tag == talk.tag => Ok(Step::End(status)),
            (Some(_), _) => {
                Err(UpstreamError::Protocol { phase: talk.phase, source: NotTheProtocol::OtherCommand })
            }
            (None, StatusKind::Bye) => {
                Err(UpstreamError::Refused { phase: talk.phase, reply: status.into() })
            }
            (None, StatusKind::PreAuth) => Err(garbled(talk.phase, ResponseError::NotAResponse)),
            (None, StatusKind::Ok | StatusKind::No | StatusKind::Bad) => {
                Ok(Step::Data(Response::Status(status)))
            }
        }
    }

    /// The next response, and how many octets it had. Texts of messages go into `sink`.
    async fn response(
        &mut self,
        phase: Phase,
        deadline: &mut (dyn FnMut(u64) -> Instant + Send),
        mut sink: Option<&mut (impl AsyncWrite + Unpin)>,
    ) -> Result<(Response, u64), UpstreamError> {
        let mut n_read = 0;
        loop {
            let bytes = self
                .channel
                .connection
                .fill(deadline(n_read))
                .await
                .map_err(|error| UpstreamError::from_read(error, phase, &GARBLED))?;
            let is_fetch = sink.is_some();
            let (n_taken, piece) = self.reader.push(bytes).map_err(|error| match error {
                ResponseError::LiteralTooLarge if is_fetch => {
                    UpstreamError::Protocol { phase, source: NotTheProtocol::MessageTooLarge }
                }
                error => garbled(phase, error),
            })?;
            let response = match piece {
                Piece::More => None,
                Piece::Response(response) => Some(response),
                Piece::Text(text) => {
                    if let Some(sink) = &mut sink {
                        sink.write_all(text).await.map_err(UpstreamError::NotKept)?;
                    }
                    None
                }
            };
            self.channel.connection.consume(n_taken);
            n_read += n_taken as u64;
            if let Some(response) = response {
                let response = match response {
                    Response::Status(it) => Response::Status(Status { raw: self.scrub.clean(it.raw), ..it }),
                    other => other,
                };
                return Ok((response, n_read));
            }
        }
    }

    /// What the server can do.
    pub(super) async fn capabilities(&mut self, phase: Phase) -> Result<Capabilities, UpstreamError> {
        let mut found = None;
        self.done(&ClientCommand::Capability, phase, |response| {
            if let Some(said) = capabilities_in(&response) {
                found = Some(said);
            }
        })
        .await?;
        found.ok_or_else(|| garbled(phase, ResponseError::NotAResponse))
    }

    /// Says goodbye, and closes whatever the server answers.
    pub(super) async fn logout(mut self) {
        let patience = self.channel.deadlines.quit;
        self.channel.deadlines.command = patience;
        if let Ok(mut talk) = self.say(&ClientCommand::Logout, Phase::Upkeep).await {
            // RFC 9051 §6.1.3: BYE first, then the end of the command; BYE alone is as good.
            while let Ok(Step::Data(_) | Step::Continue(_)) = self.step(&mut talk).await {}
            self.channel.connection.close(within(patience)).await;
        }
    }
}

/// A command that has been said.
pub(super) struct Talk {
    tag: String,
    phase: Phase,
    deadline: Instant,
    pace: Pace,
    n_bytes: u64,
    /// Of them, those that are no text of a message.
    beside_bytes: u64,
}

pub(super) fn garbled(phase: Phase, source: ResponseError) -> UpstreamError {
    UpstreamError::Protocol { phase, source: source.into() }
}
