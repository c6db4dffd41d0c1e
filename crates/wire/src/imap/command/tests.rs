use gatepost_core::SecretText;
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};
use proptest::prelude::*;

use super::*;
use crate::imap::{ClientCommand, CommandLimits, SectionOf, Wanted};
use crate::message::{MessageId, Sought};

/// What a server makes of these bytes: each command as a letter for what it is, continuations, refusals.
fn hear(wire: &[u8], size: usize, limits: CommandLimits) -> Vec<Heard> {
    let mut reader = CommandReader::new(limits);
    let mut heard = Vec::new();
    for piece in wire.chunks(size.max(1)) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (n_taken, came) = reader.push(rest);
            assert!(n_taken > 0 || came.is_some(), "it goes on");
            let is_over = matches!(came, Some(Heard::Refused { because, .. }) if because.is_fatal());
            heard.extend(came);
            if is_over {
                return heard;
            }
            rest = &rest[n_taken..];
        }
    }
    heard
}

fn one(line: &str) -> Command {
    let mut heard = hear(format!("{line}\r\n").as_bytes(), usize::MAX, CommandLimits::signed_in(1_000));
    match heard.pop() {
        Some(Heard::Command { command, .. }) => command,
        Some(Heard::Refused { because, .. }) => panic!("{line}: {because}"),
        _ => panic!("{line}"),
    }
}

fn refusal(wire: &[u8], limits: CommandLimits) -> (Option<String>, CommandError) {
    let refused = |size| {
        hear(wire, size, limits).into_iter().find_map(|it| match it {
            Heard::Refused { tag, because } => Some((tag, because)),
            _ => None,
        })
    };
    assert_eq!(refused(1), refused(usize::MAX));
    refused(1).unwrap_or_else(|| panic!("{:?} is taken", String::from_utf8_lossy(wire)))
}

