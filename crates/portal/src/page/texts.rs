//! Every sentence of the pages that is not in a template by itself.

use gatepost_core::EmailAddress;

use crate::{AccountState, AttemptResult, DeliveryState};

/// Title, text, what the way on is called.
pub(super) const UNAVAILABLE: (&str, &str, &str) = (
    "The status cannot be read right now",
    "Letters that were accepted are safe. This page tries again by itself; the log says what is wrong.",
    "Try again",
);

pub(super) const NOT_FOUND: (&str, &str, &str) =
    ("Nothing here", "There is no page with this address.", "To the status page");

pub(super) const fn account_state(state: AccountState) -> &'static str {
    match state {
        AccountState::Unchecked => "Not checked yet",
        AccountState::Connected => "Connected",
        AccountState::NeedsSignIn => "Needs sign-in",
        AccountState::Failing => "Not working",
        AccountState::Paused => "Paused",
    }
}

pub(super) const fn delivery_state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "On its way",
        DeliveryState::Deferred => "Will be tried again",
        DeliveryState::Held => "Held",
        DeliveryState::Sent => "Sent",
        DeliveryState::Failed => "Not delivered",
        DeliveryState::Cancelled => "Cancelled",
    }
}

pub(super) const fn attempt_result(result: AttemptResult) -> &'static str {
    match result {
        AttemptResult::Sent => "The provider took it",
        AttemptResult::NotNow => "The provider said: not now",
        AttemptResult::Refused => "The provider refused it",
        AttemptResult::Uncertain => "The connection ended before the provider answered",
        AttemptResult::Running => "Being handed to the provider",
    }
}

pub(super) const ACCEPTED: &str = "Accepted and stored safely";
pub(super) const NEXT_ATTEMPT: &str = "Next try";
pub(super) const MAYBE_ARRIVED: &str = "may have arrived already";

/// The line above the recipients.
pub(super) fn sender(address: Option<&EmailAddress>) -> String {
    match address {
        Some(address) => format!("From {address} to"),
        None => "Notice from Gatepost to".to_owned(),
    }
}

/// `1 letter waits and will leave by itself.`; nothing if none waits.
pub(super) fn waiting(n: u64) -> Option<String> {
    match n {
        0 => None,
        1 => Some("1 letter waits and will leave by itself.".to_owned()),
        _ => Some(format!("{n} letters wait and will leave by themselves.")),
    }
}

/// `5 earlier tries`.
pub(super) fn earlier_tries(n: usize) -> Option<String> {
    match n {
        0 => None,
        1 => Some("1 earlier try".to_owned()),
        _ => Some(format!("{n} earlier tries")),
    }
}
