//! The door over real sockets.

use serde_json::json;

use crate::tests::{SmtpClient, Testbed, base64};

const ANA: &str = "ana@sandbox.test";
const LETTER: &str = "From: ana@sandbox.test\r\nSubject: Hello\r\n\r\nfirst\r\n..dot\r\nthird";

/// A client that says what a test tells it.
struct Client(SmtpClient);

impl Client {
    /// Greeted, under TLS.
    async fn encrypted(bed: &Testbed) -> Self {
        let mut client = Self(bed.connect_to(bed.ready.pop3).await);
        assert!(client.0.line().await.unwrap().starts_with("+OK "));
        client.ask("STLS", "+OK").await;
        client.0.start_tls().await;
        client
    }

    async fn signed_in(bed: &Testbed) -> Self {
        let mut client = Self::encrypted(bed).await;
        client.ask("USER ana@sandbox.test", "+OK").await;
        client.ask("PASS sandbox", "+OK").await;
        client
    }

    /// Says a line and expects a reply that begins so.
    async fn ask(&mut self, line: &str, want: &str) -> String {
        self.0.send(&format!("{line}\r\n")).await;
        let reply = self.0.line().await.unwrap();
        assert!(reply.starts_with(want), "{line}: {reply}");
        reply
    }

    /// Says a line and gives what is listed behind `+OK`.
    async fn list(&mut self, line: &str) -> Vec<String> {
        self.ask(line, "+OK").await;
        let mut lines = Vec::new();
        loop {
            match self.0.line().await.unwrap() {
                end if end == "." => return lines,
                line => lines.push(line),
            }
        }
    }
}

async fn deliver(bed: &Testbed, n: usize) {
    let mut client = bed.signed_in(ANA).await;
    for _ in 0..n {
        client.deliver(ANA, ANA, LETTER, 250).await;
    }
}

#[tokio::test]
async fn letters_are_listed_read_and_deleted_at_the_end() {
    let bed = Testbed::start().await;
    deliver(&bed, 2).await;
    let listed = bed.json("/api/mailboxes/ana@sandbox.test/messages").await;
    let (size, id) = (listed[0]["size"].as_u64().unwrap(), listed[0]["id"].as_str().unwrap());
    let mut client = Client::signed_in(&bed).await;
    assert_eq!(client.ask("STAT", "+OK").await, format!("+OK 2 {}", size * 2));
    assert_eq!(client.list("LIST").await, [format!("1 {size}"), format!("2 {size}")]);
    assert_eq!(client.ask("LIST 2", "+OK").await, format!("+OK 2 {size}"));
    assert_eq!(client.ask("UIDL 1", "+OK").await, format!("+OK 1 {id}"));
    assert_eq!(client.list("UIDL").await.len(), 2);
    let letter = client.list("RETR 1").await;
    assert_eq!(letter.iter().map(|it| it.len() as u64 + 2).sum::<u64>(), size + 1, "one dot was doubled");
    assert!(letter.ends_with(&["first".into(), "..dot".into(), "third".into()]), "{letter:?}");
    assert_eq!(client.list("TOP 1 1").await.last().unwrap(), "first");
    assert_eq!(client.list("TOP 1 0").await.last().unwrap(), "");
    assert_eq!(client.list("TOP 1 99").await, letter);
    client.ask("DELE 1", "+OK").await;
    for line in ["DELE 1", "RETR 1", "LIST 1", "RETR 3", "RETR 0", "TOP 2", "XYZ"] {
        client.ask(line, "-ERR").await;
    }
    assert_eq!(client.ask("STAT", "+OK").await, format!("+OK 1 {size}"));
    assert_eq!(bed.n_messages(ANA).await, 2, "nothing goes before QUIT");
    client.ask("RSET", "+OK").await;
    client.ask("DELE 2", "+OK").await;
    client.ask("NOOP", "+OK").await;
    client.ask("QUIT", "+OK").await;
    client.0.expect_end().await;
    let bed = bed.restart().await;
    assert_eq!(bed.n_messages(ANA).await, 1);
    // Who leaves without QUIT deletes nothing.
    let mut client = Client::signed_in(&bed).await;
    client.ask("DELE 1", "+OK").await;
    drop(client);
    assert_eq!(bed.n_messages(ANA).await, 1);
}

