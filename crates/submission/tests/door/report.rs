//! B10: what the page that waits for the first sign-in hears of this door.

use std::time::Duration;

use gatepost_identity::{DoorEvent, DoorReport, Listening, Protocol, RefusedBecause};
use tokio::time::timeout;

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

async fn listen(house: &House) -> Listening {
    let reports = house.sign_ins.reports();
    reports.listen(house.organisation, house.login, house.app_password).await.unwrap()
}

async fn next(listening: &mut Listening) -> DoorReport {
    timeout(Duration::from_secs(20), listening.next()).await.unwrap()
}

/// Nothing else was reported: a sign-in afterwards is the next thing heard.
async fn expect_nothing_more(house: &House, listening: &mut Listening) {
    drop(house.signed_in().await);
    let report = next(listening).await;
    assert!(matches!(report.event, DoorEvent::SignedIn { .. }), "{report:?}");
}

#[tokio::test]
async fn each_mechanism_is_told_with_the_version_of_tls() {
    let house = House::open().await;
    let mut listening = listen(&house).await;
    let bearer = format!("user={USER}\x01auth=Bearer {}\x01\x01", house.password.reveal().replace(' ', ""));
    let gs2 = format!("n,a={USER},\x01auth=Bearer {}\x01\x01", house.password.reveal().replace(' ', ""));
    for (name, line) in [
        ("PLAIN", format!("AUTH PLAIN {}", plain(USER, house.password.reveal()))),
        ("LOGIN", format!("AUTH LOGIN {}", base64(USER))),
        ("XOAUTH2", format!("AUTH XOAUTH2 {}", base64(bearer))),
        ("OAUTHBEARER", format!("AUTH OAUTHBEARER {}", base64(gs2))),
    ] {
        let mut client = Client::connect_tls(&house).await;
        client.ask("EHLO client.test").await;
        let mut reply = client.ask(&line).await;
        if reply.starts_with("334") && name == "LOGIN" {
            reply = client.ask(&base64(house.password.reveal())).await;
        }
        assert_eq!(reply, "235 2.7.0 Signed in\r\n", "{name}");
        let report = next(&mut listening).await;
        let DoorEvent::SignedIn { app_password, .. } = report.event else { panic!("{report:?}") };
        assert_eq!(app_password, house.app_password);
        assert_eq!((report.tls, report.mechanism), (Some("TLS 1.3"), Some(name)));
        assert_eq!((report.protocol, report.source), (Protocol::Smtp, [127, 0, 0, 1].into()));
    }
}

#[tokio::test]
async fn wrong_password_wrong_user_name_and_no_tls_are_told_apart_to_everybody_who_listens() {
    let house = House::open().await;
    let mut two = [listen(&house).await, listen(&house).await];
    let attempt = async |user: &str, password: &str| {
        let mut client = Client::connect_tls(&house).await;
        client.ask("EHLO client.test").await;
        assert!(client.ask(&format!("AUTH PLAIN {}", plain(user, password))).await.starts_with("535 "));
    };
    attempt(USER, "aaaa bbbb cccc dddd").await;
    attempt("Reception@example.tset", house.password.reveal()).await;
    let mut client = Client::connect(&house).await;
    client.reply().await;
    client.ask("EHLO client.test").await;
    client.ask("QUIT").await;
    for listening in &mut two {
        let (one, two, three) = (next(listening).await, next(listening).await, next(listening).await);
        assert!(
            matches!(
                one.event,
                DoorEvent::Refused { app_password: None, why: RefusedBecause::WrongPassword, .. }
            ),
            "{one:?}"
        );
        let DoorEvent::UnknownUserName { typed, meant } = two.event else { panic!("{two:?}") };
        assert_eq!((typed.as_str(), meant), ("Reception@example.tset", Some(house.app_password)));
        assert!(matches!(three.event, DoorEvent::NoTls), "{three:?}");
        assert_eq!((three.tls, three.mechanism), (None, None));
    }
}

#[tokio::test]
async fn no_tls_is_told_once_a_connection_and_never_of_a_probe() {
    let house = House::open().await;
    let mut listening = listen(&house).await;
    let auth = format!("AUTH PLAIN {}", plain(USER, "wrong"));
    for (lines, is_told) in [
        (vec!["QUIT"], false),
        (vec!["NOOP", "QUIT"], false),
        (vec!["EHLO client.test", "QUIT"], true),
        (vec!["EHLO client.test"], true),
        (vec!["EHLO client.test", auth.as_str(), auth.as_str(), "MAIL FROM:<a@b.test>", "QUIT"], true),
        (vec![auth.as_str()], true),
        (vec!["HELO client.test", "MAIL FROM:<a@b.test>", "RCPT TO:<a@b.test>", "QUIT"], true),
    ] {
        let mut client = Client::connect(&house).await;
        client.reply().await;
        for line in &lines {
            client.ask(line).await;
        }
        drop(client);
        if is_told {
            let report = next(&mut listening).await;
            assert!(matches!(report.event, DoorEvent::NoTls), "{lines:?}: {report:?}");
        }
        expect_nothing_more(&house, &mut listening).await;
    }
    // Whoever begins TLS is told of no more, even when it leaves at once.
    let mut client = Client::connect(&house).await;
    client.reply().await;
    client.ask("EHLO client.test").await;
    client.ask("STARTTLS").await;
    client.begin_tls(&house).await;
    client.ask("EHLO client.test").await;
    client.ask("QUIT").await;
    expect_nothing_more(&house, &mut listening).await;
}
