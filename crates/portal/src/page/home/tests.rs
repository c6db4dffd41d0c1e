//! The test letter of the home page.

use std::sync::Arc;

use gatepost_accounts::Serves;
use gatepost_core::{EmailAddress, SubmissionId};
use gatepost_delivery::{Filter, Origin, SubmissionView};
use gatepost_identity::{NewPerson, Role};
use gatepost_journal::Actor;

use crate::PortalSettings;
use crate::routes::table;
use crate::tests::{Browser, House, Reply, settings};

fn value_of(page: &Reply, name: &str) -> String {
    let (_, behind) = page.body.split_once(&format!("name=\"{name}\"")).unwrap();
    let (_, value) = behind.split_once("value=\"").unwrap();
    value.split('"').next().unwrap().to_owned()
}

fn chosen(page: &Reply) -> &str {
    let (before, _) = page.body.split_once("\" selected").unwrap();
    before.rsplit('"').next().unwrap()
}

fn form(page: &Reply, account: &str, address: &str) -> String {
    let (token, id) = (page.form_token(), value_of(page, "form_id"));
    format!("form_token={token}&form_id={id}&account={account}&address={}", address.replace('@', "%40"))
}

async fn letters(house: &House) -> Vec<SubmissionView> {
    house
        .rooms
        .outbox
        .list(house.organisation, Filter { state: None, before: None, limit: 10 })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_test_letter_is_handed_in_once_and_its_page_shows_what_becomes_of_it() {
    let house = Arc::new(House::new().await);
    let billing = house.account("Billing", Serves::Organisation).await;
    let reception = house.account("Reception", Serves::Organisation).await;
    house
        .rooms
        .accounts
        .set_default(house.organisation, Serves::Organisation, reception, Actor::Command)
        .await
        .unwrap();
    let mut browser = house.signed_in(Role::Administrator).await;
    let page = house.get(&mut browser, "/").await;
    // Nothing has to be typed to see whether letters leave.
    assert_eq!(chosen(&page), reception.to_string());
    assert_eq!(value_of(&page, "address"), "administrator@practice.test");
    let body = form(&page, &billing.to_string(), "anna@example.net");
    let asked = house.ask(&mut browser, "POST", "/", "", &body).await;
    assert!(asked.body.contains("name=\"proof_code\""), "ID-25: {}", asked.head);
    assert!(asked.body.contains("name=\"address\" value=\"anna@example.net\""), "{}", asked.body);
    house.prove().await;
    let clicks: Vec<_> = (0..8)
        .map(|_| {
            let (house, mut browser, body) = (Arc::clone(&house), browser.clone(), body.clone());
            tokio::spawn(async move { house.ask(&mut browser, "POST", "/", "", &body).await })
        })
        .collect();
    let letter_page = format!("/outbox/{}", value_of(&page, "form_id"));
    for one in clicks {
        let reply = one.await.unwrap();
        assert_eq!((reply.status, reply.location()), (303, letter_page.as_str()), "{}", reply.body);
    }
    let all = letters(&house).await;
    let [letter] = all.as_slice() else { panic!("one letter, not {}", all.len()) };
    assert_eq!((letter.account, letter.recipients.len()), (Some(billing), 1));
    assert_eq!(letter.from.as_ref().map(EmailAddress::as_str), Some("billing@practice.test"));
    assert_eq!(letter.recipients[0].address.as_str(), "anna@example.net");
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap()[0].id;
    assert_eq!(letter.origin, Origin::Test { by: me });
    let shown = house.get(&mut browser, &letter_page).await.body;
    assert!(shown.contains("The test letter was handed in.") && shown.contains("data-live"), "{shown}");
    assert!(shown.contains("anna@example.net") && shown.contains("chosen for this test letter"), "{shown}");
    // Back, and the same button again.
    assert_eq!(house.ask(&mut browser, "POST", "/", "", &body).await.location(), letter_page);
    assert_eq!(letters(&house).await.len(), 1);
    Arc::into_inner(house).unwrap().end().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_test_letter_is_said_beside_the_field() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await.to_string();
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let page = house.get(&mut browser, "/").await;
    for (on, typed, says) in [
        (account.as_str(), "anna", "id=\"address-error\">This is not an e-mail address."),
        (account.as_str(), "", "id=\"address-error\">This is not an e-mail address."),
        ("", "anna@example.net", "id=\"account-error\">This mail account is not there any more."),
        ("0192f0c1-0000-7000-8000-000000000001", "anna@example.net", "id=\"account-error\">"),
    ] {
        let reply = house.ask(&mut browser, "POST", "/", "", &form(&page, on, typed)).await;
        assert_eq!(reply.status, 422, "{on} {typed}");
        assert!(reply.body.contains(says) && value_of(&reply, "address") == typed, "{}", reply.body);
        assert!(reply.body.contains("Please look again at:"), "{}", reply.body);
        assert_eq!(value_of(&reply, "form_id"), value_of(&page, "form_id"), "it is the same form");
    }
    // A form that had become old comes again with what was typed.
    let old = form(&page, &account, "bert@example.net").replace("form_token=", "form_token=A");
    let old = house.ask(&mut browser, "POST", "/", "", &old).await;
    assert!(old.status == 403 && old.body.contains("had become old"), "{}", old.body);
    assert_eq!((value_of(&old, "address").as_str(), chosen(&old)), ("bert@example.net", account.as_str()));
    // Ids that no page of today has made.
    let future = SubmissionId::from_uuid(gatepost_core::LARGEST_ID).to_string();
    for id in ["", "x", "0192f0c1-0000-7000-8000-000000000001", &future] {
        let (token, address) = (page.form_token(), "anna%40example.net");
        let body = format!("form_token={token}&form_id={id}&account={account}&address={address}");
        assert_eq!(house.ask(&mut browser, "POST", "/", "", &body).await.status, 400, "{id}");
    }
    assert!(letters(&house).await.is_empty());
    house.end().await;
}

#[tokio::test]
async fn a_test_letter_is_offered_to_whoever_looks_after_the_organisation_once_it_has_an_account() {
    let offers = |page: &Reply| page.body.contains("Send a test letter");
    let house = House::new().await;
    let mut chief = house.signed_in(Role::Administrator).await;
    assert!(!offers(&house.get(&mut chief, "/").await), "there is no account");
    house.account("Reception", Serves::Organisation).await;
    assert!(offers(&house.get(&mut chief, "/").await));
    let mut operator = house.signed_in(Role::Operator).await;
    assert!(!offers(&house.get(&mut operator, "/").await));
    assert_eq!(house.post(&mut operator, "/", "/", "").await.status, 404);
    // Another organisation's account is none.
    let elsewhere = house.rooms.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    house.rooms.identity.set_organisation_up(elsewhere, "Elsewhere", Actor::Command).await.unwrap();
    let new = NewPerson {
        organisation: elsewhere,
        address: "them@elsewhere.test".parse().unwrap(),
        name: "Them".into(),
        role: Role::Administrator,
        home_location: None,
    };
    let them = house.rooms.identity.add_person(new, Actor::Command).await.unwrap();
    let text = "UPDATE {table} SET two_step_at = created_at WHERE role = 'administrator'";
    house.execute("FIND_PERSON", text).await;
    let link = house.rooms.identity.hand_link(
        elsewhere,
        them.id,
        gatepost_identity::LinkKind::SignIn,
        Actor::Command,
    );
    let visitor =
        gatepost_identity::Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
    let new = house.rooms.people.sign_in_by_link(&link.await.unwrap().token, &visitor).await.unwrap();
    let mut stranger = Browser::default();
    stranger.keep("session", new.token.reveal());
    house.prove().await;
    let page = house.get(&mut stranger, "/").await;
    assert!(!offers(&page), "{}", page.body);
    let account = house.rooms.accounts.list(house.organisation).await.unwrap()[0].id;
    let id = SubmissionId::new(&house.it.world);
    let body = format!("form_token={}&form_id={id}&account={account}&address=x%40y.test", page.form_token());
    assert_eq!(house.ask(&mut stranger, "POST", "/", "", &body).await.status, 422);
    assert!(letters(&house).await.is_empty());
    house.end().await;

    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let outside = PortalSettings { administration_networks: networks, ..settings() };
    let house = House::with(outside, table()).await;
    house.account("Reception", Serves::Organisation).await;
    let mut chief = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let page = house.get(&mut chief, "/").await;
    assert!(!offers(&page) && !page.body.contains("Letters handed in"), "{}", page.body);
    assert_eq!(house.post(&mut chief, "/", "/", "").await.status, 404);
    house.end().await;
}
