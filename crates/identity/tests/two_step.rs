//! Two-step verification from its beginning to its end, contacts, and the security page, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod house;

use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_identity::{
    AccountProblem, ContactKind, Enrolment, Entrance, LinkKind, NewSession, People, Person, PersonRefusal,
    Proof, Role, SecondStep, SecondStepPassed, SecurityOverview, Session, Visitor,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_testkit::{TestStore, on_both_engines};

use house::{House, OFFICE, ROOMS};

on_both_engines!(ROOMS;
    it_goes_on_with_a_code_and_a_recovery_code_typed_back,
    an_enrolment_shows_one_secret_for_thirty_minutes,
    what_one_session_began_no_other_sees_proves_or_confirms,
    each_code_says_what_is_wrong_with_it,
    misses_slow_and_at_last_disable_an_authenticator_until_enrolled_anew,
    a_recovery_code_works_once_and_its_use_is_told,
    a_new_authenticator_takes_the_place_of_the_old_one_with_its_first_code,
    a_new_set_counts_once_one_of_it_was_typed_back,
    operators_turn_it_off_and_administrators_do_not,
    an_administrator_resets_it_and_the_person_is_told,
    a_password_reset_leaves_the_second_step_on,
    contacts_are_proven_before_they_count,
    contacts_mail_five_letters_an_hour_whatever_is_removed_between,
    the_security_page_tells_what_there_is,
);

const PASSWORD: &str = "a horse that eats porridge";

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn visitor() -> Visitor {
    Visitor { source: OFFICE.parse().unwrap(), device: "Firefox on Debian".into() }
}

/// A person with a password and a session.
struct Someone {
    house: House,
    people: People,
    person: Person,
}

impl Someone {
    async fn new(it: TestStore, role: Role) -> (Self, Session) {
        let house = House::new(it).await;
        house.add("boss@example.org", Role::Administrator).await;
        let people = People::new(&house.identity, &house.sign_ins, 2).with_sign_in_links();
        let person = house.add("anna@example.org", role).await;
        let it = Self { house, people, person };
        let Entrance::SignedIn(NewSession { session, .. }) = it.choose_password().await else { panic!() };
        it.house.notices().await;
        (it, session)
    }

    async fn choose_password(&self) -> Entrance {
        let (organisation, id) = (self.house.organisation, self.person.id);
        let handed = self.house.identity.hand_link(organisation, id, LinkKind::SetUp, Actor::Command).await;
        self.people
            .choose_password(&handed.unwrap().token, &secret(PASSWORD), None, false, &visitor())
            .await
            .unwrap()
    }

    async fn sign_in(&self) -> Entrance {
        self.people.sign_in("anna@example.org", &secret(PASSWORD), None, &visitor()).await.unwrap()
    }

    fn later(&self, seconds: u64) {
        self.house.it.clock.advance(Duration::from_secs(seconds));
    }

    fn code(&self, enrolment: &Enrolment) -> SecretText {
        self.code_at(enrolment, 0)
    }

    fn code_at(&self, enrolment: &Enrolment, steps: i64) -> SecretText {
        let key = totp_rs::Secret::try_from_base32(enrolment.key.reveal().replace(' ', "")).unwrap();
        let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
        let at = self.house.it.world.now().seconds() + steps * 30;
        secret(&totp.generate(at.try_into().unwrap()).to_string())
    }

    /// Turns it on; the step of the first code is spent.
    async fn turn_on(&self, session: &Session) -> (Session, Enrolment, Vec<SecretText>) {
        let enrolment = self.people.begin_authenticator(session).await.unwrap();
        let code = self.code(&enrolment);
        assert!(
            self.people
                .prove_authenticator(session, enrolment.id, &code, &visitor())
                .await
                .unwrap()
                .is_none()
        );
        let codes = self.people.new_recovery_codes(session).await.unwrap().0;
        let on = self.people.confirm_recovery_codes(session, &codes[3], &visitor()).await.unwrap();
        self.later(30);
        (on.session, enrolment, codes)
    }

    async fn show(&self, shown: SecondStep) -> Result<SecondStepPassed, PersonRefusal> {
        let entrance =
            self.people.sign_in("anna@example.org", &secret(PASSWORD), None, &visitor()).await.unwrap();
        let Entrance::SecondStep { token, .. } = entrance else { panic!("no second step") };
        self.people.second_step(&token, &shown, false, &visitor()).await
    }

    async fn show_code(&self, code: SecretText) -> Result<SecondStepPassed, PersonRefusal> {
        self.show(SecondStep::Code(code)).await
    }

    /// By step-up, which costs no password hash.
    async fn confirm(&self, session: &Session, shown: SecondStep) -> Result<Session, PersonRefusal> {
        let confirmed = self.people.confirm(session, &Proof::SecondStep(shown), &visitor()).await;
        confirmed.map(|it| it.session)
    }

    /// All but what the tests' browsers without cookies make.
    async fn kinds(&self) -> Vec<NoticeKind> {
        let kinds = self.house.notices().await.into_iter().map(|it| it.kind);
        kinds.filter(|it| *it != NoticeKind::NewDevice).collect()
    }

    async fn get(&self) -> Person {
        self.people.person(self.house.organisation, self.person.id).await.unwrap().unwrap()
    }
}

/// A code that is wrong now and was never right.
fn wrong(n: u32) -> SecondStep {
    SecondStep::Code(secret(&format!("x{n:05}")))
}

// A4, ID-13, ID-14.
async fn it_goes_on_with_a_code_and_a_recovery_code_typed_back(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Administrator).await;
    let over = it.people.new_recovery_codes(&session).await;
    assert!(matches!(over, Err(AccountProblem::Refused(PersonRefusal::Over))));
    let enrolment = it.people.begin_authenticator(&session).await.unwrap();
    assert!(!enrolment.replaces);
    assert!(
        enrolment.uri.reveal().starts_with("otpauth://totp/Gatepost%20Practice:anna%40example.org?secret=")
    );
    let prove = async |code: SecretText| {
        it.people.prove_authenticator(&session, enrolment.id, &code, &visitor()).await
    };
    let refused = prove(secret("12345x")).await;
    assert!(matches!(refused, Err(AccountProblem::Refused(PersonRefusal::WrongCode))));
    let early = it.people.new_recovery_codes(&session).await;
    assert!(matches!(early, Err(AccountProblem::Refused(PersonRefusal::Over))));
    let code = it.code(&enrolment);
    assert!(prove(code.clone()).await.unwrap().is_none());
    assert!(prove(code.clone()).await.unwrap().is_none(), "the form sent twice");
    assert_eq!(it.get().await.two_step_at, None);

    let codes = it.people.new_recovery_codes(&session).await.unwrap().0;
    assert_eq!(codes.len(), 10);
    let confirm =
        async |code: &SecretText| it.people.confirm_recovery_codes(&session, code, &visitor()).await;
    let refused = confirm(&secret("0000-0000-00000")).await;
    assert!(matches!(refused, Err(AccountProblem::Refused(PersonRefusal::WrongCode))));
    assert_eq!(it.get().await.two_step_at, None);
    let typed = codes[7].reveal().to_lowercase().replace('-', " ");
    let on = confirm(&secret(&typed)).await.unwrap();
    let now = it.house.it.world.now();
    assert_eq!((on.session.person.two_step_at, it.get().await.two_step_at), (Some(now), Some(now)));
    assert!(on.session.is_proven(now));
    // The session goes on anew, and what was open elsewhere is over (ID-24).
    let again = confirm(&secret(&typed)).await;
    assert!(matches!(again, Err(AccountProblem::Refused(PersonRefusal::WrongCode))));
    assert!(it.people.find_session(&on.token, true).await.unwrap().is_some());
    assert_eq!(it.kinds().await, [NoticeKind::TwoStepOn]);

    // The code of the enrolment is spent.
    assert!(matches!(it.show_code(code).await, Err(PersonRefusal::CodeUsed)));
    it.later(30);
    it.show_code(it.code(&enrolment)).await.unwrap();
    // The code typed back is not.
    it.show(SecondStep::RecoveryCode(codes[7].clone())).await.unwrap();
}

