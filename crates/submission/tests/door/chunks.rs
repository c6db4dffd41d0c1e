//! SS-6: chunks are exact.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::client::soon;
use crate::house::House;

const MESSAGE: &[u8] = b"From: reception@example.test\r\nDate: now\r\nMessage-ID: <1@x.test>\r\n\r\nHello\r\n.\r\n..\r\nMAIL FROM:<>\r\n";

/// Exim CVE-2026-45185: TLS ends in the middle of a chunk, and one byte in the clear comes behind it.
#[tokio::test]
async fn bdat_tls_close() {
    let house = House::open().await;
    for n_sent in [0, 1, MESSAGE.len() - 1] {
        let mut client = house.signed_in().await;
        client.ask("MAIL FROM:<reception@example.test>").await;
        client.ask("RCPT TO:<a@b.test>").await;
        client.send(format!("BDAT {} LAST\r\n", MESSAGE.len())).await;
        client.send_pieces([&MESSAGE[..n_sent]]).await;
        // close_notify, and then FIN: nothing may be stored, nothing answered.
        client.0.close(soon()).await;
    }
    // The next session sees none of it.
    let mut client = house.signed_in().await;
    assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n");
    drop(client);
    house.stop.cancel();
    house.sessions.close();
    house.sessions.wait().await;
    assert!(house.letters().await.is_empty());
}

/// SS-6: the sum of the chunks counts, and is known before they come.
#[tokio::test]
async fn the_sum_of_all_chunks_is_limited() {
    let house = House::open_with(|it| it.max_message_bytes = 200).await;
    let mut client = house.signed_in().await;
    let header = "From: reception@example.test\r\n\r\n";
    for (second, want) in [
        (167, "250 2.0.0 Accepted"),
        (168, "250 2.0.0 Accepted"),
        (169, "552 5.3.4 The message is larger than 200 bytes"),
    ] {
        assert_eq!(header.len(), 32);
        client
            .send(format!(
                "MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 32\r\n{header}BDAT {second} LAST\r\n{}NOOP\r\n",
                "x".repeat(second)
            ))
            .await;
        for code in [250, 250, 250] {
            assert_eq!(client.code().await, code);
        }
        let reply = client.reply().await;
        assert!(reply.starts_with(want), "{second}: {reply}");
        client.expect("250 2.0.0 OK\r\n").await;
    }
    // Too large before the last chunk: said at once, and what was pipelined behind it is still not taken for commands.
    client
        .send(format!(
            "MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 300\r\n{}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
            "x".repeat(300)
        ))
        .await;
    for want in [
        "250 2.1.0 OK",
        "250 2.1.5 OK",
        "552 5.3.4 The message is larger than 200 bytes",
        "503 5.5.1 Say MAIL first",
        "250 2.0.0 OK",
    ] {
        client.expect(&format!("{want}\r\n")).await;
    }
}

/// SS-5 for chunks: a bare line end is refused at the end, also one that two chunks make.
#[tokio::test]
async fn bare_line_ends_in_chunks_are_refused() {
    let house = House::open().await;
    for chunks in [
        ["From: reception@example.test\r\n\r\na\nb", ""],
        ["From: reception@example.test\r\n\r\na\r", "b"],
        ["From: reception@example.test\r\n\r\na", "\r"],
    ] {
        let mut client = house.signed_in().await;
        let [one, two] = chunks;
        client
            .send(format!(
                "MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT {}\r\n{one}BDAT {} LAST\r\n{two}",
                one.len(),
                two.len()
            ))
            .await;
        for code in [250, 250, 250] {
            assert_eq!(client.code().await, code);
        }
        assert!(client.rest().await.starts_with("550 5.5.2 The message has a line end"), "{chunks:?}");
    }
    let mut client = house.signed_in().await;
    client.send("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 31\r\nFrom: reception@example.test\r\n\rBDAT 2 LAST\r\n\na").await;
    for code in [250, 250, 250, 250] {
        assert_eq!(client.code().await, code, "CR and LF in two chunks are one line end");
    }
}

/// However a message is cut into chunks and those into records, it is stored the same.
#[test]
fn any_chunks_make_the_same_letter() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::open());
    let chunks = vec(0..=MESSAGE.len(), 0..6);
    let cuts = vec(any::<Index>(), 0..8);
    let law = TestRunner::new(Config::with_cases(64)).run(&(chunks, cuts), |(mut ends, cuts)| {
        ends.push(MESSAGE.len());
        ends.sort_unstable();
        runtime.block_on(check_chunks(&house, &ends, &cuts));
        Ok(())
    });
    law.unwrap();
}

/// `ends` is where chunks end, `cuts` where records do.
async fn check_chunks(house: &House, ends: &[usize], cuts: &[Index]) {
    let mut bytes = b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n".to_vec();
    let mut from = 0;
    for (n, end) in ends.iter().enumerate() {
        let last = if n + 1 == ends.len() { " LAST" } else { "" };
        bytes.extend_from_slice(format!("BDAT {}{last}\r\n", end - from).as_bytes());
        bytes.extend_from_slice(&MESSAGE[from..*end]);
        from = *end;
    }
    let mut cuts: Vec<usize> = cuts.iter().map(|it| it.index(bytes.len())).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut client = house.signed_in().await;
    let mut start = 0;
    for cut in cuts {
        client.send_pieces([&bytes[start..cut]]).await;
        start = cut;
    }
    for _ in 0..ends.len() + 2 {
        assert_eq!(client.code().await, 250);
    }
    let text = house.text(house.letters().await.last().unwrap().id).await;
    assert!(text.ends_with(MESSAGE), "{}", text.escape_ascii());
}
