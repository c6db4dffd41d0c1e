use proptest::prelude::*;

use super::*;
use crate::passage::Follower as _;
use crate::passage::mover::Mover as AnyMover;

type Mover = AnyMover<Follower>;

const REFUSED: &str =
    " BAD This command is not possible here: you are signed in already, and nothing is compressed\r\n";

#[test]
fn what_is_no_sign_in_passes_byte_for_byte() {
    let client = "a1 SELECT INBOX\r\nx LIST LOGIN\r\nb UID FETCH 1:* (BODY[])\r\nc LOGOUT\r\n";
    let server = "* 3 EXISTS\r\n* OK text {5}\r\n+ idling\r\n* 1 FETCH (BODY[] {7}\r\n* BYE\r\n FLAGS (\\Seen) X ~{2}\r\n\r\n)\r\na1 OK done\r\n";
    for piece in [1, 2, 3, 7, 1_000] {
        let mut it = Mover::new(piece);
        it.client(client).unwrap();
        it.server(server).unwrap();
        assert_eq!(
            (it.heard_by_server().as_str(), it.heard_by_client().as_str()),
            (client, server),
            "{piece}"
        );
        assert!(it.follower.is_at_boundary());
    }
}

/// MP-7, MP-8.
#[test]
fn another_sign_in_and_compression_are_kept_back_and_answered() {
    for (said, tag) in [
        ("a LOGIN x y\r\n", "a"),
        ("a login {1}\r\n", "a"),
        ("a LoGiN {1+}\r\nx {5+}\r\ny NOO\r\n", "a"),
        ("b AUTHENTICATE PLAIN AHgAeQ==\r\n", "b"),
        ("c COMPRESS DEFLATE\r\n", "c"),
        ("d STARTTLS\r\n", "d"),
        ("e UNAUTHENTICATE\r\n", "e"),
        ("e PROXYAUTH somebody\r\n", "e"),
        // Whose `+` would be for the literal or for IDLE.
        ("e IDLE {6}\r\n", "e"),
        ("e idle x {6+}\r\nDONE\r\n\r\n", "e"),
        // What another server might read as one of these.
        ("f  LOGIN x y\r\n", "*"),
        ("f\tLOGIN x y\r\n", "*"),
        (" f LOGIN x y\r\n", "*"),
        ("f \"LOGIN\" x y\r\n", "*"),
        ("(\x07 LOGIN x y\r\n", "*"),
        ("\r\n", "*"),
        ("DONE\r\n", "*"),
        // A server answers a DONE that comes late as if it were a tag.
        ("done NOOP\r\n", "*"),
    ] {
        for piece in [1, 4, 1_000] {
            let mut it = Mover::new(piece);
            it.client("1 NOOP\r\n").unwrap();
            it.client(said).unwrap();
            it.client("2 NOOP\r\n").unwrap();
            assert_eq!(it.heard_by_server(), "1 NOOP\r\n2 NOOP\r\n", "{said:?}");
            assert_eq!(it.heard_by_client(), format!("{tag}{REFUSED}"), "{said:?}");
        }
    }
}

#[test]
fn an_answer_of_ours_waits_for_the_end_of_what_the_server_says() {
    let mut it = Mover::new(1_000);
    it.server("* 1 FETCH (BODY[] {4}\r\nab").unwrap();
    assert!(!it.follower.is_at_boundary());
    it.client("a LOGIN x y\r\n").unwrap();
    assert_eq!(it.heard_by_client(), "* 1 FETCH (BODY[] {4}\r\nab");
    it.server("cd").unwrap();
    assert!(!it.follower.is_at_boundary(), "the line goes on");
    it.server(")\r\n* 2 EXISTS\r\n").unwrap();
    assert_eq!(it.heard_by_client(), format!("* 1 FETCH (BODY[] {{4}}\r\nabcd)\r\na{REFUSED}* 2 EXISTS\r\n"));
}

/// RFC 9051 §4.3: else what follows an announcement that was refused would be taken for the literal.
#[test]
fn a_literal_that_is_asked_for_passes_and_one_that_is_refused_is_none() {
    let mut it = Mover::new(1_000);
    it.client("a APPEND INBOX {11}\r\nb LOGIN x y\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\n", "it waits to be asked for");
    it.server("* 5 EXISTS\r\nz OK another\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\n");
    it.server("+ go on\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\nb LOGIN x y\r\n", "these are the eleven octets");
    let mut it = Mover::new(1_000);
    it.client("a APPEND INBOX {11}\r\nb LOGIN x y\r\nc NOOP\r\n").unwrap();
    it.server("a NO [TRYCREATE] no\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\nc NOOP\r\n");
    assert_eq!(it.heard_by_client(), format!("a NO [TRYCREATE] no\r\nb{REFUSED}"));
}

