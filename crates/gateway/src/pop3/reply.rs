//! What the POP3 door says.

use gatepost_wire::pop3::{Capabilities, ServerReply, code};
use gatepost_wire::sasl::Mechanism;

use crate::session::{ENCRYPT_FIRST, Refusal};

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
    ServerReply::error(ENCRYPT_FIRST)
}

/// RFC 3206 §4, RFC 2449 §8.
pub(super) const fn code(because: Refusal) -> &'static str {
    match because {
        Refusal::Wrong => code::AUTH,
        Refusal::Full => code::IN_USE,
        Refusal::Unavailable => code::SYS_TEMP,
    }
}
