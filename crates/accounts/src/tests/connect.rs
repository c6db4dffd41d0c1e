//! Connecting mailboxes, against a page to sign in at and a mailbox's server.

mod mailbox;
mod page;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{DraftId, PersonId, SessionId};
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_providers::{Callback, Method, OAuthClient, Overrule, Providers};
use gatepost_testkit::on_both_engines;

use super::*;
use mailbox::Mailbox;
use page::Page;

on_both_engines!(
    ROOMS;
    a_mailbox_is_connected_by_signing_in,
    a_mailbox_is_connected_by_an_app_password,
    somebody_else_is_refused_naming_both_and_nothing_changes,
    a_token_is_taken_back_only_where_nobody_else_needs_it,
    what_a_draft_needs_no_more_is_taken_back,
    what_an_account_needs_no_more_is_taken_back,
    the_same_mailbox_under_another_address_is_accepted_for_that_person_alone,
    permissions_that_were_not_given_are_named,
    a_service_that_is_down_while_connecting_changes_nothing,
    an_answer_is_taken_once_in_time_and_by_whoever_began,
    an_answer_of_another_service_spends_nothing,
    an_answer_that_is_pasted_must_be_whole,
    whoever_waits_for_a_sign_in_sees_when_it_began_and_whether_it_is_over,
    what_an_older_check_brings_changes_nothing,
    a_mailbox_that_cannot_send_becomes_no_account,
    what_was_proven_long_ago_is_proven_again,
    signing_in_again_keeps_the_account_and_releases_what_waited,
    signing_in_again_that_does_not_work_keeps_what_there_was,
    a_network_fault_while_signing_in_again_drops_nothing,
    two_who_sign_in_again_at_once_do_it_once,
    an_account_that_was_changed_takes_nothing_from_whoever_had_begun,
    an_account_that_was_renamed_is_signed_in_to_all_the_same,
    nobody_begins_more_than_anybody_works_on,
    other_servers_are_taken_over_with_the_secret_that_works_there,
    a_draft_belongs_to_whoever_began_it_and_is_over_after_a_day,
    a_found_server_gets_no_password_before_it_was_confirmed,
    a_draft_cannot_be_re_pointed_in_the_database,
    a_token_that_is_over_is_replaced_on_the_disk_before_the_check,
    one_mailbox_in_two_organisations_is_two_accounts,
);

mod rows {
    gatepost_store::statements! {
        /// Another server, behind the room's back.
        REPOINT = "UPDATE draft SET details = $2 WHERE id = $1";
        /// What is kept of it.
        DETAILS = "SELECT details, secret_sealed FROM draft WHERE id = $1";
        /// What was to be read nowhere.
        ALL_TEXTS = "SELECT details, refused, steps FROM draft";
    }
}

/// A room with a provider of the configuration, its page, and one mailbox's server.
struct Desk {
    it: TestStore,
    page: Page,
    mailbox: Mailbox,
    accounts: Accounts,
    whose: Whose,
    reach: Reach,
}

const PORTAL: Option<&str> = Some("https://gatepost.example");

impl Desk {
    async fn new(it: TestStore) -> Self {
        let (page, mailbox) = (Page::start().await, Mailbox::start().await);
        let base = &page.base;
        let text = format!(
            "[praxis]\nname = \"Praxis\"\nmethods = [{{ method = \"sign_in\", place = \"first\", when = \"client\" }}, \
             {{ method = \"password\", place = \"first\" }}]\n\
             [praxis.oauth]\nauthorize = \"{base}/authorize\"\ntoken = \"{base}/token\"\nrevoke = \"{base}/revoke\"\n\
             userinfo = \"{base}/userinfo\"\nlogin_hint = true\nissuers = [\"https://praxis.example\"]\n\
             scopes = {{ smtp = [\"send\"], imap = [\"read\"], lasting = [\"offline_access\"] }}\n\
             scope_words = {{ send = \"Send mail\", read = \"Read mail\" }}\n"
        );
        let table = text.parse::<toml::Table>().unwrap();
        let providers = table.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
        let overrule = Overrule { providers, allows_private_addresses: true, ..Overrule::default() };
        let providers = Providers::with(&overrule).unwrap();
        let accounts = Accounts::new(&it.store, &it.keyring, providers);
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let dialer = Dialer::new(Resolver::system(), Arc::new(guard));
        let tls = ClientTls::new(&[], &it.world).unwrap();
        accounts.reach_services(OAuthClient::new(dialer.clone(), tls.clone(), it.world.clone()));
        let own_name = "gatepost.example".parse().unwrap();
        let reach = Reach { dialer, tls, own_name, arrival: Arrival::default() };
        let whose = Whose { organisation: it.organisation, person: None };
        let desk = Self { it, page, mailbox, accounts, whose, reach };
        desk.register(desk.whose.organisation).await;
        desk
    }

