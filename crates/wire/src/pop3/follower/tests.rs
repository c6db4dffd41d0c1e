use proptest::prelude::*;

use super::*;
use crate::passage::Follower as _;
use crate::passage::mover::Mover;

fn mover(piece: usize) -> Mover<Follower> {
    Mover::new(piece)
}

const REFUSED: &str = "-ERR This command is not possible here\r\n";

#[test]
fn answers_pass_to_their_end_and_ours_come_in_their_turn() {
    let client = "STAT\r\nLIST\r\nUSER x\r\nRETR 1\r\nXTND XMIT\r\nUIDL 1\r\nQUIT\r\n";
    let server = "+OK 1 5\r\n+OK\r\n1 5\r\n.\r\n+OK 5 octets\r\n..\r\n.x\r\n.\r\n+OK 1 abc\r\n+OK bye\r\n";
    for piece in [1, 2, 3, 5, 1_000] {
        let mut it = mover(piece);
        it.client(client).unwrap();
        assert_eq!(it.heard_by_server(), "STAT\r\nLIST\r\nRETR 1\r\nUIDL 1\r\nQUIT\r\n");
        it.server(server).unwrap();
        let (before, behind) = server.split_once("+OK 5 octets").unwrap();
        let (message, rest) = behind.split_once("+OK 1 abc").unwrap();
        let want = format!("{before}{REFUSED}+OK 5 octets{message}{REFUSED}+OK 1 abc{rest}");
        assert_eq!(it.heard_by_client(), want, "{piece}");
    }
}

#[test]
fn a_client_has_signed_out_that_has_said_nothing_behind_quit() {
    for piece in [1, 4, 1_000] {
        for (said, leave) in [
            ("", Leave::NotAsked),
            ("STAT\r\n", Leave::NotAsked),
            ("QUIT\r\n", Leave::Asked),
            ("STAT\r\nquit\r\n", Leave::Asked),
            ("QUIT\r\nNOOP\r\n", Leave::NotAsked),
            ("QUIT now\r\n", Leave::NotAsked),
        ] {
            let mut it = mover(piece);
            it.client(said).unwrap();
            assert_eq!(it.follower.leave(), leave, "{said:?}");
        }
        let mut it = mover(piece);
        it.client("RETR 1\r\nQUIT\r\n").unwrap();
        it.server("+OK\r\nx\r\n.\r\n+OK b").unwrap();
        assert_eq!(it.follower.leave(), Leave::Asked);
        it.server("ye\r\n").unwrap();
        assert_eq!(it.follower.leave(), Leave::Answered);
    }
}

#[test]
fn commands_pass_in_one_form() {
    for (said, heard) in [
        ("retr 1\r\n", "RETR 1\r\n"),
        ("list \r\n", "LIST\r\n"),
        ("Capa\r\n", "CAPA\r\n"),
        ("TOP 1 0\r\n", "TOP 1 0\r\n"),
    ] {
        let mut it = mover(1_000);
        it.client(format!("NOOP\r\n{said}NOOP\r\n")).unwrap();
        assert_eq!(it.heard_by_server(), format!("NOOP\r\n{heard}NOOP\r\n"));
    }
}

/// MP-7.
#[test]
fn another_sign_in_is_kept_back() {
    for said in [
        "USER x",
        "PASS x",
        "AUTH",
        "AUTH PLAIN AHgAeQ==",
        "STLS",
        "APOP x y",
        "LANG",
        "UTF8",
        "LIST\t1",
        "CAPA x",
        "",
    ] {
        let mut it = mover(7);
        it.client(format!("{said}\r\n")).unwrap();
        assert_eq!((it.heard_by_server().as_str(), it.heard_by_client().as_str()), ("", REFUSED), "{said}");
    }
}

