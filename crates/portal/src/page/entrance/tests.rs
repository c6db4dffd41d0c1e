//! The ways in over real sockets, with time moved by hand.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_identity::{ContactKind, Entrance, LinkKind, Person, RecoveryCodes, Role, Token, Visitor};
use gatepost_journal::{Actor, DueTime, NoticeKind, due_notices, take_notice};

use crate::tests::{Browser, House, Reply};

const PASSWORD: &str = "a long sentence of my own";
const TYPED: &str = "a+long+sentence+of+my+own";

fn visitor() -> Visitor {
    Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() }
}

/// Someone with two-step verification on.
struct Enrolled {
    address: String,
    /// In base 32.
    key: String,
    codes: RecoveryCodes,
}

impl Enrolled {
    async fn new(house: &House, role: Role) -> Self {
        let person = with_password(house, role).await;
        let people = &house.rooms.people;
        let Ok(Entrance::SignedIn(new)) =
            people.sign_in(person.address.as_str(), &password(), None, &visitor()).await
        else {
            panic!("two-step verification is not on yet")
        };
        let enrolment = people.begin_authenticator(&new.session).await.unwrap();
        let key = enrolment.key.reveal().replace(' ', "");
        let code = SecretText::new(oathtool(house, &key));
        people.prove_authenticator(&new.session, enrolment.id, &code, &visitor()).await.unwrap();
        let codes = people.new_recovery_codes(&new.session).await.unwrap();
        let first = codes.0.first().unwrap().clone();
        people.confirm_recovery_codes(&new.session, &first, &visitor()).await.unwrap();
        let this = Self { address: person.address.to_string(), key, codes };
        // The enrolment spent the code of now.
        house.it.clock.advance(Duration::from_secs(30));
        this
    }

    fn code(&self, house: &House) -> String {
        oathtool(house, &self.key)
    }
}

/// What an app shows now, as another program computes it.
fn oathtool(house: &House, key: &str) -> String {
    let now = house.it.world.now().to_string().replace('T', " ");
    let now = format!("{} UTC", now.split('.').next().unwrap());
    let shown = Command::new("oathtool").args(["--totp", "--base32", "--now", &now, key]).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap().trim().to_owned()
}

fn password() -> SecretText {
    SecretText::new(PASSWORD.into())
}

async fn with_password(house: &House, role: Role) -> Person {
    let person = house.person(&format!("{role}@practice.test"), role).await;
    let (of, by) = (house.organisation, Actor::Command);
    let link = house.rooms.identity.hand_link(of, person.id, LinkKind::Invitation, by).await.unwrap();
    house.rooms.people.choose_password(&link.token, &password(), None, false, &visitor()).await.unwrap();
    person
}

async fn first_step(house: &House, browser: &mut Browser, address: &str, more: &str) -> Reply {
    let address = address.replace('@', "%40");
    let fields = format!("address={address}&password={TYPED}{more}");
    house.post(browser, "/sign-in", "/sign-in", &fields).await
}

#[tokio::test]
async fn both_steps_lead_to_where_somebody_was_going() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    let begun = first_step(&house, &mut browser, &it.address, "&then=%2Foutbox%3Fstate%3Dall").await;
    assert_eq!(begun.location(), "/second-step?then=/outbox%3Fstate%3Dall");
    // Between the steps nothing else opens (ID-27).
    assert_eq!(house.get(&mut browser, "/outbox").await.status, 303);
    let page = house.get(&mut browser, begun.location()).await.body;
    assert!(page.contains("one-time-code") && page.contains("again on this device for 30 days"), "{page}");
    assert!(!page.contains("checked"), "unticked (A10): {page}");
    let path = begun.location();
    let done = house.post(&mut browser, path, path, &format!("code={}", it.code(&house))).await;
    assert_eq!(done.location(), "/stay?then=/outbox%3Fstate%3Dall");
    assert!(browser.find("pre-session").is_none() && browser.find("device").is_some());
    let before = browser.find("session").unwrap().to_owned();
    let stayed = house.post(&mut browser, "/stay", "/stay", "answer=yes&then=%2Foutbox").await;
    assert_eq!(stayed.location(), "/outbox");
    assert_ne!(browser.find("session").unwrap(), before, "WP-2");
    assert!(stayed.headers("set-cookie").iter().any(|it| it.contains("Max-Age=2592000")));
    // Once is enough.
    assert_eq!(house.get(&mut browser, "/stay").await.location(), "/");
    house.end().await;
}