    async fn register(&self, organisation: OrganisationId) {
        let new = NewApplication {
            service: "praxis".into(),
            client_id: "client-1".into(),
            secret: None,
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: false,
            is_proven: true,
        };
        self.accounts.put_application(Some(organisation), new, organisation, Actor::Command).await.unwrap();
    }

    fn connecting(&self) -> Connecting {
        self.accounts.connecting(self.whose)
    }

    fn details(&self, address: &str) -> Details {
        let smtp = Endpoint { host: "127.0.0.1".into(), port: self.mailbox.port, tls: TlsMode::None };
        Details {
            address: super::address(address),
            provider: "praxis".into(),
            found_at: None,
            method: None,
            user_name: address.into(),
            opens: None,
            endpoints: Some(Endpoints { smtp, imap: None, pop3: None }),
            short_name: "Reception".into(),
            author_name: "Practice Example".into(),
            author_address: None,
            serves: Serves::Organisation,
            is_default: false,
            same_as: None,
        }
    }

    async fn begun(&self) -> Draft {
        self.connecting().begin(self.details("reception@example.org")).await.unwrap()
    }

    /// Goes to the page; what comes back is the state.
    async fn goes(&self, draft: &Draft) -> String {
        let begun = self
            .connecting()
            .begin_sign_in(draft.id, draft.revision, FlowOrigin::Command, PORTAL)
            .await
            .unwrap_or_else(|why| panic!("{why}"));
        parameter(&begun.url, "state")
    }

    /// All of a sign-in.
    async fn signs_in(&self, draft: &Draft, code: &str) -> Draft {
        let state = self.goes(draft).await;
        self.answer(&state, code).await.unwrap_or_else(|why| panic!("{why}"))
    }

    async fn answer(&self, state: &str, code: &str) -> Result<Draft, ConnectError> {
        self.connecting().answer(callback(state, code)).await
    }

    async fn checks(&self, draft: &Draft) -> Proven {
        self.try_check(draft).await.unwrap_or_else(|why| panic!("{why}"))
    }

    async fn try_check(&self, draft: &Draft) -> Result<Proven, ConnectError> {
        self.connecting().check(draft.id, draft.revision, &self.reach, "Dr Ana Example").await
    }

    /// Reception, connected by signing in; its server takes every token from now on.
    async fn connected(&self) -> MailAccount {
        self.connected_with("access-").await
    }

    /// The same, at a server that takes these alone.
    async fn connected_with(&self, tokens: &str) -> MailAccount {
        self.mailbox.takes(tokens);
        let draft = self.begun().await;
        let draft = self.signs_in(&draft, "code-1").await;
        let draft = self.checks(&draft).await.draft;
        self.connecting().finish(draft.id, draft.revision).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// What went back to the service until now.
    async fn revoked(&self) -> Vec<String> {
        self.accounts.ended().await;
        self.page.state().revoked.clone()
    }

    async fn status(&self, id: MailAccountId) -> AccountStatus {
        self.accounts.status(self.whose.organisation, id).await.unwrap()
    }

    /// What the account signs in with now.
    async fn secret(&self, id: MailAccountId) -> String {
        let account = self.accounts.signing_in(self.whose.organisation, id).await;
        account.unwrap_or_else(|why| panic!("{why}")).secret.unwrap().reveal().to_owned()
    }

    async fn park(&self, id: MailAccountId) {
        self.it.clock.advance(Duration::from_secs(1));
        let used = self
            .accounts
            .signing_in(self.whose.organisation, id)
            .await
            .unwrap_or_else(|why| panic!("{why}"))
            .used;
        let event = Event { used, began_at: self.it.world.now(), what: refused() };
        self.accounts.report(self.whose.organisation, id, Direction::Sending, event).await.unwrap();
        assert_eq!(self.status(id).await.status, StatusName::NeedsSignIn);
    }
}

/// Waits for what another task does.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it happens within half a minute");
}

fn parameter(url: &str, name: &str) -> String {
    let wanted = format!("{name}=");
    url.split(['?', '&']).find_map(|it| it.strip_prefix(&wanted)).unwrap_or_default().to_owned()
}

fn callback(state: &str, code: &str) -> Callback {
    Callback::from_query(&format!("code={code}&state={state}")).unwrap()
}

fn rule(draft: &Draft) -> &str {
    draft.refused.as_ref().map_or("", |it| it.diagnosis.rule.as_str())
}

