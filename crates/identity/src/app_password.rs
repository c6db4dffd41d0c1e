//! App passwords: a secret of one login, made for one application.

mod create;
mod limits;
mod list;
mod replace;
mod revoke;
mod text;

pub use create::{CreatedAppPassword, MOST_APP_PASSWORDS, NewAppPassword};
pub use limits::{AppPasswordLimits, Protocol, Protocols};
pub use list::AppPassword;
pub use replace::OldOne;
pub use text::AppPasswordText;

pub(crate) use revoke::{remove_app_password, remove_own_app_passwords};
pub(crate) use text::digest;
