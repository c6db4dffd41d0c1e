//! How long things may be (MP-9, MP-13). Lengths of lines count their CRLF.

/// A command, in octets. RFC 2449 §4.
pub const COMMAND_LINE: usize = 255;
/// AUTH, and each line of its dialogue, in octets. RFC 5034 §4 says 255 with an initial response, but tokens are longer.
pub const AUTH_LINE: usize = 12_288;
/// The first line of a reply, in octets. RFC 2449 §4 says 512; providers write longer ones.
pub const REPLY_LINE: usize = 2_048;
/// One line of a listing (CAPA, LIST, UIDL), in octets. RFC 2449 §4 says 512.
pub const LISTING_LINE: usize = 2_048;
/// A unique id, in octets. RFC 1939 §7.
pub const UNIQUE_ID: usize = 70;

/// How long the command line that begins with `so_far` may become, in octets with its CRLF.
///
/// Ask again as bytes arrive: fewer than four of them do not yet tell which command it is, and get the smallest limit.
#[must_use]
pub fn line_limit(so_far: &[u8]) -> usize {
    match so_far.first_chunk::<4>() {
        Some(verb) if verb.eq_ignore_ascii_case(b"AUTH") => AUTH_LINE,
        _ => COMMAND_LINE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sign_in_may_be_long() {
        for (so_far, limit) in [
            (&b""[..], COMMAND_LINE),
            (b"AUT", COMMAND_LINE),
            (b"auth PLAIN", AUTH_LINE),
            (b"PASS x", COMMAND_LINE),
        ] {
            assert_eq!(line_limit(so_far), limit, "{so_far:?}");
        }
    }
}