/// RFC 7888 lets clients send literals unasked. A server that takes none would obey what is in them.
#[test]
fn a_literal_that_does_not_wait_is_made_to_wait() {
    let said = "a APPEND INBOX {11+}\r\nb LOGIN x y {3+}\r\nabc\r\nc NOOP\r\n";
    for piece in [1, 4, 1_000] {
        let mut it = Mover::new(piece);
        it.client(said).unwrap();
        assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\n");
        it.server("* 1 EXISTS\r\n+ go on\r\n").unwrap();
        assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\nb LOGIN x y {3}\r\n");
        it.server("+\r\n* 2 EXISTS\r\n").unwrap();
        assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\nb LOGIN x y {3}\r\nabc\r\nc NOOP\r\n");
        assert_eq!(
            it.heard_by_client(),
            "* 1 EXISTS\r\n* 2 EXISTS\r\n",
            "what it did not wait for it does not hear"
        );
        let mut it = Mover::new(piece);
        it.client(said).unwrap();
        it.server("a BAD no literals here\r\n").unwrap();
        assert_eq!(it.heard_by_server(), "a APPEND INBOX {11}\r\nc NOOP\r\n", "all of the command is gone");
        assert_eq!(it.heard_by_client(), "a BAD no literals here\r\n");
    }
}

/// Else the answer to the first would be taken for the other's, which still goes on: its `+` would be taken for the next command's,
/// and what the server reads as commands for a literal.
#[test]
fn a_tag_that_is_used_again_too_early_moves_no_command() {
    // As long as each of the lines that announce a literal of so many octets.
    let forbidden = "\r\nzzz LOGIN x y\r\n";
    assert_eq!(forbidden.len(), 17);
    for piece in [1, 4, 1_000] {
        for announced in ["a APPEND x {17}\r\n", "a APPEND x {17+}\r\n"] {
            let before = "a NOOP\r\nb FETCH 1:* BODY.PEEK[]\r\n";
            let mut it = Mover::new(piece);
            it.client(format!("{before}{announced}")).unwrap();
            assert_eq!(it.heard_by_server(), before, "nothing waits for an answer before its turn");
            it.server("a OK done\r\n* 1 FETCH (BODY[] {4}\r\nabcd)\r\n").unwrap();
            it.client("x APPEND x {17}\r\n").unwrap();
            assert_eq!(it.heard_by_server(), before);
            it.server("b OK done\r\n").unwrap();
            assert_eq!(it.heard_by_server(), format!("{before}a APPEND x {{17}}\r\n"));
            it.server("+ go on\r\n").unwrap();
            it.client(forbidden).unwrap();
            let literal = "x APPEND x {17}\r\n";
            assert_eq!(it.heard_by_server(), format!("{before}a APPEND x {{17}}\r\n{literal}\r\n"));
            assert!(it.heard_by_client().ends_with(&format!("zzz{REFUSED}")));
        }
        let mut it = Mover::new(piece);
        it.client("a NOOP\r\na IDLE\r\nx APPEND x {17}\r\n").unwrap();
        assert_eq!(it.heard_by_server(), "a NOOP\r\n");
        it.server("a OK done\r\n").unwrap();
        assert_eq!(it.heard_by_server(), "a NOOP\r\na IDLE\r\n", "and IDLE is not over");
        it.server("+ idling\r\n").unwrap_err();
        assert_eq!(it.heard_by_server(), "a NOOP\r\na IDLE\r\n");
    }
}

#[test]
fn one_tag_for_all_commands_passes_and_each_answer_counts_once() {
    let mut it = Mover::new(1_000);
    for _ in 0..3 {
        it.client("a NOOP\r\na NOOP\r\na APPEND x {3}\r\nabc\r\n").unwrap();
        let n_heard = it.heard.server.len();
        assert!(it.heard_by_server().ends_with("a NOOP\r\na NOOP\r\n"));
        // Nobody has said these: the client neither waits for them nor is it kept waiting.
        it.server("* OK\r\nDONE BAD\r\nb OK\r\na OK\r\n").unwrap();
        assert_eq!(it.heard.server.len(), n_heard, "one is not answered yet");
        it.server("a BAD\r\n").unwrap();
        assert!(it.heard_by_server().ends_with("a APPEND x {3}\r\n"));
        it.server("+\r\na NO\r\n").unwrap();
        assert!(it.heard_by_server().ends_with("a APPEND x {3}\r\nabc\r\n"));
    }
}

