//! One letter with its time line.

use gatepost_web::Moment;

use super::account::visible;
use super::badge::Shape;
use super::{Badge, Frame, texts};
use crate::{AttemptView, DeliveryState, SubmissionView};

/// Tries of one letter that are shown; the earlier ones are counted.
const TRIES_AT_MOST: usize = 8;

/// Recipients of one letter that are named.
const RECIPIENTS_AT_MOST: usize = 10;

pub(super) struct LetterCard {
    pub(super) id: String,
    pub(super) message_id: Option<String>,
    pub(super) from: String,
    pub(super) recipients: Vec<RecipientLine>,
    pub(super) n_more_recipients: usize,
    pub(super) badge: Badge,
    pub(super) because: Option<String>,
    pub(super) steps: Vec<Step>,
}

pub(super) struct RecipientLine {
    pub(super) address: String,
    /// Shown where recipients differ.
    pub(super) badge: Option<Badge>,
    pub(super) note: Option<&'static str>,
}

/// One step of the time line.
pub(super) struct Step {
    pub(super) badge: Badge,
    pub(super) at: Option<Moment>,
    pub(super) recipient: Option<String>,
    pub(super) words: Option<String>,
}

impl LetterCard {
    pub(super) fn new(frame: &Frame<'_>, it: &SubmissionView) -> Self {
        let is_mixed = it.recipients.iter().any(|recipient| recipient.state != it.state);
        let recipients = it.recipients.iter().take(RECIPIENTS_AT_MOST).map(|recipient| RecipientLine {
            address: recipient.address.to_string(),
            badge: is_mixed.then(|| recipient.state.into()),
            note: recipient.is_uncertain.then_some(texts::MAYBE_ARRIVED),
        });
        Self {
            id: it.id.clone(),
            message_id: it.message_id.clone(),
            from: texts::sender(it.from.as_ref()),
            recipients: recipients.collect(),
            n_more_recipients: it.recipients.len().saturating_sub(RECIPIENTS_AT_MOST),
            badge: it.state.into(),
            because: it.because.clone(),
            steps: steps(frame, it),
        }
    }

    /// Roughly what it adds to a page, in octets.
    pub(super) fn text_bytes(&self) -> usize {
        let recipients: usize = self.recipients.iter().map(|it| it.address.len() + 100).sum();
        let steps: usize = self.steps.iter().map(|it| it.words.as_ref().map_or(0, String::len) + 300).sum();
        300 + recipients + steps
    }
}

/// Accepted, earlier tries, tries, and what comes next.
fn steps(frame: &Frame<'_>, it: &SubmissionView) -> Vec<Step> {
    let accepted = Badge { word: texts::ACCEPTED, tone: "good", shape: Shape::Tick };
    let mut steps =
        vec![Step { badge: accepted, at: Some(frame.moment(it.accepted_at)), recipient: None, words: None }];
    let n_hidden = it.attempts.len().saturating_sub(TRIES_AT_MOST);
    if let Some(earlier) = texts::earlier_tries(n_hidden) {
        let badge = Badge { word: "", tone: "calm", shape: Shape::Dot };
        steps.push(Step { badge, at: None, recipient: Some(earlier), words: None });
    }
    steps.extend(it.attempts.iter().skip(n_hidden).map(|attempt| step(frame, attempt)));
    let is_to_come = matches!(it.state, DeliveryState::Waiting | DeliveryState::Deferred);
    if let Some(at) = it.next_attempt_at.filter(|at| is_to_come && *at > frame.now) {
        let badge = Badge { word: texts::NEXT_ATTEMPT, tone: "calm", shape: Shape::Clock };
        steps.push(Step { badge, at: Some(frame.moment(at)), recipient: None, words: None });
    }
    steps
}

fn step(frame: &Frame<'_>, it: &AttemptView) -> Step {
    Step {
        badge: it.result.into(),
        at: Some(frame.moment(it.at)),
        recipient: it.recipient.as_ref().map(ToString::to_string),
        words: Some(visible(&it.words)).filter(|it| !it.is_empty()),
    }
}
