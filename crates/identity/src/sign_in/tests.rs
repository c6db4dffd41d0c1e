use gatepost_core::MailAccountId;
use gatepost_journal::Actor;
use gatepost_store::RoomMigrations;
use gatepost_testkit::{TestStore, on_both_engines};

use super::*;
use crate::{CreatedAppPassword, Identity, MOST_APP_PASSWORDS, NewAppPassword, Protocols};

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, crate::MIGRATIONS];

on_both_engines!(ROOMS; every_attempt_costs_the_same);

fn limits() -> AppPasswordLimits {
    AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    }
}

/// AP-2: the same statements run, whoever is asked for and however many app passwords there are.
async fn every_attempt_costs_the_same(it: TestStore) {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
    let make = async |address: &str, n: u32| -> CreatedAppPassword {
        let account = MailAccountId::new(&it.world);
        let login = identity
            .ensure_account_login(organisation, account, &address.parse().unwrap(), None)
            .await
            .unwrap()
            .id;
        let mut last = None;
        for n in 0..n {
            let new = NewAppPassword::new(&it.world, organisation, login, n.to_string(), limits());
            last = identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await.ok();
        }
        last.unwrap()
    };
    let one = make("one@example.org", 1).await;
    let forty = make("forty@example.org", 40).await;
    let right = [one.text.grouped(), forty.text.grouped()];
    let wrong = "zzzz zzzz zzzz zzzz";
    let mut outcomes = Vec::new();
    for (name, entry) in [
        ("one@example.org", right[0].reveal()),
        ("forty@example.org", right[1].reveal()),
        ("one@example.org", wrong),
        ("forty@example.org", wrong),
        ("nobody@example.org", wrong),
        ("nobody@example.org", right[0].reveal()),
        ("", ""),
        ("one@example.org", "not sixteen letters"),
    ] {
        let (key, name, entry) = (it.keyring.app_passwords().clone(), name.to_owned(), entry.to_owned());
        let (ran, found) = it
            .store
            .read(move |tx| {
                let mut ran = Vec::new();
                let mut row = |statement: &Statement, values: &[Value<'_>]| {
                    ran.push(statement.name);
                    tx.row(statement, values)
                };
                let found = look_up(&mut row, &key, &name, AppPasswordText::parse(&entry).as_ref())?;
                Ok::<_, StoreError>((ran, found.app_password.is_some()))
            })
            .await
            .unwrap();
        assert_eq!(ran, ["FIND_LOGIN_BY_USER_NAME", "FIND_APP_PASSWORD_BY_DIGEST"]);
        outcomes.push(found);
    }
    assert_eq!(outcomes, [true, true, false, false, false, false, false, false]);
}

#[test]
fn each_limit_refuses_by_its_own_reason_and_all_together_must_hold() {
    let now = Timestamp::from_millis(1_000);
    let login = || FoundLogin {
        id: LoginId::from_uuid(Uuid::nil()),
        organisation: OrganisationId::INSTALLATION,
        user_name: "anna@example.org".into(),
        target: Target::Account(MailAccountId::from_uuid(Uuid::nil())),
        is_disabled: false,
        epoch: 0,
        home_location: None,
        is_person_disabled: false,
    };
    let password = || FoundAppPassword {
        id: AppPasswordId::from_uuid(Uuid::nil()),
        name: "Scanner".into(),
        limits: limits(),
        is_revoked: false,
    };
    let other = AppPasswordLimits { networks: vec!["10.0.0.0/8".parse().unwrap()], ..limits() };
    let reading = AppPasswordLimits { allowed: [Protocol::Imap].into_iter().collect(), ..limits() };
    let over = AppPasswordLimits { expires_at: Some(now), ..limits() };
    for (login, app_password, want) in [
        (Some(login()), Some(password()), None),
        (None, None, Some(RefusedBecause::UnknownUserName)),
        (Some(login()), None, Some(RefusedBecause::WrongPassword)),
        (
            Some(login()),
            Some(FoundAppPassword { is_revoked: true, ..password() }),
            Some(RefusedBecause::Removed),
        ),
        (
            Some(FoundLogin { is_disabled: true, ..login() }),
            Some(password()),
            Some(RefusedBecause::LoginDisabled),
        ),
        (
            Some(FoundLogin { is_person_disabled: true, ..login() }),
            Some(password()),
            Some(RefusedBecause::PersonDisabled),
        ),
        (Some(login()), Some(FoundAppPassword { limits: over, ..password() }), Some(RefusedBecause::Expired)),
        (
            Some(login()),
            Some(FoundAppPassword { limits: reading, ..password() }),
            Some(RefusedBecause::Protocol),
        ),
        (
            Some(login()),
            Some(FoundAppPassword { limits: other, ..password() }),
            Some(RefusedBecause::Network),
        ),
    ] {
        let got = Found { login, app_password }.judge(Protocol::Smtp, "192.0.2.7".parse().unwrap(), now);
        assert_eq!(got.err(), want);
    }
}
