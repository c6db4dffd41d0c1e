mod hostile;

use gatepost_core::{SecretText, Trouble};
use static_assertions::assert_not_impl_any;

use gatepost_wire::sasl::Mechanism;

use super::*;
use crate::error::{Evidence, NotTheProtocol};
use crate::sign_in::{Credential, SignIn};
use crate::tests::Act::{Close, Hear, Repeat, Say, Tls};
use crate::tests::{
    Act, Certificate, Heard, LONG_SECRET, PLAIN, Provider, about_token, line_of, password, preferring, say,
    sought, token, trouble, with_long_secret,
};

assert_not_impl_any!(Pop3Session: std::fmt::Debug, Clone);

const GREETING: Act = Say("+OK ready\r\n");
const CAPA: Act = Hear("CAPA");
const IN_THE_CLEAR: Act = Say("+OK\r\nUSER\r\nSTLS\r\n.\r\n");
const INSIDE: Act = Say("+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nSASL LOGIN PLAIN XOAUTH2\r\n.\r\n");

/// Everything a good server says up to the sign-in, by STLS.
fn up_to_sign_in(rest: Vec<Act>) -> Vec<Act> {
    let mut acts = vec![GREETING, CAPA, IN_THE_CLEAR, Hear("STLS"), Say("+OK go\r\n"), Tls, CAPA, INSIDE];
    acts.extend(rest);
    acts
}

async fn connect(provider: &Provider, deadlines: &Deadlines) -> Result<Greeted, UpstreamError> {
    Greeted::connect(&provider.dialer, &provider.client_tls, &provider.endpoint, deadlines).await
}

async fn attempt(mode: TlsMode, acts: Vec<Act>) -> (Result<Pop3Session, UpstreamError>, Heard) {
    attempt_with(Provider::start(mode, Certificate::Good, acts).await, &password()).await
}

