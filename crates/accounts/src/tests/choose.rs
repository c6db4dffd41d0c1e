use gatepost_core::{LocationId, PersonId};
use gatepost_testkit::on_both_engines;

use super::*;

on_both_engines!(
    ROOMS;
    a_letter_leaves_by_the_nearest_default,
    a_login_of_an_account_leaves_by_that_one_or_not_at_all,
    a_removed_default_is_passed_over_unless_it_never_falls_back,
    the_first_account_of_each_becomes_its_default_and_another_can,
    what_a_login_lacks_to_read_is_said_with_its_cure,
    choosing_touches_no_credential_and_no_status,
    notices_leave_by_the_default_or_wait_with_the_reason,
    what_would_happen_is_explained_before_it_does,
    a_letter_that_would_wait_for_a_failing_account_is_explained,
);

async fn chosen(it: &Fixture, target: Target) -> Chosen {
    it.accounts.choose(it.organisation, target).await.unwrap()
}

async fn add(it: &Fixture, text: &str, serves: Serves) -> MailAccountId {
    it.accounts.add(NewAccount { serves, ..other(it.organisation, text) }).await.unwrap().id
}

async fn a_letter_leaves_by_the_nearest_default(it: TestStore) {
    let it = Fixture::new(it).await;
    let (person, home) = (PersonId::new(&it.it.world), LocationId::new(&it.it.world));
    let at_home = Target::Person { id: person, home: Some(home) };
    let homeless = Target::Person { id: person, home: None };

    assert_eq!(chosen(&it, at_home).await.account, Some(it.id));
    assert_eq!(chosen(&it, at_home).await.because, "the organisation's default");

    let site = add(&it, "site@example.org", Serves::Location(home)).await;
    assert_eq!(chosen(&it, at_home).await.account, Some(site));
    assert_eq!(chosen(&it, at_home).await.because, "the default of this person's location");
    assert_eq!(chosen(&it, homeless).await.account, Some(it.id));
    assert_eq!(chosen(&it, Target::Location(home)).await.account, Some(site));
    assert_eq!(chosen(&it, Target::Location(LocationId::new(&it.it.world))).await.account, Some(it.id));

    let own = add(&it, "ana@example.org", Serves::Person(person)).await;
    let own_chosen = chosen(&it, at_home).await;
    assert_eq!(own_chosen.account, Some(own));
    assert_eq!(own_chosen.because, "this person's own account");
    assert_eq!(own_chosen.addresses, [address("ana@example.org")]);
    assert_eq!(chosen(&it, Target::Organisation).await.account, Some(it.id));
}

async fn a_login_of_an_account_leaves_by_that_one_or_not_at_all(it: TestStore) {
    let it = Fixture::new(it).await;
    let second = add(&it, "second@example.org", Serves::Organisation).await;
    assert_eq!(chosen(&it, Target::Account(second)).await.account, Some(second));
    it.accounts.remove(it.organisation, second, Actor::Command).await.unwrap();
    let none = chosen(&it, Target::Account(second)).await;
    assert_eq!((none.account, none.addresses), (None, vec![]));
    assert!(none.because.contains("was removed: choose another"), "{}", none.because);
    let stranger = OrganisationId::new(&it.it.world);
    assert_eq!(it.accounts.choose(stranger, Target::Account(it.id)).await.unwrap().account, None);
    let nothing = it.accounts.choose(stranger, Target::Organisation).await.unwrap();
    assert!(nothing.because.contains("connect one"), "{}", nothing.because);
}

async fn a_removed_default_is_passed_over_unless_it_never_falls_back(it: TestStore) {
    let it = Fixture::new(it).await;
    for (never_falls_back, falls_to) in [(false, Some(it.id)), (true, None)] {
        let person = PersonId::new(&it.it.world);
        let overrides = Overrides { never_falls_back, ..Overrides::default() };
        let new = NewAccount {
            serves: Serves::Person(person),
            overrides,
            ..other(it.organisation, "ana@example.org")
        };
        let own = it.accounts.add(new).await.unwrap().id;
        let target = Target::Person { id: person, home: None };
        assert_eq!(chosen(&it, target).await.account, Some(own));
        it.accounts.remove(it.organisation, own, Actor::Command).await.unwrap();
        assert_eq!(chosen(&it, target).await.account, falls_to, "never falls back: {never_falls_back}");
    }
}

