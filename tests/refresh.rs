//! What becomes of grants when the program is killed in the middle of a refresh (OC-6), and where tokens may be read when a
//! provider repeats them (OC-8).
//!
//! The witnesses are the sandbox, which counts what it exchanged and keeps the letters, and a door before its token endpoint.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use gatepost_testkit::{PostgresServer, wait_until};
use harness::{
    AppPassword, Canary, Dialogue, Gate, Hold, Outcome, Running, Search, Servers, SignInHouse, Visitor,
    link_of, python,
};
use serde_json::{Value, json};

const ANNA: &str = "anna@sandbox.test";
/// Long, because a claim that was never answered is believed for half a minute, and the machine may do other things.
const SOON: Duration = Duration::from_secs(180);

/// Mailboxes by the moment at which their refresh is killed.
const BEFORE_THE_REQUEST: &str = "before@sandbox.test";
const BEFORE_THE_ANSWER: &str = "unanswered@sandbox.test";
const BEFORE_IT_IS_STORED: &str = "unstored@sandbox.test";
const BEFORE_IT_IS_USED: &str = "unused@sandbox.test";
const MOMENTS: [&str; 4] = [BEFORE_THE_REQUEST, BEFORE_THE_ANSWER, BEFORE_IT_IS_STORED, BEFORE_IT_IS_USED];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// Four mailboxes, and a server to be killed.
struct Campaign {
    house: SignInHouse,
    database: Option<String>,
    /// Before the server for sending of one of them.
    gate: Gate,
    logins: BTreeMap<&'static str, AppPassword>,
}

impl Campaign {
    fn new(engine: Engine, rotation: &str) -> (Self, Running) {
        let database = (engine == Engine::Postgres).then(|| PostgresServer::shared().fresh_database());
        let top = database.as_ref().map_or_else(String::new, |url| format!("database_url = \"{url}\"\n"));
        let house = SignInHouse::start(&top, "");
        house.register();
        house.mailboxes().put("oauth", &json!({ "rotation": rotation }).to_string());
        let gate = Gate::before(&house.provider.smtp());
        let server = house.it.serve();
        let smtp = gate.address();
        for address in MOMENTS {
            let smtp = (address == BEFORE_IT_IS_USED).then_some(smtp.as_str());
            house.connect(address, Servers { smtp, ..Servers::default() });
        }
        let logins = MOMENTS.map(|it| (it, house.it.app_password(it, &[]))).into();
        (Self { house, database, gate, logins }, server)
    }

    /// A letter whose sending needs another token.
    fn send(&self, server: &Running, address: &'static str, subject: &str) {
        self.house.tokens(address, "expire");
        self.house.send(server, &self.logins[address], ANNA, &[subject]);
    }

    /// Brings each refresh to its moment, and kills.
    fn kill(&self, server: Running) {
        let door = &self.house.door;
        door.hold(BEFORE_IT_IS_USED, Hold::Answer);
        self.send(&server, BEFORE_IT_IS_USED, BEFORE_IT_IS_USED);
        door.await_held(BEFORE_IT_IS_USED);
        self.gate.shut();
        door.let_go(BEFORE_IT_IS_USED);
        // With the new token in hand it comes again.
        self.gate.await_somebody();
        for (address, hold) in [
            (BEFORE_THE_REQUEST, Hold::Request),
            (BEFORE_THE_ANSWER, Hold::Answer),
            (BEFORE_IT_IS_STORED, Hold::Answer),
        ] {
            door.hold(address, hold);
            self.send(&server, address, address);
        }
        for address in [BEFORE_THE_REQUEST, BEFORE_THE_ANSWER, BEFORE_IT_IS_STORED] {
            door.await_held(address);
        }
        let lock = self.lock_database();
        door.hand_over(BEFORE_IT_IS_STORED);
        server.kill();
        drop(lock);
        self.gate.open();
    }

    /// Nothing can be stored until it is dropped.
    fn lock_database(&self) -> Dialogue {
        let mut lock = match &self.database {
            None => {
                let mut python = python();
                let program = "import sqlite3, sys\n\
                    it = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
                    it.execute('BEGIN IMMEDIATE')\n\
                    print('locked', flush=True)\n\
                    sys.stdin.read()";
                python.args(["-c", program]).arg(self.house.it.folder().join("data/gatepost.db"));
                Dialogue::begin(&mut python)
            }
            Some(url) => {
                let mut psql = Command::new("psql");
                psql.args(["--no-psqlrc", "--quiet", "--tuples-only", url]);
                let mut psql = Dialogue::begin(&mut psql);
                psql.say("BEGIN; LOCK TABLE credential IN SHARE ROW EXCLUSIVE MODE; SELECT 'locked';");
                psql
            }
        };
        lock.hear("locked");
        lock
    }

    fn n_arrived(&self, subject: &str) -> usize {
        self.house.mailboxes().count(ANNA, subject)
    }

    #[track_caller]
    fn await_letter(&self, subject: &str) {
        let arrived = wait_until(SOON, || (self.n_arrived(subject) == 1).then_some(()));
        assert!(arrived.is_some(), "{subject}: {:#?}", self.house.it.letters(&[]));
    }

