//! How long things may be (SS-7, SC-6). Lengths of lines count their CRLF.

/// A command without extensions, in octets. RFC 5321 §4.5.3.1.4.
pub const COMMAND_LINE: usize = 512;
/// MAIL and RCPT with all parameters, in octets. More than the extensions add up to (RFC 1870, 3461, 4954, 6531).
pub const ENVELOPE_LINE: usize = 2_048;
/// AUTH, and each line of its dialogue, in octets. RFC 4954 §4.
pub const AUTH_LINE: usize = 12_288;
/// The part before the `@`, in octets. RFC 5321 §4.5.3.1.1.
pub const LOCAL_PART: usize = 64;
/// The part after the `@`, in octets. RFC 5321 §4.5.3.1.2.
pub const DOMAIN: usize = 255;
/// A path with its angle brackets, in octets. RFC 5321 §4.5.3.1.3.
pub const PATH: usize = 256;
/// One line of a message, in octets without its end. RFC 5322 §2.1.1 says 998; old applications send far longer ones,
/// which are streamed and passed on, but a line without end is an attack.
pub const TEXT_LINE: usize = 1 << 20;
/// One line of a reply, in octets. RFC 5321 §4.5.3.1.5 says 512; providers write longer ones.
pub const REPLY_LINE: usize = 2_048;
/// Lines of one reply.
pub const REPLY_LINES: usize = 100;
/// One whole reply, in octets.
pub const REPLY_BYTES: usize = 64 * 1024;

/// How long the command line that begins with `so_far` may become, in octets with its CRLF.
///
/// Ask again as bytes arrive: fewer than four of them do not yet tell which command it is, and get the smallest limit.
#[must_use]
pub fn line_limit(so_far: &[u8]) -> usize {
    let Some(verb) = so_far.first_chunk::<4>() else { return COMMAND_LINE };
    match verb.to_ascii_uppercase().as_slice() {
        b"MAIL" | b"RCPT" => ENVELOPE_LINE,
        b"AUTH" => AUTH_LINE,
        _ => COMMAND_LINE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_as_long_as_its_command_needs() {
        for (so_far, limit) in [
            (&b""[..], COMMAND_LINE),
            (b"MAI", COMMAND_LINE),
            (b"mail FROM:<", ENVELOPE_LINE),
            (b"RCPT", ENVELOPE_LINE),
            (b"Auth PLAIN", AUTH_LINE),
            (b"EHLO x", COMMAND_LINE),
            (b"\0\0\0\0", COMMAND_LINE),
        ] {
            assert_eq!(line_limit(so_far), limit, "{so_far:?}");
        }
    }
}
