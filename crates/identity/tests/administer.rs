//! What administrators do with people and locations, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod house;

use std::time::Duration;

use gatepost_core::{LinkId, LocationId, PersonId};
use gatepost_identity::{
    Identity, IdentityError, LinkKind, NewPerson, Person, RefusedBecause, Role, SignInRefusal, Token,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::{Lock, Statement, params};
use gatepost_testkit::{TestStore, on_both_engines};

use house::{House, ROOMS, address};

on_both_engines!(ROOMS;
    an_invited_person_is_sent_a_link_and_may_be_invited_again,
    an_administrators_invitation_is_handed_over_and_never_mailed,
    a_withdrawn_invitation_leaves_nothing_and_frees_the_address,
    nobody_who_has_a_password_is_withdrawn,
    nobody_resets_their_own_two_step_or_that_of_the_last_administrator,
    people_are_listed_by_name_and_edited,
    the_last_administrator_is_neither_demoted_nor_disabled,
    of_all_administrators_at_once_one_stays,
    one_who_cannot_sign_in_yet_is_no_administrator_to_rely_on,
    all_administrators_hear_of_a_new_one_and_of_changed_roles,
    an_administrator_is_invited_by_hand_and_no_letter,
    an_invitation_is_withdrawn_while_nobody_has_answered_it,
    what_somebody_made_for_others_is_removed_with_them_on_request,
    disabling_ends_live_sessions_of_their_login_and_of_no_other,
    the_login_of_their_own_mail_account_ends_with_a_person,
    a_link_that_is_handed_over_is_what_the_person_needs,
    a_form_sent_eight_times_at_once_resets_a_password_once,
    a_form_sent_eight_times_at_once_invites_again_once,
    a_link_has_one_token_while_it_lives,
    nothing_is_done_to_people_of_others,
    locations_are_listed_and_renamed,
    an_organisation_gets_its_name_when_it_is_set_up,
);

const GIVE_PASSWORD: Statement = Statement {
    name: "GIVE_PASSWORD",
    text: "INSERT INTO password (person_id, organisation_id, hash, key_id, changed_at) VALUES ($1, $2, '', $1, 0)",
    lock: Lock::None,
};

const TURN_ON: Statement =
    Statement { name: "TURN_ON", text: "UPDATE person SET two_step_at = $2 WHERE id = $1", lock: Lock::None };

impl House {
    /// Somebody who can sign in, with two-step verification on.
    async fn working(&self, at: &str, role: Role) -> Person {
        let person = self.add(at, role).await;
        self.set_up(&person).await;
        self.get(&person).await
    }

    async fn set_up(&self, person: &Person) {
        let (id, organisation, now) = (person.id, person.organisation, self.it.world.now());
        let set_up = self.it.store.write(move |tx| {
            tx.execute(&GIVE_PASSWORD, params![id, organisation])?;
            tx.execute(&TURN_ON, params![id, now])
        });
        set_up.await.unwrap();
    }

    async fn get(&self, person: &Person) -> Person {
        self.identity.get_person(self.organisation, person.id).await.unwrap()
    }

    async fn disable(&self, person: &Person) -> Result<(), IdentityError> {
        self.identity.disable_person(self.organisation, person.id, &[], Actor::Command).await
    }

    async fn make_operator(&self, person: &Person) -> Result<(), IdentityError> {
        self.identity.change_role(self.organisation, person.id, Role::Operator, Actor::Command).await
    }

    async fn actions(&self) -> Vec<String> {
        let entries = gatepost_journal::newest(&self.it.store, self.organisation, 100).await.unwrap();
        entries.into_iter().rev().map(|it| it.action).collect()
    }
}

async fn an_invited_person_is_sent_a_link_and_may_be_invited_again(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Administrator).await;
    let by = Actor::Person(anna.id);
    let new = house.new_person("Ben@Example.org", Role::Operator);
    let ben = house.identity.invite_person(new.clone(), by).await.unwrap();
    assert_eq!((ben.address.as_str(), ben.has_password), ("ben@example.org", false));
    let again = house.identity.invite_person(new, by).await;
    assert!(matches!(again, Err(IdentityError::PersonExists(_))));

    let notices = house.notices().await;
    assert_eq!(notices.len(), 1);
    let first = &notices[0];
    assert_eq!((first.kind, first.person), (NoticeKind::Invitation, ben.id));
    assert_eq!((&first.addresses[..], &first.details["by"]), (&[ben.address.clone()][..], &"anna".into()));
    let first = first.link.unwrap();
    assert!(house.identity.issue_link(house.organisation, first).await.unwrap().is_some());
    house.identity.invite_again(house.organisation, ben.id, LinkId::new(&house.it.world), by).await.unwrap();
    assert!(house.identity.issue_link(house.organisation, first).await.unwrap().is_none());
    let second = house.notices().await[0].link.unwrap();
    // What is handed over is what the letter carries, whichever comes first.
    let handed =
        house.identity.hand_link(house.organisation, ben.id, LinkKind::Invitation, by).await.unwrap();
    let mailed = house.identity.issue_link(house.organisation, second).await.unwrap().unwrap();
    assert_eq!(handed.token.reveal(), mailed.reveal());
    house.it.clock.advance(Duration::from_hours(72));
    assert!(house.identity.issue_link(house.organisation, second).await.unwrap().is_none());
    house.disable(&ben).await.unwrap();
    let disabled =
        house.identity.invite_again(house.organisation, ben.id, LinkId::new(&house.it.world), by).await;
    assert!(matches!(disabled, Err(IdentityError::PersonDisabled(_))));
}

