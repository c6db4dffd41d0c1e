//! What opens a mailbox.

use std::time::Instant;

use gatepost_core::{EmailAddress, SecretText, Timestamp, World};
use gatepost_wire::sasl::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{AppPassword, SecondStep, Security, phone_account};

/// What opens every mailbox that nobody has given another password.
const FIRST_PASSWORD: &str = "sandbox";

/// How an app password is called that a tester has set.
const FROM_TESTS: &str = "Set by the HTTP interface";

/// App passwords of one mailbox, as many as Microsoft allows.
const MOST_APP_PASSWORDS: usize = 40;

/// The secrets of one mailbox, and how they are guarded.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    password: Option<SecretText>,
    /// In the order in which they were made.
    app_passwords: Vec<AppPassword>,
    token: Option<Token>,
    security: Security,
    /// What the codes are made from, as an authenticator app reads it.
    authenticator: Option<SecretText>,
    /// Whose tokens open it too: it is a mailbox that several people share.
    members: Vec<EmailAddress>,
}

/// An access token that a tester has set, without OAuth.
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
    /// All of them: those of before are gone.
    pub(crate) members: Option<Vec<EmailAddress>>,
}

/// What a secret is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good(SignInAs),
    /// It is the account's own password, which programs cannot use while a second step is on.
    AppPasswordNeeded,
    Refused,
}

impl Verdict {
    pub(crate) const fn sign_in(self) -> Option<SignInAs> {
        match self {
            Self::Good(sign_in) => Some(sign_in),
            Self::AppPasswordNeeded | Self::Refused => None,
        }
    }
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
    pub(crate) fn change(&mut self, change: CredentialChange, world: &World) {
        self.password = change.password.or(self.password.take());
        if let Some(text) = change.app_password {
            self.app_passwords.retain(|it| it.name != FROM_TESTS);
            self.app_passwords.push(AppPassword::of(FROM_TESTS, text, world));
        }
        let token = change.token.map(|text| Token { text, set_at: Some(Instant::now()) });
        self.token = token.or(self.token.take());
        if let Some(members) = change.members {
            self.members = members;
        }
    }

    /// What `secret` proves to a program's door.
    pub(super) fn check(&self, secret: &Secret) -> Verdict {
        match secret {
            Secret::Password(text) if self.is_app_password(text) => Verdict::Good(SignInAs::ByPassword),
            Secret::Password(text) if self.is_password(text) => match self.security.second_step() {
                SecondStep::Off => Verdict::Good(SignInAs::ByPassword),
                SecondStep::Codes | SecondStep::Keys => Verdict::AppPasswordNeeded,
            },
            Secret::BearerToken(text) => {
                let token = self.token.as_ref().filter(|it| it.text.matches(text));
                token.map_or(Verdict::Refused, |it| Verdict::Good(SignInAs::ByToken { set_at: it.set_at }))
            }
            Secret::Password(_) => Verdict::Refused,
        }
    }

    /// Whether it is the account's own password, as its sign-in page wants it.
    pub(crate) fn is_password(&self, text: &SecretText) -> bool {
        match &self.password {
            Some(password) => password.matches(text),
            None => text.reveal() == FIRST_PASSWORD,
        }
    }

    /// Whether whoever has this mailbox opens that one too.
    pub(crate) fn is_shared_with(&self, mailbox: &EmailAddress) -> bool {
        self.members.iter().any(|it| it.is_same_mailbox(mailbox))
    }

    fn is_app_password(&self, text: &SecretText) -> bool {
        if self.security.forbids_app_passwords || self.security.is_advanced {
            return false;
        }
        // Providers show app passwords in groups and take them with or without the spaces.
        let joined = SecretText::new(text.reveal().split_whitespace().collect());
        self.app_passwords.iter().any(|it| it.text.as_ref().is_some_and(|it| it.matches(&joined)))
    }

    pub(crate) const fn security(&self) -> Security {
        self.security
    }

    /// Changes how the account is protected. Codes get a secret once; it stays.
    pub(crate) fn protect(&mut self, security: Security, new_authenticator: impl FnOnce() -> SecretText) {
        if security.second_step == SecondStep::Codes && self.authenticator.is_none() {
            self.authenticator = Some(new_authenticator());
        }
        self.security = security;
    }

    /// What the phone has to read for the account's codes.
    pub(crate) const fn authenticator(&self) -> Option<&SecretText> {
        self.authenticator.as_ref()
    }

    /// Whether these are the figures of now, or of the step before or after.
    pub(crate) fn is_code(&self, figures: &str, now: Timestamp) -> bool {
        let account = self.authenticator.as_ref().and_then(phone_account);
        account.is_some_and(|it| it.accepts(figures, now))
    }

    pub(crate) fn app_passwords(&self) -> &[AppPassword] {
        &self.app_passwords
    }

    /// False if there are too many.
    pub(crate) fn add_app_password(&mut self, new: AppPassword) -> bool {
        let fits = self.app_passwords.len() < MOST_APP_PASSWORDS;
        if fits {
            self.app_passwords.push(new);
        }
        fits
    }

    /// The name of the one that is gone now.
    pub(crate) fn remove_app_password(&mut self, id: &str) -> Option<String> {
        let at = self.app_passwords.iter().position(|it| it.id == id)?;
        Some(self.app_passwords.remove(at).name)
    }
}

/// `mailbox.json`. A toy's secrets, so they are not sealed; the folder is readable by its owner alone.
#[derive(Serialize, Deserialize)]
struct Record {
    address: String,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    password: Option<SecretText>,
    #[serde(default)]
    app_passwords: Vec<AppPassword>,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    token: Option<SecretText>,
    #[serde(default)]
    security: Security,
    #[serde(default, with = "secret_json", skip_serializing_if = "Option::is_none")]
    authenticator: Option<SecretText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
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
        app_passwords: credentials.app_passwords.clone(),
        token: credentials.token.as_ref().map(|it| it.text.clone()),
        security: credentials.security,
        authenticator: credentials.authenticator.clone(),
        members: credentials.members.iter().map(ToString::to_string).collect(),
    };
    Zeroizing::new(serde_json::to_vec_pretty(&record).expect("a struct of texts is always JSON"))
}

/// Reads `mailbox.json`; `None` if it is not ours.
pub(super) fn from_json(bytes: &[u8]) -> Option<(EmailAddress, Credentials)> {
    let record: Record = serde_json::from_slice(bytes).ok()?;
    let credentials = Credentials {
        password: record.password,
        app_passwords: record.app_passwords,
        token: record.token.map(|text| Token { text, set_at: None }),
        security: record.security,
        authenticator: record.authenticator,
        members: record.members.iter().filter_map(|it| it.parse().ok()).collect(),
    };
    Some((record.address.parse().ok()?, credentials))
}
