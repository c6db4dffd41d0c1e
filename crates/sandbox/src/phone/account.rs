//! One account of the authenticator app.

use std::time::Duration;

use gatepost_core::{SecretText, Timestamp};
use totp_rs::{Builder, Secret, Totp, TotpError};

use super::Name;

/// Letters that a name may have. A phone shows no more either.
const NAME_AT_MOST: usize = 128;

/// Octets of an address from a QR code: more does not fit into one.
const URI_AT_MOST: usize = 3_000;

/// The longest time that one code may live.
const STEP_AT_MOST: u64 = 3_600;

/// What somebody showed to the phone, understood.
#[derive(Clone)]
pub(crate) struct Account {
    name: Name,
    totp: Totp,
}

/// What the phone shows for an account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) name: Name,
    /// Six to eight figures.
    pub(crate) figures: String,
    /// At least 1.
    pub(crate) seconds_left: u64,
}

/// Why the phone does not take it, as a sentence for whoever typed it. Says nothing of the secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("This is no address from an authenticator's QR code: it begins with otpauth://totp/.")]
    NotOtpauth,
    #[error("The address is not complete: after otpauth://totp/ it names an account and its secret.")]
    Incomplete,
    #[error("The name is too long, or has a colon in it.")]
    Name,
    #[error("The key has letters from A to Z and figures from 2 to 7, at least 26 of them.")]
    Key,
    #[error(
        "The phone makes codes of six to eight figures by SHA1, SHA256 or SHA512, a new one at least every hour."
    )]
    Kind,
    #[error("Give the account a name, as an authenticator app asks for it.")]
    NoName,
}

impl Account {
    /// Reads what a QR code says. Key URI format: `otpauth://totp/ISSUER:ACCOUNT?secret=…`.
    pub(crate) fn from_uri(uri: &SecretText) -> Result<Self, AccountError> {
        let text = uri.reveal().trim();
        let is_otpauth = text.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("otpauth://"));
        if !is_otpauth || text.len() > URI_AT_MOST {
            return Err(AccountError::NotOtpauth);
        }
        Self::new(Totp::from_url(text).map_err(AccountError::from)?)
    }

    /// Takes a key as people type it, in groups or not, in any case.
    pub(crate) fn from_key(name: &str, key: &SecretText) -> Result<Self, AccountError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(AccountError::NoName);
        }
        let joined: String = key
            .reveal()
            .chars()
            .filter(|it| !it.is_whitespace() && !matches!(it, '-' | '='))
            .take(URI_AT_MOST)
            .collect();
        let joined = SecretText::new(joined.to_ascii_uppercase());
        let secret = Secret::try_from_base32(joined.reveal()).map_err(|_| AccountError::Key)?;
        Self::new(Builder::new().with_secret(secret).with_account_name(name).build()?)
    }

    fn new(totp: Totp) -> Result<Self, AccountError> {
        let name = Name {
            issuer: totp.issuer().unwrap_or_default().trim().to_owned(),
            account: totp.account_name().trim().to_owned(),
        };
        if name.account.is_empty() {
            return Err(AccountError::Incomplete);
        }
        if [&name.issuer, &name.account].iter().any(|it| it.chars().count() > NAME_AT_MOST) {
            return Err(AccountError::Name);
        }
        if totp.step() > STEP_AT_MOST {
            return Err(AccountError::Kind);
        }
        Ok(Self { name, totp })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// The same as [`Account::from_uri`] takes.
    pub(crate) fn to_uri(&self) -> Option<SecretText> {
        self.totp.to_url().ok().map(SecretText::new)
    }

    /// Whether these are the figures of `at`, or of the step before or after, as sign-in pages take them.
    pub(crate) fn accepts(&self, figures: &str, at: Timestamp) -> bool {
        let step = Duration::from_secs(self.totp.step());
        let typed: String = figures.split_whitespace().collect();
        [at - step, at, at + step].into_iter().any(|it| self.code(it).figures == typed)
    }

    pub(crate) fn code(&self, at: Timestamp) -> Code {
        let seconds = u64::try_from(at.seconds()).unwrap_or(0);
        Code {
            name: self.name.clone(),
            figures: self.totp.generate(seconds).to_string(),
            seconds_left: self.totp.step() - seconds % self.totp.step(),
        }
    }
}

impl From<TotpError> for AccountError {
    fn from(error: TotpError) -> Self {
        match error {
            TotpError::InvalidScheme { .. } | TotpError::InvalidHost { .. } => Self::NotOtpauth,
            TotpError::InvalidAccountName { .. } | TotpError::InvalidIssuer { .. } => Self::Name,
            TotpError::InvalidSecret | TotpError::SecretTooShort { .. } => Self::Key,
            TotpError::InvalidAlgorithm { .. }
            | TotpError::InvalidDigits { .. }
            | TotpError::DigitsParse { .. }
            | TotpError::StepParse { .. }
            | TotpError::InvalidStepZero => Self::Kind,
            // The library's list is open.
            _ => Self::Incomplete,
        }
    }
}
