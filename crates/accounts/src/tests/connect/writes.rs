//! What a write about a draft or a sign-in finds, and what it must not: the conditions of the statements themselves, past the checks
//! that stand in front of them and may have looked at something older.

use gatepost_core::OAuthClientId;
use gatepost_store::{Statement, Value};
use gatepost_testkit::on_both_engines;

use super::*;
use crate::connect::sql;

on_both_engines!(
    ROOMS;
    a_write_finds_the_open_draft_of_its_organisation_at_its_revision_alone,
    one_check_holds_a_draft_until_it_is_over_or_cut_off,
    a_check_that_is_cut_off_has_proven_nothing,
    a_new_secret_is_proven_anew_and_a_finished_draft_keeps_none,
    another_organisation_finds_neither_drafts_nor_accounts,
    two_answers_at_once_are_one,
    a_sign_in_is_seen_until_it_is_used_or_late_and_never_from_the_future,
    a_sign_in_cannot_be_re_pointed_in_the_database,
    a_secret_does_not_open_in_another_draft,
    what_is_over_is_swept_and_nothing_else,
    a_grant_is_needed_by_whoever_has_one_of_the_same_person_and_application,
    what_another_account_or_draft_needs_is_not_taken_back,
    whoever_signs_in_by_another_application_is_known_by_their_address,
    signing_in_again_is_bounded_and_stays_with_its_account_and_its_grant,
);

mod rows {
    gatepost_store::statements! {
        /// What a draft holds.
        HELD = "SELECT details, secret_sealed, revision, steps FROM draft WHERE id = $1";
        /// How many sign-ins are kept.
        FLOWS = "SELECT COUNT(*) FROM oauth_flow";
        /// One sign-in's verifier.
        VERIFIER = "SELECT verifier_sealed FROM oauth_flow WHERE draft_id = $1";
        /// Another verifier in its place.
        PUT_VERIFIER = "UPDATE oauth_flow SET verifier_sealed = $2 WHERE draft_id = $1";
        /// Another draft's secret in its place.
        PUT_SEALED = "UPDATE draft SET secret_sealed = $2 WHERE id = $1";
        /// Another address in its place.
        POINT_ELSEWHERE = "UPDATE oauth_flow SET token_url = $2 WHERE draft_id = $1";
    }
}

impl Desk {
    /// How many rows a statement has changed.
    async fn write(&self, statement: &'static Statement, values: &[Value<'static>]) -> u64 {
        let values = values.to_vec();
        self.it.store.write(move |tx| tx.execute(statement, &values)).await.unwrap()
    }

    async fn row(&self, statement: &'static Statement, id: DraftId) -> gatepost_store::Row {
        self.it.store.read(move |tx| tx.row(statement, &[id.into()])).await.unwrap().unwrap()
    }

    async fn revision(&self, id: DraftId) -> u64 {
        self.row(&rows::HELD, id).await.get(2).unwrap()
    }

    async fn with_password(&self) -> Draft {
        let draft = self.begun().await;
        let (kind, password) = (CredentialKind::Password, SecretText::new("hunter2".into()));
        self.connecting().put_password(draft.id, draft.revision, kind, password, false).await.unwrap()
    }
}

