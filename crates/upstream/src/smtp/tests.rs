use std::io;
use std::time::Duration;

use gatepost_core::Trouble;
use gatepost_net::Permit;
use gatepost_wire::smtp::{ReplyError, SizeLimit};
use static_assertions::assert_not_impl_any;

use gatepost_wire::sasl::Mechanism;

use super::*;
use crate::channel::demand_encryption;
use crate::error::{Evidence, NotTheProtocol};
use crate::tests::Act::{Close, Drip, Flood, Hear, Pause, Say, Tls};
use crate::tests::{
    Act, Certificate, Heard, LONG_SECRET, Provider, about_token, line_of, password, preferring, say, token,
    trouble, with_long_secret,
};

// A credential cannot be printed, so neither can what holds it.
assert_not_impl_any!(SignIn: std::fmt::Debug, Clone);
assert_not_impl_any!(SmtpSession: std::fmt::Debug);

const GREETING: Act = Say("220 mail.example.org ESMTP\r\n");
const EHLO: Act = Hear("EHLO client.example.org");
const IN_THE_CLEAR: Act = Say("250-mail.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
const INSIDE: Act =
    Say("250-mail.example.org\r\n250-SIZE 1000\r\n250-PIPELINING\r\n250 AUTH LOGIN PLAIN XOAUTH2\r\n");

/// Everything a good server says up to the sign-in, by STARTTLS.
fn up_to_sign_in(rest: Vec<Act>) -> Vec<Act> {
    let mut acts = vec![GREETING, EHLO, IN_THE_CLEAR, Hear("STARTTLS"), Say("220 go\r\n"), Tls, EHLO, INSIDE];
    acts.extend(rest);
    acts
}

async fn connect(provider: &Provider, deadlines: &Deadlines) -> Result<Greeted, UpstreamError> {
    let own_name = "client.example.org".parse().unwrap();
    Greeted::connect(&provider.dialer, &provider.client_tls, &provider.endpoint, &own_name, deadlines).await
}

/// A whole sign-in with a password against this script.
async fn attempt(mode: TlsMode, acts: Vec<Act>) -> (Result<SmtpSession, UpstreamError>, Heard) {
    attempt_with(Provider::start(mode, Certificate::Good, acts).await, &password()).await
}

async fn attempt_with(provider: Provider, sign_in: &SignIn) -> (Result<SmtpSession, UpstreamError>, Heard) {
    let outcome = match connect(&provider, &Deadlines::default()).await {
        Ok(greeted) => greeted.sign_in(sign_in).await,
        Err(error) => Err(error),
    };
    match outcome {
        // The script ends before the session does: what follows is up to the test.
        Ok(session) => (Ok(session), Heard::default()),
        Err(error) => (Err(error), provider.heard().await),
    }
}

/// The error of a sign-in that must have sent nothing secret.
async fn refused(mode: TlsMode, acts: Vec<Act>) -> UpstreamError {
    let (outcome, heard) = attempt(mode, acts).await;
    heard.assert_no_credential();
    outcome.err().expect("the session must not come about")
}

#[tokio::test]
async fn a_session_by_starttls_signs_in_with_plain() {
    let signed_in = vec![
        Hear("AUTH PLAIN AHJlY2VwdGlvbgBodW50ZXIy"),
        Say("235 2.7.0 ok\r\n"),
        Hear("QUIT"),
        Say("221 bye\r\n"),
    ];
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, up_to_sign_in(signed_in)).await;
    let greeted = connect(&provider, &Deadlines::default()).await.unwrap();
    assert!(!greeted.capabilities().starttls, "read again inside TLS");
    let session = greeted.sign_in(&password()).await.unwrap();
    assert_eq!(session.capabilities().size, SizeLimit::AtMost(1000));
    assert!(session.tls_description().unwrap().starts_with("TLSv1.3"));
    assert_eq!(session.endpoint(), &provider.endpoint);
    session.quit().await;
    let heard = provider.heard().await;
    assert_eq!(heard.clear, "EHLO client.example.org\r\nSTARTTLS\r\n");
    assert!(heard.encrypted.ends_with("QUIT\r\n"));
}

