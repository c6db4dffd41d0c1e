use proptest::prelude::*;

use super::*;

fn written(command: &Command) -> String {
    let mut out = Vec::new();
    command.write_to(&mut out);
    String::from_utf8(out).unwrap()
}

/// What a line is understood as, written again.
#[track_caller]
fn check(line: &str, want: Result<&str, CommandError>) {
    let got = Command::parse(line.as_bytes()).map(|it| written(&it));
    assert_eq!(got, want.map(|it| format!("{it}\r\n")), "{line:?}");
}

#[test]
fn commands_are_read_in_any_case() {
    for (line, same) in [
        ("user ana@example.org", "USER ana@example.org"),
        ("USER ana ", "USER ana"),
        ("Pass  two words ", "PASS  two words "),
        ("auth xoauth2", "AUTH XOAUTH2"),
        ("AUTH PLAIN =", "AUTH PLAIN ="),
        ("AUTH PLAIN AGEAYg==", "AUTH PLAIN AGEAYg=="),
        ("stls", "STLS"),
        ("CAPA", "CAPA"),
        ("STAT ", "STAT"),
        ("LIST", "LIST"),
        ("LIST 3", "LIST 3"),
        ("UIDL 18446744073709551615", "UIDL 18446744073709551615"),
        ("RETR 007", "RETR 7"),
        ("TOP 1 0", "TOP 1 0"),
        ("dele 2", "DELE 2"),
        ("RSET", "RSET"),
        ("NOOP", "NOOP"),
        ("QUIT", "QUIT"),
    ] {
        check(line, Ok(same));
    }
}

#[test]
fn what_is_no_command_is_named() {
    use CommandError as E;
    for (line, why) in [
        ("", E::Unknown(String::new())),
        ("GET / HTTP/1.1", E::Unknown("GET".into())),
        ("\x16\x03\x01", E::Unknown("\\u{16}\\u{3}\\u{1}".into())),
        ("APOP a b", E::Unknown("APOP".into())),
        ("USER", E::MissingArgument),
        ("USER  ", E::MissingArgument),
        ("USER a\tb", E::ControlCharacter),
        ("PASS", E::MissingArgument),
        ("PASS a\0b", E::ControlCharacter),
        ("RETR", E::MissingArgument),
        ("RETR 0", E::BadArgument),
        ("RETR -1", E::BadArgument),
        ("RETR +1", E::BadArgument),
        ("RETR 18446744073709551616", E::BadArgument),
        ("RETR 1 2", E::UnexpectedArgument),
        ("LIST 0", E::BadArgument),
        ("TOP 1", E::MissingArgument),
        ("TOP 0 1", E::BadArgument),
        ("TOP 1 2 3", E::UnexpectedArgument),
        ("STLS now", E::UnexpectedArgument),
        ("QUIT 1", E::UnexpectedArgument),
        ("AUTH", E::MissingArgument),
        ("AUTH a.b", E::BadArgument),
        ("AUTH PLAIN ?", E::NotBase64),
    ] {
        check(line, Err(why));
    }
    check(&format!("PASS {}", "x".repeat(300)), Err(E::LineTooLong));
    check(&format!("AUTH PLAIN {}", "x".repeat(13_000)), Err(E::LineTooLong));
    assert!(Command::parse(b"PASS \xff").is_err(), "not UTF-8");
}

#[test]
fn a_password_that_would_be_two_commands_is_never_written() {
    for password in ["a\r\nDELE 1", "a\nb", "a\u{85}b", "\0", ""] {
        let command = Command::Pass(SecretText::new(password.to_owned()));
        assert!(!command.is_writable());
        assert_eq!(written(&command), "");
    }
    assert_eq!(Argument::new("a\r\nb"), None);
    assert_eq!(Argument::new(" a"), None);
}

proptest! {
    #[test]
    fn what_is_taken_is_written_as_one_line_and_taken_again(line in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(command) = Command::parse(&line) {
            let text = written(&command);
            let line = text.strip_suffix("\r\n").unwrap();
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert_eq!(written(&Command::parse(line.as_bytes()).unwrap()), text);
        }
    }

    #[test]
    fn commands_round_trip(n in 1_u64.., lines: u64, name in "[!-~]{1,60}", password in "[ -~]{1,200}") {
        for command in [
            Command::Retr(n), Command::Dele(n), Command::List(Some(n)), Command::Uidl(Some(n)),
            Command::Top { message: n, lines },
            Command::User(Argument::new(&name).unwrap()),
            Command::Pass(SecretText::new(password)),
        ] {
            let text = written(&command);
            let again = Command::parse(text.trim_end_matches("\r\n").as_bytes()).unwrap();
            prop_assert_eq!(written(&again), text);
        }
    }
}
