//! What the outbox promises about its rows, on both engines.

pub(crate) mod dispatch;
pub(crate) mod server;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gatepost_accounts::{Accounts, Endpoint, Endpoints, NewAccount, Overrides, Serves, TlsMode};
use gatepost_core::{LoginId, MailAccountId, NodeId, RetryClass, SecretText, SubmissionId, Timestamp};
use gatepost_journal::Actor;
use gatepost_store::{RoomMigrations, Statement, Value};
use gatepost_testkit::{TestStore, on_both_engines};
use gatepost_wire::smtp::{BodyKind, ReversePath};

use crate::claim::{Claimed, Holder, Preference, Want, claim};
use crate::command::Command;
use crate::conclude::{Concluded, Finished, OutcomeKind, RawReply, conclude};
use crate::settle::{Which, settle};
use crate::state::{Delivery, HoldReason, StateName};
use crate::submission::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Recipient, RecipientRow};
use crate::view::{Filter, Letters, SubmissionView};
use crate::{Outbox, OutboxError, sql};

pub(crate) const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    crate::MIGRATIONS,
];

on_both_engines!(ROOMS;
    an_accepted_letter_is_claimed_once,
    who_handed_a_letter_in_is_kept,
    many_claims_at_once_take_each_letter_once,
    outcomes_move_each_recipient_and_end_the_letter,
    a_conclusion_may_be_repeated,
    what_was_in_hand_of_an_ended_owner_is_uncertain,
    a_late_write_of_an_earlier_owner_is_refused,
    deferred_letters_are_not_starved,
    an_account_removed_before_the_commit_counts_as_none,
    commands_do_what_the_table_says,
    a_retry_after_erasure_is_refused,
    a_letter_without_account_is_held_and_adopted,
    letters_of_a_removed_account_are_held,
    released_letters_are_due_in_order,
    what_waits_is_counted_for_many_accounts_at_once,
    lists_are_filtered_by_state_and_organisation,
    pages_hold_the_letters_of_one_login_and_those_that_are_open,
    texts_are_erased_after_their_retention,
);

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    gatepost_testkit::prepare_all(sql::ALL, ROOMS).await;
}

/// One that sends through a server on this machine.
fn new_account(organisation: gatepost_core::OrganisationId, port: u16) -> NewAccount {
    let smtp = Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
    NewAccount {
        organisation,
        address: "a@example.org".parse().unwrap(),
        short_name: "Reception".into(),
        author_name: String::new(),
        provider: "custom".into(),
        user_name: "a@example.org".into(),
        endpoints: Endpoints { smtp, imap: None, pop3: None },
        opens: None,
        further_addresses: Vec::new(),
        serves: Serves::Organisation,
        overrides: Overrides::default(),
        secret: SecretText::new("secret".into()).into(),
        actor: Actor::Command,
    }
}

pub(crate) struct Office {
    pub(crate) it: TestStore,
    pub(crate) outbox: Outbox,
    pub(crate) accounts: Accounts,
    pub(crate) account: MailAccountId,
    login: LoginId,
}

impl Office {
    async fn new(it: TestStore) -> Self {
        Self::with_port(it, 587).await
    }

    /// An office whose one account sends through a server on this machine.
    pub(crate) async fn with_port(it: TestStore, port: u16) -> Self {
        let outbox = Outbox::new(&it.store, &it.keyring, &it.bodies);
        let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
        let account = accounts.add(new_account(it.organisation, port)).await.unwrap().id;
        let login = LoginId::new(&it.world);
        Self { it, outbox, accounts, account, login }
    }

    fn new_account(&self) -> NewAccount {
        new_account(self.it.organisation, 587)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.it.world.now()
    }

    pub(crate) async fn accept(&self, recipients: &[&str]) -> SubmissionId {
        self.accept_for(Some(self.account), recipients).await
    }

    async fn accept_for(&self, account: Option<MailAccountId>, recipients: &[&str]) -> SubmissionId {
        let app_password = gatepost_core::AppPasswordId::new(&self.it.world);
        self.accept_from(Origin::Login { login: self.login, app_password }, account, recipients).await
    }

