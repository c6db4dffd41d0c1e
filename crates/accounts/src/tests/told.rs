//! What IT reads in the log, at the level that is usual.

use std::sync::{Arc, LazyLock, Mutex};

use gatepost_testkit::on_both_engines;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;

use super::*;

on_both_engines!(
    ROOMS;
    a_mailbox_that_breaks_and_works_again_is_told_once_each,
    what_people_do_with_an_account_is_told,
    who_ended_a_connection_is_told_and_written_down,
    words_of_a_provider_are_one_printable_line_of_the_log,
);

/// What is logged on this thread while it lives.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        // Where only one listens, tracing asks the thread that comes first to a line, which may be another test's. A second one
        // that lives on makes it ask everybody.
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));
        LazyLock::force(&SECOND);
        let it = Self::default();
        let listening = tracing_subscriber::fmt().with_ansi(false).with_writer(it.clone()).finish();
        let guard = tracing::subscriber::set_default(listening);
        (it, guard)
    }

    /// The lines since the last call.
    pub(super) fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[track_caller]
fn check(log: &Log, want: &[&[&str]]) {
    let lines = log.lines();
    assert_eq!(lines.len(), want.len(), "{lines:#?}");
    for (line, pieces) in lines.iter().zip(want) {
        for piece in *pieces {
            assert!(line.contains(piece), "no {piece:?} in {line}");
        }
        // OP-1: no secret, and no address in full.
        assert!(!line.contains("correct horse") && !line.contains("reception@"), "{line}");
    }
}

async fn a_mailbox_that_breaks_and_works_again_is_told_once_each(it: TestStore) {
    let (log, _listening) = Log::listen();
    let it = Fixture::new(it).await;
    let id = format!("account.id={}", it.id);
    check(&log, &[&[" INFO ", "a mail account was connected", "account.address=\"r…@example.org\"", &id]]);
    it.report(What::Succeeded).await;
    check(&log, &[&[" INFO ", "a mail account can send", "before=\"unchecked\""]]);
    it.report(What::LetterSent).await;
    check(&log, &[]);
    it.report(refused()).await;
    let warning: &[&str] = &[
        " WARN ",
        "a mail account cannot send",
        "account.address=\"r…@example.org\"",
        &id,
        "direction=\"sending\"",
        "status=\"needs_sign_in\"",
        "rule=\"x-sign-in-refused\"",
        "cause=\"The provider refused the sign-in",
        "cure=\"",
        "who=",
        "reply=\"535 5.7.8 Authentication credentials invalid\"",
    ];
    check(&log, &[warning, &[" INFO ", "letters of this mail account are held from now on", &id]]);
    for _ in 0..3 {
        it.advance(600);
        it.report(refused()).await;
    }
    check(&log, &[]);
    it.report(What::Succeeded).await;
    check(
        &log,
        &[
            &[" INFO ", "a mail account can send", "before=\"needs_sign_in\""],
            &[" INFO ", "letters of this mail account are held no longer"],
        ],
    );
    it.advance(60);
    it.report(unreachable()).await;
    it.advance(60);
    it.report(unreachable()).await;
    check(&log, &[&[" WARN ", "status=\"failing\"", "rule=\"connection-refused\""]]);
    let event = it.event(refused()).await;
    it.accounts.report(it.organisation, it.id, Direction::Reading, event).await.unwrap();
    check(&log, &[&[" WARN ", "a mail account cannot be read", "direction=\"reading\""]]);
}

async fn who_ended_a_connection_is_told_and_written_down(it: TestStore) {
    let it = Fixture::new(it).await;
    let (log, _listening) = Log::listen();
    let world = &it.it.world;
    let (app_password, person) = (AppPasswordId::new(world), PersonId::new(world));
    let ended = EndedConnection {
        app_password,
        name: Some("Laptop".into()),
        protocol: ReadingProtocol::Imap,
        source: [192, 168, 1, 40].into(),
        by: "Anna Berg".into(),
    };
    let by = Actor::Person(person);
    it.accounts.connection_ended(it.organisation, it.id, ended, by).await.unwrap();
    let line: &[&str] = &[
        " INFO ",
        "somebody ended a connection that read a mailbox",
        "account.address=\"r…@example.org\"",
        "account.name=\"Reception\"",
        "app_password.name=\"Laptop\"",
        "protocol=\"IMAP\"",
        "peer=192.168.1.40",
        "person.name=\"Anna Berg\"",
        &format!("person.id={person}"),
    ];
    check(&log, &[line]);
    let newest =
        gatepost_journal::newest_about(&it.it.store, it.organisation, it.id.uuid(), 1).await.unwrap();
    assert_eq!(
        (newest[0].action.as_str(), newest[0].actor_id),
        ("mail_account.connection_ended", Some(person.uuid()))
    );
    for words in ["Laptop", "IMAP", "192.168.1.40", &app_password.to_string()] {
        assert!(newest[0].details.contains(words), "{}", newest[0].details);
    }
}

async fn what_people_do_with_an_account_is_told(it: TestStore) {
    let it = Fixture::new(it).await;
    let (log, _listening) = Log::listen();
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    check(&log, &[&["a mail account was paused", "r…@example.org", "Reception"], &["are held from now on"]]);
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    check(&log, &[&["a mail account was resumed"], &["are held no longer"]]);
    let secret = SecretText::new("correct horse battery".into());
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    check(&log, &[&["the password of a mail account was replaced"]]);
    it.accounts
        .edit_endpoints(it.organisation, it.id, servers("smtp.example.net"), Actor::Command)
        .await
        .unwrap();
    check(
        &log,
        &[
            &[" INFO ", "the servers of a mail account were changed"],
            &[" WARN ", "rule=\"password-missing\""],
            &["are held from now on"],
        ],
    );
    it.accounts.remove(it.organisation, it.id, Actor::Command).await.unwrap();
    check(&log, &[&[" INFO ", "a mail account was removed"]]);
}

async fn words_of_a_provider_are_one_printable_line_of_the_log(it: TestStore) {
    let it = Fixture::new(it).await;
    let (log, _listening) = Log::listen();
    let What::SignInRefused { diagnosis, .. } = refused() else { panic!("a refusal") };
    let begins =
        b"535-5.7.8 no\r\n\r\n535 \x1b[31m\xffred <anna@example.org>: a@b@c https://x.test/in?plt=key ";
    let reply = [&begins[..], &b"a".repeat(5_000)].concat();
    it.report(What::SignInRefused { diagnosis, reply: Some(reply) }).await;
    let lines = log.lines();
    assert!(
        lines[0]
            .contains("535-5.7.8 no 535 \\\\u{1b}[31m\\\\xffred a…@example.org … https://x.test/in?… aaa"),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with("aaa…\"") && lines[0].len() < 1_500, "{}", lines[0]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
}
