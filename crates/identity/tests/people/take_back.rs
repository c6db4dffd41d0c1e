//! What "This was not me" takes back of a person's addresses.

use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_identity::{
    AccountProblem, Contact, ContactKind, LinkKind, NewSession, Person, PersonRefusal, Role, TakenBack, Token,
};
use gatepost_journal::NoticeKind;
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, OTHER, RIGHT, office, secret, session, visitor};

on_both_engines!(ROOMS;
    this_was_not_me_brings_the_address_of_before_back,
    the_letter_of_before_the_change_does_the_same,
    several_changes_of_a_week_end_where_they_began,
    contacts_of_the_week_go_and_older_ones_stay,
    what_nobody_has_proven_cannot_be_proven_afterwards,
    after_a_week_a_change_stays,
    an_address_that_somebody_else_has_stays_theirs,
    of_a_change_and_this_was_not_me_at_once_nothing_is_left,
    a_changed_address_ends_links_to_a_password,
);

const HOURS: Duration = Duration::from_hours(1);
const WEEK: Duration = Duration::from_hours(7 * 24);

impl House {
    async fn added(&self, made: &NewSession, address: &str) -> Contact {
        self.people.add_contact(&made.session, ContactKind::Address, address).await.unwrap()
    }

    async fn proven(&self, made: &NewSession, address: &str) -> Contact {
        let contact = self.added(made, address).await;
        let token = self.token_of_waiting_link(&made.session.person, LinkKind::Contact).await;
        self.people.prove_contact(&token).await.unwrap();
        contact
    }

    /// Signs in with another address from now on.
    async fn moves(&self, made: &NewSession, address: &str) {
        let contact = self.proven(made, address).await;
        self.people.sign_in_with_contact(&made.session, contact.id).await.unwrap();
    }

    /// The newest letter's link.
    async fn letter(&self, person: &Person) -> Token {
        self.token_of_waiting_link(person, LinkKind::NotMe).await
    }

    async fn not_me(&self, token: &Token) -> TakenBack {
        self.people.not_me(token, false, &office()).await.unwrap()
    }

    async fn contacts(&self, person: &Person) -> Vec<String> {
        let all = self.people.security_overview(person).await.unwrap().contacts;
        all.into_iter().map(|it| it.value).collect()
    }

    /// Where the newest notice of a kind goes.
    async fn last(&self, person: &Person, kind: NoticeKind) -> Vec<String> {
        self.notices(person).await.into_iter().rfind(|it| it.0 == kind).unwrap().1
    }
}

fn back(address: &str, removed: &[&str]) -> TakenBack {
    let removed = removed.iter().map(|it| (*it).to_owned()).collect();
    TakenBack { address: Some(address.parse::<EmailAddress>().unwrap()), removed }
}

/// Somebody in the person's session takes the account away, and hides every letter but the first.
async fn this_was_not_me_brings_the_address_of_before_back(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let thief = house.signed_in(&anna).await;
    house.moves(&thief, "evil@elsewhere.example").await;
    let from = visitor("203.0.113.7", "Other");
    let (current, new) = (secret(RIGHT), secret(OTHER));
    let thief = house.people.find_session(&thief.token, true).await.unwrap().unwrap();
    house.people.change_password(&thief, &current, &new, false, &from).await.unwrap();
    let token = house.letter(&anna).await;
    let opened = house.people.find_link(&token).await.unwrap().unwrap();
    assert_eq!(opened.goes_back_to.unwrap().as_str(), "anna@example.org", "the page says so");
    let taken = house.not_me(&token).await;
    assert_eq!(taken, back("anna@example.org", &["evil@elsewhere.example"]));
    assert_eq!(house.reread(&anna).await.address.as_str(), "anna@example.org");
    assert!(house.contacts(&anna).await.is_empty(), "neither the later one nor a second row of the old one");
    assert_eq!(house.last(&anna, NoticeKind::AccountSecured).await, ["anna@example.org"]);
    assert_eq!(house.last(&anna, NoticeKind::ContactChanged).await, ["evil@elsewhere.example"]);
    assert!(house.entries("contact.changed").await[0].contains("taken_back"));
    // The thief asks again, later, and has letters to click in.
    house.it.clock.advance(HOURS * 2);
    let n = house.notices(&anna).await.len();
    house.people.forgot_password("evil@elsewhere.example", &from).await.unwrap();
    assert_eq!(house.notices(&anna).await.len(), n);
    assert!(matches!(
        house.sign_in("evil@elsewhere.example", OTHER).await,
        Err(PersonRefusal::WrongPassword)
    ));
    assert_eq!(house.links(&anna).await, ["password_reset"], "no letter of before asks anybody any more");
    house.people.forgot_password("anna@example.org", &office()).await.unwrap();
    assert_eq!(house.last(&anna, NoticeKind::PasswordReset).await, ["anna@example.org"]);
    let reset = house.token_of_waiting_link(&anna, LinkKind::PasswordReset).await;
    let chosen = house.people.choose_password(&reset, &secret(RIGHT), None, false, &office()).await;
    session(chosen.unwrap());
}