#[tokio::test]
async fn nobody_signs_in_before_tls_and_what_is_offered_says_so() {
    let bed = Testbed::start().await;
    let mut client = Client(bed.connect_to(bed.ready.pop3).await);
    client.0.line().await.unwrap();
    let before = client.list("CAPA").await;
    assert!(
        before.contains(&"STLS".to_owned()) && !before.iter().any(|it| it.starts_with("SASL")),
        "{before:?}"
    );
    for line in ["USER ana@sandbox.test", "AUTH PLAIN", "STAT", "RETR 1", "NOOP", "PASS x"] {
        client.ask(line, "-ERR").await;
    }
    client.ask("STLS", "+OK").await;
    client.0.start_tls().await;
    let after = client.list("CAPA").await;
    assert!(after.contains(&"SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER".to_owned()), "{after:?}");
    assert!(after.contains(&"USER".to_owned()) && !after.contains(&"STLS".to_owned()), "{after:?}");
    client.ask("STLS", "-ERR").await;
    client.ask("PASS x", "-ERR Say USER first").await;
    // What is said behind STLS came before encryption, from whomever.
    let mut client = Client(bed.connect_to(bed.ready.pop3).await);
    client.0.line().await.unwrap();
    client.0.send("STLS\r\nCAPA\r\n").await;
    client.0.expect_end().await;
}

#[tokio::test]
async fn every_way_to_sign_in_works_with_the_right_secret_alone() {
    let bed = Testbed::start().await;
    let reading = bed.grant(ANA, "mail.read.pop3").await["access_token"].as_str().unwrap().to_owned();
    let sending =
        bed.grant(ANA, "mail.send mail.read.imap").await["access_token"].as_str().unwrap().to_owned();
    let plain = |password: &str| format!("AUTH PLAIN {}", base64(&format!("\0{ANA}\0{password}")));
    let xoauth2 = |token: &str| {
        format!("AUTH XOAUTH2 {}", base64(&format!("user={ANA}\x01auth=Bearer {token}\x01\x01")))
    };
    for line in [plain("sandbox"), xoauth2(&reading)] {
        let mut client = Client::encrypted(&bed).await;
        client.ask(&line, "+OK Welcome, 0 messages").await;
        client.ask(&line, "-ERR Signed in already").await;
    }
    let mut client = Client::encrypted(&bed).await;
    client.ask("AUTH LOGIN", "+ VXNlcm5hbWU6").await;
    client.ask(&base64(ANA), "+ UGFzc3dvcmQ6").await;
    client.ask(&base64("sandbox"), "+OK").await;
    let mut client = Client::encrypted(&bed).await;
    client.ask(&xoauth2(&sending), "+ ").await;
    client.ask("", "-ERR [AUTH] ").await;
    client.ask("USER ana@sandbox.test", "+OK").await;
    client.ask("PASS wrong", "-ERR [AUTH] Username and password not accepted.").await;
    client.ask(&plain("wrong"), "-ERR [AUTH] ").await;
    assert_eq!(client.0.line().await.unwrap(), "-ERR Too many wrong sign-ins");
    client.0.expect_end().await;
    let body = json!({"security": {"second_step": "codes"}}).to_string();
    assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", &body).await.0, 200);
    let mut client = Client::encrypted(&bed).await;
    client.ask(&plain("sandbox"), "-ERR [AUTH] Application-specific password required").await;
}

#[tokio::test]
async fn faults_strike_here_in_the_words_of_this_door() {
    let bed = Testbed::start().await;
    bed.fault(
        r#"{"door":"pop3","fault":"reply","phase":"connect","text":"-ERR [SYS/TEMP] Later","times":1}"#,
    )
    .await;
    let mut client = Client(bed.connect_to(bed.ready.pop3).await);
    assert_eq!(client.0.line().await.unwrap(), "-ERR [SYS/TEMP] Later");
    client.0.expect_end().await;
    bed.fault(r#"{"door":"pop3","fault":"reply","phase":"auth","text":"-ERR [IN-USE] x","times":1}"#).await;
    let mut client = Client::encrypted(&bed).await;
    client.ask("USER ana@sandbox.test", "+OK").await;
    client.ask("PASS sandbox", "-ERR [IN-USE] x").await;
    bed.fault(r#"{"door":"pop3","fault":"reply","text":"-ERR no mailbox","times":1}"#).await;
    let mut client = Client::signed_in(&bed).await;
    client.ask("STAT", "-ERR no mailbox").await;
    client.ask("STAT", "+OK 0 0").await;
    // One for all doors ends the sessions here too.
    bed.fault(r#"{"fault":"refuse_sign_in"}"#).await;
    assert_eq!(client.0.line().await.unwrap(), "-ERR [SYS/TEMP] Signed out: sign in again");
    client.0.expect_end().await;
    let mut client = Client::encrypted(&bed).await;
    client.ask("USER ana@sandbox.test", "+OK").await;
    client.ask("PASS sandbox", "-ERR [AUTH] 5.7.8 Sign-in refused by the sandbox").await;
}
