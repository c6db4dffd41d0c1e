//! What becomes of a notice, on both engines.

mod letters;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepost_accounts::{Accounts, Endpoint, Endpoints, NewAccount, Overrides, Serves};
use gatepost_core::{
    BodyId, EmailAddress, LinkId, MailAccountId, NoticeId, OrganisationId, PersonId, SecretText,
    SubmissionId, TlsMode,
};
use gatepost_delivery::{Filter, Origin, Outbox, SubmissionView};
use gatepost_identity::{Identity, IdentityError};
use gatepost_journal::{
    Actor, DueNotice, Notice, NoticeKind, NoticeState, due_notices, latest_notices, notice_done, notify,
};
use gatepost_store::{RoomMigrations, StoreError, Transaction};
use gatepost_testkit::{TestStore, on_both_engines};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::notices::{Issue, Notices};
use crate::schedule::due_time;
use crate::submit::Submitted;

const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_identity::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    gatepost_delivery::MIGRATIONS,
];

on_both_engines!(ROOMS;
    a_notice_becomes_one_letter_to_all_addresses,
    a_letter_about_its_link_goes_to_one_address,
    killed_between_its_halves_a_notice_becomes_one_letter_whose_link_works,
    marking_before_submitting_would_lose_the_letter,
    two_nodes_at_once_send_one_letter,
    without_a_default_account_a_notice_waits_with_the_reason_and_leaves_later,
    while_the_account_is_paused_a_notice_waits,
    a_notice_whose_link_is_over_is_given_up_and_never_sent,
    a_notice_that_is_not_about_its_link_leaves_without_one_that_is_over,
    a_notice_that_cannot_leave_for_five_days_is_given_up,
    trouble_is_tried_again_by_the_schedule,
    a_name_cannot_begin_a_field_or_forge_a_line,
    the_task_carries_out_what_is_written_down,
);

/// What the letters' links hold in place of identity's tokens, with the number of the token behind it.
const TOKEN: &str = "Zm9yIHRoaXMgdGVzdCBhbG9uZQ-";

struct House {
    it: TestStore,
    organisation: OrganisationId,
    person: PersonId,
    accounts: Accounts,
    outbox: Outbox,
    notices: Notices,
    /// Tokens made so far.
    n_issued: Arc<AtomicUsize>,
}

/// What identity says when asked for a token.
#[derive(Clone, Copy)]
enum Link {
    Alive,
    Over,
    Trouble,
}