#[tokio::test]
async fn a_device_that_is_trusted_is_not_asked_again() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let fields = format!("trust=yes&code={}", it.code(&house));
    house.post(&mut browser, "/second-step", "/second-step", &fields).await;
    assert!(browser.find("session").is_some());
    let out = house.post(&mut browser, "/stay", "/sign-out", "").await;
    assert_eq!(out.location(), "/sign-in");
    assert_eq!(out.headers("clear-site-data"), ["\"cache\", \"storage\""]);
    assert!(browser.find("session").is_none());
    let again = first_step(&house, &mut browser, &it.address, "").await;
    assert_eq!(again.location(), "/stay", "the device stays trusted after signing out");
    // Another browser is asked.
    let elsewhere = first_step(&house, &mut Browser::default(), &it.address, "").await;
    assert_eq!(elsewhere.location(), "/second-step");
    house.end().await;
}

#[tokio::test]
async fn administrators_are_offered_neither_trust_nor_staying() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Administrator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let page = house.get(&mut browser, "/second-step").await.body;
    assert!(!page.contains("name=\"trust\""), "{page}");
    // Ticked by force, it counts for nothing.
    let fields = format!("trust=yes&code={}", it.code(&house));
    let done = house.post(&mut browser, "/second-step", "/second-step", &fields).await;
    assert_eq!(done.location(), "/");
    assert!(browser.find("device").is_some(), "known, and asked each time");
    let session = done.headers("set-cookie").into_iter().find(|it| it.starts_with("session=")).unwrap();
    assert!(session.contains("SameSite=Strict"), "{session}");
    assert_eq!(house.get(&mut browser, "/stay").await.location(), "/");
    house.end().await;
}

#[tokio::test]
async fn wrong_used_and_expired_codes_each_say_so_and_the_clock_is_named_after_the_second() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let mut say = async |fields: &str| house.post(&mut browser, "/second-step", "/second-step", fields).await;
    let empty = say("code=").await;
    assert!(empty.status == 422 && empty.body.contains("Type the six digits"), "{}", empty.body);
    let wrong = say("code=000000").await;
    assert!(wrong.status == 422 && wrong.body.contains("This code is wrong"), "{}", wrong.body);
    assert!(
        wrong.body.contains("name=\"misses\" value=\"1\"")
            && !wrong.body.contains("The clock of Gatepost shows")
    );
    assert!(!wrong.body.contains("000000"), "what was typed is not kept");
    let second = say("code=000000&misses=1").await;
    assert!(second.body.contains("The clock of Gatepost shows 09:12:30 today"), "{}", second.body);
    let code = it.code(&house);
    house.it.clock.advance(Duration::from_mins(3));
    let expired = say(&format!("code={code}&trust=yes")).await;
    assert!(expired.body.contains("This code has expired"), "{}", expired.body);
    assert!(expired.body.contains("value=\"yes\" checked"), "the tick stays: {}", expired.body);
    house.end().await;
}

#[tokio::test]
async fn a_code_and_a_recovery_code_work_once() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let code = it.code(&house);
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    house.post(&mut browser, "/second-step", "/second-step", &format!("code={code}")).await;
    assert!(browser.find("session").is_some());
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let used = house.post(&mut browser, "/second-step", "/second-step", &format!("code={code}")).await;
    assert!(used.body.contains("This code was used already"), "{}", used.body);
    // The way in that is always there.
    let other = house.get(&mut browser, "/second-step?by=other").await.body;
    assert!(other.contains("by=recovery") && other.contains("by=lost"), "{other}");
    let lost = house.get(&mut browser, "/second-step?by=lost").await.body;
    assert!(lost.contains("Ask an administrator") && !lost.contains("administrator@"), "{lost}");
    let path = "/second-step?by=recovery";
    let recovery = it.codes.0[1].reveal().to_lowercase();
    let done = house.post(&mut browser, path, path, &format!("recovery_code={recovery}")).await;
    assert_eq!(done.location(), "/stay");
    let page = house.get(&mut browser, "/stay").await.body;
    assert!(page.contains("9 are left"), "{page}");
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let used = house.post(&mut browser, path, path, &format!("recovery_code={recovery}")).await;
    assert!(used.body.contains("This recovery code was used already"), "{}", used.body);
    house.end().await;
}

