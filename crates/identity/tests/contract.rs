//! What the room promises on both engines, each test in a fresh database.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::net::IpAddr;
use std::time::Duration;

use gatepost_core::{EmailAddress, MailAccountId, OrganisationId, SecretText, World};
use gatepost_identity::{
    AppPasswordLimits, Attempt, CreatedAppPassword, Identity, IdentityError, LastUses, Login,
    MOST_APP_PASSWORDS, NewAppPassword, NewPerson, Protocol, Protocols, RefusedBecause, RevocationWatch,
    Role, STATEMENTS, SignInRefusal, SignIns, SignedIn, Target,
};
use gatepost_journal::Actor;
use gatepost_store::{Database, Keyring, RoomMigrations, Store};
use gatepost_testkit::{TestStore, on_both_engines};
use gatepost_vault::{Key, MasterKey};
use tokio_util::sync::CancellationToken;

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, gatepost_identity::MIGRATIONS];

on_both_engines!(ROOMS;
    an_organisation_is_found_by_its_name,
    a_command_knows_which_organisation_it_is_about,
    locations_and_people_are_found_again,
    each_target_has_one_login_with_a_name_of_its_own,
    a_login_passes_to_the_next_account_of_the_address_without_its_app_passwords,
    an_app_password_is_listed_with_its_limits_and_without_its_letters,
    the_fortieth_is_made_and_the_forty_first_refused,
    of_many_calls_for_the_last_place_one_gets_it,
    what_would_open_nothing_is_not_made,
    protocol_network_and_expiry_each_decide,
    a_removed_app_password_opens_nothing,
    user_names_are_understood_in_any_case_and_hostile_ones_refused,
    letters_serve_one_login_and_one_installation,
    many_wrong_tries_slow_their_source_and_no_other,
    whoever_got_in_lately_is_checked_also_after_a_restart,
    uses_are_written_once_a_flush_and_never_backwards,
    a_removal_ends_its_sessions_and_no_others,
    a_removal_during_the_sign_in_ends_the_session,
    expiry_ends_a_session,
    a_running_watch_ends_sessions_by_itself,
);

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    for statements in STATEMENTS {
        gatepost_testkit::prepare_all(statements, ROOMS).await;
    }
}

/// An organisation with a login of a mail account, and everything that signs in.
struct House {
    it: TestStore,
    identity: Identity,
    organisation: OrganisationId,
    login: Login,
    sign_ins: SignIns,
    last_uses: LastUses,
    watch: RevocationWatch,
}

const OFFICE: &str = "192.0.2.7";

impl House {
    async fn new(it: TestStore) -> Self {
        let identity = Identity::new(it.store.clone(), it.keyring.clone());
        let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
        let login = account_login(&identity, organisation, "reception@example.org").await;
        let last_uses = LastUses::new(it.store.clone());
        let watch = RevocationWatch::new(it.store.clone());
        let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), last_uses.clone(), watch.clone());
        let sign_ins = sign_ins.await.unwrap();
        Self { it, identity, organisation, login, sign_ins, last_uses, watch }
    }

    async fn make(&self, name: &str, limits: AppPasswordLimits) -> Result<CreatedAppPassword, IdentityError> {
        let (organisation, login) = (self.organisation, self.login.id);
        let new = NewAppPassword::new(&self.it.world, organisation, login, name, limits);
        self.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await
    }

    async fn verify(&self, user_name: &str, password: &str, source: &str) -> Result<SignedIn, SignInRefusal> {
        self.verify_for(user_name, password, Protocol::Smtp, source).await
    }

    async fn verify_for(
        &self,
        user_name: &str,
        password: &str,
        protocol: Protocol,
        source: &str,
    ) -> Result<SignedIn, SignInRefusal> {
        self.watch.look().await.unwrap();
        let password = SecretText::new(password.to_owned());
        let source = source.parse().unwrap();
        self.sign_ins
            .verify(Attempt { user_name, password: &password, protocol, source, tls: None, mechanism: None })
            .await
    }

    async fn sign_in(&self, made: &CreatedAppPassword) -> SignedIn {
        self.verify(&made.user_name, made.text.grouped().reveal(), OFFICE).await.unwrap()
    }
}