/// OC-1: in the order in which they make a draft an account.
async fn a_write_finds_the_open_draft_of_its_organisation_at_its_revision_alone(it: TestStore) {
    let it = Desk::new(it).await;
    let id = it.with_password().await.id;
    let (now, until, later) = (it.it.world.now(), Value::Int(i64::MAX - 1), Value::Int(i64::MAX));
    let details: Value<'static> = it.row(&rows::HELD, id).await.get::<String>(0).unwrap().into();
    let (text, sealed) = (Value::from("{}"), Value::from(b"sealed"));
    let nobody = || Value::Null;
    let statements: [(&Statement, Vec<Value<'static>>); 9] = [
        (&sql::PUT_NAMES, vec![details.clone()]),
        (&sql::PUT_REFUSED, vec![text.clone()]),
        (&sql::PUT_TOKENS, vec![sealed.clone()]),
        (&sql::CLAIM_CHECK, vec![now.into(), until.clone()]),
        (&sql::PUT_STEPS, vec![until, text.clone(), later.clone()]),
        (&sql::END_CHECK, vec![later, text, now.into()]),
        (&sql::PUT_DETAILS, vec![details]),
        (&sql::PUT_SECRET, vec![sealed, nobody(), nobody()]),
        (&sql::FINISH_DRAFT, vec![now.into(), MailAccountId::new(&it.it.world).into()]),
    ];
    let elsewhere = OrganisationId::new(&it.it.world);
    let write = async |statement, organisation: OrganisationId, revision: u64, rest: &[Value<'static>]| {
        let first = [organisation.into(), id.into(), revision.into()];
        it.write(statement, &[&first, rest].concat()).await
    };
    for (statement, rest) in &statements {
        let revision = it.revision(id).await;
        for (organisation, revision, n) in [
            (elsewhere, revision, 0),
            (it.whose.organisation, revision - 1, 0),
            (it.whose.organisation, revision + 1, 0),
            (it.whose.organisation, revision, 1),
        ] {
            let changed = write(statement, organisation, revision, rest).await;
            assert_eq!(changed, n, "{} {organisation} {revision}", statement.name);
        }
    }
    let revision = it.revision(id).await;
    for (statement, rest) in &statements {
        let changed = write(statement, it.whose.organisation, revision, rest).await;
        assert_eq!(changed, 0, "{} of what is an account by now", statement.name);
    }
    for organisation in [elsewhere, it.whose.organisation] {
        assert_eq!(it.write(&sql::DELETE_DRAFT, &[organisation.into(), id.into()]).await, 0);
    }
    let open = it.begun().await.id;
    for (organisation, n) in [(elsewhere, 0), (it.whose.organisation, 1)] {
        assert_eq!(it.write(&sql::DELETE_DRAFT, &[organisation.into(), open.into()]).await, n);
    }
}

async fn one_check_holds_a_draft_until_it_is_over_or_cut_off(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.with_password().await;
    let span = Duration::from_mins(3);
    let start = it.it.world.now();
    let claims = async |at: Timestamp| {
        let key = [draft.organisation.into(), draft.id.into(), draft.revision.into()];
        it.write(&sql::CLAIM_CHECK, &[&key[..], &[at.into(), (at + span).into()]].concat()).await
    };
    let last = start + span;
    for (at, n, what) in [
        (start, 1, "nobody holds it"),
        (start, 0, "at the same time"),
        (last - Duration::from_millis(1), 0, "it may still go on"),
        (last, 1, "it was cut off"),
        (last, 0, "and is held again"),
        (start - Duration::from_hours(1), 1, "a clock that was set back keeps nobody out"),
    ] {
        assert_eq!(claims(at).await, n, "{what}");
    }
    // Whoever was cut off, and goes on all the same, writes nothing any more.
    let (held, text) = (start - Duration::from_hours(1) + span, Value::from("{}"));
    for (until, n) in [(last, 0), (last + span, 0), (held, 1)] {
        for statement in [&sql::PUT_STEPS, &sql::END_CHECK] {
            let key = [draft.organisation.into(), draft.id.into(), draft.revision.into()];
            let rest = [until.into(), text.clone(), held.into()];
            assert_eq!(it.write(statement, &[&key[..], &rest].concat()).await, n, "{}", statement.name);
        }
    }
}

async fn a_check_that_is_cut_off_has_proven_nothing(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("hunter2");
    let draft = it.with_password().await;
    let proven = it.checks(&draft).await.draft;
    assert!(proven.is_proven());
    let steps: String = it.row(&rows::HELD, draft.id).await.get(3).unwrap();
    // Once more, up to its last step but one: what was proven before counts no more.
    let now = it.it.world.now();
    let until = now + Duration::from_mins(3);
    let key = [draft.organisation.into(), draft.id.into(), draft.revision.into()];
    let claim = [now.into(), until.into()];
    assert_eq!(it.write(&sql::CLAIM_CHECK, &[&key[..], &claim].concat()).await, 1);
    let put = [until.into(), steps.into(), until.into()];
    assert_eq!(it.write(&sql::PUT_STEPS, &[&key[..], &put].concat()).await, 1);
    it.it.clock.advance(Duration::from_mins(3));
    let cut_off = it.connecting().get(draft.id).await.unwrap();
    assert_eq!((cut_off.state, cut_off.is_proven()), (DraftState::HasSecret, false));
    assert!(matches!(it.connecting().finish(draft.id, draft.revision).await, Err(ConnectError::NotChecked)));
}

async fn a_new_secret_is_proven_anew_and_a_finished_draft_keeps_none(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("hunter");
    let draft = it.with_password().await;
    let proven = it.checks(&draft).await.draft;
    assert!(proven.is_proven());
    let (kind, password) = (CredentialKind::Password, SecretText::new("hunter3".into()));
    let put = it.connecting().put_password(draft.id, draft.revision, kind, password, false).await.unwrap();
    assert_eq!(
        (put.state, put.progress.is_some(), put.revision),
        (DraftState::HasSecret, false, draft.revision + 1)
    );
    for revision in [draft.revision, put.revision] {
        let finished = it.connecting().finish(draft.id, revision).await;
        assert!(matches!(finished, Err(ConnectError::Changed | ConnectError::NotChecked)));
    }
    it.checks(&put).await;
    let account = it.connecting().finish(put.id, put.revision).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(it.secret(account.id).await, "hunter3");
    assert_eq!(it.row(&rows::HELD, put.id).await.get::<Option<Vec<u8>>>(1).unwrap(), None);
    it.connecting().discard(put.id).await.unwrap();
    let state = it.connecting().get(put.id).await.unwrap().state;
    assert_eq!(state, DraftState::Finished(account.id), "what has become an account is not given up");
}

async fn another_organisation_finds_neither_drafts_nor_accounts(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await.id;
    let details = it.details("dr.ana@example.org");
    let draft = it.connecting().begin(details.clone()).await.unwrap();
    it.goes(&draft).await;
    let draft = it.connecting().get(draft.id).await.unwrap();
    let state = it.goes(&draft).await;
    // A command, as the one that has begun it: nothing but the organisation differs.
    let whose = Whose { organisation: OrganisationId::new(&it.it.world), person: None };
    let theirs = it.accounts.connecting(whose);
    let (id, revision) = (draft.id, draft.revision);
    let not_found = |it: Option<ConnectError>, what: &str| {
        assert!(matches!(it, Some(ConnectError::NotFound)), "{what}");
    };
    not_found(theirs.get(id).await.err(), "get");
    not_found(theirs.change(id, revision, details).await.err(), "change");
    not_found(theirs.begin_sign_in(id, revision, FlowOrigin::Command, PORTAL).await.err(), "begin");
    not_found(theirs.check(id, revision, &it.reach, "").await.err(), "check");
    not_found(theirs.finish(id, revision).await.err(), "finish");
    not_found(theirs.discard(id).await.err(), "discard");
    assert!(theirs.list().await.unwrap().is_empty());
    let answer = theirs.answer(callback(&state, "code-2")).await;
    assert!(matches!(answer, Err(ConnectError::FlowOver)));
    let pasted = format!("https://gatepost.example/oauth/callback/praxis?code=code-2&state={state}");
    let answer = theirs.answer_pasted(id, &pasted).await;
    assert!(matches!(answer, Err(ConnectError::FlowOver | ConnectError::NotFound)));
    assert!(matches!(theirs.begin_again(account).await, Err(ConnectError::AccountGone)));
    assert_eq!(it.page.state().used, ["code-1"]);
    assert!(it.answer(&state, "code-2").await.is_ok(), "it is all there for whoever began it");
}

/// OC-2: the second of two clicks, or somebody who has read the address along the way.
async fn two_answers_at_once_are_one(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let state = it.goes(&draft).await;
    let (one, other) = tokio::join!(it.answer(&state, "code-1"), it.answer(&state, "code-2"));
    let n_over = [&one, &other].iter().filter(|it| matches!(it, Err(ConnectError::FlowOver))).count();
    assert_eq!((n_over, it.page.state().used.len()), (1, 1), "{:?} {:?}", one.err(), other.err());
}

async fn a_sign_in_is_seen_until_it_is_used_or_late_and_never_from_the_future(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    let seen = async |state: &str| it.accounts.seen_flow(&callback(state, "c")).await.unwrap().is_some();
    let state = it.goes(&draft).await;
    assert!(seen(&state).await && seen(&state).await, "looking spends nothing");
    let start = it.it.world.now();
    for (at, is_seen) in [
        (start + Duration::from_millis(599_999), true),
        (start + Duration::from_secs(600), false),
        // Set back, the clock would keep it alive for as long as that.
        (start - Duration::from_millis(1), false),
        (start, true),
    ] {
        it.it.clock.set(at);
        assert_eq!(seen(&state).await, is_seen, "{at}");
    }
    it.page.state().who = ("8", "dr.ana@example.org");
    it.answer(&state, "code-1").await.unwrap_or_else(|why| panic!("{why}"));
    assert!(!seen(&state).await, "answered, if in vain");
}

/// OC-3: a code goes with its verifier to the address where the sign-in began, or nowhere.
async fn a_sign_in_cannot_be_re_pointed_in_the_database(it: TestStore) {
    let it = Desk::new(it).await;
    let evil = Page::start().await;
    let verifier = async |id: DraftId| it.row(&rows::VERIFIER, id).await.get::<Vec<u8>>(0).unwrap();
    let put = async |id: DraftId, bytes: Vec<u8>| {
        let values = vec![id.into(), Value::Bytes(bytes.into())];
        assert_eq!(it.write(&rows::PUT_VERIFIER, &values).await, 1);
    };
    let other = it.connecting().begin(it.details("dr.ana@example.org")).await.unwrap();
    it.goes(&other).await;
    let draft = it.begun().await;
    it.goes(&draft).await;
    let draft = it.connecting().get(draft.id).await.unwrap();
    for what in ["the address", "the verifier of one before", "the verifier of another"] {
        it.goes(&draft).await;
        let before = verifier(draft.id).await;
        let state = it.goes(&draft).await;
        match what {
            "the address" => {
                let url = format!("{}/token", evil.base);
                assert_eq!(it.write(&rows::POINT_ELSEWHERE, &[draft.id.into(), url.into()]).await, 1);
            }
            "the verifier of one before" => put(draft.id, before).await,
            _ => put(draft.id, verifier(other.id).await).await,
        }
        let after = it.answer(&state, "code-1").await.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((after.state, after.refused.is_some()), (DraftState::Open, true), "{what}");
    }
    assert!(evil.state().used.is_empty() && it.page.state().used.is_empty(), "no code went anywhere");
    assert_eq!(it.signs_in(&draft, "code-1").await.state, DraftState::HasSecret);
}

/// VA-2: with the same servers, so that nothing but the draft differs.
async fn a_secret_does_not_open_in_another_draft(it: TestStore) {
    let it = Desk::new(it).await;
    it.mailbox.takes("access-");
    let draft = it.begun().await;
    let draft = it.signs_in(&draft, "code-1").await;
    let sealed: Vec<u8> = it.row(&rows::HELD, draft.id).await.get(1).unwrap();
    let other = it.connecting().begin(it.details("dr.ana@example.org")).await.unwrap();
    let values = [other.id.into(), Value::Bytes(sealed.into())];
    assert_eq!(it.write(&rows::PUT_SEALED, &values).await, 1);
    assert!(matches!(it.try_check(&other).await, Err(ConnectError::NoSecret)));
    assert!(it.checks(&draft).await.draft.is_proven());
}

async fn what_is_over_is_swept_and_nothing_else(it: TestStore) {
    let it = Desk::new(it).await;
    let draft = it.begun().await;
    it.goes(&draft).await;
    let flows = async || -> i64 {
        let row = it.it.store.read(|tx| tx.row(&rows::FLOWS, &[])).await.unwrap();
        row.unwrap().get(0).unwrap()
    };
    for (seconds, n_swept, n_flows) in [(599, 0, 1), (600, 0, 0), (24 * 3_600 - 1, 0, 0), (24 * 3_600, 1, 0)]
    {
        it.it.clock.set(draft.created_at + Duration::from_secs(seconds));
        assert_eq!(it.accounts.sweep_drafts().await.unwrap(), n_swept, "{seconds}");
        assert_eq!(flows().await, n_flows, "{seconds}");
    }
}

/// OC-10.
async fn a_grant_is_needed_by_whoever_has_one_of_the_same_person_and_application(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await.id;
    it.page.state().who = ("9", "dr.ana@example.org");
    let draft = it.connecting().begin(it.details("dr.ana@example.org")).await.unwrap();
    let draft = it.signs_in(&draft, "code-2").await.id;
    let ours = it.accounts.applications(it.whose.organisation).await.unwrap()[0].id;
    let another = OAuthClientId::new(&it.it.world);
    let needed = async |client: OAuthClientId, subject: &'static str| {
        let values = [client.into(), subject.into()];
        let row = it.it.store.read(move |tx| tx.row(&sql::COUNT_GRANTS, &values)).await.unwrap();
        row.unwrap().get::<i64>(0).unwrap() > 0
    };
    for (client, subject, want) in [
        (ours, "7", true),
        (ours, "9", true),
        // Nobody's, and what another application was granted by the same people.
        (ours, "8", false),
        (another, "7", false),
        (another, "9", false),
    ] {
        assert_eq!(needed(client, subject).await, want, "{subject}");
    }
    it.accounts.remove(it.whose.organisation, account, Actor::Command).await.unwrap();
    assert_eq!(
        (needed(ours, "7").await, needed(ours, "9").await),
        (false, true),
        "what is retired needs nothing"
    );
    it.connecting().discard(draft).await.unwrap();
    assert!(!needed(ours, "9").await);
}