#[tokio::test]
async fn a_second_step_that_took_too_long_begins_again_and_says_why() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let path = "/second-step?then=/outbox";
    let page = house.get(&mut browser, path).await;
    house.it.clock.advance(Duration::from_mins(11));
    let body = format!("form_token={}&code={}", page.form_token(), it.code(&house));
    let late = house.ask(&mut browser, "POST", path, "", &body).await;
    assert_eq!(late.location(), "/sign-in?then=/outbox");
    let page = house.get(&mut browser, late.location()).await.body;
    assert!(page.contains("Begin again with your password") && page.contains("value=\"/outbox\""), "{page}");
    house.end().await;
}

#[tokio::test]
async fn a_step_that_is_posted_twice_goes_on_to_where_it_was_going() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let path = "/second-step?then=/outbox";
    let page = house.get(&mut browser, path).await;
    let body = format!("form_token={}&code={}", page.form_token(), it.code(&house));
    let stale = browser.clone();
    assert_eq!(house.ask(&mut browser, "POST", path, "", &body).await.location(), "/stay?then=/outbox");
    // The cookies of the first answer have arrived.
    let again = house.ask(&mut browser, "POST", path, "", &body).await;
    assert_eq!(again.location(), "/outbox");
    let page = house.get(&mut browser, "/outbox").await.body;
    assert!(!page.contains("had become old") && !page.contains("Begin again"), "{page}");
    // They have not.
    let again = house.ask(&mut stale.clone(), "POST", path, "", &body).await;
    assert_eq!(again.location(), "/sign-in?then=/outbox");
    // An older page of the first step leads on as well.
    let old = house.ask(&mut browser, "POST", "/sign-in", "", "form_token=old&then=%2Foutbox").await;
    assert_eq!(old.location(), "/outbox");
    house.end().await;
}

#[tokio::test]
async fn whoever_is_unknown_disabled_or_mistyped_reads_the_same() {
    let house = House::new().await;
    let person = with_password(&house, Role::Operator).await;
    let mut bodies = Vec::new();
    for (address, password) in
        [("nobody%40practice.test", TYPED), ("operator%40practice.test", "wrong"), ("no+address", TYPED)]
    {
        let fields = format!("address={address}&password={password}");
        let reply = house.post(&mut Browser::default(), "/sign-in", "/sign-in", &fields).await;
        assert_eq!(reply.status, 422);
        let body = reply.body.replace(&reply.form_token(), "").replace(&address.replace("%40", "@"), "");
        bodies.push(body.replace("no address", ""));
    }
    house.rooms.identity.disable_person(house.organisation, person.id, &[], Actor::Command).await.unwrap();
    let reply = first_step(&house, &mut Browser::default(), person.address.as_str(), "").await;
    bodies.push(reply.body.replace(&reply.form_token(), "").replace(person.address.as_str(), ""));
    assert!(bodies.iter().all(|it| *it == bodies[0] && it.contains("The address or the password is wrong")));
    assert!(!bodies[0].contains(TYPED) && !bodies[0].contains(PASSWORD));
    house.end().await;
}