    /// How often the sandbox exchanged a token of each that still has a grant.
    fn exchanged(&self) -> BTreeMap<String, u64> {
        let grants: Vec<Value> = serde_json::from_str(&self.house.mailboxes().get("tokens")).unwrap();
        let one =
            |it: &Value| (it["account"].as_str().unwrap().to_owned(), it["n_refreshes"].as_u64().unwrap());
        grants.iter().map(one).collect()
    }

    fn n_refreshes(&self) -> [usize; 4] {
        MOMENTS.map(|it| self.house.door.n_refreshes(it))
    }
}

fn the_previous_token_is_still_good(engine: Engine) {
    let (campaign, server) = Campaign::new(engine, "lenient");
    campaign.kill(server);
    assert_eq!(campaign.n_refreshes(), [1, 1, 1, 1]);
    let server = campaign.house.it.serve();
    // Without anybody's help.
    for address in MOMENTS {
        campaign.await_letter(address);
    }
    let is_connected =
        |address: &&str| campaign.house.it.account(address)["sending"]["status"] == "connected";
    assert!(MOMENTS.iter().all(is_connected));
    // What was stored and never used is used; all others are exchanged once more.
    assert_eq!(campaign.n_refreshes(), [2, 2, 2, 1]);
    let exchanged = campaign.exchanged();
    assert_eq!(MOMENTS.map(|it| exchanged[it]), [1, 2, 2, 1]);
    // And it goes on like that.
    campaign.send(&server, BEFORE_IT_IS_STORED, "The next");
    campaign.await_letter("The next");
    assert_eq!(campaign.n_refreshes(), [2, 2, 3, 1]);
    server.stop();
}

fn an_exchanged_token_is_spent_at_once(engine: Engine) {
    const SURVIVORS: [&str; 2] = [BEFORE_THE_REQUEST, BEFORE_IT_IS_USED];
    const LOST: [&str; 2] = [BEFORE_THE_ANSWER, BEFORE_IT_IS_STORED];
    let (campaign, server) = Campaign::new(engine, "strict");
    campaign.kill(server);
    let server = campaign.house.it.serve();
    for address in SURVIVORS {
        campaign.await_letter(address);
    }
    let house = &campaign.house;
    for address in LOST {
        let is_told = |it: &Value| it["diagnosis"]["rule"] == "grant-answer-lost";
        let told = wait_until(SOON, || Some(house.it.account(address)).filter(is_told));
        let told = told.unwrap_or_else(|| panic!("{}", house.it.account(address)));
        for direction in ["sending", "reading"] {
            assert_eq!(told[direction]["status"], "needs_sign_in", "{told:#}");
        }
        assert_eq!((&told["diagnosis"]["retry"], &told["waiting"]), (&json!("hold"), &json!(1)), "{told:#}");
    }
    let asked = campaign.n_refreshes();
    assert_eq!(asked, [2, 2, 2, 1]);
    // Nobody asks again: not for a letter, not for a check, not after another start, whatever the others do meanwhile.
    for address in LOST {
        house.send(&server, &campaign.logins[address], ANNA, &[address]);
        assert_eq!(house.it.command(&["account", "check", address]).code, Some(1));
    }
    server.stop();
    let server = house.it.serve();
    campaign.send(&server, BEFORE_IT_IS_USED, "Meanwhile");
    campaign.await_letter("Meanwhile");
    assert_eq!(campaign.n_refreshes(), [2, 2, 2, 2]);
    assert_eq!(LOST.map(|it| campaign.n_arrived(it)), [0, 0]);
    // Signing in again is the cure.
    let address = BEFORE_THE_ANSWER;
    house.finish(house.signing_in_again(address, &["--json"]), address).done();
    let left = wait_until(SOON, || (campaign.n_arrived(address) == 2).then_some(()));
    assert!(left.is_some(), "{:#?}", house.it.letters(&[]));
    server.stop();
}

/// OC-6.
#[test]
fn killed_at_each_point_of_a_refresh_the_grant_survives_and_the_letters_leave() {
    the_previous_token_is_still_good(Engine::Sqlite);
}

/// OC-6.
#[test]
fn killed_on_postgresql_at_each_point_of_a_refresh_the_grant_survives_and_the_letters_leave() {
    the_previous_token_is_still_good(Engine::Postgres);
}

/// OC-6.
#[test]
fn where_the_lost_answer_ended_the_grant_the_account_says_so_and_nobody_asks_again() {
    an_exchanged_token_is_spent_at_once(Engine::Sqlite);
}

/// OC-6.
#[test]
fn where_the_lost_answer_ended_the_grant_on_postgresql_the_account_says_so_and_nobody_asks_again() {
    an_exchanged_token_is_spent_at_once(Engine::Postgres);
}

