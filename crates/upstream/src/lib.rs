//! Client sessions with a provider, up to "signed in".
//!
//! [`smtp::Greeted`], [`imap::Greeted`] and [`pop3::Greeted`] connect, turn TLS on as the mail account says, and read what the
//! server can do; signing in turns them into sessions, which carry transactions or find and read messages for whoever owns
//! them. Whatever goes wrong is an
//! [`UpstreamError`], whose [`UpstreamError::evidence`] is what a diagnosis is made from.
//!
//! *Trust note.* The other side is whoever answers at an address that a person typed in; even a provider's words are hostile
//! text. This room is given a credential for one sign-in, sends it only inside TLS that was verified for the account's host
//! (or to an address the operator has named), and keeps no copy. How TLS begins is the account's choice and never found out
//! by trying: there is no fallback. It knows no account, no queue and no schedule.

mod answer;
mod channel;
mod deadlines;
mod endpoint;
mod error;
pub mod imap;
pub mod pop3;
mod scrub;
mod sign_in;
pub mod smtp;
#[cfg(test)]
mod tests;
mod way;

pub use answer::Answer;
pub use deadlines::Deadlines;
pub use endpoint::Endpoint;
pub use error::{Evidence, NotTheProtocol, UpstreamError};
pub use gatepost_core::{Phase, TlsMode, Trouble};
pub use gatepost_wire::sasl::Mechanism;
pub use sign_in::{Credential, SignIn};
pub use way::{Milestone, Way};
