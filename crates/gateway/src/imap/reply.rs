//! What the IMAP door says.

use gatepost_wire::imap::{Capabilities, ServerResponse, StatusKind};
use gatepost_wire::sasl::Mechanism;

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

pub(super) fn ok(tag: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::Ok, None, text)
}

pub(super) fn bad(tag: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::Bad, None, text)
}

/// RFC 5530 §3.
pub(super) fn tls_first(tag: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::No, Some("PRIVACYREQUIRED"), "Say STARTTLS first")
}

pub(super) fn sign_in_first(tag: &str) -> ServerResponse {
    bad(tag, "This command is not possible before sign-in")
}

/// Whatever was wrong (AP-10).
pub(super) fn wrong(tag: &str) -> ServerResponse {
    let words = "Sign-in refused: check user name and app password";
    ServerResponse::status(Some(tag), StatusKind::No, Some("AUTHENTICATIONFAILED"), words)
}

pub(super) fn full(tag: &str, words: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::No, Some("LIMIT"), words)
}

pub(super) fn unavailable(tag: &str, words: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::No, Some("UNAVAILABLE"), words)
}

/// With what the provider's server can do: whoever has no list keeps the one from before.
pub(super) fn signed_in(tag: &str, capabilities: &Capabilities, address: &str) -> ServerResponse {
    let code = format!("CAPABILITY {}", capabilities.to_words());
    ServerResponse::status(Some(tag), StatusKind::Ok, Some(&code), &format!("{address} is open"))
}