/// OC-8.
#[test]
fn a_provider_that_repeats_tokens_leaves_them_in_no_row_answer_or_log() {
    const DEAD: &str = "dead@sandbox.test";
    const ILL: &str = "ill@sandbox.test";
    const SMTP: &str = "smtp@sandbox.test";
    const IMAP: &str = "imap@sandbox.test";
    const MAIL: &str = "mail@sandbox.test";
    const NEW: &str = "new@sandbox.test";
    let house = SignInHouse::start("", "[log]\nlevel = \"trace\"");
    house.register();
    let server = house.it.serve();
    let mut answers: Vec<(String, Outcome)> = Vec::new();
    for address in [DEAD, ILL, SMTP, IMAP, MAIL] {
        let adding = house.adding(address, Servers::default(), &["--json"]);
        answers.push((format!("account add {address}"), house.finish(adding, address)));
    }
    // The token endpoint, for good and for now.
    house.door.echo(DEAD, 400, "invalid_grant");
    house.door.echo(ILL, 503, "temporarily_unavailable");
    // The mail servers, at sign-in and behind it. A refused token is replaced once, so they repeat each that there is.
    for (address, door, phase, before) in [
        (SMTP, "smtp", "auth", "535 5.7.8"),
        (IMAP, "imap", "auth", "NO [AUTHENTICATIONFAILED]"),
        (MAIL, "smtp", "mail", "550 5.7.1"),
    ] {
        let mailboxes = house.mailboxes();
        let repeat = move |token: &str| {
            let text = format!("{before} The token {token} is not welcome; write to help@sandbox.test");
            let fault =
                json!({ "fault": "reply", "door": door, "phase": phase, "account": address, "text": text });
            mailboxes.fault(&fault.to_string());
        };
        let tokens = house.door.tokens(address);
        repeat(tokens.iter().find(|it| !it.starts_with("refresh-")).unwrap());
        house.door.on_access(address, repeat);
    }
    for address in [DEAD, ILL] {
        house.tokens(address, "expire");
    }
    for address in [DEAD, ILL, SMTP, IMAP, MAIL] {
        let with = house.it.app_password(address, &[]);
        let checked = house.it.command(&["account", "check", address, "--json"]);
        assert_eq!(checked.code, Some(1), "{address}: {checked:?}");
        answers.push((format!("account check {address}"), checked));
        house.send(&server, &with, ANNA, &[address]);
    }
    // Each account has heard it by now, but for what only letters tell.
    house.mailboxes().await_subject(ANNA, IMAP);
    // Codes are secrets too, until they are spent.
    house.door.echo_codes();
    let mut adding = house.adding(NEW, Servers::default(), &["--json"]);
    let pasted = Visitor::new().allow(&link_of(&adding.hear("\"link\"")), NEW, &[]);
    adding.say(&pasted);
    let refused = adding.end();
    assert!(refused.code == Some(1) && refused.stderr.contains("Cure: "), "{refused:?}");
    answers.push(("account add with a code".to_owned(), refused));

    for args in [&["account", "list"][..], &["outbox", "list"]] {
        answers.push((args.join(" "), house.it.command(args)));
        answers.push((args.join(" "), house.it.command(&[args, &["--json"]].concat())));
    }
    for address in [DEAD, ILL, SMTP, IMAP, MAIL] {
        answers.push((format!("account show {address}"), house.it.command(&["account", "show", address])));
    }
    for letter in house.it.letters(&[]) {
        let id = letter["id"].as_str().unwrap();
        answers.push(("outbox show".to_owned(), house.it.command(&["outbox", "show", id])));
    }
    let log = server.log.clone();
    let data = house.it.folder().join("data");
    let canary = |name, it: &String| Canary::new(name, it.as_bytes());
    let tokens: Vec<String> =
        [DEAD, ILL, SMTP, IMAP, MAIL].iter().flat_map(|it| house.door.tokens(it)).collect();
    let codes = house.door.spoilt_codes();
    assert!(tokens.len() >= 10 && codes.len() == 1, "{tokens:?} {codes:?}");
    let mut canaries: Vec<Canary> = tokens.iter().map(|it| canary("a token", it)).collect();
    canaries.extend(codes.iter().map(|it| canary("a code", it)));
    let mut search = Search { canaries, n_places: 0, found: Vec::new() };
    let look = |search: &mut Search| {
        for (name, outcome) in &answers {
            search.look_at_outcome(name, outcome);
        }
        search.look("the log", &std::fs::read(&log).unwrap());
        search.look_through(&data);
    };
    look(&mut search);
    assert_eq!(search.found, Vec::<String>::new());

    // What the providers said beside it is there, in rows and in answers.
    let words = Canary::new("their words", b"is not welcome; write to help@sandbox.test");
    let mut beside = Search { canaries: vec![words], n_places: 0, found: Vec::new() };
    look(&mut beside);
    let is_found = |place: &str| beside.found.iter().any(|it| it.contains(place));
    for place in
        ["gatepost.db", "account show dead", "account show smtp", "account check imap", "outbox show"]
    {
        assert!(is_found(place), "{place}: {:?}", beside.found);
    }
    // And a token that somebody writes into a row would have been found.
    house.it.command(&["account", "edit", DEAD, "--short-name", &tokens[0]]).done();
    search.look_through(&data);
    assert!(search.found.iter().any(|it| it.contains("gatepost.db")), "{:?}", search.found);
    server.stop();
}
