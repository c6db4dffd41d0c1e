//! What each command does, one file for each; which state has which command is in `state`.

mod auth;
mod bdat;
mod data;
mod ehlo;
mod mail;
mod rcpt;
mod starttls;

pub(crate) use bdat::bdat_out_of_place;
