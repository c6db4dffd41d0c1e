//! Sessions with Dovecot: passwords and tokens, both protocols, both ways to begin TLS, and a large message.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use gatepost_core::{OsRandom, SecretText, SystemClock, World};
use gatepost_net::{Authority, ClientTls, Dialer, Guard, Host, Resolver};
use gatepost_testkit::{Dovecot, DovecotSetup, Slot, take_slot};
use gatepost_upstream::imap::ImapSession;
use gatepost_upstream::pop3::Pop3Session;
use gatepost_upstream::{
    Answer, Credential, Deadlines, Endpoint, Evidence, Phase, SignIn, TlsMode, UpstreamError, imap, pop3,
};
use gatepost_wire::imap::SpecialUse;
use gatepost_wire::message::{MessageId, Sought};
use tokio::io::AsyncWrite;

const USER: &str = "reception@practice.example";
const PASSWORD: &str = "Lakeside 7 \"Anemones\" \\";
const TOKEN_SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

struct House {
    dovecot: Dovecot,
    dialer: Dialer,
    tls: ClientTls,
    _slot: Slot,
}

impl House {
    async fn start() -> Self {
        let slot = tokio::task::spawn_blocking(take_slot).await.unwrap();
        let world = World::new(Arc::new(SystemClock), Arc::new(OsRandom));
        let (authority, _) = Authority::generate(&world).unwrap();
        let issued = authority.issue(&[Host::from(Ipv4Addr::LOCALHOST)], &world).unwrap();
        let certificate = pem("CERTIFICATE", &issued.certificate);
        let key = pem("PRIVATE KEY", issued.key.reveal());
        let dovecot = tokio::task::spawn_blocking(move || {
            Dovecot::start(&DovecotSetup {
                certificate: &certificate,
                key: &key,
                users: &[(USER, PASSWORD)],
                token_secret: &BASE64_STANDARD.encode(TOKEN_SECRET),
            })
        });
        let dovecot = dovecot.await.unwrap();
        let allowed = [dovecot.imap, dovecot.imaps, dovecot.pop3, dovecot.pop3s];
        let allowed = allowed.map(|port| format!("127.0.0.1/32:{port}").parse().unwrap());
        let dialer = Dialer::new(Resolver::system(), Arc::new(Guard::new(allowed.to_vec())));
        let tls = ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap();
        Self { dovecot, dialer, tls, _slot: slot }
    }

    fn endpoint(&self, port: u16) -> Endpoint {
        let is_implicit = [self.dovecot.imaps, self.dovecot.pop3s].contains(&port);
        let tls = if is_implicit { TlsMode::Implicit } else { TlsMode::StartTls };
        Endpoint { host: Ipv4Addr::LOCALHOST.into(), port, tls }
    }

    async fn imap(&self, port: u16, sign_in: &SignIn) -> Result<ImapSession, UpstreamError> {
        let endpoint = self.endpoint(port);
        let deadlines = Deadlines::default();
        let greeted = imap::Greeted::connect(&self.dialer, &self.tls, &endpoint, &deadlines).await?;
        greeted.sign_in(sign_in).await
    }

