//! The page over real sockets, with made-up accounts and letters.

use std::sync::Mutex;
use std::time::Duration;

use gatepost_core::{Diagnosis, EmailAddress, RetryClass, Timestamp, Who};
use gatepost_testkit::ManualClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::{AccountState, AttemptResult, AttemptView, DeliveryState, RecipientView};

/// `None` where the database is away.
struct Made(Mutex<Option<(Vec<AccountView>, Vec<SubmissionView>)>>);

impl Made {
    fn read(&self) -> Result<(Vec<AccountView>, Vec<SubmissionView>), StatusUnavailable> {
        let made = self.0.lock().unwrap().clone();
        made.ok_or_else(|| StatusUnavailable("disk /secret/path on fire".into()))
    }
}

impl StatusSource for Made {
    async fn accounts(&self) -> Result<Vec<AccountView>, StatusUnavailable> {
        Ok(self.read()?.0)
    }

    async fn outbox(&self, at_most: usize) -> Result<Vec<SubmissionView>, StatusUnavailable> {
        Ok(self.read()?.1.into_iter().take(at_most).collect())
    }
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn ago(seconds: u64) -> Timestamp {
    ManualClock::START - Duration::from_secs(seconds)
}

fn connected() -> AccountView {
    AccountView {
        short_name: "Reception".into(),
        address: address("reception@sandbox.test"),
        provider: "Sandbox".into(),
        state: AccountState::Connected,
        since: Some(ago(3_600)),
        diagnosis: None,
        provider_words: None,
        n_waiting: 0,
    }
}

fn signed_out() -> AccountView {
    let diagnosis = Diagnosis {
        rule: "sandbox-refused".into(),
        cause: "The provider refused the sign-in: the password was changed.".into(),
        cure: "Open Mail accounts, choose this one, then Sign in again.".into(),
        who: Who::Owner,
        retry: RetryClass::Hold,
    };
    AccountView {
        short_name: "Dr Berg".into(),
        address: address("berg@sandbox.test"),
        state: AccountState::NeedsSignIn,
        diagnosis: Some(diagnosis),
        provider_words: Some(b"535-5.7.8 Username and Password\r\n535 5.7.8 not accepted".to_vec()),
        n_waiting: 34,
        ..connected()
    }
}

fn recipient(text: &str, state: DeliveryState) -> RecipientView {
    RecipientView { address: address(text), state, is_uncertain: false }
}

fn attempt(seconds_ago: u64, result: AttemptResult, words: &str) -> AttemptView {
    AttemptView { at: ago(seconds_ago), recipient: None, result, words: words.as_bytes().to_vec() }
}

fn sent() -> SubmissionView {
    SubmissionView {
        id: "0192f0c1-0000-7000-8000-000000000001".into(),
        message_id: Some("first@practice.test".into()),
        from: Some(address("reception@sandbox.test")),
        recipients: vec![recipient("ana@sandbox.test", DeliveryState::Sent)],
        state: DeliveryState::Sent,
        because: None,
        accepted_at: ago(60),
        next_attempt_at: None,
        attempts: vec![attempt(59, AttemptResult::Sent, "250 2.0.0 OK, kept as 1a1fd60770000000")],
    }
}

fn mixed() -> SubmissionView {
    let at = |text: &str, state, is_uncertain| RecipientView { address: address(text), state, is_uncertain };
    SubmissionView {
        id: "0192f0c1-0000-7000-8000-000000000002".into(),
        recipients: vec![
            at("ana@sandbox.test", DeliveryState::Sent, false),
            at("later@sandbox.test", DeliveryState::Deferred, true),
            at("never@sandbox.test", DeliveryState::Failed, false),
        ],
        state: DeliveryState::Deferred,
        next_attempt_at: Some(ManualClock::START + Duration::from_secs(120)),
        attempts: vec![
            AttemptView {
                recipient: Some(address("never@sandbox.test")),
                ..attempt(58, AttemptResult::Refused, "550-5.1.1 No such\r\n550 5.1.1 mailbox")
            },
            AttemptView {
                recipient: Some(address("later@sandbox.test")),
                ..attempt(57, AttemptResult::NotNow, "450 4.2.1 Try later")
            },
            attempt(30, AttemptResult::Uncertain, ""),
        ],
        ..sent()
    }
}

fn held() -> SubmissionView {
    SubmissionView {
        id: "0192f0c1-0000-7000-8000-000000000003".into(),
        from: None,
        recipients: vec![recipient("bo@sandbox.test", DeliveryState::Held)],
        state: DeliveryState::Held,
        because: Some("Dr Berg's mailbox needs a new sign-in.".into()),
        attempts: Vec::new(),
        ..sent()
    }
}

/// The head and the body of the answer.
async fn ask(made: Option<(Vec<AccountView>, Vec<SubmissionView>)>, path: &str) -> (String, String) {
    let (world, _) = gatepost_testkit::world();
    let portal = Portal::bind("127.0.0.1:0".parse().unwrap(), Made(Mutex::new(made)), &world).unwrap();
    let (address, stop) = (portal.address(), CancellationToken::new());
    let running = tokio::spawn(portal.run(stop.clone()));
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn page(accounts: Vec<AccountView>, letters: Vec<SubmissionView>) -> String {
    let (head, body) = ask(Some((accounts, letters)), "/").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body
}

#[tokio::test]
async fn a_connected_account_has_a_tick_in_words_and_shape() {
    let page = page(vec![connected()], vec![]).await;
    assert!(page.contains("<span class=\"badge good\"><svg class=\"icon\""), "{page}");
    assert!(page.contains("</svg>Connected</span>") && page.contains("reception@sandbox.test"), "{page}");
    assert!(page.contains("Since <time datetime=\"2026-11-21T08:12:00.000Z\">"), "{page}");
}

#[tokio::test]
async fn a_cross_says_what_why_what_to_do_who_and_how_many_wait() {
    let page = page(vec![signed_out()], vec![]).await;
    for text in [
        "</svg>Needs sign-in</span>",
        "the password was changed",
        "then Sign in again.",
        "the owner of the mailbox",
        "34 letters wait and will leave by themselves.",
        "535-5.7.8 Username and Password\n535 5.7.8 not accepted",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[tokio::test]
async fn a_letter_shows_each_step_with_the_providers_words() {
    let page = page(vec![connected()], vec![mixed(), sent()]).await;
    let steps = [
        "Accepted and stored safely",
        "The provider refused it",
        "550-5.1.1 No such\n550 5.1.1 mailbox",
        "The provider said: not now",
        "450 4.2.1 Try later",
        "The connection ended before the provider answered",
        "Next try",
    ];
    let places: Vec<_> =
        steps.iter().map(|it| page.find(it).unwrap_or_else(|| panic!("{it}: {page}"))).collect();
    assert!(places.is_sorted(), "in the order in which they happened: {places:?}");
    assert!(page.contains("may have arrived already"));
    assert!(page.contains("250 2.0.0 OK, kept as"));
}

#[tokio::test]
async fn a_held_letter_says_why() {
    let page = page(vec![signed_out()], vec![held()]).await;
    assert!(page.contains("Dr Berg&#39;s mailbox needs a new sign-in."), "{page}");
    assert!(page.contains("Notice from Gatepost to") && page.contains("</svg>Held</span>"), "{page}");
}

#[tokio::test]
async fn an_empty_page_has_a_way_on() {
    let page = page(vec![], vec![]).await;
    assert!(page.contains("gatepost account add") && page.contains("What applications send appears here"));
}

#[tokio::test]
async fn what_others_write_is_shown_as_text() {
    for attack in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</code></main><h1>x"] {
        let mut account = signed_out();
        account.short_name = attack.into();
        account.provider = attack.into();
        account.provider_words = Some(attack.into());
        let mut letter = mixed();
        letter.message_id = Some(attack.into());
        letter.because = Some(attack.into());
        letter.attempts[0].words = [attack.as_bytes(), b"\x1b[31m\xff\xe2\x80\xae"].concat();
        let page = page(vec![account], vec![letter]).await;
        for tag in ["<script", "<img", "</main><h1>", "\u{1b}", "\u{202e}"] {
            assert!(!page.contains(tag), "{tag}: {page}");
        }
        assert!(page.contains("\\u{1b}[31m\\xff\\u{202e}"), "{page}");
    }
}

#[tokio::test]
async fn a_page_stays_below_sixty_kilobytes() {
    let mut letter = mixed();
    letter.attempts = (0..50).map(|nth| attempt(nth, AttemptResult::NotNow, &"4".repeat(2_048))).collect();
    letter.recipients =
        (0..500).map(|nth| recipient(&format!("r{nth}@sandbox.test"), DeliveryState::Deferred)).collect();
    let page = page(vec![signed_out()], vec![letter; 40]).await;
    let (_, style) = ask(Some((vec![], vec![])), "/style.css").await;
    assert!(page.len() + style.len() < 60_000, "{} + {}", page.len(), style.len());
    for text in ["42 earlier tries", "and 490 more", "gatepost outbox list"] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn nothing_on_the_page_is_inline_or_from_elsewhere() {
    let page = page(vec![connected(), signed_out()], vec![mixed(), sent(), held()]).await;
    for inline in ["<style", " style=", "<script", " onclick", "http://", "https://"] {
        assert!(!page.contains(inline), "{inline}: {page}");
    }
}

#[tokio::test]
async fn the_page_renews_itself_unless_somebody_wants_to_read() {
    let made = || Some((vec![connected()], vec![]));
    let renews = "<meta http-equiv=\"refresh\" content=\"5\">";
    assert!(ask(made(), "/").await.1.contains(renews));
    assert!(!ask(made(), "/?still").await.1.contains(renews));
}

#[tokio::test]
async fn health_and_readiness_are_told_apart() {
    for (path, is_away, status) in [
        ("/healthz", false, 200),
        ("/healthz", true, 200),
        ("/readyz", false, 200),
        ("/readyz", true, 503),
        ("/", true, 503),
        ("/x", false, 404),
    ] {
        let made = (!is_away).then(|| (vec![connected()], vec![]));
        let (head, body) = ask(made, path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path} {is_away}: {head}");
        assert!(!body.contains("/secret/path"), "{body}");
    }
}

#[tokio::test]
async fn the_status_page_is_on_loopback_only() {
    let (world, _) = gatepost_testkit::world();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Portal::bind(address.parse().unwrap(), Made(Mutex::default()), &world).err().unwrap();
        assert!(matches!(refused, PortalError::NotLoopback(_)), "{refused}");
    }
}
