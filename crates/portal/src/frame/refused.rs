//! What a refused proof looks like: the status, the sentence, when to come again.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use gatepost_identity::PersonRefusal;

use super::{Page, Problem, refusal_words};

/// A refusal that a page shows beside the field.
pub(crate) struct Refused {
    pub(crate) words: String,
    pub(crate) status: StatusCode,
    /// Whether it was looked at and found wrong.
    pub(crate) is_miss: bool,
    retry_after: Option<Duration>,
}

/// How soon whoever found all places taken should try again.
const BUSY_FOR: Duration = Duration::from_secs(3);

impl Refused {
    /// `Err` for what belongs to no field.
    pub(crate) fn of(page: &Page, refusal: PersonRefusal) -> Result<Self, Problem> {
        let retry_after = match refusal {
            PersonRefusal::Slowed { retry_after } => Some(retry_after),
            PersonRefusal::Busy => Some(BUSY_FOR),
            _ => None,
        };
        let is_miss = matches!(
            refusal,
            PersonRefusal::WrongPassword
                | PersonRefusal::WrongCode
                | PersonRefusal::CodeExpired
                | PersonRefusal::CodeUsed
        );
        let status = if retry_after.is_some() {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        Ok(Self { words: refusal_words(page, refusal)?, status, is_miss, retry_after })
    }

    /// The same for one of the recovery codes, which come from a list and not from an app.
    pub(crate) fn of_recovery_code(page: &Page, refusal: PersonRefusal) -> Result<Self, Problem> {
        let words = match refusal {
            PersonRefusal::WrongCode | PersonRefusal::CodeExpired => Some("second_step.recovery_wrong"),
            PersonRefusal::CodeUsed => Some("second_step.recovery_used"),
            _ => None,
        };
        let refused = Self::of(page, refusal)?;
        Ok(match words {
            Some(key) => Self { words: page.t.of(key).to_owned(), ..refused },
            None => refused,
        })
    }

    /// The same for a password of which nobody typed an address.
    pub(crate) fn of_password(page: &Page, refusal: PersonRefusal) -> Result<Self, Problem> {
        let is_wrong = matches!(refusal, PersonRefusal::WrongPassword);
        let refused = Self::of(page, refusal)?;
        Ok(if is_wrong {
            Self { words: page.t.of("confirm.password_wrong").to_owned(), ..refused }
        } else {
            refused
        })
    }

    /// Something was left empty.
    pub(crate) fn empty(words: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { words: words.to_owned(), status, is_miss: false, retry_after: None }
    }

    /// Says to programs when to come again.
    pub(crate) fn mark(&self, mut response: Response) -> Response {
        if let Some(span) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
        }
        response
    }
}
