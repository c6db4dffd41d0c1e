//! OP-1, OP-2, AP-10: what the log tells, and what it must never hold.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

thread_local! {
    /// What this thread has logged since it began to listen.
    static HEARD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps the log of each thread that listens; a test with a runtime of one thread hears itself alone.
struct Listener;

impl io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(|it| it.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // For the whole process: one for a thread alone misses what other threads have asked for before it.
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        tracing::subscriber::set_global_default(log.with_writer(|| Listener).finish()).unwrap();
    });
    HEARD.set(Some(Vec::new()));
}

/// At the finest level, through a refused sign-in, a refused letter and an accepted one.
#[tokio::test]
async fn the_log_names_ids_and_never_secrets_or_content() {
    listen();
    let house = House::open().await;
    let mut client = Client::connect_tls(&house).await;
    client.ask("HELO canary-client").await;
    // The wrong password, and the right one in the wrong field.
    client.ask(&format!("AUTH PLAIN {}", plain(USER, "canary password"))).await;
    client.ask(&format!("AUTH PLAIN {}", plain(house.password.reveal(), USER))).await;
    client.ask(&format!("AUTH PLAIN {}", plain(USER, house.password.reveal()))).await;
    client.ask("X-CANARY \u{1b}[31m").await;
    client.send_letter("From: canary-from@example.test\r\nSubject: canary-subject\r\n\r\ncanary-body").await;
    client
        .send_letter(
            "From: \"canary-name\" <reception@example.test>\r\nSubject: canary-subject\r\n\r\ncanary-body",
        )
        .await;
    client.ask("QUIT").await;
    client.rest().await;
    house.stop.cancel();
    house.sessions.close();
    house.sessions.wait().await;
    let text = String::from_utf8(HEARD.take().unwrap()).unwrap();
    let letter = &house.letters().await[0];
    for wanted in [
        "sign-in refused",
        "because=\"wrong password\"",
        "because=\"unknown user name\"",
        "user_name=\"r…@example.test\"",
        "signed in to send",
        "letter refused",
        "From: an address that this login may not send as",
        &format!("submission.id={}", letter.id),
        "SMTP session ended",
        "because=the client said QUIT",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in the log:\n{text}");
    }
    let password = house.password.reveal();
    let squeezed = password.replace(' ', "");
    for canary in [
        "canary",
        "CANARY",
        "\u{1b}",
        USER,
        "a@b.test",
        password,
        &squeezed,
        &base64(password),
        &plain(USER, password),
        &base64(USER),
    ] {
        assert!(!text.contains(canary), "{canary} is in the log:\n{text}");
    }
}
