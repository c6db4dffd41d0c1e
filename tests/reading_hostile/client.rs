//! Clients that do what no honest one does, before the sign-in and after it.

use crate::harness::Begins::{Encrypted, Open, Plain};
use crate::harness::Step::{
    Drips, Hears, HearsLast, HearsOften, IsLeft, NeverStops, Repeats, Says, Takes, Writes,
};
use crate::harness::{Begins, Meeting, Step, meet};
use crate::{NOT_HERE, then};

/// Nobody but a client.
const fn alone(
    (protocol, name): (&'static str, &'static str),
    from: Begins,
    client: &'static [Step],
) -> Meeting {
    Meeting { name, protocol, from, provider: &[], client }
}

#[test]
fn a_client_is_told_what_it_does_wrong_or_is_let_go() {
    const BAD_LINE: &str = "* BYE This line does not end, or not with CRLF\r\n";
    const LOST: &str = "* BYE What was said cannot be passed on\r\n";
    const MEETINGS: &[Meeting] = &[
        // Before anybody knows who it is.
        alone(("imap", "nothing"), Encrypted, &[HearsLast("* BYE Nothing came for too long\r\n")]),
        alone(("imap", "one octet a second"), Encrypted, &[Drips("a LOGIN "), IsLeft]),
        alone(
            ("imap", "a literal that never comes"),
            Encrypted,
            &[Says("a LOGIN {10}\r\n"), Hears("+ "), HearsLast("* BYE Nothing came for too long\r\n")],
        ),
        alone(
            ("imap", "a literal that stops"),
            Encrypted,
            &[Says("a LOGIN {10}\r\n"), Hears("+ "), Says("abc")],
        ),
        alone(
            ("imap", "a literal before TLS"),
            Plain,
            &[
                Says("a LOGIN {10}\r\n"),
                Hears("a NO [PRIVACYREQUIRED] "),
                Says("b LOGOUT\r\n"),
                Hears("* BYE"),
                Hears("b OK"),
                HearsLast(""),
            ],
        ),
        alone(
            ("imap", "a literal before TLS that does not wait"),
            Plain,
            &[Says("a LOGIN {10+}\r\n0123456789\r\n"), HearsLast(BAD_LINE)],
        ),
        alone(
            ("imap", "a literal that is too large"),
            Encrypted,
            &[Says("a LOGIN {4097}\r\n"), Hears("a NO [TOOBIG] "), Says("b NOOP\r\n"), Hears("b OK")],
        ),
        alone(
            ("imap", "a literal of 32 bits"),
            Encrypted,
            &[Says("a LOGIN {4294967296}\r\n"), Hears("a NO [TOOBIG] ")],
        ),
        alone(
            ("imap", "a literal of 32 bits that does not wait"),
            Encrypted,
            &[Says("a LOGIN {4294967296+}\r\nb NOOP\r\n"), HearsLast(BAD_LINE)],
        ),
        alone(
            ("imap", "a literal of 64 bits"),
            Encrypted,
            &[Says("a LOGIN {18446744073709551616}\r\n"), HearsLast(BAD_LINE)],
        ),
        alone(
            ("imap", "a literal for a command that waits"),
            Encrypted,
            &[Says("a SELECT {10}\r\n"), Hears("+ "), Says("0123456789\r\n"), Hears("a BAD ")],
        ),
        alone(
            ("imap", "parentheses"),
            Encrypted,
            &[Says("a ID "), Repeats("(", 8_000), Says("\r\nb NOOP\r\n"), Hears("a BAD "), Hears("b OK")],
        ),
        alone(
            ("imap", "10,000 parentheses"),
            Encrypted,
            &[Says("a ID "), Repeats("(", 10_000), Says("\r\n"), HearsLast(BAD_LINE)],
        ),
        alone(("imap", "a line without end"), Encrypted, &[NeverStops("a "), IsLeft]),
        alone(("imap", "a line without end before TLS"), Plain, &[NeverStops("a "), IsLeft]),
        alone(("imap", "LF alone"), Encrypted, &[Says("a NOOP\n"), HearsLast(BAD_LINE)]),
        alone(("imap", "CR alone"), Encrypted, &[Says("a NOOP\rb NOOP\r\n"), Hears("a BAD ")]),
        alone(("imap", "NUL"), Encrypted, &[Writes(b"a LOGIN x\0y z\r\n"), Hears("a BAD ")]),
        alone(("imap", "eight bits"), Encrypted, &[Writes(b"a LOGIN \xff \xfe\r\n"), Hears("a BAD ")]),
        alone(
            ("imap", "eight bits in a literal"),
            Encrypted,
            &[Writes(b"a LOGIN {2+}\r\n\xff\0 {2+}\r\n\xfe\xfd\r\n"), Hears("a ")],
        ),
        alone(
            ("imap", "no tags"),
            Encrypted,
            &[
                Says("+ NOOP\r\n* NOOP\r\n\r\nNOOP\r\n{ NOOP\r\n"),
                HearsOften("* BAD This command is not known here, or its arguments do not fit", 3),
                Hears("NOOP BAD "),
                Hears("* BAD "),
            ],
        ),
        alone(
            ("imap", "a page of the web"),
            Encrypted,
            &[
                Says("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                Hears("GET BAD"),
                Hears("Host: BAD"),
                Hears("* BAD"),
            ],
        ),
        alone(
            ("imap", "a thousand commands at once"),
            Encrypted,
            &[
                Repeats("a NOOP\r\n", 1_000),
                HearsOften("a OK Nothing has happened", 1_000),
                Says("b LOGOUT\r\n"),
                Hears("* BYE Goodbye"),
            ],
        ),
        alone(
            ("imap", "a thousand mistakes at once"),
            Encrypted,
            &[
                Repeats("a SELECT INBOX\r\n", 1_000),
                HearsOften("a BAD This command is not possible before sign-in", 19),
                HearsLast("* BYE Too many mistakes\r\n"),
            ],
        ),
        alone(
            ("imap", "TLS on the port for STARTTLS"),
            Plain,
            &[Writes(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n"), HearsLast("")],
        ),
        alone(
            ("imap", "no text before TLS"),
            Plain,
            &[Writes(b"\xff\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n"), HearsLast(BAD_LINE)],
        ),
        alone(
            ("imap", "no TLS behind STARTTLS"),
            Plain,
            &[Says("a STARTTLS\r\n"), Hears("a OK"), Says("b NOOP\r\nc LOGIN x y\r\n"), IsLeft],
        ),
        alone(
            ("imap", "a sign-in that stops"),
            Encrypted,
            &[Says("a AUTHENTICATE PLAIN\r\n"), Hears("+ "), Says("AGFu")],
        ),
        alone(
            ("imap", "a sign-in without end"),
            Encrypted,
            &[Says("a AUTHENTICATE PLAIN\r\n"), Hears("+ "), NeverStops("AAAA"), IsLeft],
        ),
        alone(
            ("imap", "a sign-in of nothing"),
            Encrypted,
            &[
                Says("a AUTHENTICATE PLAIN =\r\n"),
                Hears("a "),
                Says("b AUTHENTICATE PLAIN ====\r\n"),
                Hears("b BAD"),
            ],
        ),
        alone(("pop3", "nothing"), Encrypted, &[HearsLast("-ERR Nothing came for too long\r\n")]),
        alone(("pop3", "a line without end"), Encrypted, &[NeverStops("USER "), IsLeft]),
        alone(
            ("pop3", "LF alone"),
            Encrypted,
            &[Says("CAPA\n"), HearsLast("-ERR This line does not end, or not with CRLF\r\n")],
        ),
        alone(
            ("pop3", "NUL and eight bits"),
            Encrypted,
            &[Writes(b"USER \0\xff\r\nUSER\r\n\r\n"), Hears("-ERR "), Hears("-ERR "), Hears("-ERR ")],
        ),
        alone(("pop3", "PASS without USER"), Encrypted, &[Says("PASS x\r\n"), Hears("-ERR Say USER first")]),
        alone(
            ("pop3", "a thousand commands at once"),
            Encrypted,
            &[Repeats("USER x\r\n", 1_000), HearsOften("+OK And the app password?", 1_000)],
        ),
        alone(
            ("pop3", "a thousand mistakes at once"),
            Encrypted,
            &[
                Repeats("STAT\r\n", 1_000),
                HearsOften("-ERR This command is not possible before sign-in", 19),
                HearsLast("-ERR Too many mistakes\r\n"),
            ],
        ),
        alone(
            ("pop3", "a sign-in without end"),
            Encrypted,
            &[Says("AUTH PLAIN\r\n"), Hears("+ "), NeverStops("AAAA"), IsLeft],
        ),
        // Everything at once, before and behind the sign-in.
        then(
            ("imap", "everything at once"),
            Open,
            &[
                Hears("b SELECT INBOX"),
                Hears("c NOOP"),
                Hears("d LOGOUT"),
                Says("b OK\r\nc OK\r\n* BYE bye\r\nd OK\r\n"),
            ],
            &[
                Says("b SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\n"),
                Hears("b OK"),
                Hears("c OK"),
                HearsLast("* BYE bye\r\nd OK\r\n"),
            ],
        ),
        then(
            ("imap", "10,000 parentheses"),
            Open,
            &[Hears("a FETCH 1 (((((((((("), Says("a BAD no\r\n"), HearsLast("")],
            &[Says("a FETCH 1 "), Repeats("(", 10_000), Says("\r\n"), Hears("a BAD no")],
        ),
        then(("imap", "a line without end"), Open, &[HearsLast("")], &[NeverStops("a NOOP "), IsLeft]),
        then(
            ("imap", "a line that is too long"),
            Open,
            &[HearsLast("")],
            &[Repeats("a ", 32 * 1024), HearsLast(LOST)],
        ),
        then(
            ("imap", "LF alone"),
            Open,
            &[Hears("a NOOP"), HearsLast("")],
            &[Says("a NOOP\r\nb NOOP\nc LOGIN x y\r\n"), HearsLast(LOST)],
        ),
        then(
            ("imap", "CR alone"),
            Open,
            &[HearsLast("")],
            &[Says("a NOOP\rb LOGIN x y\r\n"), HearsLast(LOST)],
        ),
        then(("imap", "NUL"), Open, &[HearsLast("")], &[Writes(b"a NOOP \0\r\n"), HearsLast(LOST)]),
        then(
            ("imap", "eight bits"),
            Open,
            &[Hears("a SELECT \"H\u{e4}user\""), Says("a NO\r\n"), HearsLast("")],
            &[Says("a SELECT \"H\u{e4}user\"\r\n"), Hears("a NO")],
        ),
        then(
            ("imap", "no tags"),
            Open,
            &[HearsLast("")],
            &[Repeats("* NOOP\r\n", 20), HearsOften(NOT_HERE, 10), HearsLast(LOST)],
        ),
        then(
            ("imap", "a literal of 32 bits"),
            Open,
            &[Hears("a APPEND INBOX {4294967296}"), Says("a NO too large\r\n"), HearsLast("")],
            &[Says("a APPEND INBOX {4294967296}\r\n"), Hears("a NO too large")],
        ),
        then(
            ("imap", "a literal of 64 bits"),
            Open,
            &[HearsLast("")],
            &[Says("a APPEND INBOX {18446744073709551616}\r\n"), HearsLast(LOST)],
        ),
        then(
            ("imap", "a literal that stops"),
            Open,
            &[Hears("a APPEND INBOX {1000}"), Says("+ go on\r\n"), HearsLast("Subject: x\r\n")],
            &[Says("a APPEND INBOX {1000+}\r\nSubject: x\r\n")],
        ),
        then(
            ("imap", "a literal that never comes"),
            Open,
            &[Hears("a APPEND INBOX {1000}"), Says("+ go on\r\n"), HearsLast("")],
            &[Says("a APPEND INBOX {1000}\r\n"), Hears("+ go on")],
        ),
        then(
            ("imap", "a literal that nobody wants"),
            Open,
            &[
                Hears("a APPEND INBOX {14}"),
                Says("a NO\r\n"),
                Hears("c NOOP"),
                Says("c OK\r\n"),
                HearsLast(""),
            ],
            &[Says("a APPEND INBOX {14+}\r\nb DELETE INBOX\r\nc NOOP\r\n"), Hears("a NO"), Hears("c OK")],
        ),
        then(
            ("imap", "commands while it idles"),
            Open,
            &[Hears("a IDLE"), Says("+ idling\r\n"), HearsLast("")],
            &[Says("a IDLE\r\n"), Hears("+ idling"), Says("b NOOP\r\n"), HearsLast(LOST)],
        ),
        then(
            ("imap", "an end of IDLE before it begins"),
            Open,
            &[
                Hears("a IDLE"),
                Says("+ idling\r\n"),
                Hears("DONE"),
                Hears("b NOOP"),
                Says("a OK\r\nb OK\r\n"),
                HearsLast(""),
            ],
            &[Says("a IDLE\r\nDONE\r\nb NOOP\r\n"), Hears("+ idling"), Hears("a OK"), Hears("b OK")],
        ),
        then(
            ("imap", "a thousand commands at once"),
            Open,
            &[HearsOften("a NOOP", 1_000), Repeats("a OK\r\n", 1_000), HearsLast("")],
            &[Repeats("a NOOP\r\n", 1_000), HearsOften("a OK", 1_000)],
        ),
        then(
            ("imap", "much that nobody hears"),
            Open,
            &[Hears("a APPEND INBOX {99999999999}"), Says("+ go on\r\n"), Takes(12 * 1024 * 1024)],
            &[Says("a APPEND INBOX {99999999999}\r\n"), Hears("+ go on"), NeverStops("x\r\n"), IsLeft],
        ),
        then(("pop3", "a line without end"), Open, &[HearsLast("")], &[NeverStops("LIST "), IsLeft]),
        then(("pop3", "LF alone"), Open, &[HearsLast("")], &[Says("STAT\nDELE 1\r\n"), HearsLast("")]),
        then(("pop3", "NUL"), Open, &[HearsLast("")], &[Writes(b"STAT\0\r\n"), HearsLast("")]),
        then(
            ("pop3", "everything at once"),
            Open,
            &[Hears("STAT"), Hears("RETR 1"), Hears("QUIT"), Says("+OK 1 1\r\n+OK\r\nx\r\n.\r\n+OK bye\r\n")],
            &[Says("STAT\r\nRETR 1\r\nQUIT\r\n"), HearsLast("+OK 1 1\r\n+OK\r\nx\r\n.\r\n+OK bye\r\n")],
        ),
        then(
            // So many wait, and the others are not heard meanwhile.
            ("pop3", "two thousand commands at once"),
            Open,
            &[
                HearsOften("NOOP", 1_000),
                Repeats("+OK\r\n", 1_000),
                HearsOften("NOOP", 1_000),
                Repeats("+OK\r\n", 1_000),
                HearsLast(""),
            ],
            &[Repeats("NOOP\r\n", 2_000), HearsOften("+OK", 2_000)],
        ),
        then(
            ("pop3", "commands that are none"),
            Open,
            &[HearsLast("")],
            &[Repeats("XYZ\r\n", 20), Hears("-ERR This command is not possible here"), IsLeft],
        ),
        then(
            ("pop3", "a message that it does not take"),
            Open,
            &[Hears("RETR 1"), Says("+OK\r\n"), NeverStops("x\r\n")],
            &[Says("RETR 1\r\n"), Hears("+OK")],
        ),
    ];
    meet(MEETINGS);
}