async fn a_mailbox_is_connected_by_signing_in(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-1");
    let draft = it.begun().await;
    assert_eq!((draft.state, draft.revision), (DraftState::Open, 1));
    assert_eq!(it.begun().await.id, draft.id, "whoever begins again goes on");
    let begun = it.connecting().begin_sign_in(draft.id, draft.revision, FlowOrigin::Command, PORTAL).await;
    let begun = begun.unwrap_or_else(|why| panic!("{why}"));
    assert!(begun.url.starts_with(&format!("{}/authorize?", it.page.base)), "{}", begun.url);
    for (name, value) in [
        ("login_hint", "reception%40example.org"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https%3A%2F%2Fgatepost.example%2Foauth%2Fcallback%2Fpraxis"),
    ] {
        assert_eq!(parameter(&begun.url, name), value);
    }
    assert!(begun.is_pasted, "a command waits for the address");
    let draft =
        it.answer(&parameter(&begun.url, "state"), "code-1").await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((draft.state, &draft.refused), (DraftState::HasSecret, &None));
    assert!(matches!(it.connecting().finish(draft.id, draft.revision).await, Err(ConnectError::NotChecked)));
    let proven = it.checks(&draft).await;
    assert!(proven.draft.is_proven());
    let letters = it.mailbox.letters();
    assert!(letters[0].contains("Dr Ana Example"), "{}", letters[0]);
    let account =
        it.connecting().finish(draft.id, draft.revision).await.unwrap_or_else(|why| panic!("{why}"));
    let status = it.status(account.id).await;
    assert_eq!((status.status, status.sending.status), (StatusName::Connected, StatusName::Connected));
    assert_eq!(it.secret(account.id).await, "access-1");
    let target = Target::Organisation;
    let chosen = it.accounts.choose(it.whose.organisation, target).await.unwrap();
    assert!(
        format!("{chosen:?}").contains(&account.id.to_string()),
        "the first one is the default: {chosen:?}"
    );
    let again = it.connecting().finish(draft.id, draft.revision).await;
    assert!(matches!(again, Err(ConnectError::Finished(id)) if id == account.id));
    assert_eq!(it.connecting().list().await.unwrap().len(), 0);
    assert!(matches!(
        it.connecting().begin(it.details("Reception@Example.org")).await,
        Err(ConnectError::AlreadyThere { id, .. }) if id == account.id
    ));
}

async fn a_mailbox_is_connected_by_an_app_password(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("abcdefghijklmnop");
    let draft = it.begun().await;
    let password = SecretText::new("abcdefghijklmnop".into());
    let kind = CredentialKind::AppPassword;
    let draft = it.connecting().put_password(draft.id, draft.revision, kind, password, false).await.unwrap();
    assert_eq!((draft.state, draft.details.method), (DraftState::HasSecret, Some(Method::AppPassword)));
    let draft = it.checks(&draft).await.draft;
    let named = Details { short_name: " Front desk ".into(), is_default: true, ..draft.details.clone() };
    let draft = it.connecting().change(draft.id, draft.revision, named).await.unwrap();
    assert!(draft.is_proven(), "names prove nothing, and are changed at any time");
    let account =
        it.connecting().finish(draft.id, draft.revision).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(account.short_name, "Front desk");
    assert_eq!(it.secret(account.id).await, "abcdefghijklmnop");
}

async fn somebody_else_is_refused_naming_both_and_nothing_changes(it: TestStore) {
    let it = Desk::new(it).await;
    it.page.state().who = ("8", "dr.ana@example.org");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    assert_eq!((draft.state, rule(&draft)), (DraftState::Open, "oauth-other-mailbox"));
    let other = draft.refused.as_ref().unwrap().other.as_ref().unwrap();
    assert_eq!(other.address.as_ref().unwrap().as_str(), "dr.ana@example.org");
    assert_eq!(draft.details.expected().as_str(), "reception@example.org");
    assert_eq!(it.revoked().await, ["refresh-1"]);
    it.page.state().who = ("7", "reception@example.org");
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!((draft.state, draft.refused), (DraftState::HasSecret, None));
}

/// OC-10.
async fn a_token_is_taken_back_only_where_nobody_else_needs_it(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let draft = it.connecting().begin(it.details("dr.ana@example.org")).await.unwrap();
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(rule(&draft), "oauth-other-mailbox");
    assert!(it.revoked().await.is_empty(), "reception lives on by the same permission");
    it.accounts.remove(it.whose.organisation, account.id, Actor::Command).await.unwrap();
    assert_eq!(it.revoked().await, ["refresh-1"]);
}

/// OC-10.
async fn what_a_draft_needs_no_more_is_taken_back(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    it.connecting().discard(draft.id).await.unwrap();
    assert_eq!(it.revoked().await, ["refresh-1"], "given up");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-2").await;
    let password = SecretText::new("hunter2".into());
    let kind = CredentialKind::Password;
    it.connecting().put_password(draft.id, draft.revision, kind, password, false).await.unwrap();
    assert_eq!(it.revoked().await, ["refresh-1", "refresh-2"], "replaced");
    let draft = it.connecting().get(draft.id).await.unwrap();
    it.signs_in(&draft, "code-3").await;
    it.it.clock.advance(Duration::from_hours(25));
    assert_eq!(it.accounts.sweep_drafts().await.unwrap(), 1);
    assert_eq!(it.revoked().await, ["refresh-1", "refresh-2", "refresh-3"], "over");
}

/// OC-10.
async fn what_an_account_needs_no_more_is_taken_back(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    assert!(it.revoked().await.is_empty(), "the same person's: one revocation may end both");
    let password = SecretText::new("hunter2".into());
    it.accounts.replace_secret(it.whose.organisation, account.id, password, Actor::Command).await.unwrap();
    assert_eq!(it.revoked().await, ["refresh-2"]);
    it.mailbox.takes("access-");
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-3").await;
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let kind = CredentialKind::Password;
    it.mailbox.takes("hunter3");
    let password = SecretText::new("hunter3".into());
    let draft = it.connecting().put_password(draft.id, draft.revision, kind, password, false).await.unwrap();
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    assert_eq!(it.revoked().await, ["refresh-2", "refresh-3"], "signed in again by a password");
}

/// C7.
async fn the_same_mailbox_under_another_address_is_accepted_for_that_person_alone(it: TestStore) {
    let it = Desk::new(it).await;
    it.page.state().who = ("8", "office@example.org");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    let subject = draft.refused.as_ref().unwrap().other.as_ref().unwrap().subject.clone();
    let accepted = Details { same_as: Some(subject), ..draft.details.clone() };
    let draft = it.connecting().change(draft.id, draft.revision, accepted).await.unwrap();
    it.page.state().who = ("9", "office@example.org");
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(rule(&draft), "oauth-other-mailbox");
    it.page.state().who = ("8", "office@example.org");
    assert_eq!(it.signs_in(&draft, "code-3").await.state, DraftState::HasSecret);
}

/// C8.
async fn permissions_that_were_not_given_are_named(it: TestStore) {
    let it = Desk::new(it).await;
    it.page.state().scope = Some("offline_access");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    assert_eq!((draft.state, rule(&draft)), (DraftState::Open, "oauth-scopes-missing"));
    assert_eq!(draft.refused.as_ref().unwrap().missing, ["Send mail"]);
    it.page.state().scope = None;
    it.page.state().gives_refresh_token = false;
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!((draft.state, rule(&draft)), (DraftState::Open, "oauth-no-lasting-grant"));
}

async fn a_service_that_is_down_while_connecting_changes_nothing(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-1");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    for (n, (status, body)) in
        [(503, "down"), (200, "<html>"), (302, "{}"), (400, r#"{"error":"invalid_grant"}"#)]
            .into_iter()
            .enumerate()
    {
        it.page.state().refuses = Some((status, body));
        let after = it.signs_in(&draft, &format!("code-{}", n + 2)).await;
        assert_eq!(after.state, DraftState::HasSecret, "{status} {body}: the sign-in before it stays");
        assert!(after.refused.is_some());
    }
    let state = it.goes(&draft).await;
    let denied =
        Callback::from_query(&format!("error=access_denied&error_description=No&state={state}")).unwrap();
    let after = it.connecting().answer(denied).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(after.state, DraftState::HasSecret);
    assert!(it.checks(&draft).await.draft.is_proven());
}

/// OC-2.
async fn an_answer_is_taken_once_in_time_and_by_whoever_began(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let is_over = |it: Result<Draft, ConnectError>| matches!(it, Err(ConnectError::FlowOver));
    assert!(is_over(it.answer("forged-forged-forged-forged-forged-forged-f", "code-1").await));
    let state = it.goes(&draft).await;
    let somebody = Whose { person: Some(PersonId::new(&it.it.world)), ..it.whose };
    assert!(is_over(it.accounts.connecting(somebody).answer(callback(&state, "code-1")).await));
    assert!(!it.page.state().used.contains(&"code-1".to_owned()), "a mismatch spends nothing");
    assert!(it.answer(&state, "code-1").await.is_ok());
    assert!(is_over(it.answer(&state, "code-2").await), "twice");

    let draft = it.connecting().get(draft.id).await.unwrap();
    let state = it.goes(&draft).await;
    let newer = it.goes(&draft).await;
    assert!(is_over(it.answer(&state, "code-3").await), "a newer one ends those before it");
    it.it.clock.advance(Duration::from_secs(599));
    let other = Details { user_name: "office@example.org".into(), ..draft.details.clone() };
    let changed = it.connecting().change(draft.id, draft.revision, other).await.unwrap();
    assert_eq!((changed.state, changed.revision), (DraftState::Open, draft.revision + 1));
    assert!(is_over(it.answer(&newer, "code-4").await), "it was for what was said before");
    let late = it.goes(&changed).await;
    it.it.clock.advance(Duration::from_secs(600));
    assert!(is_over(it.answer(&late, "code-5").await), "late");

    let token = SecretText::new("the cookie of this browser".into());
    let lineage = SessionId::new(&it.it.world);
    let origin = FlowOrigin::Browser { lineage, token: &token };
    let begun = it.connecting().begin_sign_in(changed.id, changed.revision, origin, PORTAL).await;
    let begun = begun.unwrap_or_else(|why| panic!("{why}"));
    assert!(!begun.is_pasted);
    let seen =
        it.accounts.seen_flow(&callback(&parameter(&begun.url, "state"), "code-6")).await.unwrap().unwrap();
    assert_eq!((seen.whose, seen.draft, seen.lineage), (it.whose, changed.id, Some(lineage)));
    assert_eq!(seen.service, "praxis");
    assert!(seen.is_of_browser(&token));
    assert!(!seen.is_of_browser(&SecretText::new("the cookie of another".into())));
}

async fn whoever_waits_for_a_sign_in_sees_when_it_began_and_whether_it_is_over(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    assert_eq!(it.connecting().under_way(&draft).await.unwrap(), None, "what succeeded is not waited for");
    let state = it.goes(&draft).await;
    let seen = it.connecting().under_way(&draft).await.unwrap().unwrap();
    assert_eq!((seen.began_at, seen.is_over, &*seen.service), (it.it.world.now(), false, "praxis"));
    assert_eq!(seen.redirect_uri, "https://gatepost.example/oauth/callback/praxis");
    it.page.state().who = ("8", "dr.ana@example.org");
    let draft = it.answer(&state, "code-2").await.unwrap_or_else(|why| panic!("{why}"));
    assert!(it.connecting().under_way(&draft).await.unwrap().unwrap().is_over, "answered in vain");
    it.goes(&draft).await;
    it.it.clock.advance(Duration::from_secs(599));
    assert!(!it.connecting().under_way(&draft).await.unwrap().unwrap().is_over);
    it.it.clock.advance(Duration::from_secs(1));
    assert!(it.connecting().under_way(&draft).await.unwrap().unwrap().is_over);
    let other = Details { user_name: "office@example.org".into(), ..draft.details.clone() };
    let changed = it.connecting().change(draft.id, draft.revision, other).await.unwrap();
    assert_eq!(it.connecting().under_way(&changed).await.unwrap(), None);
}

/// OC-3.
async fn an_answer_of_another_service_spends_nothing(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let state = it.goes(&draft).await;
    let with_issuer = |issuer: &str| {
        Callback::from_query(&format!("code=code-1&state={state}&iss=https%3A%2F%2F{issuer}")).unwrap()
    };
    let swapped = it.connecting().answer(with_issuer("evil.example")).await;
    assert!(matches!(swapped, Err(ConnectError::WrongAnswer(it)) if it.rule == "oauth-wrong-issuer"));
    assert!(it.page.state().used.is_empty(), "the code went nowhere");
    let answered = it.connecting().answer(with_issuer("praxis.example")).await;
    assert_eq!(answered.unwrap_or_else(|why| panic!("{why}")).state, DraftState::HasSecret);
}

async fn an_answer_that_is_pasted_must_be_whole(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let pasted = async |text: &str| it.connecting().answer_pasted(draft.id, text).await;
    assert!(matches!(pasted("https://gatepost.example/").await, Err(ConnectError::FlowOver)));
    let state = it.goes(&draft).await;
    for wrong in ["", "4/0AfJohXkLongLongLongLongCode", "https://praxis.example/?code=code-1&state=x"] {
        assert!(matches!(pasted(wrong).await, Err(ConnectError::Pasted(_))), "{wrong}");
    }
    let forged = format!("https://gatepost.example/oauth/callback/praxis?code=code-1&state=x{state}");
    assert!(matches!(pasted(&forged).await, Err(ConnectError::FlowOver)));
    // That of another mailbox, pasted into the wrong window.
    let other = it.connecting().begin(it.details("dr.ana@example.org")).await.unwrap();
    let elsewhere = it.goes(&other).await;
    let wrong = format!("https://gatepost.example/oauth/callback/praxis?code=code-1&state={elsewhere}");
    assert!(matches!(pasted(&wrong).await, Err(ConnectError::FlowOver)));
    assert!(it.page.state().used.is_empty());
    let whole = format!(" https://gatepost.example/oauth/callback/praxis?code=code-1&\n state={state} ");
    assert_eq!(pasted(&whole).await.unwrap_or_else(|why| panic!("{why}")).state, DraftState::HasSecret);
}

/// OC-1: what is under way when something is changed brings nothing.
async fn what_an_older_check_brings_changes_nothing(it: TestStore) {
    let it = Arc::new(Desk::new(it).await);
    it.mailbox.takes("access-");
    it.mailbox.greetings.forget_permits(1_000);
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    let (desk, checked) = (Arc::clone(&it), draft.clone());
    let check = tokio::spawn(async move { desk.try_check(&checked).await.map(|it| it.draft) });
    until(async || matches!(it.connecting().get(draft.id).await.unwrap().state, DraftState::Checking(_)))
        .await;
    assert!(matches!(it.try_check(&draft).await, Err(ConnectError::Checking)), "one at a time");
    assert!(matches!(it.connecting().finish(draft.id, draft.revision).await, Err(ConnectError::Checking)));
    let other = Details { user_name: "office@example.org".into(), ..draft.details.clone() };
    let changed = it.connecting().change(draft.id, draft.revision, other).await.unwrap();
    it.mailbox.greetings.add_permits(1_000);
    assert!(matches!(check.await.unwrap(), Err(ConnectError::Changed)));
    let now = it.connecting().get(draft.id).await.unwrap();
    assert_eq!((now.state, now.progress, now.revision), (DraftState::Open, None, changed.revision));
}

async fn a_mailbox_that_cannot_send_becomes_no_account(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    let refused = it.checks(&draft).await.draft;
    assert!(matches!(refused.state, DraftState::Checked(_)) && !refused.is_proven());
    assert!(matches!(it.connecting().finish(draft.id, draft.revision).await, Err(ConnectError::NotChecked)));
    it.mailbox.takes("access-1");
    it.mailbox.refuses_letters("550 5.7.60 Client does not have permissions to send as this sender");
    let refused = it.checks(&draft).await.draft;
    let progress = refused.progress.as_ref().unwrap();
    let crosses = progress.taken.iter().filter(|it| matches!(it.outcome, Outcome::Failed { .. })).count();
    assert_eq!((crosses, refused.is_proven()), (1, false));
    assert!(it.accounts.list(it.whose.organisation).await.unwrap().is_empty());
}

async fn what_was_proven_long_ago_is_proven_again(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-1");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    it.checks(&draft).await;
    it.it.clock.advance(Duration::from_mins(10));
    assert!(matches!(it.connecting().finish(draft.id, draft.revision).await, Err(ConnectError::NotChecked)));
    it.checks(&draft).await;
    assert!(it.connecting().finish(draft.id, draft.revision).await.is_ok());
}

/// C15.
async fn signing_in_again_keeps_the_account_and_releases_what_waited(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    it.park(account.id).await;
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((draft.account, draft.details.method), (Some(account.id), Some(Method::SignIn)));
    assert_eq!(
        it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}")).id,
        draft.id
    );
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(
        it.status(account.id).await.status,
        StatusName::NeedsSignIn,
        "nothing changes before it is proven"
    );
    let (log, listening) = super::told::Log::listen();
    let proven = it.checks(&draft).await;
    let lines = log.lines().join("\n");
    drop(listening);
    for told in ["somebody signed in again", "a mail account can send", "are held no longer"] {
        assert_eq!(lines.matches(told).count(), 1, "{told}: {lines}");
    }
    assert!(!lines.contains("access-2"), "{lines}");
    assert_eq!(proven.draft.state, DraftState::Finished(account.id));
    let want = Change { before: StatusName::NeedsSignIn, after: StatusName::Connected, released: true };
    assert_eq!(proven.change, Some(want));
    assert_eq!(it.secret(account.id).await, "access-2");
    let now = it.accounts.get(it.whose.organisation, account.id).await.unwrap();
    assert_eq!((now.settings(), now.created_at), (account.settings(), account.created_at));
    let actions: Vec<String> = journalled(&it.it).await.into_iter().map(|(_, action)| action).collect();
    assert_eq!(actions.iter().filter(|it| *it == "mail_account.reauthenticated").count(), 1, "{actions:?}");
    // A paused account is signed in to, and stays paused.
    it.accounts.pause(it.whose.organisation, account.id, Actor::Command).await.unwrap();
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-3").await;
    let change = it.checks(&draft).await.change.unwrap();
    assert_eq!((change.after, change.released), (StatusName::Paused, false));
}

async fn signing_in_again_that_does_not_work_keeps_what_there_was(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected_with("access-1").await;
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    it.page.state().who = ("8", "reception@example.org");
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(rule(&draft), "oauth-other-mailbox", "the address was given to somebody else");
    it.page.state().who = ("7", "reception@example.org");
    let draft = it.signs_in(&draft, "code-3").await;
    let proven = it.checks(&draft).await;
    assert!(matches!(proven.draft.state, DraftState::Checked(_)), "the server refuses this one");
    assert_eq!(proven.change, None);
    assert_eq!(it.secret(account.id).await, "access-1");
    assert_eq!(it.status(account.id).await.status, StatusName::Connected);
}

async fn a_network_fault_while_signing_in_again_drops_nothing(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    it.park(account.id).await;
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-2").await;
    let cut = Reach {
        dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(Vec::new()))),
        ..it.reach.clone()
    };
    let proven = it.connecting().check(draft.id, draft.revision, &cut, "").await;
    let proven = proven.unwrap_or_else(|why| panic!("{why}"));
    assert!(matches!(proven.draft.state, DraftState::Checked(_)));
    assert_eq!(proven.change, None);
    // Once the way is free the same sign-in is used: nobody has to go to the provider again.
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    assert_eq!(it.page.state().used, ["code-1", "code-2"]);
}

