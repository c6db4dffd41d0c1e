//! Making and replacing app passwords as people do, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod house;

use std::time::Duration;

use gatepost_core::AppPasswordId;
use gatepost_identity::{
    AppPasswordLimits, CreatedAppPassword, IdentityError, MOST_APP_PASSWORDS, NewAppPassword, OldOne,
    RefusedBecause, Role, SignInRefusal,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_testkit::{TestStore, on_both_engines};

use house::{House, ROOMS, mail};

on_both_engines!(ROOMS;
    what_an_app_password_is_for_is_kept_and_its_maker_is_told,
    the_same_form_sent_twice_makes_one,
    the_old_one_ends_with_its_replacement,
    both_work_for_a_day_and_then_live_sessions_of_the_old_one_end,
    the_earlier_end_of_an_old_one_stays,
    of_many_replacements_at_once_one_is_made,
    a_successor_takes_the_place_of_its_predecessor_among_the_forty,
    nobody_replaces_or_lists_what_belongs_to_others,
);

impl House {
    async fn replace(
        &self,
        old: AppPasswordId,
        old_one: OldOne,
    ) -> Result<CreatedAppPassword, IdentityError> {
        let new = AppPasswordId::new(&self.it.world);
        self.identity.replace_app_password(self.organisation, old, new, old_one, Actor::Command).await
    }

    async fn refusal(&self, made: &CreatedAppPassword) -> RefusedBecause {
        match self.verify(&made.user_name, made.text.grouped().reveal()).await {
            Err(SignInRefusal::Refused { why }) => why,
            other => panic!("{other:?}"),
        }
    }
}

async fn what_an_app_password_is_for_is_kept_and_its_maker_is_told(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.add("anna@example.org", Role::Administrator).await;
    let new = NewAppPassword {
        application: Some("thunderbird".into()),
        device: Some("  laptop in room 2 ".into()),
        ..NewAppPassword::new(&house.it.world, house.organisation, house.login.id, "Laptop", mail())
    };
    let made = house.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Person(anna.id)).await;
    let made = made.unwrap();
    let plain = house.make("Plain").await;
    let got = house.identity.get_app_password(house.organisation, made.id).await.unwrap();
    assert_eq!(
        (got.application.as_deref(), got.device.as_deref()),
        (Some("thunderbird"), Some("laptop in room 2"))
    );
    assert_eq!((got.created_by, got.replaced_by), (Some(anna.id), None));
    let plain = house.identity.get_app_password(house.organisation, plain.id).await.unwrap();
    assert_eq!((plain.application, plain.device, plain.created_by), (None, None, None));
    // ID-26: the person is told, with the name and never the letters; what a command makes tells nobody.
    let notices = house.notices().await;
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!((notice.kind, notice.person), (NoticeKind::AppPasswordMade, anna.id));
    assert_eq!((notice.addresses.as_slice(), notice.link.is_some()), (&[anna.address][..], true));
    assert_eq!(
        (&notice.details["name"], &notice.details["may"]),
        (&"Laptop".into(), &"SMTP, IMAP, POP3".into())
    );
    assert!(!notice.details.to_string().contains(made.text.grouped().reveal()));

    let bad = NewAppPassword {
        device: Some("two\nlines".into()),
        ..NewAppPassword::new(&house.it.world, house.organisation, house.login.id, "Laptop", mail())
    };
    let bad = house.identity.create_app_password(bad, MOST_APP_PASSWORDS, Actor::Command).await;
    assert!(matches!(bad, Err(IdentityError::BadName(_))));
}

async fn the_same_form_sent_twice_makes_one(it: TestStore) {
    let house = House::new(it).await;
    let new = NewAppPassword::new(&house.it.world, house.organisation, house.login.id, "Scanner", mail());
    let make = async |most| house.identity.create_app_password(new.clone(), most, Actor::Command).await;
    make(1).await.unwrap();
    for most in [1, MOST_APP_PASSWORDS] {
        assert!(matches!(make(most).await, Err(IdentityError::AppPasswordExists(id)) if id == new.id));
    }
    let mut at_once = tokio::task::JoinSet::new();
    let again = NewAppPassword { id: AppPasswordId::new(&house.it.world), ..new };
    for _ in 0..8 {
        let (identity, again) = (house.identity.clone(), again.clone());
        at_once.spawn(async move {
            identity.create_app_password(again, MOST_APP_PASSWORDS, Actor::Command).await.is_ok()
        });
    }
    assert_eq!(at_once.join_all().await.into_iter().filter(|it| *it).count(), 1);
    assert_eq!(house.identity.list_app_passwords(house.organisation).await.unwrap().len(), 2);
}

async fn the_old_one_ends_with_its_replacement(it: TestStore) {
    let house = House::new(it).await;
    let old = house.make("Scanner").await;
    let session = house.watch.register(&house.sign_in(&old).await);
    let new = AppPasswordId::new(&house.it.world);
    let replace = async |id| {
        let (organisation, by) = (house.organisation, Actor::Command);
        house.identity.replace_app_password(organisation, id, new, OldOne::EndsNow, by).await
    };
    let made = replace(old.id).await.unwrap();
    assert_eq!((made.id, made.name.as_str(), &made.limits), (new, "Scanner", &old.limits));
    house.watch.look().await.unwrap();
    assert!(session.is_ended());
    assert_eq!(house.refusal(&old).await, RefusedBecause::Removed);
    house.sign_in(&made).await;
    // The form sent again finds what the first one made.
    assert!(matches!(replace(old.id).await, Err(IdentityError::AppPasswordExists(id)) if id == new));
    assert!(matches!(house.replace(old.id, OldOne::EndsNow).await, Err(IdentityError::NoSuchAppPassword(_))));
    assert_eq!(house.identity.list_app_passwords(house.organisation).await.unwrap().len(), 1);
}

