//! What the door says.

use gatepost_core::EmailAddress;
use gatepost_wire::sasl::Mechanism;
use gatepost_wire::smtp::{Capabilities, ServerReply, SizeLimit};

use super::{HOST_NAME, LARGEST_BYTES, MOST_RECIPIENTS};
use crate::SandboxError;
use crate::session::Parting;

pub(super) fn greeting() -> ServerReply {
    ServerReply::plain(220, format!("{HOST_NAME} ESMTP Gatepost sandbox, a pretend provider"))
}

pub(super) fn hello(is_encrypted: bool) -> ServerReply {
    let auth = if is_encrypted { Mechanism::ALL.map(|it| it.name().to_owned()).to_vec() } else { Vec::new() };
    Capabilities {
        size: SizeLimit::AtMost(LARGEST_BYTES),
        starttls: !is_encrypted,
        pipelining: true,
        eight_bit_mime: true,
        smtputf8: true,
        enhanced_status_codes: true,
        auth,
        ..Capabilities::default()
    }
    .to_reply(format!("{HOST_NAME} at your service"))
}

pub(super) fn old_hello() -> ServerReply {
    ServerReply::plain(250, HOST_NAME)
}

pub(super) fn ok() -> ServerReply {
    ServerReply::new(250, (2, 0, 0), "OK")
}

pub(super) fn go_ahead_with_tls() -> ServerReply {
    ServerReply::new(220, (2, 0, 0), "Ready to start TLS")
}

pub(super) fn tls_is_on() -> ServerReply {
    ServerReply::new(503, (5, 5, 1), "TLS is on already")
}

pub(super) fn hello_first() -> ServerReply {
    ServerReply::new(503, (5, 5, 1), "Say EHLO first")
}

pub(super) fn tls_first() -> ServerReply {
    ServerReply::new(530, (5, 7, 0), "Must issue a STARTTLS command first")
}

/// RFC 4954 §4.
pub(super) fn encryption_required() -> ServerReply {
    ServerReply::new(538, (5, 7, 11), "Encryption is required before sign-in")
}

pub(super) fn sign_in_first() -> ServerReply {
    ServerReply::new(530, (5, 7, 0), "Authentication required")
}

pub(super) fn signed_in_already() -> ServerReply {
    ServerReply::new(503, (5, 5, 1), "Signed in already")
}

pub(super) fn unknown_mechanism() -> ServerReply {
    ServerReply::new(504, (5, 5, 4), "Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER")
}

pub(super) fn signed_in() -> ServerReply {
    ServerReply::new(235, (2, 7, 0), "Authentication successful")
}

pub(super) fn refused() -> ServerReply {
    ServerReply::new(535, (5, 7, 8), "User name and password not accepted")
}

/// In the words of Gmail, which Gatepost has to understand.
pub(super) fn app_password_needed() -> ServerReply {
    ServerReply::new(
        534,
        (5, 7, 9),
        "Application-specific password required: make one on the page App passwords of this account",
    )
}

pub(super) fn too_many_misses() -> ServerReply {
    ServerReply::new(421, (4, 7, 0), "Too many wrong sign-ins")
}

pub(super) fn mail_already() -> ServerReply {
    ServerReply::new(503, (5, 5, 1), "A message has been begun already")
}

pub(super) fn mail_first() -> ServerReply {
    ServerReply::new(503, (5, 5, 1), "Say MAIL first")
}

/// In the words of Exchange Online, which Gatepost has to understand.
pub(super) fn not_your_address(account: &EmailAddress) -> ServerReply {
    ServerReply::new(
        550,
        (5, 7, 60),
        format!(
            "SMTP; Client does not have permissions to send as this sender: {account} may send as itself only"
        ),
    )
}

pub(super) fn too_large() -> ServerReply {
    ServerReply::new(552, (5, 3, 4), format!("The message is larger than {LARGEST_BYTES} bytes"))
}

pub(super) fn sender_ok() -> ServerReply {
    ServerReply::new(250, (2, 1, 0), "Sender OK")
}

pub(super) fn recipient_ok() -> ServerReply {
    ServerReply::new(250, (2, 1, 5), "Recipient OK")
}

pub(super) fn too_many_recipients() -> ServerReply {
    ServerReply::new(452, (4, 5, 3), format!("At most {MOST_RECIPIENTS} recipients a message"))
}

pub(super) fn no_recipients() -> ServerReply {
    ServerReply::new(554, (5, 5, 1), "No valid recipients")
}

pub(super) fn go_ahead() -> ServerReply {
    ServerReply::plain(354, "Go ahead, end with a dot on a line of its own")
}

pub(super) fn accepted(id: impl std::fmt::Display) -> ServerReply {
    ServerReply::new(250, (2, 0, 0), format!("OK, kept as {id}"))
}

pub(super) fn cannot_keep(error: &SandboxError) -> ServerReply {
    tracing::error!(%error, "a message could not be kept");
    ServerReply::new(452, (4, 3, 1), "Insufficient system storage")
}

pub(super) fn cannot_verify() -> ServerReply {
    ServerReply::new(252, (2, 1, 5), "Every address is a mailbox here")
}

pub(super) fn not_offered() -> ServerReply {
    ServerReply::new(502, (5, 5, 1), "This command is not offered here")
}

pub(super) fn help() -> ServerReply {
    ServerReply::new(214, (2, 0, 0), "A pretend provider: sign in as any address with the password sandbox")
}

pub(super) fn goodbye() -> ServerReply {
    ServerReply::new(221, (2, 0, 0), "Goodbye")
}

pub(super) fn bare_line_feed() -> ServerReply {
    ServerReply::new(500, (5, 5, 2), "A line must end with CRLF")
}

pub(super) fn too_slow() -> ServerReply {
    ServerReply::new(421, (4, 4, 2), "Nothing came in time")
}

pub(super) fn too_many_errors() -> ServerReply {
    ServerReply::new(421, (4, 7, 0), "Too many errors")
}

pub(super) fn last(why: Parting) -> Vec<u8> {
    let code = match why {
        Parting::SignedOut => (4, 7, 0),
        Parting::Stopping => (4, 3, 2),
        Parting::Full | Parting::Panicked => (4, 3, 0),
    };
    ServerReply::new(421, code, why.text()).to_bytes()
}