async fn an_enrolment_shows_one_secret_for_thirty_minutes(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let one = it.people.begin_authenticator(&session).await.unwrap();
    it.later(1_799);
    let same = it.people.begin_authenticator(&session).await.unwrap();
    assert_eq!((one.id, one.key.reveal()), (same.id, same.key.reveal()));
    it.later(1);
    let late = it.people.prove_authenticator(&session, one.id, &it.code(&one), &visitor()).await;
    assert!(matches!(late, Err(AccountProblem::Refused(PersonRefusal::Over))));
    let other = it.people.begin_authenticator(&session).await.unwrap();
    assert_ne!(one.key.reveal(), other.key.reveal());
    it.people.prove_authenticator(&session, other.id, &it.code(&other), &visitor()).await.unwrap();
    let codes = it.people.new_recovery_codes(&session).await.unwrap().0;
    // Proven and then left alone is no beginning of anything.
    it.later(1_800);
    let late = it.people.confirm_recovery_codes(&session, &codes[0], &visitor()).await;
    assert!(matches!(late, Err(AccountProblem::Refused(PersonRefusal::Over))));
    assert_eq!(it.get().await.two_step_at, None);
    // Nobody proves another person's.
    let begun = it.people.begin_authenticator(&session).await.unwrap();
    let mut stranger = session.clone();
    stranger.person = it.house.add("ben@example.org", Role::Operator).await;
    let foreign = it.people.prove_authenticator(&stranger, begun.id, &it.code(&begun), &visitor()).await;
    assert!(matches!(foreign, Err(AccountProblem::Refused(PersonRefusal::Over))));
}

