//! The security page over real sockets, and the check-up's table line by line.

use std::time::Duration;

use gatepost_accounts::Serves;
use gatepost_core::{
    AppPasswordId, AuthenticatorId, ContactId, LoginId, OrganisationId, SecretText, Timestamp,
};
use gatepost_identity::{
    AppPassword, AppPasswordLimits, Authenticator, Contact, ContactKind, Entrance, LinkKind,
    MOST_APP_PASSWORDS, NewAppPassword, Person, Protocols, Role, SecurityOverview, Visitor,
};
use gatepost_journal::Actor;

use super::check_up::{Weakness, weaknesses};
use crate::tests::{Browser, House};

const DAY: Duration = Duration::from_hours(24);
const PASSWORD: &str = "a long sentence of my own";
const TYPED: &str = "a+long+sentence+of+my+own";

/// Somebody who has chosen a password just now, which is a proof.
async fn proven(house: &House, address: &str, role: Role) -> (Person, Browser) {
    let person = house.person(address, role).await;
    let (of, kind) = (house.organisation, LinkKind::PasswordReset);
    let link = house.rooms.identity.hand_link(of, person.id, kind, Actor::Command).await.unwrap();
    let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
    let password = SecretText::new(PASSWORD.into());
    let entered =
        house.rooms.people.choose_password(&link.token, &password, None, false, &visitor).await.unwrap();
    let Entrance::SignedIn(new) = entered else { panic!("two-step verification is off") };
    let mut browser = Browser::default();
    browser.keep("session", new.token.reveal());
    (person, browser)
}

fn limits() -> AppPasswordLimits {
    AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    }
}

fn fine(now: Timestamp) -> SecurityOverview {
    let world = gatepost_testkit::world().0;
    SecurityOverview {
        password_changed_at: Some(now),
        two_step_at: Some(now),
        authenticators: vec![Authenticator {
            id: AuthenticatorId::new(&world),
            name: "Authenticator app".into(),
            active_at: now,
            last_used_at: None,
            disabled_at: None,
        }],
        recovery_codes_left: Some(10),
        contacts: vec![Contact {
            id: ContactId::new(&world),
            kind: ContactKind::Address,
            value: "second@practice.test".into(),
            created_at: now,
            proven_at: Some(now),
        }],
        devices: Vec::new(),
        sessions: Vec::new(),
    }
}

fn app_password(made_at: Timestamp) -> AppPassword {
    let world = gatepost_testkit::world().0;
    AppPassword {
        id: AppPasswordId::from_uuid(gatepost_core::LARGEST_ID),
        organisation: OrganisationId::new(&world),
        login: LoginId::new(&world),
        user_name: "anna".into(),
        name: "Scanner".into(),
        application: None,
        device: None,
        created_by: None,
        replaced_by: None,
        limits: limits(),
        created_at: made_at,
        last_use: None,
    }
}

