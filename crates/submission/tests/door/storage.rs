//! SS-18, SS-20, D2: durable before 250, and what is said when that cannot be.

use std::time::Duration;

use gatepost_submission::SendingCaps;

use crate::house::House;

const LETTER: &str = "From: reception@example.test\r\n\r\nHello";

/// D2: whoever was told 250 finds the letter there, with all that was said about it.
#[tokio::test]
async fn what_was_acknowledged_is_stored() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    for n in 1..=5 {
        let reply = client.send_letter(LETTER).await;
        let letters = house.letters().await;
        assert_eq!(letters.len(), n);
        let letter = letters.last().unwrap();
        assert_eq!(reply, format!("250 2.0.0 Accepted as {}\r\n", letter.id));
        assert_eq!(letter.from.as_ref().unwrap().as_str(), "reception@example.test");
    }
}

/// D2, QS-1: while the disk has not confirmed, nobody is told 250. Fails with the feature `broken-early-250`.
#[tokio::test]
async fn nobody_is_told_250_before_the_commit() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    client.open_data().await;
    // Holds the writer, as a slow disk would.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let store = house.it.store.clone();
    let holding = tokio::spawn(async move {
        store
            .write(move |_| {
                let _released = held.lock().unwrap().recv();
                Ok::<_, gatepost_store::StoreError>(())
            })
            .await
    });
    client.send(format!("{LETTER}\r\n.\r\n")).await;
    let early = tokio::time::timeout(Duration::from_millis(300), client.reply()).await;
    assert!(early.is_err(), "the server said {early:?} while the letter was in memory alone");
    release.send(()).unwrap();
    holding.await.unwrap().unwrap();
    assert!(client.reply().await.starts_with("250 2.0.0 Accepted as "));
    assert_eq!(house.letters().await.len(), 1);
}

/// A large body streams through: it is stored in pieces, and comes out as it went in.
#[tokio::test]
async fn a_large_letter_is_stored_whole() {
    let house = House::open_with(|it| it.max_message_bytes = 8 << 20).await;
    let mut client = house.signed_in().await;
    let body: String = (0..100_000).map(|n| format!("line {n}\r\n")).collect();
    assert!(
        client.send_letter(format!("From: reception@example.test\r\n\r\n{body}")).await.starts_with("250 ")
    );
    let text = house.text(house.letters().await[0].id).await;
    assert!(text.ends_with(format!("\r\n\r\n{body}\r\n").as_bytes()));
}

/// QS-5, SS-18: said at MAIL, before a body was sent in vain.
#[tokio::test]
async fn a_full_disk_is_said_at_mail() {
    let house = House::open_with(|it| it.keep_free.percent = 101).await;
    let mut client = house.signed_in().await;
    assert_eq!(client.ask("MAIL FROM:<>").await, "452 4.3.1 Not enough storage\r\n");
    assert_eq!(house.accounts.n_asked(), 0);
}

/// SS-18: overload.
#[tokio::test]
async fn more_letters_at_once_than_there_is_memory_for_are_put_off() {
    let house = House::open_with(|it| it.max_letters_at_once = 1).await;
    let mut one = house.signed_in().await;
    let mut two = house.signed_in().await;
    let mut three = house.signed_in().await;
    two.send("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n").await;
    two.expect("250 2.1.0 OK\r\n").await;
    two.expect("250 2.1.5 OK\r\n").await;
    one.open_data().await;
    let busy = "451 4.3.2 Too many letters are coming in at this moment: try again\r\n";
    assert_eq!(three.ask("MAIL FROM:<>").await, busy);
    assert_eq!(two.ask("DATA").await, busy);
    one.send("From: reception@example.test\r\n\r\n.\r\n").await;
    assert_eq!(one.code().await, 250);
    assert!(two.send_letter(LETTER).await.starts_with("250 "));
}

/// SS-18: the store is gone, and nobody is told 250.
#[tokio::test]
async fn a_store_that_is_gone_is_a_temporary_trouble() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    client.open_data().await;
    // The folder of bodies disappears under it.
    std::fs::remove_dir_all(house.it.folder.path().join("bodies")).unwrap();
    client.send(format!("From: reception@example.test\r\n\r\n{}\r\n.\r\n", "x\r\n".repeat(50_000))).await;
    client.expect("451 4.3.0 Could not store the message: try again\r\n").await;
    assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n");
    assert!(house.letters().await.is_empty());
}

/// SS-20.
#[tokio::test]
async fn a_sending_cap_puts_letters_off() {
    let house = House::open_with(|it| it.caps = SendingCaps { per_minute: Some(2), per_day: Some(3) }).await;
    let mut client = house.signed_in().await;
    let mut late = house.signed_in().await;
    assert!(client.send_letter(LETTER).await.starts_with("250 "));
    // Looked at when MAIL came, and counted when the letter did.
    late.open_data().await;
    assert!(client.send_letter(LETTER).await.starts_with("250 "));
    let a_minute = "450 4.7.1 At most 2 letters a minute for this app password: try again in a minute\r\n";
    assert_eq!(late.ask(&format!("{LETTER}\r\n.")).await, a_minute);
    assert_eq!(client.ask("MAIL FROM:<>").await, a_minute);
    house.it.clock.advance(Duration::from_secs(60));
    assert!(client.send_letter(LETTER).await.starts_with("250 "));
    let a_day = "450 4.7.1 At most 3 letters a day for this app password: try again tomorrow\r\n";
    assert_eq!(client.ask("MAIL FROM:<>").await, a_day);
    assert_eq!(house.letters().await.len(), 3);
}
