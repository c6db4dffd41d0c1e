//! Mail accounts: connections to mailboxes at providers, with their credentials and how they fare.
//!
//! An account knows its servers, whom it serves, the secret it signs in with, and for sending and for reading a status
//! ([`StatusName`]) with the diagnosis behind it. Whoever dials asks for the account first ([`Accounts::sending`]) and
//! reports how the sign-in went ([`Accounts::report`]); from these reports the status moves by the table of
//! docs/decisions/0002, and with it the account's held clock ([`RunningClock`]). Which account a letter leaves by is decided
//! in [`Accounts::choose`].
//!
//! *Trust note.* This room keeps the secrets that open people's mailboxes. It keeps them sealed, bound to their account and
//! to every host, port and TLS mode they may be sent to (OC-9), and hands one out only to sign in there. It must never print,
//! log or journal one, never let one follow a changed server, and does nothing towards a provider by itself: everything here
//! happens after the application has proven who it is (AP-9).

mod account;
mod accounts;
mod add;
mod application;
mod board;
mod check;
mod choose;
mod clock;
mod command;
mod connect;
mod credential;
mod due;
mod endpoint;
mod error;
mod memory;
mod probe;
mod record;
mod refresh;
mod report;
mod secret;
mod sending;
mod sign_ins;
mod sql;
mod standing;
mod status;
mod tokens;
mod told;
mod trouble;

pub use account::{MailAccount, NewAccount, Overrides, Serves, Settings};
pub use accounts::{Accounts, NoMailbox, NoServer, NotReadable, OpenMailbox, Readable, is_live};
pub use application::{ApplicationKind, NewApplication, OAuthApplication};
pub use board::{Board, Entry, Shown, Tally, View};
pub use check::{Arrival, Check, Errand, Outcome, Progress, Proof, Reach, Server, Step, Taken};
pub use choose::{Chosen, Considered, Explained, ForNotices, Target, Verdict};
pub use clock::{RunningClock, RunningClocks};
pub use command::EndedConnection;
pub use connect::{
    Begun, ConnectError, Connecting, Details, Draft, DraftState, FlowOrigin, Proven, Refused, SeenFlow,
    SomebodyElse, UnderWay, Whose,
};
pub use credential::{CredentialKind, NewGrant, NewSecret, Used};
pub use endpoint::{Endpoint, Endpoints};
pub use error::{AccountsError, Invalid, NotRegistered};
pub use gatepost_core::TlsMode;
pub use gatepost_providers::{Providers, RedirectTo};
pub use report::{Change, Event};
pub use sending::{NotUsable, ReadingProtocol, ReadingServer, SendingAccount};
pub use standing::What;
pub use status::{AccountStatus, Direction, DirectionStatus, StatusName};
pub use trouble::{Postponed, Trouble, TroubleKind, Troubled, Watcher};

/// This room's tables.
pub const MIGRATIONS: gatepost_store::RoomMigrations = gatepost_store::migrations!(
    "accounts",
    ["0001_accounts", "0002_grants", "0003_connecting", "0004_postponement"]
);

#[cfg(test)]
mod tests;
