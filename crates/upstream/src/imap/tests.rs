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

assert_not_impl_any!(ImapSession: std::fmt::Debug, Clone);

const GREETING: Act = Say("* OK ready\r\n");
const CAPABILITY: Act = Hear("g1 CAPABILITY");
const IN_THE_CLEAR: Act = Say("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\ng1 OK done\r\n");
const STARTTLS: Act = Hear("g2 STARTTLS");
const INSIDE: Act =
    Say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=LOGIN AUTH=PLAIN AUTH=XOAUTH2\r\ng1 OK done\r\n");

/// Everything a good server says up to the sign-in, by STARTTLS; the next tag is `g4`.
fn up_to_sign_in(rest: Vec<Act>) -> Vec<Act> {
    let mut acts = vec![
        GREETING,
        CAPABILITY,
        IN_THE_CLEAR,
        STARTTLS,
        Say("g2 OK go\r\n"),
        Tls,
        Hear("g3 CAPABILITY"),
        Say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2\r\ng3 OK done\r\n"),
    ];
    acts.extend(rest);
    acts
}

async fn connect(provider: &Provider, deadlines: &Deadlines) -> Result<Greeted, UpstreamError> {
    Greeted::connect(&provider.dialer, &provider.client_tls, &provider.endpoint, deadlines).await
}

async fn attempt(mode: TlsMode, acts: Vec<Act>) -> (Result<ImapSession, UpstreamError>, Heard) {
    attempt_with(Provider::start(mode, Certificate::Good, acts).await, &password()).await
}