async fn account_login(identity: &Identity, organisation: OrganisationId, at: &str) -> Login {
    let account = MailAccountId::from_uuid(organisation.uuid());
    identity.ensure_account_login(organisation, account, &address(at), None).await.unwrap()
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn mail() -> AppPasswordLimits {
    AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    }
}

fn why(refused: Result<SignedIn, SignInRefusal>) -> RefusedBecause {
    match refused {
        Err(SignInRefusal::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

const WRONG: &str = "zzzz zzzz zzzz zzzz";

async fn an_organisation_is_found_by_its_name(it: TestStore) {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let made = identity.create_organisation("  Praxis Süd ", Actor::Command).await.unwrap();
    assert_eq!(made.name, "Praxis Süd");
    assert_eq!(identity.find_organisation("Praxis Süd").await.unwrap(), Some(made.clone()));
    assert_eq!(identity.find_organisation("Praxis Nord").await.unwrap(), None);
    assert_eq!(identity.list_organisations().await.unwrap(), [made]);
    let again = identity.create_organisation("Praxis Süd", Actor::Command).await;
    assert!(matches!(again, Err(IdentityError::OrganisationExists(name)) if name == "Praxis Süd"));
    let bad = identity.create_organisation(" \n", Actor::Command).await.unwrap_err();
    assert_eq!(bad.to_string(), "the name is empty. Give it a name that you will know again");
}

async fn a_command_knows_which_organisation_it_is_about(it: TestStore) {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let fails = async |name| identity.choose_organisation(name).await.unwrap_err().to_string();
    assert!(fails(None).await.contains("gatepost init"));
    let one = identity.create_organisation("One", Actor::Command).await.unwrap();
    assert_eq!(identity.choose_organisation(None).await.unwrap(), one);
    assert_eq!(fails(Some("Two")).await, "there is no organisation named \"Two\". There are: One");
    it.clock.advance(Duration::from_secs(1));
    let two = identity.create_organisation("Two", Actor::Command).await.unwrap();
    assert_eq!(identity.choose_organisation(Some("Two")).await.unwrap(), two);
    assert!(fails(None).await.contains("(One, Two). Say which one with --organisation NAME"));
}

async fn locations_and_people_are_found_again(it: TestStore) {
    let house = House::new(it).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    let annex = identity.add_location(organisation, "Annex", Actor::Command).await.unwrap();
    assert_eq!(identity.find_location(organisation, " Annex").await.unwrap(), Some(annex.clone()));
    assert!(matches!(
        identity.add_location(organisation, "Annex", Actor::Command).await,
        Err(IdentityError::LocationExists(_))
    ));
    // Another name with the same slug gets one of its own.
    let other = identity.add_location(organisation, "(Annex)", Actor::Command).await.unwrap();
    assert_eq!((annex.slug.as_str(), other.slug.as_str()), ("annex", "annex-2"));

    let new = NewPerson {
        organisation,
        address: address("Anna@Example.org"),
        name: "Anna Berg".into(),
        role: Role::Administrator,
        home_location: Some(annex.id),
    };
    let anna = identity.add_person(new.clone(), Actor::Command).await.unwrap();
    assert_eq!(anna.address.as_str(), "anna@example.org");
    let found = identity.find_person(organisation, &address("ANNA@example.org")).await.unwrap();
    assert_eq!(found, Some(anna));
    // An address belongs to one person in the whole installation.
    let elsewhere = identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let again = identity.add_person(NewPerson { organisation: elsewhere, ..new }, Actor::Command).await;
    assert!(matches!(again, Err(IdentityError::PersonExists(_))));
    assert_eq!(identity.find_person(elsewhere, &address("anna@example.org")).await.unwrap(), None);
}

async fn each_target_has_one_login_with_a_name_of_its_own(it: TestStore) {
    let house = House::new(it).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    assert_eq!(house.login.user_name, "reception@example.org");
    assert_eq!(account_login(identity, organisation, "reception@example.org").await, house.login);

    let person = |at: &str| NewPerson {
        organisation,
        address: address(at),
        name: "N".into(),
        role: Role::Operator,
        home_location: None,
    };
    // A person whose address is also a mail account's gets a name that can be told from it.
    let same = identity.add_person(person("Reception@example.org"), Actor::Command).await.unwrap();
    let login = identity.ensure_person_login(&same).await.unwrap();
    assert_eq!(login.user_name, "reception@example.org.me");
    assert_eq!(login.target, Target::Person(same.id));
    assert_eq!(identity.ensure_person_login(&same).await.unwrap(), login);
    assert_eq!(identity.find_login(organisation, login.id).await.unwrap(), Some((login.clone(), None)));
    let other = identity.add_person(person("anna@example.org"), Actor::Command).await.unwrap();
    assert_eq!(identity.ensure_person_login(&other).await.unwrap().user_name, "anna@example.org");

    // The same location name, and the same mailbox, in a second organisation.
    let second = identity.create_organisation("Second", Actor::Command).await.unwrap().id;
    assert_eq!(identity.find_login(second, login.id).await.unwrap(), None);
    for (whose, want) in [(organisation, "main-street"), (second, "main-street-2")] {
        let location = identity.add_location(whose, "Main Street", Actor::Command).await.unwrap();
        assert_eq!(identity.ensure_location_login(&location).await.unwrap().user_name, want);
    }
    assert_eq!(
        account_login(identity, second, "reception@example.org").await.user_name,
        "reception@example.org.2"
    );
}

async fn a_login_passes_to_the_next_account_of_the_address_without_its_app_passwords(it: TestStore) {
    let house = House::new(it).await;
    let (identity, organisation) = (&house.identity, house.organisation);
    let old = house.make("old", mail()).await.unwrap();
    identity.retire_login(organisation, house.login.target, Actor::Command).await.unwrap();
    let refused = house.verify(&old.user_name, old.text.grouped().reveal(), OFFICE).await;
    assert_eq!(why(refused), RefusedBecause::Removed);
    assert!(matches!(house.make("more", mail()).await, Err(IdentityError::NoSuchLogin(_))));

    let next = MailAccountId::new(&house.it.world);
    let login = identity
        .ensure_account_login(organisation, next, &address("Reception@example.org"), None)
        .await
        .unwrap();
    assert_eq!((login.id, login.target), (house.login.id, Target::Account(next)));
    let refused = house.verify(&old.user_name, old.text.grouped().reveal(), OFFICE).await;
    assert_eq!(why(refused), RefusedBecause::Removed);
    let new = house.make("new", mail()).await.unwrap();
    assert_eq!(house.sign_in(&new).await.target, Target::Account(next));
}

async fn an_app_password_is_listed_with_its_limits_and_without_its_letters(it: TestStore) {
    let house = House::new(it).await;
    let limits = AppPasswordLimits {
        allowed: "smtp,api".parse().unwrap(),
        networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        send_as: vec![address("\"front desk\"@example.org"), address("reception@example.org")],
        expires_at: Some(house.it.world.now() + Duration::from_secs(60)),
        repairs_line_ends: true,
    };
    let made = house.make("TDO letters", limits.clone()).await.unwrap();
    let listed = house.identity.list_app_passwords(house.organisation).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].name.as_str(), &listed[0].limits), (made.id, "TDO letters", &limits));
    assert_eq!((listed[0].user_name.as_str(), listed[0].last_use), ("reception@example.org", None));

    let letters = made.text.grouped().reveal().replace(' ', "");
    let stored = format!("{listed:?}");
    assert!(!stored.contains(&letters) && !stored.contains(made.text.grouped().reveal()));
    let journal = gatepost_journal::newest(&house.it.store, house.organisation, 10).await.unwrap();
    assert_eq!(journal[0].action, "app_password.created");
    assert!(!journal.iter().any(|it| it.details.contains(&letters)));
}