    async fn accept_from(
        &self,
        origin: Origin,
        account: Option<MailAccountId>,
        recipients: &[&str],
    ) -> SubmissionId {
        let id = SubmissionId::new(&self.it.world);
        let mut body = self.outbox.write_body(self.it.organisation, id).await.unwrap();
        body.write(b"Subject: hello\r\n\r\ntext\r\n").await.unwrap();
        let recipient = |it: &&str| Recipient { address: it.parse().unwrap(), notify: None, original: None };
        let letter = NewSubmission {
            id,
            organisation: self.it.organisation,
            origin,
            choice: Choice {
                account: account.map(|id| ChosenAccount { id, running_now: self.now() }),
                because: "the login's own account".into(),
                addresses: Vec::new(),
                max_message_bytes: None,
            },
            envelope: Envelope {
                reverse_path: ReversePath::Address("a@example.org".parse().unwrap()),
                recipients: recipients.iter().map(recipient).collect(),
                is_smtputf8: false,
                body: BodyKind::SevenBit,
                dsn_return: None,
                envelope_id: None,
            },
            message_id: format!("<{id}@example.org>"),
            client: None,
        };
        self.outbox.accept(letter, body.finish().await.unwrap()).await.unwrap();
        id
    }

    async fn take_lease(&self) -> Holder {
        let (account, organisation, now) = (self.account, self.it.organisation, self.now());
        let node = NodeId::new(&self.it.world);
        let lease = self
            .it
            .store
            .write(move |tx| tx.take_lease(account.uuid(), organisation, node, now))
            .await
            .unwrap();
        Holder { account, organisation, lease }
    }

    pub(crate) async fn claim(&self, holder: Holder, preference: Preference) -> Option<Claimed> {
        let world = self.it.world.clone();
        let want = Want { preference, most_recipients: 100 };
        self.it
            .store
            .write(move |tx| {
                tx.holds(&holder.lease)?;
                claim(tx, &world, &holder, want)
            })
            .await
            .unwrap()
    }

    async fn conclude(&self, holder: Holder, finished: Finished) -> Result<(), gatepost_store::StoreError> {
        let now = self.now();
        self.it
            .store
            .write(move |tx| {
                tx.holds(&holder.lease)?;
                conclude(tx, &holder, &finished, now)
            })
            .await
    }

    pub(crate) async fn show(&self, id: SubmissionId) -> SubmissionView {
        self.outbox.show(self.it.organisation, id).await.unwrap().expect("the letter is there")
    }

    async fn states(&self, id: SubmissionId) -> Vec<StateName> {
        self.show(id).await.recipients.iter().map(|it| it.delivery.name()).collect()
    }

    async fn command(&self, command: Command, id: SubmissionId) -> Result<(), OutboxError> {
        let now = self.now();
        self.outbox.command(command, self.it.organisation, id, Actor::Command, move |_| now).await
    }
}

fn sent(row: &RecipientRow) -> Concluded {
    let reply = RawReply { code: 250, bytes: b"250 2.0.0 \xffOk".to_vec() };
    let delivery = row.delivery.clone().sent().unwrap();
    Concluded {
        ordinal: row.ordinal,
        kind: OutcomeKind::Sent,
        reply: Some(reply),
        delivery,
        is_uncertain: false,
    }
}

fn deferred(row: &RecipientRow, until: Timestamp) -> Concluded {
    let delivery = row.delivery.clone().deferred(until, Timestamp::EPOCH, "x-4xx".into()).unwrap();
    let reply = RawReply { code: 450, bytes: b"450 later".to_vec() };
    Concluded {
        ordinal: row.ordinal,
        kind: OutcomeKind::Deferred,
        reply: Some(reply),
        delivery,
        is_uncertain: false,
    }
}

fn failed(row: &RecipientRow) -> Concluded {
    let delivery = row.delivery.clone().failed("x-5xx".into()).unwrap();
    let reply = RawReply { code: 550, bytes: vec![b'5'; 9_000] };
    Concluded {
        ordinal: row.ordinal,
        kind: OutcomeKind::Failed,
        reply: Some(reply),
        delivery,
        is_uncertain: false,
    }
}

