use gatepost_accounts::{ApplicationKind, NewApplication};
use gatepost_core::SecretText;
use gatepost_identity::Role;
use gatepost_journal::Actor;

use crate::tests::House;

fn application(service: &str) -> NewApplication {
    NewApplication {
        service: service.into(),
        client_id: "id-of-ours".into(),
        secret: Some(SecretText::new("GOCSPX-known-to-nobody".into())),
        tenant: None,
        kind: ApplicationKind::Web,
        is_verified: true,
        is_proven: true,
    }
}

async fn register(house: &House, service: &str) {
    let (of, by) = (house.organisation, Actor::Command);
    house.rooms.accounts.put_application(Some(of), application(service), of, by).await.unwrap();
}

#[tokio::test]
async fn every_service_has_its_steps_with_the_values_of_this_installation() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    let base = format!("http://localhost:{}", house.address.port());
    let list = house.get(&mut browser, "/accounts/applications").await;
    assert!(!list.body.contains("href=\"/accounts/connect\""), "nothing is registered");
    for service in house.rooms.accounts.providers().services() {
        let path = format!("/accounts/applications/{}", service.word);
        assert!(list.body.contains(&format!("href=\"{path}\"")), "{path}");
        let page = house.get(&mut browser, &path).await;
        let redirect = format!("{base}/oauth/callback/{}", service.word);
        assert!(page.status == 200 && page.body.contains(&redirect), "{path}: {}", page.body);
        assert!(!page.body.contains("pastes") && !page.body.contains("copy its address"), "{path}");
        let page = house.get(&mut browser, &format!("{path}?kind=desktop")).await;
        assert!(!page.body.contains(&redirect) && page.body.contains("copy its address"), "{path}");
        // Each value has a copy button, and can be selected where there are no scripts.
        let n_values = page.body.matches("<code class=\"value\"").count();
        assert!(n_values > 0 && page.body.matches("data-copy=").count() == n_values, "{path}");
    }
    assert_eq!(house.get(&mut browser, "/accounts/applications/nowhere").await.status, 404);
    house.end().await;
}

#[tokio::test]
async fn what_serves_is_listed_without_its_secret_and_the_installations_is_not_theirs_to_change() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let by = Actor::Command;
    let put = house.rooms.accounts.put_application(None, application("microsoft"), house.organisation, by);
    put.await.unwrap();
    register(&house, "google").await;
    for path in ["", "/google", "/google/enter", "/google/remove"] {
        let page = house.get(&mut browser, &format!("/accounts/applications{path}")).await;
        assert!(page.status == 200 && page.body.contains("id-of-ours"), "{path}: {}", page.head);
        assert!(!page.body.contains("GOCSPX"), "{path}");
    }
    let list = house.get(&mut browser, "/accounts/applications").await;
    assert!(list.body.contains("The one of this installation") && list.body.contains("Set up your own"));
    assert!(list.body.contains("href=\"/accounts/connect\""), "one leads on from here");
    let form = house.get(&mut browser, "/accounts/applications/microsoft/enter").await;
    assert!(!form.body.contains("id-of-ours"), "{}", form.body);
    let remove = "/accounts/applications/microsoft/remove";
    assert_eq!(house.get(&mut browser, remove).await.status, 303);
    house.post(&mut browser, "/accounts/applications/google/remove", remove, "").await;
    assert_eq!(house.rooms.accounts.applications(house.organisation).await.unwrap().len(), 2);
    // Twice is as good as once.
    let remove = "/accounts/applications/google/remove";
    let page = house.get(&mut browser, remove).await;
    let body = format!("form_token={}", page.form_token());
    for words in ["is used for new sign-ins no more", "was removed before"] {
        let reply = house.ask(&mut browser, "POST", remove, "", &body).await;
        assert_eq!((reply.status, reply.location()), (303, "/accounts/applications"));
        let list = house.get(&mut browser, "/accounts/applications").await;
        assert!(list.body.contains(words), "{}", list.body);
    }
    house.end().await;
}

#[tokio::test]
async fn what_cannot_be_right_is_said_at_its_field_and_no_secret_comes_back() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    register(&house, "microsoft").await;
    let path = "/accounts/applications/microsoft/enter";
    for (fields, words) in [
        ("client_id=&secret=s3cr3t&kind=web", "A client ID is one word"),
        ("client_id=id-of-ours&secret=s%C3%A9cr3t&kind=web", "A client secret is one word"),
        ("client_id=id-of-ours&secret=s3cr3t&tenant=a%2Fb&kind=web", "A tenant is an ID such as"),
        // A proof in the middle leaves it out; the one that is there must not be taken for a new one.
        ("client_id=id-of-ours&kind=web", "No secret is carried through the page"),
        // The secret that is there is sent for no other id and to no other tenant.
        ("client_id=another&secret=&kind=web", "The secret belongs to the client ID and tenant from before"),
        (
            "client_id=id-of-ours&secret=&tenant=elsewhere.example&kind=web",
            "The secret belongs to the client ID",
        ),
    ] {
        let reply = house.post(&mut browser, path, path, &format!("is_sent=1&{fields}")).await;
        assert!(reply.status == 422 && reply.body.contains(words), "{fields}: {}", reply.body);
        assert!(!reply.body.contains("cr3t"), "{fields}");
        let typed = fields.split('&').next().unwrap().split_once('=').unwrap().1;
        assert!(reply.body.contains(&format!("value=\"{typed}\"")), "what was typed stays: {fields}");
    }
    let bad = house.post(&mut browser, path, path, "client_id=a&kind=mobile").await;
    assert_eq!(bad.status, 400, "no page of ours sends that");
    house.end().await;
}