// AP-6.
async fn the_fortieth_is_made_and_the_forty_first_refused(it: TestStore) {
    let house = House::new(it).await;
    let soon = house.it.world.now() + Duration::from_secs(1);
    let short = house.make("short", AppPasswordLimits { expires_at: Some(soon), ..mail() }).await.unwrap();
    for n in 2..=40 {
        house.make(&format!("number {n}"), mail()).await.unwrap();
    }
    // An expired one counts until it is removed.
    house.it.clock.advance(Duration::from_secs(5));
    let refused = house.make("number 41", mail()).await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        "reception@example.org already has 40 app passwords, the most that one login may have. \
         Remove one that is no longer used"
    );
    house.identity.revoke_app_password(house.organisation, short.id, Actor::Command).await.unwrap();
    house.make("number 41", mail()).await.unwrap();
    assert_eq!(house.identity.list_app_passwords(house.organisation).await.unwrap().len(), 40);

    // The installation may allow more, and never more than a hundred.
    for most in [41, 100, 5_000] {
        for n in house.identity.list_app_passwords(house.organisation).await.unwrap().len()..most.min(100) {
            let (organisation, login) = (house.organisation, house.login.id);
            let new = NewAppPassword::new(&house.it.world, organisation, login, format!("more {n}"), mail());
            let most = u32::try_from(most).unwrap();
            house.identity.create_app_password(new, most, Actor::Command).await.unwrap();
        }
    }
    let (organisation, login) = (house.organisation, house.login.id);
    let new = NewAppPassword::new(&house.it.world, organisation, login, "number 101", mail());
    let refused = house.identity.create_app_password(new, 5_000, Actor::Command).await;
    assert!(matches!(refused, Err(IdentityError::TooManyAppPasswords { n: 100, .. })));
}

