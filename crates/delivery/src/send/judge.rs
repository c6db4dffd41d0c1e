//! What the ends of a transaction mean: for each recipient, and for the account (docs/decisions/0002).

use std::time::Duration;

use gatepost_accounts::What;
use gatepost_core::{Diagnosis, Phase, RetryClass, Timestamp, Trouble, World};
use gatepost_providers::Catalogue;
use gatepost_wire::smtp::Reply;

use super::smtp::End;
use crate::conclude::{Concluded, OutcomeKind, RawReply};
use crate::schedule::delay_for;
use crate::state::{Delivery, HoldReason};
use crate::submission::RecipientRow;

/// What a transaction says about the account.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// It can send.
    LetterSent,
    /// It must sign in again.
    SignInRefused(Diagnosis, Vec<u8>),
    /// The provider lets it in and drops it at once.
    Trouble(Diagnosis, Option<Vec<u8>>),
    /// It may not send for now, or until a person acts.
    Blocked(Diagnosis, Vec<u8>),
}

/// Both.
pub(crate) struct Judgement {
    pub(crate) concluded: Vec<Concluded>,
    /// The diagnosis of each recipient that got none of its letter, for the bounce.
    pub(crate) diagnoses: Vec<Option<Diagnosis>>,
    pub(crate) effect: Effect,
}

/// What is needed to judge.
pub(crate) struct Judge<'a> {
    pub(crate) world: &'a World,
    pub(crate) catalogue: &'a Catalogue,
    /// The kind of provider, for rules that speak of one.
    pub(crate) provider_kind: Option<&'a str>,
    /// The present time on the account's running clock.
    pub(crate) running_now: Timestamp,
}

