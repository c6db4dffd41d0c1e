use proptest::prelude::*;

use super::*;
use crate::smtp::{AUTH_LINE, COMMAND_LINE, ENVELOPE_LINE};

/// Reads a line and writes it back; an error as its reply.
fn round(line: &[u8]) -> String {
    match Command::parse(line) {
        Ok(command) => {
            let mut out = Vec::new();
            command.write_to(&mut out);
            String::from_utf8_lossy(out.strip_suffix(b"\r\n").unwrap()).into_owned()
        }
        Err(err) => {
            let reply = err.reply();
            let (class, subject, detail) = reply.enhanced().unwrap();
            assert_eq!(reply.code() / 100, class);
            format!("{} {class}.{subject}.{detail}", reply.code())
        }
    }
}

#[track_caller]
fn check(line: &str, want: &str) {
    assert_eq!(round(line.as_bytes()), want, "line: {line:?}");
}

#[test]
fn commands_are_taken_in_any_case_and_written_as_the_rfcs_have_them() {
    for (line, want) in [
        ("ehlo mail.example", "EHLO mail.example"),
        ("EHLO [192.0.2.1]", "EHLO [192.0.2.1]"),
        ("EHLO scanner_3rd floor", "EHLO scanner_3rd floor"),
        ("HeLo x", "HELO x"),
        ("data", "DATA"),
        ("DATA  \t", "DATA"),
        ("BDAT 0 last", "BDAT 0 LAST"),
        ("BDAT 18446744073709551615", "BDAT 18446744073709551615"),
        ("RSET", "RSET"),
        ("NOOP anything at all", "NOOP"),
        ("quit", "QUIT"),
        ("StartTLS", "STARTTLS"),
        ("VRFY ana", "VRFY ana"),
        ("EXPN staff", "EXPN staff"),
        ("HELP", "HELP"),
        ("HELP MAIL", "HELP MAIL"),
        ("auth plain", "AUTH PLAIN"),
        ("AUTH PLAIN =", "AUTH PLAIN ="),
        ("AUTH X-MINE AGEAYg==", "AUTH X-MINE AGEAYg=="),
    ] {
        check(line, want);
    }
}

#[test]
fn paths_and_parameters_are_taken_as_the_rfcs_have_them() {
    for (line, want) in [
        ("MAIL FROM:<>", "MAIL FROM:<>"),
        ("mail from:<Ana@Example.ORG>", "MAIL FROM:<Ana@example.org>"),
        ("MAIL FROM: <a@b.test>", "MAIL FROM:<a@b.test>"),
        ("RCPT TO: <a@b.test>", "RCPT TO:<a@b.test>"),
        ("MAIL FROM:<a@b.test>  SIZE=10  body=8bitmime", "MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME"),
        ("MAIL FROM:<a@b.test> SIZE=99999999999999999999", "MAIL FROM:<a@b.test> SIZE=18446744073709551615"),
        (
            "MAIL FROM:<a@b.test> BODY=7BIT RET=hdrs ENVID=QQ+2B1",
            "MAIL FROM:<a@b.test> BODY=7BIT RET=HDRS ENVID=QQ+2B1",
        ),
        ("MAIL FROM:<jörg@bücher.example> SMTPUTF8", "MAIL FROM:<jörg@bücher.example> SMTPUTF8"),
        ("MAIL FROM:<a@b.test> AUTH=<>", "MAIL FROM:<a@b.test> AUTH=<>"),
        ("MAIL FROM:<a@b.test> AUTH=e+3Dmc2@example.com", "MAIL FROM:<a@b.test> AUTH=e+3Dmc2@example.com"),
        // RFC 5321 Appendix C: source routes are recognised and ignored.
        ("RCPT TO:<@a.test,@b.test:c@d.test>", "RCPT TO:<c@d.test>"),
        ("RCPT TO:<\"a>b c\"@d.test> NOTIFY=NEVER", "RCPT TO:<\"a>b c\"@d.test> NOTIFY=NEVER"),
        ("RCPT TO:<\"a\\\">b\"@d.test>", "RCPT TO:<\"a\\\">b\"@d.test>"),
        (
            "RCPT TO:<c@d.test> NOTIFY=delay,SUCCESS ORCPT=rfc822;Bob+2Bx@Example.com",
            "RCPT TO:<c@d.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@Example.com",
        ),
        (
            "RCPT TO:<c@d.test> ORCPT=utf-8;j\\x{F6}rg@d.test",
            "RCPT TO:<c@d.test> ORCPT=utf-8;j\\x{F6}rg@d.test",
        ),
    ] {
        check(line, want);
    }
}

