//! Parameters and columns, the same for both engines.

use std::borrow::Cow;

use gatepost_core::{
    AppPasswordId, AttemptId, AuthenticatorId, BodyId, ContactId, CredentialId, DeviceId, DraftId,
    EmailAddress, JournalId, KeyId, LinkId, LocationId, LoginId, MailAccountId, NodeId, NoticeId,
    OAuthClientId, OrganisationId, PersonId, SessionId, SubmissionId, Timestamp,
};
use uuid::Uuid;

use crate::StoreError;

/// One parameter of a statement, or one column of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value; fits every column.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`.
    Text(Cow<'a, str>),
    /// `BYTEA`.
    Bytes(Cow<'a, [u8]>),
    /// `UUID`.
    Uuid(Uuid),
}

/// Makes a parameter list: `params![id, name, None::<&str>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

/// One row of an answer.
#[derive(Debug)]
pub struct Row {
    pub(crate) statement: &'static str,
    pub(crate) values: Vec<Value<'static>>,
}

impl Row {
    /// The value in `column`, counted from 0.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, StoreError> {
        self.values.get(column).and_then(T::from_value).ok_or(StoreError::Contradiction {
            statement: self.statement,
            column,
            expected: T::EXPECTED,
        })
    }

    /// The value in `column`, read by a `FromStr` such as a closed set of words or an address.
    pub fn parse<T: std::str::FromStr>(
        &self,
        column: usize,
        expected: &'static str,
    ) -> Result<T, StoreError> {
        let refuse = || StoreError::Contradiction { statement: self.statement, column, expected };
        match self.values.get(column) {
            Some(Value::Text(text)) => text.parse().map_err(|_| refuse()),
            _ => Err(refuse()),
        }
    }

    /// As [`Row::parse`], where the column may be empty.
    pub fn parse_optional<T: std::str::FromStr>(
        &self,
        column: usize,
        expected: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.values.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.parse(column, expected).map(Some),
        }
    }
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// For the error, as in "is not a whole number".
    const EXPECTED: &'static str;
    /// `None` if the value is of another kind.
    fn from_value(value: &Value<'static>) -> Option<Self>;
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "a whole number";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        if let Value::Int(it) = value { Some(*it) } else { None }
    }
}

impl FromValue for u64 {
    const EXPECTED: &'static str = "a whole number from 0 up";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        i64::from_value(value).and_then(|it| it.try_into().ok())
    }
}

impl FromValue for u32 {
    const EXPECTED: &'static str = "a small whole number from 0 up";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        i64::from_value(value).and_then(|it| it.try_into().ok())
    }
}

impl FromValue for u16 {
    const EXPECTED: &'static str = "a whole number from 0 to 65535";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        i64::from_value(value).and_then(|it| it.try_into().ok())
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        match value {
            Value::Bool(it) => Some(*it),
            // SQLite has no type of its own for it.
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "text";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        if let Value::Text(it) = value { Some(it.clone().into_owned()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    const EXPECTED: &'static str = "bytes";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        if let Value::Bytes(it) = value { Some(it.clone().into_owned()) } else { None }
    }
}

impl FromValue for Uuid {
    const EXPECTED: &'static str = "an id";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        match value {
            Value::Uuid(it) => Some(*it),
            // SQLite keeps an id as 16 bytes.
            Value::Bytes(it) => Self::from_slice(it).ok(),
            _ => None,
        }
    }
}

impl FromValue for Timestamp {
    const EXPECTED: &'static str = "a time";
    fn from_value(value: &Value<'static>) -> Option<Self> {
        i64::from_value(value).map(Self::from_millis)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: &Value<'static>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}

impl From<i64> for Value<'_> {
    fn from(it: i64) -> Self {
        Self::Int(it)
    }
}

impl From<u32> for Value<'_> {
    fn from(it: u32) -> Self {
        Self::Int(it.into())
    }
}

impl From<u16> for Value<'_> {
    fn from(it: u16) -> Self {
        Self::Int(it.into())
    }
}

/// Sizes and counts; beyond `i64::MAX` it stays there, which no size reaches.
impl From<u64> for Value<'_> {
    fn from(it: u64) -> Self {
        Self::Int(i64::try_from(it).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(it: Timestamp) -> Self {
        Self::Int(it.millis())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(it: &'a str) -> Self {
        Self::Text(Cow::Borrowed(it))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(it: &'a String) -> Self {
        Self::Text(Cow::Borrowed(it))
    }
}

impl From<String> for Value<'_> {
    fn from(it: String) -> Self {
        Self::Text(Cow::Owned(it))
    }
}

impl<'a> From<&'a EmailAddress> for Value<'a> {
    fn from(it: &'a EmailAddress) -> Self {
        Self::Text(Cow::Borrowed(it.as_str()))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(it: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(it))
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(it: &'a Vec<u8>) -> Self {
        Self::Bytes(Cow::Borrowed(it))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(it: &'a [u8; N]) -> Self {
        Self::Bytes(Cow::Borrowed(it))
    }
}

impl From<Uuid> for Value<'_> {
    fn from(it: Uuid) -> Self {
        Self::Uuid(it)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

macro_rules! id_values {
    ($($id:ident),+ $(,)?) => { $(
        impl From<$id> for Value<'_> {
            fn from(it: $id) -> Self {
                Self::Uuid(it.uuid())
            }
        }

        impl FromValue for $id {
            const EXPECTED: &'static str = "an id";
            fn from_value(value: &Value<'static>) -> Option<Self> {
                Uuid::from_value(value).map(Self::from_uuid)
            }
        }
    )+ };
}

id_values!(
    AppPasswordId,
    AttemptId,
    BodyId,
    CredentialId,
    JournalId,
    NoticeId,
    SessionId,
    DeviceId,
    AuthenticatorId,
    LinkId,
    ContactId,
    KeyId,
    LocationId,
    LoginId,
    MailAccountId,
    NodeId,
    OAuthClientId,
    DraftId,
    OrganisationId,
    PersonId,
    SubmissionId,
);
