//! What clients are told, beside what the grammar itself answers (docs/decisions/0006).
//!
//! Each text stays on one line, because old devices show only one.

use std::time::Duration;

use gatepost_net::Farewell;
use gatepost_wire::smtp::ServerReply;

/// To a client that is not let in, or whose session broke.
pub(crate) fn farewell(why: Farewell) -> ServerReply {
    match why {
        Farewell::TooManyFromHere => {
            ServerReply::new(421, (4, 7, 0), "Too many connections from this address")
        }
        Farewell::Full => ServerReply::new(421, (4, 3, 2), "Too many connections: try again"),
        // SS-22.
        Farewell::Panicked => ServerReply::new(421, (4, 3, 0), "Something went wrong here: try again"),
    }
}

pub(crate) fn ok() -> ServerReply {
    ServerReply::new(250, (2, 0, 0), "OK")
}

pub(crate) fn goodbye() -> ServerReply {
    ServerReply::new(221, (2, 0, 0), "Goodbye")
}

pub(crate) fn help() -> ServerReply {
    ServerReply::new(214, (2, 0, 0), "Gatepost takes letters here: see RFC 6409")
}

/// RFC 5321 §3.5.3: 252 where the server will not say.
pub(crate) fn vrfy() -> ServerReply {
    ServerReply::new(252, (2, 5, 2), "Send the letter and see")
}

pub(crate) fn expn() -> ServerReply {
    ServerReply::new(502, (5, 5, 1), "This command is not offered here")
}

/// RFC 3207 §4, RFC 4954 §4.
pub(crate) fn auth_before_tls() -> ServerReply {
    let text = "Encryption is required before sign-in: turn on STARTTLS or TLS in this application";
    ServerReply::new(538, (5, 7, 11), text)
}

pub(crate) fn before_tls() -> ServerReply {
    ServerReply::new(530, (5, 7, 0), "Turn on STARTTLS or TLS in this application first")
}

/// RFC 4954 §6.
pub(crate) fn before_sign_in() -> ServerReply {
    let text = "Sign in first: set the user name and app password in this application";
    ServerReply::new(530, (5, 7, 0), text)
}

pub(crate) fn out_of_order(text: &'static str) -> ServerReply {
    ServerReply::new(503, (5, 5, 1), text)
}

/// RFC 4954 §4.
pub(crate) fn unknown_mechanism() -> ServerReply {
    ServerReply::new(
        504,
        (5, 5, 4),
        "This way to sign in is not offered: use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER",
    )
}

pub(crate) fn signed_in() -> ServerReply {
    ServerReply::new(235, (2, 7, 0), "Signed in")
}

/// One text, whatever was wrong (AP-10).
pub(crate) fn sign_in_refused() -> ServerReply {
    ServerReply::new(535, (5, 7, 8), "Sign-in refused: check user name and app password")
}

pub(crate) fn sign_in_slowed(retry_after: Duration) -> ServerReply {
    let seconds = retry_after.as_millis().div_ceil(1000).max(1);
    let text = format!("Too many wrong sign-ins from this address: try again in {seconds} seconds");
    ServerReply::new(454, (4, 7, 0), text)
}

/// AP-11: trouble of ours is never shown as a wrong password.
pub(crate) fn sign_in_unavailable() -> ServerReply {
    ServerReply::new(454, (4, 7, 0), "Sign-in is not possible right now: try again")
}

pub(crate) fn unavailable() -> ServerReply {
    ServerReply::new(451, (4, 3, 0), "Letters cannot be taken right now: try again")
}

/// For a login without an address of its own that nothing serves; `because` says what is missing.
pub(crate) fn nothing_serves(because: &str) -> ServerReply {
    ServerReply::new(550, (5, 7, 1), because.to_owned())
}

pub(crate) fn overloaded() -> ServerReply {
    ServerReply::new(451, (4, 3, 2), "Too many letters are coming in at this moment: try again")
}

pub(crate) fn storage_full() -> ServerReply {
    ServerReply::new(452, (4, 3, 1), "Not enough storage")
}

pub(crate) fn storage_trouble() -> ServerReply {
    ServerReply::new(451, (4, 3, 0), "Could not store the message: try again")
}

pub(crate) fn too_large(limit: u64) -> ServerReply {
    ServerReply::new(552, (5, 3, 4), format!("The message is larger than {limit} bytes"))
}

/// RFC 5321 §4.5.3.1.10.
pub(crate) fn too_many_recipients(limit: usize) -> ServerReply {
    let text = format!("At most {limit} recipients a message: send the rest in another");
    ServerReply::new(452, (4, 5, 3), text)
}
