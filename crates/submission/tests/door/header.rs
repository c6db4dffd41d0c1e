//! SS-14, SS-15: what a header may say, and what becomes of it.

use gatepost_identity::AppPasswordLimits;

use crate::house::{House, address, crlf, limits};

#[tokio::test]
async fn a_header_is_completed_and_bcc_is_taken_out() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let reply = client
        .send_letter(crlf(
            "Subject: Two\n lines\nBcc: secret@example.org,\n other@example.org\nFrom: Reception <reception@example.test>\nbcc : x\n\nBody\n",
        ))
        .await;
    assert!(reply.starts_with("554 5.6.0 Line 6 of the header"), "a blank before the colon: {reply}");
    let reply = client
        .send_letter(crlf(
            "Subject: Two\n lines\nBcc: secret@example.org,\n other@example.org\nFrom: Reception <reception@example.test>\n\nBody\n",
        ))
        .await;
    assert!(reply.starts_with("250 2.0.0 Accepted as "), "{reply}");
    let letter = &house.letters().await[0];
    let text = String::from_utf8(house.text(letter.id).await).unwrap();
    let id = letter.id;
    assert_eq!(
        text.replace("\r\n", "\n"),
        format!(
            "Received: from client.test ([127.0.0.1])\n by mail.example.test with ESMTPSA id {id};\n Sat, 21 Nov 2026 09:12:00 +0000\n\
             Date: Sat, 21 Nov 2026 09:12:00 +0000\nMessage-ID: <{id}@example.test>\n\
             Subject: Two\n lines\nFrom: Reception <reception@example.test>\n\nBody\n\n"
        )
    );
    assert_eq!(letter.message_id, format!("<{id}@example.test>"));
    assert_eq!(letter.client, "127.0.0.1");
    assert_eq!(letter.chosen_because, "the test's choice");
    // RFC 5321 §4.4, SS-15: where from, and never who.
    assert!(!text.contains(house.password.reveal()));
    assert_eq!(text.matches("reception").count(), 1);
}

#[tokio::test]
async fn what_is_there_stays_as_it_is() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    client.ask("HELO scanner_3rd floor").await;
    let message = crlf(
        "date: yesterday\nMESSAGE-id:\n <1@x.test>\nFrom: <second@example.test>\nX-Long: \u{fc}\nTo: a@b.test\n\n\u{0}body",
    );
    assert!(client.send_letter(&message).await.starts_with("250 "));
    let letter = &house.letters().await[0];
    let text = house.text(letter.id).await;
    let head = format!(
        "Received: from [127.0.0.1]\r\n by mail.example.test with ESMTPSA id {};\r\n Sat, 21 Nov 2026 09:12:00 +0000\r\n",
        letter.id
    );
    assert_eq!(text, [head.as_bytes(), &message, b"\r\n"].concat());
    assert_eq!(letter.message_id, "<1@x.test>");
}

#[tokio::test]
async fn a_message_may_be_all_header() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    assert!(client.send_letter("From: reception@example.test").await.starts_with("250 "));
    let text = house.text(house.letters().await[0].id).await;
    assert!(text.ends_with(b"From: reception@example.test\r\n\r\n"), "{}", text.escape_ascii());
}