async fn an_administrators_invitation_is_handed_over_and_never_mailed(it: TestStore) {
    let house = House::new(it).await;
    let (organisation, by) = (house.organisation, Actor::Command);
    let new = house.new_person("ben@example.org", Role::Administrator);
    let ben = house.identity.invite_person(new, by).await.unwrap();
    house.identity.invite_again(organisation, ben.id, LinkId::new(&house.it.world), by).await.unwrap();
    assert!(house.notices().await.is_empty());
    // One that was mailed to an operator opens nothing once they are to be an administrator.
    let new = house.new_person("eva@example.org", Role::Operator);
    let eva = house.identity.invite_person(new, by).await.unwrap();
    let mailed = house.notices().await[0].link.unwrap();
    house.identity.hand_link(organisation, eva.id, LinkKind::Invitation, by).await.unwrap();
    assert!(house.identity.issue_link(organisation, mailed).await.unwrap().is_some());
    house.identity.change_role(organisation, eva.id, Role::Administrator, by).await.unwrap();
    assert!(house.identity.issue_link(organisation, mailed).await.unwrap().is_none());
}

async fn a_withdrawn_invitation_leaves_nothing_and_frees_the_address(it: TestStore) {
    let house = House::new(it).await;
    let (organisation, by) = (house.organisation, Actor::Command);
    house.working("anna@example.org", Role::Administrator).await;
    for role in [Role::Operator, Role::Administrator] {
        let new = house.new_person("ben@example.org", role);
        let ben = house.identity.invite_person(new.clone(), by).await.unwrap();
        let login = house.identity.ensure_person_login(&ben).await.unwrap();
        let made = house.make_for(&login, "Scanner").await;
        let session = house.watch.register(&house.sign_in(&made).await);
        let told = house.notices().await;
        let link = told.iter().find(|it| it.kind == NoticeKind::Invitation).and_then(|it| it.link);
        house.identity.withdraw_invitation(organisation, ben.id, by).await.unwrap();
        assert!(house.identity.find_person(organisation, &ben.address).await.unwrap().is_none());
        if let Some(link) = link {
            assert!(house.identity.issue_link(organisation, link).await.unwrap().is_none());
        }
        house.watch.look().await.unwrap();
        assert!(
            session.is_ended() && house.verify(&made.user_name, made.text.grouped().reveal()).await.is_err()
        );
        let again = house.identity.withdraw_invitation(organisation, ben.id, by).await;
        assert!(matches!(again, Err(IdentityError::NoSuchPerson)));
    }
    // Nor the first administrator before anybody else can look after the organisation.
    let elsewhere = house.identity.create_organisation("Elsewhere", by).await.unwrap().id;
    let first =
        NewPerson { organisation: elsewhere, ..house.new_person("them@example.org", Role::Administrator) };
    let first = house.identity.invite_person(first, by).await.unwrap();
    let kept = house.identity.withdraw_invitation(elsewhere, first.id, by).await;
    assert!(matches!(kept, Err(IdentityError::LastAdministrator(_))));
}

async fn nobody_who_has_a_password_is_withdrawn(it: TestStore) {
    let house = House::new(it).await;
    house.working("anna@example.org", Role::Administrator).await;
    let ben = house.working("ben@example.org", Role::Operator).await;
    let kept = house.identity.withdraw_invitation(house.organisation, ben.id, Actor::Command).await;
    assert!(matches!(kept, Err(IdentityError::HasPassword(_))));
    assert_eq!(house.get(&ben).await, ben);
}

