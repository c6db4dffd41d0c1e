//! What the door says.

use gatepost_wire::pop3::{Capabilities, ServerReply, code};
use gatepost_wire::sasl::Mechanism;

use crate::SandboxError;
use crate::session::Parting;

pub(super) fn greeting() -> ServerReply {
    ServerReply::ok("Gatepost sandbox, a pretend provider, is ready")
}

/// RFC 2595 §4: before TLS nobody can sign in.
pub(super) fn capabilities(is_encrypted: bool) -> Capabilities {
    Capabilities {
        stls: !is_encrypted,
        user: is_encrypted,
        top: true,
        uidl: true,
        pipelining: true,
        resp_codes: true,
        auth_resp_code: true,
        sasl: if is_encrypted { Mechanism::ALL.map(|it| it.name().to_owned()).to_vec() } else { Vec::new() },
        login_delay_seconds: None,
        implementation: Some("Gatepost-sandbox".to_owned()),
    }
}

pub(super) fn tls_first() -> ServerReply {
    ServerReply::error("Command is not valid in this state: say STLS first")
}

pub(super) fn tls_is_on() -> ServerReply {
    ServerReply::error("TLS is on already")
}

pub(super) fn sign_in_first() -> ServerReply {
    ServerReply::error("Sign in first")
}

pub(super) fn signed_in_already() -> ServerReply {
    ServerReply::error("Signed in already")
}

pub(super) fn user_first() -> ServerReply {
    ServerReply::error("Say USER first")
}

pub(super) fn unknown_mechanism() -> ServerReply {
    ServerReply::error("Use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER")
}

/// RFC 3206 §4: the secret was wrong, and nothing else.
pub(super) fn refused() -> ServerReply {
    ServerReply::refusal(code::AUTH, "Username and password not accepted.")
}

/// In the words of Gmail, which Gatepost has to understand.
pub(super) fn app_password_needed() -> ServerReply {
    ServerReply::refusal(code::AUTH, "Application-specific password required")
}

pub(super) fn too_many_misses() -> ServerReply {
    ServerReply::error("Too many wrong sign-ins")
}

pub(super) fn no_such_message() -> ServerReply {
    ServerReply::error("There is no such message")
}

pub(super) fn storage_failed(error: &SandboxError) -> ServerReply {
    tracing::error!(%error, "a message could not be read or removed");
    ServerReply::refusal(code::SYS_TEMP, "The disk does not do as it should")
}

pub(super) fn goodbye() -> ServerReply {
    ServerReply::ok("Goodbye")
}

pub(super) fn too_slow() -> ServerReply {
    ServerReply::error("Nothing came in time")
}

pub(super) fn too_many_errors() -> ServerReply {
    ServerReply::error("Too many errors")
}

pub(super) fn last(why: Parting) -> Vec<u8> {
    ServerReply::refusal(code::SYS_TEMP, why.text()).to_bytes()
}
