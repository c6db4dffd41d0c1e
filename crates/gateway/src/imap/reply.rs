//! What the IMAP door says.

use gatepost_wire::imap::{Capabilities, ServerResponse, StatusKind};
use gatepost_wire::sasl::Mechanism;

use crate::session::{ENCRYPT_FIRST, Refusal};

/// What is possible before sign-in. IDLE and ENABLE are the provider's; some programs look at this list alone, and every large provider has
/// them.
pub(super) fn capabilities(is_encrypted: bool) -> Capabilities {
    let mut all = Capabilities::default();
    ["IMAP4rev1", "SASL-IR", "LITERAL-", "ID", "ENABLE", "IDLE"].iter().for_each(|it| all.add(it));
    if is_encrypted {
        Mechanism::ALL.iter().for_each(|it| all.add(&format!("AUTH={}", it.name())));
    } else {
        all.add("STARTTLS");
        all.add("LOGINDISABLED");
    }
    all
}

pub(super) fn greeting(is_encrypted: bool) -> ServerResponse {
    ServerResponse::greeting(&capabilities(is_encrypted), "Gatepost is ready")
}

/// RFC 5530 §3.
pub(super) fn tls_first(tag: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::No, Some("PRIVACYREQUIRED"), ENCRYPT_FIRST)
}

/// RFC 5530 §3.
pub(super) const fn code(because: Refusal) -> &'static str {
    match because {
        Refusal::Wrong => "AUTHENTICATIONFAILED",
        Refusal::Full => "LIMIT",
        Refusal::Unavailable => "UNAVAILABLE",
    }
}

/// With what the provider's server can do: whoever has no list keeps the one from before.
pub(super) fn opened(tag: &str, capabilities: &Capabilities, address: &str) -> ServerResponse {
    let code = format!("CAPABILITY {}", capabilities.to_words());
    ServerResponse::status(Some(tag), StatusKind::Ok, Some(&code), &format!("{address} is open"))
}