/// SS-14.
#[tokio::test]
async fn only_ones_own_addresses_may_stand_in_a_header() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let foreign =
        "is not an address of this mail account: send as reception@example.test or second@example.test";
    for (header, want) in [
        ("From: reception@example.test, second@example.test", None),
        ("From: Us: reception@example.test;", None),
        ("From: reception@example.test\nSender: second@example.test", None),
        ("From: \"boss@example.test\" <reception@example.test>", None),
        ("From: boss@example.test", Some(format!("550 5.7.1 boss@example.test {foreign}"))),
        ("From:\n boss@example.test", Some(format!("550 5.7.1 boss@example.test {foreign}"))),
        (
            "From: Us: reception@example.test, boss@example.test;",
            Some(format!("550 5.7.1 boss@example.test {foreign}")),
        ),
        (
            "From: reception@example.test\nSender: boss@example.test",
            Some(format!("550 5.7.1 boss@example.test {foreign}")),
        ),
        (
            "From: reception@example.test\nResent-From: boss@example.test",
            Some(format!("550 5.7.1 boss@example.test {foreign}")),
        ),
        (
            "From: reception@example.test\nResent-Sender: boss@example.test",
            Some(format!("550 5.7.1 boss@example.test {foreign}")),
        ),
        (
            "From: \"reception@evil x\"@example.test",
            Some(format!("550 5.7.1 \"reception@evil x\"@example.test {foreign}")),
        ),
        (
            "From: =?utf-8?q?reception=40example.test?= <boss@example.test>",
            Some(format!("550 5.7.1 boss@example.test {foreign}")),
        ),
        (
            "From: reception@example.test\nFrom: reception@example.test",
            Some("550 5.7.1 The message has 2 From fields; it needs exactly one From".into()),
        ),
        (
            "From: boss@example.test <reception@example.test>",
            Some(
                "550 5.6.0 The From field is not a valid address: boss@example.test <reception@example.test>"
                    .into(),
            ),
        ),
        (
            "From: reception@example.test\nSubject: a\nsubject: b",
            Some("550 5.6.0 The message has more than one Subject field".into()),
        ),
        ("From: Us:;", Some("550 5.7.1 The From field holds no address".into())),
    ] {
        let reply = client.send_letter(crlf(&format!("{header}\n\nHello"))).await;
        match want {
            None => assert!(reply.starts_with("250 "), "{header}: {reply}"),
            Some(want) => assert_eq!(reply, format!("{want}\r\n"), "{header}"),
        }
    }
    assert_eq!(house.letters().await.len(), 4);
}

/// AP-4.
#[tokio::test]
async fn an_app_password_may_be_for_one_address_alone() {
    let house = House::open().await;
    let (_, password) = house
        .create_app_password(AppPasswordLimits { send_as: vec![address("second@example.test")], ..limits() })
        .await;
    let mut client = house.signed_in_with(&password).await;
    let refusal = "550 5.7.1 reception@example.test is not an address of this mail account: send as second@example.test\r\n";
    assert_eq!(client.ask("MAIL FROM:<reception@example.test>").await, refusal);
    client.send("MAIL FROM:<second@example.test>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n").await;
    for code in [250, 250, 354] {
        assert_eq!(client.code().await, code);
    }
    assert_eq!(client.ask("From: reception@example.test\r\n\r\n.").await, refusal);
}

/// mime4j CVE-2024-21742; SS-15.
#[tokio::test]
async fn header_injection() {
    let house = House::open().await;
    for (header, want) in [
        (
            &b"From: reception@example.test\r\nSubject: a\0b\r\n\r\n"[..],
            "554 5.6.0 Line 2 of the header holds a NUL",
        ),
        (
            b"From: reception@example.test\r\nno field\r\n\r\n",
            "554 5.6.0 Line 2 of the header is not a field",
        ),
        (b" From: reception@example.test\r\n\r\n", "554 5.6.0 Line 1 of the header is not a field"),
        (b"From : reception@example.test\r\n\r\n", "554 5.6.0 Line 1 of the header is not a field"),
        (
            b"From: reception@example.test\r\nSubject: a\rBcc: b\r\n\r\n",
            "550 5.5.2 The message has a line end",
        ),
        (
            b"From: reception@example.test\r\nSubject: a\nBcc: b\r\n\r\n",
            "550 5.5.2 The message has a line end",
        ),
    ] {
        let mut client = house.signed_in().await;
        let reply = client.send_letter(header).await;
        assert!(reply.starts_with(want), "{}: {reply}", header.escape_ascii());
    }
    assert!(house.letters().await.is_empty());
}
