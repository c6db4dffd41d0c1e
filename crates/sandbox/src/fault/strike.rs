//! Which fault strikes when.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_core::EmailAddress;

use super::{Fault, FaultKind, FaultReply, Order, Phase, Protocol};
use crate::mailbox::SignInAs;

/// The faults that are on, oldest first.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

/// A point in a connection at which a fault can strike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) door: Protocol,
    pub(crate) phase: Phase,
    /// Who has signed in or is about to.
    pub(crate) account: Option<&'a EmailAddress>,
    /// At [`Phase::Rcpt`].
    pub(crate) recipient: Option<&'a EmailAddress>,
    /// At [`Phase::Auth`], if the credentials are right.
    pub(crate) sign_in: Option<SignInAs>,
}

/// What happens at an occasion: first the wait, then the outcome, then what would have happened anyway.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    pub(crate) wait: Duration,
    pub(crate) outcome: Option<Outcome>,
}

/// How an occasion ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Without a word.
    Cut,
    /// With this reply. If its code is the one that would have been given, only the words are other.
    Reply(FaultReply),
}

impl Faults {
    /// Carries out an order. A fault takes the place of an older one of the same kind at the same place.
    pub(crate) fn carry_out(&self, order: &Order) {
        let mut faults = self.faults();
        match order {
            Order::Clear { account, phase } => faults.retain(|it| {
                let is_meant = account.is_none() || is_same(it.account.as_ref(), account.as_ref());
                !(is_meant && phase.is_none_or(|phase| phase == it.phase))
            }),
            Order::Set(fault) => {
                faults.retain(|it| {
                    it.kind != fault.kind
                        || it.phase != fault.phase
                        || it.door != fault.door
                        || !is_same(it.account.as_ref(), fault.account.as_ref())
                        || !is_same(it.recipient.as_ref(), fault.recipient.as_ref())
                });
                faults.push(fault.clone());
            }
        }
    }

    /// The faults that are on, oldest first.
    pub(crate) fn all(&self) -> Vec<Fault> {
        self.faults().clone()
    }

    /// What happens now. All waits that fit add up; of several outcomes the one asked for last counts.
    pub(crate) fn strike(&self, occasion: &Occasion<'_>) -> Struck {
        let mut faults = self.faults();
        let mut struck = Struck::default();
        for fault in faults.iter_mut().rev().filter(|it| it.fits(occasion)) {
            let outcome = fault.outcome();
            if outcome.is_some() && struck.outcome.is_some() {
                continue;
            }
            struck.wait += fault.wait;
            struck.outcome = struck.outcome.or(outcome);
            fault.times = fault.times.map(|times| times.saturating_sub(1));
        }
        faults.retain(|it| it.times != Some(0));
        struck
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn fits(&self, occasion: &Occasion<'_>) -> bool {
        let is_its_account = self.account.is_none() || is_same(self.account.as_ref(), occasion.account);
        let is_its_recipient =
            self.recipient.is_none() || is_same(self.recipient.as_ref(), occasion.recipient);
        let is_its_sign_in = match (self.kind, occasion.sign_in) {
            // A token that was set after the fault is a fresh one.
            (FaultKind::ExpireTokens, Some(SignInAs::ByToken { set_at })) => {
                set_at.is_none_or(|set_at| set_at < self.set_at)
            }
            (FaultKind::ExpireTokens, _) => false,
            _ => true,
        };
        let is_its_door = self.door.is_none_or(|it| it == occasion.door);
        is_its_door && self.phase == occasion.phase && is_its_account && is_its_recipient && is_its_sign_in
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.kind {
            FaultKind::Slow => None,
            FaultKind::Cut => Some(Outcome::Cut),
            FaultKind::RefuseSignIn | FaultKind::ExpireTokens | FaultKind::Reply => {
                self.reply.clone().map(Outcome::Reply)
            }
        }
    }
}

fn is_same(a: Option<&EmailAddress>, b: Option<&EmailAddress>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.is_same_mailbox(b),
        (None, None) => true,
        _ => false,
    }
}