async fn of_many_calls_for_the_last_place_one_gets_it(it: TestStore) {
    let house = House::new(it).await;
    for n in 1..=39 {
        house.make(&format!("number {n}"), mail()).await.unwrap();
    }
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (identity, organisation, login) = (house.identity.clone(), house.organisation, house.login.id);
        let new = NewAppPassword::new(&house.it.world, organisation, login, format!("at once {n}"), mail());
        calls.spawn(
            async move { identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await },
        );
    }
    let outcomes = calls.join_all().await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
    let full = |it: &Result<_, _>| matches!(it, Err(IdentityError::TooManyAppPasswords { n: 40, .. }));
    assert_eq!(outcomes.iter().filter(|it| full(it)).count(), 7);
}

async fn what_would_open_nothing_is_not_made(it: TestStore) {
    let house = House::new(it).await;
    let past = Some(house.it.world.now());
    for (name, limits, want) in [
        ("x", AppPasswordLimits { allowed: Protocols::default(), ..mail() }, "at least one of smtp"),
        ("x", AppPasswordLimits { expires_at: past, ..mail() }, "already past"),
        ("", mail(), "the name is empty"),
        ("a\tb", mail(), "cannot be shown"),
    ] {
        let refused = house.make(name, limits).await.err().unwrap().to_string();
        assert!(refused.contains(want), "{refused}");
    }
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let new = NewAppPassword::new(&house.it.world, elsewhere, house.login.id, "x", mail());
    let refused = house.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await;
    assert!(matches!(refused, Err(IdentityError::NoSuchLogin(_))));
}