#[test]
fn a_refusal_is_one_line_whatever_was_asked() {
    let mut it = mover(1_000);
    it.client("RETR 9\r\nLIST\r\nCAPA\r\nNOOP\r\n").unwrap();
    let said = "-ERR no such message\r\n-ERR .\r\n-ERR no\r\n+OK\r\n";
    it.server(said).unwrap();
    it.server("-ERR you were silent too long\r\n").unwrap();
    assert_eq!(it.heard_by_client(), format!("{said}-ERR you were silent too long\r\n"), "unasked, too");
}

#[test]
fn capabilities_leave_out_what_cannot_pass() {
    for piece in [1, 3, 1_000] {
        let mut it = mover(piece);
        it.client("CAPA\r\n").unwrap();
        it.server("+OK list\r\nTOP\r\nUSER\r\nSASL PLAIN\r\nSTLS\r\nuidl\r\nXTND\r\nTOP\n.\n. \r\nSTLS\r\nEXPIRE 7\r\n.\r\n")
            .unwrap();
        assert_eq!(it.heard_by_client(), "+OK list\r\nTOP\r\nuidl\r\nEXPIRE 7\r\n.\r\n");
    }
}

#[test]
fn an_error_can_be_said_only_where_an_answer_is_due() {
    use crate::passage::Follower as _;
    let mut it = mover(1_000);
    assert!(!it.follower.is_at_boundary());
    it.client("RETR 1\r\n").unwrap();
    assert!(it.follower.is_at_boundary());
    it.server("+OK\r\nhalf").unwrap();
    assert!(!it.follower.is_at_boundary());
}

#[test]
fn what_cannot_be_followed_ends_the_session() {
    assert_eq!(mover(1_000).client("X".repeat(255)), Err(Lost::NotACommand));
    assert_eq!(mover(1_000).client("RETR 1\nUSER x\r\n"), Err(Lost::NotACommand));
    assert_eq!(mover(1_000).client("RETR 1\rUSER x\r\n"), Err(Lost::NotACommand));
    assert_eq!(mover(1_000).client("USER x\r\n".repeat(11)), Err(Lost::TooManyMistakes));
    for piece in [1_000, usize::MAX] {
        let mut it = mover(piece);
        it.client("CAPA\r\n").unwrap();
        assert_eq!(it.server(format!("+OK\r\n{}\r\n", "x".repeat(LINE))), Err(Lost::NotAnAnswer));
        assert_eq!(it.heard_by_client(), "+OK\r\n", "what was good goes on first");
    }
}

#[test]
fn whoever_asks_without_reading_is_not_heard_for_a_while() {
    let mut it = mover(100_000);
    it.client("NOOP\r\n".repeat(1_500)).unwrap();
    assert_eq!(it.heard_by_server().len(), 6 * WAITING);
    it.server("+OK\r\n".repeat(600)).unwrap();
    assert_eq!(it.heard_by_server().len(), 6 * 1_500);
}

/// Where answers end to somebody who has all of them and knows nothing but RFC 1939 §3, as long as first lines end as they should; and
/// how far that goes.
fn ends(heard: &[u8], commands: &[&str]) -> (Vec<usize>, usize) {
    let line_end =
        |from: usize| heard[from..].windows(2).position(|it| it == b"\r\n").map(|it| from + it + 2);
    let (mut ends, mut at, mut commands) = (vec![0], 0, commands.iter());
    while let Some(end) = line_end(at) {
        if heard[at..end - 1].contains(&b'\n') {
            return (ends, at);
        }
        let asked = commands.next().copied().unwrap_or_default();
        let has_lines = asked.starts_with("RETR")
            || asked.starts_with("TOP")
            || ["LIST", "UIDL", "CAPA"].contains(&asked);
        let is_good = heard[at..].starts_with(b"+OK");
        at = end;
        let mut goes_on = has_lines && is_good;
        while goes_on {
            let Some(end) = line_end(at) else { return (ends, heard.len()) };
            goes_on = heard[at..end] != *b".\r\n";
            at = end;
        }
        ends.push(at);
    }
    // In the last one there may be a line end that is none.
    (ends, if heard[at..].contains(&b'\n') { at } else { heard.len() })
}

