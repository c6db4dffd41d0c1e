//! The notice to the sender (RFC 3464), through the same account: what could not be delivered, and what was handed on to a
//! server that gives no notices, for senders who asked.

use gatepost_core::{Diagnosis, EmailAddress, SubmissionId};
use gatepost_store::{FinishedBody, StoreError};
use gatepost_wire::dsn::{Action, Bounce, ReportedRecipient};
use gatepost_wire::message::HeaderScanner;
use gatepost_wire::smtp::{BodyKind, EnhancedCode, ReversePath};

use crate::claim::Claimed;
use crate::conclude::Concluded;
use crate::outbox::Outbox;
use crate::state::Delivery;
use crate::submission::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Recipient, RecipientRow};

/// Who a bounce speaks for.
pub(crate) struct Author<'a> {
    pub(crate) organisation: gatepost_core::OrganisationId,
    /// The account's own address: providers refuse letters from any other.
    pub(crate) address: &'a EmailAddress,
    pub(crate) host: &'a str,
    pub(crate) account: ChosenAccount,
}

/// What an attempt brought, for whoever tells the sender.
pub(crate) struct Report<'a> {
    pub(crate) claimed: &'a Claimed,
    pub(crate) concluded: &'a [Concluded],
    pub(crate) diagnoses: &'a [Option<Diagnosis>],
    /// Whether the server took RFC 3461's parameters over, and with them the duty to tell of success.
    pub(crate) server_tells: bool,
}

/// The notice about those recipients whose sender wants to know. None about a bounce (SC-10), and none where the letter
/// itself had no sender.
pub(crate) async fn notice(
    outbox: &Outbox,
    author: &Author<'_>,
    report: &Report<'_>,
) -> Result<Option<(NewSubmission, FinishedBody)>, StoreError> {
    let Report { claimed, concluded, diagnoses, .. } = *report;
    let letter = &claimed.submission;
    let ReversePath::Address(sender) = &letter.reverse_path else { return Ok(None) };
    let explanations: Vec<String> = diagnoses.iter().map(|it| explain(it.as_ref())).collect();
    let recipients: Vec<ReportedRecipient<'_>> = claimed
        .recipients
        .iter()
        .zip(concluded)
        .zip(&explanations)
        .filter_map(|((row, it), explanation)| {
            Some(ReportedRecipient {
                action: wanted(row, it, report.server_tells)?,
                recipient: &row.recipient.address,
                original: row.recipient.original.as_ref(),
                status: status(it),
                reply: it.reply.as_ref().map(|reply| reply.bytes.as_slice()),
                explanation,
            })
        })
        .collect();
    if matches!(letter.origin, Origin::Bounce { .. }) || recipients.is_empty() {
        return Ok(None);
    }
    let world = outbox.store().world();
    let (id, header) = (SubmissionId::new(world), read_header(outbox, author, letter.id).await);
    let message_id = format!("<{}@{}>", id, author.address.domain());
    let written = Bounce {
        from: author.address,
        to: sender,
        message_id: &message_id,
        boundary: world.random(),
        at: world.now(),
        reporting_host: author.host,
        arrived_at: letter.accepted_at,
        envelope_id: letter.envelope_id.as_ref(),
        recipients: &recipients,
        header: &header,
    }
    .write();
    let mut body = outbox.write_body(author.organisation, id).await?;
    body.write(&written.bytes).await?;
    let envelope = Envelope {
        reverse_path: ReversePath::Null,
        recipients: vec![Recipient { address: sender.clone(), notify: None, original: None }],
        is_smtputf8: written.is_smtputf8,
        body: if written.is_8bit { BodyKind::EightBitMime } else { BodyKind::SevenBit },
        dsn_return: None,
        envelope_id: None,
    };
    let because = "the account of the letter it is about".to_owned();
    let choice =
        Choice { account: Some(author.account), because, addresses: Vec::new(), max_message_bytes: None };
    let origin = Origin::Bounce { of: letter.id };
    let organisation = author.organisation;
    let notice = NewSubmission { id, organisation, origin, choice, envelope, message_id, client: None };
    Ok(Some((notice, body.finish().await?)))
}

/// What the sender is told of a recipient, if anything.
fn wanted(row: &RecipientRow, it: &Concluded, server_tells: bool) -> Option<Action> {
    match it.delivery {
        Delivery::Failed { .. } if row.recipient.wants_bounce() => Some(Action::Failed),
        Delivery::Sent if row.recipient.wants_success() && !server_tells => Some(Action::Relayed),
        _ => None,
    }
}

/// Cause and cure, as a person reads them.
fn explain(diagnosis: Option<&Diagnosis>) -> String {
    diagnosis.map(|it| format!("{} {}", it.cause, it.cure)).unwrap_or_default()
}

/// The provider's enhanced status code; without one, the general code of the reply's class, or "delivery time expired"
/// (RFC 3463 §3.5) where the provider said nothing.
fn status(it: &Concluded) -> EnhancedCode {
    let parsed = it.reply.as_ref().and_then(|reply| {
        let mut parser = gatepost_wire::smtp::ReplyParser::new();
        let parsed = reply
            .bytes
            .split(|byte| *byte == b'\n')
            .find_map(|line| parser.push(line.strip_suffix(b"\r").unwrap_or(line)).ok().flatten())?;
        Some(parsed.enhanced.unwrap_or((parsed.code / 100, 0, 0)))
    });
    match parsed {
        Some((2, subject, detail)) => (2, subject, detail),
        Some((class, subject, detail)) if class >= 4 => (5, subject, detail),
        _ => (5, 4, 7),
    }
}

/// The letter's header, as far as it can be read; a bounce without it is better than none.
async fn read_header(outbox: &Outbox, author: &Author<'_>, id: SubmissionId) -> Vec<u8> {
    let id = gatepost_core::BodyId::from_uuid(id.uuid());
    let Ok(mut body) = outbox.bodies().read(author.organisation, id).await else { return Vec::new() };
    let mut scanner = HeaderScanner::new();
    while let Ok(Some(piece)) = body.next().await {
        match scanner.push(&piece) {
            Ok(gatepost_wire::message::HeaderProgress::More) => {}
            Ok(gatepost_wire::message::HeaderProgress::Complete { .. }) => break,
            Err(_) => return Vec::new(),
        }
    }
    scanner.finish().map(|block| block.as_bytes().to_vec()).unwrap_or_default()
}
