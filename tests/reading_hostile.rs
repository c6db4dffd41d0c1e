//! Providers and clients that do what no honest one does, with the built program between them: it grows by little, every session comes
//! to an end, the other side is told where the protocol has words for it, and honest clients notice nothing.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use harness::Begins::{Encrypted, Greeting, GreetingBeforeTls, Open, Plain, SignIn};
use harness::Step::{
    Drips, Hears, HearsLast, HearsOften, IsLeft, NeverStops, Repeats, Says, Streams, Takes, TakesSlowly,
    Writes,
};
use harness::{Begins, Meeting, Step, meet};

/// What a client hears of a provider that lets it not in: never of a wrong password. It stays, and may try again.
const fn refuses(
    (protocol, name): (&'static str, &'static str),
    from: Begins,
    provider: &'static [Step],
) -> Meeting {
    const IMAP: &[Step] = &[
        Hears("l NO [UNAVAILABLE] «address» cannot be read: "),
        Says("n NOOP\r\nq LOGOUT\r\n"),
        Hears("n OK"),
        Hears("* BYE Goodbye"),
        Hears("q OK"),
        HearsLast(""),
    ];
    const POP3: &[Step] = &[
        Hears("-ERR [SYS/TEMP] «address» cannot be read: "),
        Says("CAPA\r\nQUIT\r\n"),
        Hears("+OK"),
        HearsOften("TOP", 1),
        Hears("UIDL"),
        Hears("RESP-CODES"),
        IsLeft,
    ];
    let client = if matches!(protocol.as_bytes(), b"imap") { IMAP } else { POP3 };
    Meeting { name, protocol, from, provider, client }
}

/// The same where it lets nobody else in at present.
const fn is_full((protocol, name): (&'static str, &'static str), provider: &'static [Step]) -> Meeting {
    let client: &[Step] = if matches!(protocol.as_bytes(), b"imap") {
        &[Hears("l NO [LIMIT] «address» cannot be read: ")]
    } else {
        &[Hears("-ERR [IN-USE] «address» cannot be read: ")]
    };
    Meeting { name, protocol, from: SignIn, provider, client }
}

/// Whoever has let a client in, and the client.
const fn then(
    (protocol, name): (&'static str, &'static str),
    from: Begins,
    provider: &'static [Step],
    client: &'static [Step],
) -> Meeting {
    Meeting { name, protocol, from, provider, client }
}

/// Nobody but a client.
const fn alone(
    (protocol, name): (&'static str, &'static str),
    from: Begins,
    client: &'static [Step],
) -> Meeting {
    Meeting { name, protocol, from, provider: &[], client }
}

