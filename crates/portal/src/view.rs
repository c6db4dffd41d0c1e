//! What pages show.

use gatepost_core::{Diagnosis, EmailAddress, Timestamp};

/// One mail account, with the worse of its two statuses.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// What people call it.
    pub short_name: String,
    /// Its address.
    pub address: EmailAddress,
    /// The provider's name, such as `Sandbox`.
    pub provider: String,
    /// How it is.
    pub state: AccountState,
    /// Since when it is so, if that is known.
    pub since: Option<Timestamp>,
    /// Why it does not work, unless it does.
    pub diagnosis: Option<Diagnosis>,
    /// The provider's own reply that led to the diagnosis, as it came.
    pub provider_words: Option<Vec<u8>>,
    /// Letters that wait for it.
    pub n_waiting: u64,
}

/// How a mail account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Nobody has tried yet.
    Unchecked,
    /// It works.
    Connected,
    /// Somebody has to sign in again.
    NeedsSignIn,
    /// It does not work, for another reason.
    Failing,
    /// Somebody has paused it.
    Paused,
}

/// One letter in the outbox.
#[derive(Clone, Debug)]
pub struct SubmissionView {
    /// Its id, as commands take it.
    pub id: String,
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Its reverse path; `None` for a bounce.
    pub from: Option<EmailAddress>,
    /// Whom it goes to.
    pub recipients: Vec<RecipientView>,
    /// The state of the letter as a whole: the first that applies of held, deferred, waiting, failed, cancelled, sent.
    pub state: DeliveryState,
    /// Why it is held or failed, in words.
    pub because: Option<String>,
    /// When it was durably accepted.
    pub accepted_at: Timestamp,
    /// When it is tried next, if it is.
    pub next_attempt_at: Option<Timestamp>,
    /// Tries so far, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// One recipient of a letter.
#[derive(Clone, Debug)]
pub struct RecipientView {
    /// The address.
    pub address: EmailAddress,
    /// How it is.
    pub state: DeliveryState,
    /// Whether it may have arrived although nobody said so.
    pub is_uncertain: bool,
}

/// One outcome of a try.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// When it was over, or began if it is not.
    pub at: Timestamp,
    /// For whom; `None` if it was the same for all.
    pub recipient: Option<EmailAddress>,
    /// What came of it.
    pub result: AttemptResult,
    /// The provider's reply as it came, or our own words for why there is none.
    pub words: Vec<u8>,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The provider took it.
    Sent,
    /// Not now; tried again.
    NotNow,
    /// The provider refused it for good.
    Refused,
    /// The connection ended before the answer; it may have arrived.
    Uncertain,
    /// It is being tried.
    Running,
}

/// The state of a letter or of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// On its way.
    Waiting,
    /// On its way, after the provider said "not now".
    Deferred,
    /// Kept until somebody does something.
    Held,
    /// The provider has it.
    Sent,
    /// It will not be sent; the sender was told.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}
