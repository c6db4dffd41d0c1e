//! Who is who: organisations, their locations and people, the logins that applications use, and their app passwords.
//!
//! An application signs in as a *login*, which points at a mail account, a person or a location. A login has up to forty
//! *app passwords*, one for each application, each with limits of its own ([`AppPasswordLimits`]). [`SignIns::verify`] is
//! the one place that checks such a secret, for every door, behind one limiter (ID-9). [`RevocationWatch`] ends what is
//! open within a second of a removal, on every node; [`LastUses`] remembers use without a write per message.
//!
//! A person signs in through [`People`]: a password, then a second step, then a session whose cookie is a [`Token`]. Whatever
//! ends sessions raises the person's security epoch, and everything made in an earlier one is dead at the next look (ID-24).
//! Misses of people are counted in the database by what was shown, besides the limiter that all doors share (ID-7).
//!
//! *Trust note.* User names and secrets that arrive here are hostile. This room keeps only keyed hashes of app passwords
//! (AP-2), tokens and typed codes, and of passwords a keyed hash of Argon2's output (ID-5); it can never show one again (AP-3).
//! It must never say which part of a sign-in was wrong to anyone but the log and the journal, never log or return the secret,
//! and never do more or less work for one kind of refusal than for another. A password is hashed in one module and nowhere else.

mod app_password;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod identity;
mod last_use;
mod limiter;
mod location;
mod login;
mod masked;
mod organisation;
mod people;
mod person;
mod policy;
mod report;
mod revocation;
mod sign_in;
mod sql;
mod token;
mod visitor;

pub use app_password::{
    AppPassword, AppPasswordLimits, AppPasswordText, CreatedAppPassword, MOST_APP_PASSWORDS, NewAppPassword,
    OldOne, Protocol, Protocols,
};
pub use error::{IdentityError, NameProblem};
pub use identity::{Identity, checked_name};
pub use last_use::{LastUse, LastUses};
pub use location::Location;
pub use login::{Login, Target};
pub use masked::masked;
pub use organisation::Organisation;
pub use people::{
    AccountProblem, Authenticator, Contact, ContactKind, Device, Enrolment, Entrance, LinkKind, Method,
    NewSession, OpenSession, OpenedLink, PasswordProblem, People, PersonRefusal, PreSession, Proof,
    RecoveryCodes, SecondStep, SecondStepPassed, SecurityOverview, Session, SettingUp, TakenBack,
};
pub use person::{HandedLink, NewPerson, Person, Role};
pub use policy::Policy;
pub use report::{DoorEvent, DoorReport, DoorReports, Listening, Opening};
pub use revocation::{LiveSession, RevocationWatch};
pub use sign_in::{Attempt, RefusedBecause, SignInRefusal, SignIns, SignedIn};
pub use token::Token;
pub use visitor::Visitor;

use gatepost_store::RoomMigrations;

/// This room's tables, for the list that the binary hands to the store.
pub const MIGRATIONS: RoomMigrations =
    gatepost_store::migrations!("identity", ["0001_identity", "0002_people"]);

/// Every statement of this room, for the test that prepares them all on both engines.
pub const STATEMENTS: [&[gatepost_store::Statement]; 8] = [
    sql::app_password::ALL,
    sql::link::ALL,
    sql::login::ALL,
    sql::organisation::ALL,
    sql::password::ALL,
    sql::person::ALL,
    sql::second_step::ALL,
    sql::session::ALL,
];