async fn nobody_resets_their_own_two_step_or_that_of_the_last_administrator(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.working("anna@example.org", Role::Administrator).await;
    let ben = house.working("ben@example.org", Role::Operator).await;
    let reset =
        async |whose: &Person, by| house.identity.reset_two_step(house.organisation, whose.id, by).await;
    let own = reset(&ben, Actor::Person(ben.id)).await;
    assert!(matches!(own, Err(IdentityError::OwnTwoStep(_))));
    let last = reset(&anna, Actor::Person(ben.id)).await;
    assert!(matches!(last, Err(IdentityError::LastAdministrator(_))));
    assert_eq!((house.get(&anna).await, house.get(&ben).await), (anna.clone(), ben.clone()));
    reset(&ben, Actor::Person(anna.id)).await.unwrap();
    // Whoever has lost everything is helped on the server.
    reset(&anna, Actor::Command).await.unwrap();
    assert_eq!((house.get(&anna).await.two_step_at, house.get(&ben).await.two_step_at), (None, None));
}

async fn people_are_listed_by_name_and_edited(it: TestStore) {
    let house = House::new(it).await;
    let annex = house.identity.add_location(house.organisation, "Annex", Actor::Command).await.unwrap();
    for at in ["zoe@example.org", "Anna@example.org", "ben@example.org"] {
        house.add(at, Role::Operator).await;
    }
    let names = async || {
        let all = house.identity.list_people(house.organisation).await.unwrap();
        all.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["Anna", "ben", "zoe"]);
    let zoe =
        house.identity.find_person(house.organisation, &address("zoe@example.org")).await.unwrap().unwrap();
    let edit = async |name: &str, home: Option<LocationId>| {
        house.identity.edit_person(house.organisation, zoe.id, name, home, Actor::Command).await
    };
    let edited = edit(" Aaron Zimt ", Some(annex.id)).await.unwrap();
    assert_eq!((edited.name.as_str(), edited.home_location), ("Aaron Zimt", Some(annex.id)));
    assert_eq!(house.get(&zoe).await, edited);
    assert_eq!(names().await, ["Aaron Zimt", "Anna", "ben"]);
    assert!(matches!(edit("\n", None).await, Err(IdentityError::BadName(_))));
    let nowhere = Some(LocationId::new(&house.it.world));
    assert!(matches!(edit("Zoe", nowhere).await, Err(IdentityError::NoSuchLocation)));
    let lost = NewPerson { home_location: nowhere, ..house.new_person("x@example.org", Role::Operator) };
    let lost = house.identity.invite_person(lost, Actor::Command).await;
    assert!(matches!(lost, Err(IdentityError::NoSuchLocation)));
}

async fn the_last_administrator_is_neither_demoted_nor_disabled(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.working("anna@example.org", Role::Administrator).await;
    let ben = house.working("ben@example.org", Role::Operator).await;
    // Those do not count who are invited only, or have no second step, or belong to another organisation.
    house.add("invited@example.org", Role::Administrator).await;
    let bare = house.working("bare@example.org", Role::Administrator).await;
    house.identity.reset_two_step(house.organisation, bare.id, Actor::Command).await.unwrap();
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let them =
        NewPerson { organisation: elsewhere, ..house.new_person("them@example.org", Role::Administrator) };
    let them = house.identity.add_person(them, Actor::Command).await.unwrap();
    house.set_up(&them).await;
    let is_last = |it: Result<(), IdentityError>| matches!(it, Err(IdentityError::LastAdministrator(at)) if at == "anna@example.org");
    assert!(is_last(house.make_operator(&anna).await) && is_last(house.disable(&anna).await));
    assert_eq!(house.get(&anna).await, anna);
    // Nor one who is disabled.
    house
        .identity
        .change_role(house.organisation, ben.id, Role::Administrator, Actor::Command)
        .await
        .unwrap();
    house.disable(&ben).await.unwrap();
    assert!(is_last(house.make_operator(&anna).await) && is_last(house.disable(&anna).await));
    house.make_operator(&ben).await.unwrap();
    house
        .identity
        .change_role(house.organisation, ben.id, Role::Administrator, Actor::Command)
        .await
        .unwrap();
    house.identity.enable_person(house.organisation, ben.id, Actor::Command).await.unwrap();
    house.disable(&anna).await.unwrap();
    house.disable(&anna).await.unwrap();
    assert_eq!(house.get(&anna).await.disabled_at, Some(house.it.world.now()));
    assert_eq!(
        house.actions().await.iter().filter(|it| *it == "person.disabled").count(),
        2,
        "disabling again does nothing"
    );
}