async fn who_handed_a_letter_in_is_kept(it: TestStore) {
    let office = Office::new(it).await;
    let world = &office.it.world;
    let origins = [
        Origin::Login { login: office.login, app_password: gatepost_core::AppPasswordId::new(world) },
        Origin::Bounce { of: SubmissionId::new(world) },
        Origin::Notice { of: gatepost_core::NoticeId::new(world) },
        Origin::Test { by: gatepost_core::PersonId::new(world) },
    ];
    for origin in origins {
        let id = office.accept_from(origin, Some(office.account), &["b@example.net"]).await;
        assert_eq!(office.show(id).await.origin, origin);
    }
}

async fn an_accepted_letter_is_claimed_once(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net", "c@example.net"]).await;
    let holder = office.take_lease().await;
    let claimed = office.claim(holder, Preference::New).await.expect("it is due");
    assert_eq!((claimed.submission.id, claimed.recipients.len()), (id, 2));
    assert_eq!(claimed.recipients[0].n_attempts, 1);
    assert!(office.claim(holder, Preference::New).await.is_none());
    assert!(office.claim(holder, Preference::Deferred).await.is_none());
    let shown = office.show(id).await;
    assert_eq!(
        shown.attempts.iter().map(|it| it.result.as_str()).collect::<Vec<_>>(),
        ["running", "running"]
    );
}

/// RACE: however many connections ask at once, each letter is handed out once.
async fn many_claims_at_once_take_each_letter_once(it: TestStore) {
    let office = std::sync::Arc::new(Office::new(it).await);
    for _ in 0..30 {
        office.accept(&["b@example.net"]).await;
    }
    let holder = office.take_lease().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let office = std::sync::Arc::clone(&office);
        tasks.spawn(async move {
            let mut taken = Vec::new();
            // A claim that met another's lock finds nothing although there is more: ask a few times more.
            for _ in 0..40 {
                taken.extend(office.claim(holder, Preference::New).await.map(|it| it.submission.id));
            }
            taken
        });
    }
    let taken: Vec<SubmissionId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 30);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>().len(), 30);
}

/// SC-11: partial acceptance retries only the rest; every reply is kept byte for byte.
async fn outcomes_move_each_recipient_and_end_the_letter(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net", "c@example.net", "d@example.net"]).await;
    let holder = office.take_lease().await;
    let claimed = office.claim(holder, Preference::New).await.unwrap();
    let until = office.now() + Duration::from_mins(1);
    let [b, c, d] = claimed.recipients.as_slice() else { panic!("three recipients") };
    let concluded = vec![sent(b), deferred(c, until), failed(d)];
    office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    assert_eq!(office.states(id).await, [StateName::Sent, StateName::Deferred, StateName::Failed]);
    let shown = office.show(id).await;
    assert_eq!(shown.recipients[0].reply.as_deref(), Some(b"250 2.0.0 \xffOk".as_slice()));
    assert_eq!(shown.recipients[2].reply.as_ref().map(Vec::len), Some(2_048), "a reply is kept up to 2 KiB");
    assert_eq!((shown.finished_at, shown.next_attempt_at()), (None, Some(until)));
    assert!(office.claim(holder, Preference::New).await.is_none(), "nothing is due yet");
    office.it.clock.advance(Duration::from_mins(1));
    let claimed = office.claim(holder, Preference::New).await.expect("the deferred recipient is due");
    assert_eq!(claimed.recipients.iter().map(|it| it.ordinal).collect::<Vec<_>>(), [1]);
    let concluded = vec![sent(&claimed.recipients[0])];
    office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    assert_eq!(office.states(id).await, [StateName::Sent, StateName::Sent, StateName::Failed]);
    assert_eq!(office.show(id).await.finished_at, Some(office.now()));
}

async fn a_conclusion_may_be_repeated(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net"]).await;
    let holder = office.take_lease().await;
    let claimed = office.claim(holder, Preference::New).await.unwrap();
    let concluded = vec![sent(&claimed.recipients[0])];
    for _ in 0..2 {
        let finished = Finished { claimed: claimed.clone(), concluded: concluded.clone(), notice: None };
        office.conclude(holder, finished).await.unwrap();
    }
    assert_eq!(office.show(id).await.attempts.len(), 1);
}

