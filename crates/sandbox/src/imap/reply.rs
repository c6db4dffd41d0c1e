//! What the door says.

use gatepost_wire::imap::{Capabilities, ServerResponse, StatusKind};
use gatepost_wire::sasl::Mechanism;

use crate::SandboxError;
use crate::session::Parting;

/// RFC 9051 §6.2.1: before TLS nobody can sign in.
pub(super) fn capabilities(is_encrypted: bool) -> Capabilities {
    let mut can = Capabilities::default();
    for name in ["IMAP4rev1", "LITERAL+", "ID", "NAMESPACE", "IDLE", "UIDPLUS", "UNSELECT", "SASL-IR"] {
        can.add(name);
    }
    if is_encrypted {
        Mechanism::ALL.iter().for_each(|it| can.add(&format!("AUTH={}", it.name())));
    } else {
        can.add("STARTTLS");
        can.add("LOGINDISABLED");
    }
    can
}

pub(super) fn greeting(is_encrypted: bool) -> ServerResponse {
    ServerResponse::greeting(&capabilities(is_encrypted), "Gatepost sandbox, a pretend provider, is ready")
}

pub(super) fn ok(tag: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::Ok, None, text)
}

pub(super) fn ok_with(tag: &str, code: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::Ok, Some(code), text)
}

/// An untagged OK, which carries a figure.
pub(super) fn told(code: &str, text: &str) -> ServerResponse {
    ServerResponse::status(None, StatusKind::Ok, Some(code), text)
}

/// RFC 5530: the code says why.
pub(super) fn no(tag: &str, code: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::No, Some(code), text)
}

pub(super) fn bad(tag: &str, text: &str) -> ServerResponse {
    ServerResponse::status(Some(tag), StatusKind::Bad, None, text)
}

pub(super) fn bye(text: &str) -> ServerResponse {
    ServerResponse::status(None, StatusKind::Bye, None, text)
}

pub(super) fn last(why: Parting) -> Vec<u8> {
    bye(why.text()).as_bytes().to_vec()
}

pub(super) fn tls_first(tag: &str) -> ServerResponse {
    no(tag, "PRIVACYREQUIRED", "Say STARTTLS first")
}

/// In the words of Gmail, which Gatepost has to understand.
pub(super) fn refused(tag: &str) -> ServerResponse {
    no(tag, "AUTHENTICATIONFAILED", "Invalid credentials (Failure)")
}

/// As before.
pub(super) fn app_password_needed(tag: &str) -> ServerResponse {
    let text = "Application-specific password required: make one on the page App passwords (Failure)";
    no(tag, "ALERT", text)
}

pub(super) fn no_such_folder(tag: &str) -> ServerResponse {
    no(tag, "NONEXISTENT", "There is no such folder: each mailbox has INBOX alone")
}

pub(super) fn storage_failed(tag: &str, error: &SandboxError) -> ServerResponse {
    tracing::error!(%error, "a mailbox could not be read or changed");
    no(tag, "SERVERBUG", "The disk does not do as it should")
}