async fn of_all_administrators_at_once_one_stays(it: TestStore) {
    let house = House::new(it).await;
    for round in 0..5 {
        let name = format!("Organisation {round}");
        let organisation = house.identity.create_organisation(&name, Actor::Command).await.unwrap().id;
        let mut all = Vec::new();
        for n in 0..8 {
            let new = house.new_person(&format!("admin-{round}-{n}@example.org"), Role::Administrator);
            let new = NewPerson { organisation, ..new };
            let person = house.identity.add_person(new, Actor::Command).await.unwrap();
            house.set_up(&person).await;
            all.push(person.id);
        }
        let mut at_once = tokio::task::JoinSet::new();
        for (n, person) in all.into_iter().enumerate() {
            let identity = house.identity.clone();
            at_once.spawn(async move {
                if n % 2 == 0 {
                    identity.disable_person(organisation, person, &[], Actor::Person(person)).await
                } else {
                    identity.change_role(organisation, person, Role::Operator, Actor::Person(person)).await
                }
            });
        }
        let outcomes = at_once.join_all().await;
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 7, "round {round}");
        let all = house.identity.list_people(organisation).await.unwrap();
        let left = all.iter().filter(|it| it.role == Role::Administrator && it.disabled_at.is_none());
        assert_eq!(left.count(), 1, "round {round}");
    }
}

mod sql {
    gatepost_store::statements! {
        /// As somebody who has signed in with both steps; no hash fits that.
        MAKE_WHOLE = "
            INSERT INTO password (person_id, organisation_id, hash, key_id, changed_at)
            SELECT p.id, p.organisation_id, 'none', p.id, 0
            FROM person p
            WHERE p.id = $1";
        /// Since then.
        SET_TWO_STEP = "UPDATE person SET two_step_at = $2 WHERE id = $1";
    }
}

impl House {
    /// With a password and two-step verification.
    async fn whole(&self, at: &str) -> Person {
        let person = self.add(at, Role::Administrator).await;
        let (id, now) = (person.id, self.it.world.now());
        let made = self.it.store.write(move |tx| {
            tx.execute(&sql::MAKE_WHOLE, gatepost_store::params![id])?;
            tx.execute(&sql::SET_TWO_STEP, gatepost_store::params![id, now]).map_err(IdentityError::from)
        });
        made.await.unwrap();
        self.get(&person).await
    }
}

async fn one_who_cannot_sign_in_yet_is_no_administrator_to_rely_on(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.whole("anna@example.org").await;
    // Invited, perhaps to an address with a typing error.
    let ben = house.add("ben@example.org", Role::Administrator).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    let is_last = |it: Result<(), IdentityError>| matches!(it, Err(IdentityError::LastAdministrator(_)));
    assert!(is_last(house.make_operator(&anna).await) && is_last(house.disable(&anna).await));
    let by_ben = identity.reset_two_step(organisation, anna.id, Actor::Person(ben.id)).await;
    assert!(is_last(by_ben));
    // Ben may go, and come back with both steps; then one of the two may go.
    house.make_operator(&ben).await.unwrap();
    let carl = house.whole("carl@example.org").await;
    let own = identity.reset_two_step(organisation, carl.id, Actor::Person(carl.id)).await;
    assert!(matches!(own, Err(IdentityError::OwnTwoStep(_))));
    identity.reset_two_step(organisation, anna.id, Actor::Person(carl.id)).await.unwrap();
    assert!(is_last(house.make_operator(&carl).await), "Anna has to set it up anew first");
    // A command is the way back in for the last one.
    identity.reset_two_step(organisation, carl.id, Actor::Command).await.unwrap();
    assert!(house.get(&carl).await.two_step_at.is_none());
    identity.hand_link(organisation, carl.id, LinkKind::PasswordReset, Actor::Command).await.unwrap();
}

async fn all_administrators_hear_of_a_new_one_and_of_changed_roles(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.whole("anna@example.org").await;
    assert!(house.notices().await.is_empty(), "there is nobody to tell of the first");
    let by = Actor::Person(anna.id);
    let new = house.new_person("ben@example.org", Role::Administrator);
    let ben = house.identity.invite_person(new, by).await.unwrap();
    let told = house.notices().await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind, told[0].person), (NoticeKind::AdministratorAdded, anna.id));
    assert_eq!((&told[0].details["name"], &told[0].details["by"]), (&"ben".into(), &"anna".into()));
    assert!(told[0].link.is_some());
    house.identity.change_role(house.organisation, ben.id, Role::Operator, by).await.unwrap();
    let told = house.notices().await;
    let mut whom: Vec<_> = told.iter().map(|it| (it.kind, it.person, it.details["role"].clone())).collect();
    whom.sort_by_key(|it| it.1.uuid());
    let mut want = [anna.id, ben.id].map(|id| (NoticeKind::RoleChanged, id, "operator".into()));
    want.sort_by_key(|it| it.1.uuid());
    assert_eq!(whom, want);
    house.add("carl@example.org", Role::Operator).await;
    assert!(house.notices().await.is_empty());
}