async fn what_was_in_hand_of_an_ended_owner_is_uncertain(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net"]).await;
    let first = office.take_lease().await;
    let claimed = office.claim(first, Preference::New).await.unwrap();
    // The owner itself lets go of nothing that is still under way.
    let alive = HashSet::from([claimed.attempt]);
    assert_eq!(settle(&office.it.store, first, Which { alive, begun_by: None }).await.unwrap(), 0);
    let second = office.take_lease().await;
    assert_eq!(settle(&office.it.store, second, Which::default()).await.unwrap(), 1);
    let shown = office.show(id).await;
    assert!(shown.recipients[0].is_uncertain && !shown.recipients[0].is_in_hand);
    assert_eq!(shown.attempts[0].result, "uncertain");
    let again = office.claim(second, Preference::New).await.expect("a first attempt is repeated at once");
    assert_eq!((again.submission.id, again.recipients[0].n_attempts), (id, 2));
    let third = office.take_lease().await;
    settle(&office.it.store, third, Which::default()).await.unwrap();
    assert!(office.claim(third, Preference::New).await.is_none(), "what ends the program twice has to wait");
    office.it.clock.advance(Duration::from_mins(2));
    assert!(office.claim(third, Preference::New).await.is_some());
}

/// QS-7: results under an old fencing number are refused.
async fn a_late_write_of_an_earlier_owner_is_refused(it: TestStore) {
    let office = Office::new(it).await;
    office.accept(&["b@example.net"]).await;
    let first = office.take_lease().await;
    let claimed = office.claim(first, Preference::New).await.unwrap();
    office.take_lease().await;
    let concluded = vec![sent(&claimed.recipients[0])];
    let late = office.conclude(first, Finished { claimed, concluded, notice: None }).await;
    assert!(matches!(late, Err(gatepost_store::StoreError::LeaseLost)), "{late:?}");
}

async fn deferred_letters_are_not_starved(it: TestStore) {
    let office = Office::new(it).await;
    let old = office.accept(&["b@example.net"]).await;
    let holder = office.take_lease().await;
    let claimed = office.claim(holder, Preference::New).await.unwrap();
    let concluded = vec![deferred(&claimed.recipients[0], office.now())];
    office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    let new = office.accept(&["c@example.net"]).await;
    let claimed = office.claim(holder, Preference::Deferred).await.unwrap();
    assert_eq!((claimed.submission.id, claimed.has_more), (old, true));
    assert_eq!(office.claim(holder, Preference::Deferred).await.unwrap().submission.id, new);
}

async fn commands_do_what_the_table_says(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net"]).await;
    let holder = office.take_lease().await;
    assert!(matches!(office.command(Command::Release, id).await, Err(OutboxError::Move(_))));
    office.command(Command::Hold, id).await.unwrap();
    assert!(office.claim(holder, Preference::New).await.is_none());
    assert_eq!(office.states(id).await, [StateName::Held]);
    office.command(Command::Release, id).await.unwrap();
    let claimed = office.claim(holder, Preference::New).await.expect("released");
    assert!(matches!(office.command(Command::Cancel, id).await, Err(OutboxError::InHand)));
    let concluded = vec![failed(&claimed.recipients[0])];
    office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    assert!(office.show(id).await.finished_at.is_some());
    office.command(Command::Retry, id).await.unwrap();
    assert_eq!(
        (office.states(id).await, office.show(id).await.finished_at),
        (vec![StateName::Waiting], None)
    );
    office.command(Command::Cancel, id).await.unwrap();
    assert_eq!(office.states(id).await, [StateName::Cancelled]);
    assert!(office.show(id).await.finished_at.is_some(), "the last move of all ends the letter");
    assert!(matches!(office.command(Command::Retry, id).await, Err(OutboxError::Move(_))));
    let unknown = SubmissionId::new(&office.it.world);
    assert!(matches!(office.command(Command::Hold, unknown).await, Err(OutboxError::NotFound(_))));
    let stranger = gatepost_core::OrganisationId::new(&office.it.world);
    let now = office.now();
    let foreign = office.outbox.command(Command::Retry, stranger, id, Actor::Command, move |_| now).await;
    assert!(matches!(foreign, Err(OutboxError::NotFound(_))));
}

