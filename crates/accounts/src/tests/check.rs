use std::sync::Arc;

use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_testkit::on_both_engines;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::check::tests::house::{self, House};

on_both_engines!(
    ROOMS;
    a_check_that_signs_in_releases_a_parked_account,
    a_check_that_is_refused_shows_where_and_parks,
    each_step_gets_its_tick_or_cross,
    what_was_tried_stands_where_the_providers_words_would,
    trouble_with_reading_is_told_in_words_about_reading,
    a_check_looks_at_reading_too_and_each_direction_has_its_own_cross,
    a_letter_that_is_taken_ends_what_only_a_letter_ends,
    a_parked_account_that_signs_in_and_may_not_send_is_not_parked_any_more,
    a_paused_account_sends_no_letter,
);

/// A provider on loopback without encryption that says these lines: the first at once, each other after a command.
async fn provider(says: &'static [&'static str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = socket.split();
        let (mut lines, mut heard) = (BufReader::new(reading).lines(), Vec::new());
        for say in says {
            writing.write_all(say.as_bytes()).await.unwrap();
            match lines.next_line().await {
                Ok(Some(line)) => heard.push(line),
                _ => break,
            }
        }
        heard
    });
    (port, task)
}

const GREETING: &str = "220 provider.example ESMTP\r\n";
const EHLO: &str = "250-provider.example\r\n250 AUTH PLAIN\r\n";
const BYE: &str = "221 bye\r\n";

/// Reaches loopback if `allowed` names it.
fn reach(it: &Fixture, allowed: &[&str]) -> Reach {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    Reach {
        dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(allowed))),
        tls: ClientTls::new(&[], &it.it.world).unwrap(),
        own_name: "gatepost.example".parse().unwrap(),
        arrival: Arrival::default(),
    }
}

/// Points the account at this port of loopback, with its password entered anew.
async fn point(it: &Fixture, port: u16, tls: TlsMode) {
    let smtp = Endpoint { host: "127.0.0.1".into(), port, tls };
    let endpoints = Endpoints { smtp, imap: None, pop3: None };
    it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
    let secret = SecretText::new("correct horse".into());
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    it.advance(1);
}

/// Signs in alone.
async fn check(it: &Fixture, reach: &Reach) -> Check {
    check_with(it, reach, &Proof::SignIn).await
}

async fn check_with(it: &Fixture, reach: &Reach, proof: &Proof) -> Check {
    let (progress, _watched) = watch::channel(Progress::default());
    let errand = Errand { reach, proof, progress: &progress };
    it.accounts.check(it.organisation, it.id, errand).await.unwrap_or_else(|why| panic!("{why}"))
}

/// Ticks, then the rule of the cross.
fn shown(check: &Check) -> (Vec<&'static str>, Option<(&'static str, &str)>) {
    shown_of(&check.sending)
}

/// The same of one direction.
fn shown_of(steps: &[(Step, Outcome)]) -> (Vec<&'static str>, Option<(&'static str, &str)>) {
    let passed = steps.iter().filter(|(_, outcome)| *outcome == Outcome::Passed);
    let failed = steps.iter().find_map(|(step, outcome)| match outcome {
        Outcome::Failed { diagnosis, .. } => Some((step.word(), diagnosis.rule.as_str())),
        _ => None,
    });
    (passed.map(|(step, _)| step.word()).collect(), failed)
}

async fn a_check_that_signs_in_releases_a_parked_account(it: TestStore) {
    let it = Fixture::new(it).await;
    let (port, heard) = provider(&[GREETING, EHLO, "235 2.7.0 welcome\r\n", BYE]).await;
    point(&it, port, TlsMode::None).await;
    it.report(refused()).await;
    it.advance(1);
    let check = check(&it, &reach(&it, &["127.0.0.1"])).await;
    assert!(check.is_passed());
    assert_eq!(shown(&check), (vec!["resolve", "connect", "greet", "sign_in"], None));
    let want = Change { before: StatusName::NeedsSignIn, after: StatusName::Connected, released: true };
    assert_eq!(check.change, want);
    // Base64 of NUL, user name, NUL, password (RFC 4616 §2).
    let plain = "AUTH PLAIN AHJlY2VwdGlvbkBleGFtcGxlLm9yZwBjb3JyZWN0IGhvcnNl";
    assert_eq!(heard.await.unwrap(), ["EHLO gatepost.example", plain, "QUIT"]);
}

