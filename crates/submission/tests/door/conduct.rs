//! SS-12: who does not speak SMTP, and who makes too many mistakes.

use std::time::{Duration, Instant};

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
