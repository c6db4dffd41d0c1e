//! Grants of OAuth services, against a service that rotates its refresh tokens.

mod service;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_providers::{OAuthClient, Overrule, Providers};
use gatepost_testkit::on_both_engines;

use super::*;
use crate::check::tests::house::{self, House};
use service::{Mood, Service};

on_both_engines!(
    ROOMS;
    a_token_that_is_over_is_refreshed_and_the_rotated_one_is_on_the_disk_first,
    what_came_before_a_rotated_token_is_gone_once_that_has_signed_in,
    fifty_who_need_a_token_refresh_once,
    a_refresh_that_was_asked_is_stored_however_its_caller_ends,
    two_nodes_refresh_once,
    a_refused_token_is_replaced_once,
    a_check_whose_token_is_refused_goes_on_with_a_new_one_and_shows_no_cross,
    a_check_whose_new_token_is_refused_as_well_shows_one_cross,
    a_permission_that_was_taken_back_parks_both_directions_and_is_not_asked_for_again,
    a_token_that_still_lives_unparks_no_grant_that_is_over,
    trouble_at_the_service_never_parks_and_never_looks_like_a_wrong_password,
    a_lost_answer_is_survived_where_the_token_before_still_works,
    the_token_before_goes_on_where_it_answers_without_another,
    a_lost_answer_is_named_where_it_does_not,
    a_refused_application_is_its_own_trouble_and_nobody_signs_in_again,
    an_application_is_stored_once_the_service_took_it_and_its_secret_goes_nowhere_else,
    an_application_of_another_id_leaves_grants_to_the_one_they_were_made_with,
    the_installations_application_serves_where_an_organisation_has_none,
    permissions_that_were_taken_back_are_named_and_the_rotated_token_is_kept,
    pop3_beside_imap_needs_no_permission_and_where_it_is_missing_that_is_said,
    a_grant_cannot_be_re_pointed_in_the_database,
    grants_that_are_due_are_refreshed_by_themselves_and_spread,
    signing_in_again_keeps_the_account_and_ends_the_old_grant,
);

mod rows {
    gatepost_store::statements! {
        /// Another service.
        POINT_ELSEWHERE = "UPDATE credential SET token_url = $2 WHERE mail_account_id = $1";
        /// Generations and whether each has worked.
        GENERATIONS = "SELECT generation, worked_at, refresh_began_at FROM credential WHERE mail_account_id = $1 AND retired_at IS NULL ORDER BY generation";
        /// When the next refresh is due.
        DUE = "SELECT refresh_at FROM credential WHERE mail_account_id = $1 AND retired_at IS NULL ORDER BY generation DESC";
    }
}

/// An account with the grant of a service that rotates.
struct Granted {
    it: TestStore,
    service: Service,
    providers: Arc<Providers>,
    accounts: Accounts,
    client: gatepost_core::OAuthClientId,
    organisation: OrganisationId,
    id: MailAccountId,
}

impl Granted {
    async fn new(it: TestStore) -> Self {
        let service = Service::start().await;
        let base = &service.base;
        let text = format!(
            "[praxis.oauth]\nauthorize = \"{base}/authorize\"\ntoken = \"{base}/token\"\n\
             scopes = {{ smtp = [\"send\"], imap = [\"read\"], pop3 = [\"fetch\"], lasting = [\"offline_access\"] }}\n\
             scope_words = {{ send = \"Send mail\", read = \"Read mail\" }}\n"
        );
        let table = text.parse::<toml::Table>().unwrap();
        let overruled = table.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
        let overrule =
            Overrule { providers: overruled, allows_private_addresses: true, ..Overrule::default() };
        let providers = Providers::with(&overrule).unwrap();
        let accounts = node(&it, &providers);
        let organisation = it.organisation;
        let application = |secret: &str| NewApplication {
            service: "praxis".into(),
            client_id: "client-1".into(),
            secret: Some(SecretText::new(secret.into())),
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: false,
            is_proven: true,
        };
        let client = accounts
            .put_application(Some(organisation), application("hunter2"), organisation, Actor::Command)
            .await
            .unwrap();
        let new = NewAccount {
            provider: "praxis".into(),
            endpoints: Endpoints { imap: Some(starttls("imap.example.org")), ..servers("smtp.example.org") },
            secret: grant(&service, client),
            ..reception(organisation)
        };
        let id = accounts.add(new).await.unwrap().id;
        Self { it, service, providers, accounts, client, organisation, id }
    }

