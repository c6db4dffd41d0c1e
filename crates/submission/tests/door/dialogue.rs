//! Transcripts as tests: `tests/dialogues/*.txt`.
//!
//! `C:` lines that follow each other leave in one piece; `S:` lines are what the server must say, to the letter, where `[id]`
//! stands for any id. `TLS` begins the handshake, `SIGN IN` is EHLO and AUTH, `CLOSED` means that the server closes and
//! says nothing more. The first line is the door, `STARTTLS` or `TLS` (then the
//! greeting was heard already); `LETTERS n` at the end is how many letters
//! are in the outbox then. Lines with `#` explain. A transcript without `CLOSED` is ended by QUIT, so that no reply too many
//! stays unseen.

use gatepost_core::SubmissionId;
use gatepost_submission::Settings;

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

/// Runs one transcript.
async fn run(text: &str, change: impl FnOnce(&mut Settings)) {
    let house = House::open_with(change).await;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut client = match lines.next().unwrap().1 {
        "STARTTLS" => Client::connect(&house).await,
        "TLS" => Client::connect_tls(&house).await,
        other => panic!("the first line is no door: {other}"),
    };
    let (mut group, mut is_closed, mut n_letters) = (String::new(), false, None);
    for (at, line) in lines {
        let at = at + 1;
        if let Some(said) = line.strip_prefix("C: ") {
            group.push_str(&fill_in(said, &house));
            group.push_str("\r\n");
            continue;
        }
        if !group.is_empty() {
            client.send(std::mem::take(&mut group)).await;
        }
        match line.split_once(' ') {
            Some(("S:", want)) => {
                let got = client.0.read_line(2_048, gatepost_net::LineEnd::Crlf, crate::client::soon()).await;
                let got = got.unwrap_or_else(|error| panic!("line {at}: {want:?}, but {error}"));
                let got = std::str::from_utf8(&got).unwrap();
                assert!(is_said(got, want), "line {at}: the server said {got:?} instead of {want:?}");
            }
            Some(("SIGN", "IN")) => client.sign_in(USER, house.password.reveal()).await,
            Some(("LETTERS", n)) => n_letters = Some(n.parse::<usize>().unwrap()),
            None if line == "TLS" => client.begin_tls(&house).await,
            None if line == "CLOSED" => {
                assert_eq!(client.rest().await, "", "line {at}");
                is_closed = true;
            }
            _ => panic!("line {at} is no line of a dialogue: {line}"),
        }
    }
    if !is_closed {
        assert_eq!(client.ask("QUIT").await, "221 2.0.0 Goodbye\r\n");
        assert_eq!(client.rest().await, "");
    }
    assert_eq!(house.letters().await.len(), n_letters.expect("a dialogue says how many LETTERS there are"));
}

/// What a transcript cannot know.
fn fill_in(line: &str, house: &House) -> String {
    let password = house.password.reveal();
    line.replace("[plain]", &plain(USER, password))
        .replace("[plain as itself]", &base64(format!("{}\0{USER}\0{password}", USER.to_uppercase())))
        .replace("[plain as boss]", &base64(format!("boss@example.test\0{USER}\0{password}")))
        .replace("[wrong plain]", &plain(USER, "aaaa bbbb cccc dddd"))
        .replace("[user]", &base64(USER))
        .replace("[password]", &base64(password))
        .replace("[xoauth2]", &base64(format!("user={USER}\x01auth=Bearer {password}\x01\x01")))
        .replace("[wrong xoauth2]", &base64(format!("user={USER}\x01auth=Bearer nonsense\x01\x01")))
        .replace("[oauthbearer]", &base64(format!("n,a={USER},\x01auth=Bearer {password}\x01\x01")))
        .replace("[wrong oauthbearer]", &base64(format!("n,a={USER},\x01auth=Bearer nonsense\x01\x01")))
}

fn is_said(got: &str, want: &str) -> bool {
    match want.split_once("[id]") {
        None => got == want,
        Some((before, after)) => got
            .strip_prefix(before)
            .and_then(|it| it.strip_suffix(after))
            .is_some_and(|id| id.parse::<SubmissionId>().is_ok()),
    }
}

/// Each file is a test of its name, and each test a file: a file without one would prove nothing.
macro_rules! dialogues {
    ($($name:ident),+ $(,)?) => {
        $(#[tokio::test] async fn $name() {
            run(include_str!(concat!("../dialogues/", stringify!($name), ".txt")), |_| {}).await;
        })+

        #[test]
        fn every_transcript_is_run() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dialogues");
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|it| it.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            files.sort();
            let mut run = vec![$(stringify!($name)),+];
            run.sort();
            assert_eq!(files, run);
        }
    };
}

dialogues!(
    a_letter_by_bdat,
    a_letter_by_data,
    auth_login,
    auth_oauthbearer,
    auth_plain,
    auth_refused,
    auth_xoauth2,
    before_sign_in,
    before_tls,
    commands_out_of_order,
    dsn_and_smtputf8,
    envelope_syntax,
    foreign_addresses,
    mistakes_are_counted,
    notices_have_the_null_path,
    pipelined_letter,
    rset_and_second_letter,
    starttls,
);
