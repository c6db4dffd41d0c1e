//! How an account is protected, and what that forbids.

use gatepost_core::{EmailAddress, SecretText, World};
use serde::{Deserialize, Serialize};

use super::secret_json;
use crate::phone::Account;

/// Under which name the account stands on the phone.
const ISSUER: &str = "Sandbox provider";

/// What the person, or their organisation, has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Security {
    pub(crate) second_step: SecondStep,
    /// An administrator must allow an application before anybody can consent.
    pub(crate) needs_approval: bool,
    pub(crate) forbids_app_passwords: bool,
    pub(crate) is_advanced: bool,
}

/// What is asked for behind the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecondStep {
    #[default]
    Off,
    /// A code from the phone.
    Codes,
    /// Security keys, and nothing else.
    Keys,
}

/// Why the page of app passwords offers none: the four reasons of the large providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAppPasswords {
    SecondStepOff,
    KeysOnly,
    Organisation,
    AdvancedProtection,
}

impl Security {
    /// Advanced protection brings security keys with it.
    pub(crate) fn second_step(self) -> SecondStep {
        if self.is_advanced { SecondStep::Keys } else { self.second_step }
    }

    /// The reason that weighs most, if there is one.
    pub(crate) fn no_app_passwords(self) -> Option<NoAppPasswords> {
        if self.forbids_app_passwords {
            return Some(NoAppPasswords::Organisation);
        }
        if self.is_advanced {
            return Some(NoAppPasswords::AdvancedProtection);
        }
        match self.second_step {
            SecondStep::Off => Some(NoAppPasswords::SecondStepOff),
            SecondStep::Keys => Some(NoAppPasswords::KeysOnly),
            SecondStep::Codes => None,
        }
    }
}

/// One app password. It opens SMTP, IMAP and POP3 without a second step.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AppPassword {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(with = "secret_json")]
    pub(super) text: Option<SecretText>,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
}

impl AppPassword {
    /// 16 random letters, without spaces.
    pub(crate) fn generate(name: &str, world: &World) -> (Self, SecretText) {
        // The few values past the last multiple of 26 would make some letters likelier: they are left out.
        let mut letters = String::new();
        while letters.len() < 16 {
            let bytes = world.random::<16>();
            let fair = bytes.into_iter().filter(|it| *it < 234).map(|it| char::from(b'a' + it % 26));
            letters.extend(fair.take(16 - letters.len()));
        }
        let text = SecretText::new(letters);
        (Self::of(name, text.clone(), world), text)
    }

    pub(crate) fn of(name: &str, text: SecretText, world: &World) -> Self {
        Self {
            id: format!("{:016x}", u64::from_be_bytes(world.random())),
            name: name.to_owned(),
            text: Some(text),
            created_at: world.now().millis(),
        }
    }
}

/// A new secret for the codes of this account, as a QR code would say it.
pub(crate) fn new_authenticator(address: &EmailAddress, world: &World) -> SecretText {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |it: u8| ALPHABET.get(usize::from(it & 31)).copied().map_or('A', char::from);
    let key: String = world.random::<32>().into_iter().map(letter).collect();
    let name = crate::pages::path_segment(address.as_str()).replace('@', "%40");
    let issuer = crate::pages::path_segment(ISSUER);
    SecretText::new(format!("otpauth://totp/{issuer}:{name}?secret={key}&issuer={issuer}"))
}

/// The account on the phone that an authenticator's address means.
pub(crate) fn phone_account(uri: &SecretText) -> Option<Account> {
    Account::from_uri(uri).ok()
}
