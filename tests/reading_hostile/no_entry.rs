//! Providers that let nobody in: the client hears that, and never that its password is wrong.

use crate::harness::Begins::{Greeting, GreetingBeforeTls, SignIn};
use crate::harness::Step::{Drips, Hears, HearsLast, HearsOften, IsLeft, NeverStops, Repeats, Says, Writes};
use crate::harness::{Begins, Meeting, Step, meet};

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
