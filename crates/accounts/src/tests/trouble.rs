//! What people are told of wherever they are, and "Later".

use gatepost_core::PersonId;
use gatepost_testkit::on_both_engines;

use super::*;

on_both_engines!(
    ROOMS;
    those_who_rule_hear_of_every_account_and_others_of_their_own,
    nobody_hears_of_what_serves_another_person,
    accounts_with_one_cause_are_one_entry,
    a_trouble_is_put_off_for_a_day_for_one_person_and_a_new_one_is_told,
    what_was_put_off_stays_so_when_something_else_is,
    nobody_puts_off_what_they_are_not_told_of,
    a_quiet_page_costs_no_question_of_the_database,
);

mod rows {
    gatepost_store::statements! {
        /// What everybody has put off.
        POSTPONED = "SELECT mail_account_id FROM postponement ORDER BY mail_account_id LIMIT 100";
        /// Without its table a question about it fails.
        LOSE = "ALTER TABLE postponement RENAME TO lost";
    }
}

/// The account of `name` is parked, by the grant it has now.
async fn park(it: &Fixture, id: MailAccountId, direction: Direction) {
    it.advance(1);
    let account = it.accounts.signing_in(it.organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
    let event = Event { used: account.used, began_at: it.now(), what: refused() };
    it.accounts.report(it.organisation, id, direction, event).await.unwrap();
}

async fn heal(it: &Fixture, id: MailAccountId) {
    it.advance(1);
    let account = it.accounts.signing_in(it.organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
    let event = Event { used: account.used, began_at: it.now(), what: What::Succeeded };
    it.accounts.report(it.organisation, id, Direction::Sending, event).await.unwrap();
}

async fn add(it: &Fixture, name: &str, provider: &str, serves: Serves) -> MailAccountId {
    let account = other(it.organisation, &format!("{name}@example.org"));
    let new = NewAccount { short_name: name.into(), provider: provider.into(), serves, ..account };
    it.accounts.add(new).await.unwrap().id
}

/// The names of each entry.
async fn told(it: &Fixture, watcher: Watcher) -> Vec<Vec<String>> {
    let all = it.accounts.troubles_for(it.organisation, watcher).await.unwrap();
    all.into_iter().map(|it| it.accounts.into_iter().map(|it| it.short_name).collect()).collect()
}

fn people(it: &Fixture) -> [Watcher; 2] {
    let person = || PersonId::new(&it.it.world);
    [Watcher { person: person(), rules: true }, Watcher { person: person(), rules: false }]
}

const NOTHING: [[&str; 0]; 0] = [];

async fn those_who_rule_hear_of_every_account_and_others_of_their_own(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, anna] = people(&it);
    let own = add(&it, "anna", "gmail", Serves::Person(anna.person)).await;
    assert_eq!(told(&it, chief).await, NOTHING);
    park(&it, it.id, Direction::Sending).await;
    park(&it, own, Direction::Reading).await;
    assert_eq!(told(&it, chief).await, [["Reception"], ["anna"]]);
    assert_eq!(told(&it, anna).await, [["anna"]]);
    let entries = it.accounts.troubles_for(it.organisation, chief).await.unwrap();
    let first = &entries[0].accounts[0];
    assert!(first.cannot_send && !first.cannot_read && entries[0].kind == TroubleKind::SignIn);
    assert!(entries[0].diagnosis.is_some(), "the catalogue knows a plain 535");
    let second = &entries[1].accounts[0];
    assert!(!second.cannot_send && second.cannot_read && second.since > first.since);
    // Of what was stopped on purpose, what is well again and what is gone nobody needs to hear.
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    assert_eq!(told(&it, chief).await, [["anna"]]);
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    heal(&it, it.id).await;
    assert_eq!(told(&it, chief).await, [["anna"]]);
    it.accounts.remove(it.organisation, own, Actor::Command).await.unwrap();
    assert_eq!(told(&it, chief).await, NOTHING);
}

async fn nobody_hears_of_what_serves_another_person(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, anna] = people(&it);
    let [_, bert] = people(&it);
    let own = add(&it, "anna", "gmail", Serves::Person(anna.person)).await;
    park(&it, own, Direction::Sending).await;
    assert_eq!(told(&it, bert).await, NOTHING);
    let since = it.accounts.status(it.organisation, own).await.unwrap().sending.since;
    for watcher in [bert, chief] {
        it.accounts
            .postpone(it.organisation, watcher, vec![Postponed { account: own, since }])
            .await
            .unwrap();
        assert_eq!(told(&it, anna).await, [["anna"]], "nor puts it off for her");
    }
}

