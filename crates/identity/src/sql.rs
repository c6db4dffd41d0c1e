//! Every statement of this room.

pub(crate) mod app_password;
pub(crate) mod link;
pub(crate) mod login;
pub(crate) mod organisation;
pub(crate) mod password;
pub(crate) mod person;
pub(crate) mod second_step;
pub(crate) mod session;

pub(crate) use app_password::*;
pub(crate) use link::*;
pub(crate) use login::*;
pub(crate) use organisation::*;
pub(crate) use password::*;
pub(crate) use person::*;
pub(crate) use second_step::*;
pub(crate) use session::*;
