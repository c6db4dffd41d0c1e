//! What a refresh finds and changes in the database, and what it must not.

use gatepost_core::CredentialId;
use gatepost_store::{Statement, Value};
use gatepost_testkit::on_both_engines;
use uuid::Uuid;

use super::*;
use crate::sql;

on_both_engines!(
    ROOMS;
    a_refresh_begins_with_the_newest_token_of_a_living_grant_while_no_other_is_under_way,
    a_token_that_has_worked_takes_nothing_from_other_accounts,
    an_answer_leaves_nothing_of_what_came_before_it,
    what_is_retired_takes_no_answer,
    a_paused_account_is_only_kept_alive,
    a_grant_cannot_be_given_to_another_application_in_the_database,
    what_happens_to_one_application_leaves_the_others_alone,
    a_refresh_that_fails_early_changes_nothing_while_the_token_lives,
    a_token_is_handed_out_while_it_lives_for_another_minute,
    the_mailbox_that_is_opened_is_named_where_a_token_signs_in,
);

mod rows {
    gatepost_store::statements! {
        /// As if a refresh had begun then.
        BEGAN = "UPDATE credential SET refresh_began_at = $2 WHERE mail_account_id = $1 AND retired_at IS NULL";
        /// The grant is over.
        DIES = "UPDATE credential SET refresh_at = NULL WHERE mail_account_id = $1 AND retired_at IS NULL";
        /// Another application.
        GIVE = "UPDATE credential SET oauth_client_id = $2 WHERE mail_account_id = $1 AND retired_at IS NULL";
        /// What it signs in with.
        PRESENT = "SELECT id FROM credential WHERE mail_account_id = $1 AND retired_at IS NULL";
        /// All that it has had.
        KEPT = "SELECT retired_at, access_sealed FROM credential WHERE mail_account_id = $1";
    }
}

impl Granted {
    async fn write(&self, statement: &'static Statement, values: &[Value<'static>]) -> u64 {
        let values = values.to_vec();
        self.it.store.write(move |tx| tx.execute(statement, &values)).await.unwrap()
    }

    async fn present(&self) -> CredentialId {
        let id = self.id;
        let row = self.it.store.read(move |tx| tx.row(&rows::PRESENT, &[id.into()])).await.unwrap();
        row.unwrap().get(0).unwrap()
    }

    /// Whether a refresh of this token begins now.
    async fn claims(&self, organisation: OrganisationId, credential: CredentialId, serial: u64) -> bool {
        let (now, span) = (self.it.world.now(), Duration::from_secs(30));
        let key = [organisation.into(), credential.into(), now.into(), Uuid::nil().into()];
        let rest = [(now - span).into(), serial.into(), (now + span).into()];
        self.write(&sql::CLAIM_REFRESH, &[&key[..], &rest].concat()).await == 1
    }
}

/// OC-7.
async fn a_refresh_begins_with_the_newest_token_of_a_living_grant_while_no_other_is_under_way(it: TestStore) {
    let it = Granted::new(it).await;
    let (present, now, elsewhere) =
        (it.present().await, it.it.world.now(), OrganisationId::new(&it.it.world));
    let ms = Duration::from_millis;
    for (what, organisation, serial, began_at, want) in [
        ("nobody has begun", it.organisation, 1, None, true),
        ("another organisation's", elsewhere, 1, None, false),
        ("there is a newer token by now", it.organisation, 0, None, false),
        ("nobody has seen that one", it.organisation, 2, None, false),
        ("somebody has just begun", it.organisation, 1, Some(now), false),
        ("they may still get their answer", it.organisation, 1, Some(now - ms(29_999)), false),
        ("they never got it", it.organisation, 1, Some(now - ms(30_000)), true),
        ("another node's clock is a little ahead", it.organisation, 1, Some(now + ms(30_000)), false),
        ("the clock was set back", it.organisation, 1, Some(now + ms(30_001)), true),
    ] {
        assert_eq!(it.write(&rows::BEGAN, &[it.id.into(), began_at.into()]).await, 1);
        assert_eq!(it.claims(organisation, present, serial).await, want, "{what}");
    }
    assert_eq!(it.write(&rows::BEGAN, &[it.id.into(), Value::Null]).await, 1);
    assert_eq!(it.write(&rows::DIES, &[it.id.into()]).await, 1);
    assert!(!it.claims(it.organisation, present, 1).await, "nobody asks with a dead grant");
}

