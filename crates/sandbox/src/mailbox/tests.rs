use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{EmailAddress, SecretText, World};
use gatepost_testkit::{fresh_folder, world};
use gatepost_wire::sasl::Secret;
use proptest::prelude::*;

use super::*;

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn open(folder: &Path, world: &World) -> Arc<Mailboxes> {
    Arc::new(Mailboxes::open(folder, world).unwrap())
}

async fn deliver(mailboxes: &Arc<Mailboxes>, message: &str, to: &[&str]) -> MessageId {
    let mut incoming = mailboxes.receive().await.unwrap();
    incoming.write(message.as_bytes()).await.unwrap();
    mailboxes.deliver(incoming, to.iter().map(|it| address(it)).collect()).await.unwrap()
}

fn password(text: &str) -> Secret {
    Secret::Password(SecretText::new(text.to_owned()))
}

fn token(text: &str) -> Secret {
    Secret::BearerToken(SecretText::new(text.to_owned()))
}

fn secret(text: &str) -> Option<SecretText> {
    Some(SecretText::new(text.to_owned()))
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()));
        }
    }
    found
}

const LETTER: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@sandbox.test>\r\nTo: ana@sandbox.test, \"B, o\" <bo@sandbox.test>\r\n\
     Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1@x.test>\r\n\r\nHello\r\n";

#[tokio::test]
async fn a_message_lies_in_each_mailbox_and_survives_a_restart() {
    let (folder, (world, clock)) = (fresh_folder(), world());
    let mailboxes = open(folder.path(), &world);
    let first = deliver(&mailboxes, LETTER, &["ana@sandbox.test", "bo@sandbox.test"]).await;
    clock.advance(Duration::from_secs(1));
    let second = deliver(&mailboxes, "Subject: two\r\n\r\n", &["ana@sandbox.test"]).await;
    for mailboxes in [mailboxes, open(folder.path(), &world)] {
        let ana = mailboxes.messages(&address("ANA@sandbox.test"));
        assert_eq!(ana.iter().map(|it| it.id).collect::<Vec<_>>(), [first, second]);
        assert_eq!(ana[0].subject, "Grüße");
        assert_eq!(ana[0].from, "Jörg <joerg@sandbox.test>");
        assert_eq!(ana[0].to, "ana@sandbox.test, B, o <bo@sandbox.test>");
        assert_eq!(ana[0].message_id, "1@x.test");
        assert_eq!(ana[0].size_bytes, LETTER.len() as u64);
        assert_eq!(ana[0].id.received_at().to_string(), "2026-11-21T09:12:00.000Z");
        assert_eq!(mailboxes.messages(&address("bo@sandbox.test")).len(), 1);
        let (_, path) = mailboxes.find_message(&address("bo@sandbox.test"), first).unwrap();
        assert_eq!(fs::read(path).unwrap(), LETTER.as_bytes());
        assert!(mailboxes.find_message(&address("bo@sandbox.test"), second).is_none());
    }
}

#[tokio::test]
async fn after_a_kill_a_mailbox_holds_a_message_whole_or_not_at_all() {
    let (folder, (world, _)) = (fresh_folder(), world());
    let mailboxes = open(folder.path(), &world);
    deliver(&mailboxes, LETTER, &["ana@sandbox.test"]).await;
    let mut half = mailboxes.receive().await.unwrap();
    half.write(&vec![b'x'; 200_000]).await.unwrap();
    let mailboxes_folder = folder.path().join("mailboxes");
    // While it comes, no mailbox has any of it.
    assert_eq!(files(&mailboxes_folder).iter().filter(|(name, _)| name.ends_with(".eml")).count(), 1);
    // A kill: nothing is dropped, nothing is tidied up. A folder without its record is what another kill leaves.
    std::mem::forget(half);
    fs::create_dir(mailboxes_folder.join("00000000000000aa")).unwrap();
    fs::write(mailboxes_folder.join("00000000000000aa/mailbox.json.new"), "{\"addr").unwrap();
    assert_eq!(files(&folder.path().join("incoming")).len(), 1);
    let reopened = open(folder.path(), &world);
    assert_eq!(reopened.overview().len(), 1);
    assert_eq!(reopened.messages(&address("ana@sandbox.test")).len(), 1);
    assert_eq!(files(&folder.path().join("incoming")), []);
    assert!(!mailboxes_folder.join("00000000000000aa").exists());
}

#[tokio::test]
async fn a_message_that_is_given_up_leaves_nothing() {
    let (folder, (world, _)) = (fresh_folder(), world());
    let mailboxes = open(folder.path(), &world);
    let mut incoming = mailboxes.receive().await.unwrap();
    incoming.write(b"half").await.unwrap();
    drop(incoming);
    assert_eq!(files(folder.path()), []);
}