async fn a_retry_after_erasure_is_refused(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net"]).await;
    let holder = office.take_lease().await;
    let claimed = office.claim(holder, Preference::New).await.unwrap();
    let concluded = vec![failed(&claimed.recipients[0])];
    office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    office.it.clock.advance(Duration::from_hours(24));
    assert_eq!(office.outbox.erase_finished(Duration::from_hours(24)).await.unwrap(), 1);
    assert!(matches!(office.command(Command::Retry, id).await, Err(OutboxError::Erased)));
}

async fn a_letter_without_account_is_held_and_adopted(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept_for(None, &["b@example.net", "c@example.net"]).await;
    let shown = office.show(id).await;
    assert!(matches!(shown.recipients[0].delivery, Delivery::Held { because: HoldReason::NoAccount, .. }));
    let orphans = office
        .outbox
        .orphans(office.it.organisation, SubmissionId::from_uuid(Default::default()))
        .await
        .unwrap();
    assert_eq!(orphans.iter().map(|it| (it.id, it.login)).collect::<Vec<_>>(), [(id, Some(office.login))]);
    let account = ChosenAccount { id: office.account, running_now: office.now() };
    office.outbox.adopt(office.it.organisation, id, account).await.unwrap();
    let holder = office.take_lease().await;
    assert_eq!(office.claim(holder, Preference::New).await.unwrap().recipients.len(), 2);
}

async fn an_account_removed_before_the_commit_counts_as_none(it: TestStore) {
    let office = Office::new(it).await;
    office.accounts.remove(office.it.organisation, office.account, Actor::Command).await.unwrap();
    let id = office.accept(&["b@example.net"]).await;
    assert_eq!(office.states(id).await, [StateName::Held]);
}

async fn letters_of_a_removed_account_are_held(it: TestStore) {
    let office = Office::new(it).await;
    let id = office.accept(&["b@example.net"]).await;
    assert_eq!(office.outbox.n_waiting(office.it.organisation, office.account).await.unwrap(), 1);
    let n_held =
        office.outbox.account_removed(office.it.organisation, office.account, office.now()).await.unwrap();
    assert_eq!((n_held, office.states(id).await), (1, vec![StateName::Held]));
}

async fn what_waits_is_counted_for_many_accounts_at_once(it: TestStore) {
    let office = Office::new(it).await;
    let billing = NewAccount { address: "b@example.org".parse().unwrap(), ..office.new_account() };
    let billing = office.accounts.add(billing).await.unwrap().id;
    let quiet = MailAccountId::new(&office.it.world);
    for _ in 0..3 {
        office.accept(&["x@example.net"]).await;
    }
    let by_hand = office.accept_for(Some(billing), &["y@example.net", "z@example.net"]).await;
    office.command(Command::Hold, by_hand).await.unwrap();
    let done = office.accept_for(Some(billing), &["w@example.net"]).await;
    office.command(Command::Cancel, done).await.unwrap();
    // One of reception's is in hand.
    let holder = office.take_lease().await;
    office.claim(holder, Preference::New).await.unwrap();
    let asked = [office.account, quiet, billing];
    let count =
        async |organisation, most| office.outbox.n_waiting_of_each(organisation, &asked, most).await.unwrap();
    let ours = office.it.organisation;
    assert_eq!(count(ours, 1_000).await, HashMap::from([(office.account, 3), (billing, 2)]));
    assert_eq!(count(ours, 1).await, HashMap::from([(office.account, 1), (billing, 1)]));
    let stranger = gatepost_core::OrganisationId::new(&office.it.world);
    assert_eq!(count(stranger, 1_000).await, HashMap::new());
    assert_eq!(office.outbox.n_waiting_of_each(ours, &[], 1_000).await.unwrap(), HashMap::new());
}

