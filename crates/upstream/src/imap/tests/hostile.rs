//! Servers that lie, flood and interfere (MP-3, MP-6, MP-13, MP-16).

use std::time::Duration;

use gatepost_wire::imap::ResponseError;

use super::*;
use crate::tests::Act::{Drip, Flood, Pause};

#[tokio::test]
async fn what_is_no_imap_server_is_called_so() {
    for words in [
        "220 mail.example.org ESMTP\r\n",
        "+OK POP3 ready\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n",
        "* CAPABILITY IMAP4rev1\r\n",
        "g1 OK ready\r\n",
        "+ go on\r\n",
        "* OK\n",
        "\x15\x03\x03\x00\x02\x02\x28\r\n",
        "* LIST () NIL {18446744073709551615}\r\n",
        "* LIST () NIL {18446744073709551616}\r\n",
    ] {
        let error = refused(TlsMode::None, vec![Say(words)]).await;
        assert_eq!(trouble(&error), Trouble::NotAMailServer, "{words:?}");
        assert!(matches!(&error, UpstreamError::Protocol { phase: Phase::Greeting, .. }), "{words:?}");
    }
}

/// MP-3, preauth_downgrade.
#[tokio::test]
async fn a_server_that_takes_us_for_signed_in_gets_nothing() {
    for (mode, before, want) in [
        (TlsMode::StartTls, vec![], Trouble::StartTlsTampered),
        (TlsMode::None, vec![], Trouble::NotAMailServer),
        (TlsMode::Implicit, vec![Tls], Trouble::NotAMailServer),
    ] {
        let mut acts = before;
        acts.push(Say("* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] welcome back\r\n"));
        let error = refused(mode, acts).await;
        assert!(matches!(&error, UpstreamError::PreAuth { .. }), "{error:?}");
        assert_eq!(trouble(&error), want);
    }
    // Nor later.
    let acts = vec![GREETING, CAPABILITY, Say("* PREAUTH in\r\n")];
    assert_eq!(trouble(&refused(TlsMode::StartTls, acts).await), Trouble::NotAMailServer);
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    for capability in [
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng1 OK\r\n",
        "* CAPABILITY IMAP4rev1 XSTARTTLS\r\ng1 OK\r\n",
        "* CAPABILITY STARTTLS\r\n* CAPABILITY IMAP4rev1\r\ng1 OK\r\n",
    ] {
        let error = refused(TlsMode::StartTls, vec![GREETING, CAPABILITY, Say(capability)]).await;
        assert_eq!(trouble(&error), Trouble::StartTlsMissing, "{capability}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_starttls_gets_nothing() {
    for answer in ["g2 NO not now\r\n", "g2 BAD what?\r\n", "* BYE\r\n"] {
        let acts = vec![GREETING, CAPABILITY, IN_THE_CLEAR, STARTTLS, Say(answer)];
        let error = refused(TlsMode::StartTls, acts).await;
        assert!(matches!(error.evidence(), Evidence::Reply(Phase::StartTls, _)), "{answer}: {error:?}");
    }
    for answer in ["g1 OK go\r\n", "+ go\r\n", "g3 OK go\r\n"] {
        let acts = vec![GREETING, CAPABILITY, IN_THE_CLEAR, STARTTLS, Say(answer)];
        assert_eq!(trouble(&refused(TlsMode::StartTls, acts).await), Trouble::NotAMailServer, "{answer}");
    }
}

/// MP-16, starttls_response_injection.
#[tokio::test]
async fn bytes_behind_the_answer_to_starttls_end_it() {
    for injected in [
        "g2 OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        "g2 OK go\r\nx",
        "g2 OK go\r\n\r\n",
        "g2 OK go\r\n* PREAUTH in\r\n",
        "g2 OK go\r\ng3 OK done\r\n",
        "g2 OK go\r\n* LIST () NIL {100000}\r\n",
    ] {
        let acts = vec![GREETING, CAPABILITY, IN_THE_CLEAR, STARTTLS, Say(injected)];
        let error = refused(TlsMode::StartTls, acts).await;
        assert_eq!(trouble(&error), Trouble::StartTlsTampered, "{injected:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_the_clear_gets_nothing() {
    for garbage in ["* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "\x15\x03\x03\x00\x02\x02\x28"] {
        let acts =
            vec![GREETING, CAPABILITY, IN_THE_CLEAR, STARTTLS, Say("g2 OK\r\n"), Pause, Say(garbage), Close];
        assert_eq!(trouble(&refused(TlsMode::StartTls, acts).await), Trouble::TlsFailed, "{garbage:?}");
    }
}

/// MP-3: neither what was listed nor what was announced before TLS counts, and alerts are forgotten.
#[tokio::test]
async fn what_was_said_before_tls_is_forgotten() {
    let acts = vec![
        Say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n"),
        CAPABILITY,
        Say(
            "* OK [ALERT] pay here\r\n* CAPABILITY STARTTLS AUTH=PLAIN SASL-IR\r\n* LIST () NIL x\r\ng1 OK\r\n",
        ),
        STARTTLS,
        Say("* OK [ALERT] pay here\r\n* 5 EXISTS\r\ng2 OK\r\n"),
        Tls,
        Hear("g3 CAPABILITY"),
        Say("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED\r\ng3 OK\r\n"),
    ];
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    let greeted = connect(&provider, &Deadlines::default()).await.unwrap();
    assert!(greeted.dialogue.alerts.is_empty());
    let error = greeted.sign_in(&password()).await.err().unwrap();
    assert!(
        matches!(&error, UpstreamError::SignInMethodMissing { offered } if offered == &["XOAUTH2"]),
        "{error}"
    );
    provider.heard().await.assert_no_credential();
}

#[tokio::test]
async fn a_server_with_a_bad_certificate_gets_nothing() {
    for certificate in
        [Certificate::Expired, Certificate::Early, Certificate::OtherName, Certificate::OtherAuthority]
    {
        for (mode, acts) in [
            (TlsMode::Implicit, vec![Tls, GREETING, CAPABILITY, INSIDE]),
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
    let too_long = NotTheProtocol::Imap(ResponseError::TooLong);
    for acts in [
        vec![Flood { line: "* OK and no end " }],
        vec![GREETING, CAPABILITY, Flood { line: "* OK still here\r\n" }],
        vec![GREETING, CAPABILITY, Flood { line: "* CAPABILITY A B C D E F\r\n" }],
        vec![GREETING, CAPABILITY, Flood { line: "* LIST () NIL {3}\r\nabc\r\n" }],
        vec![GREETING, CAPABILITY, Flood { line: "* LIST () NIL {3}\r\nabc " }],
        vec![GREETING, CAPABILITY, Flood { line: "* 1 FETCH (BODY[] {3}\r\nabc)\r\n" }],
        vec![GREETING, CAPABILITY, Flood { line: "* OK [ALERT] look\r\n" }],
    ] {
        let error = refused(TlsMode::None, acts).await;
        assert!(matches!(error, UpstreamError::Protocol { source, .. } if source == too_long), "{error:?}");
    }
}

#[tokio::test]
async fn a_slow_drip_is_cut_off() {
    let short = Duration::from_millis(100);
    let greeting = Deadlines { greeting: short, ..Deadlines::default() };
    let command = Deadlines { command: short, ..Deadlines::default() };
    for (acts, deadlines, want) in [
        (vec![Drip { line: "* OK " }], greeting, Phase::Greeting),
        (vec![], greeting, Phase::Greeting),
        (vec![GREETING, CAPABILITY], command, Phase::Hello),
        (vec![GREETING, CAPABILITY, Drip { line: "* OK here\r\n" }], command, Phase::Hello),
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
        (vec![GREETING, CAPABILITY, Close], Phase::Hello),
        (vec![GREETING, CAPABILITY, Say("* CAPABILITY IMAP4"), Close], Phase::Hello),
    ] {
        let error = refused(TlsMode::None, acts).await;
        assert!(matches!(error, UpstreamError::Closed { phase } if phase == want), "{error:?}");
    }
}

/// A server may say goodbye at any point (RFC 9051 §7.1.5), and its reason is the evidence.
#[tokio::test]
async fn a_goodbye_is_quoted_wherever_it_comes() {
    for (acts, want) in [
        (vec![Say("* BYE [UNAVAILABLE] Temporary System Problem\r\n")], Phase::Greeting),
        (vec![GREETING, CAPABILITY, Say("* BYE Connection is closed. 13\r\n")], Phase::Hello),
        (
            vec![GREETING, CAPABILITY, INSIDE, Hear("g2 AUTHENTICATE"), Say("* BYE [OVERQUOTA] enough\r\n")],
            Phase::Auth,
        ),
    ] {
        let (outcome, _) = attempt(TlsMode::None, acts).await;
        let error = outcome.err().unwrap();
        match error.evidence() {
            Evidence::Reply(phase, reply) => {
                assert_eq!(phase, want);
                assert!(reply.raw().starts_with(b"* BYE"));
            }
            other => panic!("{other:?}"),
        }
    }
    let (mut session, _provider) =
        signed_in(vec![Hear("g3 SELECT"), Say("* BYE Session invalidated - AccessTokenExpired\r\n")]).await;
    let error = session.select_inbox().await.unwrap_err();
    assert!(matches!(error.evidence(), Evidence::Reply(Phase::Mailbox, _)));
    // And a goodbye in a folder that might have been passed over is no "not found".
    let (mut session, _provider) = signed_in(vec![
        Hear("g3 SELECT"),
        Say("g3 OK\r\n"),
        Hear("g4 UID SEARCH"),
        Say("g4 OK\r\n"),
        Hear("g5 LIST"),
        Say("* LIST (\\All) NIL all\r\ng5 OK\r\n"),
        Hear("g6 SELECT \"all\""),
        Say("* BYE\r\n"),
    ])
    .await;
    assert!(session.find(&sought("a@b")).await.is_err());
}

#[tokio::test]
async fn a_server_that_asks_for_ever_is_left() {
    for (offered, acts) in [
        ("* CAPABILITY IMAP4rev1\r\ng1 OK\r\n", vec![Hear("g2 LOGIN"), Say("+ again\r\n")]),
        (
            "* CAPABILITY AUTH=PLAIN\r\ng1 OK\r\n",
            vec![Hear("g2 AUTHENTICATE PLAIN"), Say("+ \r\n"), Hear(PLAIN), Say("+ \r\n")],
        ),
    ] {
        let mut script = vec![GREETING, CAPABILITY, Say(offered)];
        script.extend(acts);
        let (outcome, heard) = attempt(TlsMode::None, script).await;
        assert!(outcome.is_err());
        assert_eq!(heard.clear.matches("hunter2").count() + heard.clear.matches(PLAIN).count(), 1);
    }
}

/// MP-3: a referral is words. `[REFERRAL …]` in the answer to LOGIN (RFC 2221) leads nowhere.
#[tokio::test]
async fn nothing_a_server_says_sends_us_elsewhere() {
    let acts = up_to_sign_in(vec![
        Hear("g4 AUTHENTICATE"),
        Say("g4 NO [REFERRAL imap://reception@other.example/] over there\r\n"),
    ]);
    let (outcome, _) = attempt(TlsMode::StartTls, acts).await;
    assert!(matches!(outcome.err(), Some(UpstreamError::SignInRefused { .. })));
    let (mut session, _provider) =
        signed_in(vec![Hear("g3 SELECT"), Say("g3 NO [REFERRAL imap://other.example/INBOX] there\r\n")])
            .await;
    assert!(matches!(session.select_inbox().await, Err(UpstreamError::Refused { .. })));
}

/// Other tags, other messages, other sizes than were asked for.
#[tokio::test]
async fn lies_about_a_message_are_found_out() {
    use NotTheProtocol::{Imap, MessageTooLarge, OtherCommand, OtherMessage};
    for (words, want) in [
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\ng3 OK\r\n", OtherMessage),
        ("* 1 FETCH (BODY[] {3}\r\nabc)\r\ng3 OK\r\n", OtherMessage),
        ("* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\n* 1 FETCH (UID 4 BODY[] {1}\r\nb)\r\ng3 OK\r\n", OtherMessage),
        ("* 1 FETCH (UID 4 BODY[] {1}\r\na BODY[] {1}\r\nb)\r\ng3 OK\r\n", MessageTooLarge),
        ("* 1 FETCH (UID 4 BODY[] {101}\r\n", MessageTooLarge),
        ("* 1 FETCH (UID 4 BODY[] {18446744073709551615}\r\n", MessageTooLarge),
        ("* 1 FETCH (UID 4 BODY[] {18446744073709551616}\r\n", MessageTooLarge),
        ("* 1 FETCH (UID 4 BODY[TEXT] {4294967296}\r\n", MessageTooLarge),
        ("g4 OK\r\n", OtherCommand),
        ("g2 OK\r\n", OtherCommand),
        ("G3 OK\r\n", OtherCommand),
        ("+ \r\n", Imap(ResponseError::NotAResponse)),
        ("nonsense\r\n", Imap(ResponseError::NotAResponse)),
    ] {
        let (mut session, _provider) = signed_in(vec![Hear("g3 UID FETCH 4"), Say(words)]).await;
        let error = session.fetch(4, 100, &mut tokio::io::sink()).await.unwrap_err();
        assert!(
            matches!(error, UpstreamError::Protocol { phase: Phase::Mailbox, source } if source == want),
            "{words:?}: {error:?}"
        );
    }
    // Figures that are none, and counts of messages that cannot be: nothing is sized by them.
    let (mut session, _provider) = signed_in(vec![
        Hear("g3 SELECT"),
        Say("* 4294967295 EXISTS\r\n* 99999999999 EXISTS\r\n* OK [UIDVALIDITY x] y\r\n* OK [UIDNEXT 18446744073709551615] z\r\ng3 OK\r\n"),
        Hear("g4 UID SEARCH"),
        Say("* SEARCH 1 2 3 4294967295 99999999999\r\n* SEARCH 7\r\ng4 OK\r\n"),
        Hear("g5 UID FETCH 7"),
        Say("g5 OK\r\n"),
    ])
    .await;
    let open = session.select_inbox().await.unwrap();
    assert_eq!((open.n_messages, open.uid_validity, open.uid_next), (u32::MAX, None, None));
    assert_eq!(session.find_in_open(&sought("a@b")).await.unwrap(), None);
}

#[tokio::test]
async fn a_flood_beside_a_message_ends_the_session() {
    let (mut session, _provider) =
        signed_in(vec![Hear("g3 UID FETCH"), Flood { line: "* 9 FETCH (FLAGS (\\Seen))\r\n" }]).await;
    let error = session.fetch(4, 100, &mut tokio::io::sink()).await.unwrap_err();
    assert!(matches!(
        error,
        UpstreamError::Protocol { source: NotTheProtocol::Imap(ResponseError::TooLong), .. }
    ));
}

#[tokio::test]
async fn a_large_message_flows_through() {
    let line = "0123456789012345678901234567890123456789012345678901234567890\r\n";
    let (mut session, _provider) = signed_in(vec![
        Hear("g3 UID FETCH"),
        Say("* 1 FETCH (UID 4 BODY[] {31500000}\r\n"),
        Repeat(line, 500_000),
        Say(")\r\ng3 OK\r\n"),
    ])
    .await;
    let fetched = session.fetch(4, u64::MAX, &mut tokio::io::sink()).await.unwrap();
    assert_eq!(fetched, Some(31_500_000));
}

/// A message that stops half-way has no pace, and what came of it does not count.
#[tokio::test]
async fn a_message_that_does_not_go_on_is_left() {
    let acts = vec![
        GREETING,
        CAPABILITY,
        INSIDE,
        Hear("g2 AUTHENTICATE"),
        Say("g2 OK [CAPABILITY IMAP4rev1] in\r\n"),
        Hear("g3 UID FETCH"),
        Say("* 1 FETCH (UID 4 BODY[] {50}\r\nabc"),
    ];
    let provider = Provider::start(TlsMode::None, Certificate::Good, acts).await;
    let deadlines = Deadlines { block: Duration::from_millis(100), ..Deadlines::default() };
    let mut session = connect(&provider, &deadlines).await.unwrap().sign_in(&password()).await.unwrap();
    let error = session.fetch(4, 100, &mut tokio::io::sink()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::TimedOut { phase: Phase::Mailbox }), "{error:?}");
}

/// MP-3: they are shown to people, so nobody can send a book.
#[tokio::test]
async fn of_a_servers_alerts_a_few_are_kept_and_no_more_than_their_beginning() {
    let alert = |n: usize| format!("* OK [ALERT] {n} {}\r\n", "x".repeat(3_000));
    let said: String = (0..12).map(alert).collect();
    let words: &'static str =
        Box::leak(format!("{said}g2 OK [CAPABILITY IMAP4rev1] in\r\n").into_boxed_str());
    let (session, _provider) = signed_in_with(words, Vec::new()).await;
    let alerts = session.alerts();
    assert_eq!(alerts.len(), 10);
    assert!(alerts.iter().all(|it| it.len() == 2_048) && alerts[9].starts_with(b"[ALERT] 9 x"));
}
