//! Proof again, before something that matters (ID-25).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::SecretText;
use gatepost_identity::{PersonRefusal, Proof, SecondStep, Session};

use super::{Page, Problem, RawForm, Refused, clock, show};

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

/// From this many misses on a page says what time it is here: a clock that is wrong is the usual reason.
pub(crate) const CLOCK_FROM: u8 = 2;

impl ProofField {
    /// What a session is asked for first.
    pub(crate) const fn of(session: &Session) -> Self {
        if session.needs_factor || session.person.two_step_at.is_none() { Self::Password } else { Self::Code }
    }

    /// The field that the page of this form had, or the way that was chosen on it.
    pub(crate) fn chosen(session: &Session, form: &RawForm) -> Self {
        let first = Self::of(session);
        let way = form.find("proof_by").map(SecretText::reveal);
        let is_recovery = match way {
            Some(way) => way == "recovery",
            None => form.find("proof_recovery_code").is_some(),
        };
        if first == Self::Code && is_recovery { Self::RecoveryCode } else { first }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Code => "proof_code",
            Self::RecoveryCode => "proof_recovery_code",
            Self::Password => "proof_password",
        }
    }

    /// Why this one was refused; `Err` for what belongs to no field.
    pub(crate) fn refused(self, page: &Page, refusal: PersonRefusal) -> Result<Refused, Problem> {
        match self {
            Self::RecoveryCode => Refused::of_recovery_code(page, refusal),
            Self::Password => Refused::of_password(page, refusal),
            Self::Code => Refused::of(page, refusal),
        }
    }

    /// It was left empty.
    pub(crate) fn empty(self, page: &Page) -> Refused {
        Refused::empty(page.t.of(match self {
            Self::Code => "second_step.code_empty",
            Self::RecoveryCode => "second_step.recovery_empty",
            Self::Password => "sign_in.password_empty",
        }))
    }
}

/// Where the page's other way of proving is.
pub(crate) enum OtherWay {
    /// At an address of its own.
    Link(String),
    /// By sending the form, so that what was typed comes along: the value of `proof_by`.
    Button(&'static str),
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
    /// Wrong tries that this form has counted for itself.
    pub(crate) n_misses: u8,
    /// Why the last try was refused.
    pub(crate) error: Option<String>,
    /// If it has one.
    pub(crate) other: Option<OtherWay>,
}

impl ProofPage {
    pub(crate) fn show(&self) -> Response {
        show(StatusCode::OK, self)
    }

    /// Again, with what was wrong.
    pub(crate) fn refuse(mut self, refused: &Refused) -> Response {
        self.n_misses = self.n_misses.saturating_add(u8::from(refused.is_miss));
        let is_clock = self.field == ProofField::Code && self.n_misses >= CLOCK_FROM;
        let words = &refused.words;
        self.error = Some(if is_clock { format!("{words} {}", clock(&self.page)) } else { words.clone() });
        refused.mark(show(refused.status, &self))
    }
}

/// The wrong tries that the page's form has counted.
pub(crate) fn misses_of(form: &RawForm) -> u8 {
    form.find("proof_misses").and_then(|it| it.reveal().parse().ok()).unwrap_or_default()
}

/// Whether the form comes from a page that asked for a proof, and not to be asked in another way.
pub(crate) fn was_asked(form: &RawForm, field: ProofField) -> bool {
    form.find("proof_by").is_none() && form.find(field.name()).is_some()
}

/// Takes the proof out of what was posted: `proof_code`, `proof_recovery_code` or `proof_password`. There is none where another way of
/// proving is asked for.
pub(crate) fn proof_of(form: &mut RawForm) -> Option<(ProofField, Proof)> {
    let is_other = form.take("proof_by").is_some();
    let mut take = |name: &str| form.take(name).filter(|it: &SecretText| !it.reveal().trim().is_empty());
    let (code, recovery, password) =
        (take("proof_code"), take("proof_recovery_code"), take("proof_password"));
    if is_other {
        return None;
    }
    if let Some(code) = code {
        return Some((ProofField::Code, Proof::SecondStep(SecondStep::Code(code))));
    }
    if let Some(code) = recovery {
        return Some((ProofField::RecoveryCode, Proof::SecondStep(SecondStep::RecoveryCode(code))));
    }
    password.map(|it| (ProofField::Password, Proof::Password(it)))
}