async fn two_who_sign_in_again_at_once_do_it_once(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let somebody = Whose { person: Some(PersonId::new(&it.it.world)), ..it.whose };
    let theirs =
        it.accounts.connecting(somebody).begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    let connecting = it.accounts.connecting(somebody);
    let password = SecretText::new("access-other".into());
    let put =
        connecting.put_password(theirs.id, theirs.revision, CredentialKind::Password, password, false).await;
    let put = put.unwrap_or_else(|why| panic!("{why}"));
    let late = connecting.check(put.id, put.revision, &it.reach, "").await;
    assert!(matches!(late, Err(ConnectError::DoneAlready(id)) if id == account.id));
    assert_eq!(it.secret(account.id).await, "access-2");
    it.accounts.remove(it.whose.organisation, account.id, Actor::Command).await.unwrap();
    let gone = connecting.check(put.id, put.revision, &it.reach, "").await;
    assert!(matches!(gone, Err(ConnectError::AccountGone)));
}

/// It was given to somebody else, signs in as somebody else, or opens another mailbox by now: the draft knows nothing of that, and
/// would write back what it was.
async fn an_account_that_was_changed_takes_nothing_from_whoever_had_begun(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let before = account.settings();
    let other = || "other@example.org".parse::<EmailAddress>().unwrap();
    let changes = [
        Settings { serves: Serves::Person(PersonId::new(&it.it.world)), ..before.clone() },
        Settings { user_name: "somebody".into(), ..before.clone() },
        Settings { opens: Some(other()), ..before.clone() },
    ];
    for (settings, code) in changes.into_iter().zip(["code-2", "code-3", "code-4"]) {
        let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
        it.accounts.edit(it.whose.organisation, account.id, settings.clone(), Actor::Command).await.unwrap();
        let draft = it.signs_in(&draft, code).await;
        let checked = it.try_check(&draft).await;
        assert!(matches!(checked, Err(ConnectError::AccountChanged(id)) if id == account.id), "{settings:?}");
        assert_eq!(it.secret(account.id).await, "access-1");
        let now = it.accounts.get(it.whose.organisation, account.id).await.unwrap();
        assert_eq!(now.settings(), settings);
        let anew = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
        assert_ne!(anew.id, draft.id);
        it.connecting().discard(anew.id).await.unwrap();
    }
}