#[tokio::test]
async fn who_is_slowed_reads_for_how_long() {
    let house = House::new().await;
    let person = with_password(&house, Role::Operator).await;
    let mut browser = Browser::default();
    let mut last = None;
    for n in 0..7 {
        let fields = format!("address={}&password=wrong+{n}", person.address);
        last = Some(house.post(&mut browser, "/sign-in", "/sign-in", &fields).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429, "{}", last.body);
    assert!(last.body.contains("Too many tries. Wait"), "{}", last.body);
    assert!(last.headers("retry-after")[0].parse::<u64>().unwrap() > 1);
    house.end().await;
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up_and_whoever_comes_second_reads_what_to_do() {
    let house = House::new().await;
    let person = house.person("paul@practice.test", Role::Operator).await;
    let (of, by) = (house.organisation, Actor::Command);
    let link = house.rooms.identity.hand_link(of, person.id, LinkKind::Invitation, by).await.unwrap();
    let (token, mut browser) = (link.token.reveal().to_owned(), Browser::default());
    let path = format!("/link?token={token}");
    for _ in 0..3 {
        let page = house.get(&mut browser, &path).await;
        assert!(page.status == 200 && page.body.contains("Welcome to Gatepost"), "{}", page.body);
    }
    let short = house.post(&mut browser, &path, "/link", &format!("token={token}&password=short")).await;
    assert!(short.status == 422 && short.body.contains("needs at least 15"), "{}", short.body);
    assert!(!short.body.contains("value=\"short\""), "{}", short.body);
    let old = house.ask(&mut browser, "POST", "/link", "", &format!("form_token=old&token={token}")).await;
    assert!(old.status == 403 && old.body.contains("had become old") && old.body.contains(&token));
    let fields = format!("token={token}&password={TYPED}");
    let page = house.get(&mut browser, &path).await;
    let body = format!("form_token={}&{fields}", page.form_token());
    let (first, second) = (&mut browser.clone(), &mut browser.clone());
    assert_eq!(house.ask(first, "POST", "/link", "", &body).await.location(), "/");
    let again = house.ask(second, "POST", "/link", "", &body).await;
    assert!(again.status == 404 && again.body.contains("This link opens nothing any more"), "{}", again.body);
    for unknown in [path.as_str(), "/link", "/link?token=x", &format!("/link?token={}", "A".repeat(43))] {
        let page = house.get(&mut Browser::default(), unknown).await;
        assert!(page.status == 404 && page.body.contains("ask for a new link below"), "{unknown}");
    }
    house.end().await;
}

/// The token of the newest letter of a kind.
async fn letter(house: &House, kind: NoticeKind) -> Token {
    let (store, now) = (&house.it.store, house.it.world.now());
    let time = DueTime { now, horizon: now + Duration::from_hours(2) };
    let mut newest = None;
    for due in due_notices(store, time, 100).await.unwrap() {
        let notice = take_notice(store, due, time, now).await.unwrap().unwrap();
        newest = newest.max(Some((notice.due.id.uuid(), notice.link)).filter(|_| notice.kind == kind));
    }
    let link = newest.unwrap().1.unwrap();
    house.rooms.identity.issue_link(house.organisation, link).await.unwrap().unwrap()
}

#[tokio::test]
async fn this_was_not_me_says_what_it_takes_back() {
    let house = House::new().await;
    let person = with_password(&house, Role::Operator).await;
    let people = &house.rooms.people;
    let entered = people.sign_in(person.address.as_str(), &password(), None, &visitor()).await;
    let Ok(Entrance::SignedIn(new)) = entered else { panic!("two-step verification is not on") };
    let kind = ContactKind::Address;
    let contact = people.add_contact(&new.session, kind, "evil@elsewhere.test").await.unwrap();
    people.prove_contact(&letter(&house, NoticeKind::Contact).await).await.unwrap();
    people.sign_in_with_contact(&new.session, contact.id).await.unwrap();
    let token = letter(&house, NoticeKind::ContactChanged).await;
    let (path, mut browser) = (format!("/link?token={}", token.reveal()), Browser::default());
    let page = house.get(&mut browser, &path).await;
    assert!(page.body.contains("It becomes operator@practice.test again."), "{}", page.body);
    let done = house.post(&mut browser, &path, "/link", &format!("token={}", token.reveal())).await;
    assert_eq!((done.status, done.location()), (303, "/link/secured"));
    let page = house.get(&mut browser, "/link/secured").await.body;
    assert!(page.contains("The address to sign in with is operator@practice.test again."), "{page}");
    assert!(page.contains("An address or telephone number of the last seven days was removed"), "{page}");
    assert!(!page.contains("evil@"), "{page}");
    house.end().await;
}

#[tokio::test]
async fn the_answer_to_a_forgotten_password_is_the_same_for_everybody() {
    let house = House::new().await;
    with_password(&house, Role::Operator).await;
    for address in ["operator%40practice.test", "nobody%40practice.test", "what"] {
        let fields = format!("address={address}");
        let reply = house.post(&mut Browser::default(), "/forgot", "/forgot", &fields).await;
        assert_eq!((reply.status, reply.location()), (303, "/forgot/sent"), "{address}");
    }
    let page = house.get(&mut Browser::default(), "/forgot/sent").await.body;
    assert!(page.contains("gatepost person reset-password") && page.contains("administrator"), "{page}");
    house.end().await;
}

#[tokio::test]
async fn proof_is_asked_for_once_and_leads_on() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Administrator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let fields = format!("code={}", it.code(&house));
    house.post(&mut browser, "/second-step", "/second-step", &fields).await;
    // Fresh from signing in.
    assert_eq!(house.get(&mut browser, "/confirm?then=/outbox").await.location(), "/outbox");
    house.it.clock.advance(Duration::from_mins(6));
    let path = "/confirm?then=/outbox";
    let page = house.get(&mut browser, path).await;
    assert!(page.body.contains("proof_code") && page.body.contains("by=recovery"), "{}", page.body);
    let wrong = house.post(&mut browser, path, path, "proof_code=000000&proof_misses=1").await;
    assert!(wrong.status == 422 && wrong.body.contains("The clock of Gatepost shows"), "{}", wrong.body);
    let body = format!("form_token={}&proof_code={}", page.form_token(), it.code(&house));
    assert_eq!(house.ask(&mut browser, "POST", path, "", &body).await.location(), "/outbox");
    // Posted again by a browser that is past it.
    assert_eq!(house.ask(&mut browser, "POST", path, "", &body).await.location(), "/outbox");
    // Also with a token that fits: the code is spent, and nobody is told that it is.
    let token = house.get(&mut browser, "/outbox").await.form_token();
    let spent = format!("form_token={token}&proof_code={}", it.code(&house));
    assert_eq!(house.ask(&mut browser, "POST", path, "", &spent).await.location(), "/outbox");
    assert_eq!(house.get(&mut browser, "/confirm?then=https://evil.example").await.location(), "/");
    house.end().await;
}

/// A form that was drawn in time and is sent too late: the fields, and the page that asks for a proof.
async fn asked_in_a_form(house: &House, it: &Enrolled, browser: &mut Browser) -> (String, Reply) {
    first_step(house, browser, &it.address, "").await;
    let fields = format!("code={}", it.code(house));
    house.post(browser, "/second-step", "/second-step", &fields).await;
    let page = house.get(browser, "/people/new").await;
    let form_id = page.body.split("name=\"form_id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    house.it.clock.advance(Duration::from_mins(6));
    let fields = format!(
        "form_token={}&form_id={form_id}&name=Ben+%26+Co&address=ben%40practice.test&role=operator",
        page.form_token()
    );
    let asked = house.ask(browser, "POST", "/people/new", "", &fields).await;
    assert!(asked.status == 200 && asked.body.contains("name=\"proof_code\""), "{}", asked.body);
    (fields, asked)
}

/// A12.
#[tokio::test]
async fn a_proof_in_the_middle_of_a_form_has_another_way_and_keeps_what_was_typed() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Administrator).await;
    let mut browser = Browser::default();
    let (fields, asked) = asked_in_a_form(&house, &it, &mut browser).await;
    let keeps = |reply: &Reply| {
        assert!(reply.body.contains("name=\"name\" value=\"Ben &#38; Co\""), "{}", reply.body);
        assert!(reply.body.contains("action=\"/people/new\""), "{}", reply.body);
    };
    let post = async |browser: &mut Browser, more: &str| {
        house.ask(browser, "POST", "/people/new", "", &format!("{fields}&{more}")).await
    };
    keeps(&asked);
    assert!(asked.body.contains("name=\"proof_by\" value=\"recovery\""), "{}", asked.body);
    let empty = post(&mut browser, "proof_code=").await;
    assert!(empty.status == 422 && empty.body.contains("Type the six digits"), "{}", empty.body);
    // Counted by the form: the time here is named from the second miss on.
    let wrong = post(&mut browser, "proof_code=000000").await;
    assert!(wrong.status == 422 && !wrong.body.contains("The clock of Gatepost"), "{}", wrong.body);
    assert!(wrong.body.contains("name=\"proof_misses\" value=\"1\""), "{}", wrong.body);
    let wrong = post(&mut browser, "proof_misses=1&proof_code=000000").await;
    assert!(wrong.status == 422 && wrong.body.contains("The clock of Gatepost shows"), "{}", wrong.body);
    keeps(&wrong);
    // There and back, whatever was typed into the field.
    let other = post(&mut browser, "proof_misses=2&proof_code=12&proof_by=recovery").await;
    assert!(other.status == 200 && !other.body.contains("aria-invalid"), "{}", other.body);
    assert!(other.body.contains("name=\"proof_recovery_code\"") && !other.body.contains("\"proof_code\""));
    assert!(other.body.contains("name=\"proof_by\" value=\"app\""), "{}", other.body);
    keeps(&other);
    let back = post(&mut browser, "proof_recovery_code=&proof_by=app").await;
    assert!(back.status == 200 && back.body.contains("name=\"proof_code\""), "{}", back.body);
    let wrong = post(&mut browser, "proof_recovery_code=AAAA-BBBB-CCCCC").await;
    assert!(wrong.status == 422 && wrong.body.contains("This recovery code is wrong"), "{}", wrong.body);
    keeps(&wrong);
    let right = format!("proof_recovery_code={}", it.codes.0[1].reveal());
    let done = post(&mut browser, &right).await;
    assert!(done.status == 303 && done.location().contains("/link?form="), "{}", done.body);
    let address = "ben@practice.test".parse().unwrap();
    let ben = house.rooms.identity.find_person(house.organisation, &address);
    assert_eq!(ben.await.unwrap().unwrap().name, "Ben & Co");
    house.end().await;
}