/// OC-10: at some services taking one token back ends all that the same person has granted.
async fn what_another_account_or_draft_needs_is_not_taken_back(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await.id;
    let same_as = Some(("https://praxis.example".into(), "7".into()));
    let details = Details { same_as, ..it.details("billing@example.org") };
    let given_up = it.connecting().begin(details.clone()).await.unwrap();
    assert_eq!(it.signs_in(&given_up, "code-2").await.state, DraftState::HasSecret);
    it.connecting().discard(given_up.id).await.unwrap();
    assert!(it.page.state().revoked.is_empty(), "the account lives on by it");
    let draft = it.connecting().begin(details).await.unwrap();
    assert_eq!(it.signs_in(&draft, "code-3").await.state, DraftState::HasSecret);
    it.accounts.remove(it.whose.organisation, account, Actor::Command).await.unwrap();
    it.connecting().discard(draft.id).await.unwrap();
    // Only what was the last of them.
    until(async || it.page.state().revoked == ["refresh-3"]).await;
}

/// Services may name the same person differently to each application.
async fn whoever_signs_in_by_another_application_is_known_by_their_address(it: TestStore) {
    let it = Desk::new(it).await;
    let account = it.connected().await.id;
    it.page.state().who = ("8", "reception@example.org");
    let draft = it.connecting().begin_again(account).await.unwrap_or_else(|why| panic!("{why}"));
    let draft = it.signs_in(&draft, "code-2").await;
    assert_eq!(rule(&draft), "oauth-other-mailbox");
    let new = NewApplication {
        service: "praxis".into(),
        client_id: "client-2".into(),
        secret: None,
        tenant: None,
        kind: ApplicationKind::Web,
        is_verified: false,
        is_proven: true,
    };
    let of = it.whose.organisation;
    it.accounts.put_application(Some(of), new, of, Actor::Command).await.unwrap();
    assert_eq!(it.signs_in(&draft, "code-3").await.state, DraftState::HasSecret);
}

