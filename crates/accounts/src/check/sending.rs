//! Sending: sign in, and hand the letter over.

use gatepost_core::{Phase, Trouble};
use gatepost_upstream::UpstreamError;
use gatepost_upstream::smtp::{Greeted, SmtpSession};
use gatepost_wire::smtp::{
    BodyKind, Command, DataWriter, MailCommand, RcptCommand, Reply, ReplyClass, ReversePath, SizeLimit,
};

use super::course::Course;
use super::letter::TestLetter;
use super::what::Failure;
use super::{Reach, Step, deadlines};
use crate::sending::SendingAccount;
use crate::standing::What;

pub(super) async fn send(
    account: &SendingAccount,
    reach: &Reach,
    letter: Option<&TestLetter>,
    course: &mut Course<'_>,
) -> Result<What, Failure> {
    let sign_in = account.sign_in().ok_or(UpstreamError::NotSayable)?;
    let (deadlines, mut reached) = (deadlines(), |it| course.pass(Step::at(it)));
    let way = reach.way(&deadlines, &mut reached);
    let greeted = Greeted::connect_by(way, &account.endpoint, &reach.own_name).await?;
    let mut session = greeted.sign_in(&sign_in).await?;
    course.pass(Step::SignIn);
    let Some(letter) = letter else {
        session.quit().await;
        return Ok(What::Succeeded);
    };
    hand_over(&mut session, letter).await?;
    course.pass(Step::MaySend);
    session.quit().await;
    Ok(What::LetterSent)
}

/// One transaction (RFC 5321 §3.3), a command at a time: which one was refused matters more here than a round trip.
async fn hand_over(session: &mut SmtpSession, letter: &TestLetter) -> Result<(), Failure> {
    let server = session.capabilities();
    if letter.needs_smtputf8() && !server.smtputf8 {
        return Err(Failure::Letter(Trouble::NoUtf8Addresses));
    }
    let size_bytes = letter.message.bytes.len() as u64;
    if matches!(server.size, SizeLimit::AtMost(most) if size_bytes > most) {
        return Err(Failure::Letter(Trouble::LetterTooLarge));
    }
    let mut mail = MailCommand::new(ReversePath::Address(letter.from.clone()));
    mail.size_bytes = (server.size != SizeLimit::NotAnnounced).then_some(size_bytes);
    mail.body = (server.eight_bit_mime && letter.message.is_8bit).then_some(BodyKind::EightBitMime);
    mail.is_smtputf8 = letter.needs_smtputf8();
    let rcpt = RcptCommand::new(letter.to.clone());
    ask(session, &Command::Mail(mail), Phase::Mail, ReplyClass::Completed).await?;
    ask(session, &Command::Rcpt(rcpt), Phase::Recipient, ReplyClass::Completed).await?;
    ask(session, &Command::Data, Phase::Data, ReplyClass::Intermediate).await?;
    let (mut writer, mut wire) = (DataWriter::new(), Vec::new());
    writer.push(&letter.message.bytes, |bytes| wire.extend_from_slice(bytes));
    writer.finish(|bytes| wire.extend_from_slice(bytes));
    session.write_body(&wire).await?;
    let within = session.deadlines().message;
    expect(session.read_reply(Phase::Message, within).await?, Phase::Message, ReplyClass::Completed)
}

async fn ask(
    session: &mut SmtpSession,
    command: &Command,
    phase: Phase,
    wanted: ReplyClass,
) -> Result<(), Failure> {
    let mut line = Vec::new();
    command.write_to(&mut line);
    session.send_commands(&line, phase).await?;
    let deadlines = session.deadlines();
    let within = if phase == Phase::Data { deadlines.data } else { deadlines.command };
    expect(session.read_reply(phase, within).await?, phase, wanted)
}

fn expect(reply: Reply, phase: Phase, wanted: ReplyClass) -> Result<(), Failure> {
    if reply.class() == wanted {
        return Ok(());
    }
    Err(UpstreamError::Refused { phase, reply: reply.into() }.into())
}