/// A12, ID-7.
#[tokio::test]
async fn who_is_slowed_in_the_middle_of_a_form_reads_for_how_long_and_loses_nothing() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Administrator).await;
    let mut browser = Browser::default();
    let (fields, _) = asked_in_a_form(&house, &it, &mut browser).await;
    let mut last = None;
    for n in 0..7 {
        let body = format!("{fields}&proof_misses={n}&proof_code=00000{n}");
        last = Some(house.ask(&mut browser, "POST", "/people/new", "", &body).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429, "{}", last.body);
    assert!(last.headers("retry-after")[0].parse::<u64>().unwrap() > 1);
    assert!(last.body.contains("Too many tries. Wait"), "{}", last.body);
    assert!(last.body.contains("name=\"name\" value=\"Ben &#38; Co\""), "{}", last.body);
    house.end().await;
}

/// A12: in a browser that clicks twice, the second answer is the one that is seen.
#[tokio::test]
async fn the_second_click_on_a_proof_goes_on_as_the_first_did() {
    let house = Arc::new(House::new().await);
    let it = Enrolled::new(&house, Role::Administrator).await;
    for n in 0..3 {
        let mut browser = Browser::default();
        let (fields, _) = asked_in_a_form(&house, &it, &mut browser).await;
        let address = format!("ben{n}%40practice.test");
        let fields = fields.replace("ben%40practice.test", &address);
        let body = format!("{fields}&proof_code={}", it.code(&house));
        let stale = browser.clone();
        let clicks: Vec<_> = (0..8)
            .map(|_| {
                let (house, mut browser, body) = (Arc::clone(&house), stale.clone(), body.clone());
                tokio::spawn(async move {
                    let reply = house.ask(&mut browser, "POST", "/people/new", "", &body).await;
                    (reply, browser)
                })
            })
            .collect();
        let mut browsers = Vec::new();
        for one in clicks {
            browsers.push(one.await.unwrap());
        }
        // And one more, after all is over.
        let mut late = stale.clone();
        browsers.push((house.ask(&mut late, "POST", "/people/new", "", &body).await, late));
        let leads_to = browsers[0].0.location().to_owned();
        assert!(leads_to.contains("/link?form="), "{}", browsers[0].0.body);
        let session = browsers[0].1.find("session").unwrap().to_owned();
        assert_ne!(Some(session.as_str()), stale.find("session"));
        for (reply, browser) in &browsers {
            assert_eq!((reply.status, reply.location()), (303, leads_to.as_str()), "{}", reply.body);
            assert_eq!(browser.find("session"), Some(session.as_str()), "all in one session");
        }
        let shown = house.get(&mut browsers[8].1.clone(), &leads_to).await;
        assert!(shown.body.contains("handed-link"), "{}", shown.body);
        house.it.clock.advance(Duration::from_secs(30));
    }
    Arc::into_inner(house).unwrap().end().await;
}

