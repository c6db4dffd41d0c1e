//! SS-12: who does not speak SMTP, and who makes too many mistakes.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::client::Client;
use crate::house::{House, quick};

/// nginx and others, CVE-2021-3618: a browser is made to send a web request to a mail door.
#[tokio::test]
async fn alpaca_http_on_mail() {
    let house = House::open().await;
    for verb in ["GET", "POST", "HEAD", "PUT", "OPTIONS", "get"] {
        let request = format!(
            "{verb} / HTTP/1.1\r\nHost: mail.example.test\r\nContent-Length: 40\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\n<script>alert(1)</script>"
        );
        let mut client = Client::connect_tls(&house).await;
        client.send(&request).await;
        let said = client.rest().await;
        assert_eq!(said, "421 4.7.0 This is a mail server and speaks SMTP alone\r\n", "{verb}");
        let mut client = Client::connect(&house).await;
        client.send(&request).await;
        assert!(client.rest().await.ends_with("421 4.7.0 This is a mail server and speaks SMTP alone\r\n"));
    }
    assert_eq!(house.accounts.n_asked(), 0);
}

#[tokio::test]
async fn three_unknown_commands_end_a_session_without_sign_in() {
    let house = House::open().await;
    let mut client = Client::connect_tls(&house).await;
    assert_eq!(client.ask("HELP").await, "214 2.0.0 Gatepost takes letters here: see RFC 6409\r\n");
    assert_eq!(client.ask("X-ONE").await, "500 5.5.1 This command is not known here\r\n");
    client.send("X-TWO\n").await;
    client.expect("500 5.5.2 End each line with CRLF\r\n").await;
    client.send("\u{16}\u{3}\u{1}\r\n").await;
    assert_eq!(client.rest().await, "421 4.7.0 This is a mail server and speaks SMTP alone\r\n");
    // Who has signed in may be old and odd.
    let mut client = house.signed_in().await;
    for _ in 0..8 {
        assert_eq!(client.ask("GET /").await, "500 5.5.1 This command is not known here\r\n");
    }
}

/// After ten, each costs time; a letter makes up for them.
#[tokio::test]
async fn many_mistakes_cost_time_until_a_letter_comes() {
    let house = House::open_with(|it| {
        it.spans = quick();
        it.spans.penalty = Duration::from_millis(100);
    })
    .await;
    let mut client = house.signed_in().await;
    let before = Instant::now();
    for _ in 0..12 {
        client.ask("RCPT TO:<a@b.test>").await;
    }
    assert!(before.elapsed() >= Duration::from_millis(200));
    client.send_letter("From: reception@example.test\r\n\r\nHello").await;
    for _ in 0..10 {
        assert_eq!(client.ask("RCPT TO:<a@b.test>").await, "503 5.5.1 Say MAIL first\r\n");
    }
}

/// What a hostile client might say next.
fn utterance() -> impl Strategy<Value = Vec<u8>> {
    let command = select(vec![
        "EHLO x\r\n",
        "RSET\r\n",
        "MAIL FROM:<>\r\n",
        "MAIL FROM:<reception@example.test> SIZE=7\r\n",
        "RCPT TO:<a@b.test>\r\n",
        "DATA\r\n",
        "BDAT 9\r\n",
        "BDAT 0 LAST\r\n",
        "AUTH LOGIN\r\n",
        "VRFY\r\n",
        "From: reception@example.test\r\n\r\n",
        "\r\n.\r\n",
        ".\r\n",
        "\n.\n",
        "\r",
        "\0",
        "NOOP\r\n",
    ]);
    prop_oneof![
        4 => command.prop_map(|it| it.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ]
}

/// SS-22: whatever is said, in the clear, under TLS or signed in, is answered or ended, and breaks nothing.
#[test]
fn no_rubbish_breaks_a_session() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::open());
    let utterances = vec(utterance(), 1..40);
    let law = TestRunner::new(Config::with_cases(192)).run(&(utterances, 0..3), |(utterances, door)| {
        runtime.block_on(check_rubbish(&house, &utterances, door));
        Ok(())
    });
    law.unwrap();
}

async fn check_rubbish(house: &House, utterances: &[Vec<u8>], door: i32) {
    let mut client = match door {
        0 => Client::connect(house).await,
        1 => Client::connect_tls(house).await,
        _ => house.signed_in().await,
    };
    client.send_pieces(utterances.iter().map(Vec::as_slice)).await;
    // Ends whatever the server may still be waiting for.
    client.send_pieces([&b"\r\n.\r\n\r\n.\r\nQUIT\r\nQUIT\r\n"[..]]).await;
    client.rest_lossy().await;
    assert_eq!(house.admission.counts().n_panics, 0);
}