// ID-14. Somebody else who knows the password must neither learn the secret that the owner is shown, nor bring their own in.
async fn what_one_session_began_no_other_sees_proves_or_confirms(it: TestStore) {
    let (it, owner) = Someone::new(it, Role::Operator).await;
    let Entrance::SignedIn(thief) = it.sign_in().await else { panic!() };
    let thief = thief.session;
    let is_over = |refused: &AccountProblem| matches!(refused, AccountProblem::Refused(PersonRefusal::Over));
    let is_wrong =
        |refused: &AccountProblem| matches!(refused, AccountProblem::Refused(PersonRefusal::WrongCode));
    // The thief waits with a page of the secret open.
    let early = it.people.begin_authenticator(&thief).await.unwrap();
    let mine = it.people.begin_authenticator(&owner).await.unwrap();
    assert_ne!((early.id, early.key.reveal()), (mine.id, mine.key.reveal()));
    let prove = async |session: &Session, enrolment: &Enrolment| {
        let code = it.code(enrolment);
        it.people.prove_authenticator(session, enrolment.id, &code, &visitor()).await.map(|it| it.is_none())
    };
    assert!(is_over(&prove(&thief, &early).await.unwrap_err()), "the owner has begun since");
    assert!(is_over(&prove(&thief, &mine).await.unwrap_err()));
    assert!(prove(&owner, &mine).await.unwrap());
    // Nor codes of theirs with the owner's authenticator, or the other way round.
    assert!(is_over(&it.people.new_recovery_codes(&thief).await.map(drop).unwrap_err()));
    let codes = it.people.new_recovery_codes(&owner).await.unwrap().0;
    let foreign = it.people.confirm_recovery_codes(&thief, &codes[0], &visitor()).await.map(drop);
    assert!(is_wrong(&foreign.unwrap_err()));
    let theirs = it.people.begin_authenticator(&thief).await.unwrap();
    assert!(prove(&thief, &theirs).await.unwrap());
    let ended = it.people.confirm_recovery_codes(&owner, &codes[0], &visitor()).await.map(drop);
    assert!(is_wrong(&ended.unwrap_err()), "begun elsewhere: these codes count with nothing");
    // What the owner does after proof again, with a new id, is still theirs.
    let mine = it.people.begin_authenticator(&owner).await.unwrap();
    let proof = Proof::Password(secret(PASSWORD));
    let anew = it.people.confirm(&owner, &proof, &visitor()).await.unwrap().session;
    assert!(anew.id != owner.id && anew.lineage == owner.lineage && anew.lineage != thief.lineage);
    assert_eq!(it.people.begin_authenticator(&anew).await.unwrap().id, mine.id);
    assert!(prove(&anew, &mine).await.unwrap());
    assert_eq!(it.people.begin_authenticator(&anew).await.unwrap().id, mine.id, "proven, and shown again");
    // The printer jammed: another set, and the first one is nothing.
    let jammed = it.people.new_recovery_codes(&anew).await.unwrap().0;
    let codes = it.people.new_recovery_codes(&anew).await.unwrap().0;
    let late = it.people.confirm_recovery_codes(&anew, &jammed[0], &visitor()).await.map(drop);
    assert!(is_wrong(&late.unwrap_err()));
    it.people.confirm_recovery_codes(&anew, &codes[0], &visitor()).await.unwrap();
    assert!(it.get().await.two_step_at.is_some());
}