async fn the_letter_of_before_the_change_does_the_same(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.signed_in(&anna).await;
    let thief = house.signed_in(&anna).await;
    let token = house.letter(&anna).await;
    house.it.clock.advance(HOURS / 4);
    house.moves(&thief, "evil@elsewhere.example").await;
    // The old address is no contact either any more.
    let old = house.people.security_overview(&anna).await.unwrap().contacts.remove(0);
    house.people.remove_contact(&thief.session, old.id).await.unwrap();
    house.it.clock.advance(HOURS * 24 * 6);
    assert_eq!(house.not_me(&token).await, back("anna@example.org", &["evil@elsewhere.example"]));
    assert_eq!(house.last(&anna, NoticeKind::AccountSecured).await, ["anna@example.org"]);
}

async fn several_changes_of_a_week_end_where_they_began(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let thief = house.signed_in(&anna).await;
    for address in ["one@elsewhere.example", "two@elsewhere.example"] {
        house.moves(&thief, address).await;
        house.it.clock.advance(Duration::from_mins(10));
    }
    let token = house.letter(&anna).await;
    let taken = house.not_me(&token).await;
    assert_eq!(taken, back("anna@example.org", &["two@elsewhere.example", "one@elsewhere.example"]));
    // There and back again: nothing but what came along goes.
    let token = house.link(&anna, LinkKind::PasswordReset, "{}").await;
    let made =
        session(house.people.choose_password(&token, &secret(RIGHT), None, false, &office()).await.unwrap());
    house.moves(&made, "three@elsewhere.example").await;
    let own = house.people.security_overview(&anna).await.unwrap().contacts.remove(0);
    house.people.sign_in_with_contact(&made.session, own.id).await.unwrap();
    let token = house.letter(&anna).await;
    assert_eq!(house.people.find_link(&token).await.unwrap().unwrap().goes_back_to, None);
    let taken = house.not_me(&token).await;
    assert_eq!(
        (taken.address, taken.removed.as_slice()),
        (None, &["three@elsewhere.example".to_owned()][..])
    );
    assert_eq!(house.reread(&anna).await.address.as_str(), "anna@example.org");
}

