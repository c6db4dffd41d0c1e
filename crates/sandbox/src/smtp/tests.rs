//! The door over real sockets.

use gatepost_core::EmailAddress;

use crate::tests::{Testbed, base64, plain};

const ANA: &str = "ana@sandbox.test";
const BO: &str = "bo@sandbox.test";
const LETTER: &str = "From: ana@sandbox.test\r\nTo: bo@sandbox.test\r\nSubject: Hello\r\n\r\nHow are you";

#[tokio::test]
async fn a_letter_arrives_with_trace_lines_on_top_and_otherwise_as_sent() {
    let bed = Testbed::start().await;
    let mut client = bed.signed_in(ANA).await;
    client.deliver(ANA, BO, &format!("{LETTER}\r\n..dot"), 250).await;
    let messages = bed.json("/api/mailboxes/bo@sandbox.test/messages").await;
    assert_eq!(messages[0]["from"], ANA);
    assert_eq!(messages[0]["to"], BO);
    assert_eq!(messages[0]["subject"], "Hello");
    let raw_url = messages[0]["raw_url"].as_str().unwrap().to_owned();
    let own = format!("http://{}", bed.ready.pages);
    let raw = bed.page(raw_url.strip_prefix(&own).unwrap()).await;
    assert_eq!(messages[0]["size"], raw.len());
    let (trace, sent) = raw.split_at(raw.find("From: ana").unwrap());
    assert_eq!(sent, format!("{LETTER}\r\n.dot\r\n"));
    let lines: Vec<_> = trace.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "Return-Path: <ana@sandbox.test>");
    assert_eq!(lines[1], "Received: from app.test ([127.0.0.1])");
    assert_eq!(
        lines[2],
        format!("\tby smtp.sandbox.test with ESMTPSA id {}", messages[0]["id"].as_str().unwrap())
    );
    assert!(lines[3].starts_with("\t(TLSv1.3 "), "{}", lines[3]);
    assert_eq!(lines[4..], ["\tSat, 21 Nov 2026 09:12:00 +0000"]);
}

#[tokio::test]
async fn what_the_door_offers_depends_on_tls() {
    let bed = Testbed::start().await;
    let mut client = bed.connect().await;
    client.expect(220).await;
    let before = client.ask("EHLO app.test", 250).await;
    assert_eq!(
        before,
        "250-smtp.sandbox.test at your service\r\n250-SIZE 52428800\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-ENHANCEDSTATUSCODES\r\n250 STARTTLS"
    );
    client.ask(&plain(ANA, "sandbox"), 538).await;
    client.ask("MAIL FROM:<ana@sandbox.test>", 530).await;
    client.ask("STARTTLS", 220).await;
    client.start_tls().await;
    client.ask("MAIL FROM:<ana@sandbox.test>", 503).await;
    let after = client.ask("EHLO app.test", 250).await;
    assert!(
        after.ends_with("\r\n250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER") && !after.contains("STARTTLS"),
        "{after}"
    );
    client.ask("STARTTLS", 503).await;
    client.ask("MAIL FROM:<ana@sandbox.test>", 530).await;
    client.ask("QUIT", 221).await;
    client.expect_end().await;
}

#[tokio::test]
async fn starttls_cmd_injection_ends_the_connection() {
    let bed = Testbed::start().await;
    let mut client = bed.connect().await;
    client.expect(220).await;
    client.ask("EHLO app.test", 250).await;
    client.send("STARTTLS\r\nRSET\r\n").await;
    client.expect_end().await;
}