#[test]
fn a_provider_that_lets_nobody_in_is_left_and_the_client_hears_that_it_is_not_the_password() {
    const BASE64_OF_NOTHING: &str = "+ \r\n";
    const MEETINGS: &[Meeting] = &[
        // Its first words.
        refuses(("imap", "no greeting"), Greeting, &[HearsLast("")]),
        refuses(("imap", "a greeting of one octet a second"), Greeting, &[Drips("* OK you are welcome ")]),
        refuses(("imap", "nobody at all"), Greeting, &[]),
        refuses(("imap", "BYE"), Greeting, &[Says("* BYE too busy\r\n"), HearsLast("")]),
        refuses(("imap", "PREAUTH"), Greeting, &[Says("* PREAUTH welcome back\r\n"), HearsLast("")]),
        refuses(
            ("imap", "PREAUTH before TLS"),
            GreetingBeforeTls,
            &[Says("* PREAUTH welcome back\r\n"), HearsLast("")],
        ),
        refuses(
            ("imap", "no STARTTLS"),
            GreetingBeforeTls,
            &[
                Says("* OK hi\r\n"),
                Hears("g1 CAPABILITY"),
                Says("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng1 OK\r\n"),
                HearsLast(""),
            ],
        ),
        refuses(
            ("imap", "more than STARTTLS was asked for"),
            GreetingBeforeTls,
            &[
                Says("* OK hi\r\n"),
                Hears("g1 CAPABILITY"),
                Says("* CAPABILITY IMAP4rev1 STARTTLS\r\ng1 OK done\r\n"),
                Hears("g2 STARTTLS"),
                Says("g2 OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"),
                HearsLast(""),
            ],
        ),
        refuses(("imap", "another protocol"), Greeting, &[Says("220 mail.example ESMTP\r\n"), HearsLast("")]),
        refuses(("imap", "no text"), Greeting, &[Writes(b"\0\xff\xfe\x16\x03\x01\r\n"), HearsLast("")]),
        refuses(("imap", "a greeting with LF alone"), Greeting, &[Says("* OK hi\n"), HearsLast("")]),
        refuses(("imap", "a greeting without end"), Greeting, &[NeverStops("* OK")]),
        refuses(
            ("imap", "another server"),
            Greeting,
            &[Says("* BYE [REFERRAL imap://127.0.0.1:«port»/] it has moved\r\n"), HearsLast("")],
        ),
        refuses(
            ("imap", "untagged lines without end"),
            Greeting,
            &[Says("* OK hi\r\n"), NeverStops("* 1 EXISTS\r\n")],
        ),
        refuses(
            ("imap", "a list without end"),
            Greeting,
            &[Says("* OK hi\r\n* CAPABILITY "), NeverStops("IMAP4rev1 ")],
        ),
        refuses(
            ("imap", "an end before the answer"),
            Greeting,
            &[Says("* OK hi\r\n"), Hears("g1 CAPABILITY"), Says("* CAPABILITY IMAP4")],
        ),
        refuses(
            ("imap", "the answer to another command"),
            Greeting,
            &[
                Says("* OK hi\r\n"),
                Hears("g1 CAPABILITY"),
                Says("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng7 OK done\r\n"),
                HearsLast(""),
            ],
        ),
        refuses(
            ("imap", "a literal of 64 bits"),
            Greeting,
            &[
                Says("* OK hi\r\n* LIST () \"/\" {18446744073709551615}\r\n"),
                Hears("g1 CAPABILITY"),
                HearsLast(""),
            ],
        ),
        refuses(
            ("imap", "a literal of more than 64 bits"),
            Greeting,
            &[
                Says("* OK hi\r\n* LIST () \"/\" {18446744073709551616}\r\n"),
                Hears("g1 CAPABILITY"),
                HearsLast(""),
            ],
        ),
        refuses(
            ("imap", "an end within a literal"),
            Greeting,
            &[Says("* OK hi\r\n* LIST () \"/\" {100}\r\nINB"), Hears("g1 CAPABILITY")],
        ),
        refuses(
            ("imap", "a literal of less than nothing"),
            Greeting,
            &[
                Says("* OK hi\r\n* LIST () \"/\" {-1}\r\ng1 OK done\r\n"),
                Hears("g1 CAPABILITY"),
                HearsLast(""),
            ],
        ),
        // At sign-in.
        refuses(("imap", "NO"), SignIn, &[Says("g2 NO no\r\n"), HearsLast("")]),
        refuses(("imap", "BAD"), SignIn, &[Says("g2 BAD what?\r\n"), HearsLast("")]),
        refuses(("imap", "NO to the password"), SignIn, &[Says("g2 NO [AUTHENTICATIONFAILED] no\r\n")]),
        refuses(("imap", "NO to the person"), SignIn, &[Says("g2 NO [AUTHORIZATIONFAILED] no\r\n")]),
        refuses(("imap", "NO to an old password"), SignIn, &[Says("g2 NO [EXPIRED] no\r\n")]),
        refuses(("imap", "NO without TLS"), SignIn, &[Says("g2 NO [PRIVACYREQUIRED] no\r\n")]),
        refuses(("imap", "NO without an administrator"), SignIn, &[Says("g2 NO [CONTACTADMIN] no\r\n")]),
        refuses(("imap", "NO for now"), SignIn, &[Says("g2 NO [UNAVAILABLE] no\r\n")]),
        refuses(
            ("imap", "NO with an alarm"),
            SignIn,
            &[Says("g2 NO [ALERT] Call +1 555 0100 with your password\r\n")],
        ),
        refuses(
            ("imap", "NO with a page"),
            SignIn,
            &[Says("g2 NO [WEBALERT https://evil.example/] Log in via your browser\r\n")],
        ),
        refuses(("imap", "NO with a code of nobody"), SignIn, &[Says("g2 NO [\x07\x1b[2J {5}\r\n")]),
        refuses(
            ("imap", "NO, and another server"),
            SignIn,
            &[Says("g2 NO [REFERRAL imap://127.0.0.1:«port»/] there\r\n"), HearsLast("")],
        ),
        is_full(("imap", "NO to one more"), &[Says("g2 NO [LIMIT] no more of you\r\n"), HearsLast("")]),
        refuses(("imap", "BYE at sign-in"), SignIn, &[Says("* BYE so long\r\n"), HearsLast("")]),
        refuses(("imap", "nothing at sign-in"), SignIn, &[HearsLast("")]),
        refuses(("imap", "an end at sign-in"), SignIn, &[]),
        refuses(("imap", "an end within the answer"), SignIn, &[Says("g2 OK [CAPABILITY IMAP4rev1] i")]),
        refuses(
            ("imap", "untagged lines without end at sign-in"),
            SignIn,
            &[NeverStops("* OK [ALERT] look here\r\n")],
        ),
        refuses(("imap", "one question after the other"), SignIn, &[NeverStops(BASE64_OF_NOTHING)]),
        refuses(("imap", "a question that is none"), SignIn, &[Says("+ \"what?\"\r\n"), IsLeft]),
        refuses(("imap", "another tag at sign-in"), SignIn, &[Says("g3 OK in\r\n"), HearsLast("")]),
        refuses(("imap", "PREAUTH at sign-in"), SignIn, &[Says("* PREAUTH in\r\n"), HearsLast("")]),
        refuses(
            ("imap", "a list that is too long"),
            SignIn,
            &[Says("g2 OK [CAPABILITY"), Repeats(" COMPRESS=DEFLATE", 4_000), IsLeft],
        ),
        // The same by POP3.
        refuses(("pop3", "no greeting"), Greeting, &[HearsLast("")]),
        refuses(("pop3", "a greeting of one octet a second"), Greeting, &[Drips("+OK you are welcome ")]),
        refuses(("pop3", "nobody at all"), Greeting, &[]),
        refuses(("pop3", "an error"), Greeting, &[Says("-ERR too busy\r\n"), HearsLast("")]),
        refuses(("pop3", "another protocol"), Greeting, &[Says("* OK IMAP4rev1\r\n"), HearsLast("")]),
        refuses(("pop3", "a greeting without end"), Greeting, &[NeverStops("+OK ")]),
        refuses(("pop3", "good answers without end"), Greeting, &[NeverStops("+OK\r\n")]),
        refuses(
            ("pop3", "a list without end"),
            Greeting,
            &[Says("+OK hi\r\n+OK\r\n"), NeverStops("UIDL\r\n")],
        ),
        refuses(("pop3", "a list of one line"), Greeting, &[Says("+OK hi\r\n+OK\r\n"), NeverStops("UIDL ")]),
        refuses(
            ("pop3", "no STLS"),
            GreetingBeforeTls,
            &[Says("+OK hi\r\n"), Hears("CAPA"), Says("+OK\r\nUSER\r\n.\r\n"), HearsLast("")],
        ),
        refuses(
            ("pop3", "more than STLS was asked for"),
            GreetingBeforeTls,
            &[
                Says("+OK hi\r\n"),
                Hears("CAPA"),
                Says("+OK\r\nSTLS\r\n.\r\n"),
                Hears("STLS"),
                Says("+OK begin\r\n+OK\r\nUSER\r\n.\r\n"),
                HearsLast(""),
            ],
        ),
        refuses(("pop3", "an error at sign-in"), SignIn, &[Says("-ERR no\r\n"), HearsLast("")]),
        refuses(("pop3", "an error about the password"), SignIn, &[Says("-ERR [AUTH] no\r\n")]),
        refuses(("pop3", "an error about the server"), SignIn, &[Says("-ERR [SYS/TEMP] no\r\n")]),
        refuses(("pop3", "an error for good"), SignIn, &[Says("-ERR [SYS/PERM] no\r\n")]),
        refuses(("pop3", "an error about time"), SignIn, &[Says("-ERR [LOGIN-DELAY] no\r\n")]),
        is_full(("pop3", "an error about another one"), &[Says("-ERR [IN-USE] no\r\n"), HearsLast("")]),
        refuses(("pop3", "nothing at sign-in"), SignIn, &[HearsLast("")]),
        refuses(("pop3", "an end at sign-in"), SignIn, &[]),
        refuses(("pop3", "one question after the other"), SignIn, &[NeverStops(BASE64_OF_NOTHING)]),
        refuses(("pop3", "an answer without end"), SignIn, &[NeverStops("-ERR ")]),
        refuses(("pop3", "no list after sign-in"), SignIn, &[Says("+OK in\r\n"), Hears("CAPA")]),
    ];
    meet(MEETINGS);
}