/// MP-5: who asks and does not listen is not remembered without end.
#[test]
fn at_most_a_thousand_commands_wait_for_their_answers() {
    let mut it = Mover::new(1_000);
    it.client("a NOOP\r\n".repeat(1_005)).unwrap();
    assert_eq!(it.heard.server.len(), 1_000 * 8);
    it.server("a OK\r\n".repeat(3)).unwrap();
    assert_eq!(it.heard.server.len(), 1_003 * 8);
    it.server("a OK\r\n".repeat(1_002)).unwrap();
    assert_eq!(it.heard.server.len(), 1_005 * 8);
    it.client("a IDLE\r\n").unwrap();
    assert!(it.heard_by_server().ends_with("IDLE\r\n"), "nothing is remembered any more");
}

/// MP-5: a long line that announces a literal without waiting is passed, and not said again.
#[test]
fn of_a_line_that_does_not_wait_only_its_end_is_ours() {
    let line = format!("a SEARCH {} {{3+}}\r\n", "x".repeat(60_000));
    let mut it = Follower::default();
    assert_eq!(it.hear_client(line.as_bytes()), Ok(Passage::Pass(line.len() - 4)));
    assert_eq!(it.hear_client(b"+}\r\n"), Ok(Passage::Say(b"}\r\n".to_vec())));
    assert_eq!(it.hear_client(b"+}\r\n"), Ok(Passage::Drop(4)));
    assert_eq!(it.hear_client(b"abc\r\n"), Ok(Passage::Wait));
}

/// A server that is quick answers before the client's own line is taken away.
#[test]
fn an_answer_at_once_to_a_literal_that_does_not_wait_is_heard() {
    let said = b"a APPEND INBOX {3+}\r\nabc\r\nc NOOP\r\n";
    let n_line = said.len() - b"+}\r\nabc\r\nc NOOP\r\n".len();
    for (answer, goes_to_client, and_then) in [
        (&b"a NO\r\n"[..], Passage::Pass(6), [Passage::Drop(3), Passage::Drop(2), Passage::Pass(8)]),
        (b"+ \r\n", Passage::Drop(4), [Passage::Pass(13), Passage::More, Passage::More]),
    ] {
        // Before the line's new end is said, or before its own is taken away.
        for n_steps in 1..=3 {
            let mut it = Follower::default();
            let mut rest = &said[..];
            let line = [Passage::Pass(n_line), Passage::Say(b"}\r\n".to_vec()), Passage::Drop(4)];
            for (at, passage) in line.iter().chain(&and_then).enumerate() {
                if at == n_steps {
                    assert_eq!(it.hear_server(answer).as_ref(), Ok(&goes_to_client));
                }
                assert_eq!(it.hear_client(rest).as_ref(), Ok(passage));
                if let Passage::Drop(n) | Passage::Pass(n) = passage {
                    rest = &rest[*n..];
                }
            }
        }
    }
}

/// Else the `+` of IDLE would be taken for the one that a literal waits for.
#[test]
fn behind_idle_nothing_is_said_before_the_server_waits_for_its_end() {
    let mut it = Mover::new(1_000);
    it.client("a IDLE\r\nDONE\r\nb APPEND x {11}\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a IDLE\r\n");
    it.server("+ idling\r\n+ still idling\r\n").unwrap();
    assert_eq!(
        it.heard_by_server(),
        "a IDLE\r\nDONE\r\n",
        "the second one is not what the literal waits for"
    );
    it.server("a OK over\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a IDLE\r\nDONE\r\nb APPEND x {11}\r\n");
    it.server("b NO not there\r\n").unwrap();
    it.client("c LOGIN x y\r\n").unwrap();
    let heard = format!("+ idling\r\n+ still idling\r\na OK over\r\nb NO not there\r\nc{REFUSED}");
    assert_eq!(it.heard_by_client(), heard);
    let mut it = Mover::new(1_000);
    it.client("a IDLE\r\nb NOOP\r\n").unwrap();
    it.server("a BAD what?\r\n").unwrap();
    assert_eq!(it.heard_by_server(), "a IDLE\r\nb NOOP\r\n", "a server without IDLE");
}