impl Judge<'_> {
    /// Judges a whole transaction. On a connection over which no letter has gone yet (`is_fresh`), being dropped before the
    /// text says that the account is not wanted now: signing in again for the next letter would only make it worse.
    pub(crate) fn transaction(&self, recipients: &[RecipientRow], ends: &[End], is_fresh: bool) -> Judgement {
        let has_progress = ends.iter().any(|end| matches!(end, End::Accepted(_)));
        let mut judgement = Judgement { concluded: Vec::new(), diagnoses: Vec::new(), effect: Effect::None };
        for (row, end) in recipients.iter().zip(ends) {
            let (concluded, diagnosis, effect) = self.recipient(row, end, has_progress);
            judgement.concluded.push(concluded);
            judgement.diagnoses.push(diagnosis);
            judgement.effect = more_important(judgement.effect, effect);
            if is_fresh && let Some(dropped) = self.dropped(end) {
                judgement.effect = more_important(judgement.effect, dropped);
            }
        }
        judgement
    }

    fn dropped(&self, end: &End) -> Option<Effect> {
        match end {
            End::LostBefore(trouble) => {
                Some(Effect::Trouble(self.catalogue.diagnose_trouble(*trouble), None))
            }
            End::Refused(phase, reply) if reply.code == 421 && *phase < Phase::Message => {
                let diagnosis = self.catalogue.diagnose_reply(self.provider_kind, *phase, reply);
                Some(Effect::Trouble(diagnosis, Some(reply.raw.clone())))
            }
            _ => None,
        }
    }

    /// Nothing was sent, because the account could not be used: everybody stays as before, or is deferred if waiting helps.
    pub(crate) fn account_trouble(
        &self,
        recipients: &[RecipientRow],
        diagnosis: &Diagnosis,
        reply: Option<&Reply>,
    ) -> Vec<Concluded> {
        let conclude = |row: &RecipientRow| {
            let reply = reply.map(raw);
            match diagnosis.retry {
                RetryClass::Hold | RetryClass::Permanent => released(row, reply),
                class => self.deferred(row, diagnosis, class, reply),
            }
        };
        recipients.iter().map(conclude).collect()
    }

    fn recipient(
        &self,
        row: &RecipientRow,
        end: &End,
        has_progress: bool,
    ) -> (Concluded, Option<Diagnosis>, Effect) {
        match end {
            End::Accepted(reply) => {
                let delivery = row.delivery.clone().sent().unwrap_or(Delivery::Sent);
                (concluded(row, OutcomeKind::Sent, delivery, Some(raw(reply))), None, Effect::LetterSent)
            }
            End::Refused(phase, reply) => self.refused(row, *phase, reply, has_progress),
            End::LostBefore(trouble) => {
                let diagnosis = self.catalogue.diagnose_trouble(*trouble);
                (self.deferred(row, &diagnosis, backoff(&diagnosis), None), Some(diagnosis), Effect::None)
            }
            End::LostAfter(trouble) => {
                let diagnosis = self.catalogue.diagnose_trouble(*trouble);
                let mut it = self.deferred(row, &diagnosis, backoff(&diagnosis), None);
                it.is_uncertain = true;
                if it.kind == OutcomeKind::Deferred {
                    it.kind = OutcomeKind::Uncertain;
                }
                (it, Some(diagnosis), Effect::None)
            }
            End::Impossible(trouble) => {
                let diagnosis = self.catalogue.diagnose_trouble(*trouble);
                (failed(row, &diagnosis, None), Some(diagnosis), Effect::None)
            }
            End::Damaged => {
                let held = row.delivery.clone().held(HoldReason::Damaged, self.running_now);
                let delivery = held.unwrap_or_else(|_| row.delivery.clone());
                (concluded(row, OutcomeKind::Released, delivery, None), None, Effect::None)
            }
            End::Unreadable => {
                let class = RetryClass::Backoff { at_least: Duration::ZERO };
                let diagnosis = self.catalogue.diagnose_trouble(Trouble::Interrupted);
                (self.deferred(row, &diagnosis, class, None), Some(diagnosis), Effect::None)
            }
        }
    }

    fn refused(
        &self,
        row: &RecipientRow,
        phase: Phase,
        reply: &Reply,
        has_progress: bool,
    ) -> (Concluded, Option<Diagnosis>, Effect) {
        let (diagnosis, what) = What::of_refused_letter(phase, reply, self.catalogue, self.provider_kind);
        let effect = match what {
            What::SignInRefused { diagnosis, .. } => Effect::SignInRefused(diagnosis, reply.raw.clone()),
            What::Blocked { diagnosis, .. } => Effect::Blocked(diagnosis, reply.raw.clone()),
            // Being dropped is told where it is known whether the connection was fresh.
            What::Trouble { .. } | What::Succeeded | What::LetterSent | What::Opened => Effect::None,
        };
        match diagnosis.retry {
            RetryClass::Hold => (released(row, Some(raw(reply))), Some(diagnosis), effect),
            RetryClass::Permanent => (failed(row, &diagnosis, Some(raw(reply))), Some(diagnosis), effect),
            RetryClass::Now if has_progress => {
                // Too many recipients at once: the others have been taken, so the next transaction gets further.
                let class = RetryClass::Now;
                (self.deferred(row, &diagnosis, class, Some(raw(reply))), Some(diagnosis), effect)
            }
            class => {
                let class = if class == RetryClass::Now { backoff(&diagnosis) } else { class };
                (self.deferred(row, &diagnosis, class, Some(raw(reply))), Some(diagnosis), effect)
            }
        }
    }

    /// To be tried again when its time comes, or given up if its life is used up.
    fn deferred(
        &self,
        row: &RecipientRow,
        diagnosis: &Diagnosis,
        class: RetryClass,
        reply: Option<RawReply>,
    ) -> Concluded {
        let delay = if class == RetryClass::Now {
            Duration::ZERO
        } else {
            delay_for(self.world, row.n_attempts, class)
        };
        let next = self.world.now() + delay;
        let moved = row.delivery.clone().deferred(next, self.running_now, diagnosis.rule.clone());
        let delivery = moved.unwrap_or_else(|_| row.delivery.clone());
        let kind = if delivery.is_open() { OutcomeKind::Deferred } else { OutcomeKind::Failed };
        concluded(row, kind, delivery, reply)
    }
}

fn backoff(diagnosis: &Diagnosis) -> RetryClass {
    match diagnosis.retry {
        class @ RetryClass::Backoff { .. } => class,
        _ => RetryClass::Backoff { at_least: Duration::ZERO },
    }
}

fn failed(row: &RecipientRow, diagnosis: &Diagnosis, reply: Option<RawReply>) -> Concluded {
    let delivery =
        row.delivery.clone().failed(diagnosis.rule.clone()).unwrap_or_else(|_| row.delivery.clone());
    concluded(row, OutcomeKind::Failed, delivery, reply)
}

fn released(row: &RecipientRow, reply: Option<RawReply>) -> Concluded {
    concluded(row, OutcomeKind::Released, row.delivery.clone(), reply)
}

fn concluded(
    row: &RecipientRow,
    kind: OutcomeKind,
    delivery: Delivery,
    reply: Option<RawReply>,
) -> Concluded {
    Concluded { ordinal: row.ordinal, kind, reply, delivery, is_uncertain: row.is_uncertain }
}

fn raw(reply: &Reply) -> RawReply {
    RawReply { code: reply.code, bytes: reply.raw.clone() }
}

fn more_important(a: Effect, b: Effect) -> Effect {
    let rank = |it: &Effect| match it {
        Effect::None => 0,
        Effect::LetterSent => 1,
        Effect::Trouble(..) => 2,
        Effect::Blocked(..) => 3,
        Effect::SignInRefused(..) => 4,
    };
    if rank(&b) > rank(&a) { b } else { a }
}
