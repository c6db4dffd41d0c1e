//! The objects that commands answer with: their JSON is promised to programs, their text is for people.
//!
//! The server sends them as JSON over the control socket; the command writes them on with `--json`, or as text.

mod account;
mod app_password;
mod explained;
mod finding;
mod letter;
mod oauth_client;
mod person;
mod table;

pub use account::{
    AccountShown, DiagnosisShown, DirectionShown, RemovalShown, ServerShown, SignInShown, StepShown,
};
pub use app_password::{AppPasswordMade, AppPasswordShown, LastUseShown, MissingShown};
pub use explained::{ConsideredShown, ExplainedShown};
pub use finding::{FindingShown, Level};
pub use letter::{AttemptShown, LetterShown, RecipientShown};
pub use oauth_client::{
    OAuthClientRemoved, OAuthClientShown, OAuthGuideShown, OAuthStepShown, OAuthValueShown,
};
pub use person::{PersonLink, PersonShown};

pub(crate) use account::accounts_text;
pub(crate) use app_password::app_passwords_text;
pub(crate) use letter::letters_text;
pub(crate) use oauth_client::oauth_clients_text;
pub(crate) use person::people_text;

/// A time for people: to the minute, in UTC, as everything that Gatepost writes.
pub(crate) fn minute(at: &str) -> String {
    at.get(..16).map_or_else(|| at.to_owned(), |text| text.replace('T', " "))
}

/// Text from outside, on one line and without anything that could trick a terminal (OP-2).
fn plain(text: &str) -> String {
    gatepost_core::printable(text.as_bytes()).to_string()
}