async fn a_token_that_has_worked_takes_nothing_from_other_accounts(it: TestStore) {
    let it = Granted::new(it).await;
    let secret = grant(&it.service, it.client);
    let new =
        NewAccount { secret, provider: "praxis".into(), ..other(it.organisation, "dr.ana@example.org") };
    let neighbour = it.accounts.add(new).await.unwrap().id;
    it.advance(HOUR);
    it.token().await.unwrap();
    it.advance(HOUR);
    let account = it.accounts.signing_in(it.organisation, it.id).await.unwrap_or_else(|why| panic!("{why}"));
    let event = Event { used: account.used, began_at: it.it.world.now(), what: What::Succeeded };
    it.accounts.report(it.organisation, it.id, Direction::Sending, event).await.unwrap();
    assert_eq!(it.generations().await, [(3, true, false)]);
    let it = Granted { id: neighbour, ..it };
    assert_eq!(it.generations().await, [(1, false, false)], "it has one generation, and keeps it");
}

async fn an_answer_leaves_nothing_of_what_came_before_it(it: TestStore) {
    let it = Granted::new(it).await;
    it.advance(HOUR);
    for minutes in [1, 2] {
        it.service.feels(Mood::Says(503, "{}"));
        assert!(it.token().await.is_err());
        let wait = Duration::from_mins(minutes);
        assert_eq!(it.due_at().await, Some(it.it.world.now() + wait), "longer each time");
        it.advance(wait);
    }
    it.service.feels(Mood::Keeps);
    assert_eq!(it.token().await.unwrap(), "access-1");
    assert_eq!(it.generations().await, [(1, false, false)]);
    // The next failure is the first one again.
    it.advance(HOUR);
    it.service.feels(Mood::Says(503, "{}"));
    assert!(it.token().await.is_err());
    assert_eq!(it.due_at().await, Some(it.it.world.now() + Duration::from_mins(1)));
    // No answer was lost: what is over was taken back.
    it.advance(HOUR);
    it.service.feels(Mood::Keeps);
    it.service.revoke();
    let failed = it.token().await.err().unwrap();
    assert!(
        matches!(&failed, NotUsable::NoToken { diagnosis } if diagnosis.rule != "grant-answer-lost"),
        "{failed}"
    );
}

/// An answer that comes after the account was removed brings no secret back into its row.
async fn what_is_retired_takes_no_answer(it: TestStore) {
    let it = Granted::new(it).await;
    let (present, now) = (it.present().await, it.it.world.now());
    it.accounts.remove(it.organisation, it.id, Actor::Command).await.unwrap();
    assert!(!it.claims(it.organisation, present, 1).await);
    let key = [it.organisation.into(), present.into()];
    let access = [Value::from(b"sealed"), 2_u64.into(), now.into(), now.into(), Value::Null];
    let failure = [now.into(), 1_u32.into(), now.into()];
    assert_eq!(it.write(&sql::STORE_ACCESS, &[&key[..], &access].concat()).await, 0);
    assert_eq!(it.write(&sql::STORE_FAILURE, &[&key[..], &failure].concat()).await, 0);
    let id = it.id;
    let all = it.it.store.read(move |tx| tx.rows(&rows::KEPT, &[id.into()])).await.unwrap();
    assert_eq!(all.len(), 1);
    assert!(all[0].get::<Option<Timestamp>>(0).unwrap().is_some());
    assert_eq!(all[0].get::<Option<Vec<u8>>>(1).unwrap(), None);
}

async fn a_paused_account_is_only_kept_alive(it: TestStore) {
    let it = Granted::new(it).await;
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.advance(HOUR);
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    let (now, due_at) = (it.it.world.now(), it.due_at().await.unwrap());
    assert!((now + HOUR * 18..=now + HOUR * 24).contains(&due_at), "once a day");
}

