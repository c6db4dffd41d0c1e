//! What the outbox accepts, and what it gives out again.

use std::net::IpAddr;
use std::time::Duration;

use gatepost_core::{
    AppPasswordId, EmailAddress, LoginId, MailAccountId, NoticeId, OrganisationId, PersonId, SubmissionId,
    Timestamp,
};
use gatepost_store::{Row, StoreError, Value};
use gatepost_wire::smtp::{BodyKind, DsnReturn, EnvelopeId, Notify, OriginalRecipient, ReversePath};

use crate::state::{Delivery, HoldReason, StateName};

/// Who handed a letter in (design §5, Origin and actor).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An application.
    Login {
        /// What it signed in as.
        login: LoginId,
        /// With which app password.
        app_password: AppPasswordId,
    },
    /// Gatepost, about a letter that could not be delivered.
    Bounce {
        /// That letter.
        of: SubmissionId,
    },
    /// Gatepost, to one of its own people.
    Notice {
        /// What the letter carries out; the letter's id is the same.
        of: NoticeId,
    },
    /// Gatepost, to whoever an administrator named, to see whether an account sends.
    Test {
        /// That administrator.
        by: PersonId,
    },
}

impl Origin {
    /// The word in rows and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Login { .. } => "login",
            Self::Bounce { .. } => "bounce",
            Self::Notice { .. } => "notice",
            Self::Test { .. } => "test",
        }
    }

    /// The columns that a letter's row keeps of it: origin, origin_id, login_id, app_password_id.
    pub(crate) fn written(self) -> [Value<'static>; 4] {
        let word = self.word().into();
        match self {
            Self::Login { login, app_password } => [word, Value::Null, login.into(), app_password.into()],
            Self::Bounce { of } => [word, of.into(), Value::Null, Value::Null],
            Self::Notice { of } => [word, of.into(), Value::Null, Value::Null],
            Self::Test { by } => [word, by.into(), Value::Null, Value::Null],
        }
    }

    /// Columns 1, 2, 16 and 17 of the submission statements.
    fn read(row: &Row) -> Result<Self, StoreError> {
        match row.get::<String>(1)?.as_str() {
            "login" => Ok(Self::Login { login: row.get(16)?, app_password: row.get(17)? }),
            "bounce" => Ok(Self::Bounce { of: row.get(2)? }),
            "notice" => Ok(Self::Notice { of: row.get(2)? }),
            "test" => Ok(Self::Test { by: row.get(2)? }),
            _ => {
                let expected = "login, bounce, notice or test";
                Err(StoreError::Contradiction { statement: "FIND_SUBMISSION", column: 1, expected })
            }
        }
    }
}

/// The account a letter leaves by, as chosen when it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The account; `None` if nothing serves this sender yet.
    pub account: Option<ChosenAccount>,
    /// Why this one, in words.
    pub because: String,
    /// The addresses it may send as (SS-14); an app password may narrow them.
    pub addresses: Vec<EmailAddress>,
    /// The provider's largest message, where known.
    pub max_message_bytes: Option<u64>,
}

/// The account and the reading of its running clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenAccount {
    /// Which.
    pub id: MailAccountId,
    /// The present time on its running clock.
    pub running_now: Timestamp,
}

/// The envelope of a letter, as the application gave it.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// RCPT TO, in order.
    pub recipients: Vec<Recipient>,
    /// Whether MAIL said SMTPUTF8 (RFC 6531).
    pub is_smtputf8: bool,
    /// MAIL BODY= (RFC 6152).
    pub body: BodyKind,
    /// MAIL RET= (RFC 3461 §4.3).
    pub dsn_return: Option<DsnReturn>,
    /// MAIL ENVID= (RFC 3461 §4.4).
    pub envelope_id: Option<EnvelopeId>,
}

/// One recipient, as the application gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where to.
    pub address: EmailAddress,
    /// RCPT NOTIFY= (RFC 3461 §4.1).
    pub notify: Option<Notify>,
    /// RCPT ORCPT= (RFC 3461 §4.2).
    pub original: Option<OriginalRecipient>,
}

impl Recipient {
    /// Whether a bounce is wanted if it fails. Without NOTIFY it is (RFC 3461 §4.1).
    #[must_use]
    pub fn wants_bounce(&self) -> bool {
        self.notify.is_none_or(Notify::tells_failure)
    }

    /// Whether the sender asked to hear of success (RFC 3461 §4.1).
    #[must_use]
    pub fn wants_success(&self) -> bool {
        matches!(self.notify, Some(Notify::On(on)) if on.success)
    }
}

/// A letter to be accepted, beside its body.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// Its id, which is its body's.
    pub id: SubmissionId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Who handed it in.
    pub origin: Origin,
    /// The account it leaves by.
    pub choice: Choice,
    /// From whom and to whom.
    pub envelope: Envelope,
    /// The value of its Message-ID field.
    pub message_id: String,
    /// The address of the application.
    pub client: Option<IpAddr>,
}