// ID-12, ID-13.
async fn each_code_says_what_is_wrong_with_it(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (session, enrolment, _) = it.turn_on(&session).await;
    let code = it.code(&enrolment);
    let session = it.confirm(&session, SecondStep::Code(code.clone())).await.unwrap();
    it.later(300);
    for (shown, want) in [
        (SecondStep::Code(it.code_at(&enrolment, 2)), "the code is wrong"),
        (SecondStep::Code(it.code_at(&enrolment, -2)), "the code has expired"),
        (SecondStep::Code(code), "the code was used already"),
        (wrong(0), "the code is wrong"),
    ] {
        assert_eq!(it.confirm(&session, shown).await.unwrap_err().to_string(), want);
    }
    let session = it.confirm(&session, SecondStep::Code(it.code_at(&enrolment, 1))).await.unwrap();
    // An earlier step never again, also after the clock was set back.
    for steps in [0, 1] {
        let shown = SecondStep::Code(it.code_at(&enrolment, steps));
        assert!(matches!(it.confirm(&session, shown).await, Err(PersonRefusal::CodeUsed)));
    }
}

// ID-7.
async fn misses_slow_and_at_last_disable_an_authenticator_until_enrolled_anew(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (session, enrolment, codes) = it.turn_on(&session).await;
    for n in 0..5 {
        assert!(matches!(it.confirm(&session, wrong(n)).await, Err(PersonRefusal::WrongCode)));
    }
    let right = || SecondStep::Code(it.code(&enrolment));
    let slowed = it.confirm(&session, right()).await;
    assert!(
        matches!(slowed, Err(PersonRefusal::Slowed { retry_after }) if retry_after == Duration::from_secs(30))
    );
    it.later(30);
    it.house.notices().await;
    let mut session = it.confirm(&session, right()).await.unwrap();
    assert_eq!(it.kinds().await, [NoticeKind::ManyMisses]);
    for n in 0..100 {
        it.later(3_600);
        if n % 5 == 0 {
            // Somebody who is there, so that the session lives, and who asks for nothing.
            session = it.by_link().await;
        }
        assert!(matches!(it.confirm(&session, wrong(n)).await, Err(PersonRefusal::WrongCode)), "{n}");
    }
    it.later(3_600);
    assert!(matches!(it.confirm(&session, right()).await, Err(PersonRefusal::MethodDisabled)));
    // The recovery codes have a count of their own, and lead to a new authenticator.
    let session = it.show(SecondStep::RecoveryCode(codes[0].clone())).await.unwrap().session.session;
    let new = it.people.begin_authenticator(&session).await.unwrap();
    let session = it.people.prove_authenticator(&session, new.id, &it.code(&new), &visitor()).await;
    let session = session.unwrap().unwrap().session;
    it.later(30);
    it.confirm(&session, SecondStep::Code(it.code(&new))).await.unwrap();
}

impl Someone {
    /// A living session of the person without any factor.
    async fn by_link(&self) -> Session {
        let (organisation, id) = (self.house.organisation, self.person.id);
        let handed = self.house.identity.hand_link(organisation, id, LinkKind::SignIn, Actor::Command).await;
        self.people.sign_in_by_link(&handed.unwrap().token, &visitor()).await.unwrap().session
    }
}

// ID-21, ID-22.
async fn a_recovery_code_works_once_and_its_use_is_told(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (_, _, codes) = it.turn_on(&session).await;
    it.house.notices().await;
    let show = async |code: &SecretText| it.show(SecondStep::RecoveryCode(code.clone())).await;
    let passed = show(&codes[0]).await.unwrap();
    assert_eq!(passed.recovery_codes_left, Some(9));
    let notices = it.house.notices().await;
    assert_eq!((notices[0].kind, &notices[0].details["left"]), (NoticeKind::RecoveryCodeUsed, &9.into()));
    assert!(matches!(show(&codes[0]).await, Err(PersonRefusal::CodeUsed)));
    assert!(matches!(show(&secret("0000-0000-00000")).await, Err(PersonRefusal::WrongCode)));
    assert!(matches!(show(&secret("not a code")).await, Err(PersonRefusal::WrongCode)));
    assert_eq!(show(&codes[9]).await.unwrap().recovery_codes_left, Some(8));
}

