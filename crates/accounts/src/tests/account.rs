use gatepost_core::{LocationId, PersonId};
use gatepost_testkit::on_both_engines;

use super::*;

on_both_engines!(
    ROOMS;
    an_added_account_is_found_again,
    a_mailbox_is_connected_once,
    two_that_connect_a_mailbox_at_once_leave_one_account,
    what_cannot_be_taken_is_refused_with_the_cure,
    another_organisation_sees_and_changes_nothing,
    a_removed_account_is_gone_and_its_address_free,
    limits_are_the_presets_lowered_by_the_accounts_own,
    an_account_stays_live_until_the_transaction_that_asked_has_ended,
    every_command_is_journalled,
    what_is_edited_is_read_back_and_told,
    an_edit_that_cannot_be_taken_changes_nothing,
    a_new_name_to_sign_in_with_is_unchecked_and_a_new_short_name_is_not,
);

async fn an_added_account_is_found_again(it: TestStore) {
    let it = Fixture::new(it).await;
    for accounts in [it.accounts.clone(), it.restarted()] {
        let account = accounts.get(it.organisation, it.id).await.unwrap();
        assert_eq!(account.short_name, "Reception");
        assert_eq!(account.endpoints, servers("smtp.example.org"));
        assert_eq!(account.serves, Serves::Organisation);
        assert_eq!(account.created_at, it.now());
        let found = accounts.find(it.organisation, &address("RECEPTION@example.org")).await.unwrap();
        assert_eq!(found.as_ref(), Some(&account));
        assert_eq!(accounts.list(it.organisation).await.unwrap(), [account]);
    }
    let full = NewAccount {
        address: address("ana@example.org"),
        short_name: "  Ana  ".into(),
        endpoints: Endpoints {
            smtp: Endpoint { host: "192.0.2.1".into(), port: 25, tls: TlsMode::None },
            imap: Some(Endpoint { host: "IMAP.example.org".into(), port: 993, tls: TlsMode::Implicit }),
            pop3: Some(starttls("pop.example.org")),
        },
        serves: Serves::Person(PersonId::new(&it.it.world)),
        overrides: Overrides {
            never_falls_back: true,
            max_connections: Some(1),
            max_message_bytes: Some(1_000),
        },
        ..reception(it.organisation)
    };
    let added = it.accounts.add(full).await.unwrap();
    assert_eq!(added.short_name, "Ana");
    assert_eq!(added.endpoints.imap.as_ref().unwrap().host, "imap.example.org");
    assert_eq!(it.restarted().get(it.organisation, added.id).await.unwrap(), added);
}

async fn a_mailbox_is_connected_once(it: TestStore) {
    let it = Fixture::new(it).await;
    let again = it.accounts.add(other(it.organisation, "Reception@EXAMPLE.org")).await.unwrap_err();
    assert!(matches!(again, AccountsError::AlreadyThere(_)));
    assert!(again.to_string().contains("Reception@example.org"), "{again}");
    let elsewhere = OrganisationId::new(&it.it.world);
    it.accounts.add(reception(elsewhere)).await.unwrap();
}

async fn two_that_connect_a_mailbox_at_once_leave_one_account(it: TestStore) {
    let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
    let both =
        tokio::join!(accounts.add(reception(it.organisation)), accounts.add(reception(it.organisation)));
    let refused = match both {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        (Ok(_), Ok(_)) => panic!("both were added"),
        (Err(one), Err(_)) => panic!("none was added: {one}"),
    };
    assert!(matches!(refused, AccountsError::AlreadyThere(_)), "{refused}");
    assert_eq!(accounts.list(it.organisation).await.unwrap().len(), 1);
}