/// Else the command behind it would be taken for DONE, and its literal for commands.
#[test]
fn an_idle_that_the_server_ends_by_itself_is_over() {
    for (said, passes) in [
        ("b LOGIN x y\r\nc NOOP\r\n", "c NOOP\r\n"),
        ("b APPEND x {3}\r\n", "b APPEND x {3}\r\n"),
        ("done\r\nb LOGIN x y\r\nc NOOP\r\n", "done\r\nc NOOP\r\n"),
    ] {
        for piece in [1, 4, 1_000] {
            let mut it = Mover::new(piece);
            it.client("a IDLE\r\n").unwrap();
            it.server("+ idling\r\n* 1 EXISTS\r\na OK you were quiet for long\r\n").unwrap();
            it.client(said).unwrap();
            assert_eq!(it.heard_by_server(), format!("a IDLE\r\n{passes}"), "{said:?}");
        }
    }
    let mut it = Mover::new(1_000);
    it.client("a IDLE\r\n").unwrap();
    it.server("+ idling\r\n+ still idling\r\nz OK another\r\n").unwrap();
    assert_eq!(it.client("b LOGIN x y\r\n"), Err(Lost::NotACommand), "it idles");
}

#[test]
fn where_the_server_has_said_goodbye_nobody_says_it_again() {
    let mut it = Mover::new(1_000);
    it.server("* BYE [UNAVAILABLE] {5}\r\n").unwrap();
    assert!(!it.follower.is_at_boundary());
    it.server("a OK over\r\n").unwrap();
    assert_eq!(it.heard_by_client(), "* BYE [UNAVAILABLE] {5}\r\na OK over\r\n");
}

/// RFC 9051 §6.1.3.
#[test]
fn a_client_has_signed_out_that_has_said_nothing_behind_logout() {
    for piece in [1, 3, 1_000] {
        for (said, leave) in [
            ("", Leave::NotAsked),
            ("a NOOP\r\n", Leave::NotAsked),
            ("a LOGOUT\r\n", Leave::Asked),
            ("a NOOP\r\nb logout\r\n", Leave::Asked),
            ("a LOGOUT\r\nb NOOP\r\n", Leave::NotAsked),
            ("a LOGOUT now\r\n", Leave::NotAsked),
            ("a SEARCH TEXT {9}\r\nx LOGOUT\r\n", Leave::NotAsked),
            ("a LOGOUT\r\nb LOGIN x y\r\n", Leave::NotAsked),
        ] {
            let mut it = Mover::new(piece);
            it.client(said).unwrap();
            assert_eq!(it.follower.leave(), leave, "{said:?}");
        }
        // Some say BYE and nothing else, and some the contrary.
        for answered in ["* BYE see you\r\nb OK\r\n", "* BYE see you\r\n", "b OK\r\n"] {
            let mut it = Mover::new(piece);
            it.client("a NOOP\r\nb LOGOUT\r\n").unwrap();
            it.server("a OK\r\n").unwrap();
            assert_eq!(it.follower.leave(), Leave::Asked);
            it.server(answered).unwrap();
            assert_eq!(it.follower.leave(), Leave::Answered, "{answered:?}");
        }
    }
}

#[test]
fn capabilities_leave_out_what_cannot_pass() {
    for (said, heard) in [
        ("* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE\r\n", "* CAPABILITY IMAP4rev1 IDLE\r\n"),
        ("* capability IMAP4rev1 IDLE compress=deflate\r\n", "* capability IMAP4rev1 IDLE\r\n"),
        ("* CAPABILITY AUTH=PLAIN STARTTLS\r\n", "* CAPABILITY\r\n"),
        (
            "a OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] AUTH=PLAIN done\r\n",
            "a OK [CAPABILITY IMAP4rev1] AUTH=PLAIN done\r\n",
        ),
        ("* OK [CAPABILITY COMPRESS=DEFLATE IDLE] x {5}\r\n", "* OK [CAPABILITY IDLE] x {5}\r\n"),
        ("* OK [COMPRESSIONACTIVE] COMPRESS=DEFLATE\r\n", "* OK [COMPRESSIONACTIVE] COMPRESS=DEFLATE\r\n"),
        ("* CAPABILITYX COMPRESS=DEFLATE\r\n", "* CAPABILITYX COMPRESS=DEFLATE\r\n"),
    ] {
        for piece in [1, 5, 1_000] {
            let mut it = Mover::new(piece);
            it.server(said).unwrap();
            it.server("* 1 EXISTS\r\n").unwrap();
            assert_eq!(it.heard_by_client(), format!("{heard}* 1 EXISTS\r\n"), "{said:?}");
        }
    }
}