async fn an_administrator_is_invited_by_hand_and_no_letter(it: TestStore) {
    let house = House::new(it).await;
    let by = Actor::Command;
    let new = house.new_person("ben@example.org", Role::Administrator);
    let ben = house.identity.invite_person(new, by).await.unwrap();
    let hand = async || house.identity.hand_link(house.organisation, ben.id, LinkKind::Invitation, by).await;
    let (one, two) = (hand().await.unwrap(), hand().await.unwrap());
    assert_eq!(one.token.reveal(), two.token.reveal());
    house.identity.invite_again(house.organisation, ben.id, LinkId::new(&house.it.world), by).await.unwrap();
    assert_ne!(hand().await.unwrap().token.reveal(), one.token.reveal());
    assert!(house.notices().await.is_empty());
}

async fn an_invitation_is_withdrawn_while_nobody_has_answered_it(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.whole("anna@example.org").await;
    let (identity, organisation, by) = (&house.identity, house.organisation, Actor::Person(anna.id));
    let new = house.new_person("ben@example.org", Role::Operator);
    let ben = identity.invite_person(new.clone(), by).await.unwrap();
    let link = house.notices().await[0].link.unwrap();
    let made = house.make_for(&identity.ensure_person_login(&ben).await.unwrap(), "Laptop").await;
    identity.withdraw_invitation(organisation, ben.id, by).await.unwrap();
    assert!(matches!(identity.get_person(organisation, ben.id).await, Err(IdentityError::NoSuchPerson)));
    assert!(identity.issue_link(organisation, link).await.unwrap().is_none());
    assert!(house.verify(&made.user_name, made.text.grouped().reveal()).await.is_err());
    // The address is free, and so is the user name.
    let anew = identity.invite_person(new, by).await.unwrap();
    assert_eq!(identity.ensure_person_login(&anew).await.unwrap().user_name, "ben@example.org");
    assert!(house.verify(&made.user_name, made.text.grouped().reveal()).await.is_err());
    let withdrawn = identity.withdraw_invitation(organisation, anna.id, by).await;
    assert!(matches!(withdrawn, Err(IdentityError::LastAdministrator(_))));
    house.whole("carl@example.org").await;
    let withdrawn = identity.withdraw_invitation(organisation, anna.id, by).await;
    assert!(matches!(withdrawn, Err(IdentityError::HasPassword(_))));
}

/// B12.
async fn what_somebody_made_for_others_is_removed_with_them_on_request(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Operator).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    let make = async |login: &gatepost_identity::Login, name: &str, by| {
        let new = gatepost_identity::NewAppPassword::new(
            &house.it.world,
            organisation,
            login.id,
            name,
            house::mail(),
        );
        identity.create_app_password(new, 40, by).await.unwrap()
    };
    let by = Actor::Person(anna.id);
    let own = make(&identity.ensure_person_login(&anna).await.unwrap(), "Laptop", by).await;
    let (kept, removed) = (make(&house.login, "Scanner", by).await, make(&house.login, "TDO", by).await);
    let others = make(&house.login, "Not hers", Actor::Command).await;
    let made = identity.list_app_passwords_made_by(organisation, anna.id).await.unwrap();
    assert_eq!(made.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Scanner", "TDO"]);
    let remove = [removed.id, others.id, own.id];
    identity.disable_person(organisation, anna.id, &remove, Actor::Command).await.unwrap();
    let opens = async |it: &gatepost_identity::CreatedAppPassword| {
        house.verify(&it.user_name, it.text.grouped().reveal()).await.is_ok()
    };
    assert!(!opens(&removed).await && opens(&kept).await && opens(&others).await && !opens(&own).await);
    identity.enable_person(organisation, anna.id, Actor::Command).await.unwrap();
    assert!(opens(&own).await && !opens(&removed).await);
}

