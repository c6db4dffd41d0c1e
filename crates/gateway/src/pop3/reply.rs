//! What the POP3 door says.

use gatepost_wire::pop3::{Capabilities, ServerReply, code};
use gatepost_wire::sasl::Mechanism;

/// What is possible before sign-in. TOP and UIDL are the provider's; RFC 2449 §5 lets programs ask but once.
pub(super) fn capabilities(is_encrypted: bool) -> Capabilities {
    Capabilities {
        stls: !is_encrypted,
        user: is_encrypted,
        top: true,
        uidl: true,
        resp_codes: true,
        auth_resp_code: true,
        sasl: if is_encrypted { mechanisms() } else { Vec::new() },
        ..Capabilities::default()
    }
}

pub(super) fn mechanisms() -> Vec<String> {
    Mechanism::ALL.map(|it| it.name().to_owned()).to_vec()
}

pub(super) fn tls_first() -> ServerReply {
    ServerReply::error("Say STLS first")
}

/// Whatever was wrong (AP-10; RFC 3206 §4).
pub(super) fn wrong() -> ServerReply {
    ServerReply::refusal(code::AUTH, "Sign-in refused: check user name and app password")
}

pub(super) fn full(words: String) -> ServerReply {
    ServerReply::refusal(code::IN_USE, words)
}

pub(super) fn unavailable(words: String) -> ServerReply {
    ServerReply::refusal(code::SYS_TEMP, words)
}