async fn a_new_authenticator_takes_the_place_of_the_old_one_with_its_first_code(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Administrator).await;
    let (session, old, _) = it.turn_on(&session).await;
    it.house.notices().await;
    let new = it.people.begin_authenticator(&session).await.unwrap();
    assert!(new.replaces);
    let session = it.confirm(&session, SecondStep::Code(it.code(&old))).await.unwrap();
    assert!(matches!(
        it.confirm(&session, SecondStep::Code(it.code(&new))).await,
        Err(PersonRefusal::WrongCode)
    ));
    let other = it.show_code(it.code_at(&old, 1)).await.unwrap().session;
    let code = it.code(&new);
    let anew = it.people.prove_authenticator(&session, new.id, &code, &visitor()).await.unwrap().unwrap();
    assert!(it.people.find_session(&other.token, true).await.unwrap().is_none(), "ID-24");
    assert!(it.people.find_session(&anew.token, true).await.unwrap().is_some());
    assert_eq!(it.kinds().await, [NoticeKind::AuthenticatorReplaced]);
    assert!(matches!(it.show_code(code).await, Err(PersonRefusal::CodeUsed)));
    it.later(60);
    assert!(matches!(it.show_code(it.code(&old)).await, Err(PersonRefusal::WrongCode)));
    it.show_code(it.code(&new)).await.unwrap();
}

async fn a_new_set_counts_once_one_of_it_was_typed_back(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (session, _, old) = it.turn_on(&session).await;
    it.house.notices().await;
    let never = it.people.new_recovery_codes(&session).await.unwrap().0;
    let new = it.people.new_recovery_codes(&session).await.unwrap().0;
    it.show(SecondStep::RecoveryCode(old[0].clone())).await.unwrap();
    assert!(it.show(SecondStep::RecoveryCode(new[0].clone())).await.is_err());
    let forgotten = it.people.confirm_recovery_codes(&session, &never[0], &visitor()).await;
    assert!(matches!(forgotten, Err(AccountProblem::Refused(PersonRefusal::WrongCode))));
    it.people.confirm_recovery_codes(&session, &new[0], &visitor()).await.unwrap();
    assert_eq!(it.kinds().await, [NoticeKind::RecoveryCodeUsed, NoticeKind::RecoveryCodesMade]);
    assert!(matches!(it.show(SecondStep::RecoveryCode(old[1].clone())).await, Err(PersonRefusal::WrongCode)));
    assert_eq!(it.show(SecondStep::RecoveryCode(new[0].clone())).await.unwrap().recovery_codes_left, Some(9));
}

async fn operators_turn_it_off_and_administrators_do_not(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (session, enrolment, _) = it.turn_on(&session).await;
    let entrance = it.people.sign_in("anna@example.org", &secret(PASSWORD), None, &visitor()).await.unwrap();
    let Entrance::SecondStep { token, .. } = entrance else { panic!() };
    let shown = SecondStep::Code(it.code(&enrolment));
    let trusted = it.people.second_step(&token, &shown, true, &visitor()).await.unwrap();
    it.house.notices().await;
    let off = it.people.turn_two_step_off(&session, &visitor()).await.unwrap().session;
    assert_eq!((off.person.two_step_at, it.get().await.two_step_at), (None, None));
    assert_eq!(it.kinds().await, [NoticeKind::TwoStepOff]);
    assert!(it.people.find_session(&trusted.session.token, true).await.unwrap().is_none());
    let overview = it.people.security_overview(&off.person).await.unwrap();
    assert!(
        overview.authenticators.is_empty() && overview.devices.iter().all(|it| it.trusted_until.is_none())
    );
    assert_eq!(overview.recovery_codes_left, None);
    // Again, from another tab: nothing more happens.
    let off = it.people.turn_two_step_off(&off, &visitor()).await.unwrap().session;
    assert!(it.kinds().await.is_empty());
    // On again, now as an administrator.
    let (organisation, id) = (it.house.organisation, it.person.id);
    let (on, _, _) = it.turn_on(&off).await;
    it.house.identity.change_role(organisation, id, Role::Administrator, Actor::Command).await.unwrap();
    let refused = it.people.turn_two_step_off(&on, &visitor()).await;
    assert!(matches!(refused, Err(AccountProblem::TwoStepNeeded)), "whatever the session remembers");
    assert!(it.get().await.two_step_at.is_some());
}