#[test]
fn a_list_of_capabilities_beyond_all_measure_passes_as_it_is() {
    let said = format!("* CAPABILITY {}COMPRESS=DEFLATE\r\n* 1 EXISTS\r\n", "X ".repeat(5_000));
    let mut it = Mover::new(100_000);
    it.server(&said).unwrap();
    assert_eq!(it.heard_by_client(), said);
    assert!(it.follower.is_at_boundary());
}

/// Else one server's words would end in two places.
#[test]
fn the_beginning_of_a_line_is_the_same_however_much_is_there() {
    for said in [
        format!("{} OK text {{5}}\r\n", "x".repeat(8_192)),
        format!("*{} OK text {{5}}\r\n", " ".repeat(8_192)),
    ] {
        for piece in [1_000, usize::MAX] {
            let mut it = Mover::new(piece);
            it.server(&said).unwrap();
            assert_eq!(it.heard_by_client(), said);
            assert!(!it.follower.is_at_boundary(), "nobody has seen that it is text for people");
        }
    }
    for piece in [1_000, usize::MAX] {
        let mut it = Mover::new(piece);
        it.client("a APPEND x {3+}\r\nabc\r\n").unwrap();
        assert_eq!(it.server(format!("+ {}\r\n", "x".repeat(8_192))), Err(Lost::NotAnAnswer));
        let mut it = Mover::new(piece);
        let said = "* 1 FETCH (BODY[] {18446744073709551616}\r\n";
        assert_eq!(it.server(said), Err(Lost::AbsurdLiteral));
        assert_eq!(it.heard_by_client(), said);
    }
}

#[test]
fn what_cannot_be_followed_ends_the_session() {
    let mut it = Mover::new(1_000);
    assert_eq!(it.client("a".repeat(64 * 1024)), Err(Lost::NotACommand));
    for said in ["a NOOP\n", "a NOOP\rb LOGIN x y\r\n", "a NOOP \0\r\n", "a X {3+}\n"] {
        assert_eq!(Mover::new(1_000).client(said), Err(Lost::NotACommand), "{said:?}");
    }
    let mut it = Mover::new(1_000);
    assert_eq!(it.client("a LOGIN x y\r\n".repeat(11)), Err(Lost::TooManyMistakes));
    let mut it = Mover::new(1_000);
    assert_eq!(it.client("a APPEND x {18446744073709551616+}\r\n"), Err(Lost::AbsurdLiteral));
    let mut it = Mover::new(1_000);
    let zeros = "0".repeat(100);
    assert_eq!(it.server(format!("* 1 FETCH (BODY[] {{{zeros}5}}\r\n")), Err(Lost::AbsurdLiteral));
    let mut it = Mover::new(1_000);
    assert_eq!(it.server("* 1 FETCH (BODY[] {99999999999999999999}\r\n"), Err(Lost::AbsurdLiteral));
}

/// MP-5: a literal of two gibibytes needs no memory.
#[test]
fn a_literal_is_counted_and_not_kept() {
    let mut follower = Follower::default();
    let head = b"* 1 FETCH (BODY[] {2147483648}\r\n";
    assert_eq!(follower.hear_server(head), Ok(Passage::Pass(head.len())));
    let piece = [b'x'; 16 * 1024];
    for _ in 0..2_147_483_648 / piece.len() {
        assert_eq!(follower.hear_server(&piece), Ok(Passage::Pass(piece.len())));
    }
    assert_eq!(follower.hear_server(b")\r\n"), Ok(Passage::Pass(3)));
    assert!(follower.is_at_boundary());
}

#[test]
fn answers_are_not_heaped_up_for_a_client_that_reads_none() {
    let mut follower = Follower::default();
    assert_eq!(follower.hear_server(b"* 1 FETCH (BODY[] {4}\r\n"), Ok(Passage::Pass(23)));
    assert_eq!(follower.hear_client(b"a LOGIN x y\r\n"), Ok(Passage::Drop(13)));
    assert_eq!(follower.hear_client(b"a LOGIN x y\r\n"), Ok(Passage::Wait));
}