#[tokio::test]
async fn the_mechanism_follows_from_what_is_offered() {
    for (offered, sign_in, acts) in [
        (
            "250 AUTH LOGIN\r\n",
            password(),
            vec![
                Hear("AUTH LOGIN"),
                Say("334 VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("334 UGFzc3dvcmQ6\r\n"),
                Hear("aHVudGVyMg=="),
            ],
        ),
        ("250 AUTH=PLAIN\r\n", password(), vec![Hear("AUTH PLAIN AHJlY2VwdGlvbgBodW50ZXIy")]),
        ("250 AUTH OAUTHBEARER PLAIN\r\n", token(), vec![Hear("AUTH OAUTHBEARER bixhPXJlY2VwdGlvbi")]),
        ("250 AUTH OAUTHBEARER XOAUTH2\r\n", token(), vec![Hear("AUTH XOAUTH2 dXNlcj1yZWNlcHRpb24B")]),
        (
            "250 AUTH PLAIN LOGIN XOAUTH2\r\n",
            preferring(&[Mechanism::XOAuth2, Mechanism::Login], password()),
            vec![
                Hear("AUTH LOGIN"),
                Say("334 VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("334 UGFzc3dvcmQ6\r\n"),
                Hear("aHVudGVyMg=="),
            ],
        ),
        (
            "250 AUTH XOAUTH2 OAUTHBEARER\r\n",
            preferring(&[Mechanism::OAuthBearer, Mechanism::XOAuth2], token()),
            vec![Hear("AUTH OAUTHBEARER bixhPXJlY2VwdGlvbi")],
        ),
    ] {
        let mut script = vec![Tls, GREETING, EHLO, Say("250-mail.example.org\r\n"), Say(offered)];
        script.extend(acts);
        script.push(Say("235 ok\r\n"));
        let provider = Provider::start(TlsMode::Implicit, Certificate::Good, script).await;
        let (outcome, _) = attempt_with(provider, &sign_in).await;
        outcome.unwrap_or_else(|error| panic!("{offered}: {error}"));
    }
}

#[tokio::test]
async fn without_a_common_mechanism_nothing_is_sent() {
    for (sign_in, offered) in [
        (token(), "250 AUTH PLAIN LOGIN\r\n"),
        (password(), "250 AUTH GSSAPI XOAUTH2\r\n"),
        (password(), "250 SIZE\r\n"),
    ] {
        let acts = vec![Tls, GREETING, EHLO, Say("250-mail.example.org\r\n"), Say(offered)];
        let (outcome, heard) =
            attempt_with(Provider::start(TlsMode::Implicit, Certificate::Good, acts).await, &sign_in).await;
        assert_eq!(trouble(&outcome.err().unwrap()), Trouble::SignInMethodMissing);
        heard.assert_no_credential();
    }
}

/// SC-1, strip_capability: whoever cuts STARTTLS out of the reply gets nothing, and the error says so.
#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let error = refused(
        TlsMode::StartTls,
        vec![GREETING, EHLO, Say("250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n")],
    )
    .await;
    assert_eq!(trouble(&error), Trouble::StartTlsMissing);
    assert!(error.to_string().contains("does not offer STARTTLS"), "{error}");
}

/// SC-1: every answer but 220.
#[tokio::test]
async fn a_server_that_refuses_starttls_gets_nothing() {
    for answer in [
        "454 4.7.0 not now\r\n",
        "502 no\r\n",
        "554-no\r\n554 5.7.1 never\r\n",
        "250 ok\r\n",
        "334 \r\n",
        "221 bye\r\n",
    ] {
        let error =
            refused(TlsMode::StartTls, vec![GREETING, EHLO, IN_THE_CLEAR, Hear("STARTTLS"), Say(answer)])
                .await;
        match error.evidence() {
            Evidence::Reply(Phase::StartTls, reply) => {
                assert!(answer.contains(&reply.smtp().unwrap().code.to_string()))
            }
            other => panic!("{answer}: {other:?}"),
        }
    }
}

