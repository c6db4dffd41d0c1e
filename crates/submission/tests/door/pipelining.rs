//! RFC 2920, SS-10, and the law that pieces do not matter.

use proptest::test_runner::{Config, TestRunner};

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

/// One segment of commands is answered by one segment of replies.
#[tokio::test]
async fn a_group_is_answered_in_one_piece() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    client.send("EHLO x.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n").await;
    // Under TLS one write is one record, and one record is read at once.
    let bytes = client.0.fill(crate::client::soon()).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.starts_with("250-") && text.contains("\r\n354 "), "{text:?}");
}

/// SS-10.
#[tokio::test]
async fn strangers_wait_for_answers() {
    let house = House::open().await;
    let password = house.password.reveal();
    for group in [
        "EHLO x.test\r\nNOOP\r\n".to_owned(),
        "HELO x.test\r\nNOOP\r\n".to_owned(),
        format!("AUTH PLAIN {}\r\nMAIL FROM:<>\r\n", plain(USER, password)),
        format!("AUTH LOGIN\r\n{}\r\n{}\r\n", base64(USER), base64(password)),
        "DATA\r\nFrom: a@b.test\r\n".to_owned(),
    ] {
        let mut client = Client::connect_tls(&house).await;
        if !group.contains("LO x") {
            client.ask("HELO x.test").await;
        }
        client.send(&group).await;
        assert_eq!(client.rest().await, "503 5.5.0 Wait for the answer before you go on\r\n", "{group:?}");
    }
    // The last response of an exchange must be the last thing said too.
    let mut client = Client::connect_tls(&house).await;
    client.ask("HELO x.test").await;
    client.ask("AUTH PLAIN").await;
    client.send(format!("{}\r\nMAIL FROM:<>\r\n", plain(USER, password))).await;
    assert_eq!(client.rest().await, "503 5.5.0 Wait for the answer before you go on\r\n");
    assert_eq!(house.accounts.n_asked(), 0);
}

/// A client that reads nothing until it has sent everything, far more than fits in any buffer of ours.
#[tokio::test]
async fn a_long_group_is_answered_while_it_is_read() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let n = 3_000;
    client.send("NOOP\r\n".repeat(n)).await;
    for _ in 0..n {
        client.expect("250 2.0.0 OK\r\n").await;
    }
}

const SESSION: &str = "NOOP\r\nMAIL FROM:<reception@example.test> SIZE=10\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<bad\r\nDATA\r\nFrom: reception@example.test\r\n\r\n..\r\n.a\r\n.\r\nMAIL FROM:<boss@example.test>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 33\r\nFrom: reception@example.test\r\n\r\nxBDAT 3 LAST\r\n.\r\nVRFY x\r\nNONSENSE\r\nQUIT\r\n";

const CODES: [u16; 14] = [250, 250, 250, 501, 354, 250, 550, 250, 250, 250, 250, 250, 252, 500];

/// One server for all cases; each has a session of its own.
#[test]
fn any_split_of_a_session_gives_the_same_replies() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::open());
    let cuts = proptest::collection::vec(0..SESSION.len(), 0..12);
    let law = TestRunner::new(Config::with_cases(64)).run(&cuts, |mut cuts| {
        cuts.push(SESSION.len());
        cuts.sort_unstable();
        runtime.block_on(check_split(&house, &cuts));
        Ok(())
    });
    law.unwrap();
}

async fn check_split(house: &House, cuts: &[usize]) {
    let n_before = house.letters().await.len();
    let mut client = house.signed_in().await;
    let mut start = 0;
    for cut in cuts {
        client.send_pieces([&SESSION.as_bytes()[start..*cut]]).await;
        start = *cut;
    }
    for want in CODES {
        assert_eq!(client.code().await, want);
    }
    assert_eq!(client.rest().await, "221 2.0.0 Goodbye\r\n");
    let letters = house.letters().await.split_off(n_before);
    assert_eq!(letters.len(), 2);
    assert!(house.text(letters[0].id).await.ends_with(b"\r\n\r\n.\r\na\r\n"));
    assert!(house.text(letters[1].id).await.ends_with(b"\r\n\r\nx.\r\n"));
}
