//! The status badge: shape, word and colour together. The shape says the same as the colour, for those who do not see the colour.

use gatepost_accounts::StatusName;
use gatepost_delivery::state::StateName;

use crate::frame::Texts;

/// A state as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) word: String,
    /// A class of the style sheet: `good`, `warn`, `bad` or `calm`.
    pub(crate) tone: &'static str,
    pub(crate) shape: Shape,
}

/// A drawing of ours, on a ground of 16 by 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Tick,
    Cross,
    Clock,
    Pause,
    Question,
    Ring,
    Dot,
    Warning,
}

impl Badge {
    pub(crate) fn new(tone: &'static str, shape: Shape, word: &str) -> Self {
        Self { word: word.to_owned(), tone, shape }
    }

    pub(crate) fn of_account(t: &Texts, status: StatusName) -> Self {
        match status {
            StatusName::Connected => Self::new("good", Shape::Tick, t.of("accounts.status_connected")),
            StatusName::NeedsSignIn => Self::new("bad", Shape::Cross, t.of("accounts.status_needs_sign_in")),
            StatusName::Failing => Self::new("bad", Shape::Cross, t.of("accounts.status_failing")),
            StatusName::Paused => Self::new("warn", Shape::Pause, t.of("accounts.status_paused")),
            StatusName::Unchecked => Self::new("calm", Shape::Ring, t.of("accounts.status_unchecked")),
        }
    }

    pub(crate) fn of_letter(t: &Texts, state: StateName) -> Self {
        match state {
            StateName::Sent => Self::new("good", Shape::Tick, t.of("outbox.state_sent")),
            StateName::Failed => Self::new("bad", Shape::Cross, t.of("outbox.state_failed")),
            StateName::Held => Self::new("warn", Shape::Pause, t.of("outbox.state_held")),
            StateName::Deferred => Self::new("warn", Shape::Clock, t.of("outbox.state_deferred")),
            StateName::Waiting => Self::new("calm", Shape::Clock, t.of("outbox.state_waiting")),
            StateName::Cancelled => Self::new("calm", Shape::Cross, t.of("outbox.state_cancelled")),
        }
    }

    /// What came of a try, in the words of its row.
    pub(crate) fn of_try(t: &Texts, result: &str) -> Self {
        match result {
            "sent" => Self::new("good", Shape::Tick, t.of("message.try_sent")),
            "failed" => Self::new("bad", Shape::Cross, t.of("message.try_refused")),
            "uncertain" => Self::new("warn", Shape::Question, t.of("message.try_uncertain")),
            "running" => Self::new("calm", Shape::Dot, t.of("message.try_running")),
            _ => Self::new("warn", Shape::Clock, t.of("message.try_not_now")),
        }
    }
}