    /// The access token to sign in with at this moment.
    async fn token(&self) -> Result<String, NotUsable> {
        token_of(&self.accounts, self.organisation, self.id).await
    }

    fn advance(&self, span: Duration) {
        self.it.clock.advance(span);
    }

    async fn status(&self) -> AccountStatus {
        self.accounts.status(self.organisation, self.id).await.unwrap()
    }

    /// Generation, whether it is known to have worked, whether a refresh of it was never answered.
    async fn generations(&self) -> Vec<(i64, bool, bool)> {
        let id = self.id;
        let rows = self.it.store.read(move |tx| tx.rows(&rows::GENERATIONS, &[id.into()])).await.unwrap();
        let is_there = |row: &gatepost_store::Row, n| row.get::<Option<Timestamp>>(n).unwrap().is_some();
        rows.iter().map(|row| (row.get(0).unwrap(), is_there(row, 1), is_there(row, 2))).collect()
    }

    async fn due_at(&self) -> Option<Timestamp> {
        let id = self.id;
        let rows = self.it.store.read(move |tx| tx.rows(&rows::DUE, &[id.into()])).await.unwrap();
        rows[0].get(0).unwrap()
    }
}

/// A process of its own on the same database.
fn node(it: &TestStore, providers: &Arc<Providers>) -> Accounts {
    let accounts = Accounts::new(&it.store, &it.keyring, Arc::clone(providers));
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let dialer = Dialer::new(Resolver::system(), Arc::new(guard));
    let tls = ClientTls::new(&[], &it.world).unwrap();
    accounts.reach_services(OAuthClient::new(dialer, tls, it.world.clone()));
    accounts
}

fn grant(service: &Service, client: gatepost_core::OAuthClientId) -> NewSecret {
    NewSecret::Grant(Box::new(NewGrant {
        client,
        token_url: format!("{}/token", service.base),
        refresh_token: SecretText::new("refresh-0".into()),
        access_token: SecretText::new("access-0".into()),
        lifetime: Duration::from_hours(1),
        scopes: None,
        subject: Some(("https://sso.praxis.example".into(), "7".into())),
    }))
}

async fn token_of(
    accounts: &Accounts,
    organisation: OrganisationId,
    id: MailAccountId,
) -> Result<String, NotUsable> {
    let account = accounts.signing_in(organisation, id).await?;
    assert_eq!(account.kind, CredentialKind::OAuth);
    Ok(account.secret.unwrap().reveal().to_owned())
}

const HOUR: Duration = Duration::from_hours(1);

async fn a_token_that_is_over_is_refreshed_and_the_rotated_one_is_on_the_disk_first(it: TestStore) {
    let it = Granted::new(it).await;
    assert_eq!(it.token().await.unwrap(), "access-0");
    assert_eq!(it.service.n_refreshes(), 0, "a living token is used as it is");
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-1");
    // The one that it came from is kept until the new one has worked.
    assert_eq!(it.generations().await, [(1, false, false), (2, false, false)]);
    // A process that has just started finds it.
    assert_eq!(token_of(&node(&it.it, &it.providers), it.organisation, it.id).await.unwrap(), "access-1");
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-2");
    assert_eq!(it.generations().await, [(2, false, false), (3, false, false)], "two at most");
    it.service.feels(Mood::Keeps);
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-3");
    assert_eq!(it.generations().await.last().unwrap().0, 3, "a service that does not rotate keeps its row");
    assert!(it.accounts.sending(it.organisation, it.id).await.is_ok());
}