async fn the_first_account_of_each_becomes_its_default_and_another_can(it: TestStore) {
    let it = Fixture::new(it).await;
    let second = add(&it, "second@example.org", Serves::Organisation).await;
    assert_eq!(chosen(&it, Target::Organisation).await.account, Some(it.id));
    it.accounts.set_default(it.organisation, Serves::Organisation, second, Actor::Command).await.unwrap();
    assert_eq!(chosen(&it, Target::Organisation).await.account, Some(second));
    let after = it.restarted().choose(it.organisation, Target::Organisation).await.unwrap();
    assert_eq!(after.account, Some(second));
}

/// AP-9: what is asked before a letter is taken leaves the stored credential and the status as they are. The secret does
/// not even open here, and nobody notices.
async fn choosing_touches_no_credential_and_no_status(it: TestStore) {
    let it = Fixture::new(it).await;
    it.tamper(&tampering::POINT_ELSEWHERE, vec![it.id.into(), "smtp.evil.example".into()]).await;
    let rows = || async {
        let rows = it.it.store.read(|tx| tx.rows(&tampering::ROWS, &[])).await.unwrap();
        rows.iter()
            .map(|row| {
                let (sealed, status, at) =
                    (row.get::<Vec<u8>>(0), row.get::<String>(1), row.get::<Timestamp>(2));
                (sealed.unwrap(), status.unwrap(), at.unwrap())
            })
            .collect::<Vec<_>>()
    };
    let before = rows().await;
    for _ in 0..1_000 {
        it.advance(1);
        assert_eq!(chosen(&it, Target::Account(it.id)).await.account, Some(it.id));
        assert_eq!(chosen(&it, Target::Organisation).await.account, Some(it.id));
    }
    assert_eq!(rows().await, before);
    assert_eq!(journalled(&it.it).await.len(), 1, "only that it was added");
}

async fn what_a_login_lacks_to_read_is_said_with_its_cure(it: TestStore) {
    let it = Fixture::new(it).await;
    let (person, location) = (PersonId::new(&it.it.world), LocationId::new(&it.it.world));
    let (of_person, of_location) =
        (Target::Person { id: person, home: Some(location) }, Target::Location(location));
    let said = async |target| {
        let why = it.accounts.mailbox_of(it.organisation, target).await.unwrap().unwrap_err();
        let heard = it.accounts.readable(it.organisation, target, ReadingProtocol::Imap).await.unwrap_err();
        assert_eq!(heard.to_string(), why.to_string());
        heard.to_string()
    };
    // The organisation's stands in for nobody.
    for (target, cure) in [
        (of_person, "connect it there under Mail accounts"),
        (of_location, "an administrator chooses one on its page there"),
        (Target::Account(MailAccountId::new(&it.it.world)), "connect it again there"),
        (Target::Organisation, "make an app password for a mail account there"),
    ] {
        let words = said(target).await;
        assert!(words.contains(cure), "{words}");
        // RFC 2449 §4: a line of POP3 has 512 octets at most.
        assert!(words.len() < 256, "{words}");
    }
    let own = it
        .accounts
        .add(NewAccount { serves: Serves::Person(person), ..other(it.organisation, "own@example.org") });
    let own = own.await.unwrap();
    let found = it.accounts.mailbox_of(it.organisation, of_person).await.unwrap().unwrap();
    assert_eq!(found.id, own.id);

    let lacks = |account: &MailAccount| {
        [ReadingProtocol::Imap, ReadingProtocol::Pop3].map(|it_| it.accounts.no_server(account, it_))
    };
    let (entered, not_entered, not_offered) = (None, Some(NoServer::NotEntered), Some(NoServer::NotOffered));
    assert_eq!(lacks(&found), [not_entered, not_entered]);
    let by_imap = Endpoints { imap: Some(starttls("imap.example.org")), ..servers("smtp.example.org") };
    assert_eq!(lacks(&MailAccount { endpoints: by_imap.clone(), ..found.clone() }), [entered, not_entered]);
    for (provider, want) in [("gmail", not_entered), ("icloud", not_offered)] {
        let account = MailAccount { provider: provider.into(), endpoints: by_imap.clone(), ..found.clone() };
        assert_eq!(lacks(&account), [entered, want], "{provider}");
    }
    let sends_only = MailAccount { provider: "mandrill".into(), ..found };
    assert_eq!(lacks(&sends_only), [not_offered, not_offered]);
}