/// What people call it has nothing to do with how it signs in.
async fn an_account_that_was_renamed_is_signed_in_to_all_the_same(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let settings = Settings { short_name: "Front desk".into(), ..account.settings() };
    it.accounts.edit(it.whose.organisation, account.id, settings, Actor::Command).await.unwrap();
    assert_eq!(it.connecting().begin_again(account.id).await.unwrap().id, draft.id);
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    assert_eq!(it.accounts.get(it.whose.organisation, account.id).await.unwrap().short_name, "Front desk");
}

async fn nobody_begins_more_than_anybody_works_on(it: TestStore) {
    let it = Desk::new(it).await;
    for n in 0..50 {
        it.connecting().begin(it.details(&format!("mailbox{n}@example.org"))).await.unwrap();
    }
    let one_more = it.connecting().begin(it.details("one.more@example.org")).await;
    assert!(matches!(one_more, Err(ConnectError::TooMany)));
    let ana = Whose { person: Some(PersonId::new(&it.it.world)), ..it.whose };
    assert!(it.accounts.connecting(ana).begin(it.details("one.more@example.org")).await.is_ok());
}

async fn other_servers_are_taken_over_with_the_secret_that_works_there(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await;
    let moved = Mailbox::start().await;
    moved.takes("new password");
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let smtp = Endpoint { host: "127.0.0.1".into(), port: moved.port, tls: TlsMode::None };
    let endpoints = Some(Endpoints { smtp, imap: None, pop3: None });
    let details = Details { endpoints: endpoints.clone(), ..draft.details.clone() };
    let draft = it.connecting().change(draft.id, draft.revision, details).await.unwrap();
    let password = SecretText::new("new password".into());
    let put = it
        .connecting()
        .put_password(draft.id, draft.revision, CredentialKind::Password, password, false)
        .await;
    let draft = put.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(it.checks(&draft).await.draft.state, DraftState::Finished(account.id));
    let now = it.accounts.get(it.whose.organisation, account.id).await.unwrap();
    assert_eq!(Some(now.endpoints), endpoints);
    assert_eq!(it.secret(account.id).await, "new password");
}