/// SC-3, starttls_response_injection.
#[tokio::test]
async fn bytes_behind_the_answer_to_starttls_end_it() {
    for injected in [
        "220 go\r\n250 injected\r\n",
        "220 go\r\nx",
        "220 go\r\n\r\n",
        "220 go\r\n220 mail\r\n250 AUTH PLAIN\r\n",
    ] {
        let error =
            refused(TlsMode::StartTls, vec![GREETING, EHLO, IN_THE_CLEAR, Hear("STARTTLS"), Say(injected)])
                .await;
        assert_eq!(trouble(&error), Trouble::StartTlsTampered, "{injected:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_the_clear_gets_nothing() {
    for garbage in
        ["250-mail.example.org\r\n250 AUTH PLAIN\r\n", "\r\n\r\n\r\n\r\n\r\n", "\x15\x03\x03\x00\x02\x02\x28"]
    {
        let mut acts = vec![GREETING, EHLO, IN_THE_CLEAR, Hear("STARTTLS"), Say("220 go\r\n")];
        // The client's handshake has begun when this arrives.
        acts.extend([Pause, Say(garbage), Close]);
        let error = refused(TlsMode::StartTls, acts).await;
        assert!(matches!(error, UpstreamError::Tls { .. }), "{garbage:?}: {error}");
        assert_eq!(trouble(&error), Trouble::TlsFailed);
    }
}

/// SC-3, preauth_downgrade: what was said before TLS counts for nothing.
#[tokio::test]
async fn capabilities_from_before_tls_are_forgotten() {
    let acts = vec![
        GREETING,
        EHLO,
        Say("250-mail.example.org\r\n250-STARTTLS\r\n250-SIZE 99\r\n250 AUTH PLAIN\r\n"),
        Hear("STARTTLS"),
        Say("220 go\r\n"),
        Tls,
        EHLO,
        Say("250-mail.example.org\r\n250 AUTH XOAUTH2\r\n"),
    ];
    let error = refused(TlsMode::StartTls, acts).await;
    assert!(
        matches!(&error, UpstreamError::SignInMethodMissing { offered } if offered == &["XOAUTH2"]),
        "{error}"
    );
}

/// SC-2 at the level of a session; all ten certificates are tried in `gatepost-net`.
#[tokio::test]
async fn a_server_with_a_bad_certificate_gets_nothing() {
    for (certificate, want) in [
        (Certificate::Expired, Trouble::CertificateExpired),
        (Certificate::Early, Trouble::CertificateNotYetValid),
        (Certificate::OtherName, Trouble::CertificateWrongName),
        (Certificate::OtherAuthority, Trouble::CertificateUnknownAuthority),
    ] {
        for (mode, acts) in [
            (TlsMode::Implicit, vec![Tls, GREETING, EHLO, INSIDE]),
            (TlsMode::StartTls, up_to_sign_in(vec![])),
        ] {
            let (outcome, heard) =
                attempt_with(Provider::start(mode, certificate, acts).await, &password()).await;
            assert_eq!(trouble(&outcome.err().unwrap()), want, "{certificate:?} {mode:?}");
            heard.assert_no_credential();
            assert_eq!(heard.encrypted, "");
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_on_the_implicit_port_gets_nothing() {
    let error = refused(TlsMode::Implicit, vec![GREETING, Close]).await;
    assert_eq!(trouble(&error), Trouble::TlsFailed, "{error}");
}

/// SC-1: `none` is for addresses the operator has named, and nothing falls back to it.
#[tokio::test]
async fn without_encryption_only_named_addresses_are_spoken_to() {
    let mut endpoint = Endpoint { host: "mail.example.org".parse().unwrap(), port: 587, tls: TlsMode::None };
    let refused = demand_encryption(&endpoint, Permit::Public).unwrap_err();
    assert_eq!(trouble(&refused), Trouble::AddressNotAllowed);
    assert!(demand_encryption(&endpoint, Permit::Listed).is_ok());
    endpoint.tls = TlsMode::StartTls;
    assert!(demand_encryption(&endpoint, Permit::Public).is_ok());

    let acts = vec![GREETING, EHLO, INSIDE, Hear("AUTH PLAIN"), Say("235 ok\r\n")];
    let (outcome, _) = attempt(TlsMode::None, acts).await;
    assert_eq!(outcome.unwrap().tls_description(), None);
}

/// WH-3.
#[tokio::test]
async fn an_address_that_was_not_named_is_not_dialled() {
    let mut provider = Provider::start(TlsMode::None, Certificate::Good, vec![GREETING]).await;
    provider.forbid();
    let error = connect(&provider, &Deadlines::default()).await.err().unwrap();
    assert_eq!(trouble(&error), Trouble::AddressNotAllowed);
}

#[tokio::test]
async fn what_is_no_mail_server_is_called_so() {
    for (words, want) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", ReplyError::NotAReply),
        ("SSH-2.0-OpenSSH_9.6\r\n", ReplyError::NotAReply),
        ("+OK POP3 ready\r\n", ReplyError::NotAReply),
        ("220-one\r\n221 two\r\n", ReplyError::CodesDiffer),
    ] {
        let error = refused(TlsMode::None, vec![Say(words)]).await;
        assert_eq!(trouble(&error), Trouble::NotAMailServer);
        assert!(
            matches!(&error, UpstreamError::Protocol { phase: Phase::Greeting, source } if *source == NotTheProtocol::Smtp(want)),
            "{words}: {error:?}"
        );
    }
}

/// SC-6: a line of more than 2,048 octets, more than 100 lines, and no end at all.
#[tokio::test]
async fn huge_replies_end_the_session_in_bounded_memory() {
    for flood in [Flood { line: "220-x\r\n" }, Flood { line: "220 and no end " }] {
        let error = refused(TlsMode::None, vec![flood]).await;
        assert!(
            matches!(
                error,
                UpstreamError::Protocol {
                    phase: Phase::Greeting,
                    source: NotTheProtocol::Smtp(ReplyError::TooLong)
                }
            ),
            "{error:?}"
        );
    }
}

/// SC-6: the wait is for the whole reply.
#[tokio::test]
async fn a_slow_drip_is_cut_off() {
    let provider = Provider::start(TlsMode::None, Certificate::Good, vec![Drip { line: "220-x\r\n" }]).await;
    let deadlines = Deadlines { greeting: Duration::from_millis(100), ..Deadlines::default() };
    let error = connect(&provider, &deadlines).await.err().unwrap();
    assert!(matches!(error, UpstreamError::TimedOut { phase: Phase::Greeting }), "{error}");
    assert_eq!(trouble(&error), Trouble::TimedOut);
}

#[tokio::test]
async fn each_phase_has_its_own_patience() {
    let short = Duration::from_millis(50);
    for (acts, deadlines, want) in [
        (vec![], Deadlines { greeting: short, ..Deadlines::default() }, Phase::Greeting),
        (vec![GREETING, EHLO], Deadlines { command: short, ..Deadlines::default() }, Phase::Hello),
    ] {
        let provider = Provider::start(TlsMode::None, Certificate::Good, acts).await;
        match connect(&provider, &deadlines).await {
            Err(UpstreamError::TimedOut { phase }) => assert_eq!(phase, want),
            other => panic!("{:?}", other.err()),
        }
    }
    let provider = Provider::start(TlsMode::Implicit, Certificate::Good, vec![]).await;
    let deadlines = Deadlines { handshake: short, ..Deadlines::default() };
    assert_eq!(trouble(&connect(&provider, &deadlines).await.err().unwrap()), Trouble::TimedOut);
}

#[tokio::test]
async fn a_lost_connection_is_told_with_its_phase() {
    for (acts, want) in [
        (vec![Close], Phase::Greeting),
        (vec![GREETING, EHLO, Close], Phase::Hello),
        (vec![GREETING, EHLO, Say("250-half"), Close], Phase::Hello),
    ] {
        let error = refused(TlsMode::None, acts).await;
        assert_eq!(trouble(&error), Trouble::ConnectionLost);
        assert!(matches!(error, UpstreamError::Closed { phase } if phase == want), "{error:?}");
    }
    let closed_at_sign_in = vec![GREETING, EHLO, INSIDE, Hear("AUTH PLAIN"), Close];
    let (outcome, _) = attempt(TlsMode::None, closed_at_sign_in).await;
    assert!(matches!(outcome.err(), Some(UpstreamError::Closed { phase: Phase::Auth })));
}

#[tokio::test]
async fn refusals_are_kept_byte_for_byte_with_their_phase() {
    for (acts, phase, raw) in [
        (
            vec![Say("554-go\r\n554 5.7.1 away\x07\r\n")],
            Phase::Greeting,
            &b"554-go\r\n554 5.7.1 away\x07"[..],
        ),
        (vec![Say("421 4.3.2 busy\r\n")], Phase::Greeting, b"421 4.3.2 busy"),
        (vec![GREETING, EHLO, Say("502 what?\r\n")], Phase::Hello, b"502 what?"),
        (vec![GREETING, EHLO, Say("421 later\r\n")], Phase::Hello, b"421 later"),
    ] {
        let error = refused(TlsMode::None, acts).await;
        match error.evidence() {
            Evidence::Reply(at, reply) => assert_eq!((at, reply.raw()), (phase, raw)),
            other => panic!("{other:?}"),
        }
        assert!(!error.to_string().contains('\x07'), "escaped where it is shown");
    }
}

#[tokio::test]
async fn a_refused_sign_in_says_what_the_server_said() {
    let acts = up_to_sign_in(vec![Hear("AUTH PLAIN"), Say("535-5.7.8 no\r\n535 5.7.8 really\r\n")]);
    let (outcome, _) = attempt(TlsMode::StartTls, acts).await;
    match outcome.err().unwrap() {
        UpstreamError::SignInRefused { reply, about_token: None } => {
            assert_eq!(reply.raw(), b"535-5.7.8 no\r\n535 5.7.8 really");
        }
        other => panic!("{other:?}"),
    }

    // The server explains in a challenge what is wrong with the token, and refuses after the empty answer.
    let acts = up_to_sign_in(vec![
        Hear("AUTH XOAUTH2"),
        Say("334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        Hear(""),
        Say("535 5.7.8 no\r\n"),
    ]);
    let (outcome, _) =
        attempt_with(Provider::start(TlsMode::StartTls, Certificate::Good, acts).await, &token()).await;
    match outcome.err().unwrap() {
        UpstreamError::SignInRefused { about_token, .. } => {
            assert_eq!(about_token.as_deref(), Some(&b"{\"status\":\"400\"}"[..]));
        }
        other => panic!("{other:?}"),
    }
}

/// OC-8.
#[tokio::test]
async fn what_a_server_repeats_of_a_sign_in_is_taken_out() {
    let (asked, kept) = about_token();
    for (mechanism, acts) in [
        (Mechanism::Plain, vec![Hear("AUTH PLAIN")]),
        (
            Mechanism::Login,
            vec![
                Hear("AUTH LOGIN"),
                Say("334 VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("334 UGFzc3dvcmQ6\r\n"),
                Hear("Y29y"),
            ],
        ),
        (Mechanism::XOAuth2, vec![Hear("AUTH XOAUTH2"), say(format!("334 {asked}\r\n")), Hear("")]),
    ] {
        let is_token = mechanism == Mechanism::XOAuth2;
        let offered = format!("250-mail.example.org\r\n250 AUTH {}\r\n", mechanism.name());
        let mut script = vec![Tls, GREETING, EHLO, say(offered)];
        script.extend(acts);
        let line = line_of(mechanism);
        script.push(say(format!("535-5.7.8 {LONG_SECRET} or\r\n535 5.7.8 {line} it is\r\n")));
        let provider = Provider::start(TlsMode::Implicit, Certificate::Good, script).await;
        match attempt_with(provider, &with_long_secret(is_token)).await.0.err().unwrap() {
            UpstreamError::SignInRefused { reply, about_token } => {
                let words = String::from_utf8_lossy(reply.raw()).into_owned();
                assert_eq!(words, "535-5.7.8 [removed] or\r\n535 5.7.8 [removed] it is", "{mechanism:?}");
                let about_token = about_token.map(|it| String::from_utf8(it).unwrap());
                assert_eq!(about_token, is_token.then(|| kept.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_for_ever_is_left() {
    let mut acts =
        vec![GREETING, EHLO, Say("250-mail.example.org\r\n250 AUTH LOGIN\r\n"), Hear("AUTH LOGIN")];
    acts.extend([Say("334 \r\n"), Hear("cmVj"), Say("334 \r\n"), Hear("aHVu"), Say("334 \r\n")]);
    let (outcome, heard) = attempt(TlsMode::None, acts).await;
    assert!(matches!(outcome.err(), Some(UpstreamError::Challenge(_))));
    assert_eq!(heard.clear.matches("aHVu").count(), 1, "the password went over once");
}

async fn signed_in(rest: Vec<Act>) -> (SmtpSession, Provider) {
    let mut acts = up_to_sign_in(vec![Hear("AUTH PLAIN"), Say("235 ok\r\n")]);
    acts.extend(rest);
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    let session =
        connect(&provider, &Deadlines::default()).await.unwrap().sign_in(&password()).await.unwrap();
    (session, provider)
}

#[tokio::test]
async fn a_transaction_is_carried_with_several_commands_at_once() {
    let (mut session, provider) = signed_in(vec![
        Hear("MAIL FROM:<a@example.org>"),
        Hear("RCPT TO:<b@example.org>"),
        Hear("DATA"),
        Say("250 ok\r\n550 5.1.1 no\r\n354 go\r\n"),
        Hear("Subject: x"),
        Hear(""),
        Hear("."),
        Say("250 2.0.0 kept\r\n"),
        Hear("NOOP"),
        Say("250 ok\r\n"),
        Hear("RSET"),
        Say("250 ok\r\n"),
        Hear("QUIT"),
        Say("221 bye\r\n"),
    ])
    .await;
    let commands = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
    session.send_commands(commands, Phase::Mail).await.unwrap();
    let command = session.deadlines().command;
    for (phase, code) in [(Phase::Mail, 250), (Phase::Recipient, 550), (Phase::Data, 354)] {
        assert_eq!(session.read_reply(phase, command).await.unwrap().code, code);
    }
    session.write_body(b"Subject: x\r\n\r\n.\r\n").await.unwrap();
    let kept = session.read_reply(Phase::Message, session.deadlines().message).await.unwrap();
    assert_eq!(kept.raw, b"250 2.0.0 kept");
    assert!(session.is_ready());
    assert_eq!(session.noop().await.unwrap().code, 250);
    assert_eq!(session.rset().await.unwrap().code, 250);
    session.quit().await;
    assert!(!provider.heard().await.clear.contains("MAIL"));
}

#[tokio::test]
async fn a_session_whose_server_has_said_goodbye_is_not_ready() {
    let (mut session, _provider) =
        signed_in(vec![Hear("NOOP"), Say("250 ok\r\n421 4.4.2 idle for too long\r\n"), Close]).await;
    assert_eq!(session.noop().await.unwrap().code, 250);
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while session.is_ready() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("the goodbye is noticed without asking");
    let goodbye = session.read_reply(Phase::Mail, Duration::from_secs(20)).await.unwrap();
    assert_eq!(goodbye.code, 421);
}

#[test]
fn every_trouble_of_dialling_has_its_name() {
    use gatepost_net::DialError;
    let host = || "mail.example.org".parse().unwrap();
    let unreachable = |kind: io::ErrorKind| {
        let address = ([192, 0, 2, 1], 587).into();
        DialError::Unreachable { host: host(), port: 587, address, source: kind.into() }
    };
    for (error, want) in [
        (DialError::NotFound { host: "x".into() }, Trouble::NameNotFound),
        (DialError::Lookup { host: "x".into(), reason: "x".into() }, Trouble::LookupFailed),
        (unreachable(io::ErrorKind::ConnectionRefused), Trouble::ConnectionRefused),
        (unreachable(io::ErrorKind::HostUnreachable), Trouble::Unreachable),
        (DialError::TimedOut { host: host(), port: 587, within: Duration::ZERO }, Trouble::TimedOut),
    ] {
        assert_eq!(trouble(&UpstreamError::Dial(error)), want);
    }
}