async fn released_letters_are_due_in_order(it: TestStore) {
    let office = Office::new(it).await;
    let holder = office.take_lease().await;
    let mut ids = Vec::new();
    for n in 0..5_u64 {
        ids.push(office.accept(&["b@example.net"]).await);
        let claimed = office.claim(holder, Preference::New).await.unwrap();
        let until = office.now() + Duration::from_hours(10 - n);
        let concluded = vec![deferred(&claimed.recipients[0], until)];
        office.conclude(holder, Finished { claimed, concluded, notice: None }).await.unwrap();
    }
    assert!(office.claim(holder, Preference::New).await.is_none());
    office.outbox.account_released(office.it.organisation, office.account).await.unwrap();
    for id in ids {
        assert_eq!(office.claim(holder, Preference::New).await.unwrap().submission.id, id);
    }
}

/// QS-15: no organisation sees another's letters.
async fn lists_are_filtered_by_state_and_organisation(it: TestStore) {
    let office = Office::new(it).await;
    let one = office.accept(&["b@example.net"]).await;
    let two = office.accept(&["b@example.net"]).await;
    office.command(Command::Hold, one).await.unwrap();
    let list = |state| {
        let filter = Filter { state, before: None, limit: 10 };
        let listed = office.outbox.list(office.it.organisation, filter);
        async { listed.await.unwrap().iter().map(|it| it.id).collect::<Vec<_>>() }
    };
    assert_eq!(list(None).await, [two, one]);
    assert_eq!(list(Some(StateName::Held)).await, [one]);
    assert_eq!(list(Some(StateName::Failed)).await, []);
    let stranger = gatepost_core::OrganisationId::new(&office.it.world);
    let filter = Filter { state: None, before: None, limit: 10 };
    assert!(office.outbox.list(stranger, filter).await.unwrap().is_empty());
    assert!(office.outbox.show(stranger, one).await.unwrap().is_none());
}

async fn pages_hold_the_letters_of_one_login_and_those_that_are_open(it: TestStore) {
    let mut office = Office::new(it).await;
    let (start, mine) = (office.now(), office.login);
    let one = office.accept(&["b@example.net"]).await;
    office.login = LoginId::new(&office.it.world);
    let two = office.accept(&["b@example.net"]).await;
    let three = office.accept(&["b@example.net"]).await;
    office.command(Command::Cancel, two).await.unwrap();
    let page = |organisation, which, before, limit| {
        let paged = office.outbox.page(organisation, which, before, limit);
        async { paged.await.unwrap().iter().map(|it| it.id).collect::<Vec<_>>() }
    };
    let ours = office.it.organisation;
    let stranger = gatepost_core::OrganisationId::new(&office.it.world);
    assert_eq!(page(ours, Letters::All, None, 2).await, [three, two]);
    assert_eq!(page(ours, Letters::All, Some(two), 2).await, [one]);
    assert_eq!(page(ours, Letters::Open, None, 10).await, [three, one]);
    assert_eq!(page(ours, Letters::OfLogin(mine), None, 10).await, [one]);
    assert_eq!(page(ours, Letters::OfLogin(office.login), Some(three), 10).await, [two]);
    assert_eq!(page(stranger, Letters::OfLogin(mine), None, 10).await, []);
    assert_eq!(office.outbox.find_login(ours, one).await.unwrap(), Some(mine));
    assert_eq!(office.outbox.find_login(stranger, one).await.unwrap(), None);
    assert_eq!(office.outbox.n_open(ours, 10).await.unwrap(), 2);
    assert_eq!(office.outbox.n_open(ours, 1).await.unwrap(), 1);
    let later = office.now() + Duration::from_secs(1);
    let n_accepted = async |from, until| office.outbox.n_accepted(ours, from, until, 10).await.unwrap();
    assert_eq!(n_accepted(start, later).await, 3);
    assert_eq!(n_accepted(later, later + Duration::from_secs(60)).await, 0);
}