proptest! {
    /// However the bytes are cut, both sides hear the same.
    #[test]
    fn any_pieces_give_the_same(
        client in "(a|b|\\(|\\*| |\r|\n|\r\n|\r\na |LOGIN|NOOP|IDLE|\\{2\\}|\\{3\\+\\}|\\{0\\}|\\+|COMPRESS){0,30}",
        server in "(a|b|\\*| |\r|\n|\r\n|OK|NO|FETCH|\\{2\\}|\\{3\\}|\\[CAPABILITY |CAPABILITY|\\]|\\+|COMPRESS=X){0,30}",
        piece in 1_usize..20,
    ) {
        let mut whole = Mover::new(usize::MAX);
        let mut cut = Mover::new(piece);
        // One side after the other: what they say at once has no order.
        let ended = (whole.server(&server), whole.client(&client));
        let ended_cut = (cut.server(&server), cut.client(&client));
        prop_assert_eq!(ended, ended_cut);
        prop_assert_eq!(whole.heard, cut.heard);
    }

    /// MP-5: also where something goes on for longer than is looked at.
    #[test]
    fn long_words_are_the_same_in_any_pieces_and_never_held(
        client in proptest::collection::vec(prop_oneof![
            Just("a APPEND x {3+}\r\n".to_owned()), Just("abc\r\n".to_owned()), Just("b ".to_owned()), Just("IDLE\r\n".to_owned()),
            (65_520_usize..65_540).prop_map(|n| format!("c {}\r\n", "x".repeat(n))),
        ], 0..4),
        server in proptest::collection::vec(prop_oneof![
            proptest::sample::select(vec!["* ", "a ", "+ ", "OK ", "[CAPABILITY ", "CAPABILITY ", "BYE ", "{3}", "\r\n", "] ", "COMPRESS=X "])
                .prop_map(str::to_owned),
            (1_usize..3, 8_160_usize..8_200).prop_map(|(width, n)| " ".repeat(width * n)),
            (1_usize..3, 8_160_usize..8_200).prop_map(|(width, n)| "x".repeat(width * n)),
            Just("{18446744073709551616}\r\n".to_owned()),
        ], 0..10),
        piece in 100_usize..20_000,
    ) {
        let (client, server) = (client.concat(), server.concat());
        let (mut whole, mut cut) = (Mover::new(usize::MAX), Mover::new(piece));
        let ended = (whole.client(&client), whole.server(&server));
        let ended_cut = (cut.client(&client), cut.server(&server));
        prop_assert_eq!(ended, ended_cut);
        prop_assert!(whole.heard.server == cut.heard.server);
        // A client that is asked, and then goes wrong, is answered or ends it before or after the server's next words: they have no order.
        let is_refused = [&whole, &cut].into_iter().any(|it| it.heard_by_client().contains(REFUSED));
        if ended.1 != Err(Lost::NotACommand) && !is_refused {
            prop_assert!(whole.heard.client == cut.heard.client);
            prop_assert_eq!(whole.follower.is_at_boundary(), cut.follower.is_at_boundary());
        }
    }

    #[test]
    fn nothing_panics(client in any::<Vec<u8>>(), server in any::<Vec<u8>>()) {
        let mut it = Mover::new(16);
        let _ = it.server(server).and_then(|()| it.client(client));
    }
}

/// A server may refuse the first of several messages at its end, and then asks for no other: the client would wait for ever.
#[test]
fn a_command_that_is_answered_before_its_end_is_ended_for_the_server() {
    for piece in [1, 4, 1_000] {
        for (behind, and_then) in [
            ("abc (\\Seen) {3+}\r\ndef {2+}\r\ngh\r\nb NOOP\r\n", "abc\r\nb NOOP\r\n"),
            ("abc (\\Seen) {3+}\r\ndef {2}\r\nb NOOP\r\n", "abc\r\nb NOOP\r\n"),
            ("abc (\\Seen) {3}\r\nb NOOP\r\n", "abc\r\nb NOOP\r\n"),
            ("abc (\\Seen)\r\nb NOOP\r\n", "abc (\\Seen)\r\nb NOOP\r\n"),
        ] {
            let mut it = Mover::new(piece);
            it.client("a APPEND x {3+}\r\n").unwrap();
            it.server("+ go on\r\na NO full\r\n").unwrap();
            it.client(behind).unwrap();
            assert_eq!(it.heard_by_server(), format!("a APPEND x {{3}}\r\n{and_then}"), "{behind:?}");
            assert_eq!(it.heard_by_client(), "a NO full\r\n");
        }
    }
}