impl House {
    async fn new(it: TestStore, link: Link) -> Self {
        let identity = Identity::new(it.store.clone(), it.keyring.clone());
        let organisation = identity.create_organisation("Praxis Süd", Actor::Command).await.unwrap().id;
        let accounts = Accounts::new(&it.store, &it.keyring, gatepost_accounts::Providers::embedded());
        let outbox = Outbox::new(&it.store, &it.keyring, &it.bodies);
        let n_issued = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_issued);
        let issue: Issue = Box::new(move |_, _| {
            let issued = match link {
                Link::Alive => {
                    let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
                    Ok(Some(SecretText::new(format!("{TOKEN}{n}"))))
                }
                Link::Over => Ok(None),
                Link::Trouble => Err(IdentityError::from(StoreError::Full)),
            };
            Box::pin(std::future::ready(issued))
        });
        let url = "https://gatepost.example.org/";
        let notices = Notices::with_links(&it.store, &outbox, &accounts, (&identity, issue), url);
        let person = PersonId::new(&it.world);
        Self { it, organisation, person, accounts, outbox, notices, n_issued }
    }

    async fn with_account(it: TestStore) -> Self {
        let house = Self::new(it, Link::Alive).await;
        house.add_account().await;
        house
    }

    async fn add_account(&self) -> MailAccountId {
        let smtp = Endpoint { host: "smtp.example.org".into(), port: 587, tls: TlsMode::StartTls };
        let new = NewAccount {
            organisation: self.organisation,
            address: "reception@example.org".parse().unwrap(),
            short_name: "Reception".into(),
            author_name: "Praxis Süd".into(),
            provider: "custom".into(),
            user_name: "reception@example.org".into(),
            endpoints: Endpoints { smtp, imap: None, pop3: None },
            opens: None,
            further_addresses: Vec::new(),
            serves: Serves::Organisation,
            overrides: Overrides::default(),
            secret: SecretText::new("secret".into()).into(),
            actor: Actor::Command,
        };
        self.accounts.add(new).await.unwrap().id
    }

    /// Another room writes a notice down.
    async fn write_down(&self, kind: NoticeKind, details: serde_json::Value) -> NoticeId {
        let (world, organisation, person) = (self.it.world.clone(), self.organisation, self.person);
        let link = Some(LinkId::new(&world));
        let job = move |tx: &mut Transaction<'_>| {
            let addresses: Vec<EmailAddress> = ["ana@example.org", "ana@home.test", "ANA@HOME.TEST"]
                .into_iter()
                .map(|it| it.parse().unwrap())
                .collect();
            let details = details.clone();
            notify(tx, &world, &Notice { organisation, kind, person, addresses: &addresses, link, details })
        };
        self.it.store.write(job).await.unwrap()
    }

    async fn new_device(&self) -> NoticeId {
        let details = json!({ "device": "Firefox on Windows", "source": "192.0.2.7" });
        self.write_down(NoticeKind::NewDevice, details).await
    }

    async fn look(&self) {
        self.notices.look(&CancellationToken::new()).await.unwrap();
    }

    /// Minutes later.
    async fn look_after(&self, minutes: u64) {
        self.it.clock.advance(Duration::from_mins(minutes));
        self.look().await;
    }

    async fn due(&self) -> Vec<DueNotice> {
        due_notices(&self.it.store, due_time(self.it.world.now()), 10).await.unwrap()
    }

    async fn state(&self) -> NoticeState {
        let latest = latest_notices(&self.it.store, self.organisation, self.person, 10).await.unwrap();
        let [one] = latest.as_slice() else { panic!("one notice: {latest:?}") };
        one.state.clone()
    }

    async fn because(&self) -> String {
        match self.state().await {
            NoticeState::Waiting { because, .. } => because.expect("it was tried"),
            NoticeState::GivenUp { because } => because,
            NoticeState::InOutbox => panic!("it has left"),
        }
    }

    async fn letters(&self) -> Vec<SubmissionView> {
        let filter = Filter { state: None, before: None, limit: 100 };
        self.outbox.list(self.organisation, filter).await.unwrap()
    }

    /// The one letter there is, and its text.
    async fn letter(&self) -> (SubmissionView, String) {
        let mut letters = self.letters().await;
        let letter = letters.pop().expect("a letter");
        assert!(letters.is_empty(), "only one");
        let mut body =
            self.it.bodies.read(self.organisation, BodyId::from_uuid(letter.id.uuid())).await.unwrap();
        let mut text = Vec::new();
        while let Some(piece) = body.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        (letter, String::from_utf8(text).unwrap())
    }

    fn n_issued(&self) -> usize {
        self.n_issued.load(Ordering::SeqCst)
    }

    async fn journalled(&self) -> String {
        let entries = gatepost_journal::newest(&self.it.store, self.organisation, 100).await.unwrap();
        entries.iter().map(|it| format!("{} {}\n", it.action, it.details)).collect()
    }
}

fn recipients(letter: &SubmissionView) -> Vec<&str> {
    letter.recipients.iter().map(|it| it.address.as_str()).collect()
}

