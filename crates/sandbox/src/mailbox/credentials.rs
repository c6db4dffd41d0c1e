//! What opens a mailbox.

use std::time::Instant;

use gatepost_core::{EmailAddress, SecretText};
use gatepost_wire::sasl::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What opens every mailbox that nobody has given another password.
const FIRST_PASSWORD: &str = "sandbox";

/// The secrets of one mailbox.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    password: Option<SecretText>,
    app_password: Option<SecretText>,
    token: Option<Token>,
}

/// An access token, as OAuth will hand them out.
#[derive(Clone)]
struct Token {
    text: SecretText,
    /// Not known after a restart: then it is older than any fault.
    set_at: Option<Instant>,
}

/// New secrets; what is absent stays as it is.
#[derive(Clone, Default)]
pub(crate) struct CredentialChange {
    pub(crate) password: Option<SecretText>,
    /// 16 letters, without spaces.
    pub(crate) app_password: Option<SecretText>,
    pub(crate) token: Option<SecretText>,
}

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInAs {
    /// With the password or an app password.
    ByPassword,
    /// With a token, set at this time if it was since the start.
    ByToken { set_at: Option<Instant> },
}

impl Credentials {
    pub(super) fn change(&mut self, change: CredentialChange) {
        self.password = change.password.or(self.password.take());
        self.app_password = change.app_password.or(self.app_password.take());
        let token = change.token.map(|text| Token { text, set_at: Some(Instant::now()) });
        self.token = token.or(self.token.take());
    }

    /// What `secret` proves, if it is one of ours.
    pub(super) fn check(&self, secret: &Secret) -> Option<SignInAs> {
        match secret {
            Secret::Password(text) => self.opens(text).then_some(SignInAs::ByPassword),
            Secret::BearerToken(text) => {
                let token = self.token.as_ref().filter(|it| it.text.matches(text))?;
                Some(SignInAs::ByToken { set_at: token.set_at })
            }
        }
    }

    fn opens(&self, text: &SecretText) -> bool {
        let is_password = match &self.password {
            Some(password) => password.matches(text),
            None => text.reveal() == FIRST_PASSWORD,
        };
        // Providers show app passwords in groups and take them with or without the spaces.
        let joined = SecretText::new(text.reveal().split_whitespace().collect());
        is_password || self.app_password.as_ref().is_some_and(|it| it.matches(&joined))
    }
}

/// `mailbox.json`. A toy's secrets, so they are not sealed; the folder is readable by its owner alone.
#[derive(Serialize, Deserialize)]
struct Record {
    address: String,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    password: Option<SecretText>,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    app_password: Option<SecretText>,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    token: Option<SecretText>,
}

/// A secret in JSON: a text, or null. For the fields of requests and records that say so one by one.
pub(crate) mod secret_json {
    use gatepost_core::SecretText;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretText>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(SecretText::new))
    }

    #[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
    pub(crate) fn serialize<S: Serializer>(text: &Option<SecretText>, to: S) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => to.serialize_str(text.reveal()),
            None => to.serialize_none(),
        }
    }
}

/// The content of `mailbox.json`.
pub(super) fn to_json(address: &EmailAddress, credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    let record = Record {
        address: address.as_str().to_owned(),
        password: credentials.password.clone(),
        app_password: credentials.app_password.clone(),
        token: credentials.token.as_ref().map(|it| it.text.clone()),
    };
    Zeroizing::new(serde_json::to_vec_pretty(&record).expect("a struct of texts is always JSON"))
}

/// Reads `mailbox.json`; `None` if it is not ours.
pub(super) fn from_json(bytes: &[u8]) -> Option<(EmailAddress, Credentials)> {
    let record: Record = serde_json::from_slice(bytes).ok()?;
    let credentials = Credentials {
        password: record.password,
        app_password: record.app_password,
        token: record.token.map(|text| Token { text, set_at: None }),
    };
    Some((record.address.parse().ok()?, credentials))
}
