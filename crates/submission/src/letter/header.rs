//! What happens to a header: checked (SS-14), Bcc taken out, Received and what is missing put in (SS-15; RFC 6409 §8).

use std::fmt::Write as _;
use std::net::IpAddr;

use gatepost_core::{Domain, EmailAddress, SubmissionId, Timestamp};
use gatepost_delivery::Outbox;
use gatepost_identity::SignedIn;
use gatepost_wire::message::{HeaderBlock, HeaderSummary};
use gatepost_wire::smtp::ClientName;

use super::{Refusal, SendAs};

/// RFC 5322 §3.6.3: whoever is named there is not to be seen by the others.
const HIDDEN: [&str; 2] = ["Bcc", "Resent-Bcc"];

/// In an outbox's row a Message-ID has at most so many characters; longer ones are cut there, and not in the letter.
const MESSAGE_ID: usize = 998;

/// Under which circumstances a letter comes in.
pub(crate) struct Circumstances<'a> {
    pub(crate) outbox: &'a Outbox,
    pub(crate) who: &'a SignedIn,
    pub(crate) send_as: &'a SendAs,
    pub(crate) client: &'a ClientName,
    pub(crate) peer: IpAddr,
    pub(crate) host_name: &'a Domain,
    pub(crate) is_smtputf8: bool,
    pub(crate) now: Timestamp,
}

/// A header as it will be sent.
#[derive(Debug)]
pub(crate) struct FinishedHeader {
    /// With the empty line that ends it.
    pub(crate) bytes: Vec<u8>,
    /// For the outbox's row.
    pub(crate) message_id: String,
}

/// Checks a header and writes it anew. Fields that stay are copied byte for byte, in their order.
pub(crate) fn finish(
    header: &HeaderBlock,
    at: &Circumstances<'_>,
    id: SubmissionId,
) -> Result<FinishedHeader, Refusal> {
    let summary = HeaderSummary::of(header)?;
    for (field, address) in &summary.originators {
        at.send_as.check(address).map_err(|foreign| Refusal::Foreign { field, foreign })?;
    }
    let mut added = String::with_capacity(512);
    write_received(&mut added, at, id);
    // RFC 6409 §8.2.
    if !summary.has_date {
        _ = write!(added, "Date: {}\r\n", at.now.to_rfc5322());
    }
    // RFC 6409 §8.3.
    let message_id = match summary.message_id {
        Some(found) => found.chars().take(MESSAGE_ID).collect(),
        None => {
            let made = format!("<{id}@{}>", right_side(&summary, at.host_name));
            _ = write!(added, "Message-ID: {made}\r\n");
            made
        }
    };
    let mut bytes = Vec::with_capacity(added.len() + header.as_bytes().len() + 2);
    bytes.extend_from_slice(added.as_bytes());
    for field in header.fields().filter(|field| !HIDDEN.iter().any(|name| field.is(name))) {
        bytes.extend_from_slice(field.raw());
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(FinishedHeader { bytes, message_id })
}

/// RFC 5321 §4.4, with the protocol's name from RFC 3848 and RFC 6531 §4.3. It says where a letter came from and never who
/// signed in.
fn write_received(out: &mut String, at: &Circumstances<'_>, id: SubmissionId) {
    let protocol = if at.is_smtputf8 { "UTF8SMTPSA" } else { "ESMTPSA" };
    let literal = match at.peer {
        IpAddr::V4(it) => format!("[{it}]"),
        IpAddr::V6(it) => format!("[IPv6:{it}]"),
    };
    out.push_str("Received: from ");
    // Old devices call themselves anything; only what is a domain may stand here.
    match at.client.domain().filter(|it| it.as_str().is_ascii()) {
        Some(name) => _ = write!(out, "{} ({literal})", name.as_str()),
        None => out.push_str(&literal),
    }
    _ = write!(out, "\r\n by {} with {protocol} id {id};\r\n {}\r\n", at.host_name, at.now.to_rfc5322());
}

/// Behind the `@` of a Message-ID: the author's domain, because the name of this host may be an internal one.
fn right_side<'a>(summary: &'a HeaderSummary, host_name: &'a Domain) -> &'a str {
    let author = summary.from.first().map(|it| EmailAddress::domain(&it.address));
    author.filter(|it| it.is_ascii()).unwrap_or(host_name.as_str())
}
