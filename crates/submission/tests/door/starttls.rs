//! SS-4: what stands behind STARTTLS was not said under TLS.

use crate::client::Client;
use crate::house::House;

/// What an attacker in the middle puts behind the client's command.
const INJECTED: [&str; 5] = [
    "RSET\r\n",
    "NOOP\r\n",
    "EHLO evil.test\r\n",
    "AUTH PLAIN AGEAYQ==\r\n",
    "MAIL FROM:<reception@example.test>\r\n",
];

/// Postfix CVE-2011-0411, James CVE-2021-38542.
#[tokio::test]
async fn starttls_cmd_injection_smtp() {
    let house = House::open().await;
    for injected in INJECTED {
        let bytes = format!("STARTTLS\r\n{injected}");
        let mut client = greeted(&house).await;
        client.send(&bytes).await;
        assert_eq!(client.rest().await, "503 5.5.0 Send nothing behind STARTTLS\r\n", "{injected:?}");
    }
}

/// However the bytes arrive, nothing answers the injected command: the session ends, or the handshake fails over it.
#[tokio::test]
async fn starttls_injection_in_two_segments_is_never_answered() {
    let house = House::open().await;
    for injected in INJECTED {
        let bytes = format!("STARTTLS\r\n{injected}");
        for at in 1..bytes.len() {
            let mut client = greeted(&house).await;
            let (one, two) = bytes.as_bytes().split_at(at);
            client.send_pieces([one, two]).await;
            let heard = client.rest_lossy().await;
            let heard = heard.strip_prefix("220 2.0.0 Begin TLS now\r\n").unwrap_or(&heard);
            let is_refused = heard == "503 5.5.0 Send nothing behind STARTTLS\r\n";
            // Otherwise a TLS alert, or nothing.
            assert!(is_refused || !heard.contains("\r\n"), "{injected:?} split at {at}: {heard:?}");
        }
    }
    assert_eq!(house.accounts.n_asked(), 0);
}

/// The bytes come after the 220 and before the ClientHello.
#[tokio::test]
async fn bytes_between_220_and_the_handshake_end_the_session() {
    let house = House::open().await;
    for injected in INJECTED {
        let mut client = greeted(&house).await;
        client.send("STARTTLS\r\n").await;
        client.expect("220 2.0.0 Begin TLS now\r\n").await;
        client.send_pieces([injected.as_bytes()]).await;
        let heard = client.rest_lossy().await;
        assert!(!heard.contains("250") && !heard.contains("\r\n"), "{injected:?}: {heard:?}");
    }
}

/// SS-11, SS-1: who does not begin TLS is not waited for.
#[tokio::test]
async fn a_handshake_has_its_time() {
    let house = House::open_with(|it| it.spans.handshake = std::time::Duration::from_millis(50)).await;
    let mut client = greeted(&house).await;
    client.send("STARTTLS\r\n").await;
    client.expect("220 2.0.0 Begin TLS now\r\n").await;
    assert_eq!(client.rest().await, "");
}

async fn greeted(house: &House) -> Client {
    let mut client = Client::connect(house).await;
    client.expect("220 mail.example.test ESMTP Gatepost\r\n").await;
    client
}
