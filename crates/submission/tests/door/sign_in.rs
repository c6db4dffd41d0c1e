//! AP-4, AP-5, AP-7 to AP-11: who gets in, and what happens to those who do not.

use std::time::{Duration, Instant};

use gatepost_identity::AppPasswordLimits;

use crate::client::{Client, plain};
use crate::house::{House, USER, limits, quick};

const REFUSED: &str = "535 5.7.8 Sign-in refused: check user name and app password\r\n";

async fn try_to_sign_in(house: &House, user: &str, password: &str) -> String {
    let mut client = Client::connect_tls(house).await;
    client.ask("HELO client.test").await;
    client.ask(&format!("AUTH PLAIN {}", plain(user, password))).await
}

/// AP-4, AP-5, AP-10: protocol, network, expiry, removal. Each reason looks the same outside.
#[tokio::test]
async fn an_app_password_opens_what_it_is_for() {
    let house = House::open().await;
    let soon = house.it.world.now() + Duration::from_secs(60);
    for (limits, want) in [
        (limits(), "235 2.7.0 Signed in\r\n"),
        (AppPasswordLimits { allowed: "smtp".parse().unwrap(), ..limits() }, "235 2.7.0 Signed in\r\n"),
        (
            AppPasswordLimits { networks: vec!["127.0.0.0/8".parse().unwrap()], ..limits() },
            "235 2.7.0 Signed in\r\n",
        ),
        (AppPasswordLimits { expires_at: Some(soon), ..limits() }, "235 2.7.0 Signed in\r\n"),
        (AppPasswordLimits { allowed: "imap,pop3,api".parse().unwrap(), ..limits() }, REFUSED),
        (AppPasswordLimits { allowed: "api".parse().unwrap(), ..limits() }, REFUSED),
        (AppPasswordLimits { networks: vec!["192.168.1.0/24".parse().unwrap()], ..limits() }, REFUSED),
    ] {
        let shown = format!("{limits:?}");
        let (_, password) = house.create_app_password(limits).await;
        assert_eq!(try_to_sign_in(&house, USER, password.reveal()).await, want, "{shown}");
    }
    let (removed, password) = house.create_app_password(limits()).await;
    house.revoke(removed).await;
    assert_eq!(try_to_sign_in(&house, USER, password.reveal()).await, REFUSED);
    let (_, password) =
        house.create_app_password(AppPasswordLimits { expires_at: Some(soon), ..limits() }).await;
    house.it.clock.advance(Duration::from_secs(60));
    assert_eq!(try_to_sign_in(&house, USER, password.reveal()).await, REFUSED);
    assert_eq!(try_to_sign_in(&house, "nobody@example.test", password.reveal()).await, REFUSED);
}

/// AP-5: of all that people and programs hold, an app password alone opens this door.
#[tokio::test]
async fn no_other_credential_opens_this_door() {
    let house = House::open().await;
    for (kind, secret) in [
        ("a person's password", "correct horse battery staple"),
        ("an access token", "gp_at_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("a refresh token", "gp_rt_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("an API key", "gp_ak_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ] {
        assert_eq!(try_to_sign_in(&house, USER, secret).await, REFUSED, "{kind}");
    }
    assert_eq!(try_to_sign_in(&house, USER, house.password.reveal()).await, "235 2.7.0 Signed in\r\n");
}

/// AP-9; email-oauth2-proxy GHSA-9wgg-m99q-hhfc: nothing upstream is touched for somebody who has not signed in.
#[tokio::test]
async fn upstream_before_auth() {
    let house = House::open().await;
    let mut n_refused = 0;
    for n in 0..1_000 / 3 + 1 {
        let mut client = Client::connect_tls(&house).await;
        client.ask("HELO client.test").await;
        for m in 0..3 {
            let password = format!("aaaa bbbb cccc d{}{}{}", letter(n), letter(n / 26), letter(m));
            let reply = client.ask(&format!("AUTH PLAIN {}", plain(USER, &password))).await;
            assert!(reply.starts_with("535 ") || reply.starts_with("454 4.7.0 Too many wrong"), "{reply}");
            n_refused += 1;
        }
        client.send("MAIL FROM:<reception@example.test>\r\n").await;
        let reply = client.reply().await;
        assert!(reply.starts_with("530 ") || reply.starts_with("421 "), "{reply}");
    }
    assert!(n_refused >= 1_000);
    assert_eq!(house.accounts.n_asked(), 0);
    assert!(house.letters().await.is_empty());
}

fn letter(n: usize) -> char {
    char::from(b'a' + u8::try_from(n % 26).unwrap())
}

/// ID-8 at this door: a guesser is slowed, and told for how long.
#[tokio::test]
async fn a_guesser_is_slowed() {
    let house = House::open().await;
    let mut replies = Vec::new();
    for n in 0..12 {
        replies.push(try_to_sign_in(&house, USER, &format!("aaaa bbbb cccc ddd{}", letter(n))).await);
    }
    assert_eq!(replies[9], REFUSED);
    assert!(
        replies[10].starts_with("454 4.7.0 Too many wrong sign-ins from this address: try again in "),
        "{}",
        replies[10]
    );
    // Nor is a program in a loop answered as fast as it asks: such a try counts as a wrong one.
    let mut client = Client::connect_tls(&house).await;
    client.ask("HELO client.test").await;
    let again = format!("AUTH PLAIN {}", plain(USER, "aaaa bbbb cccc dddd"));
    for _ in 0..3 {
        let reply = client.ask(&again).await;
        assert!(reply.starts_with("454 4.7.0 Too many wrong sign-ins"), "{reply}");
    }
    assert!(client.reply().await.starts_with("421 "));
}

/// AP-10: each wrong try costs time.
#[tokio::test]
async fn a_wrong_try_costs_time() {
    let house = House::open_with(|it| {
        it.spans = quick();
        it.spans.penalty = Duration::from_millis(200);
    })
    .await;
    let before = Instant::now();
    assert_eq!(try_to_sign_in(&house, USER, "wrong").await, REFUSED);
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert!(gatepost_submission::Spans::default().penalty >= Duration::from_secs(1));
}

/// AP-11: who cannot be checked is not told that the password is wrong.
#[tokio::test]
async fn trouble_of_ours_is_no_wrong_password() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    house.stop_watching();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let reply = try_to_sign_in(&house, USER, house.password.reveal()).await;
    assert_eq!(reply, "454 4.7.0 Sign-in is not possible right now: try again\r\n");
    // Design §5, decision 11: nor does somebody who is inside go on with what may be over.
    let reply = client.ask("MAIL FROM:<reception@example.test>").await;
    assert_eq!(reply, "451 4.3.0 Letters cannot be taken right now: try again\r\n");
    assert_eq!(house.accounts.n_asked(), 0);
}

/// AP-11: the same for the choice of an account.
#[tokio::test]
async fn an_account_that_cannot_be_chosen_is_a_temporary_trouble() {
    let house = House::open().await;
    house.accounts.fail();
    let mut client = house.signed_in().await;
    let reply = client.ask("MAIL FROM:<reception@example.test>").await;
    assert_eq!(reply, "451 4.3.0 Letters cannot be taken right now: try again\r\n");
}
