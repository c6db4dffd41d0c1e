//! Transcripts as tests: `tests/dialogues/*.txt`.
//!
//! `C:` lines that follow each other leave in one piece; `S:` lines are what the server must say, to the letter, where `[id]`
//! stands for any id. `TLS` begins the handshake, `SIGN IN` is EHLO and AUTH, `CLOSED` means that the server closes and
//! says nothing more. The first line is the door, `STARTTLS` or `TLS` (then the
//! greeting was heard already); `LETTERS n` at the end is how many letters
//! are in the outbox then. Lines with `#` explain. A transcript without `CLOSED` is ended by QUIT, so that no reply too many
//! stays unseen.

use gatepost_core::SubmissionId;

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

/// Runs one transcript.
async fn run(text: &str) {
    let house = House::open().await;
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

macro_rules! transcript {
    ($name:literal) => {
        run(include_str!(concat!("../dialogues/", $name, ".txt"))).await
    };
}

/// SS-6.
#[tokio::test]
async fn a_letter_by_bdat() {
    transcript!("a_letter_by_bdat");
}

/// D1, D2, SS-18.
#[tokio::test]
async fn a_letter_by_data() {
    transcript!("a_letter_by_data");
}

/// D1, SS-19.
#[tokio::test]
async fn auth_login() {
    transcript!("auth_login");
}

/// D1, SS-19.
#[tokio::test]
async fn auth_oauthbearer() {
    transcript!("auth_oauthbearer");
}

/// D1, SS-19.
#[tokio::test]
async fn auth_plain() {
    transcript!("auth_plain");
}

/// AP-8, AP-10, MP-18.
#[tokio::test]
async fn auth_refused() {
    transcript!("auth_refused");
}

/// D1, SS-19.
#[tokio::test]
async fn auth_xoauth2() {
    transcript!("auth_xoauth2");
}

/// SS-1, SS-10.
#[tokio::test]
async fn before_sign_in() {
    transcript!("before_sign_in");
}

/// SS-3.
#[tokio::test]
async fn before_tls() {
    transcript!("before_tls");
}

#[tokio::test]
async fn commands_out_of_order() {
    transcript!("commands_out_of_order");
}

#[tokio::test]
async fn dsn_and_smtputf8() {
    transcript!("dsn_and_smtputf8");
}

/// SS-16.
#[tokio::test]
async fn envelope_syntax() {
    transcript!("envelope_syntax");
}

/// SS-14.
#[tokio::test]
async fn foreign_addresses() {
    transcript!("foreign_addresses");
}

/// SS-12.
#[tokio::test]
async fn mistakes_are_counted() {
    transcript!("mistakes_are_counted");
}

#[tokio::test]
async fn notices_have_the_null_path() {
    transcript!("notices_have_the_null_path");
}

#[tokio::test]
async fn pipelined_letter() {
    transcript!("pipelined_letter");
}

#[tokio::test]
async fn rset_and_second_letter() {
    transcript!("rset_and_second_letter");
}

/// SS-1, SS-4.
#[tokio::test]
async fn starttls() {
    transcript!("starttls");
}

/// A file that no test runs would prove nothing.
#[test]
fn every_transcript_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dialogues");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let test = format!("async fn {name}() {{\n    transcript!(\"{name}\");\n}}");
        assert!(include_str!("dialogue.rs").contains(&test), "{name} has no test");
    }
}