// A15.
async fn an_administrator_resets_it_and_the_person_is_told(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (_, enrolment, _) = it.turn_on(&session).await;
    let open = it.show_code(it.code(&enrolment)).await.unwrap().session;
    it.house.notices().await;
    let boss = it.house.identity.list_people(it.house.organisation).await.unwrap().remove(1);
    assert_eq!(boss.name, "boss");
    let reset = async || {
        let (organisation, id) = (it.house.organisation, it.person.id);
        it.house.identity.reset_two_step(organisation, id, Actor::Person(boss.id)).await.unwrap();
    };
    reset().await;
    assert!(it.people.find_session(&open.token, true).await.unwrap().is_none());
    let notices = it.house.notices().await;
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].kind, notices[0].person), (NoticeKind::TwoStepReset, it.person.id));
    assert_eq!(notices[0].details["by"], "boss");
    reset().await;
    assert!(it.kinds().await.is_empty());
    // The password alone leads on to setting it up anew.
    let entrance = it.people.sign_in("anna@example.org", &secret(PASSWORD), None, &visitor()).await.unwrap();
    let Entrance::SignedIn(NewSession { session, .. }) = entrance else { panic!() };
    let (_, new, _) = it.turn_on(&session).await;
    assert_ne!(new.key.reveal(), enrolment.key.reveal());
}

// ID-22.
async fn a_password_reset_leaves_the_second_step_on(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let (_, enrolment, _) = it.turn_on(&session).await;
    let Entrance::SecondStep { token, .. } = it.choose_password().await else { panic!("no second step") };
    let shown = SecondStep::Code(it.code(&enrolment));
    it.people.second_step(&token, &shown, false, &visitor()).await.unwrap();
    assert!(it.get().await.two_step_at.is_some());
}

async fn contacts_are_proven_before_they_count(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let add = async |kind, value: &str| it.people.add_contact(&session, kind, value).await;
    let contact = add(ContactKind::Address, " Anna@Home.example ").await.unwrap();
    assert_eq!((contact.value.as_str(), contact.proven_at), ("anna@home.example", None));
    let notices = it.house.notices().await;
    let kinds: Vec<_> = notices.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [NoticeKind::Contact, NoticeKind::ContactChanged]);
    assert_eq!(notices[0].addresses[0].as_str(), "anna@home.example");
    assert_eq!(notices[1].addresses, std::slice::from_ref(&it.person.address), "not yet the new one");
    let words = (&notices[1].details["name"], &notices[1].details["address"]);
    assert_eq!(words, (&"address added".into(), &"anna@home.example".into()), "the letter says what");
    for (kind, value, want) in [
        (ContactKind::Address, "anna@home.example", "there already"),
        (ContactKind::Address, "ANNA@example.org", "there already"),
        (ContactKind::Address, "anna", "not an e-mail address"),
        (ContactKind::Telephone, "0800-HELP", "not a telephone number"),
    ] {
        let refused = add(kind, value).await.unwrap_err().to_string();
        assert!(refused.contains(want), "{refused}");
    }
    let early = it.people.sign_in_with_contact(&session, contact.id).await;
    assert!(matches!(early, Err(AccountProblem::NotProven)));
    let link = it.house.identity.issue_link(it.house.organisation, notices[0].link.unwrap()).await;
    it.people.prove_contact(&link.unwrap().unwrap()).await.unwrap();
    add(ContactKind::Telephone, "030 123456").await.unwrap();
    add(ContactKind::Telephone, "030 654321").await.unwrap();
    let told = it.house.notices().await;
    assert_eq!(told[0].addresses.len(), 2, "the proven one as well");

    // It becomes the one to sign in with, and the old one a contact.
    let now = it.people.sign_in_with_contact(&session, contact.id).await.unwrap();
    assert_eq!((now.as_str(), it.get().await.address.as_str()), ("anna@home.example", "anna@home.example"));
    let contacts = it.people.security_overview(&it.person).await.unwrap().contacts;
    let shown: Vec<_> = contacts.iter().map(|it| (it.value.as_str(), it.proven_at.is_some())).collect();
    assert_eq!(shown, [("030 654321", false), ("anna@example.org", true)]);
    let signed_in = it.people.sign_in("anna@home.example", &secret(PASSWORD), None, &visitor()).await;
    assert!(matches!(signed_in, Ok(Entrance::SignedIn(_))));
    // What somebody else signs in with is nobody's to take.
    let boss = add(ContactKind::Address, "boss@example.org").await.unwrap();
    let link = it.house.notices().await.into_iter().find(|it| it.kind == NoticeKind::Contact);
    let link = it.house.identity.issue_link(it.house.organisation, link.unwrap().link.unwrap()).await;
    it.people.prove_contact(&link.unwrap().unwrap()).await.unwrap();
    let taken = it.people.sign_in_with_contact(&session, boss.id).await;
    assert!(matches!(taken, Err(AccountProblem::AddressTaken)));
    // What is removed still hears of it; others' contacts are not there.
    it.house.notices().await;
    it.people.remove_contact(&session, boss.id).await.unwrap();
    let told = it.house.notices().await;
    assert_eq!((told[0].addresses.len(), told[0].link.is_some()), (2, true));
    let gone = (told[1].addresses[0].as_str(), told[1].addresses.len(), told[1].link);
    assert_eq!(gone, ("boss@example.org", 1, None), "and is not asked whether it was the person");
    let gone = it.people.remove_contact(&session, boss.id).await;
    assert!(matches!(gone, Err(AccountProblem::NotFound)));
    let ben = Someone { person: it.house.add("ben@example.org", Role::Operator).await, ..it };
    let Entrance::SignedIn(NewSession { session: stranger, .. }) = ben.choose_password().await else {
        panic!()
    };
    let it = Someone { person: session.person.clone(), ..ben };
    let add = async |kind, value: &str| it.people.add_contact(&session, kind, value).await;
    let foreign = it.people.remove_contact(&stranger, contacts[0].id).await;
    assert!(matches!(foreign, Err(AccountProblem::NotFound)));
    for n in 0..3 {
        add(ContactKind::Address, &format!("{n}@home.example")).await.unwrap();
    }
    assert!(matches!(
        add(ContactKind::Address, "6@home.example").await,
        Err(AccountProblem::TooManyContacts)
    ));
}

