//! Addresses of the pages that connect mailboxes and sign them in again. They are named here alone; where there is no such page yet,
//! nothing leads to it.

use gatepost_core::MailAccountId;

/// Where a mailbox is connected.
pub(super) const fn connect() -> Option<&'static str> {
    None
}

/// Where the form goes that signs an account in again.
pub(super) fn reauthenticate(id: MailAccountId) -> Option<String> {
    let _ = id;
    None
}