async fn notices_leave_by_the_default_or_wait_with_the_reason(it: TestStore) {
    let it = Fixture::new(it).await;
    let by = |organisation| it.accounts.for_notices(organisation);
    let waits = |by: ForNotices| match by {
        ForNotices::Wait { because } => because,
        ForNotices::Account { account, .. } => panic!("{}", account.address),
    };
    let leaves = async || match by(it.organisation).await.unwrap() {
        ForNotices::Account { account, because, .. } => {
            assert_eq!(because, "the organisation's default");
            account.id
        }
        ForNotices::Wait { because } => panic!("{because}"),
    };
    assert_eq!(leaves().await, it.id);

    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    let paused = waits(by(it.organisation).await.unwrap());
    assert!(paused.contains("Reception (reception@example.org) is paused since"), "{paused}");
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    it.report(refused()).await;
    let refused = waits(by(it.organisation).await.unwrap());
    assert!(refused.contains("cannot send since") && refused.contains("Cure:"), "{refused}");
    it.report(What::Succeeded).await;
    assert_eq!(leaves().await, it.id);

    it.accounts.remove(it.organisation, it.id, Actor::Command).await.unwrap();
    let removed = waits(by(it.organisation).await.unwrap());
    assert!(removed.contains("was removed: choose another default"), "{removed}");
    let none = waits(by(OrganisationId::new(&it.it.world)).await.unwrap());
    assert_eq!(none, "the organisation has no default mail account yet: connect one");
}

async fn what_would_happen_is_explained_before_it_does(it: TestStore) {
    let it = Fixture::new(it).await;
    let (person, home) = (PersonId::new(&it.it.world), LocationId::new(&it.it.world));
    let target = Target::Person { id: person, home: Some(home) };
    let explained = async || it.accounts.explain(it.organisation, target).await.unwrap();
    let verdicts = |it: &Explained| it.considered.iter().map(|it| it.verdict).collect::<Vec<_>>();

    // An operator without an account, at a location without a default.
    let free = explained().await;
    assert_eq!(verdicts(&free), [Verdict::None, Verdict::None, Verdict::Chosen]);
    assert_eq!((free.chosen.account, free.held), (Some(it.id), None));
    let places: Vec<_> = free.considered.iter().map(|it| it.place).collect();
    assert_eq!(
        places,
        ["this person's own account", "the default of this person's location", "the organisation's default"]
    );

    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    let paused = explained().await;
    assert_eq!(paused.chosen.account, Some(it.id), "a pause does not send letters elsewhere");
    assert!(paused.held.unwrap().contains("is paused since"));

    let overrides = Overrides { never_falls_back: true, ..Overrides::default() };
    let serves = Serves::Location(home);
    let new = NewAccount { serves, overrides, ..other(it.organisation, "site@example.org") };
    let site = it.accounts.add(new).await.unwrap().id;
    it.accounts.remove(it.organisation, site, Actor::Command).await.unwrap();
    let stuck = explained().await;
    assert_eq!(verdicts(&stuck), [Verdict::None, Verdict::NeverFallsBack]);
    assert!(stuck.chosen.account.is_none() && stuck.held.unwrap().contains("never falls back"));
    // The same words as a letter that is handed in gets.
    assert_eq!(stuck.chosen, chosen(&it, target).await);

    let own = it.accounts.explain(it.organisation, Target::Account(it.id)).await.unwrap();
    assert_eq!((own.considered.len(), own.chosen.account), (0, Some(it.id)));
}

async fn a_letter_that_would_wait_for_a_failing_account_is_explained(it: TestStore) {
    let it = Fixture::new(it).await;
    let explained = async || it.accounts.explain(it.organisation, Target::Account(it.id)).await.unwrap();
    it.report(What::Succeeded).await;
    assert_eq!(explained().await.waits, None);

    it.advance(60);
    it.report(unreachable()).await;
    let What::Trouble { diagnosis, .. } = unreachable() else { panic!("a trouble") };
    let failing = explained().await;
    assert_eq!((failing.chosen.account, failing.held), (Some(it.id), None));
    let waits = failing.waits.unwrap();
    assert!(waits.starts_with("Reception (reception@example.org) fails since 09:13 UTC: "), "{waits}");
    assert!(waits.contains(&diagnosis.cause) && waits.contains(&diagnosis.cure), "{waits}");
    assert!(waits.ends_with("It is tried again at 09:14 UTC"), "{waits}");
    it.advance(90);
    let waits = explained().await.waits.unwrap();
    assert!(waits.ends_with("It is tried again with the next letter"), "{waits}");

    // What is held says so, and not twice.
    it.report(refused()).await;
    let held = explained().await;
    assert!(held.held.is_some() && held.waits.is_none(), "{held:?}");
    it.report(What::Succeeded).await;
    it.report(blocked()).await;
    assert!(explained().await.waits.unwrap().contains("fails since"));
    it.report(What::LetterSent).await;
    assert_eq!(explained().await.waits, None);
}