/// OC-6. Also where the account is connected and stays so: nothing of it changes but that.
async fn what_came_before_a_rotated_token_is_gone_once_that_has_signed_in(it: TestStore) {
    let it = Granted::new(it).await;
    let (organisation, id) = (it.organisation, it.id);
    for (generation, direction, what) in [
        (2, Direction::Sending, What::Succeeded),
        (3, Direction::Sending, What::LetterSent),
        (4, Direction::Reading, What::Opened),
    ] {
        it.advance(HOUR);
        let account = it.accounts.signing_in(organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
        let (before, present) = (generation - 1, (generation, false, false));
        assert_eq!(it.generations().await, [(before, generation > 2, false), present], "{what:?}");
        let event =
            |what: &What| Event { used: account.used, began_at: it.it.world.now(), what: what.clone() };
        // One that was not even signed in with proves nothing.
        let late = Event { used: Used { serial: account.used.serial - 1, ..account.used }, ..event(&what) };
        it.accounts.report(organisation, id, direction, late).await.unwrap();
        assert_eq!(it.generations().await.len(), 2, "{what:?}");
        it.accounts.report(organisation, id, direction, event(&what)).await.unwrap();
        assert_eq!(it.generations().await, [(generation, true, false)], "{what:?}");
    }
    // What is dead then is asked about once.
    let asked = it.service.n_asked();
    it.service.revoke();
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    assert_eq!(it.service.n_asked(), asked + 1);
}

async fn fifty_who_need_a_token_refresh_once(it: TestStore) {
    let it = Arc::new(Granted::new(it).await);
    it.advance(HOUR);
    let all: Vec<_> = (0..50)
        .map(|_| {
            let it = Arc::clone(&it);
            tokio::spawn(async move { it.token().await.unwrap() })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), "access-1");
    }
    assert_eq!(it.service.n_refreshes(), 1);
}

/// OC-6. A page that was closed, a probe that was stopped: whoever wanted the token waits for it no more.
async fn a_refresh_that_was_asked_is_stored_however_its_caller_ends(it: TestStore) {
    let it = Granted::new(it).await;
    it.advance(HOUR);
    let (done, go) = it.service.hold_the_next_answer();
    let (accounts, organisation, id) = (it.accounts.clone(), it.organisation, it.id);
    let caller = tokio::spawn(async move { token_of(&accounts, organisation, id).await });
    done.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    it.accounts.ended().await;
    assert_eq!(it.generations().await, [(1, false, false), (2, false, false)], "the rotated token is kept");
    assert_eq!(it.token().await.unwrap(), "access-1");
    assert_eq!(it.service.n_refreshes(), 1);
}

async fn two_nodes_refresh_once(it: TestStore) {
    let it = Granted::new(it).await;
    let other = node(&it.it, &it.providers);
    it.advance(HOUR);
    let (here, there) = tokio::join!(it.token(), token_of(&other, it.organisation, it.id));
    assert_eq!((here.unwrap(), there.unwrap()), ("access-1".to_owned(), "access-1".to_owned()));
    assert_eq!(it.service.n_refreshes(), 1);
}

/// SC-8.
async fn a_refused_token_is_replaced_once(it: TestStore) {
    let it = Granted::new(it).await;
    let account = it.accounts.signing_in(it.organisation, it.id).await.unwrap_or_else(|why| panic!("{why}"));
    let refused_by = account.used;
    let anew = it.accounts.signing_in_anew(it.organisation, it.id, refused_by).await;
    let anew = anew.unwrap_or_else(|why| panic!("{why}")).unwrap();
    assert_eq!(anew.secret.unwrap().reveal(), "access-1");
    // Somebody who was refused with the older one as well gets the one that is there.
    let again = it.accounts.signing_in_anew(it.organisation, it.id, refused_by).await;
    assert_eq!(again.unwrap_or_else(|why| panic!("{why}")).unwrap().used, anew.used);
    assert_eq!(it.service.n_refreshes(), 1);
    // A late refusal of the older token says nothing; one of the new token does.
    let event = |used| Event { used, began_at: it.it.world.now(), what: refused() };
    it.accounts.report(it.organisation, it.id, Direction::Sending, event(refused_by)).await.unwrap();
    assert_eq!(it.status().await.status, StatusName::Unchecked);
    it.accounts.report(it.organisation, it.id, Direction::Sending, event(anew.used)).await.unwrap();
    assert_eq!(it.status().await.status, StatusName::NeedsSignIn);
}