// AP-4: the full matrix protocol × network × expiry; deny by default.
async fn protocol_network_and_expiry_each_decide(it: TestStore) {
    let house = House::new(it).await;
    let now = house.it.world.now();
    let protocols = [Protocol::Smtp, Protocol::Imap, Protocol::Pop3, Protocol::Api];
    let networks: [(&[&str], &[&str]); 4] = [
        (&[], &[OFFICE, "198.51.100.1", "2001:db8::1"]),
        (&["192.0.2.0/24"], &[OFFICE, "::ffff:192.0.2.9"]),
        (&["192.0.2.7", "2001:db8::/32"], &[OFFICE, "2001:db8::1"]),
        (&["10.0.0.0/8"], &[]),
    ];
    let sources = [OFFICE, "::ffff:192.0.2.9", "198.51.100.1", "2001:db8::1"];
    let mut made = Vec::new();
    for allowed in protocols {
        for (blocks, inside) in networks {
            let expires_at = [None, Some(now + Duration::from_secs(60))];
            for expires_at in expires_at {
                let limits = AppPasswordLimits {
                    allowed: [allowed].into_iter().collect(),
                    networks: blocks.iter().map(|it| it.parse().unwrap()).collect(),
                    expires_at,
                    ..mail()
                };
                let it = house.make("cell", limits).await.unwrap();
                made.push((it, allowed, inside));
            }
        }
    }
    for is_late in [false, true] {
        if is_late {
            house.it.clock.advance(Duration::from_secs(60));
        }
        for (it, allowed, inside) in &made {
            for protocol in protocols {
                for source in sources {
                    let is_inside =
                        inside.contains(&source) || (inside.len() == 3 && source.starts_with("::ffff"));
                    let expired = is_late && it.limits.expires_at.is_some();
                    let want = match (expired, protocol == *allowed, is_inside) {
                        (true, _, _) => Err(RefusedBecause::Expired),
                        (_, false, _) => Err(RefusedBecause::Protocol),
                        (_, _, false) => Err(RefusedBecause::Network),
                        _ => Ok(()),
                    };
                    let text = it.text.grouped();
                    let got = house.verify_for(&it.user_name, text.reveal(), protocol, source).await;
                    let got = got.map(drop).map_err(|refusal| why(Err(refusal)));
                    assert_eq!(got, want, "{protocol} for {allowed} from {source}, late: {is_late}");
                }
            }
        }
    }
}

async fn a_removed_app_password_opens_nothing(it: TestStore) {
    let house = House::new(it).await;
    let (one, other) = (house.make("one", mail()).await.unwrap(), house.make("other", mail()).await.unwrap());
    house.sign_in(&one).await;
    house.identity.revoke_app_password(house.organisation, one.id, Actor::Command).await.unwrap();
    let refused = house.verify(&one.user_name, one.text.grouped().reveal(), OFFICE).await;
    assert_eq!(why(refused), RefusedBecause::Removed);
    house.sign_in(&other).await;
    // Once more changes nothing; the epoch rose once.
    house.identity.revoke_app_password(house.organisation, one.id, Actor::Command).await.unwrap();
    assert_eq!(house.identity.list_organisations().await.unwrap()[0].epoch, 1);
    assert_eq!(house.identity.list_app_passwords(house.organisation).await.unwrap().len(), 1);
    // Nobody removes what belongs to others.
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let refused = house.identity.revoke_app_password(elsewhere, other.id, Actor::Command).await;
    assert!(matches!(refused, Err(IdentityError::NoSuchAppPassword(_))));
    house.sign_in(&other).await;
}

async fn user_names_are_understood_in_any_case_and_hostile_ones_refused(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let text = made.text.grouped();
    for name in ["reception@example.org", "Reception@Example.ORG", "  reception@example.org \r\n"] {
        assert_eq!(house.verify(name, text.reveal(), OFFICE).await.unwrap().login, house.login.id);
    }
    let long = "a".repeat(100_000);
    for name in
        ["", "reception", "reception@example.org\0", "' OR 1=1 --", "reception@example.or_", "%", &long]
    {
        assert_eq!(why(house.verify(name, text.reveal(), OFFICE).await), RefusedBecause::UnknownUserName);
    }
    for entry in ["", "\0", "not sixteen", WRONG, &long] {
        assert_eq!(why(house.verify(&made.user_name, entry, OFFICE).await), RefusedBecause::WrongPassword);
    }
}

