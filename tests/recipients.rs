//! Several recipients of one letter, each with an outcome of its own.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;
use std::time::Duration;

use gatepost_testkit::wait_until;
use harness::{Installation, Provider, Smtp, trusting};
use serde_json::{Value, json};

const RECEPTION: &str = "reception@sandbox.test";
const TAKEN: &str = "anna@sandbox.test";
const DEFERRED: &str = "ben@sandbox.test";
const REFUSED: &str = "clara@sandbox.test";
/// As providers say it: over two lines with an address.
const LATER: &str =
    "450-4.2.1 The mailbox is over its rate:\n450 4.2.1 see http://help.example/?id=450 <ben@sandbox.test>";
const NEVER: &str = "550 5.1.1 <clara@sandbox.test>: no such user here - gsmtp 5-20020a17";

fn as_shown(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn recipient<'a>(letter: &'a Value, address: &str) -> &'a Value {
    letter["recipients"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap()
}

/// Who was tried with which result and reply, in order.
fn attempts<'a>(letter: &'a Value, address: &str) -> Vec<(&'a str, &'a str)> {
    let all = letter["attempts"].as_array().unwrap().iter().filter(|it| it["recipient"] == address);
    all.map(|it| (it["result"].as_str().unwrap(), it["reply"].as_str().unwrap())).collect()
}

#[test]
fn of_three_recipients_one_is_sent_one_is_retried_alone_and_one_is_bounced() {
    let provider = Provider::start();
    let house = Installation::towards(&provider.authority(), "");
    house.add_account(RECEPTION, "sandbox", &provider.smtp(), "starttls");
    let password = house.app_password(RECEPTION, &[]);
    provider.fault(&json!({ "fault": "reply", "phase": "rcpt", "recipient": DEFERRED, "text": LATER }));
    provider.fault(&json!({ "fault": "reply", "phase": "rcpt", "recipient": REFUSED, "text": NEVER }));
    let server = house.serve();
    let tls = trusting(Path::new(&server.text("certificate")));
    let mut application = Smtp::sign_in(&server.text("submission_tls"), &tls, &password).unwrap();
    let text = format!(
        "From: <{RECEPTION}>\r\nTo: <{TAKEN}>\r\nSubject: Three of you\r\nMessage-ID: <three@practice.example>\r\n\r\nHello.\r\n"
    );
    // Pipelined on our side, and on the provider's, which offers it.
    let accepted = application.send(RECEPTION, &[TAKEN, DEFERRED, REFUSED], &text).unwrap();
    assert_eq!(accepted.code(), 250, "{}", accepted.0);

    let find =
        || house.letters(&[]).into_iter().find(|it| it["message_id"] == "<three@practice.example>").unwrap();
    let id = find()["id"].as_str().unwrap().to_owned();
    let settled = wait_until(Duration::from_secs(30), || {
        Some(house.letter(&id)).filter(|it| recipient(it, TAKEN)["state"] == "sent")
    });
    let letter = settled.unwrap_or_else(|| panic!("{}", house.letter(&id)));
    assert_eq!(letter["state"], "deferred", "{letter}");
    assert_eq!(recipient(&letter, DEFERRED)["state"], "deferred");
    assert_eq!(recipient(&letter, DEFERRED)["reply"], as_shown(LATER));
    assert_eq!(recipient(&letter, REFUSED)["state"], "failed");
    assert_eq!(recipient(&letter, REFUSED)["reply"], NEVER);
    assert!(letter["next_attempt_at"].is_string(), "{letter}");

    // The sender is told, in the mailbox that the letter came from, with the provider's words.
    let bounce = provider
        .mailboxes()
        .await_message(RECEPTION, |it| it["subject"] != "Three of you")
        .replace("\r\n ", " ");
    assert!(bounce.contains(&format!("Final-Recipient: rfc822; {REFUSED}")), "{bounce}");
    assert!(bounce.contains("Action: failed") && bounce.contains("Status: 5.1.1"), "{bounce}");
    assert!(bounce.contains(NEVER), "{bounce}");
    assert!(!bounce.contains(&format!("Final-Recipient: rfc822; {DEFERRED}")), "{bounce}");
    assert!(!bounce.contains(&format!("Final-Recipient: rfc822; {TAKEN}")), "{bounce}");

    provider.fault(&json!({ "fault": "none" }));
    let retried = house.command(&["outbox", "retry", &id, "--json"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    let done = wait_until(Duration::from_secs(30), || {
        Some(house.letter(&id)).filter(|it| recipient(it, DEFERRED)["state"] == "sent")
    });
    let letter = done.unwrap_or_else(|| panic!("{}", house.letter(&id)));
    assert_eq!(attempts(&letter, TAKEN).len(), 1, "{letter}");
    let deferred = attempts(&letter, DEFERRED);
    assert_eq!(deferred[0], ("deferred", as_shown(LATER).as_str()), "{letter}");
    assert_eq!((deferred.len(), deferred[1].0), (2, "sent"), "{letter}");
    assert_eq!(attempts(&letter, REFUSED)[0], ("failed", NEVER), "{letter}");
    let mailboxes = provider.mailboxes();
    assert_eq!((mailboxes.count(TAKEN, "Three of you"), mailboxes.count(DEFERRED, "Three of you")), (1, 1));
    server.stop();
}
