//! One id type per table, so that two of them cannot be swapped unseen.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::World;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$doc])*
        ///
        /// A UUIDv7 (RFC 9562 §5.7): sorts by the time it was made. Safe to log; carries no authority.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; ids of one [`World`] always rise, also when its clock is set back.
            #[must_use]
            pub fn new(world: &World) -> Self {
                Self(world.new_uuid())
            }

            /// An id read back from a row or a message.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The smallest id that can have been made at that moment or later: where a range of time begins in a list of ids.
            #[must_use]
            pub fn first_at(at: crate::Timestamp) -> Self {
                let millis = u64::try_from(at.millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
            }

            /// The bare value, for the edge that stores or prints it.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+ };
}

ids! {
    /// Names one organisation: a practice, clinic or charity.
    OrganisationId,
    /// Names one site of an organisation.
    LocationId,
    /// Names one person who signs in.
    PersonId,
    /// Names what an application signs in as.
    LoginId,
    /// Names one app password (not its letters).
    AppPasswordId,
    /// Names one connection to a mailbox.
    MailAccountId,
    /// Names one stored credential of a mail account.
    CredentialId,
    /// Names one application that is registered at an OAuth service.
    OAuthClientId,
    /// Names one mailbox that is being connected.
    DraftId,
    /// Names one message accepted from an application, with its recipients.
    SubmissionId,
    /// Names one try to hand a submission to the provider.
    AttemptId,
    /// Names one stored message body.
    BodyId,
    /// Names one wrapped key.
    KeyId,
    /// Names one running process of this installation.
    NodeId,
    /// Names one row of the journal.
    JournalId,
    /// Names one notice that a person is to get.
    NoticeId,
    /// Names one signed-in browser (not its token).
    SessionId,
    /// Names one browser that has signed in as one person (not its token).
    DeviceId,
    /// Names one second factor of a person, such as an authenticator app.
    AuthenticatorId,
    /// Names one link that works once (not its token).
    LinkId,
    /// Names one further address or telephone number of a person.
    ContactId,
}

/// Larger than or equal to every id: where a list that goes backwards begins.
pub const LARGEST_ID: Uuid = Uuid::max();

impl OrganisationId {
    /// Stands for "the installation as a whole", in keys that belong to no organisation.
    pub const INSTALLATION: Self = Self(Uuid::nil());
}
