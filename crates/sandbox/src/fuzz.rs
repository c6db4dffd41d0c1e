//! What `fuzz/` feeds with rubbish.

use gatepost_core::{SecretText, Timestamp};

use crate::phone::Account;

/// What the pretend phone understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Understood {
    /// For whom, and whose account.
    pub names: (String, String),
    /// The code at that time.
    pub figures: String,
    /// How long it is shown.
    pub seconds_left: u64,
    /// The address that it keeps.
    pub uri: Option<String>,
}

/// What it makes of the address in a QR code.
#[must_use]
pub fn uri(uri: &SecretText, at: Timestamp) -> Option<Understood> {
    Account::from_uri(uri).ok().map(|it| understood(&it, at))
}

/// What it makes of a typed key.
#[must_use]
pub fn key(name: &str, key: &SecretText, at: Timestamp) -> Option<Understood> {
    Account::from_key(name, key).ok().map(|it| understood(&it, at))
}

fn understood(it: &Account, at: Timestamp) -> Understood {
    let (code, name) = (it.code(at), it.name());
    Understood {
        names: (name.issuer.clone(), name.account.clone()),
        figures: code.figures,
        seconds_left: code.seconds_left,
        uri: it.to_uri().map(|uri| uri.reveal().to_owned()),
    }
}
