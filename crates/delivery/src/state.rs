//! The states of one recipient's delivery as types, and every move between them (docs/decisions/0002).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatepost_core::Timestamp;

/// How long a letter is tried, on its account's running clock (SC-9).
pub const LIFE: Duration = Duration::from_hours(5 * 24);

/// Where one recipient's delivery stands. Times of `life_ends_at` are read on the account's running clock, which stands
/// still while the account is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Not tried yet, or released: due at once.
    Waiting {
        /// When it is given up.
        life_ends_at: Timestamp,
    },
    /// Tried and to be tried again.
    Deferred {
        /// Not before this.
        next_attempt_at: Timestamp,
        /// When it is given up.
        life_ends_at: Timestamp,
        /// The diagnosis of the last try.
        because: String,
    },
    /// Not tried until someone or something releases it.
    Held {
        /// Why.
        because: HoldReason,
        /// What was left of its life.
        life_left: Duration,
    },
    /// The provider took it over.
    Sent,
    /// Given up; the sender was told.
    Failed {
        /// The diagnosis.
        because: String,
    },
    /// Taken back by a person.
    Cancelled,
}

/// Why a recipient is held. Holds of a whole account are not here: they are read from the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// By hand.
    ByHand,
    /// No mail account could be chosen, or it was removed.
    NoAccount,
    /// Its body cannot be read (QS-12).
    Damaged,
}

impl HoldReason {
    /// The word in rows and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::NoAccount => "no_account",
            Self::Damaged => "damaged",
        }
    }
}

/// In words, for people.
impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByHand => "held by hand",
            Self::NoAccount => "no mail account serves this sender yet",
            Self::Damaged => "the stored message is damaged and was not sent",
        })
    }
}

impl FromStr for HoldReason {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::ByHand, Self::NoAccount, Self::Damaged].into_iter().find(|it| it.word() == word).ok_or(())
    }
}

/// The state's name alone, as rows, filters and JSON have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateName {
    /// Held; also shown for a waiting or deferred recipient whose account is held.
    Held,
    /// Tried and to be tried again.
    Deferred,
    /// Due.
    Waiting,
    /// Given up.
    Failed,
    /// Taken back.
    Cancelled,
    /// Taken over by the provider.
    Sent,
}

impl StateName {
    /// In the order in which a submission shows the first that applies (design §6).
    pub const ALL: [Self; 6] =
        [Self::Held, Self::Deferred, Self::Waiting, Self::Failed, Self::Cancelled, Self::Sent];

    /// The word in rows and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Deferred => "deferred",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Sent => "sent",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for StateName {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.word() == word).ok_or(())
    }
}

/// The move does not exist in docs/decisions/0002.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recipient that is {from} cannot be {wanted}")]
pub struct InvalidMove {
    /// Where it stands.
    pub from: StateName,
    /// What was asked for: "retried", "cancelled"…
    pub wanted: &'static str,
}

impl Delivery {
    /// A new recipient's state. Without an account it waits for one.
    #[must_use]
    pub fn new(running_now: Option<Timestamp>) -> Self {
        match running_now {
            Some(now) => Self::Waiting { life_ends_at: now + LIFE },
            None => Self::Held { because: HoldReason::NoAccount, life_left: LIFE },
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Waiting { .. } => StateName::Waiting,
            Self::Deferred { .. } => StateName::Deferred,
            Self::Held { .. } => StateName::Held,
            Self::Sent => StateName::Sent,
            Self::Failed { .. } => StateName::Failed,
            Self::Cancelled => StateName::Cancelled,
        }
    }