async fn signing_in_again_is_bounded_and_stays_with_its_account_and_its_grant(it: TestStore) {
    let it = Desk::new(it).await;
    let (of, account) = (it.whose.organisation, it.connected().await.id);
    let again = async || it.connecting().begin_again(account).await;
    let draft = again().await.unwrap_or_else(|why| panic!("{why}"));
    let elsewhere = Details { address: address("dr.ana@example.org"), ..draft.details.clone() };
    let changed = it.connecting().change(draft.id, draft.revision, elsewhere).await;
    assert!(matches!(changed, Err(ConnectError::Changed)), "it is about this account");
    // Somebody else has signed in meanwhile: what was begun for the grant before can change nothing any more.
    let secret = SecretText::new("new password".into());
    it.accounts.replace_secret(of, account, secret, Actor::Command).await.unwrap();
    let anew = again().await.unwrap_or_else(|why| panic!("{why}"));
    assert_ne!(anew.id, draft.id);
    for n in 2..50 {
        it.connecting().begin(it.details(&format!("mailbox{n}@example.org"))).await.unwrap();
    }
    assert_eq!(again().await.unwrap_or_else(|why| panic!("{why}")).id, anew.id, "which goes on");
    it.connecting().discard(anew.id).await.unwrap();
    it.connecting().begin(it.details("mailbox50@example.org")).await.unwrap();
    assert!(matches!(again().await, Err(ConnectError::TooMany)));
    it.accounts.remove(of, account, Actor::Command).await.unwrap();
}
