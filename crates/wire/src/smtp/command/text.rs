//! Arguments that are kept as the client wrote them.

use std::fmt;

use gatepost_core::{Domain, printable};

use super::CommandError;

/// What a client calls itself in EHLO or HELO: one or more printable bytes.
///
/// RFC 5321 §4.1.1.1 wants a domain or an address literal. Scanners say `scanner_3rd floor` or their name in Latin-1, and
/// §4.1.4 forbids to refuse mail for it, so everything without control characters is taken, and nothing is concluded
/// from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName(Vec<u8>);

impl ClientName {
    /// Our own name as a client.
    #[must_use]
    pub fn ours(domain: &Domain) -> Self {
        Self(domain.as_str().as_bytes().to_vec())
    }

    pub(super) fn parse(argument: &[u8]) -> Result<Self, CommandError> {
        match argument.trim_ascii() {
            b"" => Err(CommandError::MissingArgument),
            name => Ok(Self(name.to_vec())),
        }
    }

    /// As the client wrote it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name, if it is what the standard wants: only then it may stand in a Received field.
    #[must_use]
    pub fn domain(&self) -> Option<Domain> {
        std::str::from_utf8(&self.0).ok()?.parse().ok()
    }
}

/// Escaped, for logs and rows.
impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(&self.0).fmt(f)
    }
}

/// An argument that is only shown or ignored; `None` if there is none.
pub(super) fn argument_text(argument: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(argument.trim_ascii());
    (!text.is_empty()).then(|| text.into_owned())
}