    /// Whether something may still be tried; a submission with none of these is finished.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Deferred { .. } | Self::Held { .. })
    }

    fn refuse(&self, wanted: &'static str) -> InvalidMove {
        InvalidMove { from: self.name(), wanted }
    }

    /// The provider took it.
    pub fn sent(self) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { .. } | Self::Deferred { .. } => Ok(Self::Sent),
            _ => Err(self.refuse("sent")),
        }
    }

    /// The provider or we refused it for good.
    pub fn failed(self, because: String) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { .. } | Self::Deferred { .. } => Ok(Self::Failed { because }),
            _ => Err(self.refuse("failed")),
        }
    }

    /// A try failed in a way that waiting may cure: tried again, or given up if its life is used up by now.
    pub fn deferred(
        self,
        next_attempt_at: Timestamp,
        running_now: Timestamp,
        because: String,
    ) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { life_ends_at } | Self::Deferred { life_ends_at, .. } => {
                Ok(if running_now >= life_ends_at {
                    Self::Failed { because }
                } else {
                    Self::Deferred { next_attempt_at, life_ends_at, because }
                })
            }
            _ => Err(self.refuse("deferred")),
        }
    }

    /// A person holds it, or it turned out damaged, or its account was removed.
    pub fn held(self, because: HoldReason, running_now: Timestamp) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { life_ends_at } | Self::Deferred { life_ends_at, .. } => {
                Ok(Self::Held { because, life_left: life_ends_at.since(running_now) })
            }
            Self::Held { life_left, .. } if because != HoldReason::ByHand => {
                Ok(Self::Held { because, life_left })
            }
            _ => Err(self.refuse("held")),
        }
    }

    /// A person lets it go on, or an account was found for it.
    pub fn released(self, running_now: Timestamp) -> Result<Self, InvalidMove> {
        match self {
            Self::Held { life_left, .. } => Ok(Self::Waiting { life_ends_at: running_now + life_left }),
            _ => Err(self.refuse("released")),
        }
    }

    /// A person has it tried now, with a new life.
    pub fn retried(self, running_now: Timestamp) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { .. } | Self::Deferred { .. } | Self::Held { .. } | Self::Failed { .. } => {
                Ok(Self::Waiting { life_ends_at: running_now + LIFE })
            }
            Self::Sent | Self::Cancelled => Err(self.refuse("retried")),
        }
    }

    /// A person takes it back.
    pub fn cancelled(self) -> Result<Self, InvalidMove> {
        match self {
            Self::Waiting { .. } | Self::Deferred { .. } | Self::Held { .. } => Ok(Self::Cancelled),
            _ => Err(self.refuse("cancelled")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn every_state() -> Vec<Delivery> {
        let life_ends_at = NOW + LIFE;
        vec![
            Delivery::Waiting { life_ends_at },
            Delivery::Deferred { next_attempt_at: NOW, life_ends_at, because: "x".into() },
            Delivery::Held { because: HoldReason::ByHand, life_left: LIFE },
            Delivery::Sent,
            Delivery::Failed { because: "x".into() },
            Delivery::Cancelled,
        ]
    }

    /// QS-6: the table of docs/decisions/0002, move by move.
    #[test]
    fn only_the_moves_of_the_table_exist() {
        type Move = fn(Delivery) -> Result<Delivery, InvalidMove>;
        let moves: [(Move, [bool; 6]); 8] = [
            //                                                     waiting deferred held  sent   failed cancelled
            (
                |it| it.sent(),
                /*                                */ [true, true, false, false, false, false],
            ),
            (
                |it| it.failed("x".into()),
                /*                    */ [true, true, false, false, false, false],
            ),
            (
                |it| it.deferred(NOW, NOW, "x".into()),
                /*        */ [true, true, false, false, false, false],
            ),
            (
                |it| it.held(HoldReason::ByHand, NOW),
                /*         */ [true, true, false, false, false, false],
            ),
            (
                |it| it.held(HoldReason::NoAccount, NOW),
                /*      */ [true, true, true, false, false, false],
            ),
            (
                |it| it.released(NOW),
                /*                         */ [false, false, true, false, false, false],
            ),
            (
                |it| it.retried(NOW),
                /*                          */ [true, true, true, false, true, false],
            ),
            (
                |it| it.cancelled(),
                /*                           */ [true, true, true, false, false, false],
            ),
        ];
        for (n, (make, allowed)) in moves.into_iter().enumerate() {
            for (state, allowed) in every_state().into_iter().zip(allowed) {
                let name = state.name();
                assert_eq!(make(state).is_ok(), allowed, "move {n} from {name}");
            }
        }
    }

    #[test]
    fn a_letter_is_given_up_only_by_a_failed_try_at_the_end_of_its_life() {
        let waiting = Delivery::new(Some(NOW));
        let early = waiting.clone().deferred(NOW, NOW + LIFE - Duration::from_millis(1), "x".into());
        assert_eq!(early.unwrap().name(), StateName::Deferred);
        assert_eq!(waiting.deferred(NOW, NOW + LIFE, "x".into()).unwrap().name(), StateName::Failed);
    }

    proptest! {
        /// Time held costs no life, whatever the length and order of the holds.
        #[test]
        fn holding_and_releasing_keeps_the_rest_of_the_life(spans in prop::collection::vec((0..10_000_u64, 0..10_000_u64), 1..10)) {
            let (mut it, mut now, mut lived) = (Delivery::new(Some(NOW)), NOW, 0);
            for (on_its_way, held) in spans {
                now = now + Duration::from_millis(on_its_way);
                lived += on_its_way;
                it = it.held(HoldReason::ByHand, now).unwrap();
                now = now + Duration::from_millis(held);
                it = it.released(now).unwrap();
            }
            prop_assert_eq!(it, Delivery::Waiting { life_ends_at: now + LIFE - Duration::from_millis(lived) });
        }
    }
}