async fn a_check_whose_token_is_refused_goes_on_with_a_new_one_and_shows_no_cross(it: TestStore) {
    check_refusing(it, 1, StatusName::Connected, &["resolve", "connect", "greet", "sign_in", "may_send"])
        .await;
}

async fn a_check_whose_new_token_is_refused_as_well_shows_one_cross(it: TestStore) {
    check_refusing(it, 2, StatusName::NeedsSignIn, &["resolve", "connect", "greet", "sign_in"]).await;
}

/// Checks an account at a server that refuses so many sign-ins: each step is shown once, and one token is asked for.
async fn check_refusing(it: TestStore, n_refused: u32, want: StatusName, steps: &[&str]) {
    let it = Granted::new(it).await;
    let house = House::new(|it| it.n_refused_sign_ins = n_refused);
    let smtp = Endpoint { host: "127.0.0.1".into(), port: house.door(None).await, tls: TlsMode::None };
    let endpoints = Endpoints { smtp, imap: None, pop3: None };
    it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
    let secret = grant(&it.service, it.client);
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    it.advance(Duration::from_secs(1));
    let reach = house::reach(&it.it.world, Duration::from_secs(60));
    let (progress, watched) = tokio::sync::watch::channel(Progress::default());
    let proof = Proof::Letter { asked_by: "Ana Ortiz".into() };
    let errand = Errand { reach: &reach, proof: &proof, progress: &progress };
    let checked = it.accounts.check(it.organisation, it.id, errand).await;
    let checked = checked.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        (checked.is_passed(), checked.change.after),
        (want == StatusName::Connected, want),
        "{checked:?}"
    );
    let shown: Vec<_> = watched.borrow().taken.iter().map(|it| it.step.word()).collect();
    assert_eq!(shown, steps);
    assert_eq!(it.service.n_refreshes(), 1);
}

async fn a_permission_that_was_taken_back_parks_both_directions_and_is_not_asked_for_again(it: TestStore) {
    let it = Granted::new(it).await;
    it.service.revoke();
    it.advance(HOUR);
    let (log, _listening) = super::told::Log::listen();
    assert!(matches!(it.token().await, Err(NotUsable::NoToken { .. })));
    let warnings: Vec<String> = log.lines().into_iter().filter(|it| it.contains(" WARN ")).collect();
    assert!(warnings[0].contains("direction=\"sending\" status=\"needs_sign_in\""), "{warnings:?}");
    assert!(warnings[1].contains("direction=\"reading\" status=\"needs_sign_in\""), "{warnings:?}");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let status = it.status().await;
    assert_eq!(
        (status.sending.status, status.reading.status),
        (StatusName::NeedsSignIn, StatusName::NeedsSignIn)
    );
    assert!(status.sending.reply.is_some(), "the service's own words stand beside it");
    assert!(it.accounts.is_held(it.id));
    let asked = it.service.n_asked();
    it.advance(Duration::from_hours(1_000));
    for direction in [Direction::Sending, Direction::Reading] {
        let due = it.accounts.due_probes(it.it.world.now(), direction).await.unwrap();
        assert_eq!(due, [], "a dead grant is not probed for {}", direction.word());
    }
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 0);
    assert!(it.token().await.is_err());
    assert_eq!(it.service.n_asked(), asked, "and nobody asks with it again");
    assert!(!log.lines().iter().any(|it| it.contains(" WARN ")), "told once");
}

/// The refresh comes before the token is over: what it lets in for a while says nothing about the grant.
async fn a_token_that_still_lives_unparks_no_grant_that_is_over(it: TestStore) {
    let it = Granted::new(it).await;
    it.service.revoke();
    it.advance(Duration::from_mins(49));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    assert_eq!(it.status().await.status, StatusName::NeedsSignIn);
    let asked = it.service.n_asked();
    it.advance(Duration::from_secs(1));
    let account = it.accounts.signing_in(it.organisation, it.id).await.unwrap_or_else(|why| panic!("{why}"));
    let event = Event { used: account.used, began_at: it.it.world.now(), what: What::Succeeded };
    let change = it.accounts.report(it.organisation, it.id, Direction::Sending, event).await.unwrap();
    assert_eq!((change.after, change.released), (StatusName::NeedsSignIn, false));
    // Nor does another name to sign in with.
    let settings = it.accounts.get(it.organisation, it.id).await.unwrap().settings();
    let settings = Settings { user_name: "office@example.org".into(), ..settings };
    it.accounts.edit(it.organisation, it.id, settings, Actor::Command).await.unwrap();
    assert!(it.accounts.is_held(it.id));
    it.advance(HOUR);
    assert!(
        matches!(it.token().await, Err(NotUsable::NoToken { .. })),
        "the cause is named, no password is missed"
    );
    assert_eq!(it.service.n_asked(), asked);
}