/// B8: what serves a person alone ends with them, and opens again with them.
async fn the_login_of_their_own_mail_account_ends_with_a_person(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Operator).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    let account = gatepost_core::MailAccountId::new(&house.it.world);
    let of = async |person: Option<gatepost_core::PersonId>| {
        let at = address("anna-mail@example.org");
        identity.ensure_account_login(organisation, account, &at, person).await.unwrap()
    };
    let own = of(Some(anna.id)).await;
    let (made, other) = (house.make_for(&own, "Laptop").await, house.make("Scanner").await);
    let signed_in = house.sign_in(&made).await;
    assert_eq!(signed_in.home_location, None);
    let (session, scanner) =
        (house.watch.register(&signed_in), house.watch.register(&house.sign_in(&other).await));
    let made_for_others = identity.list_app_passwords_made_by(organisation, anna.id).await.unwrap();
    assert!(made_for_others.is_empty());
    house.disable(&anna).await.unwrap();
    house.watch.look().await.unwrap();
    assert!(session.is_ended() && !scanner.is_ended());
    let why = async || match house.verify(&made.user_name, made.text.grouped().reveal()).await {
        Err(SignInRefusal::Refused { why }) => Some(why),
        Ok(_) => None,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(why().await, Some(RefusedBecause::PersonDisabled));
    identity.enable_person(organisation, anna.id, Actor::Command).await.unwrap();
    assert_eq!(why().await, None);
    // The account serves everybody from now on, and then her again.
    assert_eq!(of(None).await, own);
    house.disable(&anna).await.unwrap();
    let session = house.watch.register(&house.sign_in(&made).await);
    house.watch.look().await.unwrap();
    assert!(!session.is_ended());
    of(Some(anna.id)).await;
    house.watch.look().await.unwrap();
    assert!(session.is_ended());
    // Somebody who never came: what was made for them is removed, and the login is there for whom the account serves next.
    let ben = house.add("ben@example.org", Role::Operator).await;
    of(Some(ben.id)).await;
    assert_eq!(why().await, None);
    identity.withdraw_invitation(organisation, ben.id, Actor::Command).await.unwrap();
    assert_eq!(why().await, Some(RefusedBecause::Removed));
    let anew = house.make_for(&of(None).await, "Anew").await;
    house.sign_in(&anew).await;
}

/// ID-24, AP-7.
async fn disabling_ends_live_sessions_of_their_login_and_of_no_other(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Operator).await;
    let theirs = house.identity.ensure_person_login(&anna).await.unwrap();
    let (made, other) = (house.make_for(&theirs, "Laptop").await, house.make("Scanner").await);
    let session = house.watch.register(&house.sign_in(&made).await);
    let scanner = house.watch.register(&house.sign_in(&other).await);
    house.disable(&anna).await.unwrap();
    house.watch.look().await.unwrap();
    assert!(session.is_ended() && !scanner.is_ended());
    let refused = house.verify(&made.user_name, made.text.grouped().reveal()).await;
    assert_eq!(refused.unwrap_err(), SignInRefusal::Refused { why: RefusedBecause::PersonDisabled });
    house.identity.enable_person(house.organisation, anna.id, Actor::Command).await.unwrap();
    house.sign_in(&made).await;
}

async fn a_link_that_is_handed_over_is_what_the_person_needs(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Administrator).await;
    let now = house.it.world.now();
    for (kind, hours) in [
        (LinkKind::SetUp, 24),
        (LinkKind::Invitation, 72),
        (LinkKind::PasswordReset, 72),
        (LinkKind::NotMe, 72),
        (LinkKind::SignIn, 24),
    ] {
        let handed =
            house.identity.hand_link(house.organisation, anna.id, kind, Actor::Command).await.unwrap();
        assert_eq!(handed.expires_at, now + Duration::from_hours(hours), "{kind:?}");
        assert!(Token::parse(handed.token.reveal()).is_some());
    }
    assert!(house.notices().await.is_empty(), "nobody is told of what they have no password for");
    let ben = house.add("ben@example.org", Role::Operator).await;
    house.disable(&ben).await.unwrap();
    let disabled =
        house.identity.hand_link(house.organisation, ben.id, LinkKind::Invitation, Actor::Command).await;
    assert!(matches!(disabled, Err(IdentityError::PersonDisabled(_))));
}