async fn attempt_with(provider: Provider, sign_in: &SignIn) -> (Result<ImapSession, UpstreamError>, Heard) {
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

/// A session over implicit TLS; the next tag is `g3`.
async fn signed_in_with(capabilities: &'static str, rest: Vec<Act>) -> (ImapSession, Provider) {
    let mut acts = vec![Tls, GREETING, CAPABILITY, INSIDE, Hear("g2 AUTHENTICATE PLAIN"), Say(capabilities)];
    acts.extend(rest);
    let provider = Provider::start(TlsMode::Implicit, Certificate::Good, acts).await;
    let session =
        connect(&provider, &Deadlines::default()).await.unwrap().sign_in(&password()).await.unwrap();
    (session, provider)
}

async fn signed_in(rest: Vec<Act>) -> (ImapSession, Provider) {
    signed_in_with("g2 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n", rest).await
}

#[tokio::test]
async fn a_session_by_starttls_signs_in_with_plain() {
    let acts = up_to_sign_in(vec![
        Hear("g4 AUTHENTICATE PLAIN AHJlY2VwdGlvbgBodW50ZXIy"),
        Say("* OK [ALERT] quota\x07\r\n* CAPABILITY IMAP4rev1 IDLE\r\ng4 OK in\r\n"),
        Hear("g5 LOGOUT"),
        Say("* BYE see you\r\ng5 OK out\r\n"),
    ]);
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    let greeted = connect(&provider, &Deadlines::default()).await.unwrap();
    assert!(!greeted.capabilities().has("STARTTLS"), "read again inside TLS");
    let session = greeted.sign_in(&password()).await.unwrap();
    assert!(session.capabilities().has("IDLE"), "read again after signing in");
    assert!(session.tls_description().unwrap().starts_with("TLSv1.3"));
    assert_eq!(session.alerts(), [b"[ALERT] quota\x07"]);
    session.logout().await;
    let heard = provider.heard().await;
    assert_eq!(heard.clear, "g1 CAPABILITY\r\ng2 STARTTLS\r\n");
    assert!(heard.encrypted.ends_with("g5 LOGOUT\r\n"));
}

#[tokio::test]
async fn the_way_to_sign_in_follows_from_what_is_offered() {
    for (offered, sign_in, acts) in [
        (
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng1 OK\r\n",
            password(),
            vec![Hear("g2 AUTHENTICATE PLAIN"), Say("+ \r\n"), Hear(PLAIN)],
        ),
        (
            "* CAPABILITY IMAP4rev1 SASL-IR AUTH=LOGIN\r\ng1 OK\r\n",
            password(),
            vec![
                Hear("g2 AUTHENTICATE LOGIN"),
                Say("+ VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("+ UGFzc3dvcmQ6\r\n"),
                Hear("aHVudGVyMg=="),
            ],
        ),
        ("* CAPABILITY IMAP4rev1\r\ng1 OK\r\n", password(), vec![Hear("g2 LOGIN \"reception\" \"hunter2\"")]),
        (
            "* CAPABILITY IMAP4rev1 auth=oauthbearer SASL-IR\r\ng1 OK\r\n",
            token(),
            vec![Hear("g2 AUTHENTICATE OAUTHBEARER bixhPXJlY2VwdGlvbi")],
        ),
        (
            "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER\r\ng1 OK\r\n",
            token(),
            vec![Hear("g2 AUTHENTICATE XOAUTH2"), Say("+\r\n"), Hear("dXNlcj1yZWNl")],
        ),
        (
            "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER\r\ng1 OK\r\n",
            preferring(&[Mechanism::OAuthBearer, Mechanism::XOAuth2], token()),
            vec![Hear("g2 AUTHENTICATE OAUTHBEARER bixhPXJlY2VwdGlvbi")],
        ),
        (
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\ng1 OK\r\n",
            preferring(&[Mechanism::Login, Mechanism::Plain], password()),
            vec![
                Hear("g2 AUTHENTICATE LOGIN"),
                Say("+ VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("+ UGFzc3dvcmQ6\r\n"),
                Hear("aHVudGVyMg=="),
            ],
        ),
    ] {
        let mut script = vec![Tls, GREETING, CAPABILITY, Say(offered)];
        script.extend(acts);
        script.extend([
            Say("g2 OK in\r\n"),
            Hear("g3 CAPABILITY"),
            Say("* CAPABILITY IMAP4rev1\r\ng3 OK\r\n"),
        ]);
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
        (token(), "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ng1 OK\r\n"),
        (password(), "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED\r\ng1 OK\r\n"),
        // What would be two commands is none.
        (odd("reception", "hunter2\r\nx LOGOUT"), "* CAPABILITY IMAP4rev1\r\ng1 OK\r\n"),
        (odd("reception\r\n", "hunter2"), "* CAPABILITY IMAP4rev1\r\ng1 OK\r\n"),
    ] {
        let acts = vec![Tls, GREETING, CAPABILITY, Say(offered)];
        let (outcome, heard) =
            attempt_with(Provider::start(TlsMode::Implicit, Certificate::Good, acts).await, &sign_in).await;
        assert_eq!(trouble(&outcome.err().unwrap()), Trouble::SignInMethodMissing, "{offered}");
        heard.assert_no_credential();
    }
}

#[tokio::test]
async fn a_refused_sign_in_says_what_the_server_said() {
    for (answer, raw, code) in [
        (
            "* NO [WEBALERT https://x.test/] Web login required.\r\ng4 NO [AUTHENTICATIONFAILED] no\x07\r\n",
            &b"g4 NO [AUTHENTICATIONFAILED] no\x07"[..],
            Some("AUTHENTICATIONFAILED"),
        ),
        (
            "g4 BAD User is authenticated but not connected.\r\n",
            b"g4 BAD User is authenticated but not connected.",
            None,
        ),
    ] {
        let acts = up_to_sign_in(vec![Hear("g4 AUTHENTICATE"), Say(answer)]);
        let (outcome, _) = attempt(TlsMode::StartTls, acts).await;
        match outcome.err().unwrap() {
            UpstreamError::SignInRefused { reply: crate::Answer::Imap(status), about_token: None } => {
                assert_eq!((&status.raw[..], status.code.as_ref().map(|it| it.name.as_str())), (raw, code));
                assert!(!status.to_string().contains('\x07'), "escaped where it is shown");
            }
            other => panic!("{other:?}"),
        }
    }
    // LOGIN is refused in the same way.
    let acts = vec![
        Tls,
        GREETING,
        CAPABILITY,
        Say("* CAPABILITY IMAP4rev1\r\ng1 OK\r\n"),
        Hear("g2 LOGIN"),
        Say("g2 NO no\r\n"),
    ];
    let (outcome, _) = attempt(TlsMode::Implicit, acts).await;
    assert!(matches!(outcome.err(), Some(UpstreamError::SignInRefused { .. })));
    // What is wrong with a token comes in a challenge, and is answered by an empty line.
    let acts = up_to_sign_in(vec![
        Hear("g4 AUTHENTICATE XOAUTH2 dXNlcj1yZWNl"),
        Say("+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        Hear(""),
        Say("g4 NO AUTHENTICATE failed.\r\n"),
    ]);
    let provider = Provider::start(TlsMode::StartTls, Certificate::Good, acts).await;
    match attempt_with(provider, &token()).await.0.err().unwrap() {
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
    for (n, (mechanism, more, acts)) in [
        (Some(Mechanism::Plain), "SASL-IR", vec![Hear("g2 AUTHENTICATE PLAIN AH")]),
        (Some(Mechanism::Plain), "", vec![Hear("g2 AUTHENTICATE PLAIN"), Say("+ \r\n"), Hear("AH")]),
        (
            Some(Mechanism::Login),
            "",
            vec![
                Hear("g2 AUTHENTICATE LOGIN"),
                Say("+ VXNlcm5hbWU6\r\n"),
                Hear("cmVjZXB0aW9u"),
                Say("+ UGFzc3dvcmQ6\r\n"),
                Hear("Y29y"),
            ],
        ),
        (
            Some(Mechanism::XOAuth2),
            "SASL-IR",
            vec![Hear("g2 AUTHENTICATE XOAUTH2 dX"), say(format!("+ {asked}\r\n")), Hear("")],
        ),
        (None, "", vec![Hear("g2 LOGIN \"reception\" \"correct-horse")]),
    ]
    .into_iter()
    .enumerate()
    {
        let is_token = mechanism == Some(Mechanism::XOAuth2);
        let method = mechanism.map_or_else(String::new, |it| format!("AUTH={}", it.name()));
        let offered = format!("* CAPABILITY IMAP4rev1 {more} {method}\r\ng1 OK\r\n");
        let mut script = vec![Tls, GREETING, CAPABILITY, say(offered)];
        script.extend(acts);
        let line = mechanism.map_or_else(|| LONG_SECRET.to_owned(), line_of);
        script.push(say(format!("g2 NO {LONG_SECRET} or {line} it is\r\n")));
        let provider = Provider::start(TlsMode::Implicit, Certificate::Good, script).await;
        match attempt_with(provider, &with_long_secret(is_token)).await.0.err().unwrap() {
            UpstreamError::SignInRefused { reply, about_token } => {
                let words = String::from_utf8_lossy(reply.raw()).into_owned();
                assert_eq!(words, "g2 NO [removed] or [removed] it is", "case {n}");
                let about_token = about_token.map(|it| String::from_utf8(it).unwrap());
                assert_eq!(about_token, is_token.then(|| kept.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_is_found_read_and_removed() {
    let id = sought("a.1@x.test");
    let (mut session, provider) = signed_in_with("g2 OK [CAPABILITY IMAP4rev1 UIDPLUS ID] in\r\n", vec![
        Hear(concat!("g3 ID (\"name\" \"Gatepost\" \"version\" \"", env!("CARGO_PKG_VERSION"), "\")")),
        Say("* ID NIL\r\ng3 OK\r\n"),
        Hear("g4 SELECT \"INBOX\""),
        Say("* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 12] x\r\ng4 OK [READ-WRITE] done\r\n"),
        Hear("g5 UID SEARCH HEADER Message-ID \"a.1@x.test\""),
        // Another message that only has the text in its id, and is newer.
        Say("* SEARCH 4 11\r\ng5 OK\r\n"),
        Hear("g6 UID FETCH 11 (UID BODY.PEEK[HEADER])"),
        Say("* 3 FETCH (UID 11 BODY[HEADER] {29}\r\nMessage-ID: <xa.1@x.test>\r\n\r\n)\r\ng6 OK\r\n"),
        Hear("g7 UID FETCH 4 (UID BODY.PEEK[HEADER])"),
        Say("* 3 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (BODY[HEADER] {30}\r\nMessage-ID:\r\n <a.1@x.test>\r\n\r\n UID 4)\r\ng7 OK\r\n"),
        Hear("g8 UID FETCH 4 (UID BODY.PEEK[])"),
        Say("* 1 FETCH (UID 4 BODY[] {12}\r\na)\r\n.\r\ng8 OK)\r\ng8 OK done\r\n"),
        Hear("g9 UID FETCH 4 (UID FLAGS INTERNALDATE RFC822.SIZE)"),
        Say("* 1 FETCH (UID 4 FLAGS () RFC822.SIZE 12 INTERNALDATE \"01-Jan-2027 00:00:01 +0000\")\r\ng9 OK\r\n"),
        Hear("g10 UID STORE 4 +FLAGS.SILENT (\\Seen \\Deleted)"),
        Say("g10 OK\r\n"),
        Hear("g11 UID EXPUNGE 4"),
        Say("* 1 EXPUNGE\r\ng11 OK\r\n"),
        Hear("g12 UID FETCH 4"),
        Say("g12 OK nothing\r\n"),
    ])
    .await;
    let open = session.select_inbox().await.unwrap();
    assert_eq!((open.n_messages, open.uid_validity, open.uid_next), (3, Some(7), Some(12)));
    // As `find` does after opening INBOX.
    let mut sink = Vec::new();
    let found = session.find_in_open(&id).await.unwrap();
    assert_eq!(found, Some(4));
    assert_eq!(session.fetch(4, 100, &mut sink).await.unwrap(), Some(12));
    assert_eq!(sink, b"a)\r\n.\r\ng8 OK");
    assert_eq!(session.summary(4).await.unwrap().unwrap().size_bytes, Some(12));
    session.mark_seen_and_delete(4).await.unwrap();
    assert_eq!(session.fetch(4, 100, &mut sink).await.unwrap(), None);
    drop(session);
    provider.heard().await;
}

#[tokio::test]
async fn a_message_that_is_not_in_inbox_is_looked_for_where_letters_to_oneself_go() {
    let id = sought("a.1@x.test");
    let (mut session, _provider) = signed_in(vec![
        Hear("g3 SELECT \"INBOX\""),
        Say("g3 OK\r\n"),
        Hear("g4 UID SEARCH"),
        Say("* SEARCH\r\ng4 OK\r\n"),
        Hear("g5 LIST"),
        Say("* LIST (\\Noselect \\All) \"/\" Nowhere\r\n* LIST (\\Junk) \"/\" Spam\r\n* LIST (\\All) \"/\" \"[Gmail]/All Mail\"\r\n* LIST () \"/\" INBOX\r\ng5 OK\r\n"),
        Hear("g6 SELECT \"Spam\""),
        Say("g6 NO [SERVERBUG] cannot\r\n"),
        Hear("g7 SELECT \"[Gmail]/All Mail\""),
        Say("g7 OK\r\n"),
        Hear("g8 UID SEARCH"),
        Say("* SEARCH 9\r\ng8 OK\r\n"),
        Hear("g9 UID FETCH 9"),
        Say("* 1 FETCH (UID 9 BODY[HEADER] \"Message-ID: <a.1@x.test>\")\r\ng9 OK\r\n"),
    ])
    .await;
    let found = session.find(&id).await.unwrap().unwrap();
    assert_eq!((found.folder.as_str(), found.uid), ("[Gmail]/All Mail", 9));
}

/// RFC 2971 §3.1: what a server makes of it must not matter.
#[tokio::test]
async fn a_server_is_told_who_we_are_where_it_wants_to_know_and_may_refuse_it() {
    for answer in ["g3 NO not now\r\n", "g3 BAD what?\r\n", "* ID (\"name\" \"x\")\r\ng3 OK\r\n"] {
        let acts = vec![
            Hear("g3 ID (\"name\" \"Gatepost\" \"version\" "),
            Say(answer),
            Hear("g4 SELECT"),
            Say("g4 OK\r\n"),
        ];
        let (mut session, _provider) = signed_in_with("g2 OK [CAPABILITY IMAP4rev1 ID] in\r\n", acts).await;
        session.select_inbox().await.unwrap_or_else(|error| panic!("{answer}: {error}"));
    }
}

/// RFC 4315 §1: plain EXPUNGE would remove what others have marked.
#[tokio::test]
async fn without_uidplus_nothing_is_expunged() {
    let (mut session, provider) = signed_in_with(
        "g2 OK [CAPABILITY IMAP4rev1] in\r\n",
        vec![Hear("g3 UID STORE 4"), Say("g3 OK\r\n"), Hear("g4 LOGOUT"), Say("* BYE\r\n"), Close],
    )
    .await;
    session.mark_seen_and_delete(4).await.unwrap();
    session.logout().await;
    assert!(!provider.heard().await.encrypted.contains("EXPUNGE"));
}

#[tokio::test]
async fn what_the_server_refuses_leaves_the_session_as_it_was() {
    let (mut session, _provider) = signed_in(vec![
        Hear("g3 SELECT \"Nowhere\""),
        Say("g3 NO [NONEXISTENT] Unknown Mailbox\r\n"),
        Hear("g4 SELECT \"INBOX\""),
        Say("* 1 EXISTS\r\ng4 OK\r\n"),
    ])
    .await;
    let error = session.select("Nowhere").await.unwrap_err();
    match error.evidence() {
        Evidence::Reply(Phase::Mailbox, reply) => {
            assert_eq!(reply.raw(), b"g3 NO [NONEXISTENT] Unknown Mailbox");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(session.select_inbox().await.unwrap().n_messages, 1);
}