async fn what_cannot_be_taken_is_refused_with_the_cure(it: TestStore) {
    let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
    let check = async |change: fn(&mut NewAccount), cure: &str| {
        let mut new = reception(it.organisation);
        change(&mut new);
        let refused = accounts.add(new).await.unwrap_err();
        assert!(matches!(refused, AccountsError::Invalid(_)));
        assert!(refused.to_string().contains(cure), "{refused}");
    };
    check(|it| it.short_name = " ".into(), "1 to 60").await;
    check(|it| it.short_name = "x".repeat(61), "1 to 60").await;
    check(|it| it.short_name = "a\u{1b}[31m".into(), "on one line").await;
    check(|it| it.author_name = "a\r\nBcc: b@example.org".into(), "on one line").await;
    check(|it| it.user_name = String::new(), "mostly it is the e-mail address").await;
    check(|it| it.provider = "gmial".into(), "gmail").await;
    check(|it| it.endpoints.smtp.host = "https://example.org".into(), "such as smtp.example.org").await;
    check(|it| it.endpoints.smtp.port = 0, "1 to 65535").await;
    check(|it| it.endpoints.imap = Some(starttls("")), "such as smtp.example.org").await;
    check(|it| it.overrides.max_connections = Some(0), "pause the account").await;
    check(|it| it.secret = SecretText::new(String::new()).into(), "copy it again").await;
    check(|it| it.secret = SecretText::new("pass\r\nQUIT".into()).into(), "copy it again").await;
    assert_eq!(accounts.list(it.organisation).await.unwrap(), []);
    let mut longest = reception(it.organisation);
    longest.short_name = "\u{fc}".repeat(60);
    accounts.add(longest).await.unwrap();
}

async fn another_organisation_sees_and_changes_nothing(it: TestStore) {
    let it = Fixture::new(it).await;
    let (stranger, actor) = (OrganisationId::new(&it.it.world), Actor::Command);
    let secret = SecretText::new("stolen".into());
    assert_eq!(it.accounts.list(stranger).await.unwrap(), []);
    assert!(matches!(it.accounts.get(stranger, it.id).await, Err(AccountsError::NotFound(_))));
    assert!(matches!(it.accounts.status(stranger, it.id).await, Err(AccountsError::NotFound(_))));
    assert!(matches!(it.accounts.sending(stranger, it.id).await, Err(NotUsable::Removed)));
    assert!(matches!(it.accounts.signing_in(stranger, it.id).await, Err(NotUsable::Removed)));
    let event = it.event(refused()).await;
    let refusals = [
        it.accounts.pause(stranger, it.id, actor).await.err(),
        it.accounts.resume(stranger, it.id, actor).await.err(),
        it.accounts.remove(stranger, it.id, actor).await.err(),
        it.accounts.replace_secret(stranger, it.id, secret, actor).await.err(),
        it.accounts.edit_endpoints(stranger, it.id, servers("evil.example"), actor).await.err(),
        it.accounts.set_default(stranger, Serves::Organisation, it.id, actor).await.err(),
        it.accounts.report(stranger, it.id, Direction::Sending, event).await.err(),
    ];
    for (n, refusal) in refusals.into_iter().enumerate() {
        assert!(matches!(refusal, Some(AccountsError::NotFound(_))), "{n}");
    }
    assert_eq!(
        it.restarted().get(it.organisation, it.id).await.unwrap().endpoints,
        servers("smtp.example.org")
    );
    assert_eq!(it.status().await.status, StatusName::Unchecked);
}

async fn a_removed_account_is_gone_and_its_address_free(it: TestStore) {
    let it = Fixture::new(it).await;
    it.accounts.remove(it.organisation, it.id, Actor::Command).await.unwrap();
    for accounts in [it.accounts.clone(), it.restarted()] {
        assert_eq!(accounts.list(it.organisation).await.unwrap(), []);
        assert!(matches!(accounts.sending(it.organisation, it.id).await, Err(NotUsable::Removed)));
        let twice = accounts.remove(it.organisation, it.id, Actor::Command).await;
        assert!(matches!(twice, Err(AccountsError::NotFound(_))));
    }
    let again = it.accounts.add(reception(it.organisation)).await.unwrap();
    assert_ne!(again.id, it.id);
    let chosen = it.accounts.choose(it.organisation, Target::Organisation).await.unwrap();
    assert_eq!(chosen.account, Some(again.id), "the new account takes the place of the removed default");
}