/// What each of eight equal requests at once has made or found: the token of the link.
async fn eight_at_once<F: Future<Output = Result<(), IdentityError>> + Send + 'static>(
    house: &House,
    person: &Person,
    link: LinkId,
    ask: impl Fn(Identity) -> F,
) -> (usize, Vec<String>) {
    let tries: Vec<_> = (0..8).map(|_| tokio::spawn(ask(house.identity.clone()))).collect();
    let (mut n_done, mut tokens) = (0, Vec::new());
    for one in tries {
        match one.await.unwrap() {
            Ok(()) => n_done += 1,
            Err(error) => assert!(matches!(error, IdentityError::LinkExists), "{error}"),
        }
        let found = house.identity.find_handed_link(house.organisation, person.id, link).await.unwrap();
        tokens.push(found.unwrap().unwrap().token.reveal().to_owned());
    }
    tokens.dedup();
    (n_done, tokens)
}

async fn a_form_sent_eight_times_at_once_resets_a_password_once(it: TestStore) {
    let house = House::new(it).await;
    let ben = house.working("ben@example.org", Role::Operator).await;
    let (organisation, id, by, link) =
        (house.organisation, ben.id, Actor::Command, LinkId::new(&house.it.world));
    house.identity.hand_link(organisation, id, LinkKind::PasswordReset, by).await.unwrap();
    house.notices().await;
    let before = house.actions().await;
    let ask = move |identity: Identity| async move {
        identity.hand_link_by_id(organisation, id, LinkKind::PasswordReset, link, by).await.map(drop)
    };
    let (n_done, tokens) = eight_at_once(&house, &ben, link, ask).await;
    assert_eq!((n_done, tokens.len()), (1, 1));
    let told: Vec<_> = house.notices().await.iter().map(|it| it.kind).collect();
    assert_eq!(told, [NoticeKind::PasswordResetByAdministrator]);
    assert_eq!(house.actions().await[before.len()..], ["link.handed"]);
    // Nothing of somebody else's is found or ended by that id.
    let eva = house.working("eva@example.org", Role::Operator).await;
    let others =
        house.identity.hand_link_by_id(organisation, eva.id, LinkKind::PasswordReset, link, by).await;
    assert!(matches!(others, Err(IdentityError::NoSuchPerson)));
    assert!(house.identity.find_handed_link(organisation, eva.id, link).await.unwrap().is_none());
    assert!(house.notices().await.is_empty());
    // Another form ends it: the first one sent once more brings it back no more, and does nothing.
    house.identity.hand_link(organisation, id, LinkKind::PasswordReset, by).await.unwrap();
    assert!(matches!(ask(house.identity.clone()).await, Err(IdentityError::LinkExists)));
    assert!(house.identity.find_handed_link(organisation, id, link).await.unwrap().unwrap().is_none());
}

async fn a_form_sent_eight_times_at_once_invites_again_once(it: TestStore) {
    let house = House::new(it).await;
    let (organisation, by, link) = (house.organisation, Actor::Command, LinkId::new(&house.it.world));
    let first = LinkId::new(&house.it.world);
    let new = house.new_person("ben@example.org", Role::Operator);
    let ben = house.identity.invite_person_by_link(new, first, by).await.unwrap();
    let id = ben.id;
    assert!(house.identity.find_handed_link(organisation, id, first).await.unwrap().unwrap().is_some());
    house.notices().await;
    let before = house.actions().await;
    let ask = move |identity: Identity| async move {
        identity.invite_again(organisation, id, link, by).await.map(drop)
    };
    let (n_done, tokens) = eight_at_once(&house, &ben, link, ask).await;
    assert_eq!((n_done, tokens.len()), (1, 1));
    let told: Vec<_> = house.notices().await.iter().map(|it| (it.kind, it.link)).collect();
    assert_eq!(told, [(NoticeKind::Invitation, Some(link))]);
    assert_eq!(house.actions().await[before.len()..], ["person.invited_again"]);
    assert!(house.identity.find_handed_link(organisation, id, first).await.unwrap().unwrap().is_none());
    // What is handed over is the link of the letter.
    let handed = house.identity.hand_link_by_id(organisation, id, LinkKind::Invitation, link, by).await;
    assert_eq!(handed.unwrap().token.reveal(), tokens[0]);
}

async fn a_link_has_one_token_while_it_lives(it: TestStore) {
    let house = House::new(it).await;
    let new = house.new_person("anna@example.org", Role::Operator);
    let anna = house.identity.invite_person(new, Actor::Command).await.unwrap();
    let link = house.notices().await[0].link.unwrap();
    let issue = async || house.identity.issue_link(house.organisation, link).await.unwrap();
    let (one, two) = (issue().await.unwrap(), issue().await.unwrap());
    assert_eq!(one.reveal(), two.reveal(), "a letter that is written again carries the same");
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    assert!(house.identity.issue_link(elsewhere, link).await.unwrap().is_none());
    house.disable(&anna).await.unwrap();
    assert!(issue().await.is_none());
}