/// The cookie from before a proof opens nothing but what that very proof was shown for.
#[tokio::test]
async fn the_cookie_from_before_a_proof_goes_on_with_that_proof_alone() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Administrator).await;
    let mut browser = Browser::default();
    let (fields, _) = asked_in_a_form(&house, &it, &mut browser).await;
    let (code, stale) = (it.code(&house), browser.clone());
    let body = format!("{fields}&proof_code={code}");
    assert_eq!(house.ask(&mut browser, "POST", "/people/new", "", &body).await.status, 303);
    let forged = body.replace("form_token=", "form_token=A");
    for (what, body) in [
        ("no proof", fields.clone()),
        ("another code", format!("{fields}&proof_code=000000")),
        ("a code as something else", format!("{fields}&proof_recovery_code={code}")),
        ("another form", forged),
        ("another way", format!("{body}&proof_by=recovery")),
    ] {
        let mut thief = stale.clone();
        let reply = house.ask(&mut thief, "POST", "/people/new", "", &body).await;
        assert!(reply.status == 303 && reply.location().starts_with("/sign-in"), "{what}: {}", reply.head);
        assert!(reply.headers("set-cookie").is_empty(), "{what}: {}", reply.head);
    }
    // Without the visitor's cookie no form is believed, and nobody goes on who was signed out in the meantime.
    let mut thief = stale.clone();
    thief.keep("visitor", "");
    let reply = house.ask(&mut thief, "POST", "/people/new", "", &body).await;
    assert!(reply.location().starts_with("/sign-in") && thief.find("session") == stale.find("session"));
    assert_eq!(house.get(&mut stale.clone(), "/people").await.status, 303);
    let out = house.post(&mut browser, "/", "/sign-out", "").await;
    assert_eq!(out.location(), "/sign-in");
    let reply = house.ask(&mut stale.clone(), "POST", "/people/new", "", &body).await;
    assert!(reply.location().starts_with("/sign-in"), "{}", reply.head);
    house.end().await;
}

