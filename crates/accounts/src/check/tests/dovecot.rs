//! Finding the letter in a real server's mailbox, and removing nothing else from it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_core::{OsRandom, SystemClock, TlsMode};
use gatepost_net::{Authority, Guard, Host, Resolver};
use gatepost_testkit::{Dovecot, DovecotSetup, take_slot};
use gatepost_upstream::{Endpoint, imap};

use super::*;
use crate::sending::ReadingServer;

const USER: &str = "reception@practice.example";

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn other(id: &str) -> Vec<u8> {
    format!("From: a@x.test\r\nMessage-ID: <{id}>\r\nSubject: x\r\n\r\nx\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecots_mailbox_gives_the_letter_back_and_keeps_all_others() {
    let _slot = tokio::task::spawn_blocking(take_slot).await.unwrap();
    let world = World::new(Arc::new(SystemClock), Arc::new(OsRandom));
    let (authority, _) = Authority::generate(&world).unwrap();
    let issued = authority.issue(&[Host::from(Ipv4Addr::LOCALHOST)], &world).unwrap();
    let (certificate, key) =
        (pem("CERTIFICATE", &issued.certificate), pem("PRIVATE KEY", issued.key.reveal()));
    let started = tokio::task::spawn_blocking(move || {
        Dovecot::start(&DovecotSetup {
            certificate: &certificate,
            key: &key,
            users: &[(USER, "correct horse")],
            token_secret: "",
        })
    });
    let dovecot = Arc::new(started.await.unwrap());
    dovecot.deliver(USER, None, &other("1@x.test"));
    // Plain EXPUNGE, CLOSE and QUIT after a DELE would take it along.
    dovecot.deliver_deleted(USER, &other("2@x.test"));
    let reach = Reach {
        dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(vec!["127.0.0.1".parse().unwrap()]))),
        tls: ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap(),
        own_name: "gatepost.example".parse().unwrap(),
        arrival: Arrival { looks_every: Duration::from_millis(1), looks_for: LONG },
    };
    for (protocol, folder, want, n_left) in [
        (Imap, None, Outcome::Passed, 2),
        (Imap, Some("Junk"), Outcome::PassedInJunk, 2),
        (Pop3, None, Outcome::Passed, 3),
    ] {
        let server = Arc::clone(&dovecot);
        let house = House::new(|it| {
            it.hands_on = Some(Box::new(move |text| server.deliver(USER, folder, text.as_bytes())));
        });
        let mut mailbox = house.mailbox(None).await;
        let port = if protocol == Imap { dovecot.imaps } else { dovecot.pop3s };
        let endpoint = Endpoint { host: Ipv4Addr::LOCALHOST.into(), port, tls: TlsMode::Implicit };
        let sign_in = mailbox.sign_in().unwrap();
        let imap = Endpoint { port: dovecot.imaps, ..endpoint.clone() };
        mailbox.reads_at(ReadingServer { protocol, endpoint, user_name: USER.into(), is_granted: true });
        let (progress, _watched) = watch::channel(Progress::default());
        let proof = letter();
        let errand = Errand { reach: &reach, proof: &proof, progress: &progress };
        let providers = Providers::embedded();
        let sign_ins = SignIns::default();
        let means = Means { world: &world, catalogue: providers.catalogue(), sign_ins: &sign_ins };
        let mut checking = Checking::new(mailbox, errand, means);
        checking.sending(None).await.unwrap_or_else(|why| panic!("{why}"));
        let read = checking.reading(None).await.unwrap_or_else(|why| panic!("{why}")).unwrap();
        assert_eq!(read.steps.last(), Some(&(Step::Arrival, want)), "{}", dovecot.log());

        let greeted = imap::Greeted::connect(&reach.dialer, &reach.tls, &imap, &deadlines()).await;
        let mut session = greeted.unwrap().sign_in(&sign_in).await.unwrap();
        assert_eq!(session.select_inbox().await.unwrap().n_messages, n_left, "{protocol:?}");
        assert_eq!(session.select("Junk").await.unwrap().n_messages, 0);
        session.logout().await;
    }
}
