//! Providers and clients that do what no honest one does, with the built program between them: it grows by little, every session comes
//! to an end, the other side is told where the protocol has words for it, and honest clients notice nothing.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "../harness/mod.rs"]
mod harness;

mod client;
mod leaving;
mod no_entry;
mod passing;

use harness::Step::HearsLast;
use harness::{Begins, Meeting, Step};

/// A provider and a client, once things have come that far.
const fn then(
    (protocol, name): (&'static str, &'static str),
    from: Begins,
    provider: &'static [Step],
    client: &'static [Step],
) -> Meeting {
    Meeting { name, protocol, from, provider, client }
}

/// What a client hears at a boundary when its provider has gone.
const LEFT: Step = HearsLast("* BYE [UNAVAILABLE] The mail provider has ended the connection\r\n");

/// The answer to what is kept back.
const NOT_HERE: &str =
    "* BAD This command is not possible here: you are signed in already, and nothing is compressed";