async fn a_draft_belongs_to_whoever_began_it_and_is_over_after_a_day(it: TestStore) {
    let it = Desk::new(it).await;
    let ana = Whose { person: Some(PersonId::new(&it.it.world)), ..it.whose };
    let ben = Whose { person: Some(PersonId::new(&it.it.world)), ..it.whose };
    let details = it.details("reception@example.org");
    let draft = it.accounts.connecting(ana).begin(details.clone()).await.unwrap();
    for whose in [ben, it.whose] {
        let connecting = it.accounts.connecting(whose);
        assert!(matches!(connecting.get(draft.id).await, Err(ConnectError::NotFound)));
        assert!(connecting.list().await.unwrap().is_empty());
        let change = connecting.change(draft.id, draft.revision, details.clone()).await;
        assert!(matches!(change, Err(ConnectError::NotFound)));
    }
    let connecting = it.accounts.connecting(ana);
    assert!(matches!(connecting.get(DraftId::new(&it.it.world)).await, Err(ConnectError::NotFound)));
    let stale = connecting.change(draft.id, draft.revision + 1, details).await;
    assert!(matches!(stale, Err(ConnectError::Changed)));
    it.it.clock.advance(Duration::from_hours(24));
    assert!(matches!(connecting.get(draft.id).await, Err(ConnectError::NotFound)));
    assert_eq!(it.accounts.sweep_drafts().await.unwrap(), 1);
    assert_eq!(it.accounts.sweep_drafts().await.unwrap(), 0);
}

