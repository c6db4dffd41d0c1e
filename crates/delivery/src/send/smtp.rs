//! One mail transaction (RFC 5321 §3.3): MAIL, RCPT and DATA in one piece where the server takes it (RFC 2920), then the
//! text, then the dot.

use gatepost_core::{Phase, Trouble};
use gatepost_store::{BodyReader, StoreError};
use gatepost_upstream::smtp::SmtpSession;
use gatepost_upstream::{Evidence, UpstreamError};
use gatepost_wire::smtp::{
    BodyKind, Capabilities, Command, DataWriter, MailCommand, RcptCommand, Reply, ReplyClass, SizeLimit,
};

use crate::claim::Claimed;

/// How one recipient's part of the transaction ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The provider took it over.
    Accepted(Reply),
    /// The provider said no, to the command of this phase.
    Refused(Phase, Reply),
    /// The connection was lost before the final dot: the provider cannot have it.
    LostBefore(Trouble),
    /// The connection was lost after it: nobody knows (RFC 1047).
    LostAfter(Trouble),
    /// Not handed over, because the server cannot take it as it is.
    Impossible(Trouble),
    /// The stored text is damaged; nothing of it was sent as a whole.
    Damaged,
    /// The text could not be read just now.
    Unreadable,
}

/// What a transaction brought: one end per claimed recipient, in order, and whether the connection may be used again.
pub(crate) struct Transaction {
    pub(crate) ends: Vec<End>,
    pub(crate) is_usable: bool,
}

/// Sends the letter.
pub(crate) async fn send(session: &mut SmtpSession, claimed: &Claimed, body: BodyReader) -> Transaction {
    let n = claimed.recipients.len();
    if let Some(trouble) = impossible(session.capabilities(), claimed) {
        return Transaction { ends: vec![End::Impossible(trouble); n], is_usable: true };
    }
    let mut exchange = Exchange { session, ends: vec![None; n] };
    let ended = exchange.run(claimed, body).await;
    let is_usable = matches!(ended, Ok(()));
    let rest = match ended {
        Ok(()) => End::LostBefore(Trouble::NotAMailServer),
        Err(Broken::Before(err)) => End::LostBefore(trouble(&err)),
        Err(Broken::After(err)) => End::LostAfter(trouble(&err)),
        Err(Broken::Body(StoreError::DamagedBody { .. })) => End::Damaged,
        Err(Broken::Body(_)) => End::Unreadable,
    };
    let ends = exchange.ends.into_iter().map(|end| end.unwrap_or_else(|| rest.clone())).collect();
    Transaction { ends, is_usable }
}

/// Why the server cannot take the letter at all. It is never converted down silently (SS-23, RFC 6531 §3.2).
fn impossible(server: &Capabilities, claimed: &Claimed) -> Option<Trouble> {
    let letter = &claimed.submission;
    if needs_smtputf8(claimed) && !server.smtputf8 {
        return Some(Trouble::NoUtf8Addresses);
    }
    match server.size {
        SizeLimit::AtMost(most) if letter.size_bytes > most => Some(Trouble::LetterTooLarge),
        _ => None,
    }
}

fn needs_smtputf8(claimed: &Claimed) -> bool {
    let letter = &claimed.submission;
    letter.is_smtputf8
        || letter.reverse_path.address().is_some_and(|it| !it.is_ascii())
        || claimed.recipients.iter().any(|it| !it.recipient.address.is_ascii())
}

/// What broke the connection; a reply cannot, so anything else is a server that speaks no SMTP.
fn trouble(err: &UpstreamError) -> Trouble {
    match err.evidence() {
        Evidence::Trouble(trouble) => trouble,
        Evidence::Reply(..) => Trouble::NotAMailServer,
    }
}

enum Broken {
    Before(UpstreamError),
    After(UpstreamError),
    Body(StoreError),
}

struct Exchange<'a> {
    session: &'a mut SmtpSession,
    /// What each recipient got so far.
    ends: Vec<Option<End>>,
}