#[tokio::test]
async fn every_way_to_sign_in_works_with_the_right_secret_alone() {
    let bed = Testbed::start().await;
    let body = r#"{"password":"pass word","app_password":"abcd efgh ijkl mnop","token":"ya29.abc"}"#;
    assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", body).await.0, 200);
    let bearer = |user: &str, token: &str| {
        format!("AUTH XOAUTH2 {}", base64(&format!("user={user}\x01auth=Bearer {token}\x01\x01")))
    };
    for line in [
        plain(ANA, "pass word"),
        plain("ANA@Sandbox.TEST", "pass word"),
        plain(ANA, "abcdefghijklmnop"),
        plain(ANA, "abcd efgh ijkl mnop"),
        bearer(ANA, "ya29.abc"),
        plain(BO, "sandbox"),
    ] {
        let mut client = bed.encrypted().await;
        client.ask(&line, 235).await;
        client.ask(&line, 503).await;
    }
    let mut client = bed.encrypted().await;
    client.ask("AUTH LOGIN", 334).await;
    client.ask(&base64(ANA), 334).await;
    client.ask(&base64("pass word"), 235).await;

    for line in
        [plain(ANA, "sandbox"), plain(ANA, "ya29.abc"), plain("ana", "sandbox"), plain("../x", "sandbox")]
    {
        let mut client = bed.encrypted().await;
        assert!(client.ask(&line, 535).await.starts_with("535 5.7.8 "));
    }
    let mut client = bed.encrypted().await;
    client.ask(&bearer(ANA, "pass word"), 334).await;
    client.ask("", 535).await;
    client.ask("AUTH CRAM-MD5", 504).await;
    client.ask("AUTH LOGIN", 334).await;
    client.ask("*", 501).await;
    let other = base64(&format!("{BO}\0{ANA}\0pass word"));
    client.ask(&format!("AUTH PLAIN {other}"), 535).await;
    client.ask(&plain(ANA, "wrong"), 535).await;
    client.expect(421).await;
    client.expect_end().await;
}

#[tokio::test]
async fn nobody_sends_as_somebody_else_and_bounces_have_no_sender() {
    let bed = Testbed::start().await;
    let mut client = bed.signed_in(ANA).await;
    assert!(
        client.ask("MAIL FROM:<bo@sandbox.test>", 550).await.starts_with("550 5.7.60 SMTP; Client does not")
    );
    client.deliver("", BO, LETTER, 250).await;
    client.deliver("Ana@sandbox.test", BO, LETTER, 250).await;
    assert_eq!(bed.n_messages(BO).await, 2);
}

#[tokio::test]
async fn commands_out_of_turn_and_too_large_messages_are_refused() {
    let bed = Testbed::start().await;
    let mut client = bed.signed_in(ANA).await;
    client.ask("RCPT TO:<bo@sandbox.test>", 503).await;
    client.ask("DATA", 503).await;
    client.ask("MAIL FROM:<ana@sandbox.test> SIZE=52428801", 552).await;
    client.ask("MAIL FROM:<ana@sandbox.test> SIZE=52428800", 250).await;
    client.ask("MAIL FROM:<ana@sandbox.test>", 503).await;
    client.ask("DATA", 554).await;
    client.ask("RCPT TO:<b\u{f6}@sandbox.test>", 553).await;
    client.ask("RSET", 250).await;
    client.ask("NOOP", 250).await;
    client.ask("VRFY bo", 252).await;
    client.ask("EXPN all", 502).await;
    client.ask("HELP", 214).await;
    client.ask("NONSENSE", 500).await;
    client.ask("BDAT 10 LAST", 502).await;
    client.expect_end().await;
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order_and_each_mailbox_gets_one_copy() {
    let bed = Testbed::start().await;
    let mut client = bed.signed_in(ANA).await;
    let commands = format!(
        "MAIL FROM:<{ANA}>\r\nRCPT TO:<{BO}>\r\nRCPT TO:<BO@sandbox.test>\r\nRCPT TO:<{ANA}>\r\nDATA\r\n"
    );
    client.send(&commands).await;
    for code in [250, 250, 250, 250, 354] {
        client.expect(code).await;
    }
    client.send(&format!("{LETTER}\r\n.\r\nMAIL FROM:<{ANA}>\r\nQUIT\r\n")).await;
    for code in [250, 250, 221] {
        client.expect(code).await;
    }
    assert_eq!((bed.n_messages(BO).await, bed.n_messages(ANA).await), (1, 1));
}

#[tokio::test]
async fn a_bare_line_end_never_makes_two_messages() {
    let bed = Testbed::start().await;
    for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r.\r\n"] {
        let mut client = bed.signed_in(ANA).await;
        client.ask(&format!("MAIL FROM:<{ANA}>"), 250).await;
        client.ask(&format!("RCPT TO:<{BO}>"), 250).await;
        client.ask("DATA", 354).await;
        client
            .send(&format!("Subject: a{end}MAIL FROM:<{ANA}>\r\nRCPT TO:<{BO}>\r\nDATA\r\nx\r\n.\r\n"))
            .await;
        assert!(client.expect(550).await.starts_with("550 5.5.2 "), "{end:?}");
        client.expect_end().await;
    }
    assert_eq!(bed.n_messages(BO).await, 0);
}