async fn both_work_for_a_day_and_then_live_sessions_of_the_old_one_end(it: TestStore) {
    let house = House::new(it).await;
    let old = house.make("Scanner").await;
    let before = house.watch.register(&house.sign_in(&old).await);
    let new = house.replace(old.id, OldOne::EndsInADay).await.unwrap();
    assert_eq!(new.limits.expires_at, None);
    let after = house.watch.register(&house.sign_in(&old).await);
    let successor = house.watch.register(&house.sign_in(&new).await);
    let listed = house.identity.get_app_password(house.organisation, old.id).await.unwrap();
    let ends_at = house.it.world.now() + Duration::from_hours(24);
    assert_eq!((listed.replaced_by, listed.limits.expires_at), (Some(new.id), Some(ends_at)));

    house.it.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
    house.sign_in(&old).await;
    house.watch.look().await.unwrap();
    assert!(!before.is_ended() && !after.is_ended());
    house.it.clock.advance(Duration::from_millis(1));
    house.watch.look().await.unwrap();
    assert!(before.is_ended() && after.is_ended() && !successor.is_ended());
    assert_eq!(house.refusal(&old).await, RefusedBecause::Expired);
    house.sign_in(&new).await;
    // Its time is over, so it is in no list, and nothing is done with it any more.
    let listed = house.identity.list_app_passwords_of(house.organisation, &[house.login.id]).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<_>>(), [new.id]);
    let gone = house.identity.get_app_password(house.organisation, old.id).await;
    assert!(matches!(gone, Err(IdentityError::NoSuchAppPassword(_))));
}

async fn the_earlier_end_of_an_old_one_stays(it: TestStore) {
    let house = House::new(it).await;
    for hours in [1, 48] {
        let expires_at = house.it.world.now() + Duration::from_hours(hours);
        let limits = AppPasswordLimits { expires_at: Some(expires_at), ..mail() };
        let new = NewAppPassword::new(&house.it.world, house.organisation, house.login.id, "Guest", limits);
        let old = house.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await.unwrap();
        let new = house.replace(old.id, OldOne::EndsInADay).await.unwrap();
        assert_eq!(new.limits.expires_at, Some(expires_at));
        let old = house.identity.get_app_password(house.organisation, old.id).await.unwrap();
        let day = house.it.world.now() + Duration::from_hours(24);
        assert_eq!(old.limits.expires_at, Some(expires_at.min(day)));
    }
}

async fn of_many_replacements_at_once_one_is_made(it: TestStore) {
    let house = House::new(it).await;
    let old = house.make("Scanner").await;
    let mut at_once = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (identity, organisation) = (house.identity.clone(), house.organisation);
        let new = AppPasswordId::new(&house.it.world);
        let old_one = if n % 2 == 0 { OldOne::EndsInADay } else { OldOne::EndsNow };
        at_once.spawn(async move {
            identity.replace_app_password(organisation, old.id, new, old_one, Actor::Command).await
        });
    }
    let outcomes = at_once.join_all().await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert!(
            matches!(refused, IdentityError::AppPasswordReplaced(_) | IdentityError::NoSuchAppPassword(_)),
            "{refused}"
        );
    }
}

async fn a_successor_takes_the_place_of_its_predecessor_among_the_forty(it: TestStore) {
    let house = House::new(it).await;
    let (mut old, most) = (house.make("first").await, 3);
    let make = async || {
        let new = NewAppPassword::new(&house.it.world, house.organisation, house.login.id, "more", mail());
        house.identity.create_app_password(new, most, Actor::Command).await
    };
    make().await.unwrap();
    make().await.unwrap();
    let n_listed = async || house.identity.list_app_passwords(house.organisation).await.unwrap().len();
    // Also a row of successors is never more than two that work.
    for _ in 0..5 {
        let new = house.replace(old.id, OldOne::EndsInADay).await.unwrap();
        assert_eq!(n_listed().await, 4);
        assert!(matches!(make().await, Err(IdentityError::TooManyAppPasswords { n: 3, .. })));
        assert!(matches!(
            house.replace(old.id, OldOne::EndsInADay).await,
            Err(IdentityError::AppPasswordReplaced(_))
        ));
        house.sign_in(&old).await;
        old = new;
    }
    // Without its successor, the old one counts again as long as it lives.
    house.identity.revoke_app_password(house.organisation, old.id, Actor::Command).await.unwrap();
    assert_eq!(n_listed().await, 3);
    assert!(matches!(make().await, Err(IdentityError::TooManyAppPasswords { n: 3, .. })));
    house.it.clock.advance(Duration::from_hours(24));
    assert_eq!(n_listed().await, 2);
    make().await.unwrap();
}

async fn nobody_replaces_or_lists_what_belongs_to_others(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("Scanner").await;
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let new = AppPasswordId::new(&house.it.world);
    let replaced =
        house.identity.replace_app_password(elsewhere, made.id, new, OldOne::EndsNow, Actor::Command).await;
    assert!(matches!(replaced, Err(IdentityError::NoSuchAppPassword(_))));
    let got = house.identity.get_app_password(elsewhere, made.id).await;
    assert!(matches!(got, Err(IdentityError::NoSuchAppPassword(_))));
    let listed = house.identity.list_app_passwords_of(elsewhere, &[house.login.id]).await.unwrap();
    assert!(listed.is_empty());
    house.sign_in(&made).await;
}