/// A letter's row.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) id: SubmissionId,
    pub(crate) origin: Origin,
    pub(crate) chosen_because: String,
    pub(crate) reverse_path: ReversePath,
    pub(crate) message_id: String,
    pub(crate) size_bytes: u64,
    pub(crate) is_smtputf8: bool,
    pub(crate) body: BodyKind,
    pub(crate) dsn_return: Option<DsnReturn>,
    pub(crate) envelope_id: Option<EnvelopeId>,
    pub(crate) client: String,
    pub(crate) accepted_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) body_erased_at: Option<Timestamp>,
}

impl TryFrom<&Row> for Submission {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        let reverse_path: String = row.get(5)?;
        Ok(Self {
            id: row.get(0)?,
            origin: Origin::read(row)?,
            chosen_because: row.get(4)?,
            reverse_path: if reverse_path.is_empty() {
                ReversePath::Null
            } else {
                ReversePath::Address(row.parse(5, "an address")?)
            },
            message_id: row.get(6)?,
            size_bytes: row.get(7)?,
            is_smtputf8: row.get(8)?,
            body: if row.get(9)? { BodyKind::EightBitMime } else { BodyKind::SevenBit },
            dsn_return: row.get::<Option<String>>(10)?.and_then(|word| DsnReturn::from_word(&word)),
            envelope_id: row.get::<Option<String>>(11)?.and_then(|text| EnvelopeId::from_xtext(&text)),
            client: row.get(12)?,
            accepted_at: row.get(13)?,
            finished_at: row.get(14)?,
            body_erased_at: row.get(15)?,
        })
    }
}

/// One recipient's row.
#[derive(Clone, Debug)]
pub(crate) struct RecipientRow {
    pub(crate) ordinal: u32,
    pub(crate) account: Option<MailAccountId>,
    pub(crate) recipient: Recipient,
    pub(crate) delivery: Delivery,
    pub(crate) n_attempts: u32,
    pub(crate) is_in_hand: bool,
    pub(crate) is_uncertain: bool,
}

impl TryFrom<&Row> for RecipientRow {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: row.get(0)?,
            account: row.get(1)?,
            recipient: Recipient {
                address: row.parse(2, "an address")?,
                notify: row.get::<Option<String>>(3)?.and_then(|text| Notify::from_value(&text)),
                original: row.get::<Option<String>>(4)?.and_then(|text| OriginalRecipient::from_orcpt(&text)),
            },
            delivery: read_delivery(row)?,
            n_attempts: row.get(8)?,
            is_in_hand: row.get::<Option<gatepost_core::AttemptId>>(11)?.is_some(),
            is_uncertain: row.get(12)?,
        })
    }
}

/// Columns 5 to 10 of the recipient statements. A state without the figures that belong to it is refused by name.
fn read_delivery(row: &Row) -> Result<Delivery, StoreError> {
    let because = || row.get::<Option<String>>(6).map(Option::unwrap_or_default);
    Ok(match row.parse::<StateName>(5, "a state")? {
        StateName::Waiting => Delivery::Waiting { life_ends_at: row.get(9)? },
        StateName::Deferred => Delivery::Deferred {
            next_attempt_at: row.get(7)?,
            life_ends_at: row.get(9)?,
            because: because()?,
        },
        StateName::Held => Delivery::Held {
            because: row.parse::<HoldReason>(6, "a reason for holding")?,
            life_left: Duration::from_millis(row.get(10)?),
        },
        StateName::Sent => Delivery::Sent,
        StateName::Failed => Delivery::Failed { because: because()? },
        StateName::Cancelled => Delivery::Cancelled,
    })
}

/// The columns that a move writes: state, because, next_attempt_at, life_ends_at, life_left_ms.
pub(crate) fn written(delivery: &Delivery) -> [Value<'_>; 5] {
    let (because, next, ends, left) = match delivery {
        Delivery::Waiting { life_ends_at } => (None, Timestamp::EPOCH, Some(*life_ends_at), None),
        Delivery::Deferred { next_attempt_at, life_ends_at, because } => {
            // 0 means "never tried"; a deferred row always lies after it.
            let next = (*next_attempt_at).max(Timestamp::from_millis(1));
            (Some(because.as_str()), next, Some(*life_ends_at), None)
        }
        Delivery::Held { because, life_left } => {
            let left = u64::try_from(life_left.as_millis()).unwrap_or(u64::MAX);
            (Some(because.word()), Timestamp::EPOCH, None, Some(left))
        }
        Delivery::Failed { because } => (Some(because.as_str()), Timestamp::EPOCH, None, None),
        Delivery::Sent | Delivery::Cancelled => (None, Timestamp::EPOCH, None, None),
    };
    [delivery.name().word().into(), because.into(), next.into(), ends.into(), left.into()]
}