async fn contacts_of_the_week_go_and_older_ones_stay(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    house.proven(&made, "anna@home.example").await;
    house.people.add_contact(&made.session, ContactKind::Telephone, "030 123456").await.unwrap();
    // Proven in the week, though it was added before.
    let late = house.contact(&anna, "late@home.example", false).await;
    house.it.clock.advance(HOURS * 24);
    let link = house.link(&anna, LinkKind::Contact, &format!(r#"{{"contact":"{late}"}}"#)).await;
    house.it.clock.advance(HOURS);
    house.people.prove_contact(&link).await.unwrap();
    house.it.clock.advance(WEEK - HOURS);
    let made = house.signed_in(&anna).await;
    house.proven(&made, "new@home.example").await;
    let token = house.letter(&anna).await;
    let taken = house.not_me(&token).await;
    assert_eq!(taken.address, None);
    assert_eq!(taken.removed, ["late@home.example", "new@home.example"]);
    assert_eq!(house.contacts(&anna).await, ["anna@home.example", "030 123456"]);
    assert_eq!(house.last(&anna, NoticeKind::ContactChanged).await, ["new@home.example"], "and is told");
    assert_eq!(house.last(&anna, NoticeKind::AccountSecured).await, ["anna@example.org"]);
}

async fn what_nobody_has_proven_cannot_be_proven_afterwards(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let thief = house.signed_in(&anna).await;
    let contact = house.added(&thief, "evil@elsewhere.example").await;
    let proof = house.token_of_waiting_link(&anna, LinkKind::Contact).await;
    // One more, removed so that it is not to be seen.
    let hidden = house.added(&thief, "hidden@elsewhere.example").await;
    let hidden_proof = house.token_of_waiting_link(&anna, LinkKind::Contact).await;
    house.people.remove_contact(&thief.session, hidden.id).await.unwrap();
    let token = house.letter(&anna).await;
    assert_eq!(house.not_me(&token).await.removed, ["evil@elsewhere.example"]);
    let told = house.notices(&anna).await.into_iter().filter(|it| it.1.contains(&contact.value)).count();
    assert_eq!(told, 1, "only what asked whether it was theirs");
    for proof in [proof, hidden_proof] {
        assert!(house.people.find_link(&proof).await.unwrap().is_none());
        let refused = house.people.prove_contact(&proof).await;
        assert!(matches!(refused, Err(AccountProblem::Refused(PersonRefusal::Over))));
    }
    assert!(house.contacts(&anna).await.is_empty());
}

async fn after_a_week_a_change_stays(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    house.moves(&made, "anna@new.example").await;
    let change = house.letter(&anna).await;
    house.it.clock.advance(WEEK - Duration::from_millis(1));
    let opened = house.people.find_link(&change).await.unwrap().unwrap();
    assert_eq!(opened.goes_back_to.unwrap().as_str(), "anna@example.org");
    house.it.clock.advance(Duration::from_millis(2));
    assert!(house.people.find_link(&change).await.unwrap().is_none());
    let n = house.n_rows().await;
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, n - 1, "what nothing goes back to is forgotten");
    let later = house.link(&anna, LinkKind::NotMe, "{}").await;
    assert_eq!(house.not_me(&later).await, TakenBack::default());
    assert_eq!(house.reread(&anna).await.address.as_str(), "anna@new.example");
    assert_eq!(house.contacts(&anna).await, ["anna@example.org"]);
    assert_eq!(house.last(&anna, NoticeKind::AccountSecured).await, ["anna@new.example"]);
}

async fn an_address_that_somebody_else_has_stays_theirs(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    house.moves(&made, "one@elsewhere.example").await;
    let ben = house.person("anna@example.org", Role::Operator).await;
    let token = house.letter(&anna).await;
    assert_eq!(house.not_me(&token).await.address, None);
    assert_eq!(house.reread(&anna).await.address.as_str(), "one@elsewhere.example");
    assert!(!house.kinds(&anna).await.contains(&NoticeKind::AccountSecured), "an administrator helps");
    house.signed_in(&ben).await;
    // Of two earlier ones the older that is free.
    let carl = house.person("carl@example.org", Role::Operator).await;
    let made = house.signed_in(&carl).await;
    for address in ["two@elsewhere.example", "three@elsewhere.example"] {
        house.moves(&made, address).await;
    }
    house.person("carl@example.org", Role::Operator).await;
    let token = house.letter(&carl).await;
    assert_eq!(house.not_me(&token).await.address.unwrap().as_str(), "two@elsewhere.example");
}

/// A form of the thief's that was under way when everything ended.
async fn of_a_change_and_this_was_not_me_at_once_nothing_is_left(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.signed_in(&anna).await;
    let thief = house.signed_in(&anna).await;
    let contact = house.proven(&thief, "evil@elsewhere.example").await;
    let token = house.letter(&anna).await;
    house.not_me(&token).await;
    let over = |it: AccountProblem| matches!(it, AccountProblem::Refused(PersonRefusal::Over));
    let added = house.people.add_contact(&thief.session, ContactKind::Address, "two@elsewhere.example").await;
    assert!(over(added.unwrap_err()));
    assert!(over(house.people.sign_in_with_contact(&thief.session, contact.id).await.unwrap_err()));
    assert!(over(house.people.remove_contact(&thief.session, contact.id).await.unwrap_err()));
}

/// What was mailed to the old address may be read by others.
async fn a_changed_address_ends_links_to_a_password(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    house.people.forgot_password("anna@example.org", &office()).await.unwrap();
    let mailed = house.token_of_waiting_link(&anna, LinkKind::PasswordReset).await;
    assert!(house.people.find_link(&mailed).await.unwrap().is_some());
    house.moves(&made, "anna@new.example").await;
    assert!(house.people.find_link(&mailed).await.unwrap().is_none());
    let chosen = house.people.choose_password(&mailed, &secret(OTHER), None, false, &office()).await;
    assert!(matches!(chosen, Err(AccountProblem::Refused(PersonRefusal::Over))));
}
