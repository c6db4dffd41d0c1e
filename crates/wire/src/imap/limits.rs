//! How long things may be (MP-4, MP-13).

/// One response in all, in octets, literals that are kept included (MP-13). A literal that is lifted does not count.
pub const RESPONSE_BYTES: usize = 64 * 1024;
/// A literal before sign-in, in octets. RFC 7888 §5: as LITERAL- has it.
pub const LITERAL_BEFORE_SIGN_IN: u64 = 4_096;
/// A command before sign-in, in octets with its CRLF. RFC 2683 §3.2.1.5 says 8,000.
const COMMAND_BEFORE_SIGN_IN: usize = 8_192;
/// AUTHENTICATE with an initial response, and each line of its dialogue, in octets with its CRLF.
pub const SASL_LINE: usize = 12_288;
/// A command after sign-in, in octets without its literals.
const COMMAND: usize = 64 * 1024;

/// What a server takes from a client; the same in every state of the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLimits {
    /// Octets of a command, line ends included, literals not.
    pub line: usize,
    /// Octets of a command that begins to sign in by SASL.
    pub sasl_line: usize,
    /// Octets of all literals of a command.
    pub literals: u64,
    /// How deep parentheses may be nested.
    pub depth: u32,
}

impl CommandLimits {
    /// Before sign-in: ID has one pair of parentheses, and nothing else has any.
    pub const BEFORE_SIGN_IN: Self = Self {
        line: COMMAND_BEFORE_SIGN_IN,
        sasl_line: SASL_LINE,
        literals: LITERAL_BEFORE_SIGN_IN,
        depth: 1,
    };

    /// After sign-in, with so many octets of literals: what APPEND may bring, where it is held whole.
    #[must_use]
    pub const fn signed_in(literals: u64) -> Self {
        Self { line: COMMAND, sasl_line: SASL_LINE, literals, depth: 8 }
    }
}