proptest! {
    /// MP-17. A first line that ends by LF alone ends for us, as for all programs; nothing is said of what follows.
    #[test]
    fn answers_end_where_another_reader_sees_them_end(
        commands in proptest::collection::vec(
            proptest::sample::select(vec!["RETR 1", "TOP 1 0", "LIST", "LIST 1", "UIDL", "UIDL 1", "CAPA", "STAT", "DELE 1", "USER x", "NOOP"]),
            0..6,
        ),
        server in proptest::collection::vec(prop_oneof![
            1 => Just("+OK x\r\n"),
            4 => proptest::sample::select(vec![
                "-ERR", "\r\n", "\r\n.\r\n", ".", ".\r\n", "..", "\r", "\n", "x", " ", "TOP", "UIDL\r\n", "SASL", ". \r\n", ".\n", "+OK",
            ]),
        ], 0..40),
        piece in 1_usize..20,
    ) {
        let mut it = mover(piece);
        it.client(commands.iter().map(|it| format!("{it}\r\n")).collect::<String>()).unwrap();
        let mut seen = Vec::new();
        for piece in format!("+OK\r\n{}", server.concat()).as_bytes().chunks(piece) {
            it.server(piece).unwrap();
            seen.push((it.heard.client.len(), !crate::passage::Follower::is_within(&it.follower)));
        }
        let (ends, known) = ends(&it.heard.client, &commands);
        for (at, is_end) in seen.into_iter().filter(|(at, _)| *at <= known) {
            prop_assert_eq!(is_end, ends.contains(&at), "{} of {}", at, it.heard.client.escape_ascii());
        }
    }

    #[test]
    fn any_pieces_give_the_same(
        client in "(NOOP\r\n|retr 1\r\n|LIST\r\n|CAPA\r\n|USER x\r\n|QUIT\r\n|\n|x){0,20}",
        server in "(\\+OK|-ERR|\r\n|\\.|\r|\n|x|\r\n\\.\r\n|SASL){0,40}",
        piece in 1_usize..20,
    ) {
        let (mut whole, mut cut) = (mover(usize::MAX), mover(piece));
        let ended = (whole.client(&client), whole.server(&server));
        let ended_cut = (cut.client(&client), cut.server(&server));
        prop_assert_eq!(ended, ended_cut);
        prop_assert_eq!(whole.heard, cut.heard);
    }

    /// MP-5: also where something goes on for longer than is looked at.
    #[test]
    fn long_words_are_the_same_in_any_pieces_and_never_held(
        client in proptest::collection::vec(prop_oneof![
            proptest::sample::select(vec!["CAPA\r\n", "RETR 1\r\n", "STAT\r\n", "USER x\r\n"]).prop_map(str::to_owned),
            (245_usize..260).prop_map(|n| format!("{}\r\n", "x".repeat(n))),
        ], 0..5),
        server in proptest::collection::vec(prop_oneof![
            proptest::sample::select(vec!["+OK\r\n", "-ERR\r\n", ".\r\n", "TOP\r\n", "\r\n", "+OK "]).prop_map(str::to_owned),
            (1_usize..3, 8_180_usize..8_200).prop_map(|(width, n)| "x".repeat(width * n)),
        ], 0..8),
        piece in 50_usize..20_000,
    ) {
        let (client, server) = (client.concat(), server.concat());
        let (mut whole, mut cut) = (mover(usize::MAX), mover(piece));
        let ended = (whole.client(&client), whole.server(&server));
        let ended_cut = (cut.client(&client), cut.server(&server));
        prop_assert_eq!(ended, ended_cut);
        prop_assert!(whole.heard == cut.heard);
    }

    #[test]
    fn nothing_panics(client in any::<Vec<u8>>(), server in any::<Vec<u8>>()) {
        let mut it = mover(16);
        let _ = it.client(client).and_then(|()| it.server(server));
    }
}
