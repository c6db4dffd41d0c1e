use proptest::prelude::*;

use super::*;
use crate::message::{HeaderBlock, HeaderSummary};

const HEADER: &[u8] = b"From: ana@b.test\r\nTo: bob@c.test\r\nSubject: Hello\r\n";

struct Parts {
    ana: EmailAddress,
    daemon: EmailAddress,
    bob: EmailAddress,
}

fn parts(ana: &str, bob: &str) -> Parts {
    Parts {
        ana: ana.parse().unwrap(),
        daemon: "mailer-daemon@b.test".parse().unwrap(),
        bob: bob.parse().unwrap(),
    }
}

fn bounce<'a>(parts: &'a Parts, recipients: &'a [ReportedRecipient<'a>], header: &'a [u8]) -> Bounce<'a> {
    Bounce {
        from: &parts.daemon,
        to: &parts.ana,
        message_id: "<1@b.test>",
        boundary: [0xab; 16],
        at: Timestamp::from_millis(1_795_252_320_000),
        reporting_host: "mail.b.test",
        arrived_at: Timestamp::from_millis(1_795_252_260_000),
        envelope_id: None,
        recipients,
        header,
    }
}

fn failure<'a>(recipient: &'a EmailAddress, reply: &'a [u8]) -> ReportedRecipient<'a> {
    ReportedRecipient {
        action: Action::Failed,
        recipient,
        original: None,
        status: (5, 1, 1),
        reply: Some(reply),
        explanation: "This address does not exist. Check its spelling and send again.",
    }
}

fn text(message: &WrittenMessage) -> String {
    String::from_utf8_lossy(&message.bytes).into_owned()
}

/// SC-10.
#[test]
fn a_bounce_is_what_rfc_3464_wants() {
    let people = parts("ana@b.test", "bob@c.test");
    let original = OriginalRecipient::from_orcpt("rfc822;Bob+2Bx@c.test").unwrap();
    let envelope_id = EnvelopeId::from_xtext("QQ+2B1").unwrap();
    let mut failed = failure(&people.bob, b"550-5.1.1 No such\r\n550 5.1.1 user");
    failed.original = Some(&original);
    let failures = [failed];
    let mut bounce = bounce(&people, &failures, HEADER);
    bounce.envelope_id = Some(&envelope_id);
    let message = bounce.write();
    let want = "From: Gatepost <mailer-daemon@b.test>\r
To: ana@b.test\r
Subject: Not delivered: bob@c.test\r
Date: Sat, 21 Nov 2026 09:12:00 +0000\r
Message-ID: <1@b.test>\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status;\r
 boundary=\"=_gatepost_abababababababababababababababab\"\r
\r
This is a message in several parts, in the form of RFC 3464.\r
\r
--=_gatepost_abababababababababababababababab\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 7bit\r
\r
The letter that was handed to mail.b.test on Sat, 21 Nov 2026 09:11:00 +0000\r
could not be delivered to:\r
\r
bob@c.test\r
\r
The mail provider said: 550-5.1.1 No such 550 5.1.1 user\r
\r
This address does not exist. Check its spelling and send again.\r
\r
Nothing else needs to be done: any other recipients of this letter are not\r
affected. The header of the letter is below.\r
\r
\r
--=_gatepost_abababababababababababababababab\r
Content-Type: message/delivery-status\r
Content-Transfer-Encoding: 7bit\r
\r
Original-Envelope-Id: QQ+1\r
Reporting-MTA: dns; mail.b.test\r
Arrival-Date: Sat, 21 Nov 2026 09:11:00 +0000\r
\r
Original-Recipient: rfc822; Bob+x@c.test\r
Final-Recipient: rfc822; bob@c.test\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550-5.1.1 No such 550 5.1.1 user\r
\r
--=_gatepost_abababababababababababababababab\r
Content-Type: text/rfc822-headers\r
Content-Transfer-Encoding: 7bit\r
\r
From: ana@b.test\r
To: bob@c.test\r
Subject: Hello\r
\r
--=_gatepost_abababababababababababababababab--\r
";
    assert_eq!(text(&message), want);
    assert!(!message.is_8bit && !message.is_smtputf8);
}

#[test]
fn each_failed_recipient_has_its_own_group_of_fields() {
    let people = parts("ana@b.test", "bob@c.test");
    let cy = "cy@d.test".parse().unwrap();
    let mut late = failure(&cy, b"");
    late.reply = None;
    late.status = (4, 4, 7);
    let message = bounce(&people, &[failure(&people.bob, b"550 no"), late], HEADER).write();
    let text = text(&message);
    assert!(text.contains("Subject: Not delivered: bob@c.test and 1 more\r\n"));
    assert!(
        text.contains(
            "\r\n\r\nFinal-Recipient: rfc822; cy@d.test\r\nAction: failed\r\nStatus: 4.4.7\r\n\r\n--"
        )
    );
    assert_eq!(text.matches("Diagnostic-Code").count(), 1);
}

