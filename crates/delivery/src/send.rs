//! Sending one letter over a signed-in connection, and what its end means.

pub(crate) mod judge;
pub(crate) mod notice;
pub(crate) mod smtp;
