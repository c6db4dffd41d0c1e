//! The pages, a file or folder for each subject.

pub(crate) mod accounts;
pub(crate) mod app_passwords;
pub(crate) mod applications;
pub(crate) mod asset;
pub(crate) mod badge;
pub(crate) mod connect;
pub(crate) mod course;
pub(crate) mod entrance;
pub(crate) mod error;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod locations;
pub(crate) mod outbox;
pub(crate) mod people;
mod qr;
pub(crate) mod security;
mod size;
pub(crate) mod theme;
pub(crate) mod two_step;

pub(crate) use size::size;
