//! The lines put on top of a delivered message.

use gatepost_core::Domain;
use gatepost_wire::smtp::ReversePath;

use super::HOST_NAME;
use super::session::Session;
use super::state::{Client, Envelope};
use crate::mailbox::MessageId;

/// Return-Path and Received (RFC 5321 §4.4). Both hold only what the grammar has checked: nobody can write a header of
/// their own into them.
pub(super) fn trace_header(
    session: &Session<'_>,
    client: &Client,
    envelope: &Envelope,
    id: MessageId,
) -> String {
    let from = match &envelope.mail.reverse_path {
        ReversePath::Null => String::new(),
        ReversePath::Address(address) => address.to_string(),
    };
    // Clients call themselves anything; only a name is repeated, so that nobody can write the rest of the line.
    let name = client.name.parse::<Domain>().map_or("unknown".to_owned(), |it| it.as_str().to_owned());
    // RFC 3848, RFC 6531 §4.3: S for TLS, A for a sign-in. HELO has neither name.
    let protocol = match (client.is_extended, envelope.mail.is_smtputf8) {
        (false, _) => "SMTP",
        (true, false) => "ESMTPSA",
        (true, true) => "UTF8SMTPSA",
    };
    let peer = session.connection.peer().ip();
    let peer = if peer.is_ipv6() { format!("[IPv6:{peer}]") } else { format!("[{peer}]") };
    let tls = session.connection.tls_description().unwrap_or_default();
    let at = session.provider.world.now().to_rfc5322();
    format!(
        "Return-Path: <{from}>\r\nReceived: from {name} ({peer})\r\n\tby {HOST_NAME} with {protocol} id {id}\r\n\t({tls});\r\n\t{at}\r\n"
    )
}
