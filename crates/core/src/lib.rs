//! Words every room shares: ids, times, addresses, secrets that cannot be printed, diagnoses.
//!
//! *Trust note.* This room talks to nobody. It holds no sockets, files, SQL or async code, and no global clock: time and
//! randomness come from a [`World`] that its caller hands in. It must never offer a way to print a secret.

mod address;
mod diagnosis;
mod evidence;
mod id;
mod network;
mod printable;
mod secret;
mod time;
mod world;

pub use address::{AddressError, Domain, EmailAddress};
pub use diagnosis::{Diagnosis, RetryClass, Who};
pub use evidence::{MailProtocol, Phase, TlsMode, Trouble, UnknownTlsMode};
pub use id::{
    AppPasswordId, AttemptId, AuthenticatorId, BodyId, ContactId, CredentialId, DeviceId, DraftId, JournalId,
    KeyId, LARGEST_ID, LinkId, LocationId, LoginId, MailAccountId, NodeId, NoticeId, OAuthClientId,
    OrganisationId, PersonId, SessionId, SubmissionId,
};
pub use network::{Network, NetworkError};
pub use printable::{Printable, printable};
pub use secret::{SecretBytes, SecretText};
pub use time::Timestamp;
pub use world::{Clock, OsRandom, Random, SystemClock, World};