// AP-2: the login is inside the hash, and the database alone verifies nothing.
async fn letters_serve_one_login_and_one_installation(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let text = made.text.grouped();
    let second = house.identity.create_organisation("Second", Actor::Command).await.unwrap().id;
    let other = account_login(&house.identity, second, "billing@example.org").await;
    assert_eq!(
        why(house.verify(&other.user_name, text.reveal(), OFFICE).await),
        RefusedBecause::WrongPassword
    );
    // The same rows under the key of another installation.
    let folder = gatepost_testkit::fresh_folder();
    let database = Database::Sqlite { file: folder.path().join("other.sqlite") };
    let (elsewhere, _threads) = Store::open(database, World::real(), ROOMS).await.unwrap();
    let master = MasterKey::new(Key::from_bytes(&gatepost_testkit::MASTER_KEY));
    let keyring = Keyring::open(&elsewhere, master).await.unwrap();
    let (store, watch) = (house.it.store.clone(), house.watch.clone());
    let sign_ins = SignIns::open(store, keyring, house.last_uses.clone(), watch).await.unwrap();
    let attempt = Attempt {
        user_name: &made.user_name,
        password: &text,
        protocol: Protocol::Smtp,
        source: OFFICE.parse().unwrap(),
        tls: None,
        mechanism: None,
    };
    assert_eq!(why(sign_ins.verify(attempt).await), RefusedBecause::WrongPassword);
    house.sign_in(&made).await;
}

// ID-8, ID-9.
async fn many_wrong_tries_slow_their_source_and_no_other(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let wrong = |n: u8| format!("zzzz zzzz zzzz zzz{}", char::from(b'a' + n));
    // Unknown names and known ones, one door and another: all count alike.
    for n in 0..10 {
        let name = if n % 2 == 0 { "nobody@example.org" } else { "reception@example.org" };
        let protocol = if n % 3 == 0 { Protocol::Imap } else { Protocol::Smtp };
        why(house.verify_for(name, &wrong(n), protocol, OFFICE).await);
    }
    let slowed = house.verify(&made.user_name, made.text.grouped().reveal(), OFFICE).await;
    assert!(
        matches!(slowed, Err(SignInRefusal::Slowed { retry_after }) if retry_after == Duration::from_secs(60))
    );
    assert!(house.verify(&made.user_name, made.text.grouped().reveal(), "203.0.113.1").await.is_ok());
    house.it.clock.advance(Duration::from_secs(60));
    house.sign_in(&made).await;
    // From now on this source and login are checked, whatever else comes from there.
    for n in 10..20 {
        let _ = house.verify("nobody@example.org", &wrong(n), OFFICE).await;
    }
    assert!(matches!(
        house.verify("nobody@example.org", WRONG, OFFICE).await,
        Err(SignInRefusal::Slowed { .. })
    ));
    house.sign_in(&made).await;
}

async fn whoever_got_in_lately_is_checked_also_after_a_restart(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    house.sign_in(&made).await;
    house.last_uses.flush().await.unwrap();
    let (store, keyring) = (house.it.store.clone(), house.it.keyring.clone());
    let sign_ins = SignIns::open(store, keyring, house.last_uses.clone(), house.watch.clone()).await.unwrap();
    let house = House { sign_ins, ..house };
    for n in 0..10 {
        let entry = format!("zzzz zzzz zzzz zzz{}", char::from(b'a' + n));
        why(house.verify("nobody@example.org", &entry, OFFICE).await);
    }
    assert!(matches!(
        house.verify("nobody@example.org", WRONG, OFFICE).await,
        Err(SignInRefusal::Slowed { .. })
    ));
    house.sign_in(&made).await;
}

async fn uses_are_written_once_a_flush_and_never_backwards(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let last_use = async || house.identity.list_app_passwords(house.organisation).await.unwrap()[0].last_use;
    for _ in 0..100 {
        house.sign_in(&made).await;
    }
    assert_eq!(last_use().await, None);
    house.last_uses.flush().await.unwrap();
    let first = last_use().await.unwrap();
    assert_eq!((first.at, first.from), (house.it.world.now(), OFFICE.parse::<IpAddr>().unwrap()));

    house.it.clock.advance(Duration::from_secs(5));
    let text = made.text.grouped();
    house.verify_for(&made.user_name, text.reveal(), Protocol::Imap, "::ffff:198.51.100.1").await.unwrap();
    house.last_uses.flush().await.unwrap();
    let second = last_use().await.unwrap();
    assert_eq!((second.protocol, second.from.to_string()), (Protocol::Imap, "198.51.100.1".to_owned()));

    // Another node that writes late, or a clock that was set back.
    house.last_uses.record(house.organisation, made.id, first);
    house.last_uses.flush().await.unwrap();
    assert_eq!(last_use().await.unwrap(), second);
}