impl Exchange<'_> {
    async fn run(&mut self, claimed: &Claimed, body: BodyReader) -> Result<(), Broken> {
        let commands = envelope(self.session.capabilities(), claimed);
        let answer = if self.session.capabilities().pipelining {
            self.pipelined(&commands).await
        } else {
            self.one_by_one(&commands).await
        };
        let Some(answer) = answer.map_err(Broken::Before)? else {
            return self.reset().await.map_err(Broken::Before);
        };
        if answer.class() != ReplyClass::Intermediate {
            self.end_rest(&End::Refused(Phase::Data, answer));
            return self.reset().await.map_err(Broken::Before);
        }
        if self.ends.iter().all(Option::is_some) {
            // RFC 2920 §3.1: a server that wants a text for nobody gets an empty one.
            self.session.write_body(b".\r\n").await.map_err(Broken::Before)?;
            self.reply(Phase::Message).await.map_err(Broken::Before)?;
            return Ok(());
        }
        self.text(body).await
    }

    /// All commands in one piece, then all their replies. `None` if there is nobody left to send to.
    async fn pipelined(&mut self, commands: &[Vec<u8>]) -> Result<Option<Reply>, UpstreamError> {
        self.session.send_commands(&commands.concat(), Phase::Mail).await?;
        let mail = self.reply(Phase::Mail).await?;
        for at in 0..self.ends.len() {
            let reply = self.reply(Phase::Recipient).await?;
            self.take_recipient(at, &mail, reply);
        }
        let data = self.reply(Phase::Data).await?;
        let is_nobody_left = self.ends.iter().all(Option::is_some);
        Ok((!is_nobody_left || data.class() == ReplyClass::Intermediate).then_some(data))
    }

    /// For servers that take one command at a time.
    async fn one_by_one(&mut self, commands: &[Vec<u8>]) -> Result<Option<Reply>, UpstreamError> {
        let [mail, recipients @ .., data] = commands else { return Ok(None) };
        self.session.send_commands(mail, Phase::Mail).await?;
        let mail = self.reply(Phase::Mail).await?;
        if mail.class() != ReplyClass::Completed {
            self.end_rest(&End::Refused(Phase::Mail, mail));
            return Ok(None);
        }
        for (at, recipient) in recipients.iter().enumerate() {
            self.session.send_commands(recipient, Phase::Recipient).await?;
            let reply = self.reply(Phase::Recipient).await?;
            self.take_recipient(at, &mail, reply);
        }
        if self.ends.iter().all(Option::is_some) {
            return Ok(None);
        }
        self.session.send_commands(data, Phase::Data).await?;
        self.reply(Phase::Data).await.map(Some)
    }

    /// The next reply, within the time that its phase may take (SC-6).
    async fn reply(&mut self, phase: Phase) -> Result<Reply, UpstreamError> {
        let deadlines = self.session.deadlines();
        let span = match phase {
            Phase::Data => deadlines.data,
            Phase::Message => deadlines.message,
            _ => deadlines.command,
        };
        self.session.read_reply(phase, span).await
    }

    fn take_recipient(&mut self, at: usize, mail: &Reply, reply: Reply) {
        let end = if mail.class() != ReplyClass::Completed {
            Some(End::Refused(Phase::Mail, mail.clone()))
        } else if reply.class() != ReplyClass::Completed {
            Some(End::Refused(Phase::Recipient, reply))
        } else {
            None
        };
        if let Some(place) = self.ends.get_mut(at) {
            *place = end;
        }
    }

    /// The text and the dot. From the moment the dot may have left, a lost connection means "nobody knows".
    async fn text(&mut self, mut body: BodyReader) -> Result<(), Broken> {
        let mut writer = DataWriter::new();
        let mut wire = Vec::new();
        while let Some(piece) = body.next().await.map_err(Broken::Body)? {
            if !wire.is_empty() {
                self.session.write_body(&wire).await.map_err(Broken::Before)?;
                wire.clear();
            }
            wire.reserve(piece.len() + piece.len() / 64 + 8);
            writer.push(&piece, |bytes| wire.extend_from_slice(bytes));
        }
        writer.finish(|bytes| wire.extend_from_slice(bytes));
        self.session.write_body(&wire).await.map_err(Broken::After)?;
        let reply = self.reply(Phase::Message).await.map_err(Broken::After)?;
        let end = match reply.class() {
            ReplyClass::Completed => End::Accepted(reply),
            _ => End::Refused(Phase::Message, reply),
        };
        self.end_rest(&end);
        Ok(())
    }

    fn end_rest(&mut self, end: &End) {
        for place in self.ends.iter_mut().filter(|it| it.is_none()) {
            *place = Some(end.clone());
        }
    }

    /// Ends a transaction that did not come to its text, so that the next MAIL finds none open.
    async fn reset(&mut self) -> Result<(), UpstreamError> {
        self.session.rset().await.map(drop)
    }
}

/// MAIL, one RCPT each, and DATA, with the parameters that the server takes.
fn envelope(server: &Capabilities, claimed: &Claimed) -> Vec<Vec<u8>> {
    let letter = &claimed.submission;
    let mut mail = MailCommand::new(letter.reverse_path.clone());
    mail.size_bytes = (server.size != SizeLimit::NotAnnounced).then_some(letter.size_bytes);
    mail.body =
        (server.eight_bit_mime && letter.body == BodyKind::EightBitMime).then_some(BodyKind::EightBitMime);
    mail.is_smtputf8 = server.smtputf8 && needs_smtputf8(claimed);
    if server.dsn {
        mail.ret = letter.dsn_return;
        mail.envelope_id = letter.envelope_id.clone();
    }
    let recipients = claimed.recipients.iter().map(|it| {
        let mut rcpt = RcptCommand::new(it.recipient.address.clone());
        if server.dsn {
            rcpt.notify = it.recipient.notify;
            rcpt.original_recipient = it.recipient.original.clone();
        }
        Command::Rcpt(rcpt)
    });
    std::iter::once(Command::Mail(mail))
        .chain(recipients)
        .chain([Command::Data])
        .map(|command| {
            let mut line = Vec::with_capacity(128);
            command.write_to(&mut line);
            line
        })
        .collect()
}

#[cfg(test)]
mod tests;