/// ID-26: to all proven addresses, each once, and shown as being for the first.
async fn a_notice_becomes_one_letter_to_all_addresses(it: TestStore) {
    let house = House::with_account(it).await;
    let id = house.new_device().await;
    house.look().await;
    house.look_after(60).await;
    let (letter, text) = house.letter().await;
    assert_eq!(letter.id, SubmissionId::from_uuid(id.uuid()));
    assert_eq!(letter.origin, Origin::Notice { of: id });
    assert_eq!(recipients(&letter), ["ana@example.org", "ana@home.test"]);
    assert_eq!(letter.from.as_ref().map(EmailAddress::as_str), Some("reception@example.org"));
    assert_eq!(letter.message_id, format!("<{id}@example.org>"));
    assert_eq!(letter.chosen_because, "the organisation's default");
    assert!(text.contains("\r\nTo: ana@example.org\r\n") && !text.contains("home.test"), "{text}");
    assert!(text.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{text}");
    assert!(text.contains("Firefox on Windows") && text.contains("192.0.2.7"), "{text}");
    assert!(text.contains(&format!("\r\nhttps://gatepost.example.org/link?token={TOKEN}1\r\n")), "{text}");
    assert_eq!((text.matches(TOKEN).count(), house.n_issued()), (1, 1));
    assert_eq!(house.state().await, NoticeState::InOutbox);
    assert!(!house.journalled().await.contains(TOKEN));
}

async fn a_letter_about_its_link_goes_to_one_address(it: TestStore) {
    let house = House::with_account(it).await;
    for kind in [NoticeKind::Invitation, NoticeKind::PasswordReset, NoticeKind::Contact] {
        house.write_down(kind, json!({})).await;
    }
    house.look().await;
    let letters = house.letters().await;
    assert_eq!(letters.len(), 3);
    for letter in &letters {
        assert_eq!(recipients(letter), ["ana@example.org"]);
    }
}

/// RACE: the letter is in the outbox, and the program ends before that is written down. A second token would have ended the one
/// in the letter.
async fn killed_between_its_halves_a_notice_becomes_one_letter_whose_link_works(it: TestStore) {
    let house = House::with_account(it).await;
    house.new_device().await;
    let notice = house.notices.take(house.due().await[0]).await.unwrap().unwrap();
    assert_eq!(house.notices.submit(&notice).await.unwrap(), Submitted::InOutbox);

    house.look().await;
    assert!(matches!(house.state().await, NoticeState::Waiting { .. }), "it is not looked at again at once");
    house.look_after(1).await;
    let (_, text) = house.letter().await;
    assert!(text.contains(&format!("{TOKEN}1\r\n")), "{text}");
    assert_eq!((house.state().await, house.n_issued()), (NoticeState::InOutbox, 1));
}

/// The negative control of the test before: with its halves the wrong way round, a notice that ends between them is lost.
async fn marking_before_submitting_would_lose_the_letter(it: TestStore) {
    let house = House::with_account(it).await;
    house.new_device().await;
    let notice = house.notices.take(house.due().await[0]).await.unwrap().unwrap();
    notice_done(&house.it.store, notice.due).await.unwrap();
    house.look_after(60).await;
    assert!(house.letters().await.is_empty());
    assert_eq!(house.state().await, NoticeState::InOutbox, "and nobody would know");
}

/// RACE: both see that it is due, and neither has a lease.
async fn two_nodes_at_once_send_one_letter(it: TestStore) {
    let house = House::with_account(it).await;
    house.new_device().await;
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let node = house.notices.clone();
        nodes.spawn(async move { node.look(&CancellationToken::new()).await });
    }
    for looked in nodes.join_all().await {
        looked.unwrap();
    }
    house.letter().await;
    assert_eq!((house.state().await, house.n_issued()), (NoticeState::InOutbox, 1));
}

async fn without_a_default_account_a_notice_waits_with_the_reason_and_leaves_later(it: TestStore) {
    let house = House::new(it, Link::Alive).await;
    house.write_down(NoticeKind::Invitation, json!({})).await;
    house.look().await;
    for _ in 0..10 {
        house.look_after(1).await;
    }
    assert_eq!(house.because().await, "the organisation has no default mail account yet: connect one");
    assert_eq!((house.letters().await.len(), house.n_issued()), (0, 0), "no token is made in vain");
    house.add_account().await;
    house.look_after(1).await;
    house.letter().await;
    assert_eq!(house.state().await, NoticeState::InOutbox);
}

async fn while_the_account_is_paused_a_notice_waits(it: TestStore) {
    let house = House::new(it, Link::Alive).await;
    let account = house.add_account().await;
    house.accounts.pause(house.organisation, account, Actor::Command).await.unwrap();
    house.new_device().await;
    house.look().await;
    let because = house.because().await;
    assert!(because.starts_with("Reception (reception@example.org) is paused since"), "{because}");
    house.accounts.resume(house.organisation, account, Actor::Command).await.unwrap();
    house.look_after(1).await;
    house.letter().await;
}