#[test]
fn commands_before_sign_in_are_understood() {
    assert!(matches!(one("a capability"), Command::Capability));
    assert!(matches!(one("a NOOP"), Command::Noop));
    assert!(matches!(one("a LOGOUT"), Command::Logout));
    assert!(matches!(one("a starttls"), Command::StartTls));
    let Command::Login { user_name, password } = one(r#"a LOGIN ana "p\"w (x""#) else { panic!() };
    assert_eq!((user_name.as_str(), password.reveal()), ("ana", "p\"w (x"));
    let Command::Authenticate { mechanism, initial } = one("a AUTHENTICATE xoauth2 AGEAYg==") else {
        panic!()
    };
    assert_eq!((mechanism.as_str(), initial.unwrap().reveal()), ("XOAUTH2", &b"\0a\0b"[..]));
    assert!(
        matches!(one("a AUTHENTICATE PLAIN ="), Command::Authenticate { initial: Some(it), .. } if it.reveal().is_empty())
    );
    assert!(
        matches!(one("a AUTHENTICATE GSSAPI"), Command::Authenticate { initial: None, mechanism } if mechanism == "GSSAPI")
    );
    let Command::Id(words) = one(r#"a ID ("name" "x" "os" NIL)"#) else { panic!() };
    assert_eq!(words, [("name".to_owned(), Some("x".to_owned())), ("os".to_owned(), None)]);
    assert!(matches!(one("a ID NIL"), Command::Id(it) if it.is_empty()));
}

#[test]
fn what_mail_programs_say_is_understood() {
    let folder = |line: &str| match one(line) {
        Command::Select(it) | Command::Examine(it) | Command::Create(it) | Command::Delete(it) => it,
        _ => panic!("{line}"),
    };
    assert_eq!(folder("a SELECT inbox"), "INBOX");
    assert_eq!(folder("a SELECT INBOX (CONDSTORE)"), "INBOX");
    assert_eq!(folder(r#"a EXAMINE "a b""#), "a b");
    assert_eq!(folder("a CREATE Trash"), "Trash");
    assert!(matches!(one(r#"a LIST "" "*""#), Command::List { pattern, .. } if pattern == "*"));
    assert!(matches!(one(r#"a LSUB "" %"#), Command::Lsub { pattern, .. } if pattern == "%"));
    assert!(
        matches!(one("a STATUS Sent (UIDNEXT MESSAGES UNSEEN RECENT)"), Command::Status { items, .. } if items.len() == 4)
    );
    assert!(matches!(one("a UID EXPUNGE 3:5"), Command::Expunge(Some(set)) if set.contains(4, 9)));
    assert!(matches!(one("a EXPUNGE"), Command::Expunge(None)));
    assert!(matches!(one("a IDLE"), Command::Idle));
    assert!(matches!(one("a CHECK"), Command::Check));
    assert!(matches!(one("a CLOSE"), Command::Close));
    assert!(matches!(one("a UNSELECT"), Command::Unselect));
    assert!(matches!(one("a UID MOVE 1 Trash"), Command::Copy { is_move: true, is_uid: true, .. }));
    assert!(matches!(one("a RENAME a b"), Command::Rename(..)));
    assert!(matches!(one("a SUBSCRIBE a"), Command::Subscribe(_)));
    assert!(matches!(one("a UNSUBSCRIBE a"), Command::Unsubscribe(_)));
    assert!(matches!(one("a COMPRESS DEFLATE"), Command::NotOffered));
    let Command::Store { change, is_uid: true, .. } = one(r"a UID STORE 4 +FLAGS.SILENT (\Seen \Deleted)")
    else {
        panic!()
    };
    assert_eq!((change.kind, change.is_silent, change.flags.len()), (FlagChangeKind::Add, true, 2));
    let Command::Fetch { items, is_uid: true, set } = one(
        "a UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To)] BODY[1.2]<0.100> ENVELOPE BODYSTRUCTURE)",
    ) else {
        panic!()
    };
    assert!(set.contains(7, 7) && set.contains(1, 7));
    let sections: Vec<String> = items
        .iter()
        .filter_map(|it| match it {
            FetchItem::Section { section, partial, is_peek } => {
                Some(format!("{section} {partial:?} {is_peek}"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(sections, ["HEADER.FIELDS (From To) None true", "1.2 Some((0, 100)) false"]);
    assert_eq!(items.len(), 7);
    assert!(matches!(one("a FETCH 1 FULL"), Command::Fetch { items, is_uid: false, .. } if items.len() == 5));
    let Command::Search { key, .. } =
        one("a UID SEARCH CHARSET UTF-8 SINCE 1-Jan-2027 (OR SEEN NOT FROM x) 2:4")
    else {
        panic!()
    };
    let shown = format!("{key:?}");
    for part in ["Since(", "Or(Flag(\"\\\\Seen\")", "Not(Header(\"From\", \"x\"))", "Numbers("] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn a_message_is_appended_in_a_literal_that_was_asked_for() {
    let heard = hear(
        b"a APPEND Sent (\\Seen) \"01-Jan-2027 00:00:01 +0000\" {12}\r\n((((((((((\r\n\r\nb APPEND Sent {3+}\r\nabc\r\n",
        5,
        CommandLimits::signed_in(100),
    );
    let [Heard::Continue, Heard::Command { command: one, .. }, Heard::Command { tag, command: two }] =
        &heard[..]
    else {
        panic!("{}", heard.len())
    };
    assert!(
        matches!(one, Command::Append { message, arrived_at: Some(at), .. } if message.len() == 12 && at.seconds() == 1_798_761_601)
    );
    assert!(matches!(two, Command::Append { message, .. } if message == b"abc"));
    assert_eq!(tag, "b");
}

/// MP-4: in every state of the parser.
#[test]
fn nothing_beyond_the_limits_is_kept() {
    use CommandError::{BareLineFeed, LiteralRefused, LiteralTooLarge, NestedTooDeep, NotACommand, TooLong};
    let before = CommandLimits::BEFORE_SIGN_IN;
    let tag = |it: &str| Some(it.to_owned());
    let long = "x".repeat(20_000);
    for (wire, want) in [
        (format!("a NOOP {long}\r\n"), (tag("a"), TooLong)),
        (long.clone(), (None, TooLong)),
        (format!("a LOGIN x {{10}}\r\n0123456789 {long}"), (tag("a"), TooLong)),
        (format!("a AUTHENTICATE PLAIN {long}"), (tag("a"), TooLong)),
        (format!("a LOGIN {}", "(".repeat(10_000)), (tag("a"), TooLong)),
        (format!("a ID {}\r\n", "(".repeat(8_000)), (tag("a"), NestedTooDeep)),
        ("a ID ((\"a\" \"b\"))\r\n".to_owned(), (tag("a"), NestedTooDeep)),
        ("a LOGIN {4097}\r\n".to_owned(), (tag("a"), LiteralRefused)),
        ("a LOGIN {4097+}\r\n".to_owned(), (tag("a"), LiteralTooLarge)),
        ("a LOGIN {4294967296}\r\n".to_owned(), (tag("a"), LiteralRefused)),
        ("a LOGIN {4294967296+}\r\nb NOOP\r\n".to_owned(), (tag("a"), LiteralTooLarge)),
        ("a LOGIN {18446744073709551616+}\r\nb NOOP\r\n".to_owned(), (tag("a"), LiteralTooLarge)),
        (format!("a LOGIN {{3000}}\r\n{} {{3000}}\r\n", "x".repeat(3_000)), (tag("a"), LiteralRefused)),
        ("a NOOP\n".to_owned(), (tag("a"), BareLineFeed)),
        ("a LOGIN {3+}\nabc d\r\n".to_owned(), (tag("a"), BareLineFeed)),
        ("a WHATEVER\r\n".to_owned(), (tag("a"), NotACommand)),
        ("a\r\n".to_owned(), (tag("a"), NotACommand)),
        ("\r\n".to_owned(), (None, NotACommand)),
        ("GET / HTTP/1.1\r\n".to_owned(), (tag("GET"), NotACommand)),
        ("a LOGIN x\r\n".to_owned(), (tag("a"), NotACommand)),
        ("a LOGIN \"a\0b\" c\r\n".to_owned(), (tag("a"), NotACommand)),
        ("a NOOP x\r\n".to_owned(), (tag("a"), NotACommand)),
    ] {
        assert_eq!(refusal(wire.as_bytes(), before), want, "{}", &wire[..wire.len().min(60)]);
    }
    let deep = format!("a SEARCH {}ALL{}\r\n", "(".repeat(9), ")".repeat(9));
    assert_eq!(refusal(deep.as_bytes(), CommandLimits::signed_in(0)).1, NestedTooDeep);
    let deep = format!("a SEARCH {}ALL\r\n", "NOT ".repeat(10_000));
    assert_eq!(refusal(deep.as_bytes(), CommandLimits::signed_in(0)).1, NotACommand);
    let token = format!("a AUTHENTICATE XOAUTH2 {}\r\n", "A".repeat(12_000));
    assert!(
        matches!(hear(token.as_bytes(), 100, before)[..], [Heard::Command { .. }]),
        "a token may be long"
    );
}

/// What follows STARTTLS is not touched.
#[test]
fn no_byte_behind_a_command_is_taken() {
    let mut reader = CommandReader::new(CommandLimits::BEFORE_SIGN_IN);
    let (n_taken, heard) = reader.push(b"a STARTTLS\r\nb NOOP\r\n");
    assert_eq!(n_taken, 12);
    assert!(matches!(heard, Some(Heard::Command { command: Command::StartTls, .. })));
}

#[test]
fn a_client_s_commands_are_what_a_server_hears() {
    let written = |command: ClientCommand<'_>| {
        let mut out = Vec::new();
        command.write_to("a1", &mut out).unwrap();
        one(std::str::from_utf8(&out).unwrap().trim_end_matches("\r\n"))
    };
    let secret = SecretText::new("p\\w\"(".to_owned());
    let login = ClientCommand::Login { user_name: "ana \"x\"", password: &secret };
    assert!(
        matches!(written(login), Command::Login { user_name, password } if user_name == "ana \"x\"" && password.reveal() == secret.reveal())
    );
    let initial = Some(gatepost_core::SecretBytes::new(vec![]));
    assert!(matches!(
        written(ClientCommand::Authenticate { mechanism: "PLAIN", initial }),
        Command::Authenticate { initial: Some(_), .. }
    ));
    assert!(matches!(
        written(ClientCommand::Authenticate { mechanism: "PLAIN", initial: None }),
        Command::Authenticate { initial: None, .. }
    ));
    assert!(matches!(written(ClientCommand::Capability), Command::Capability));
    assert!(matches!(written(ClientCommand::Id("Gatepost", "1")), Command::Id(it) if it.len() == 2));
    assert!(matches!(written(ClientCommand::StartTls), Command::StartTls));
    assert!(matches!(written(ClientCommand::Namespace), Command::Namespace));
    assert!(matches!(written(ClientCommand::List), Command::List { pattern, .. } if pattern == "*"));
    assert!(matches!(written(ClientCommand::Select("a\\b")), Command::Select(it) if it == "a\\b"));
    assert!(matches!(written(ClientCommand::Examine("INBOX")), Command::Examine(it) if it == "INBOX"));
    assert!(matches!(written(ClientCommand::Status("x")), Command::Status { items, .. } if items.len() == 4));
    let id = MessageId::new("a.1@x.test").unwrap();
    let (by_id, by_word) = (Sought::by_id(id.clone()), Sought::by_id_or_word(id, "k7Gq2mZx").unwrap());
    assert!(matches!(
        written(ClientCommand::Find(&by_word)),
        Command::Search { is_uid: true, key: SearchKey::Or(..) }
    ));
    assert!(
        matches!(written(ClientCommand::Find(&by_id)), Command::Search { is_uid: true, key: SearchKey::Header(name, value) } if name == "Message-ID" && value == "a.1@x.test")
    );
    for wanted in [Wanted::Header, Wanted::Whole] {
        let Command::Fetch { items, is_uid: true, .. } =
            written(ClientCommand::Fetch(NumberSet::one(7), wanted))
        else {
            panic!()
        };
        assert!(
            matches!(&items[1], FetchItem::Section { section, is_peek: true, .. } if (section.of == SectionOf::All) == (wanted == Wanted::Whole))
        );
    }
    assert!(
        matches!(written(ClientCommand::Fetch(NumberSet::one(7), Wanted::Summary)), Command::Fetch { items, .. } if items.len() == 4)
    );
    assert!(
        matches!(written(ClientCommand::AddFlags(NumberSet::one(7), &["\\Seen"])), Command::Store { change, .. } if change.is_silent)
    );
    assert!(matches!(written(ClientCommand::UidExpunge(NumberSet::one(7))), Command::Expunge(Some(_))));
    assert!(matches!(written(ClientCommand::Expunge), Command::Expunge(None)));
    assert!(matches!(written(ClientCommand::Idle), Command::Idle));
    assert!(matches!(written(ClientCommand::Noop), Command::Noop));
    assert!(matches!(written(ClientCommand::Logout), Command::Logout));
}

#[test]
fn what_would_be_two_commands_is_never_written() {
    let (secret, fine) = (SecretText::new("a\r\nb NOOP".to_owned()), SecretText::new("x".to_owned()));
    for command in [
        ClientCommand::Login { user_name: "a", password: &secret },
        ClientCommand::Login { user_name: "a\r\nb", password: &fine },
        ClientCommand::Login { user_name: "\u{f6}", password: &fine },
        ClientCommand::Select("a\r\nb NOOP"),
        ClientCommand::Status("\0"),
    ] {
        let mut out = Vec::new();
        assert!(command.write_to("a1", &mut out).is_err());
        assert!(out.is_empty());
    }
}

/// MP-17: an independent reader of the same bytes cuts them at the same places.
fn cut_by_fragmentizer(wire: &[u8]) -> Vec<usize> {
    let mut fragmentizer = Fragmentizer::new(1 << 20);
    fragmentizer.enqueue_bytes(wire);
    let (mut ends, mut begun) = (Vec::new(), 0);
    while let Some(fragment) = fragmentizer.progress() {
        if fragmentizer.is_message_complete()
            && let FragmentInfo::Line { end, .. } = fragment
        {
            begun += end;
            ends.push(begun);
        }
    }
    ends
}

proptest! {
    #[test]
    fn commands_end_where_another_reader_sees_them_end(
        parts in proptest::collection::vec(prop_oneof![
            Just("a LOGIN x"), Just(" {3}\r\n"), Just(" {2+}\r\n"), Just("abc"), Just("\r\n"), Just("b NOOP\r\n"),
            Just("{"), Just("}"), Just("{0}\r\n"), Just("\""), Just("("), Just("{9\r\n"),
        ], 0..12),
    ) {
        let wire = parts.concat();
        let mut reader = CommandReader::new(CommandLimits::signed_in(1_000));
        let (mut at, mut ends) = (0, Vec::new());
        while at < wire.len() {
            let (n_taken, heard) = reader.push(&wire.as_bytes()[at..]);
            at += n_taken;
            if matches!(heard, Some(Heard::Command { .. } | Heard::Refused { .. })) {
                ends.push(at);
            }
        }
        prop_assert_eq!(ends, cut_by_fragmentizer(wire.as_bytes()));
    }

    #[test]
    fn no_line_does_harm(wire in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..30) {
        hear(&wire, size, CommandLimits::BEFORE_SIGN_IN);
        hear(&wire, size, CommandLimits::signed_in(100));
    }
}
