//! Trouble on request at the endpoints: what providers answer when they are ill.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};

/// The longest wait; a request may take little more.
const MOST_MILLISECONDS: u64 = 25_000;

/// Where it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// When a browser comes: it is sent back with the error at once.
    Authorize,
    Token,
    Revoke,
    Userinfo,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TroubleKind {
    /// An answer with `status`, and with `body`, or an OAuth error made of `error` and `description`.
    Answer,
    /// Only a wait; then everything is as it should be.
    Slow,
    /// 200 with a web page where JSON is expected.
    Garbage,
    /// 200 with more than anybody should read.
    Huge,
    /// The connection breaks off before anything was done.
    Drop,
    /// The connection breaks off when all was done, and the tokens were rotated.
    DropAfter,
    /// 307 to another address.
    Redirect,
}

/// `{"at", "kind", "status", "error", "description", "body", "location", "retry_after_s", "milliseconds", "times"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TroubleRequest {
    /// `token` unless it is said.
    pub(crate) at: Option<Place>,
    /// `answer` unless it is said.
    pub(crate) kind: Option<TroubleKind>,
    /// 503 unless it is said; 400 with an `error`.
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) milliseconds: Option<u64>,
    /// Until it is cleared unless it is said.
    pub(crate) times: Option<u32>,
}

/// Trouble that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) place: Place,
    pub(crate) kind: TroubleKind,
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) description: String,
    pub(crate) body: Option<String>,
    pub(crate) location: HeaderValue,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) wait: Duration,
    times: Option<u32>,
}

impl TroubleRequest {
    /// Trouble, or a sentence for the tester.
    pub(crate) fn check(self) -> Result<Trouble, String> {
        let kind = self.kind.unwrap_or(TroubleKind::Answer);
        let place = self.at.unwrap_or(Place::Token);
        let status = self.status.unwrap_or(if self.error.is_some() { 400 } else { 503 });
        let milliseconds = self.milliseconds.unwrap_or(if kind == TroubleKind::Slow { 1_000 } else { 0 });
        if !(200..=599).contains(&status) {
            return Err("A status is a number from 200 to 599.".to_owned());
        }
        if milliseconds > MOST_MILLISECONDS {
            return Err(format!("Wait at most {MOST_MILLISECONDS} milliseconds."));
        }
        if self.times == Some(0) {
            return Err("Trouble that strikes 0 times is none.".to_owned());
        }
        if place == Place::Authorize && !matches!(kind, TroubleKind::Answer | TroubleKind::Slow) {
            return Err("At authorize use the kinds answer and slow.".to_owned());
        }
        let location = self.location.unwrap_or_else(|| "/".to_owned());
        let location = location.parse().map_err(|_| "No header takes this location.".to_owned())?;
        Ok(Trouble {
            place,
            kind,
            status,
            error: self.error.unwrap_or_else(|| "temporarily_unavailable".to_owned()),
            description: self.description.unwrap_or_default(),
            body: self.body,
            location,
            retry_after_s: self.retry_after_s,
            wait: Duration::from_millis(milliseconds),
            times: self.times,
        })
    }
}

/// As it was asked for, with what is left of `times`.
impl From<&Trouble> for TroubleRequest {
    fn from(it: &Trouble) -> Self {
        let location = it.location.to_str().ok().filter(|_| it.kind == TroubleKind::Redirect);
        Self {
            at: Some(it.place),
            kind: Some(it.kind),
            status: Some(it.status),
            error: Some(it.error.clone()),
            description: Some(it.description.clone()),
            body: it.body.clone(),
            location: location.map(str::to_owned),
            retry_after_s: it.retry_after_s,
            milliseconds: u64::try_from(it.wait.as_millis()).ok(),
            times: it.times,
        }
    }
}

/// The trouble that is on, one for each place.
#[derive(Default)]
pub(crate) struct Troubles(Mutex<Vec<Trouble>>);

impl Troubles {
    pub(crate) fn set(&self, trouble: Trouble) {
        let mut troubles = self.troubles();
        troubles.retain(|it| it.place != trouble.place);
        troubles.push(trouble);
    }

    pub(crate) fn clear(&self) {
        self.troubles().clear();
    }

    pub(crate) fn all(&self) -> Vec<Trouble> {
        self.troubles().clone()
    }

    /// What happens there now, if anything does.
    pub(crate) fn strike(&self, place: Place) -> Option<Trouble> {
        let mut troubles = self.troubles();
        let found = troubles.iter_mut().find(|it| it.place == place)?;
        found.times = found.times.map(|it| it.saturating_sub(1));
        let struck = found.clone();
        troubles.retain(|it| it.times != Some(0));
        Some(struck)
    }

    fn troubles(&self) -> MutexGuard<'_, Vec<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