    async fn pop3(&self, port: u16, sign_in: &SignIn) -> Result<Pop3Session, UpstreamError> {
        let endpoint = self.endpoint(port);
        let deadlines = Deadlines::default();
        let greeted = pop3::Greeted::connect(&self.dialer, &self.tls, &endpoint, &deadlines).await?;
        greeted.sign_in(sign_in).await
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn password(word: &str) -> SignIn {
    SignIn::new(USER.into(), Credential::Password(SecretText::new(word.into())))
}

/// A token for the mailbox, signed with this secret.
fn token(secret: &[u8]) -> SignIn {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"email":"{USER}","sub":"{USER}","iat":1700000000,"exp":4102444800}}"#);
    let signed = format!("{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(&claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref()));
    SignIn::new(USER.into(), Credential::Bearer(SecretText::new(token)))
}

fn sought(id: &str) -> Sought {
    Sought::by_id(MessageId::new(id).unwrap())
}

fn letter(id: &str, body: &str) -> Vec<u8> {
    format!("From: a@x.test\r\nMessage-ID: <{id}>\r\nSubject: x\r\n\r\n{body}").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_and_tokens_sign_in_to_both_protocols_however_tls_begins() {
    let house = House::start().await;
    for (imap, pop3) in [(house.dovecot.imap, house.dovecot.pop3), (house.dovecot.imaps, house.dovecot.pop3s)]
    {
        for sign_in in [password(PASSWORD), token(TOKEN_SECRET)] {
            let mut session = house.imap(imap, &sign_in).await.unwrap_or_else(|error| {
                panic!("{error:?} {}", house.dovecot.log());
            });
            assert!(session.tls_description().unwrap().starts_with("TLSv1.3"));
            assert!(session.capabilities().has("UIDPLUS"));
            assert_eq!(session.select_inbox().await.unwrap().n_messages, 0);
            session.logout().await;
            let mut session = house.pop3(pop3, &sign_in).await.unwrap_or_else(|error| {
                panic!("{error:?} {}", house.dovecot.log());
            });
            assert!(session.tls_description().unwrap().starts_with("TLSv1.3"));
            assert_eq!(session.stat().await.unwrap().n_messages, 0);
            session.quit().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_forged_token_are_refused_in_the_servers_words() {
    let house = House::start().await;
    for (sign_in, is_token) in
        [(password("wrong"), false), (token(b"another secret, another secret, "), true)]
    {
        let error = house.imap(house.dovecot.imaps, &sign_in).await.err().unwrap();
        let UpstreamError::SignInRefused { reply: Answer::Imap(status), about_token } = &error else {
            panic!("{error:?}")
        };
        assert!(status.has_code("AUTHENTICATIONFAILED"), "{status}");
        assert_eq!(about_token.is_some(), is_token, "{about_token:?}");
        let error = house.pop3(house.dovecot.pop3, &sign_in).await.err().unwrap();
        assert!(
            matches!(error.evidence(), Evidence::Reply(Phase::Auth, Answer::Pop3(reply)) if reply.code.as_deref() == Some("AUTH"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_found_by_its_id_read_and_removed() {
    let house = House::start().await;
    let text = [
        &b"X-First: 1\r\nSubject: a letter k7Gq2mZx\r\n"[..],
        &letter("a.1@x.test", ".\r\n..dots\r\nend\r\n"),
    ]
    .concat();
    for n in 0..3 {
        house.dovecot.deliver(USER, None, &letter(&format!("other.{n}@x.test"), "x\r\n"));
    }
    house.dovecot.deliver(USER, None, &text);
    house.dovecot.deliver(USER, Some("Junk"), &letter("spam.1@x.test", "x\r\n"));
    let (wanted, spam) = (sought("a.1@x.test"), sought("<spam.1@x.test>"));
    let missing = sought("1@x.test");
    let by_word = Sought::by_id_or_word(MessageId::new("none@x.test").unwrap(), "k7Gq2mZx").unwrap();

    // POP3 finds it too; nothing is changed.
    let mut session = house.pop3(house.dovecot.pop3s, &password(PASSWORD)).await.unwrap();
    let number = session.find(&wanted).await.unwrap().unwrap();
    assert_eq!(session.find(&missing).await.unwrap(), None);
    assert_eq!(session.find(&by_word).await.unwrap(), Some(number));
    let mut read = Vec::new();
    session.retrieve(number, 10_000, &mut read).await.unwrap();
    assert_eq!(read, text);
    let mut n_ids = 0;
    session.unique_ids(|_, _| n_ids += 1).await.unwrap();
    assert_eq!(n_ids, 4);
    session.quit().await.unwrap();

    let mut session = house.imap(house.dovecot.imap, &password(PASSWORD)).await.unwrap();
    assert_eq!(session.find(&missing).await.unwrap(), None, "a part of an id is not the id");
    let found = session.find(&spam).await.unwrap().unwrap();
    assert_eq!((found.folder.as_str(), found.special_use), ("Junk", Some(SpecialUse::Junk)));
    session.fetch(found.uid, 10_000, &mut tokio::io::sink()).await.unwrap();
    let flags = session.summary(found.uid).await.unwrap().unwrap().flags.unwrap();
    assert!(!flags.contains(&"\\Seen".to_owned()), "reading leaves it unseen: {flags:?}");
    let found = session.find(&wanted).await.unwrap().unwrap();
    assert_eq!((found.folder.as_str(), found.special_use), ("INBOX", None));
    assert_eq!(session.find(&by_word).await.unwrap().unwrap(), found);
    let mut read = Vec::new();
    session.fetch(found.uid, 10_000, &mut read).await.unwrap();
    assert_eq!(read, text);
    let summary = session.summary(found.uid).await.unwrap().unwrap();
    assert_eq!(summary.size_bytes, Some(text.len() as u64));
    session.mark_seen_and_delete(found.uid).await.unwrap();
    assert_eq!(session.find(&wanted).await.unwrap(), None);
    assert_eq!(session.select_inbox().await.unwrap().n_messages, 3, "and no other");
    session.logout().await;

    // What POP3 marks goes with QUIT, and only then (MP-9).
    for is_quit in [false, true] {
        let mut session = house.pop3(house.dovecot.pop3, &password(PASSWORD)).await.unwrap();
        assert_eq!(session.stat().await.unwrap().n_messages, 3);
        session.delete(1).await.unwrap();
        if is_quit {
            session.quit().await.unwrap();
        }
    }
    let mut session = house.pop3(house.dovecot.pop3, &password(PASSWORD)).await.unwrap();
    assert_eq!(session.stat().await.unwrap().n_messages, 2);
}

/// Counts, and notes how much memory the process had at most while it did.
#[derive(Default)]
struct Scale {
    n_bytes: u64,
    most_kib: u64,
    at_next_look: u64,
}

impl AsyncWrite for Scale {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, piece: &[u8]) -> Poll<io::Result<usize>> {
        self.n_bytes += piece.len() as u64;
        if self.n_bytes >= self.at_next_look {
            self.at_next_look = self.n_bytes + 1024 * 1024;
            self.most_kib = self.most_kib.max(resident_kib());
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_thirty_megabytes_is_never_held() {
    const MEGABYTE: u64 = 1_000_000;
    let house = House::start().await;
    {
        let line = format!("{}\r\n", "0123456789".repeat(7));
        let text = letter("large@x.test", &line.repeat(30 * 1_000_000 / line.len()));
        house.dovecot.deliver(USER, None, &text);
    }
    let id = sought("large@x.test");
    let mut session = house.imap(house.dovecot.imaps, &password(PASSWORD)).await.unwrap();
    let uid = session.find(&id).await.unwrap().unwrap().uid;
    let before = resident_kib();
    let mut scale = Scale::default();
    let n_bytes = session.fetch(uid, 40 * MEGABYTE, &mut scale).await.unwrap().unwrap();
    assert_eq!(scale.n_bytes, n_bytes);
    assert!(
        n_bytes > 29 * MEGABYTE && scale.most_kib < before + 10 * 1024,
        "{before} KiB {}",
        scale.most_kib
    );
    session.logout().await;

    let mut session = house.pop3(house.dovecot.pop3s, &password(PASSWORD)).await.unwrap();
    let number = session.find(&id).await.unwrap().unwrap();
    let before = resident_kib();
    let mut scale = Scale::default();
    assert_eq!(session.retrieve(number, 40 * MEGABYTE, &mut scale).await.unwrap(), n_bytes);
    assert!(scale.most_kib < before + 10 * 1024, "{before} KiB {}", scale.most_kib);
}