async fn a_check_that_is_refused_shows_where_and_parks(it: TestStore) {
    let it = Fixture::new(it).await;
    let (port, _heard) = provider(&[GREETING, EHLO, "535 5.7.8 Bad password\r\n"]).await;
    point(&it, port, TlsMode::None).await;
    let check = check(&it, &reach(&it, &["127.0.0.1"])).await;
    assert!(!check.is_passed());
    let (passed, failed) = shown(&check);
    assert_eq!(
        (passed, failed.map(|(step, _)| step)),
        (vec!["resolve", "connect", "greet"], Some("sign_in"))
    );
    assert_eq!(check.change.after, StatusName::NeedsSignIn);
    let sending = it.status().await.sending;
    assert_eq!(sending.reply.as_deref(), Some(&b"535 5.7.8 Bad password"[..]));
    assert_eq!(sending.diagnosis.unwrap().retry, RetryClass::Hold);
}

async fn each_step_gets_its_tick_or_cross(it: TestStore) {
    let it = Fixture::new(it).await;
    let open = reach(&it, &["127.0.0.1"]);
    let check_at = async |port: u16, tls: TlsMode, reach: &Reach| {
        point(&it, port, tls).await;
        check(&it, reach).await
    };

    let check = check_at(587, TlsMode::StartTls, &reach(&it, &[])).await;
    assert_eq!(shown(&check), (vec![], Some(("resolve", "address-not-allowed"))));
    assert_eq!(check.sending.len(), 5, "what was not reached is listed too");

    let check = check_at(gatepost_testkit::free_port(), TlsMode::Implicit, &open).await;
    assert_eq!(shown(&check), (vec!["resolve"], Some(("connect", "connection-refused"))));

    let (port, _heard) = provider(&["HTTP/1.1 400 Bad Request\r\n"]).await;
    let check = check_at(port, TlsMode::StartTls, &open).await;
    assert_eq!(shown(&check), (vec!["resolve", "connect"], Some(("greet", "not-a-mail-server"))));

    let (port, _heard) = provider(&[GREETING, EHLO]).await;
    let check = check_at(port, TlsMode::StartTls, &open).await;
    assert_eq!(shown(&check), (vec!["resolve", "connect", "greet"], Some(("encrypt", "starttls-missing"))));

    let (port, _heard) = provider(&[GREETING]).await;
    let check = check_at(port, TlsMode::Implicit, &open).await;
    assert_eq!(shown(&check), (vec!["resolve", "connect"], Some(("encrypt", "tls-failed"))));
    assert_eq!(check.change.after, StatusName::Failing);

    let (port, _heard) = provider(&[GREETING, "250-provider.example\r\n250 AUTH CRAM-MD5\r\n"]).await;
    let check = check_at(port, TlsMode::None, &open).await;
    let cross = Some(("sign_in", "sign-in-needs-encryption"));
    assert_eq!(shown(&check), (vec!["resolve", "connect", "greet"], cross));
    assert_eq!(check.change.after, StatusName::NeedsSignIn);
    let sending = it.status().await.sending;
    assert!(sending.diagnosis.unwrap().cure.contains("587 with STARTTLS"), "the encryption is named");
}