// AP-7: on every node; a node here is a watch of its own.
async fn a_removal_ends_its_sessions_and_no_others(it: TestStore) {
    let house = House::new(it).await;
    let (one, other) = (house.make("one", mail()).await.unwrap(), house.make("other", mail()).await.unwrap());
    let (here, there) = (house.watch.clone(), RevocationWatch::new(house.it.store.clone()));
    let signed_in = [house.sign_in(&one).await, house.sign_in(&one).await, house.sign_in(&other).await];
    let sessions: Vec<_> = signed_in.iter().flat_map(|it| [here.register(it), there.register(it)]).collect();
    for watch in [&here, &there] {
        watch.look().await.unwrap();
    }
    assert!(!sessions.iter().any(|it| it.is_ended()));
    house.identity.revoke_app_password(house.organisation, one.id, Actor::Command).await.unwrap();
    for watch in [&here, &there] {
        watch.look().await.unwrap();
    }
    assert!(sessions[..4].iter().all(|it| it.is_ended()));
    assert!(!sessions[4..].iter().any(|it| it.is_ended()));
    sessions[0].ended().await;
    // Retiring the whole login ends the rest.
    house.identity.retire_login(house.organisation, house.login.target, Actor::Command).await.unwrap();
    here.look().await.unwrap();
    assert!(sessions[4].is_ended() && !sessions[5].is_ended());
    there.look().await.unwrap();
    assert!(sessions[5].is_ended());
}

async fn a_removal_during_the_sign_in_ends_the_session(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let signed_in = house.sign_in(&made).await;
    house.identity.revoke_app_password(house.organisation, made.id, Actor::Command).await.unwrap();
    // The watch has seen the new epoch before it hears of the session.
    house.watch.look().await.unwrap();
    let session = house.watch.register(&signed_in);
    house.watch.look().await.unwrap();
    assert!(session.is_ended());
}

async fn expiry_ends_a_session(it: TestStore) {
    let house = House::new(it).await;
    let expires_at = Some(house.it.world.now() + Duration::from_secs(10));
    let made = house.make("one", AppPasswordLimits { expires_at, ..mail() }).await.unwrap();
    let session = house.watch.register(&house.sign_in(&made).await);
    house.it.clock.advance(Duration::from_millis(9_999));
    house.watch.look().await.unwrap();
    assert!(!session.is_ended());
    house.it.clock.advance(Duration::from_millis(1));
    house.watch.look().await.unwrap();
    assert!(session.is_ended());
}

async fn a_running_watch_ends_sessions_by_itself(it: TestStore) {
    let house = House::new(it).await;
    let made = house.make("one", mail()).await.unwrap();
    let session = house.watch.register(&house.sign_in(&made).await);
    let stop = CancellationToken::new();
    let running = tokio::spawn(house.watch.clone().run(stop.clone()));
    house.identity.revoke_app_password(house.organisation, made.id, Actor::Command).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), session.ended()).await.unwrap();
    stop.cancel();
    running.await.unwrap();
}

/// Knowledge older than a second is none, and nobody is let in on it.
#[tokio::test]
async fn a_node_that_cannot_look_refuses_for_now() {
    let house = House::new(gatepost_testkit::sqlite(ROOMS).await).await;
    let made = house.make("one", mail()).await.unwrap();
    let text = made.text.grouped();
    let attempt = || Attempt {
        user_name: &made.user_name,
        password: &text,
        protocol: Protocol::Smtp,
        source: OFFICE.parse().unwrap(),
        tls: None,
        mechanism: None,
    };
    assert!(!house.watch.is_fresh());
    assert_eq!(house.sign_ins.verify(attempt()).await.unwrap_err(), SignInRefusal::Unavailable);
    tokio::time::pause();
    house.watch.look().await.unwrap();
    assert!(house.watch.is_fresh());
    house.sign_ins.verify(attempt()).await.unwrap();
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(house.watch.is_fresh());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(!house.watch.is_fresh());
    assert_eq!(house.sign_ins.verify(attempt()).await.unwrap_err(), SignInRefusal::Unavailable);
}