/// OC-12.
async fn a_found_server_gets_no_password_before_it_was_confirmed(it: TestStore) {
    let it = Desk::new(it).await;
    let found = Details { found_at: Some("mx.praxis.example".into()), ..it.details("reception@example.org") };
    let draft = it.connecting().begin(found).await.unwrap();
    let put = async |is_confirmed| {
        let password = SecretText::new("hunter2".into());
        let kind = CredentialKind::Password;
        it.connecting().put_password(draft.id, draft.revision, kind, password, is_confirmed).await
    };
    assert!(matches!(put(false).await, Err(ConnectError::NotConfirmed)));
    assert_eq!(put(true).await.unwrap().state, DraftState::HasSecret);
}

/// OC-9.
async fn a_draft_cannot_be_re_pointed_in_the_database(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-1");
    let elsewhere = Mailbox::start().await;
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    let id = draft.id;
    let row = it.it.store.read(move |tx| tx.row(&rows::DETAILS, &[id.into()])).await.unwrap().unwrap();
    let (mine, theirs) = (it.mailbox.port.to_string(), elsewhere.port.to_string());
    let text = row.get::<String>(0).unwrap().replace(&mine, &theirs);
    let values = vec![id.into(), text.into()];
    assert_eq!(it.it.store.write(move |tx| tx.execute(&rows::REPOINT, &values)).await.unwrap(), 1);
    assert!(matches!(it.try_check(&draft).await, Err(ConnectError::NoSecret)));
    assert_eq!(elsewhere.greetings.available_permits(), 1_000, "nobody was dialled there");
}

