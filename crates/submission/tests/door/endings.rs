//! AP-7, OP-10, SS-11, SS-22: how sessions end that do not end themselves.

use std::time::{Duration, Instant};

use gatepost_identity::AppPasswordLimits;

use crate::client::Client;
use crate::house::{House, limits, quick};

const REMOVED: &str = "421 4.7.0 This app password was removed\r\n";
const STOPPING: &str = "421 4.3.2 Gatepost is stopping: try again\r\n";

/// AP-7: idle, in a transaction and in the middle of a message; another app password of the same login goes on.
#[tokio::test]
async fn a_removed_app_password_ends_its_sessions_within_a_second() {
    let house = House::open().await;
    let (_, other) = house.create_app_password(limits()).await;
    let mut idle = house.signed_in().await;
    let mut in_transaction = house.signed_in().await;
    assert_eq!(in_transaction.ask("MAIL FROM:<>").await, "250 2.1.0 OK\r\n");
    let mut in_message = house.signed_in().await;
    in_message.open_data().await;
    in_message.send("From: reception@example.test\r\n\r\nhalf").await;
    let mut untouched = house.signed_in_with(&other).await;
    let before = Instant::now();
    house.revoke(house.app_password).await;
    for client in [&mut idle, &mut in_transaction, &mut in_message] {
        assert_eq!(client.rest().await, REMOVED);
    }
    // A second, and what a busy machine adds.
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert!(untouched.send_letter("From: reception@example.test\r\n\r\nHello").await.starts_with("250 "));
    assert_eq!(house.letters().await.len(), 1);
}

/// AP-4, AP-7.
#[tokio::test]
async fn an_app_password_that_expires_ends_its_sessions() {
    let house = House::open().await;
    let expires_at = Some(house.it.world.now() + Duration::from_secs(60));
    let (_, password) = house.create_app_password(AppPasswordLimits { expires_at, ..limits() }).await;
    let mut client = house.signed_in_with(&password).await;
    assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n");
    house.it.clock.advance(Duration::from_secs(60));
    assert_eq!(client.rest().await, REMOVED);
}

/// OP-10: who waits is told; a message that is coming may finish.
#[tokio::test]
async fn a_stop_lets_messages_finish() {
    let house = House::open().await;
    let mut stranger = Client::connect_tls(&house).await;
    let mut idle = house.signed_in().await;
    let mut in_message = house.signed_in().await;
    in_message.open_data().await;
    in_message.send("From: reception@example.test\r\n\r\nhalf").await;
    house.stop.cancel();
    assert_eq!(idle.rest().await, STOPPING);
    assert_eq!(stranger.rest().await, STOPPING);
    in_message.send("\r\n.\r\n").await;
    let rest = in_message.rest().await;
    assert!(rest.starts_with("250 2.0.0 Accepted as ") && rest.ends_with(STOPPING), "{rest}");
    assert_eq!(house.letters().await.len(), 1);
    house.sessions.close();
    house.sessions.wait().await;
}

/// OP-10: but not for ever.
#[tokio::test]
async fn a_stop_does_not_wait_for_a_message_that_does_not_end() {
    let house = House::open_with(|it| it.spans.stopping = Duration::from_millis(50)).await;
    let mut client = house.signed_in().await;
    client.open_data().await;
    client.send("From: reception@example.test\r\n\r\nhalf").await;
    house.stop.cancel();
    assert_eq!(client.rest().await, STOPPING);
    assert!(house.letters().await.is_empty());
}

/// SS-11: each phase has its time.
#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let house = House::open_with(|it| it.spans.sign_in = Duration::from_millis(100)).await;
    let mut stranger = Client::connect_tls(&house).await;
    assert_eq!(stranger.rest().await, "421 4.4.2 Nothing came for too long\r\n");
    // Commands do not lengthen it, nor does an exchange that has begun.
    let mut busy = Client::connect_tls(&house).await;
    busy.ask("HELO client.test").await;
    busy.ask("AUTH PLAIN").await;
    assert_eq!(busy.rest().await, "421 4.4.2 Nothing came for too long\r\n");

    // Nor does a flood of them.
    let mut flood = Client::connect_tls(&house).await;
    let n_sent = flood.send_pieces(std::iter::repeat_n(&b"NOOP\r\n"[..], 200_000)).await;
    assert!(n_sent < 200_000, "the server listened to a stranger to the end");

    let house = House::open_with(|it| it.spans.command = Duration::from_millis(100)).await;
    let mut client = house.signed_in().await;
    assert_eq!(client.rest().await, "421 4.4.2 Nothing came for too long\r\n");
}

/// SS-11: a message that drips.
#[tokio::test]
async fn a_message_that_comes_too_slowly_is_given_up() {
    let house = House::open_with(|it| {
        it.spans = quick();
        it.spans.body_grace = Duration::from_millis(100);
    })
    .await;
    let mut client = house.signed_in().await;
    client.open_data().await;
    client.send("From: reception@example.test\r\n\r\n").await;
    assert_eq!(client.rest().await, "421 4.4.2 The message came too slowly\r\n");

    let house = House::open_with(|it| {
        it.spans = quick();
        it.spans.body_longest = Duration::from_millis(100);
    })
    .await;
    let mut client = house.signed_in().await;
    client.ask("MAIL FROM:<>").await;
    client.ask("RCPT TO:<a@b.test>").await;
    client.send("BDAT 1000 LAST\r\nFrom: reception@example.test\r\n\r\n").await;
    assert_eq!(client.rest().await, "421 4.4.2 The message came too slowly\r\n");
    // Nor is one listened to that is fast and has no end.
    let mut client = house.signed_in().await;
    client.open_data().await;
    let line = [&[b'x'; 998][..], b"\r\n"].concat();
    let n_sent = client.send_pieces(std::iter::repeat_n(&line[..], 200_000)).await;
    assert!(n_sent < 200_000, "the server read a message without end");
    assert!(house.letters().await.is_empty());
}

/// SS-22.
#[tokio::test]
async fn a_mistake_of_ours_ends_one_session() {
    let house = House::open().await;
    let mut unlucky = house.signed_in().await;
    let mut other = house.signed_in().await;
    house.accounts.panic(true);
    unlucky.send("MAIL FROM:<>\r\n").await;
    assert_eq!(unlucky.rest().await, "421 4.3.0 Something went wrong here: try again\r\n");
    house.accounts.panic(false);
    assert!(other.send_letter("From: reception@example.test\r\n\r\nHello").await.starts_with("250 "));
    assert_eq!(house.admission.counts().n_panics, 1);
}

/// SS-13: a session that has signed in leaves its place among strangers.
#[tokio::test]
async fn who_has_signed_in_counts_as_such() {
    let house = House::open().await;
    let _stranger = Client::connect_tls(&house).await;
    let _client = house.signed_in().await;
    let counts = house.admission.counts();
    assert_eq!((counts.n_open, counts.n_signed_in), (2, 1));
}