async fn a_notice_whose_link_is_over_is_given_up_and_never_sent(it: TestStore) {
    let house = House::new(it, Link::Alive).await;
    house.write_down(NoticeKind::Invitation, json!({})).await;
    house.look().await;
    house.add_account().await;
    house.look_after(72 * 60).await;
    let because = house.because().await;
    assert!(because.starts_with("its link was over before the letter could leave"), "{because}");

    let over = House::new(gatepost_testkit::sqlite(ROOMS).await, Link::Over).await;
    over.add_account().await;
    over.write_down(NoticeKind::PasswordReset, json!({})).await;
    over.look().await;
    assert_eq!(over.because().await, "its link was used, replaced, or has run out");
    for house in [house, over] {
        assert!(matches!(house.state().await, NoticeState::GivenUp { .. }));
        assert!(house.journalled().await.contains("notice.given_up"));
        house.look_after(60).await;
        assert!(house.letters().await.is_empty());
    }
}

/// The person was disabled meanwhile, or another letter's link was used: what happened is told all the same.
async fn a_notice_that_is_not_about_its_link_leaves_without_one_that_is_over(it: TestStore) {
    let house = House::new(it, Link::Over).await;
    house.add_account().await;
    house.new_device().await;
    house.look().await;
    let (letter, text) = house.letter().await;
    assert_eq!(recipients(&letter), ["ana@example.org", "ana@home.test"]);
    assert!(text.contains("Firefox on Windows") && text.contains("tell an administrator"), "{text}");
    assert!(!text.contains("/link?token="), "{text}");
    assert_eq!(house.state().await, NoticeState::InOutbox);
}

async fn a_notice_that_cannot_leave_for_five_days_is_given_up(it: TestStore) {
    let house = House::new(it, Link::Alive).await;
    house.new_device().await;
    house.look_after(5 * 24 * 60 - 1).await;
    assert!(matches!(house.state().await, NoticeState::Waiting { .. }));
    house.look_after(1).await;
    let because =
        "it could not leave for five days: the organisation has no default mail account yet: connect one";
    assert_eq!(house.state().await, NoticeState::GivenUp { because: because.into() });
}

async fn trouble_is_tried_again_by_the_schedule(it: TestStore) {
    let house = House::new(it, Link::Trouble).await;
    house.add_account().await;
    house.new_device().await;
    house.look().await;
    for wait in [1, 5, 15, 60, 60] {
        assert!(house.because().await.starts_with("its link could not be made: no space is left"));
        house.it.clock.advance(Duration::from_mins(wait) - Duration::from_millis(1));
        assert!(house.due().await.is_empty(), "not before {wait} minutes");
        house.it.clock.advance(Duration::from_millis(1));
        assert_eq!(house.due().await.len(), 1, "after {wait} minutes");
        house.look().await;
    }
    assert!(house.letters().await.is_empty());
}

/// API-4.
async fn a_name_cannot_begin_a_field_or_forge_a_line(it: TestStore) {
    let house = House::with_account(it).await;
    let hostile = "scanner\r\nBcc: eve@evil.test\r\n\r\nForged: line {link} {account}";
    let details = json!({ "name": hostile, "device": hostile, "by": hostile, "link": "https://evil.test", "when": "never" });
    house.write_down(NoticeKind::AppPasswordMade, details).await;
    house.look().await;
    let (letter, text) = house.letter().await;
    assert_eq!(recipients(&letter), ["ana@example.org", "ana@home.test"]);
    for line in text.split("\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        assert!(!line.starts_with("Bcc:") && !line.starts_with("Forged:"), "{text}");
    }
    assert!(!text.contains("https://evil.test") && !text.contains("never"), "{text}");
    assert_eq!(text.matches(TOKEN).count(), 1, "a value is no template: {text}");
}

async fn the_task_carries_out_what_is_written_down(it: TestStore) {
    let house = House::with_account(it).await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(house.notices.clone().run(stop.clone()));
    house.new_device().await;
    house.notices.ring();
    let left = async {
        while house.state().await != NoticeState::InOutbox {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), left).await.expect("it leaves");
    stop.cancel();
    task.await.unwrap();
    house.letter().await;
}