#[tokio::test]
async fn a_web_browser_is_not_talked_to() {
    let bed = Testbed::start().await;
    let mut client = bed.connect().await;
    client.expect(220).await;
    client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.expect_end().await;
}

/// What is seen of a fault at each phase: code of the reply, or none if the connection ends.
#[tokio::test]
async fn each_kind_of_fault_strikes_at_each_phase() {
    for phase in ["connect", "auth", "mail", "rcpt", "data", "final"] {
        for (kind, extra) in
            [("reply", r#","text":"421 4.7.0 Not now""#), ("slow", r#","milliseconds":50"#), ("cut", "")]
        {
            let bed = Testbed::start().await;
            bed.fault(&format!(r#"{{"fault":"{kind}","phase":"{phase}"{extra}}}"#)).await;
            let started = std::time::Instant::now();
            let struck_at = walk(&bed).await;
            let n_kept = bed.n_messages(BO).await;
            match kind {
                "reply" => assert_eq!(
                    (struck_at.as_deref(), n_kept),
                    (Some(&*format!("{phase} 421 4.7.0 Not now")), 0)
                ),
                "cut" => {
                    // After the letter a cut leaves it kept: the sender cannot know.
                    let n_expected = usize::from(phase == "final");
                    assert_eq!((struck_at.as_deref(), n_kept), (Some(&*format!("{phase} end")), n_expected));
                }
                _ => {
                    assert_eq!((struck_at, n_kept), (None, 1), "{phase}");
                    assert!(started.elapsed().as_millis() >= 50, "{phase}");
                }
            }
        }
    }
}

/// Walks through all phases as far as it goes; tells where it ended if that is not the end.
async fn walk(bed: &Testbed) -> Option<String> {
    let mut client = bed.connect().await;
    let steps = [
        ("connect", String::new(), 220),
        ("", "EHLO app.test\r\n".to_owned(), 250),
        ("", "STARTTLS\r\n".to_owned(), 220),
        ("", "EHLO app.test\r\n".to_owned(), 250),
        ("auth", format!("{}\r\n", plain(ANA, "sandbox")), 235),
        ("mail", format!("MAIL FROM:<{ANA}>\r\n"), 250),
        ("rcpt", format!("RCPT TO:<{BO}>\r\n"), 250),
        ("data", "DATA\r\n".to_owned(), 354),
        ("final", format!("{LETTER}\r\n.\r\n"), 250),
    ];
    for (phase, line, code) in steps {
        client.send(&line).await;
        match client.reply().await {
            Ok(reply) if reply.code == code => {}
            Ok(reply) => return Some(format!("{phase} {reply}")),
            Err(_) => return Some(format!("{phase} end")),
        }
        if line == "STARTTLS\r\n" {
            client.start_tls().await;
        }
    }
    None
}

#[tokio::test]
async fn three_recipients_can_get_three_answers_byte_for_byte() {
    let bed = Testbed::start().await;
    bed.fault(r#"{"fault":"reply","phase":"rcpt","recipient":"later@sandbox.test","text":"450-4.2.1 Try\n450 4.2.1 later"}"#).await;
    bed.fault(r#"{"fault":"reply","phase":"rcpt","recipient":"never@sandbox.test","text":"550 5.1.1 <never@sandbox.test>: no"}"#).await;
    let mut client = bed.signed_in(ANA).await;
    client.send(&format!("MAIL FROM:<{ANA}>\r\nRCPT TO:<later@sandbox.test>\r\nRCPT TO:<{BO}>\r\nRCPT TO:<never@sandbox.test>\r\nDATA\r\n")).await;
    client.expect(250).await;
    assert_eq!(client.expect(450).await, "450-4.2.1 Try\r\n450 4.2.1 later");
    client.expect(250).await;
    assert_eq!(client.expect(550).await, "550 5.1.1 <never@sandbox.test>: no");
    client.expect(354).await;
    client.ask(&format!("{LETTER}\r\n."), 250).await;
    let n = [
        bed.n_messages(BO).await,
        bed.n_messages("later@sandbox.test").await,
        bed.n_messages("never@sandbox.test").await,
    ];
    assert_eq!(n, [1, 0, 0]);
}

#[tokio::test]
async fn a_refused_or_expired_sign_in_ends_the_open_sessions_of_that_account() {
    for kind in ["refuse_sign_in", "expire_tokens"] {
        let bed = Testbed::start().await;
        let (mut ana, mut bo) = (bed.signed_in(ANA).await, bed.signed_in(BO).await);
        bed.fault(&format!(r#"{{"account":"{ANA}","fault":"{kind}"}}"#)).await;
        assert!(ana.expect(421).await.starts_with("421 4.7.0 Signed out"));
        ana.expect_end().await;
        bo.ask("NOOP", 250).await;
        bed.fault(&format!(r#"{{"fault":"{kind}"}}"#)).await;
        bo.expect(421).await;
    }
}

#[tokio::test]
async fn a_refused_sign_in_works_again_once_the_fault_is_cleared() {
    let bed = Testbed::start().await;
    bed.fault(&format!(
        r#"{{"account":"{ANA}","fault":"refuse_sign_in","text":"535 5.7.139 Authentication unsuccessful"}}"#
    ))
    .await;
    let mut client = bed.encrypted().await;
    assert_eq!(client.ask(&plain(ANA, "sandbox"), 535).await, "535 5.7.139 Authentication unsuccessful");
    client.ask(&plain(BO, "sandbox"), 235).await;
    bed.fault(&format!(r#"{{"account":"{ANA}","fault":"none"}}"#)).await;
    bed.signed_in(ANA).await;
}

#[tokio::test]
async fn an_expired_token_is_refused_until_a_new_one_is_set() {
    let bed = Testbed::start().await;
    let bearer = |token: &str| {
        format!("AUTH XOAUTH2 {}", base64(&format!("user={ANA}\x01auth=Bearer {token}\x01\x01")))
    };
    bed.http("PUT", "/api/mailboxes/ana@sandbox.test", r#"{"token":"old"}"#).await;
    bed.encrypted().await.ask(&bearer("old"), 235).await;
    bed.fault(&format!(r#"{{"account":"{ANA}","fault":"expire_tokens"}}"#)).await;
    let mut client = bed.encrypted().await;
    client.ask(&bearer("old"), 334).await;
    assert!(client.ask("", 535).await.contains("expired"));
    bed.http("PUT", "/api/mailboxes/ana@sandbox.test", r#"{"token":"new"}"#).await;
    client.ask(&bearer("new"), 235).await;
}

#[tokio::test]
async fn other_words_for_a_yes_are_a_yes() {
    let bed = Testbed::start().await;
    bed.fault(r#"{"fault":"reply","phase":"final","text":"250 2.0.0 OK queued as 7F3A1","times":1}"#).await;
    let mut client = bed.signed_in(ANA).await;
    assert_eq!(client.deliver(ANA, BO, LETTER, 250).await, "250 2.0.0 OK queued as 7F3A1");
    assert!(client.deliver(ANA, BO, LETTER, 250).await.starts_with("250 2.0.0 OK, kept as "));
    assert_eq!(bed.n_messages(BO).await, 2);
}

#[tokio::test]
async fn a_header_cannot_be_written_through_the_envelope() {
    let bed = Testbed::start().await;
    let mut client = bed.encrypted().await;
    client.ask("EHLO x) with evil; (", 250).await;
    let odd: EmailAddress = "\"a\\\"> (x\"@sandbox.test".parse().unwrap();
    client.ask(&plain(odd.as_str(), "sandbox"), 235).await;
    client.deliver(odd.as_str(), BO, LETTER, 250).await;
    let id = bed.json("/api/mailboxes/bo@sandbox.test/messages").await[0]["id"].as_str().unwrap().to_owned();
    let raw = bed.page(&format!("/api/mailboxes/bo@sandbox.test/messages/{id}/raw")).await;
    assert!(
        raw.starts_with(
            "Return-Path: <\"a\\\"> (x\"@sandbox.test>\r\nReceived: from unknown ([127.0.0.1])\r\n"
        ),
        "{raw}"
    );
}
