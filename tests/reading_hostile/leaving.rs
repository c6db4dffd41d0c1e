//! Providers that leave: words of ours come where a line may begin, and nowhere else.

use crate::harness::Begins::Open;
use crate::harness::Step::{Hears, HearsLast, Says};
use crate::harness::{Meeting, Step, meet};
use crate::{LEFT, then};

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