#[tokio::test]
async fn a_session_that_lasts_asks_for_one_factor_a_day() {
    let house = House::new().await;
    let it = Enrolled::new(&house, Role::Operator).await;
    let mut browser = Browser::default();
    first_step(&house, &mut browser, &it.address, "").await;
    let fields = format!("code={}", it.code(&house));
    house.post(&mut browser, "/second-step", "/second-step", &fields).await;
    house.post(&mut browser, "/stay", "/stay", "answer=yes").await;
    house.it.clock.advance(Duration::from_hours(25));
    assert_eq!(house.get(&mut browser, "/outbox").await.location(), "/confirm?then=/outbox");
    let path = "/confirm?then=/outbox";
    let page = house.get(&mut browser, path).await.body;
    assert!(page.contains("proof_password"), "{page}");
    let wrong = house.post(&mut browser, path, path, "proof_password=wrong").await;
    assert!(wrong.body.contains("This password is wrong."), "{}", wrong.body);
    let done = house.post(&mut browser, path, path, &format!("proof_password={TYPED}")).await;
    assert_eq!(done.location(), "/outbox");
    assert_eq!(house.get(&mut browser, "/outbox").await.status, 200);
    house.end().await;
}

#[tokio::test]
async fn the_organisation_is_named_once_and_by_its_administrator() {
    let house = House::new().await;
    house.execute("FIND_ORGANISATION", "UPDATE {table} SET set_up_at = NULL").await;
    let mut operator = house.signed_in(Role::Operator).await;
    assert_eq!(house.get(&mut operator, "/set-up").await.location(), "/");
    assert_eq!(house.get(&mut operator, "/").await.status, 200, "it is not theirs to do");
    let mut browser = house.signed_in(Role::Administrator).await;
    assert_eq!(house.get(&mut browser, "/").await.location(), "/set-up");
    let page = house.get(&mut browser, "/set-up").await;
    assert!(page.body.contains("value=\"Praxis &#60;Süd&#62;\""), "{}", page.body);
    let token = page.form_token();
    let empty = format!("form_token={token}&organisation=&location=+");
    let empty = house.ask(&mut browser, "POST", "/set-up", "", &empty).await;
    assert!(empty.status == 422 && empty.body.contains("href=\"#location\""), "{}", empty.body);
    let named = format!("form_token={token}&organisation=Praxis+S%C3%BCd&location=Main+Street");
    for _ in 0..2 {
        assert_eq!(house.ask(&mut browser, "POST", "/set-up", "", &named).await.location(), "/");
    }
    let of = house.organisation;
    assert!(house.rooms.identity.find_location(of, "Main Street").await.unwrap().is_some());
    let home = house.get(&mut browser, "/").await.body;
    assert!(home.contains("Praxis Süd") && home.contains("Gatepost is set up."), "{home}");
    assert_eq!(house.get(&mut browser, "/set-up").await.location(), "/");
    house.end().await;
}
