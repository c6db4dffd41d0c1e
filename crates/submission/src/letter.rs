//! A letter on its way in: header held, checked and completed, body let through to the outbox, all of it kept or none.

mod conclude;
mod header;
mod intake;
mod refusal;
mod send_as;

pub(crate) use header::Circumstances;
pub(crate) use intake::Intake;
pub(crate) use refusal::Refusal;
pub(crate) use send_as::SendAs;
