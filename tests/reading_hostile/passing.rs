//! Providers that say what they like after the sign-in: it passes in pieces, or both sides end.

use crate::harness::Begins::{Greeting, Open, SignIn};
use crate::harness::Step::{
    Drips, Hears, HearsLast, HearsOften, NeverStops, Repeats, Says, Streams, Takes, TakesSlowly, Writes,
};
use crate::harness::{Meeting, Step, meet};
use crate::{LEFT, then};

#[test]
fn whatever_a_provider_says_after_the_sign_in_passes_in_pieces_or_ends_both() {
    const MUCH: usize = 12 * 1024 * 1024;
    const NOOP: Step = Says("a NOOP\r\n");
    const MEETINGS: &[Meeting] = &[
        then(
            ("imap", "answers before the questions"),
            Greeting,
            &[
                Says(
                    "* OK hi\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng1 OK done\r\ng2 OK [CAPABILITY IMAP4rev1] in\r\n+ what?\r\n* 1 EXISTS\r\n",
                ),
                Hears("g1 CAPABILITY"),
                Hears("g2 AUTHENTICATE PLAIN"),
            ],
            &[Hears("l OK [CAPABILITY IMAP4rev1] "), Hears("+ what?"), Hears("* 1 EXISTS"), LEFT],
        ),
        then(
            ("imap", "in, but better elsewhere"),
            SignIn,
            &[
                Says("g2 OK [REFERRAL imap://127.0.0.1:«port»/] in\r\n"),
                Hears("g3 CAPABILITY"),
                Says("* CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE\r\ng3 OK done\r\n"),
            ],
            &[Hears("l OK [CAPABILITY IMAP4rev1 IDLE] "), LEFT],
        ),
        then(
            ("imap", "a flood of what it can do"),
            SignIn,
            &[
                Repeats("* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n", 1_000),
                Says(
                    "g2 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE STARTTLS AUTH=PLAIN LOGINDISABLED UNAUTHENTICATE] in\r\n",
                ),
                Repeats(
                    "* CAPABILITY STARTTLS IMAP4rev1 AUTH=PLAIN COMPRESS=DEFLATE IDLE UNAUTHENTICATE LOGINDISABLED\r\n",
                    1_000,
                ),
                Says("* OK [CAPABILITY COMPRESS=DEFLATE IDLE] still here\r\n"),
            ],
            &[
                Hears("l OK [CAPABILITY IMAP4rev1] "),
                HearsOften("* CAPABILITY IMAP4rev1 IDLE", 1_000),
                Hears("* OK [CAPABILITY IDLE] still here"),
                LEFT,
            ],
        ),
        then(
            ("imap", "a literal of more than 64 bits"),
            Open,
            &[Says("* 1 EXISTS\r\n* 1 FETCH (BODY[] {18446744073709551616}\r\nabc\r\n"), HearsLast("")],
            &[HearsLast("* 1 EXISTS\r\n* 1 FETCH (BODY[] {18446744073709551616}\r\n")],
        ),
        then(
            ("imap", "a literal of twenty digits more"),
            Open,
            &[Says("* 1 FETCH (BODY[] {9999999999999999999999999999999999999999}\r\nabc\r\n"), HearsLast("")],
            &[HearsLast("* 1 FETCH (BODY[] {9999999999999999999999999999999999999999}\r\n")],
        ),
        then(
            ("imap", "a literal of less than nothing"),
            Open,
            &[Says("* 1 FETCH (BODY[] {-1}\r\n)\r\n")],
            &[HearsLast(
                "* 1 FETCH (BODY[] {-1}\r\n)\r\n* BYE [UNAVAILABLE] The mail provider has ended the connection\r\n",
            )],
        ),
        then(
            ("imap", "a literal that is too small"),
            Open,
            &[Says("* 1 FETCH (BODY[] {3}\r\nabcdef)\r\n* BYE\r\n")],
            &[HearsLast("* 1 FETCH (BODY[] {3}\r\nabcdef)\r\n* BYE\r\n")],
        ),
        then(
            ("imap", "requests to go on"),
            Open,
            &[Says("+ go on\r\n+ \r\n+\r\n"), Hears("a NOOP"), Says("a OK\r\n"), HearsLast("")],
            &[Hears("+ go on"), Hears("+ "), Hears("+"), NOOP, Hears("a OK")],
        ),
        then(
            ("imap", "another tag"),
            Open,
            &[Hears("a NOOP"), Says("b OK\r\n"), Hears("c NOOP"), Says("c OK\r\n"), HearsLast("")],
            &[NOOP, Hears("b OK"), Says("c NOOP\r\n"), Hears("c OK")],
        ),
        then(
            ("imap", "another tag where a literal is waited for"),
            Open,
            &[
                Hears("a APPEND INBOX {3}"),
                Says("b OK\r\n* OK\r\na NO\r\n"),
                Hears("c NOOP"),
                Says("c OK\r\n"),
                HearsLast(""),
            ],
            &[
                Says("a APPEND INBOX {3+}\r\nabc\r\nc NOOP\r\n"),
                Hears("b OK"),
                Hears("* OK"),
                Hears("a NO"),
                Hears("c OK"),
            ],
        ),
        then(
            ("imap", "LF alone, and nothing at all"),
            Open,
            &[Writes(b"* OK a\0b\n\n\r* \xff\r\n"), HearsLast("")],
            &[Takes(15)],
        ),
        then(
            ("imap", "PREAUTH once more"),
            Open,
            &[Says("* PREAUTH hi\r\n")],
            &[Hears("* PREAUTH hi"), LEFT],
        ),
        then(
            ("imap", "much, and an end, for a client that takes it slowly"),
            Open,
            &[Repeats("* 1000 EXISTS \r\n", 8 * 1024 * 1024 / 16)],
            &[TakesSlowly(8 * 1024 * 1024), LEFT],
        ),
        then(("imap", "one octet a second"), Open, &[Drips("* 1 EXISTS\r\n")], &[Hears("* 1 EXISTS")]),
        then(("imap", "lines without end"), Open, &[NeverStops("* 1 EXISTS\r\n")], &[Takes(MUCH)]),
        then(("imap", "a line without end"), Open, &[NeverStops("* x")], &[Takes(MUCH)]),
        then(
            ("imap", "a literal without end"),
            Open,
            &[Says("* 1 FETCH (BODY[] {99999999999}\r\n"), NeverStops("x\r\n")],
            &[Takes(MUCH)],
        ),
        then(
            ("imap", "lines without end for a client that leaves at once"),
            Open,
            &[NeverStops("* 1 EXISTS\r\n")],
            &[],
        ),
        then(
            ("imap", "a list of what it can do without end"),
            Open,
            &[Says("* CAPABILITY "), NeverStops("COMPRESS=DEFLATE ")],
            &[Takes(MUCH)],
        ),
        then(
            ("pop3", "a timestamp"),
            Greeting,
            &[
                Says("+OK <1896.697170952@«address»>\r\n"),
                Hears("CAPA"),
                Says("-ERR\r\n"),
                Hears("USER «address»"),
                Says("+OK\r\n"),
                Hears("PASS secret"),
                Says("+OK\r\n"),
                Hears("CAPA"),
                Says("-ERR\r\n"),
            ],
            &[Hears("+OK «address» is open"), HearsLast("")],
        ),
        then(
            ("pop3", "a message full of dots"),
            Open,
            &[
                Hears("RETR 1"),
                Hears("STAT"),
                Says("+OK\r\n..\r\n.\n.\n\r.\r\n...\r\n.\r\r\n\r\n -ERR\r\n.\r\n+OK 1 1\r\n"),
                HearsLast(""),
            ],
            &[
                // Ours comes in its turn.
                Says("RETR 1\r\nAPOP a b\r\nSTAT\r\n"),
                Hears("+OK"),
                Takes("..\r\n.\n.\n\r.\r\n...\r\n.\r\r\n\r\n -ERR\r\n.\r\n".len()),
                Hears("-ERR This command is not possible here"),
                Hears("+OK 1 1"),
            ],
        ),
        then(
            ("pop3", "an error within a message"),
            Open,
            &[Hears("RETR 1"), Says("+OK\r\nx\r\n-ERR out of order\r\n.\r\n"), HearsLast("")],
            &[Says("RETR 1\r\n"), Hears("+OK"), Hears("x"), Hears("-ERR out of order"), Hears(".")],
        ),
        then(
            ("pop3", "an error and a message behind it"),
            Open,
            &[Hears("RETR 1"), Says("-ERR no\r\nx\r\n.\r\n")],
            &[Says("RETR 1\r\n"), HearsLast("-ERR no\r\nx\r\n.\r\n")],
        ),
        then(
            ("pop3", "good answers that nobody asked for"),
            Open,
            &[Repeats("+OK hm\r\n", 10_000)],
            &[HearsOften("+OK hm", 10_000), HearsLast("")],
        ),
        then(
            ("pop3", "figures of 64 bits and more"),
            Open,
            &[Hears("STAT"), Says("+OK 18446744073709551616 -1\r\n"), HearsLast("")],
            &[Says("STAT\r\n"), Hears("+OK 18446744073709551616 -1")],
        ),
        then(
            ("pop3", "everything that it can do"),
            Open,
            &[
                Hears("CAPA"),
                Says("+OK\r\nSTLS\r\nSASL PLAIN\r\nXTND\r\nUIDL\r\nUSER\r\nUTF8\r\n.\r\n"),
                HearsLast(""),
            ],
            &[Says("CAPA\r\n"), Hears("+OK"), Hears("UIDL"), Hears(".")],
        ),
        then(
            ("pop3", "a message without end"),
            Open,
            &[Hears("RETR 1"), Says("+OK\r\n"), NeverStops("x\r\n")],
            &[Says("RETR 1\r\n"), Takes(MUCH)],
        ),
        then(
            ("pop3", "a line without end"),
            Open,
            &[Hears("STAT"), NeverStops("+OK")],
            &[Says("STAT\r\n"), Takes(MUCH)],
        ),
        then(
            ("pop3", "a list of one line"),
            Open,
            &[Hears("CAPA"), Says("+OK\r\n"), NeverStops("UIDL ")],
            &[Says("CAPA\r\n"), HearsLast("+OK\r\n")],
        ),
        then(
            ("pop3", "a message of one octet a second"),
            Open,
            &[Hears("RETR 1"), Drips("+OK\r\n.\r\n")],
            &[Says("RETR 1\r\n"), Hears("+OK"), Hears(".")],
        ),
    ];
    meet(MEETINGS);
}

/// MP-5: as large as a message may be for many programs, and larger than any that is sent.
#[test]
fn two_gibibytes_pass_in_flat_memory() {
    const SIZE: usize = 2 * 1024 * 1024 * 1024;
    meet(&[then(
        ("imap", "a literal of 2 GiB"),
        Open,
        &[
            Hears("f FETCH 1 BODY[]"),
            Says("* 1 FETCH (BODY[] {2147483648}\r\n"),
            Streams(SIZE),
            Says(")\r\nf OK done\r\n"),
            Hears("q LOGOUT"),
            Says("* BYE bye\r\nq OK\r\n"),
        ],
        &[
            Says("f FETCH 1 BODY[]\r\n"),
            Hears("* 1 FETCH (BODY[] {2147483648}"),
            Takes(SIZE),
            Hears(")"),
            Hears("f OK done"),
            Says("q LOGOUT\r\n"),
            HearsLast("* BYE bye\r\nq OK\r\n"),
        ],
    )]);
}