/// OC-6.
async fn a_token_that_is_over_is_replaced_on_the_disk_before_the_check(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-2");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    it.it.clock.advance(Duration::from_hours(2));
    let proven = it.checks(&draft).await;
    assert!(proven.draft.is_proven());
    assert_eq!(it.page.state().used, ["code-1", "refresh-1"]);
    let account =
        it.connecting().finish(draft.id, draft.revision).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(it.secret(account.id).await, "access-2");
    // A service that refuses leaves the draft as it was, and says why.
    let draft = it.connecting().begin_again(account.id).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-2").await;
    it.it.clock.advance(Duration::from_hours(2));
    it.page.state().refuses = Some((503, "down"));
    let after = it.checks(&draft).await.draft;
    assert_eq!(rule(&after), "oauth-busy");
    assert!(
        it.it
            .store
            .read(move |tx| tx.row(&rows::DETAILS, &[after.id.into()]))
            .await
            .unwrap()
            .unwrap()
            .get::<Option<Vec<u8>>>(1)
            .unwrap()
            .is_some()
    );
    let texts = it.it.store.read(|tx| tx.rows(&rows::ALL_TEXTS, &[])).await.unwrap();
    let texts = format!(
        "{:?}",
        texts
            .iter()
            .map(|row| (0..3).map(|n| row.get::<Option<String>>(n).unwrap()).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    );
    assert!(!texts.contains("access-") && !texts.contains("refresh-") && !texts.contains("code-"), "{texts}");
}

async fn one_mailbox_in_two_organisations_is_two_accounts(it: TestStore) {
    let it = Desk::new(it).await;
    it.connected().await;
    let other = OrganisationId::new(&it.it.world);
    let connecting = it.accounts.connecting(Whose { organisation: other, person: None });
    let draft = connecting.begin(it.details("reception@example.org")).await;
    assert!(draft.is_ok(), "what another organisation has is nobody's business here");
}