async fn nothing_is_done_to_people_of_others(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Operator).await;
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let (identity, by) = (&house.identity, Actor::Command);
    for (organisation, id) in [(elsewhere, anna.id), (house.organisation, PersonId::new(&house.it.world))] {
        let refusals = [
            identity.get_person(organisation, id).await.err(),
            identity.edit_person(organisation, id, "X", None, by).await.err(),
            identity.change_role(organisation, id, Role::Administrator, by).await.err(),
            identity.disable_person(organisation, id, &[], by).await.err(),
            identity.enable_person(organisation, id, by).await.err(),
            identity.reset_two_step(organisation, id, by).await.err(),
            identity.hand_link(organisation, id, LinkKind::Invitation, by).await.err(),
            identity.invite_again(organisation, id, LinkId::new(&house.it.world), by).await.err(),
            identity.withdraw_invitation(organisation, id, by).await.err(),
        ];
        for (n, refusal) in refusals.into_iter().enumerate() {
            assert!(matches!(refusal, Some(IdentityError::NoSuchPerson)), "{n}: {refusal:?}");
        }
    }
    assert!(identity.list_people(elsewhere).await.unwrap().is_empty());
    assert_eq!(house.get(&anna).await, anna);
}

async fn locations_are_listed_and_renamed(it: TestStore) {
    let house = House::new(it).await;
    let (identity, organisation, by) = (&house.identity, house.organisation, Actor::Command);
    let main = identity.add_location(organisation, "Main Street", by).await.unwrap();
    let annex = identity.add_location(organisation, "annex", by).await.unwrap();
    let login = identity.ensure_location_login(&main).await.unwrap();
    assert_eq!(identity.list_locations(organisation).await.unwrap(), [annex.clone(), main.clone()]);
    let renamed = identity.rename_location(organisation, main.id, " A Street ", by).await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.slug), ("A Street", &main.slug));
    assert_eq!(identity.get_location(organisation, main.id).await.unwrap(), renamed);
    assert_eq!(identity.list_locations(organisation).await.unwrap()[0], renamed);
    assert_eq!(identity.ensure_location_login(&renamed).await.unwrap(), login);
    // Its own name again is no other one's.
    identity.rename_location(organisation, main.id, "A Street", by).await.unwrap();
    let taken = identity.rename_location(organisation, main.id, "annex", by).await;
    assert!(matches!(taken, Err(IdentityError::LocationExists(_))));
    let elsewhere = identity.create_organisation("Elsewhere", by).await.unwrap().id;
    let foreign = identity.rename_location(elsewhere, main.id, "Mine", by).await;
    assert!(matches!(foreign, Err(IdentityError::NoSuchLocation)));
    assert!(matches!(identity.get_location(elsewhere, main.id).await, Err(IdentityError::NoSuchLocation)));
    // Of many at once that choose one name, one gets it.
    let mut at_once = tokio::task::JoinSet::new();
    for id in [Some(main.id), Some(annex.id), None, None] {
        let identity = identity.clone();
        at_once.spawn(async move {
            match id {
                Some(id) => identity.rename_location(organisation, id, "Harbour", by).await.is_ok(),
                None => identity.add_location(organisation, "Harbour", by).await.is_ok(),
            }
        });
    }
    assert_eq!(at_once.join_all().await.into_iter().filter(|it| *it).count(), 1);
}

async fn an_organisation_gets_its_name_when_it_is_set_up(it: TestStore) {
    let house = House::new(it).await;
    let (identity, organisation, by) = (&house.identity, house.organisation, Actor::Command);
    assert_eq!(identity.list_organisations().await.unwrap()[0].set_up_at, None);
    identity.create_organisation("Elsewhere", by).await.unwrap();
    let taken = identity.set_organisation_up(organisation, "Elsewhere", by).await;
    assert!(matches!(taken, Err(IdentityError::OrganisationExists(_))));
    assert!(matches!(
        identity.set_organisation_up(organisation, "", by).await,
        Err(IdentityError::BadName(_))
    ));
    let at = house.it.world.now();
    identity.set_organisation_up(organisation, " Praxis Süd ", by).await.unwrap();
    house.it.clock.advance(Duration::from_secs(5));
    identity.set_organisation_up(organisation, "Praxis Nord", by).await.unwrap();
    let found = identity.find_organisation("Praxis Nord").await.unwrap().unwrap();
    assert_eq!((found.id, found.set_up_at), (organisation, Some(at)));
}