/// Whoever has to act reads which server, which port and which address were tried, wherever the status is shown.
async fn what_was_tried_stands_where_the_providers_words_would(it: TestStore) {
    let it = Fixture::new(it).await;
    let said = async |port: u16, tls: TlsMode, allowed: &[&str]| {
        point(&it, port, tls).await;
        check(&it, &reach(&it, allowed)).await;
        String::from_utf8(it.status().await.sending.reply.unwrap()).unwrap()
    };
    let port = gatepost_testkit::free_port();
    let refused = said(port, TlsMode::Implicit, &["127.0.0.1"]).await;
    let want = format!(
        "nothing that helps; tried was 127.0.0.1 port {port} with TLS: no connection to 127.0.0.1 port {port} at the address 127.0.0.1: "
    );
    assert!(refused.starts_with(&want), "{refused}");
    it.advance(60);
    let guarded = said(587, TlsMode::StartTls, &[]).await;
    assert!(guarded.contains("tried was 127.0.0.1 port 587 with STARTTLS: "), "{guarded}");
    assert!(guarded.contains("127.0.0.1 is "), "{guarded}");
}

async fn trouble_with_reading_is_told_in_words_about_reading(it: TestStore) {
    let it = Fixture::new(it).await;
    let open = reach(&it, &["127.0.0.1"]);
    let nothing = reading_provider("HTTP/1.1 400 Bad Request\r\n", false).await.0;
    let free = gatepost_testkit::free_port();
    for (port, tls, is_imap, rule, cure) in [
        (free, TlsMode::Implicit, true, "im-connection-refused", "993 with TLS and 143 with STARTTLS"),
        (free, TlsMode::Implicit, false, "pop-connection-refused", "995 with TLS and 110 with STARTTLS"),
        (nothing, TlsMode::StartTls, true, "im-not-a-mail-server", "993 goes with TLS"),
    ] {
        let at = |port, tls| Endpoint { host: "127.0.0.1".into(), port, tls };
        let reading = Some(at(port, tls));
        let (imap, pop3) = if is_imap { (reading, None) } else { (None, reading) };
        let endpoints = Endpoints { smtp: at(free, TlsMode::Implicit), imap, pop3 };
        it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
        let secret = SecretText::new("correct horse".into());
        it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
        it.advance(1);
        check(&it, &open).await;
        let status = it.status().await;
        let shown = status.reading.diagnosis.unwrap();
        assert_eq!(shown.rule, rule);
        assert!(shown.cure.contains(cure) && !shown.cure.contains("587"), "{}", shown.cure);
        assert_eq!(status.sending.diagnosis.unwrap().rule, "connection-refused");
        let tried = String::from_utf8(status.reading.reply.unwrap()).unwrap();
        assert!(tried.contains(&format!("127.0.0.1 port {port} with ")), "{tried}");
    }
}

async fn a_check_looks_at_reading_too_and_each_direction_has_its_own_cross(it: TestStore) {
    let it = Fixture::new(it).await;
    let open = reach(&it, &["127.0.0.1"]);
    let imap = ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n"];
    for (refuses, status) in [(false, StatusName::Connected), (true, StatusName::NeedsSignIn)] {
        let (smtp, _heard) = provider(&[GREETING, EHLO, "235 2.7.0 welcome\r\n", BYE]).await;
        let (reading, _heard) = reading_provider(imap[0], refuses).await;
        let at = |port| Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
        let endpoints = Endpoints { smtp: at(smtp), imap: Some(at(reading)), pop3: None };
        it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
        let secret = SecretText::new("correct horse".into());
        it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
        it.advance(1);
        let check = check(&it, &open).await;
        assert_eq!(shown(&check), (vec!["resolve", "connect", "greet", "sign_in"], None));
        let (passed, failed) = shown_of(check.reading.as_deref().unwrap());
        if refuses {
            assert_eq!(
                (passed, failed.map(|it| it.0)),
                (vec!["resolve", "connect", "greet"], Some("sign_in"))
            );
        } else {
            assert_eq!((passed, failed), (vec!["resolve", "connect", "greet", "sign_in", "open"], None));
        }
        let shown = it.status().await;
        assert_eq!((shown.sending.status, shown.reading.status), (StatusName::Connected, status));
        assert_eq!(check.is_passed(), !refuses);
        assert!(!it.accounts.is_held(it.id), "letters leave even where nothing can be read");
    }
}

