//! What one organisation has is nobody else's: not seen, not used, and no reason for anything.

use gatepost_testkit::on_both_engines;

use super::*;
use crate::application;

on_both_engines!(
    ROOMS;
    an_application_serves_the_organisation_that_registered_it,
    each_organisation_has_a_default_of_its_own,
);

async fn an_application_serves_the_organisation_that_registered_it(it: TestStore) {
    let it = Fixture::new(it).await;
    let (here, elsewhere) = (it.organisation, OrganisationId::new(&it.it.world));
    let put = async |organisation: OrganisationId, secret: &str| {
        let new = NewApplication {
            service: "google".into(),
            client_id: "client-1".into(),
            secret: Some(SecretText::new(secret.into())),
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: false,
            is_proven: true,
        };
        it.accounts.put_application(Some(organisation), new, organisation, Actor::Command).await.unwrap()
    };
    let offered = async |organisation| {
        let all = it.accounts.applications(organisation).await.unwrap();
        all.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    let theirs = put(elsewhere, "theirs").await;
    assert_eq!((offered(here).await, offered(elsewhere).await), (vec![], vec![theirs]));
    let found = async |organisation, id| {
        let found = application::find(&it.it.store, &it.it.keyring, organisation, id).await.unwrap();
        found.and_then(|it| it.application.secret).map(|it| it.reveal().to_owned())
    };
    assert_eq!(found(here, theirs).await, None);
    // The same client id, entered by another organisation, is another application with another secret.
    let ours = put(here, "ours").await;
    assert_eq!((offered(here).await, offered(elsewhere).await), (vec![ours], vec![theirs]));
    assert_eq!(found(here, ours).await.as_deref(), Some("ours"));
    assert_eq!(found(elsewhere, theirs).await.as_deref(), Some("theirs"));
    let removed = it.accounts.remove_application(Some(here), theirs, here, Actor::Command).await;
    assert!(!removed.unwrap(), "it is not theirs to remove");
    assert_eq!(offered(elsewhere).await, [theirs]);
}

async fn each_organisation_has_a_default_of_its_own(it: TestStore) {
    let it = Fixture::new(it).await;
    let elsewhere = OrganisationId::new(&it.it.world);
    let theirs = it.accounts.add(reception(elsewhere)).await.unwrap().id;
    for (organisation, want) in [(it.organisation, it.id), (elsewhere, theirs)] {
        let chosen = it.accounts.choose(organisation, Target::Organisation).await.unwrap();
        assert_eq!(chosen.account, Some(want));
        assert_eq!(it.accounts.defaults_of(organisation, want).await.unwrap(), [Serves::Organisation]);
    }
    assert!(matches!(it.accounts.get(elsewhere, it.id).await, Err(AccountsError::NotFound(_))));
    assert!(matches!(it.accounts.signing_in(elsewhere, it.id).await, Err(NotUsable::Removed)));
    let paused = it.accounts.pause(elsewhere, it.id, Actor::Command).await;
    assert!(matches!(paused, Err(AccountsError::NotFound(_))));
    let removed = it.accounts.remove(elsewhere, it.id, Actor::Command).await;
    assert!(matches!(removed, Err(AccountsError::NotFound(_))));
    assert!(it.sending().await.is_ok());
}