async fn attempt_with(provider: Provider, sign_in: &SignIn) -> (Result<Pop3Session, UpstreamError>, Heard) {
    let outcome = match connect(&provider, &Deadlines::default()).await {
        Ok(greeted) => greeted.sign_in(sign_in).await,
        Err(error) => Err(error),
    };
    match outcome {
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

/// A session behind AUTH PLAIN, over implicit TLS.
async fn signed_in(rest: Vec<Act>) -> (Pop3Session, Provider) {
    let mut acts = vec![
        Tls,
        GREETING,
        CAPA,
        INSIDE,
        Hear("AUTH PLAIN"),
        Say("+ \r\n"),
        Hear(PLAIN),
        Say("+OK\r\n"),
        CAPA,
        INSIDE,
    ];
    acts.extend(rest);
    let provider = Provider::start(TlsMode::Implicit, Certificate::Good, acts).await;
    let session =
        connect(&provider, &Deadlines::default()).await.unwrap().sign_in(&password()).await.unwrap();
    (session, provider)
}

#[tokio::test]
async fn a_session_by_stls_signs_in_with_plain_in_two_lines() {
    let acts = up_to_sign_in(vec![
        Hear("AUTH PLAIN"),
        Say("+ \r\n"),
        Hear(PLAIN),
        Say("+OK welcome\r\n"),
        CAPA,
        Say("+OK\r\nTOP\r\nUIDL\r\n.\r\n"),
        Hear("QUIT"),
        Say("+OK bye\r\n"),
    ]);
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    let greeted = connect(&provider, &Deadlines::default()).await.unwrap();
    assert!(!greeted.capabilities().unwrap().stls, "read again inside TLS");
    let session = greeted.sign_in(&password()).await.unwrap();
    assert!(session.capabilities().sasl.is_empty(), "read again after signing in");
    assert!(session.tls_description().unwrap().starts_with("TLSv1.3"));
    session.quit().await.unwrap();
    let heard = provider.heard().await;
    assert_eq!(heard.clear, "CAPA\r\nSTLS\r\n");
    assert!(heard.encrypted.contains("AUTH PLAIN\r\n"), "never with an initial response");
}

#[tokio::test]
async fn the_way_to_sign_in_follows_from_what_is_offered() {
    let ends = |line| [Say(line), CAPA, INSIDE];
    for (offered, sign_in, acts) in [
        (
            "+OK\r\nSASL LOGIN\r\n.\r\n",
            password(),
            vec![
                Hear("AUTH LOGIN"),
                Say("+ VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("+ UGFzc3dvcmQ6\r\n"),
                Hear("aHVudGVyMg=="),
            ],
        ),
        (
            "+OK\r\nUSER\r\n.\r\n",
            password(),
            vec![Hear("USER reception"), Say("+OK\r\n"), Hear("PASS hunter2")],
        ),
        // RFC 2449 §5: a server that does not know CAPA.
        ("-ERR what?\r\n", password(), vec![Hear("USER reception"), Say("+OK\r\n"), Hear("PASS hunter2")]),
        (
            "+OK\r\nSASL OAUTHBEARER\r\n.\r\n",
            token(),
            vec![Hear("AUTH OAUTHBEARER"), Say("+ \r\n"), Hear("bixhPXJlY2VwdGlvbi")],
        ),
        (
            "+OK\r\nSASL XOAUTH2 PLAIN\r\n.\r\n",
            token(),
            vec![Hear("AUTH XOAUTH2"), Say("+\r\n"), Hear("dXNlcj1yZWNl")],
        ),
        (
            "+OK\r\nSASL XOAUTH2 OAUTHBEARER\r\n.\r\n",
            preferring(&[Mechanism::OAuthBearer, Mechanism::XOAuth2], token()),
            // The mechanism, then the token, a line each: some servers take it in no other way.
            vec![Hear("AUTH OAUTHBEARER"), Say("+ \r\n"), Hear("bixhPXJlY2VwdGlvbi")],
        ),
    ] {
        let mut script = vec![Tls, GREETING, CAPA, Say(offered)];
        script.extend(acts);
        script.extend(ends("+OK signed in\r\n"));
        let provider = Provider::start(TlsMode::Implicit, Certificate::Good, script).await;
        let (outcome, _) = attempt_with(provider, &sign_in).await;
        outcome.unwrap_or_else(|error| panic!("{offered}: {error}"));
    }
}

#[tokio::test]
async fn without_a_common_way_nothing_is_sent() {
    let odd = |user: &str, secret: &str| {
        SignIn::new(user.into(), Credential::Password(SecretText::new(secret.into())))
    };
    for (sign_in, offered) in [
        (token(), "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"),
        (token(), "-ERR what?\r\n"),
        (password(), "+OK\r\nSASL GSSAPI XOAUTH2\r\n.\r\n"),
        // What would be two commands is none.
        (odd("reception", "hunter2\r\nDELE 1"), "+OK\r\nUSER\r\n.\r\n"),
        (odd("reception\r\nx", "hunter2"), "+OK\r\nUSER\r\n.\r\n"),
    ] {
        let acts = vec![Tls, GREETING, CAPA, Say(offered)];
        let (outcome, heard) =
            attempt_with(Provider::start(TlsMode::Implicit, Certificate::Good, acts).await, &sign_in).await;
        assert_eq!(trouble(&outcome.err().unwrap()), Trouble::SignInMethodMissing);
        heard.assert_no_credential();
    }
}

#[tokio::test]
async fn a_refused_sign_in_says_what_the_server_said() {
    for (acts, raw, code) in [
        (
            vec![Hear("AUTH PLAIN"), Say("+ \r\n"), Hear(PLAIN), Say("-ERR [AUTH] no\x07\r\n")],
            &b"-ERR [AUTH] no\x07"[..],
            Some("AUTH"),
        ),
        (
            vec![Hear("AUTH PLAIN"), Say("-ERR [sys/temp] later\r\n")],
            b"-ERR [sys/temp] later",
            Some("SYS/TEMP"),
        ),
    ] {
        let (outcome, _) = attempt(TlsMode::StartTls, up_to_sign_in(acts)).await;
        match outcome.err().unwrap() {
            UpstreamError::SignInRefused { reply: crate::Answer::Pop3(reply), about_token: None } => {
                assert_eq!((&reply.raw[..], reply.code.as_deref()), (raw, code));
                assert!(!reply.to_string().contains('\x07'), "escaped where it is shown");
            }
            other => panic!("{other:?}"),
        }
    }
    // What is wrong with a token comes in a challenge, and is answered by an empty line.
    let acts = up_to_sign_in(vec![
        Hear("AUTH XOAUTH2"),
        Say("+ \r\n"),
        Hear("dXNlcj1yZWNl"),
        Say("+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        Hear(""),
        Say("-ERR [AUTH] no dXNlcj1yZWNl here\r\n"),
    ]);
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    match attempt_with(provider, &token()).await.0.err().unwrap() {
        UpstreamError::SignInRefused { about_token, reply } => {
            // OC-8.
            assert_eq!(reply.raw(), b"-ERR [AUTH] no [removed] here");
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
        (Some(Mechanism::Plain), vec![Hear("AUTH PLAIN"), Say("+ \r\n"), Hear("AH")]),
        (
            Some(Mechanism::XOAuth2),
            vec![Hear("AUTH XOAUTH2"), Say("+ \r\n"), Hear("dX"), say(format!("+ {asked}\r\n")), Hear("")],
        ),
        (None, vec![Hear("USER reception"), Say("+OK\r\n"), Hear("PASS correct-horse")]),
    ] {
        let is_token = mechanism == Some(Mechanism::XOAuth2);
        let method = mechanism.map_or_else(|| "USER".to_owned(), |it| format!("SASL {}", it.name()));
        let mut script = vec![Tls, GREETING, CAPA, say(format!("+OK\r\n{method}\r\n.\r\n"))];
        script.extend(acts);
        let line = mechanism.map_or_else(|| LONG_SECRET.to_owned(), line_of);
        script.push(say(format!("-ERR [AUTH] {LONG_SECRET} or {line} it is\r\n")));
        let provider = Provider::start(TlsMode::Implicit, Certificate::Good, script).await;
        match attempt_with(provider, &with_long_secret(is_token)).await.0.err().unwrap() {
            UpstreamError::SignInRefused { reply, about_token } => {
                let words = String::from_utf8_lossy(reply.raw()).into_owned();
                assert_eq!(words, "-ERR [AUTH] [removed] or [removed] it is", "{mechanism:?}");
                let about_token = about_token.map(|it| String::from_utf8(it).unwrap());
                assert_eq!(about_token, is_token.then(|| kept.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_mailbox_is_counted_listed_read_and_emptied() {
    let (mut session, provider) = signed_in(vec![
        Hear("STAT"),
        Say("+OK 2 120 octets\r\n"),
        Hear("UIDL"),
        Say("+OK\r\n1 aa\r\n2 ..bb\r\n.\r\n"),
        Hear("TOP 2 0"),
        Say("+OK\r\nSubject: x\r\n..dot\r\n\r\n.\r\n"),
        Hear("RETR 1"),
        Say("+OK 20 octets\r\nSubject: y\r\n\r\n..\r\nend\r\n"),
        Say(".\r\n"),
        Hear("DELE 1"),
        Say("+OK\r\n"),
        Hear("QUIT"),
        Say("+OK 1 deleted\r\n"),
    ])
    .await;
    assert_eq!(session.stat().await.unwrap().n_messages, 2);
    let mut ids = Vec::new();
    session.unique_ids(|n, id| ids.push((n, id.as_str().to_owned()))).await.unwrap();
    assert_eq!(ids, [(1, "aa".to_owned()), (2, "..bb".to_owned())]);
    assert_eq!(session.header(2).await.unwrap(), b"Subject: x\r\n.dot\r\n\r\n");
    let mut text = Vec::new();
    assert_eq!(session.retrieve(1, 1_000, &mut text).await.unwrap(), 22);
    assert_eq!(text, b"Subject: y\r\n\r\n.\r\nend\r\n");
    session.delete(1).await.unwrap();
    session.quit().await.unwrap();
    provider.heard().await;
}

#[tokio::test]
async fn a_message_is_found_among_the_newest_fifty() {
    let id = sought("a.1@x.test");
    let (mut session, _provider) = signed_in(vec![
        Hear("STAT"),
        Say("+OK 3 99\r\n"),
        Hear("TOP 3 0"),
        Say("+OK\r\nMessage-ID: <b@x.test>\r\n\r\n.\r\n"),
        Hear("TOP 2 0"),
        Say("+OK\r\nMESSAGE-ID:\r\n <a.1@x.test>\r\n\r\n.\r\n"),
        Hear("STAT"),
        Say("+OK 0 0\r\n"),
    ])
    .await;
    assert_eq!(session.find(&id).await.unwrap(), Some(2));
    assert_eq!(session.find(&id).await.unwrap(), None);

    let mut acts = vec![Hear("STAT"), Say("+OK 18446744073709551615 0\r\n")];
    for _ in 0..50 {
        acts.extend([Hear("TOP 18446744073709551"), Say("+OK\r\n\r\n.\r\n")]);
    }
    let (mut session, _provider) = signed_in(acts).await;
    assert_eq!(session.find(&id).await.unwrap(), None, "and no longer than that");
}

#[tokio::test]
async fn what_the_server_refuses_leaves_the_session_as_it_was() {
    let (mut session, _provider) =
        signed_in(vec![Hear("RETR 9"), Say("-ERR no such message\r\n"), Hear("STAT"), Say("+OK 0 0\r\n")])
            .await;
    let error = session.retrieve(9, 100, &mut Vec::new()).await.unwrap_err();
    match error.evidence() {
        Evidence::Reply(Phase::Mailbox, reply) => assert_eq!(reply.raw(), b"-ERR no such message"),
        other => panic!("{other:?}"),
    }
    assert_eq!(session.stat().await.unwrap().n_messages, 0);
}