/// RFC 6533.
/// RFC 3461 §5.2.6: a sender who asked for success hears that nobody will tell.
#[test]
fn a_letter_that_was_handed_on_is_told_as_relayed() {
    let (parts, to) = (parts("ana@a.test", "bob@b.test"), "carl@c.test".parse().unwrap());
    let relayed = ReportedRecipient {
        action: Action::Relayed,
        recipient: &to,
        original: None,
        status: (2, 0, 0),
        reply: Some(b"250 ok"),
        explanation: "",
    };
    let alone = text(&bounce(&parts, &[relayed], b"Subject: x\r\n").write());
    assert!(
        alone.contains("Subject: Handed on: carl@c.test") && alone.contains("Action: relayed"),
        "{alone}"
    );
    assert!(!alone.contains("could not be delivered"), "{alone}");
    let both = text(&bounce(&parts, &[relayed, failure(&parts.bob, b"550 no")], b"").write());
    assert!(both.contains("Subject: Not delivered: bob@b.test"), "{both}");
    assert!(both.contains("Action: relayed") && both.contains("Action: failed"), "{both}");
}

#[test]
fn utf8_has_parts_of_its_own() {
    let people = parts("ana@b.test", "jörg@c.test");
    let message =
        bounce(&people, &[failure(&people.bob, b"550 no")], "Subject: Grüße\r\n".as_bytes()).write();
    let text = text(&message);
    assert!(
        text.contains("Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n")
    );
    assert!(text.contains("Final-Recipient: utf-8; jörg@c.test\r\n"));
    assert!(text.contains("Content-Type: message/global-headers\r\n"));
    assert!(message.is_8bit && message.is_smtputf8);

    // Latin-1 is 8-bit, but not UTF-8.
    let people = parts("ana@b.test", "bob@c.test");
    let message = bounce(&people, &[failure(&people.bob, b"550 no")], b"Subject: Gr\xfc\xdfe\r\n").write();
    assert!(message.bytes.windows(19).any(|it| it == b"text/rfc822-headers"));
    assert!(message.is_8bit && !message.is_smtputf8);
}

#[test]
fn a_hostile_reply_stays_in_its_line() {
    let people = parts("ana@b.test", "bob@c.test");
    let hostile = b"550 x\r\n\r\n--=_gatepost_abababababababababababababababab\r\nContent-Type: text/html\r\n\r\n<script>\x1b[31m\0\xff";
    let message = bounce(&people, &[failure(&people.bob, hostile)], HEADER).write();
    let text = text(&message);
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.iter().filter(|it| it.starts_with("--=_gatepost_")).count(), 4);
    assert!(!lines.contains(&"Content-Type: text/html"));
    assert!(text.contains("<script>\\u{1b}[31m\\u{0}\\xff"));
}

proptest! {
    /// API-4: whatever a provider says, the bounce is one message whose header reads back, with CRLF only.
    #[test]
    fn a_bounce_reads_back(reply in proptest::collection::vec(any::<u8>(), 0..300), words in "\\PC{0,40}", explanation in any::<String>()) {
        let people = parts("ana@b.test", "bob@c.test");
        let reply = [&reply[..], words.as_bytes()].concat();
        let mut failed = failure(&people.bob, &reply);
        failed.explanation = &explanation;
        let message = bounce(&people, &[failed], HEADER).write();
        let header_end = memchr::memmem::find(&message.bytes, b"\r\n\r\n").unwrap() + 2;
        let header = HeaderBlock::parse(&message.bytes[..header_end]).unwrap();
        prop_assert_eq!(header.fields().count(), 8);
        let summary = HeaderSummary::of(&header).unwrap();
        prop_assert_eq!(summary.from[0].address.as_str(), "mailer-daemon@b.test");
        let lines: Vec<_> = message.bytes.split(|b| *b == b'\n').collect();
        prop_assert!(lines.iter().all(|it| it.len() <= 999));
        prop_assert!(lines[..lines.len() - 1].iter().all(|it| it.ends_with(b"\r") && !it[..it.len() - 1].contains(&b'\r')));
        prop_assert_eq!(lines.iter().filter(|it| it.starts_with(b"--=_gatepost_")).count(), 4);
    }
}