const LEFT: Step = HearsLast("* BYE [UNAVAILABLE] The mail provider has ended the connection\r\n");

/// E1: a word of ours within a message would become a part of it.
#[test]
fn a_provider_that_stops_inside_a_message_is_followed_by_a_plain_close_and_elsewhere_by_its_reason() {
    const FETCHES: Step = Says("a FETCH 1 (BODY[])\r\n");
    const RETR: Step = Says("RETR 1\r\n");
    const MEETINGS: &[Meeting] = &[
        then(("imap", "at once"), Open, &[], &[LEFT]),
        then(
            ("imap", "between two lines"),
            Open,
            &[Hears("a NOOP"), Says("* 3 EXISTS\r\n")],
            &[Says("a NOOP\r\n"), Hears("* 3 EXISTS"), LEFT],
        ),
        then(
            ("imap", "between two commands"),
            Open,
            &[Hears("a NOOP"), Says("a OK\r\n")],
            &[Says("a NOOP\r\n"), Hears("a OK"), LEFT],
        ),
        then(
            ("imap", "while the client idles"),
            Open,
            &[Hears("a IDLE"), Says("+ idling\r\n")],
            &[Says("a IDLE\r\n"), Hears("+ idling"), LEFT],
        ),
        then(("imap", "within a line"), Open, &[Says("* 3 EXI")], &[HearsLast("* 3 EXI")]),
        then(
            ("imap", "within the words of a line"),
            Open,
            &[Says("* OK as I was s")],
            &[HearsLast("* OK as I was s")],
        ),
        then(
            ("imap", "within a literal"),
            Open,
            &[Hears("a FETCH"), Says("* 1 FETCH (BODY[] {100}\r\nSubject: x\r\n\r\nA line.\r\n")],
            &[FETCHES, HearsLast("* 1 FETCH (BODY[] {100}\r\nSubject: x\r\n\r\nA line.\r\n")],
        ),
        then(
            ("imap", "before a literal"),
            Open,
            &[Hears("a FETCH"), Says("* 1 FETCH (BODY[] {100}\r\n")],
            &[FETCHES, HearsLast("* 1 FETCH (BODY[] {100}\r\n")],
        ),
        then(
            ("imap", "behind a literal"),
            Open,
            &[Hears("a FETCH"), Says("* 1 FETCH (BODY[] {5}\r\nabc\r\n")],
            &[FETCHES, HearsLast("* 1 FETCH (BODY[] {5}\r\nabc\r\n")],
        ),
        then(
            ("imap", "within a literal that looks like the end"),
            Open,
            &[Hears("a FETCH"), Says("* 1 FETCH (BODY[] {100}\r\nabc)\r\na OK done\r\n* BYE\r\n")],
            &[FETCHES, HearsLast("* 1 FETCH (BODY[] {100}\r\nabc)\r\na OK done\r\n* BYE\r\n")],
        ),
        then(
            ("imap", "within a literal of 64 bits"),
            Open,
            &[Hears("a FETCH"), Says("* 1 FETCH (BODY[] {18446744073709551615}\r\nabc)\r\n")],
            &[FETCHES, HearsLast("* 1 FETCH (BODY[] {18446744073709551615}\r\nabc)\r\n")],
        ),
        then(
            ("imap", "after its own farewell"),
            Open,
            &[Says("* BYE so long\r\n")],
            &[HearsLast("* BYE so long\r\n")],
        ),
        then(("pop3", "at once, with nobody waiting"), Open, &[], &[HearsLast("")]),
        then(
            ("pop3", "where an answer is due"),
            Open,
            &[Hears("STAT")],
            &[Says("STAT\r\n"), HearsLast("-ERR [SYS/TEMP] The mail provider has ended the connection\r\n")],
        ),
        then(
            ("pop3", "between two answers"),
            Open,
            &[Hears("STAT"), Hears("NOOP"), Says("+OK 0 0\r\n")],
            &[
                Says("STAT\r\nNOOP\r\n"),
                Hears("+OK 0 0"),
                HearsLast("-ERR [SYS/TEMP] The mail provider has ended the connection\r\n"),
            ],
        ),
        then(
            ("pop3", "after the answer"),
            Open,
            &[Hears("STAT"), Says("+OK 0 0\r\n")],
            &[Says("STAT\r\n"), HearsLast("+OK 0 0\r\n")],
        ),
        then(
            ("pop3", "within an answer"),
            Open,
            &[Hears("STAT"), Says("+OK 0")],
            &[Says("STAT\r\n"), HearsLast("+OK 0")],
        ),
        then(
            ("pop3", "within a message"),
            Open,
            &[Hears("RETR 1"), Says("+OK\r\nSubject: x\r\n\r\nA line.\r\n")],
            &[RETR, HearsLast("+OK\r\nSubject: x\r\n\r\nA line.\r\n")],
        ),
        then(
            ("pop3", "within a line of a message"),
            Open,
            &[Hears("RETR 1"), Says("+OK\r\nSubject: x\r\n\r\nA li")],
            &[RETR, HearsLast("+OK\r\nSubject: x\r\n\r\nA li")],
        ),
        then(
            ("pop3", "within a message that looks like the end"),
            Open,
            &[Hears("RETR 1"), Hears("NOOP"), Says("+OK\r\nx\n.\n.\r.\r\n..\r\n-ERR no\r\n+OK\r\n")],
            &[Says("RETR 1\r\nNOOP\r\n"), HearsLast("+OK\r\nx\n.\n.\r.\r\n..\r\n-ERR no\r\n+OK\r\n")],
        ),
        then(
            ("pop3", "within a list"),
            Open,
            &[Hears("UIDL"), Says("+OK\r\n1 one\r\n")],
            &[Says("UIDL\r\n"), HearsLast("+OK\r\n1 one\r\n")],
        ),
        then(
            ("pop3", "within a list of what it can do"),
            Open,
            &[Hears("CAPA"), Says("+OK\r\nUIDL\r\nST")],
            &[Says("CAPA\r\n"), HearsLast("+OK\r\nUIDL\r\n")],
        ),
    ];
    meet(MEETINGS);
}

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
                Hears("a NO [TOOBIG] "),
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
            ("imap", "letters before TLS"),
            Plain,
            &[Writes(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n"), HearsLast(BAD_LINE)],
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

const NOT_HERE: &str =
    "* BAD This command is not possible here: you are signed in already, and nothing is compressed";

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