#[test]
fn each_line_of_the_check_up_is_found_by_itself() {
    let now = Timestamp::from_millis(1_795_252_320_000);
    let ago = |days: u32| Timestamp::from_millis(now.millis() - i64::from(days) * 86_400_000);
    let (id, name) = (AppPasswordId::from_uuid(gatepost_core::LARGEST_ID), "Scanner".to_owned());
    let found = |change: &dyn Fn(&mut SecurityOverview, &mut AppPassword)| {
        let (mut of, mut app_password) = (fine(now), app_password(ago(1)));
        change(&mut of, &mut app_password);
        weaknesses(&of, &[app_password], now)
    };
    assert_eq!(found(&|_, _| {}), []);
    assert_eq!(found(&|of, _| of.two_step_at = None), [Weakness::TwoStepOff]);
    assert_eq!(found(&|of, _| of.recovery_codes_left = Some(4)), []);
    assert_eq!(found(&|of, _| of.recovery_codes_left = Some(3)), [Weakness::FewRecoveryCodes(3)]);
    assert_eq!(found(&|of, _| of.recovery_codes_left = None), [Weakness::FewRecoveryCodes(0)]);
    assert_eq!(
        found(&|of, _| of.authenticators.iter_mut().for_each(|it| it.disabled_at = Some(now))),
        [Weakness::AuthenticatorDisabled]
    );
    assert_eq!(found(&|of, _| of.contacts.clear()), [Weakness::NoSecondAddress]);
    assert_eq!(
        found(&|of, _| of.contacts.iter_mut().for_each(|it| it.proven_at = None)),
        [Weakness::SecondAddressNotProven("second@practice.test".into())]
    );
    assert_eq!(
        found(&|of, _| of.contacts.iter_mut().for_each(|it| it.kind = ContactKind::Telephone)),
        [Weakness::NoSecondAddress],
        "a telephone number is no address"
    );
    assert_eq!(found(&|_, it| it.created_at = ago(89)), []);
    let unused = Weakness::Unused { id, name: name.clone(), days: 90 };
    assert_eq!(found(&|_, it| it.created_at = ago(90)), [unused]);
    let at = now + DAY * 14;
    let near = Weakness::NearEnd { id, name: name.clone(), at };
    assert_eq!(found(&|_, it| it.limits.expires_at = Some(at)), [near]);
    assert_eq!(found(&|_, it| it.limits.expires_at = Some(now + DAY * 15)), []);
    assert_eq!(
        found(&|_, it| it.replaced_by = Some(id)),
        [Weakness::BeingReplaced { id, name: name.clone() }]
    );
}

#[tokio::test]
async fn findings_lead_to_their_cures() {
    let house = House::new().await;
    let (_, mut browser) = proven(&house, "anna@practice.test", Role::Operator).await;
    let page = house.get(&mut browser, "/security").await.body;
    for (finding, cure) in [
        ("Two-step verification is off.", "/two-step"),
        ("There is no second address.", "/security/contacts/address"),
    ] {
        let (_, behind) = page.split_once(finding).unwrap();
        let (_, behind) = behind.split_once("href=\"").unwrap();
        assert_eq!(behind.split('"').next(), Some(cure), "{finding}");
        assert_eq!(house.get(&mut browser, cure).await.status, 200, "{cure}");
    }
    house.end().await;
}

#[tokio::test]
async fn where_no_letter_can_leave_the_page_says_so_and_the_link_waits() {
    let house = House::new().await;
    let (_, mut browser) = proven(&house, "anna@practice.test", Role::Operator).await;
    let page = house.get(&mut browser, "/security/contacts/address").await.body;
    assert!(page.contains("No letter can leave at this moment") && page.contains("connect one"), "{page}");
    let path = "/security/contacts/address";
    let reply = house.post(&mut browser, path, path, "contact=Second%40practice.test").await;
    assert_eq!((reply.status, reply.location()), (303, "/security"));
    let page = house.get(&mut browser, "/security").await.body;
    assert!(page.contains("and its link waits") && page.contains("Link sent"), "{page}");
    // Sent twice by one click: there is one, and no mistake.
    let reply = house.post(&mut browser, path, path, "contact=second%40practice.test").await;
    assert_eq!((reply.status, reply.location()), (303, "/security"));
    house.it.clock.advance(Duration::from_secs(90));
    let reply = house.post(&mut browser, path, path, "contact=second%40practice.test").await;
    assert_eq!(reply.status, 422);
    assert!(
        reply.body.contains("among your contacts already") && reply.body.contains("second@practice.test")
    );
    house.account("Reception", Serves::Organisation).await;
    let page = house.get(&mut browser, path).await.body;
    assert!(!page.contains("No letter can leave"), "{page}");
    house.end().await;
}

