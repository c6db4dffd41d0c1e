//! What the catalogue judges by.

use gatepost_core::{Phase, Trouble};

/// What happened: a reply that refuses something, or no reply at all.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// The provider said something.
    Reply {
        /// The language it was said in.
        protocol: Protocol,
        /// The kind of provider as [`crate::Preset::kind`] names it; empty if nobody knows.
        provider_kind: Option<&'a str>,
        /// What the reply answered.
        phase: Phase,
        /// The reply code, for example 535.
        code: u16,
        /// The enhanced status code (RFC 3463), for example 5.7.139.
        enhanced: Option<(u16, u16, u16)>,
        /// The text of the reply without its codes, lines joined by a space or a line end. Hostile.
        text: &'a [u8],
    },
    /// The conversation did not get so far, or broke off.
    Trouble(Trouble),
}

/// A language spoken with providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321 and RFC 6409.
    Smtp,
}