/// OC-7.
async fn trouble_at_the_service_never_parks_and_never_looks_like_a_wrong_password(it: TestStore) {
    let it = Granted::new(it).await;
    for (status, body) in [
        (500, "<html>"),
        (503, r#"{"error":"invalid_grant"}"#),
        (429, r#"{"error":"slow_down"}"#),
        (200, "not JSON"),
        (400, r#"{"error":"we_are_not_sure"}"#),
    ] {
        it.service.feels(Mood::Says(status, body));
        it.advance(HOUR);
        assert!(matches!(it.token().await, Err(NotUsable::NoToken { .. })), "{status} {body}");
        let shown = it.status().await;
        assert_eq!(shown.status, StatusName::Failing, "{status} {body}");
        assert!(!it.accounts.is_held(it.id), "letters are tried again by themselves");
    }
    assert!(it.due_at().await.unwrap() <= it.it.world.now() + HOUR, "an hour at most");
    it.service.feels(Mood::Rotates);
    assert_eq!(it.token().await.unwrap(), "access-1");
}

/// Killed between the question and the answer, or cut off: the service has rotated, and its answer never came.
async fn a_lost_answer_is_survived_where_the_token_before_still_works(it: TestStore) {
    let it = Granted::new(it).await;
    it.service.feels(Mood::LosesItsAnswer);
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    assert_eq!(it.generations().await, [(1, false, true)], "the mark tells of it");
    it.service.feels(Mood::Rotates);
    // Whoever comes next may be another process; it waits until nobody can be asking any more.
    it.advance(Duration::from_mins(1));
    let next = node(&it.it, &it.providers);
    assert_eq!(token_of(&next, it.organisation, it.id).await.unwrap(), "access-2");
    assert_eq!(it.generations().await.last().unwrap(), &(2, false, false));
}

/// OC-6.
async fn the_token_before_goes_on_where_it_answers_without_another(it: TestStore) {
    let it = Granted::new(it).await;
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-1");
    it.service.forget_the_newest();
    it.service.feels(Mood::Keeps);
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-2");
    assert_eq!(it.generations().await, [(2, false, false), (3, false, false)]);
    let n_asked = it.service.n_asked();
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-3");
    assert!(it.service.asked().contains("refresh_token=refresh-0"), "{}", it.service.asked());
    assert_eq!(it.service.n_asked(), n_asked + 1, "nobody asks with what is gone");
}

async fn a_lost_answer_is_named_where_it_does_not(it: TestStore) {
    let it = Granted::new(it).await;
    it.service.is_strict();
    it.service.feels(Mood::LosesItsAnswer);
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    it.service.feels(Mood::Rotates);
    it.advance(Duration::from_mins(1));
    let failed = it.token().await.err().unwrap();
    assert!(
        matches!(&failed, NotUsable::NoToken { diagnosis } if diagnosis.rule == "grant-answer-lost"),
        "{failed}"
    );
    assert_eq!(it.status().await.sending.diagnosis.unwrap().rule, "grant-answer-lost");
    let asked = it.service.n_asked();
    it.advance(Duration::from_hours(100));
    assert!(it.token().await.is_err());
    assert_eq!(it.service.n_asked(), asked, "no loop");
}

async fn a_refused_application_is_its_own_trouble_and_nobody_signs_in_again(it: TestStore) {
    let it = Granted::new(it).await;
    it.service.feels(Mood::Says(401, r#"{"error":"invalid_client"}"#));
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    assert_eq!(it.status().await.status, StatusName::Failing, "the permission itself is not over");
    let application = it.accounts.applications(it.organisation).await.unwrap().remove(0);
    assert!(application.trouble.is_some());
    let chief = Watcher { person: gatepost_core::PersonId::new(&it.it.world), rules: true };
    let told = it.accounts.troubles_for(it.organisation, chief).await.unwrap();
    assert_eq!(told.iter().map(|it| it.kind).collect::<Vec<_>>(), [TroubleKind::Application]);
    it.service.feels(Mood::Rotates);
    let new = NewApplication {
        service: "praxis".into(),
        client_id: "client-1".into(),
        secret: Some(SecretText::new("a new secret".replace(' ', "-"))),
        tenant: None,
        kind: ApplicationKind::Web,
        is_verified: false,
        is_proven: true,
    };
    let put = it.accounts.put_application(Some(it.organisation), new, it.organisation, Actor::Command).await;
    assert_eq!(put.unwrap(), it.client, "grants made with it go on");
    assert!(it.accounts.applications(it.organisation).await.unwrap()[0].trouble.is_none());
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1, "it is due at once");
    assert_eq!(it.token().await.unwrap(), "access-1");
    assert_eq!(it.accounts.troubles_for(it.organisation, chief).await.unwrap(), []);
}

/// What somebody types.
fn typed(client_id: &str, secret: Option<&str>) -> NewApplication {
    NewApplication {
        service: "praxis".into(),
        client_id: client_id.into(),
        secret: secret.map(|it| SecretText::new(it.into())),
        tenant: None,
        kind: ApplicationKind::Web,
        is_verified: false,
        is_proven: false,
    }
}

const CODE_REFUSED: Mood = Mood::Says(400, r#"{"error":"invalid_grant"}"#);
const APPLICATION_REFUSED: Mood = Mood::Says(401, r#"{"error":"invalid_client"}"#);

async fn an_application_is_stored_once_the_service_took_it_and_its_secret_goes_nowhere_else(it: TestStore) {
    let it = Granted::new(it).await;
    let public_url = Some("https://gatepost.example.org");
    let own = async || it.accounts.applications(it.organisation).await.unwrap().remove(0);
    let register = async |new: NewApplication| {
        let (owner, by) = (Some(it.organisation), Actor::Command);
        it.accounts.register_application(owner, new, public_url, it.organisation, by).await
    };
    let before = own().await;
    it.service.feels(APPLICATION_REFUSED);
    let refused = register(typed("client-1", Some("wrong-secret"))).await.unwrap_err();
    let NotRegistered::Refused { diagnosis, words } = &refused else { panic!("{refused}") };
    assert!(!diagnosis.cause.is_empty() && !words.contains("wrong-secret"), "{refused}");
    assert!(it.service.asked().contains("wrong-secret"));
    assert_eq!(own().await, before, "nothing was stored");
    it.service.feels(Mood::Says(503, "{}"));
    assert!(register(typed("client-1", Some("wrong-secret"))).await.is_err());
    assert_eq!(own().await, before, "who could not ask knows nothing");
    // Without a secret, the one that is there is proven again for the same id, and sent for no other.
    it.service.feels(CODE_REFUSED);
    let id = register(NewApplication { is_verified: true, ..typed("client-1", None) }).await.unwrap();
    assert!(it.service.asked().contains("hunter2"));
    assert!(id == it.client && own().await.is_verified && own().await.has_secret);
    let n_asked = it.service.n_asked();
    for new in [
        typed("client-2", None),
        NewApplication { tenant: Some("elsewhere".into()), ..typed("client-1", None) },
    ] {
        let refused = register(new).await.unwrap_err();
        assert!(
            matches!(refused, NotRegistered::Accounts(AccountsError::Invalid(Invalid::SecretAgain))),
            "{refused}"
        );
    }
    let unknown = register(NewApplication { service: "nowhere".into(), ..typed("client-1", None) }).await;
    assert!(matches!(
        unknown.unwrap_err(),
        NotRegistered::Accounts(AccountsError::Invalid(Invalid::Service(..)))
    ));
    assert_eq!(it.service.n_asked(), n_asked, "nobody was asked");
    assert_eq!(it.accounts.connected_with(it.organisation, id).await.unwrap()[0].id, it.id);
    assert_eq!(it.accounts.connected_with(OrganisationId::new(&it.it.world), id).await.unwrap(), []);
}

async fn an_application_of_another_id_leaves_grants_to_the_one_they_were_made_with(it: TestStore) {
    let it = Granted::new(it).await;
    let new = typed("client-2", Some("another-secret"));
    let put = it.accounts.put_application(Some(it.organisation), new, it.organisation, Actor::Command).await;
    let other = put.unwrap();
    assert_ne!(other, it.client);
    let all = it.accounts.applications(it.organisation).await.unwrap();
    assert_eq!(all.iter().map(|it| it.id).collect::<Vec<_>>(), [other], "one of each service is offered");
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-1", "the grant is refreshed");
    let asked = it.service.asked();
    assert!(asked.contains("client-1") && !asked.contains("client-2"), "{asked}");
    // Removing ends no grant either, and is done once.
    for is_there in [true, false] {
        let removed =
            it.accounts.remove_application(Some(it.organisation), other, it.organisation, Actor::Command);
        assert_eq!(removed.await.unwrap(), is_there);
    }
    it.advance(HOUR);
    assert_eq!(it.token().await.unwrap(), "access-2");
    // Entered once more it is the same again, with its grants.
    let again = typed("client-1", Some("hunter3"));
    let put =
        it.accounts.put_application(Some(it.organisation), again, it.organisation, Actor::Command).await;
    assert_eq!(put.unwrap(), it.client);
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    assert!(it.service.asked().contains("hunter3"));
}

async fn the_installations_application_serves_where_an_organisation_has_none(it: TestStore) {
    let it = Granted::new(it).await;
    let (here, by) = (it.organisation, Actor::Command);
    let put = it.accounts.put_application(None, typed("client-of-all", Some("s")), here, by).await;
    let of_all = put.unwrap();
    let serves = async || it.accounts.applications(here).await.unwrap().into_iter().map(|it| it.id).next();
    assert_eq!(serves().await, Some(it.client), "its own stands in front");
    // It is nobody's to remove but the installation's.
    assert!(!it.accounts.remove_application(Some(here), of_all, here, by).await.unwrap());
    assert!(it.accounts.remove_application(Some(here), it.client, here, by).await.unwrap());
    assert_eq!(serves().await, Some(of_all));
    assert_eq!(it.accounts.applications_of_installation().await.unwrap()[0].id, of_all);
    assert!(it.accounts.remove_application(None, of_all, here, by).await.unwrap());
    assert_eq!(serves().await, None);
}

async fn permissions_that_were_taken_back_are_named_and_the_rotated_token_is_kept(it: TestStore) {
    let it = Granted::new(it).await;
    let narrow = r#"{"access_token":"narrow","refresh_token":"refresh-9","expires_in":3600,"scope":"read"}"#;
    it.service.feels(Mood::Says(200, narrow));
    it.advance(HOUR);
    let failed = it.token().await.err().unwrap();
    assert!(
        matches!(&failed, NotUsable::NoToken { diagnosis } if diagnosis.rule == "oauth-scopes-missing"),
        "{failed}"
    );
    assert_eq!(it.generations().await.last().unwrap().0, 2);
    assert_eq!(it.status().await.status, StatusName::NeedsSignIn);
}

/// E1.
async fn pop3_beside_imap_needs_no_permission_and_where_it_is_missing_that_is_said(it: TestStore) {
    let it = Granted::new(it).await;
    let at = |port| Some(Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None });
    let (imap, pop3) = (at(gatepost_testkit::free_port()), at(gatepost_testkit::free_port()));
    let endpoints = Endpoints { imap, pop3, ..servers("smtp.example.org") };
    it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
    let reach = house::reach(&it.it.world, Duration::from_secs(60));
    for (scopes, words) in [
        ("send read", "cannot be read by POP3: that permission was not given at its provider. Use IMAP, or"),
        ("send read fetch", "cannot be read by POP3: The server exists, but nothing there"),
    ] {
        let NewSecret::Grant(mut secret) = grant(&it.service, it.client) else { unreachable!() };
        secret.scopes = Some(scopes.split(' ').map(str::to_owned).collect());
        let secret = NewSecret::Grant(secret);
        it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
        it.advance(HOUR);
        assert!(it.token().await.unwrap().starts_with("access-"), "a refresh misses nothing: {scopes}");
        let (target, protocol) = (Target::Account(it.id), ReadingProtocol::Pop3);
        // A process of its own, which remembers no refusal.
        let accounts = node(&it.it, &it.providers);
        let readable = accounts.readable(it.organisation, target, protocol).await.unwrap();
        let opened = accounts.open_mailbox(it.organisation, &readable, protocol, &reach).await;
        let refused = opened.map(drop).unwrap_err().to_string();
        assert!(refused.contains(words), "{scopes}: {refused}");
        assert_eq!(it.status().await.status, StatusName::Unchecked, "{scopes}");
    }
}

/// OC-9: neither to another token address nor to another server.
async fn a_grant_cannot_be_re_pointed_in_the_database(it: TestStore) {
    let it = Granted::new(it).await;
    let evil = Service::start().await;
    let (id, url) = (it.id, format!("{}/token", evil.base));
    let values = vec![id.into(), url.into()];
    it.it.store.write(move |tx| tx.execute(&rows::POINT_ELSEWHERE, &values)).await.unwrap();
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    assert_eq!((evil.n_asked(), it.service.n_asked()), (0, 0), "nothing was sent to anybody");

    let elsewhere = Granted::new(gatepost_testkit::sqlite(ROOMS).await).await;
    let (id, host) = (elsewhere.id, "smtp.evil.example");
    let write = move |tx: &mut gatepost_store::Transaction<'_>| {
        tx.execute(&tampering::POINT_ELSEWHERE, &[id.into(), host.into()])
    };
    elsewhere.it.store.write(write).await.unwrap();
    assert!(matches!(elsewhere.token().await, Err(NotUsable::NoSecret)));
    elsewhere.advance(HOUR);
    assert!(elsewhere.token().await.is_err());
    assert_eq!(elsewhere.service.n_asked(), 0, "no token is made for another server");
}

async fn grants_that_are_due_are_refreshed_by_themselves_and_spread(it: TestStore) {
    let it = Granted::new(it).await;
    let made_at = it.it.world.now();
    let due_at = it.due_at().await.unwrap();
    assert!((made_at + HOUR.mul_f64(0.7)..=made_at + HOUR.mul_f64(0.8)).contains(&due_at));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 0);
    it.advance(HOUR.mul_f64(0.8));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    assert_eq!(it.service.n_refreshes(), 1);
    // Nobody has used it for a day: once a day is enough to keep it alive, and to find out that it is dead.
    it.advance(Duration::from_hours(25));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
    let (now, due_at) = (it.it.world.now(), it.due_at().await.unwrap());
    assert!((now + HOUR * 18..=now + HOUR * 24).contains(&due_at));
    // A clock that was ahead has set it far away.
    it.it.clock.set(now - Duration::from_hours(1_000));
    assert_eq!(it.accounts.refresh_due(8).await.unwrap(), 1);
}

/// C15.
async fn signing_in_again_keeps_the_account_and_ends_the_old_grant(it: TestStore) {
    let it = Granted::new(it).await;
    let before = it.accounts.signing_in(it.organisation, it.id).await.unwrap_or_else(|why| panic!("{why}"));
    it.service.revoke();
    it.advance(HOUR);
    assert!(it.token().await.is_err());
    let again = grant(&it.service, it.client);
    let change = it.accounts.replace_secret(it.organisation, it.id, again, Actor::Command).await.unwrap();
    assert!(change.released);
    assert_eq!(it.token().await.unwrap(), "access-0");
    assert_eq!(it.generations().await, [(1, false, false)]);
    // What the old grant's connections tell changes nothing.
    let event = Event { used: before.used, began_at: it.it.world.now(), what: refused() };
    it.accounts.report(it.organisation, it.id, Direction::Sending, event).await.unwrap();
    assert_eq!(it.status().await.status, StatusName::Unchecked);
}
