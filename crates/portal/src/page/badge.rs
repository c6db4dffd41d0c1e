//! The status badge: shape, word and colour together.

use super::texts;
use crate::{AccountState, AttemptResult, DeliveryState};

/// A state as people see it. The shape says the same as the colour, for those who do not see the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Badge {
    pub(super) word: &'static str,
    /// A class of the style sheet: `good`, `warn`, `bad` or `calm`.
    pub(super) tone: &'static str,
    pub(super) shape: Shape,
}

/// A drawing of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Tick,
    Cross,
    Clock,
    Pause,
    Question,
    Dot,
}

impl From<AccountState> for Badge {
    fn from(state: AccountState) -> Self {
        let (tone, shape) = match state {
            AccountState::Connected => ("good", Shape::Tick),
            AccountState::NeedsSignIn | AccountState::Failing => ("bad", Shape::Cross),
            AccountState::Paused => ("warn", Shape::Pause),
            AccountState::Unchecked => ("calm", Shape::Question),
        };
        Self { word: texts::account_state(state), tone, shape }
    }
}

impl From<DeliveryState> for Badge {
    fn from(state: DeliveryState) -> Self {
        let (tone, shape) = match state {
            DeliveryState::Sent => ("good", Shape::Tick),
            DeliveryState::Failed => ("bad", Shape::Cross),
            DeliveryState::Held => ("warn", Shape::Pause),
            DeliveryState::Deferred => ("warn", Shape::Clock),
            DeliveryState::Waiting => ("calm", Shape::Clock),
            DeliveryState::Cancelled => ("calm", Shape::Cross),
        };
        Self { word: texts::delivery_state(state), tone, shape }
    }
}

impl From<AttemptResult> for Badge {
    fn from(result: AttemptResult) -> Self {
        let (tone, shape) = match result {
            AttemptResult::Sent => ("good", Shape::Tick),
            AttemptResult::NotNow => ("warn", Shape::Clock),
            AttemptResult::Refused => ("bad", Shape::Cross),
            AttemptResult::Uncertain => ("warn", Shape::Question),
            AttemptResult::Running => ("calm", Shape::Dot),
        };
        Self { word: texts::attempt_result(result), tone, shape }
    }
}