/// SS-16 and RFC 5321 §4.2.3, §4.1.1.11.
#[test]
fn what_is_no_command_gets_the_reply_that_names_the_fault() {
    for (line, want) in [
        ("", "500 5.5.1"),
        (" EHLO x", "500 5.5.1"),
        ("XYZZY", "500 5.5.1"),
        ("SEND FROM:<a@b.test>", "502 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("EHLO  ", "501 5.5.4"),
        ("EHLO a\x1bb", "501 5.5.2"),
        ("EHLO a\tb", "501 5.5.2"),
        ("NOOP \0", "501 5.5.2"),
        ("VRFY", "501 5.5.4"),
        ("STARTTLS now", "501 5.5.4"),
        ("DATA x", "501 5.5.4"),
        ("RSET x", "501 5.5.4"),
        ("QUIT x", "501 5.5.4"),
        ("BDAT", "501 5.5.4"),
        ("BDAT x", "501 5.5.4"),
        ("BDAT -1", "501 5.5.4"),
        ("BDAT +1", "501 5.5.4"),
        ("BDAT 18446744073709551616", "501 5.5.4"),
        ("BDAT 1 LASTS", "501 5.5.4"),
        ("BDAT 1 LAST x", "501 5.5.4"),
        ("AUTH", "501 5.5.4"),
        ("AUTH PL@IN", "501 5.5.4"),
        ("AUTH PLAIN A", "501 5.5.2"),
        ("AUTH PLAIN AGEAYg", "501 5.5.2"),
        ("AUTH PLAIN AGEAYg== x", "501 5.5.2"),
        ("MAIL", "501 5.5.2"),
        ("MAIL FROM", "501 5.5.2"),
        ("MAIL TO:<a@b.test>", "501 5.5.2"),
        ("MAIL FROM:a@b.test", "501 5.5.2"),
        ("MAIL FROM:  <a@b.test>", "501 5.5.2"),
        ("MAIL FROM :<a@b.test>", "501 5.5.2"),
        ("MAIL FROM:<a@b.test", "501 5.5.2"),
        ("MAIL FROM:<a@b.test>SIZE=1", "501 5.5.2"),
        ("MAIL FROM:<\"a@b.test>", "501 5.5.2"),
        ("MAIL FROM:<a>", "553 5.1.7"),
        ("MAIL FROM:<a b@c.test>", "501 5.1.7"),
        ("MAIL FROM:<a@b.test\rX>", "501 5.5.2"),
        ("MAIL FROM:<a@-b>", "501 5.1.7"),
        ("MAIL FROM:<jörg@b.test>", "550 5.6.7"),
        ("RCPT TO:<>", "553 5.1.3"),
        ("RCPT TO:<Postmaster>", "553 5.1.3"),
        ("RCPT TO:<@a.test>", "501 5.1.3"),
        ("RCPT TO:<@a.test,b.test:c@d.test>", "501 5.1.3"),
        ("RCPT TO:<@:c@d.test>", "501 5.1.3"),
        ("MAIL FROM:<a@b.test> SIZE", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> SIZE=", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> SIZE=1x", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> SIZE=100000000000000000000", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> SMTPUTF8=1", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> RET=BODY", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> ENVID=", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> ENVID=a+0D+0Ab", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> AUTH=nobody", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> =1", "501 5.5.4"),
        ("MAIL FROM:<a@b.test> SIZE=1 SIZE=1", "555 5.5.4"),
        ("MAIL FROM:<a@b.test> SMTPUTF8 SMTPUTF8", "555 5.5.4"),
        ("MAIL FROM:<a@b.test> XYZ=1", "555 5.5.4"),
        ("MAIL FROM:<a@b.test> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<a@b.test> SIZE=1", "555 5.5.4"),
        ("RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY", "501 5.5.4"),
        ("RCPT TO:<a@b.test> NOTIFY=DELAY,DELAY", "501 5.5.4"),
        ("RCPT TO:<a@b.test> NOTIFY=", "501 5.5.4"),
        ("RCPT TO:<a@b.test> ORCPT=rfc822", "501 5.5.4"),
        ("RCPT TO:<a@b.test> ORCPT=;a@b", "501 5.5.4"),
        ("RCPT TO:<a@b.test> NOTIFY=DELAY NOTIFY=DELAY", "555 5.5.4"),
    ] {
        check(line, want);
    }
    assert_eq!(round(b"MAIL FROM:<a\xff@b.test>"), "501 5.1.7");
    assert_eq!(round(b"\x16\x03\x01\x02\x00"), "500 5.5.1");
}

/// GHSA-c7w3-x93f-qmm8 and its like: nothing that a line carries can become a second line.
#[test]
fn a_line_end_in_an_argument_never_passes() {
    for line in [
        &b"MAIL FROM:<a@b.test> SIZE=1\r\nRCPT TO:<x@y.test>"[..],
        b"EHLO a\nMAIL FROM:<>",
        b"VRFY a\rb",
        b"HELP \n",
        b"AUTH PLAIN =\r\n",
    ] {
        assert!(matches!(Command::parse(line), Err(CommandError::ControlCharacter)), "{line:?}");
    }
}

/// SS-7: limit, limit + 1.
#[test]
fn lines_and_addresses_longer_than_the_limits_are_refused() {
    let noop = |len: usize| [&b"NOOP "[..], &vec![b'x'; len - 7]].concat();
    assert_eq!(round(&noop(COMMAND_LINE)), "NOOP");
    assert_eq!(round(&noop(COMMAND_LINE + 1)), "500 5.5.2");
    let mail = |len: usize| [&b"MAIL FROM:<> SIZE="[..], &vec![b'1'; len - 20]].concat();
    assert_eq!(round(&mail(ENVELOPE_LINE)), "501 5.5.4");
    assert_eq!(round(&mail(ENVELOPE_LINE + 1)), "500 5.5.2");
    let auth = |n_groups: usize| [&b"AUTH PLAIN "[..], &b"AAAA".repeat(n_groups)].concat();
    assert!(matches!(Command::parse(&auth((AUTH_LINE - 13) / 4)), Ok(Command::Auth { .. })));
    assert!(matches!(Command::parse(&auth((AUTH_LINE - 13) / 4 + 1)), Err(CommandError::LineTooLong)));

    let local = |len: usize| format!("RCPT TO:<{}@b.test>", "a".repeat(len));
    assert_eq!(round(local(64).as_bytes()), local(64));
    assert_eq!(round(local(65).as_bytes()), "501 5.1.3");
    let route = |len: usize| format!("RCPT TO:<{}:a@b.test>", "@r.test,".repeat(40).get(..len).unwrap());
    assert_eq!(round(route(239).as_bytes()), "RCPT TO:<a@b.test>");
    assert_eq!(round(route(247).as_bytes()), "501 5.1.3");
}

/// Only the session's reader sees how a line ends; what it found has one answer all the same.
#[test]
fn a_line_that_ends_with_lf_alone_is_told_so() {
    let reply = CommandError::BareLineFeed.reply();
    assert_eq!((reply.code(), reply.enhanced()), (500, Some((5, 5, 2))));
}

#[test]
fn web_requests_are_recognised() {
    for line in ["GET / HTTP/1.1", "post /x", "PRI * HTTP/2.0", "OPTIONS *", "CONNECT a:25"] {
        assert!(is_http_verb(line.as_bytes()), "{line}");
        assert!(matches!(Command::parse(line.as_bytes()), Err(CommandError::Unknown(_))), "{line}");
    }
    for line in ["EHLO x", "GETX /", "", " GET /"] {
        assert!(!is_http_verb(line.as_bytes()), "{line}");
    }
}

#[test]
fn an_unknown_command_is_shown_safely() {
    let Err(CommandError::Unknown(shown)) = Command::parse(b"\x1b[31m\xff and more") else { panic!() };
    assert_eq!(shown, "\\u{1b}[31m\\xff");
}

#[test]
fn the_initial_response_of_auth_is_not_shown() {
    let command = Command::parse(b"AUTH PLAIN AGFuYQBzZWNyZXQ=").unwrap();
    assert_eq!(format!("{command:?}"), "\"AUTH PLAIN [secret]\"".replace('"', ""));
    let Command::Auth { initial: Some(response), .. } = command else { panic!() };
    assert_eq!(response.reveal(), b"\0ana\0secret");
}

#[test]
fn a_client_name_is_a_domain_only_if_it_is_one() {
    for (line, domain) in [
        (&b"EHLO Mail.Example"[..], Some("mail.example")),
        (b"EHLO [192.0.2.1]", Some("[192.0.2.1]")),
        (b"EHLO 3rd floor", None),
        (b"EHLO b\xfcro", None),
    ] {
        let Ok(Command::Ehlo(name)) = Command::parse(line) else { panic!("{line:?}") };
        assert_eq!(name.domain().as_ref().map(gatepost_core::Domain::as_str), domain);
    }
    let Ok(Command::Ehlo(name)) = Command::parse(b"EHLO b\xfcro") else { panic!() };
    assert_eq!(name.to_string(), "b\\xfcro");
}

fn address() -> impl Strategy<Value = gatepost_core::EmailAddress> {
    prop_oneof![
        "[a-zA-Z0-9+=]{1,20}@[a-z]{1,10}\\.test",
        "\"[ -~]{0,20}\"@[a-z]{1,9}",
        "[à-ž]{1,9}@[à-ž]{1,9}\\.test"
    ]
    .prop_filter_map("not an address", |text| text.parse().ok())
}

fn mail() -> impl Strategy<Value = MailCommand> {
    let path = prop_oneof![1 => Just(ReversePath::Null), 4 => address().prop_map(ReversePath::Address)];
    let body = prop_oneof![Just(None), Just(Some(BodyKind::SevenBit)), Just(Some(BodyKind::EightBitMime))];
    let ret = prop_oneof![Just(None), Just(Some(DsnReturn::Full)), Just(Some(DsnReturn::Headers))];
    let envid = proptest::option::of("[!-*,-<>-~]{1,40}")
        .prop_map(|it| it.map(|it| EnvelopeId::from_xtext(&it).unwrap()));
    let auth = prop_oneof![
        Just(None),
        Just(Some(MailAuth::Unknown)),
        address().prop_filter("ASCII", |it| it.is_ascii()).prop_map(|it| Some(MailAuth::Mailbox(it)))
    ];
    (path, any::<Option<u64>>(), body, any::<bool>(), ret, envid, auth).prop_map(
        |(reverse_path, size_bytes, body, asks, ret, envelope_id, auth)| {
            let is_smtputf8 = asks || reverse_path.address().is_some_and(|it| !it.is_ascii());
            MailCommand { reverse_path, size_bytes, body, is_smtputf8, ret, envelope_id, auth }
        },
    )
}

fn rcpt() -> impl Strategy<Value = RcptCommand> {
    let notify = prop_oneof![
        Just(None),
        Just(Some(Notify::Never)),
        (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_filter("at least one", |(a, b, c)| *a || *b || *c)
            .prop_map(|(success, failure, delay)| Some(Notify::On(NotifyOn { success, failure, delay }))),
    ];
    let orcpt = prop_oneof![
        Just(None),
        "rfc822;([!-*,-<>-~]|\\+20|\\+3D){1,40}".prop_map(|it| OriginalRecipient::from_orcpt(&it)),
        "utf-8;([!-*,-<>-\\[\\]-~à-ž]|\\\\x\\{2B\\}){1,40}".prop_map(|it| OriginalRecipient::from_orcpt(&it)),
    ];
    (address(), notify, orcpt).prop_map(|(recipient, notify, original_recipient)| RcptCommand {
        recipient,
        notify,
        original_recipient,
    })
}

proptest! {
    #[test]
    fn mail_parses_back_to_the_same(mail in mail()) {
        let line = mail.to_string();
        match Command::parse(line.as_bytes()) {
            Ok(Command::Mail(parsed)) => prop_assert_eq!(parsed, mail),
            other => prop_assert!(false, "{}: {:?}", line, other),
        }
    }

    #[test]
    fn rcpt_parses_back_to_the_same(rcpt in rcpt()) {
        let line = rcpt.to_string();
        match Command::parse(line.as_bytes()) {
            Ok(Command::Rcpt(parsed)) => prop_assert_eq!(parsed, rcpt),
            other => prop_assert!(false, "{}: {:?}", line, other),
        }
    }

    #[test]
    fn auth_parses_back_to_the_same(response in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..80))) {
        let command = Command::Auth { mechanism: "PLAIN".into(), initial: response.clone().map(SecretBytes::new) };
        let mut line = Vec::new();
        command.write_to(&mut line);
        match Command::parse(line.strip_suffix(b"\r\n").unwrap()) {
            Ok(Command::Auth { mechanism, initial }) => {
                prop_assert_eq!(mechanism, "PLAIN");
                prop_assert_eq!(initial.map(|it| it.reveal().to_vec()), response);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    /// Whatever is taken is written as one line that is taken again as the same.
    #[test]
    fn hostile_lines_never_panic_and_what_is_taken_is_stable(
        verb in "(EHLO|MAIL FROM:|RCPT TO:|BDAT|AUTH|VRFY|HELP|NOOP)?",
        rest in "[ <>@a:,\"\\\\=+;x{}\\x00-\\x20ä]{0,30}",
        tail in "( (SIZE|BODY|RET|ENVID|AUTH|NOTIFY|ORCPT|SMTPUTF8)=?[ -~]{0,12}){0,3}",
    ) {
        let line = format!("{verb}{rest}{tail}");
        if let Ok(command) = Command::parse(line.as_bytes()) {
            let mut out = Vec::new();
            command.write_to(&mut out);
            let text = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!text.iter().any(u8::is_ascii_control));
            let mut again = Vec::new();
            Command::parse(text).unwrap().write_to(&mut again);
            prop_assert_eq!(again, out);
        }
    }
}