/// An IMAP server on loopback without encryption that takes every sign-in, or none.
async fn reading_provider(greeting: &'static str, refuses: bool) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = socket.split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(greeting.as_bytes()).await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let command = command.to_ascii_uppercase();
            let answer = match command.split(' ').next() {
                Some("CAPABILITY") => {
                    format!("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK done\r\n")
                }
                Some("AUTHENTICATE") if refuses => {
                    format!("{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")
                }
                Some("SELECT") => {
                    format!("* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n{tag} OK [READ-WRITE] done\r\n")
                }
                Some("LOGOUT") => format!("* BYE\r\n{tag} OK done\r\n"),
                _ => format!("{tag} OK done\r\n"),
            };
            if writing.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
    });
    (port, task)
}

/// An account whose letters go to this house, which it also reads in.
async fn live_in(it: &Fixture, house: &House) -> Reach {
    let at = |port| Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
    let imap = Some(at(house.door(Some(ReadingProtocol::Imap)).await));
    let endpoints = Endpoints { smtp: at(house.door(None).await), imap, pop3: None };
    it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
    let secret = SecretText::new("correct horse".into());
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    it.advance(1);
    house::reach(&it.it.world, std::time::Duration::from_secs(60))
}

fn letter() -> Proof {
    Proof::Letter { asked_by: "Ana Ortiz".into() }
}

/// 0002: a block or a limit ends when a letter was really sent, and with no sign-in before.
async fn a_letter_that_is_taken_ends_what_only_a_letter_ends(it: TestStore) {
    let it = Fixture::new(it).await;
    let reach = live_in(&it, &House::new(|_| {})).await;
    it.report(blocked()).await;
    it.advance(1);
    assert_eq!(check(&it, &reach).await.change.after, StatusName::Failing);
    let checked = check_with(&it, &reach, &letter()).await;
    assert!(checked.is_passed(), "{checked:?}");
    let want = Change { before: StatusName::Failing, after: StatusName::Connected, released: true };
    assert_eq!(checked.change, want);
}

async fn a_parked_account_that_signs_in_and_may_not_send_is_not_parked_any_more(it: TestStore) {
    let it = Fixture::new(it).await;
    let house = House::new(|it| it.says = vec![("DATA", "550 5.4.5 Daily user sending limit exceeded\r\n")]);
    let reach = live_in(&it, &house).await;
    it.report(refused()).await;
    it.advance(1);
    let checked = check_with(&it, &reach, &letter()).await;
    let crosses: Vec<_> = checked.steps().filter(|it| matches!(it.2, Outcome::Failed { .. })).collect();
    assert!(matches!(crosses.as_slice(), [(Direction::Sending, Step::MaySend, _)]), "{crosses:?}");
    // Not at once: what waits goes on by its own times, one letter first.
    let want = Change { before: StatusName::NeedsSignIn, after: StatusName::Failing, released: false };
    assert_eq!(checked.change, want);
    assert!(!it.accounts.is_held(it.id));
    let status = it.status().await;
    assert_eq!(status.reading.status, StatusName::Connected);
    assert_eq!(status.sending.reply.as_deref(), Some(&b"550 5.4.5 Daily user sending limit exceeded"[..]));
}

async fn a_paused_account_sends_no_letter(it: TestStore) {
    let it = Fixture::new(it).await;
    let house = House::new(|_| {});
    let reach = live_in(&it, &house).await;
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    let checked = check_with(&it, &reach, &letter()).await;
    assert!(checked.is_passed() && checked.steps().all(|(_, step, _)| step != Step::MaySend), "{checked:?}");
    house.with(|it| assert_eq!(it.sent, Vec::<String>::new()));
}