async fn limits_are_the_presets_lowered_by_the_accounts_own(it: TestStore) {
    let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
    let own = |max_connections| Overrides {
        max_connections,
        max_message_bytes: Some(5_000_000),
        ..Overrides::default()
    };
    for (provider, overrides, n_connections, rate, size) in [
        ("custom", Overrides::default(), 20, None, None),
        ("custom", own(Some(50)), 50, None, Some(5_000_000)),
        ("microsoft365", own(Some(50)), 2, Some(25), Some(5_000_000)),
        ("microsoft365", own(Some(1)), 1, Some(25), Some(5_000_000)),
        (
            "icloud",
            Overrides { max_message_bytes: Some(90_000_000), ..own(None) },
            2,
            Some(25),
            Some(20_000_000),
        ),
    ] {
        let new = NewAccount { provider: provider.into(), overrides, ..reception(it.organisation) };
        let id = accounts.add(new).await.unwrap().id;
        let sending = accounts.sending(it.organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
        let limits = sending.limits;
        assert_eq!(
            (limits.n_connections, limits.n_messages_per_minute, limits.max_message_bytes),
            (n_connections, rate, size),
            "{provider} {overrides:?}"
        );
        let chosen = accounts.choose(it.organisation, Target::Account(id)).await.unwrap();
        assert_eq!(chosen.max_message_bytes, size);
        accounts.remove(it.organisation, id, Actor::Command).await.unwrap();
    }
}

async fn an_account_stays_live_until_the_transaction_that_asked_has_ended(it: TestStore) {
    let it = Fixture::new(it).await;
    let (organisation, id, stranger) = (it.organisation, it.id, OrganisationId::new(&it.it.world));
    let ask = |organisation| it.it.store.write(move |tx| is_live(tx, organisation, id));
    assert!(ask(organisation).await.unwrap());
    assert!(!ask(stranger).await.unwrap());
    it.accounts.remove(organisation, id, Actor::Command).await.unwrap();
    assert!(!ask(organisation).await.unwrap());
}

async fn every_command_is_journalled(it: TestStore) {
    let it = Fixture::new(it).await;
    let (organisation, id, actor) = (it.organisation, it.id, Actor::Command);
    it.accounts.pause(organisation, id, actor).await.unwrap();
    it.accounts.pause(organisation, id, actor).await.unwrap();
    it.accounts.resume(organisation, id, actor).await.unwrap();
    it.accounts.resume(organisation, id, actor).await.unwrap();
    it.report(What::Succeeded).await;
    it.report(What::Succeeded).await;
    it.accounts.replace_secret(organisation, id, SecretText::new("new".into()), actor).await.unwrap();
    it.accounts.edit_endpoints(organisation, id, servers("smtp.example.net"), actor).await.unwrap();
    it.accounts.edit_endpoints(organisation, id, servers("smtp.example.net"), actor).await.unwrap();
    it.accounts.set_default(organisation, Serves::Organisation, id, actor).await.unwrap();
    it.accounts.remove(organisation, id, actor).await.unwrap();
    let want = [
        ("command", "mail_account.added"),
        ("command", "mail_account.paused"),
        ("command", "mail_account.resumed"),
        ("system", "mail_account.status_changed"),
        ("command", "mail_account.credential_replaced"),
        ("command", "mail_account.servers_changed"),
        ("command", "mail_account.made_default"),
        ("command", "mail_account.removed"),
    ];
    let got = journalled(&it.it).await;
    let got: Vec<(&str, &str)> =
        got.iter().map(|(actor, action)| (actor.as_str(), action.as_str())).collect();
    assert_eq!(got, want, "one row for each change, none where nothing changed");
}

async fn what_is_edited_is_read_back_and_told(it: TestStore) {
    let it = Fixture::new(it).await;
    let before = it.accounts.get(it.organisation, it.id).await.unwrap().settings();
    let location = LocationId::new(&it.it.world);
    let settings = Settings {
        short_name: " Front desk ".into(),
        author_name: "Practice Example, front desk".into(),
        opens: Some(address("info@example.org")),
        further_addresses: ["b@example.org", "A@example.org", "a@example.org", "reception@EXAMPLE.org"]
            .map(address)
            .into(),
        serves: Serves::Location(location),
        overrides: Overrides { never_falls_back: true, max_connections: Some(2), ..before.overrides },
        ..before
    };
    it.accounts.edit(it.organisation, it.id, settings, Actor::Command).await.unwrap();
    for accounts in [it.accounts.clone(), it.restarted()] {
        let account = accounts.get(it.organisation, it.id).await.unwrap();
        assert_eq!(account.short_name, "Front desk");
        assert_eq!(account.opens, Some(address("info@example.org")));
        assert_eq!(account.serves, Serves::Location(location));
        assert_eq!(
            (account.limits(accounts.providers()).n_connections, account.overrides.never_falls_back),
            (2, true)
        );
        // Each mailbox once, its own first.
        let addresses: Vec<_> = account.addresses().map(EmailAddress::as_str).collect();
        assert_eq!(addresses, ["reception@example.org", "A@example.org", "b@example.org"]);
        let target = Target::Location(location);
        let chosen = accounts.choose(it.organisation, target).await.unwrap();
        assert_eq!((chosen.account, chosen.addresses.len()), (Some(it.id), 3));
    }
    let again = it.accounts.get(it.organisation, it.id).await.unwrap().settings();
    let fewer = Settings { further_addresses: Vec::new(), ..again };
    it.accounts.edit(it.organisation, it.id, fewer, Actor::Command).await.unwrap();
    assert_eq!(it.restarted().get(it.organisation, it.id).await.unwrap().addresses().count(), 1);
}

async fn an_edit_that_cannot_be_taken_changes_nothing(it: TestStore) {
    let it = Fixture::new(it).await;
    let before = it.accounts.get(it.organisation, it.id).await.unwrap();
    let addresses = (0..51).map(|n| address(&format!("a{n}@example.org"))).collect();
    for (settings, cure) in [
        (Settings { short_name: " ".into(), ..before.settings() }, "1 to 60 characters"),
        (Settings { user_name: "a\r\nb".into(), ..before.settings() }, "user name"),
        (Settings { further_addresses: addresses, ..before.settings() }, "at most 50 addresses"),
    ] {
        let refused = it.accounts.edit(it.organisation, it.id, settings, Actor::Command).await.unwrap_err();
        assert!(refused.to_string().contains(cure), "{refused}");
    }
    let elsewhere = OrganisationId::new(&it.it.world);
    let settings = Settings { short_name: "Mine".into(), ..before.settings() };
    let refused = it.accounts.edit(elsewhere, it.id, settings, Actor::Command).await.unwrap_err();
    assert!(matches!(refused, AccountsError::NotFound(_)));
    assert_eq!(it.restarted().get(it.organisation, it.id).await.unwrap(), before);
}

async fn a_new_name_to_sign_in_with_is_unchecked_and_a_new_short_name_is_not(it: TestStore) {
    let it = Fixture::new(it).await;
    it.accounts
        .report(it.organisation, it.id, Direction::Sending, it.event(What::Succeeded).await)
        .await
        .unwrap();
    let settings = it.accounts.get(it.organisation, it.id).await.unwrap().settings();
    let named = Settings { short_name: "Desk".into(), ..settings.clone() };
    it.accounts.edit(it.organisation, it.id, named, Actor::Command).await.unwrap();
    assert_eq!(it.status().await.status, StatusName::Connected);
    let other = Settings { user_name: "practice\\reception".into(), ..settings };
    it.accounts.edit(it.organisation, it.id, other, Actor::Command).await.unwrap();
    assert_eq!(it.status().await.status, StatusName::Unchecked);
}