/// QS-13.
async fn texts_are_erased_after_their_retention(it: TestStore) {
    let office = Office::new(it).await;
    let (done, open) = (office.accept(&["b@example.net"]).await, office.accept(&["b@example.net"]).await);
    office.command(Command::Cancel, done).await.unwrap();
    let retention = Duration::from_hours(24);
    office.it.clock.advance(retention - Duration::from_millis(1));
    assert_eq!(office.outbox.erase_finished(retention).await.unwrap(), 0);
    office.it.clock.advance(Duration::from_millis(1));
    assert_eq!(office.outbox.erase_finished(retention).await.unwrap(), 1);
    assert!(office.show(done).await.body_erased_at.is_some());
    let read = |id: SubmissionId| {
        office.it.bodies.read(office.it.organisation, gatepost_core::BodyId::from_uuid(id.uuid()))
    };
    assert!(read(done).await.is_err());
    assert!(read(open).await.is_ok());
}

/// A statement of the hot path must find its partial index, or a million rows are read for one letter.
#[tokio::test]
async fn no_hot_statement_reads_the_whole_table() {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let (account, organisation) = (MailAccountId::new(&it.world), it.organisation);
    let (id, now) = (SubmissionId::new(&it.world), it.world.now());
    let login = LoginId::new(&it.world);
    let each = |account: MailAccountId, organisation: gatepost_core::OrganisationId| {
        let accounts = std::iter::repeat_n(Value::from(account), 50);
        [organisation.into(), 10_i64.into()].into_iter().chain(accounts).collect()
    };
    let cases: [(&Statement, &str, Vec<Value<'static>>); 14] = [
        (&sql::NEXT_WAITING, "delivery_due", vec![account.into(), organisation.into()]),
        (&sql::NEXT_DEFERRED, "delivery_due", vec![account.into(), organisation.into(), now.into()]),
        (&sql::NEXT_DUE, "delivery_due", vec![account.into(), organisation.into()]),
        (&sql::COUNT_WAITING, "delivery_due", vec![account.into(), organisation.into()]),
        (&sql::COUNT_WAITING, "delivery_in_hand", vec![account.into(), organisation.into()]),
        (&sql::COUNT_WAITING_OF_EACH, "delivery_due", each(account, organisation)),
        (&sql::COUNT_WAITING_OF_EACH, "delivery_in_hand", each(account, organisation)),
        (&sql::COUNT_WAITING_OF_EACH, "delivery_held", each(account, organisation)),
        (&sql::LIST_IN_HAND, "delivery_in_hand", vec![account.into(), organisation.into()]),
        (
            &sql::LIST_SUBMISSIONS_BY_STATE,
            "delivery_by_state",
            vec![organisation.into(), "held".into(), id.into(), 10_i64.into()],
        ),
        (&sql::LIST_OPEN_SUBMISSIONS, "submission_open", vec![organisation.into(), id.into(), 10_i64.into()]),
        (&sql::COUNT_OPEN_SUBMISSIONS, "submission_open", vec![organisation.into(), 10_i64.into()]),
        (
            &sql::LIST_SUBMISSIONS_OF_LOGIN,
            "submission_of_login",
            vec![organisation.into(), login.into(), id.into(), 10_i64.into()],
        ),
        (&sql::LIST_TO_ERASE, "submission_to_erase", vec![now.into(), 10_i64.into()]),
    ];
    for (statement, index, values) in cases {
        let text: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {}", statement.text).into_boxed_str());
        let plan = it.store.read(move |tx| {
            let explain = Statement { name: "EXPLAIN", text, lock: gatepost_store::Lock::None };
            let rows = tx.rows(&explain, &values)?;
            rows.iter()
                .map(|row| row.get::<String>(3))
                .collect::<Result<Vec<_>, gatepost_store::StoreError>>()
        });
        let plan = plan.await.unwrap().join("; ");
        assert!(plan.contains(index), "{}: {plan}", statement.name);
        let reads_all = plan.contains("SCAN delivery") || plan.contains("SCAN submission");
        let by_index = plan.contains("USING INDEX") || plan.contains("USING COVERING INDEX");
        assert!(!reads_all || by_index, "{}: {plan}", statement.name);
    }
}

#[test]
fn a_provider_that_names_a_wait_is_obeyed() {
    let (world, _) = gatepost_testkit::world();
    let day = Duration::from_hours(24);
    assert_eq!(crate::schedule::delay_for(&world, 1, RetryClass::Backoff { at_least: day }), day);
}
