//! What an error means to the person who has to act on it.

use std::fmt;
use std::time::Duration;

/// Cause and cure of one refusal, as the tick and cross, the outbox, the alerts and the API all show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The catalogue's name for it, such as `google-bad-credentials`; stable, for scripts and support.
    pub rule: String,
    /// What is wrong, in the reader's words.
    pub cause: String,
    /// A step that the reader can take, or that none is needed.
    pub cure: String,
    /// Who can take it.
    pub who: Who,
    /// Whether waiting helps.
    pub retry: RetryClass,
}

/// Who can cure it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The owner of the mailbox, or whoever else can sign in to it: shared ones have no owner.
    Owner,
    /// The administrator of the organisation at the provider (Microsoft 365, Google Workspace).
    ProviderAdministrator,
    /// Whoever set up the OAuth application at the provider.
    AppOwner,
    /// Whoever sends, or the application they send with.
    Sender,
    /// The recipient's side.
    Recipient,
    /// The provider; nobody here has to act.
    Provider,
    /// Whoever runs this Gatepost.
    Operator,
    /// Gatepost itself; nobody has to act.
    Gatepost,
}

impl Who {
    /// The word used in JSON and rows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::ProviderAdministrator => "provider_administrator",
            Self::AppOwner => "app_owner",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Provider => "provider",
            Self::Operator => "operator",
            Self::Gatepost => "gatepost",
        }
    }
}

/// In words, as the end of "Who can do this: …".
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "whoever can sign in to this mailbox at the provider",
            Self::ProviderAdministrator => "the administrator of your organisation at the provider",
            Self::AppOwner => "whoever registered the application at the provider",
            Self::Sender => "whoever sends the letter, or the maker of that application",
            Self::Recipient => "the recipient's side",
            Self::Provider => "the provider; you need not do anything",
            Self::Operator => "whoever runs this Gatepost",
            Self::Gatepost => "nobody: Gatepost does it by itself",
        })
    }
}

/// Whether and how to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// Once more at once, in another way (fresh token, another transaction); then as [`RetryClass::Backoff`].
    Now,
    /// By the retry schedule, but not before this span is over.
    Backoff {
        /// The shortest wait the provider asks for; zero if it names none.
        at_least: Duration,
    },
    /// Not until a person has signed in again or changed a setting: the account's mail is held.
    Hold,
    /// Never for this message.
    Permanent,
}

impl RetryClass {
    /// The word used in JSON and in the data.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Backoff { .. } => "backoff",
            Self::Hold => "hold",
            Self::Permanent => "permanent",
        }
    }
}