#[tokio::test]
async fn ids_rise_across_restarts_and_clocks_set_back() {
    let (folder, (world, clock)) = (fresh_folder(), world());
    let mut last = None;
    for _ in 0..3 {
        let mailboxes = open(folder.path(), &world);
        for _ in 0..3 {
            let id = deliver(&mailboxes, LETTER, &["ana@sandbox.test"]).await;
            assert!(last < Some(id));
            last = Some(id);
        }
        clock.set(clock_start_minus_an_hour());
    }
}

fn clock_start_minus_an_hour() -> gatepost_core::Timestamp {
    gatepost_testkit::ManualClock::START - Duration::from_secs(3_600)
}

#[test]
fn every_address_opens_with_sandbox_until_it_has_a_password() {
    let (folder, (world, _)) = (fresh_folder(), world());
    let ana = address("ana@sandbox.test");
    let mailboxes = open(folder.path(), &world);
    assert_eq!(mailboxes.check(&ana, &password("sandbox")), Verdict::Good(SignInAs::ByPassword));
    assert_eq!(mailboxes.check(&ana, &token("sandbox")), Verdict::Refused);
    let change = CredentialChange {
        password: secret("secret"),
        app_password: secret("abcdefghijklmnop"),
        token: secret("ya29.token"),
        members: Some(vec![address("bo@sandbox.test")]),
    };
    mailboxes.change(&ana, |it| it.change(change, &world)).unwrap();
    mailboxes.change(&ana, |it| it.change(CredentialChange::default(), &world)).unwrap();
    for mailboxes in [mailboxes, open(folder.path(), &world)] {
        let opens = |secret| mailboxes.check(&address("Ana@sandbox.test"), &secret).sign_in().is_some();
        assert!(opens(password("secret")));
        assert!(opens(password("abcd efgh ijkl mnop")));
        assert!(opens(token("ya29.token")));
        assert!(!opens(password("sandbox")));
        assert!(!opens(password("ya29.token")));
        assert!(!opens(token("secret")));
        let shared = mailboxes.credentials(&ana);
        assert!(shared.is_shared_with(&address("Bo@sandbox.test")) && !shared.is_shared_with(&ana));
        assert!(mailboxes.check(&address("bo@sandbox.test"), &password("sandbox")).sign_in().is_some());
    }
}

#[test]
fn what_is_no_record_of_ours_is_named() {
    let (folder, (world, _)) = (fresh_folder(), world());
    let mailboxes = open(folder.path(), &world);
    mailboxes.change(&address("ana@sandbox.test"), |_| ()).unwrap();
    let record = fs::read_dir(folder.path().join("mailboxes")).unwrap().next().unwrap().unwrap().path();
    fs::write(record.join("mailbox.json"), "rubbish").unwrap();
    let error = Mailboxes::open(folder.path(), &world).err().unwrap().to_string();
    assert!(error.ends_with("mailbox.json is damaged: remove it and start again"), "{error}");
}

#[test]
fn only_what_an_id_prints_is_read_as_one() {
    for text in ["", "1", "+000000000000001", "000000000000000A", "../../etc/passwd", "00000000000000001"] {
        assert!(text.parse::<MessageId>().is_err(), "{text:?}");
    }
    assert_eq!("0000000000000001".parse::<MessageId>().unwrap().to_string(), "0000000000000001");
}

#[tokio::test]
async fn an_address_never_becomes_a_name_on_disk() {
    let (folder, (world, _)) = (fresh_folder(), world());
    let mailboxes = open(folder.path(), &world);
    let odd = [
        "../../x@sandbox.test",
        "/etc/passwd@sandbox.test",
        "\"..\"@sandbox.test",
        "\"a/../b\"@sandbox.test",
    ];
    // What the address grammar refuses gets no further; what it takes is a mailbox like any other.
    let taken: Vec<_> = odd.iter().filter(|it| it.parse::<EmailAddress>().is_ok()).copied().collect();
    assert!(taken.len() >= 2);
    deliver(&mailboxes, LETTER, &taken).await;
    for entry in fs::read_dir(folder.path().join("mailboxes")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    }
    assert_eq!(open(folder.path(), &world).overview().len(), taken.len());
}

proptest! {
    #[test]
    fn no_message_breaks_its_summary(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let id = "0000000000000001".parse().unwrap();
        let summary = MessageSummary::read(id, &bytes, bytes.len() as u64);
        prop_assert_eq!(summary.size_bytes, bytes.len() as u64);
    }
}
