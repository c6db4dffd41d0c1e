//! Proof again, before something that matters (ID-25).

use askama::Template;
use gatepost_core::SecretText;
use gatepost_identity::{Proof, SecondStep, Session};

use super::{Page, RawForm};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofField {
    /// A code of the authenticator app.
    Code,
    /// One of the recovery codes.
    RecoveryCode,
    /// The password: two-step verification is off, or a lasting session needs one factor.
    Password,
}

impl ProofField {
    /// What a session is asked for first.
    pub(crate) const fn of(session: &Session) -> Self {
        if session.needs_factor || session.person.two_step_at.is_none() { Self::Password } else { Self::Code }
    }
}

/// The page that asks for it. `/confirm` shows it by itself; before a POST the gate shows it in place of what was asked for, and the
/// form repeats that POST with the proof in it.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ProofPage {
    pub(crate) page: Page,
    /// Where the form goes.
    pub(crate) action: String,
    /// What was typed before, without its secrets.
    pub(crate) carried: Vec<(String, String)>,
    pub(crate) field: ProofField,
    /// Why the last try was refused.
    pub(crate) error: Option<String>,
    /// Where the page's other way of proving is, if it has one: `?by=recovery` and back.
    pub(crate) other: Option<String>,
}

/// Takes the proof out of what was posted: `proof_code`, `proof_recovery_code` or `proof_password`.
pub(crate) fn proof_of(form: &mut RawForm) -> Option<(ProofField, Proof)> {
    let mut take = |name: &str| form.take(name).filter(|it: &SecretText| !it.reveal().trim().is_empty());
    let (code, recovery, password) =
        (take("proof_code"), take("proof_recovery_code"), take("proof_password"));
    if let Some(code) = code {
        return Some((ProofField::Code, Proof::SecondStep(SecondStep::Code(code))));
    }
    if let Some(code) = recovery {
        return Some((ProofField::RecoveryCode, Proof::SecondStep(SecondStep::RecoveryCode(code))));
    }
    password.map(|it| (ProofField::Password, Proof::Password(it)))
}