async fn accounts_with_one_cause_are_one_entry(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, _] = people(&it);
    let same = add(&it, "billing", "custom", Serves::Organisation).await;
    let another = add(&it, "doctor", "gmail", Serves::Organisation).await;
    for id in [it.id, another, same] {
        park(&it, id, Direction::Sending).await;
    }
    assert_eq!(told(&it, chief).await, [vec!["Reception", "billing"], vec!["doctor"]]);
}

async fn a_trouble_is_put_off_for_a_day_for_one_person_and_a_new_one_is_told(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, _] = people(&it);
    let [deputy, _] = people(&it);
    park(&it, it.id, Direction::Sending).await;
    let since = it.status().await.sending.since;
    let this = Postponed { account: it.id, since };
    it.accounts.postpone(it.organisation, chief, vec![this]).await.unwrap();
    assert_eq!(told(&it, chief).await, NOTHING);
    assert_eq!(told(&it, deputy).await, [["Reception"]], "for them alone");
    it.advance(24 * 3_600 - 1);
    assert_eq!(told(&it, chief).await, NOTHING);
    it.advance(1);
    assert_eq!(told(&it, chief).await, [["Reception"]], "the day is over");
    it.accounts.postpone(it.organisation, chief, vec![this]).await.unwrap();
    // A trouble that began later is another one.
    heal(&it, it.id).await;
    park(&it, it.id, Direction::Sending).await;
    assert_eq!(told(&it, chief).await, [["Reception"]]);
    // After the clock was set back, what was put off "in the future" silences nothing for longer than a day.
    let since = it.status().await.sending.since;
    it.accounts.postpone(it.organisation, chief, vec![Postponed { account: it.id, since }]).await.unwrap();
    it.it.clock.set(Timestamp::from_millis(it.now().millis() - 1_000));
    assert_eq!(told(&it, chief).await, [["Reception"]]);
}

async fn what_was_put_off_stays_so_when_something_else_is(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, _] = people(&it);
    let other = add(&it, "doctor", "gmail", Serves::Organisation).await;
    for (id, left) in [(it.id, vec![vec!["doctor"]]), (other, vec![])] {
        park(&it, it.id, Direction::Sending).await;
        park(&it, other, Direction::Sending).await;
        let since = it.accounts.status(it.organisation, id).await.unwrap().sending.since;
        let this = Postponed { account: id, since };
        it.accounts.postpone(it.organisation, chief, vec![this]).await.unwrap();
        assert_eq!(told(&it, chief).await, left);
    }
}

async fn nobody_puts_off_what_they_are_not_told_of(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, anna] = people(&it);
    park(&it, it.id, Direction::Sending).await;
    let since = it.status().await.sending.since;
    let this = Postponed { account: it.id, since };
    let later = Postponed { account: it.id, since: it.now() + std::time::Duration::from_hours(1) };
    it.accounts.postpone(it.organisation, anna, vec![this]).await.unwrap();
    it.accounts.postpone(it.organisation, chief, vec![later]).await.unwrap();
    it.accounts.postpone(OrganisationId::new(&it.it.world), chief, vec![this]).await.unwrap();
    let rows = it.it.store.read(|tx| tx.rows(&rows::POSTPONED, &[])).await.unwrap();
    assert!(rows.is_empty());
    assert_eq!(told(&it, chief).await, [["Reception"]]);
}

async fn a_quiet_page_costs_no_question_of_the_database(it: TestStore) {
    let it = Fixture::new(it).await;
    let [chief, anna] = people(&it);
    it.it.store.write(|tx| tx.execute(&rows::LOSE, &[])).await.unwrap();
    assert_eq!(told(&it, chief).await, NOTHING);
    park(&it, it.id, Direction::Sending).await;
    assert_eq!(told(&it, anna).await, NOTHING, "of others' trouble neither");
    // Where something is wrong, it is asked what was put off.
    assert!(it.accounts.troubles_for(it.organisation, chief).await.is_err());
}
