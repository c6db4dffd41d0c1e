//! Flaws that programs like ours have had, by the names that the security notes give them.

use std::process::Command;
use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_identity::{Entrance, LinkKind, Person, Role, Visitor};
use gatepost_journal::{Actor, NoticeKind, latest_notices};

use super::{Browser, House};

const PASSWORD: &str = "a long sentence of my own";
const ANOTHER: &str = "another+long+sentence+of+mine";

fn visitor(source: &str) -> Visitor {
    Visitor { source: source.parse().unwrap(), device: "A test".into() }
}

async fn with_password(house: &House, address: &str) -> Person {
    let person = house.person(address, Role::Operator).await;
    let link =
        house.rooms.identity.hand_link(house.organisation, person.id, LinkKind::Invitation, Actor::Command);
    let password = SecretText::new(PASSWORD.into());
    let token = link.await.unwrap().token;
    house.rooms.people.choose_password(&token, &password, None, false, &visitor("127.0.0.1")).await.unwrap();
    person
}

async fn may_sign_in(house: &House, address: &str, password: &str) -> bool {
    let password = SecretText::new(password.into());
    house.rooms.people.sign_in(address, &password, None, &visitor("127.0.0.1")).await.is_ok()
}

/// ID-22, CVE-2023-26481 of authentik: whose password is chosen comes from the token, whatever else the form says.
#[tokio::test]
async fn reset_bound_to_user() {
    let house = House::new().await;
    let ben = with_password(&house, "ben@practice.test").await;
    let eva = with_password(&house, "eva@practice.test").await;
    let (of, by) = (house.organisation, Actor::Command);
    let link = house.rooms.identity.hand_link(of, ben.id, LinkKind::PasswordReset, by).await.unwrap();
    let path = format!("/link?token={}", link.token.reveal());
    let fields = format!(
        "token={}&password={ANOTHER}&address={}&person={eva}&person_id={eva}&id={eva}&user={eva}&name=eva",
        link.token.reveal(),
        "eva%40practice.test",
        eva = eva.id
    );
    let reply = house.post(&mut Browser::default(), &path, "/link", &fields).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let new = ANOTHER.replace('+', " ");
    assert!(may_sign_in(&house, "eva@practice.test", PASSWORD).await);
    assert!(!may_sign_in(&house, "eva@practice.test", &new).await);
    assert!(may_sign_in(&house, "ben@practice.test", &new).await);
    house.end().await;
}

/// ID-9, CVE-2026-43914 of Vaultwarden: asking for letters is neither free nor a way to try passwords.
#[tokio::test]
async fn resend_is_throttled() {
    let house = House::new().await;
    let ben = with_password(&house, "ben@practice.test").await;
    let mut browser = Browser::default();
    for _ in 0..20 {
        let fields = format!("address=ben%40practice.test&password={ANOTHER}");
        let reply = house.post(&mut browser, "/forgot", "/forgot", &fields).await;
        assert!(matches!(reply.status, 303 | 422 | 429), "{}", reply.head);
        house.it.clock.advance(Duration::from_secs(1));
    }
    let all = latest_notices(&house.rooms.store, house.organisation, ben.id, 100).await.unwrap();
    let n_letters = all.iter().filter(|it| it.kind == NoticeKind::PasswordReset).count();
    assert!((1..=5).contains(&n_letters), "{n_letters} letters for 20 clicks");
    house.end().await;
}

/// What an app shows now, as another program computes it.
fn oathtool(house: &House, key: &str) -> String {
    let now = house.it.world.now().to_string().replace('T', " ");
    let now = format!("{} UTC", now.split('.').next().unwrap());
    let shown = Command::new("oathtool").args(["--totp", "--base32", "--now", &now, key]).output().unwrap();
    String::from_utf8(shown.stdout).unwrap().trim().to_owned()
}

/// ID-7, CVE-2026-27801 of Vaultwarden: a hundred wrong codes are the end, however long somebody waits between them and however
/// often the first step is taken again.
#[tokio::test]
async fn code_limit_holds() {
    let house = House::new().await;
    let ben = with_password(&house, "ben@practice.test").await;
    let people = &house.rooms.people;
    let password = SecretText::new(PASSWORD.into());
    let entrance = people.sign_in(ben.address.as_str(), &password, None, &visitor("127.0.0.1")).await;
    let Ok(Entrance::SignedIn(new)) = entrance else { panic!("two-step verification is not on yet") };
    let enrolment = people.begin_authenticator(&new.session).await.unwrap();
    let key = enrolment.key.reveal().replace(' ', "");
    let code = SecretText::new(oathtool(&house, &key));
    people.prove_authenticator(&new.session, enrolment.id, &code, &visitor("127.0.0.1")).await.unwrap();
    let codes = people.new_recovery_codes(&new.session).await.unwrap();
    people.confirm_recovery_codes(&new.session, &codes.0[0], &visitor("127.0.0.1")).await.unwrap();
    for n in 0..=100_u32 {
        // Longer than any wait, and within what one source may do in a day.
        house.it.clock.advance(Duration::from_mins(61));
        let mut browser = Browser::default();
        let begun = house
            .post(
                &mut browser,
                "/sign-in",
                "/sign-in",
                "address=ben%40practice.test&password=a+long+sentence+of+my+own",
            )
            .await;
        assert_eq!(begun.location(), "/second-step", "{n}: {}", begun.body);
        let right = oathtool(&house, &key);
        let typed = if n < 100 {
            format!("{:06}", (right.parse::<u32>().unwrap() + 314_159) % 1_000_000)
        } else {
            right
        };
        let reply = house.post(&mut browser, "/second-step", "/second-step", &format!("code={typed}")).await;
        assert_ne!(reply.status, 303, "{n}: the code after a hundred misses was let in: {}", reply.head);
    }
    house.end().await;
}