#[tokio::test]
async fn contacts_of_others_are_not_there() {
    let house = House::new().await;
    let (_, mut other) = proven(&house, "paul@practice.test", Role::Operator).await;
    let path = "/security/contacts/address";
    house.post(&mut other, path, path, "contact=second%40practice.test").await;
    let page = house.get(&mut other, "/security").await.body;
    let (_, behind) = page.split_once("/security/contacts/0").unwrap();
    let id = format!("0{}", behind.split('/').next().unwrap());
    let (_, mut browser) = proven(&house, "anna@practice.test", Role::Operator).await;
    for act in ["remove", "sign-in"] {
        let path = format!("/security/contacts/{id}/{act}");
        assert_eq!(house.get(&mut browser, &path).await.status, 404, "{path}");
        let reply = house.post(&mut browser, "/security", &path, "").await;
        assert_eq!((reply.status, reply.location()), (303, "/security"));
        assert!(house.get(&mut browser, "/security").await.body.contains("not among your contacts any more"));
    }
    assert!(house.get(&mut other, "/security").await.body.contains("second@practice.test"));
    house.end().await;
}

#[tokio::test]
async fn a_new_password_removes_ones_own_app_passwords_if_that_is_ticked() {
    let house = House::new().await;
    let (person, mut browser) = proven(&house, "anna@practice.test", Role::Operator).await;
    let (other, _) = proven(&house, "paul@practice.test", Role::Operator).await;
    let identity = &house.rooms.identity;
    for (person, name) in [(&person, "Mine"), (&other, "Not mine")] {
        let login = identity.ensure_person_login(person).await.unwrap().id;
        let (of, limits) = (house.organisation, limits());
        let new = NewAppPassword::new(&house.it.world, of, login, name, limits);
        identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await.unwrap();
    }
    let names = async || -> Vec<String> {
        let all = identity.list_app_passwords(house.organisation).await.unwrap();
        all.into_iter().map(|it| it.name).collect()
    };
    let page = house.get(&mut browser, "/security").await.body;
    assert!(page.contains("You have one app password."), "{page}");
    let path = "/security/password";
    let page = house.get(&mut browser, path).await.body;
    assert!(page.contains("Remove my app passwords too") && !page.contains(" checked"), "{page}");
    let fields = format!("password_current={TYPED}&password_new=quite+another+long+sentence");
    let reply = house.post(&mut browser, path, path, &fields).await;
    assert_eq!((reply.status, reply.location()), (303, "/security"), "{}", reply.body);
    assert_eq!(names().await, ["Mine", "Not mine"]);
    // What was refused keeps the tick.
    let wrong = "password_current=wrong&password_new=a+third+and+longer+sentence&removes=yes";
    let reply = house.post(&mut browser, path, path, wrong).await;
    assert!(reply.status == 422 && reply.body.contains(" checked"), "{}", reply.body);
    assert!(!reply.body.contains("third and longer"), "no typed password is in a page");
    let fields =
        "password_current=quite+another+long+sentence&password_new=a+third+and+longer+sentence&removes=yes";
    let reply = house.post(&mut browser, path, path, fields).await;
    assert_eq!(reply.location(), "/security", "{}", reply.body);
    assert_eq!(names().await, ["Not mine"]);
    assert!(house.get(&mut browser, "/security").await.body.contains("One app password was removed."));
    house.end().await;
}

#[tokio::test]
async fn what_matters_needs_a_proof() {
    let house = House::new().await;
    let (_, mut browser) = proven(&house, "anna@practice.test", Role::Operator).await;
    house.it.clock.advance(Duration::from_secs(301));
    for path in
        ["/security/password", "/security/contacts/address", "/security/contacts/telephone", "/two-step/app"]
    {
        let reply = house.get(&mut browser, path).await;
        assert_eq!((reply.status, reply.location()), (303, format!("/confirm?then={path}").as_str()));
    }
    for path in ["/security/password", "/security/contacts/address", "/two-step/begin", "/two-step/codes/new"]
    {
        let reply = house.post(&mut browser, "/security", path, "").await;
        assert!(reply.body.contains("Confirm that it is you"), "{path}: {}", reply.head);
    }
    house.end().await;
}
