//! Servers that lie, flood and interfere (MP-3, MP-6, MP-9, MP-13, MP-16).

use std::time::Duration;

use gatepost_wire::pop3::ReplyError;

use super::*;
use crate::tests::Act::{Drip, Flood, Pause};

#[tokio::test]
async fn what_is_no_pop3_server_is_called_so() {
    for words in [
        "220 mail.example.org ESMTP\r\n",
        "* OK IMAP4rev1 ready\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n",
        "+OKAY\r\n",
        "\x15\x03\x03\x00\x02\x02\x28\n",
    ] {
        let error = refused(TlsMode::None, vec![Say(words)]).await;
        assert_eq!(trouble(&error), Trouble::NotAMailServer, "{words:?}");
        let want = NotTheProtocol::Pop3(ReplyError::NotAReply);
        assert!(
            matches!(&error, UpstreamError::Protocol { phase: Phase::Greeting, source } if *source == want)
        );
    }
}

#[tokio::test]
async fn a_server_without_stls_gets_nothing() {
    for capa in
        ["+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "-ERR what?\r\n", "+OK\r\n.\r\n", "+OK\r\nXSTLS\r\n.\r\n"]
    {
        let error = refused(TlsMode::StartTls, vec![GREETING, CAPA, Say(capa)]).await;
        assert_eq!(trouble(&error), Trouble::StartTlsMissing, "{capa}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_stls_gets_nothing() {
    for answer in ["-ERR no\r\n", "-ERR [SYS/TEMP] later\r\n", "+ \r\n"] {
        let acts = vec![GREETING, CAPA, IN_THE_CLEAR, Hear("STLS"), Say(answer)];
        let error = refused(TlsMode::StartTls, acts).await;
        assert!(matches!(error.evidence(), Evidence::Reply(Phase::StartTls, _)), "{answer}: {error:?}");
    }
}

/// MP-16, starttls_response_injection.
#[tokio::test]
async fn bytes_behind_the_answer_to_stls_end_it() {
    for injected in
        ["+OK go\r\n+OK injected\r\n", "+OK go\r\nx", "+OK\r\n\r\n", "+OK\r\n+OK\r\nSASL PLAIN\r\n.\r\n"]
    {
        let acts = vec![GREETING, CAPA, IN_THE_CLEAR, Hear("STLS"), Say(injected)];
        let error = refused(TlsMode::StartTls, acts).await;
        assert_eq!(trouble(&error), Trouble::StartTlsTampered, "{injected:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_the_clear_gets_nothing() {
    for garbage in ["+OK\r\nSASL PLAIN\r\n.\r\n", "\x15\x03\x03\x00\x02\x02\x28"] {
        let acts =
            vec![GREETING, CAPA, IN_THE_CLEAR, Hear("STLS"), Say("+OK\r\n"), Pause, Say(garbage), Close];
        let error = refused(TlsMode::StartTls, acts).await;
        assert_eq!(trouble(&error), Trouble::TlsFailed, "{garbage:?}");
    }
}

#[tokio::test]
async fn capabilities_from_before_tls_are_forgotten() {
    let acts = vec![
        GREETING,
        CAPA,
        Say("+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n"),
        Hear("STLS"),
        Say("+OK\r\n"),
        Tls,
        CAPA,
        Say("+OK\r\nSASL XOAUTH2\r\n.\r\n"),
    ];
    let error = refused(TlsMode::StartTls, acts).await;
    assert!(
        matches!(&error, UpstreamError::SignInMethodMissing { offered } if offered == &["XOAUTH2"]),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_with_a_bad_certificate_gets_nothing() {
    for certificate in
        [Certificate::Expired, Certificate::Early, Certificate::OtherName, Certificate::OtherAuthority]
    {
        for (mode, acts) in [
            (TlsMode::Implicit, vec![Tls, GREETING, CAPA, INSIDE]),
            (TlsMode::StartTls, up_to_sign_in(vec![])),
        ] {
            let (outcome, heard) =
                attempt_with(Provider::start(mode, certificate, acts).await, &password()).await;
            assert!(matches!(outcome.err(), Some(UpstreamError::Tls { .. })), "{certificate:?} {mode:?}");
            heard.assert_no_credential();
        }
    }
}

#[tokio::test]
async fn endless_words_end_the_session_in_bounded_memory() {
    let too_long = NotTheProtocol::Pop3(ReplyError::TooLong);
    for acts in [
        vec![Flood { line: "+OK and no end " }],
        vec![GREETING, CAPA, Say("+OK\r\n"), Flood { line: "X-MORE\r\n" }],
        vec![GREETING, CAPA, Say("+OK\r\n"), Flood { line: "SASL PLAIN " }],
    ] {
        let error = refused(TlsMode::None, acts).await;
        assert!(matches!(error, UpstreamError::Protocol { source, .. } if source == too_long), "{error:?}");
    }
}

#[tokio::test]
async fn a_slow_drip_is_cut_off() {
    let short = Duration::from_millis(100);
    for (acts, deadlines, want) in [
        (vec![Drip { line: "+OK " }], Deadlines { greeting: short, ..Deadlines::default() }, Phase::Greeting),
        (vec![], Deadlines { greeting: short, ..Deadlines::default() }, Phase::Greeting),
        (vec![GREETING, CAPA], Deadlines { command: short, ..Deadlines::default() }, Phase::Hello),
        (
            vec![GREETING, CAPA, Say("+OK\r\n"), Drip { line: "X\r\n" }],
            Deadlines { block: short, ..Deadlines::default() },
            Phase::Hello,
        ),
    ] {
        let provider = Provider::start(TlsMode::None, Certificate::Good, acts).await;
        match connect(&provider, &deadlines).await {
            Err(UpstreamError::TimedOut { phase }) => assert_eq!(phase, want),
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test]
async fn a_lost_connection_is_told_with_its_phase() {
    for (acts, want) in [
        (vec![Close], Phase::Greeting),
        (vec![GREETING, CAPA, Close], Phase::Hello),
        (vec![GREETING, CAPA, Say("+OK\r\nTOP\r\n"), Close], Phase::Hello),
    ] {
        let error = refused(TlsMode::None, acts).await;
        assert!(matches!(error, UpstreamError::Closed { phase } if phase == want), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_at_once_is_quoted() {
    let error = refused(TlsMode::None, vec![Say("-ERR [SYS/TEMP] busy\r\n")]).await;
    assert!(matches!(error.evidence(), Evidence::Reply(Phase::Greeting, _)));
}

#[tokio::test]
async fn a_server_that_asks_for_ever_is_left() {
    for (offered, acts) in [
        (
            "+OK\r\nUSER\r\n.\r\n",
            vec![Hear("USER"), Say("+OK\r\n"), Hear("PASS hunter2"), Say("+ again\r\n")],
        ),
        (
            "+OK\r\nSASL LOGIN\r\n.\r\n",
            vec![Hear("AUTH LOGIN"), Say("+ \r\n"), Hear("cmVj"), Say("+ \r\n"), Hear("aHVu"), Say("+ \r\n")],
        ),
    ] {
        let mut script = vec![GREETING, CAPA, Say(offered)];
        script.extend(acts);
        let (outcome, heard) = attempt(TlsMode::None, script).await;
        assert!(outcome.is_err());
        assert!(heard.clear.matches("hunter2").count() + heard.clear.matches("aHVudGVyMg").count() == 1);
    }
}

/// Figures, listings and messages of a signed-in session that no honest server sends.
#[tokio::test]
async fn lies_about_the_mailbox_are_found_out() {
    for figures in ["+OK\r\n", "+OK -1 3\r\n", "+OK 18446744073709551616 1\r\n", "+OK many\r\n"] {
        let (mut session, _provider) = signed_in(vec![Hear("STAT"), Say(figures)]).await;
        assert_eq!(trouble(&session.stat().await.unwrap_err()), Trouble::NotAMailServer, "{figures}");
    }
    for listing in ["1\r\n.\r\n", "one aa\r\n.\r\n", "1 a\x01a\r\n.\r\n", "1 aa\n.\r\n"] {
        let (mut session, _provider) = signed_in(vec![Hear("UIDL"), Say("+OK\r\n"), Say(listing)]).await;
        let error = session.unique_ids(|_, _| {}).await.unwrap_err();
        assert_eq!(trouble(&error), Trouble::NotAMailServer, "{listing:?}");
    }
    let (mut session, _provider) =
        signed_in(vec![Hear("TOP 1 0"), Say("+OK\r\n"), Flood { line: "X-More: and more\r\n" }]).await;
    let error = session.header(1).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Protocol { source: NotTheProtocol::MessageTooLarge, .. }));
    // One line without end.
    let (mut session, _provider) = signed_in(vec![Hear("RETR 1"), Say("+OK\r\n"), Flood { line: "x" }]).await;
    let error = session.retrieve(1, u64::MAX, &mut tokio::io::sink()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Protocol { source: NotTheProtocol::MessageTooLarge, .. }));
}

/// MP-9: what others take for the end is none.
#[tokio::test]
async fn a_message_ends_at_its_true_end_alone() {
    let (mut session, _provider) = signed_in(vec![
        Hear("RETR 1"),
        Say("+OK 5 octets\r\na\n.\nb\r\n.\nc\n.\r\nd\r\n.\r\n"),
        Hear("NOTHING"),
    ])
    .await;
    let mut text = Vec::new();
    session.retrieve(1, 100, &mut text).await.unwrap();
    assert_eq!(text, b"a\n.\nb\r\n\nc\n.\r\nd\r\n");
}

/// The server's own figure is not believed, and what comes is written on piece by piece.
#[tokio::test]
async fn a_large_message_flows_through_and_a_larger_one_is_refused() {
    let line = "0123456789012345678901234567890123456789012345678901234567890\r\n";
    for (at_most, is_taken) in [(u64::MAX, true), (1_000_000, false)] {
        let (mut session, _provider) = signed_in(vec![
            Hear("RETR 1"),
            Say("+OK 18446744073709551615 octets\r\n"),
            Repeat(line, 100_000),
            Say(".\r\n"),
        ])
        .await;
        let fetched = session.retrieve(1, at_most, &mut tokio::io::sink()).await;
        match fetched {
            Ok(n_bytes) => assert!(is_taken && n_bytes == line.len() as u64 * 100_000),
            Err(error) => {
                assert!(!is_taken);
                assert!(matches!(
                    error,
                    UpstreamError::Protocol { source: NotTheProtocol::MessageTooLarge, .. }
                ));
            }
        }
    }
}

/// Referrals are no part of POP3; a server that names another place in its words is only quoted.
#[tokio::test]
async fn nothing_a_server_says_sends_us_elsewhere() {
    let acts = vec![
        GREETING,
        CAPA,
        INSIDE,
        Hear("AUTH PLAIN"),
        Say("-ERR [REFERRAL pop://other.example/] go there\r\n"),
    ];
    let (outcome, heard) = attempt(TlsMode::None, acts).await;
    assert!(matches!(outcome.err(), Some(UpstreamError::SignInRefused { .. })));
    assert!(!heard.clear.contains(PLAIN));
}