// A2.
async fn the_security_page_tells_what_there_is(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    let overview = async || it.people.security_overview(&it.person).await.unwrap();
    let first = overview().await;
    assert_eq!(first.password_changed_at, Some(it.house.it.world.now()));
    assert_eq!((first.two_step_at, first.recovery_codes_left, first.sessions.len()), (None, None, 1));
    let (session, enrolment, _) = it.turn_on(&session).await;
    let entrance = it.people.sign_in("anna@example.org", &secret(PASSWORD), None, &visitor()).await.unwrap();
    let Entrance::SecondStep { token, .. } = entrance else { panic!() };
    let shown = SecondStep::Code(it.code(&enrolment));
    it.people.second_step(&token, &shown, true, &visitor()).await.unwrap();
    let now = it.house.it.world.now();
    let then = overview().await;
    assert_eq!((then.two_step_at, then.recovery_codes_left), (session.person.two_step_at, Some(10)));
    assert_eq!((then.authenticators.len(), then.authenticators[0].last_used_at), (1, Some(now)));
    let n_trusted = |it: &SecurityOverview| it.devices.iter().filter(|it| it.trusted_until.is_some()).count();
    assert_eq!((n_trusted(&then), then.devices.len(), then.sessions.len()), (1, 2, 2));
    assert_eq!(
        (then.sessions[0].device.as_str(), then.sessions[0].source.as_str()),
        ("Firefox on Debian", OFFICE)
    );
    it.later(30 * 60);
    assert!(overview().await.sessions.is_empty(), "idle for too long");
    it.later(30 * 24 * 3_600);
    let last = overview().await;
    assert_eq!((n_trusted(&last), last.devices.len()), (0, 2), "over, and still known");
}

/// Letters go to addresses that are perhaps a stranger's.
async fn contacts_mail_five_letters_an_hour_whatever_is_removed_between(it: TestStore) {
    let (it, session) = Someone::new(it, Role::Operator).await;
    for n in 0..7 {
        let added =
            it.people.add_contact(&session, ContactKind::Address, &format!("n{n}@home.example")).await;
        match added {
            Ok(contact) if n < 5 => it.people.remove_contact(&session, contact.id).await.unwrap(),
            Err(AccountProblem::Refused(PersonRefusal::Slowed { .. })) if n >= 5 => {}
            other => panic!("{n}: {:?}", other.map(|it| it.value)),
        }
    }
    let letters = it.house.notices().await.into_iter().filter(|it| it.kind == NoticeKind::Contact).count();
    assert_eq!(letters, 5);
}
