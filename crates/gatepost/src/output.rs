//! What commands write: lines for people or JSON on standard output, refusals on standard error.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::control::Refusal;

/// Where a command's words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text for people.
    People,
    /// One JSON object a line.
    Json,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::People }
    }

    /// Writes lines for people; nothing where programs read.
    pub(crate) fn text(self, text: impl Display) {
        if self == Self::People {
            write_out(format_args!("{text}\n"));
        }
    }

    /// Writes one JSON object for programs; nothing where people read.
    pub(crate) fn json(self, object: &impl Serialize) {
        if self == Self::Json {
            // It may hold a new app password.
            let line = Zeroizing::new(serde_json::to_string(object).unwrap_or_default());
            write_out(format_args!("{}\n", line.as_str()));
        }
    }
}

/// An object of an answer, in the shape that is promised to programs.
pub(crate) fn understand<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|_| {
        Refusal::new("the running server answers in another version's words. Restart it, or use its program")
    })
}

/// A reader that has gone (`gatepost outbox list | head`) has seen what it wanted.
fn write_out(text: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

/// Writes a refusal, for whoever gave the command.
pub(crate) fn refuse(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