/// OC-9.
async fn a_grant_cannot_be_given_to_another_application_in_the_database(it: TestStore) {
    let it = Granted::new(it).await;
    let new = typed("client-2", Some("another-secret"));
    let put = it.accounts.put_application(Some(it.organisation), new, it.organisation, Actor::Command).await;
    assert_eq!(it.write(&rows::GIVE, &[it.id.into(), put.unwrap().into()]).await, 1);
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    assert_eq!(it.service.n_asked(), 0, "its token was sent to nobody");
}

async fn what_happens_to_one_application_leaves_the_others_alone(it: TestStore) {
    let it = Granted::new(it).await;
    let (of, by) = (it.organisation, Actor::Command);
    let refused = async |organisation: OrganisationId| {
        let values = [organisation.into(), Uuid::nil().into()];
        let rows = it.it.store.read(move |tx| tx.rows(&sql::LIST_REFUSED_APPLICATIONS, &values)).await;
        rows.unwrap().len()
    };
    let trouble = [of.into(), it.client.into(), "rule".into(), it.it.world.now().into()];
    assert_eq!(it.write(&sql::SET_OAUTH_CLIENT_TROUBLE, &trouble).await, 1);
    assert_eq!((refused(of).await, refused(OrganisationId::new(&it.it.world)).await), (1, 0));
    let mut other = None;
    for secret in ["another-secret", "its-next-secret"] {
        let put = it.accounts.put_application(Some(of), typed("client-2", Some(secret)), of, by).await;
        other = Some(put.unwrap());
    }
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 0, "a new secret is tried with its own grants");
    assert_eq!(refused(of).await, 0, "what is offered no more is nobody's trouble");
    let connected = async |client| {
        let all = it.accounts.connected_with(of, client).await.unwrap();
        all.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!((connected(it.client).await, connected(other.unwrap()).await), (vec![it.id], vec![]));
    it.accounts.replace_secret(of, it.id, SecretText::new("hunter2".into()), by).await.unwrap();
    assert_eq!(connected(it.client).await, [], "it signs in otherwise by now");
}

/// OC-7: there is a fifth of its life left to try again.
async fn a_refresh_that_fails_early_changes_nothing_while_the_token_lives(it: TestStore) {
    let it = Granted::new(it).await;
    let before = it.status().await;
    it.service.feels(Mood::Says(503, "{}"));
    it.advance(HOUR.mul_f64(0.8));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    assert_eq!(it.status().await, before);
    assert_eq!(it.token().await.unwrap(), "access-0");
    it.advance(HOUR.mul_f64(0.2));
    assert!(it.token().await.is_err());
    assert_eq!(it.status().await.status, StatusName::Failing, "now nobody can sign in");
}

async fn a_token_is_handed_out_while_it_lives_for_another_minute(it: TestStore) {
    let it = Granted::new(it).await;
    it.advance(HOUR - Duration::from_millis(60_001));
    assert_eq!(it.token().await.unwrap(), "access-0");
    it.advance(Duration::from_millis(1));
    assert_eq!(it.token().await.unwrap(), "access-1");
}

/// C2: who signs in stands in the token; with a password it is the name.
async fn the_mailbox_that_is_opened_is_named_where_a_token_signs_in(it: TestStore) {
    let it = Granted::new(it).await;
    let name = async || {
        let it = it.accounts.signing_in(it.organisation, it.id).await;
        it.unwrap_or_else(|why| panic!("{why}")).user_name
    };
    assert_eq!(name().await, "reception@example.org");
    let settings = it.accounts.get(it.organisation, it.id).await.unwrap().settings();
    let settings = Settings { opens: Some(address("shared@example.org")), ..settings };
    it.accounts.edit(it.organisation, it.id, settings, Actor::Command).await.unwrap();
    assert_eq!(name().await, "shared@example.org");
    let password = SecretText::new("hunter2".into());
    it.accounts.replace_secret(it.organisation, it.id, password, Actor::Command).await.unwrap();
    assert_eq!(name().await, "reception@example.org");
}
