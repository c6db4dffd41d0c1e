//! The door over real sockets.

use serde_json::json;

use crate::tests::{SmtpClient, Testbed, base64};

const ANA: &str = "ana@sandbox.test";
const LETTER: &str =
    "From: ana@sandbox.test\r\nSubject: Hello\r\nMessage-ID: <7.a@sandbox.test>\r\n\r\nfirst\r\nsecond";

/// A client that says what a test tells it.
struct Client(SmtpClient);

impl Client {
    /// Greeted, under TLS.
    async fn encrypted(bed: &Testbed) -> Self {
        let mut client = Self(bed.connect_to(bed.ready.imap).await);
        assert!(client.0.line().await.unwrap().starts_with("* OK [CAPABILITY IMAP4rev1 "));
        client.ask("STARTTLS", "OK").await;
        client.0.start_tls().await;
        client
    }

    async fn signed_in(bed: &Testbed) -> Self {
        let mut client = Self::encrypted(bed).await;
        client.ask("LOGIN ana@sandbox.test sandbox", "OK [CAPABILITY ").await;
        client
    }

    async fn selected(bed: &Testbed) -> Self {
        let mut client = Self::signed_in(bed).await;
        client.ask("SELECT INBOX", "OK [READ-WRITE]").await;
        client
    }

    /// Says a command, and gives what comes before its end, which begins so.
    async fn ask(&mut self, line: &str, want: &str) -> Vec<String> {
        self.0.send(&format!("a {line}\r\n")).await;
        self.until(want, line).await
    }

    async fn until(&mut self, want: &str, asked: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line =
                self.0.line().await.unwrap_or_else(|error| panic!("{asked}: {error} behind {lines:?}"));
            match line.strip_prefix("a ") {
                Some(end) => {
                    assert!(end.starts_with(want), "{asked}: {end} behind {lines:?}");
                    return lines;
                }
                None => lines.push(line),
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
async fn a_letter_is_found_by_its_id_and_read() {
    let bed = Testbed::start().await;
    deliver(&bed, 2).await;
    let mut client = Client::selected(&bed).await;
    let found = client.ask("UID SEARCH HEADER Message-ID <7.A@sandbox.test>", "OK").await;
    assert_eq!(found, ["* SEARCH 1 2"]);
    assert_eq!(client.ask("SEARCH HEADER Message-ID other", "OK").await, ["* SEARCH"]);
    assert_eq!(
        client.ask("SEARCH UNSEEN SUBJECT hell BODY SECOND SMALLER 5000", "OK").await,
        ["* SEARCH 1 2"]
    );
    let fetched = client.ask("UID FETCH 2 (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)])", "OK").await;
    assert_eq!(
        fetched,
        ["* 2 FETCH (UID 2 FLAGS () BODY[HEADER.FIELDS (Subject)] {18}", "Subject: Hello", "", ")"]
    );
    assert_eq!(client.ask("FETCH 1 (BODY[TEXT]<2.3>)", "OK").await[0], "* 1 FETCH (BODY[TEXT]<2> {3}");
    assert_eq!(client.ask("SEARCH SEEN", "OK").await, ["* SEARCH 1"], "reading marks it as seen");
    let envelope =
        client.ask("FETCH 1 (ENVELOPE BODYSTRUCTURE RFC822.SIZE INTERNALDATE)", "OK").await.join("");
    assert!(
        envelope.contains("\"<7.a@sandbox.test>\"") && envelope.contains("BODYSTRUCTURE (\"TEXT\""),
        "{envelope}"
    );
    let status = client.ask("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)", "OK").await;
    assert_eq!(status, ["* STATUS \"INBOX\" (MESSAGES 2 UNSEEN 1 UIDNEXT 3)"]);
}

#[tokio::test]
async fn flags_and_unique_ids_survive_a_restart_and_expunged_letters_do_not() {
    let bed = Testbed::start().await;
    deliver(&bed, 3).await;
    let mut client = Client::selected(&bed).await;
    assert_eq!(
        client.ask("STORE 1,3 +FLAGS (\\Deleted $Label)", "OK").await,
        ["* 1 FETCH (UID 1 FLAGS (\\Deleted $Label))", "* 3 FETCH (UID 3 FLAGS (\\Deleted $Label))"]
    );
    client.ask("UID STORE 2 FLAGS.SILENT (\\Seen \\Flagged)", "OK").await;
    client.ask("STORE 2 -FLAGS.SILENT (\\flagged)", "OK").await;
    assert_eq!(client.ask("UID EXPUNGE 3", "OK").await, ["* 3 EXPUNGE"]);
    assert_eq!(client.ask("EXPUNGE", "OK").await, ["* 1 EXPUNGE"]);
    let before = client.ask("STATUS INBOX (UIDVALIDITY)", "OK").await;
    let bed = bed.restart().await;
    deliver(&bed, 1).await;
    let mut client = Client::signed_in(&bed).await;
    assert_eq!(client.ask("STATUS INBOX (UIDVALIDITY)", "OK").await, before);
    let opened = client.ask("EXAMINE INBOX", "OK [READ-ONLY]").await;
    assert!(opened.contains(&"* 2 EXISTS".to_owned()), "{opened:?}");
    let fetched = client.ask("FETCH 1:* (UID FLAGS)", "OK").await;
    assert_eq!(fetched, ["* 1 FETCH (UID 2 FLAGS (\\Seen))", "* 2 FETCH (UID 4 FLAGS ())"]);
    client.ask("STORE 1 +FLAGS (\\Deleted)", "NO [CANNOT]").await;
    client.ask("FETCH 2 BODY[]", "OK").await;
    assert_eq!(client.ask("SEARCH UNSEEN", "OK").await, ["* SEARCH 2"], "EXAMINE changes nothing");
    assert_eq!(bed.n_messages(ANA).await, 2);
}

#[tokio::test]
async fn who_idles_is_told_of_what_comes_and_goes() {
    let bed = Testbed::start().await;
    deliver(&bed, 1).await;
    let mut client = Client::selected(&bed).await;
    client.0.send("a IDLE\r\n").await;
    assert_eq!(client.0.line().await.unwrap(), "+ idling");
    deliver(&bed, 1).await;
    assert_eq!(client.0.line().await.unwrap(), "* 2 EXISTS");
    let mut other = Client::selected(&bed).await;
    other.ask("STORE 1 +FLAGS.SILENT (\\Deleted)", "OK").await;
    assert_eq!(client.0.line().await.unwrap(), "* 1 FETCH (UID 1 FLAGS (\\Deleted))");
    other.ask("CLOSE", "OK").await;
    assert_eq!(client.0.line().await.unwrap(), "* 1 EXPUNGE");
    client.0.send("DONE\r\n").await;
    client.until("OK", "DONE").await;
}

#[tokio::test]
async fn a_letter_is_appended_with_its_flags() {
    let bed = Testbed::start().await;
    let mut client = Client::selected(&bed).await;
    client.0.send("a APPEND INBOX (\\Seen) {17}\r\n").await;
    assert!(client.0.line().await.unwrap().starts_with("+ "));
    client.0.send("Subject: x\r\n\r\ny\r\n\r\n").await;
    let told = client.until("OK [APPENDUID ", "APPEND").await;
    assert_eq!(told, ["* 1 EXISTS"]);
    client.0.send("a APPEND Sent {1+}\r\nx\r\n").await;
    client.until("NO [NONEXISTENT]", "APPEND").await;
    assert_eq!(client.ask("FETCH 1 FLAGS", "OK").await, ["* 1 FETCH (FLAGS (\\Seen))"]);
}

#[tokio::test]
async fn nobody_signs_in_before_tls_and_folders_are_listed() {
    let bed = Testbed::start().await;
    let mut client = Client(bed.connect_to(bed.ready.imap).await);
    client.0.line().await.unwrap();
    let can = client.ask("CAPABILITY", "OK").await;
    assert!(can[0].contains(" STARTTLS LOGINDISABLED") && !can[0].contains("AUTH="), "{can:?}");
    client.ask("LOGIN ana@sandbox.test sandbox", "NO [PRIVACYREQUIRED]").await;
    client.ask("AUTHENTICATE PLAIN", "NO [PRIVACYREQUIRED]").await;
    client.ask("SELECT INBOX", "BAD").await;
    // What is said behind STARTTLS came before encryption, from whomever.
    client.0.send("a STARTTLS\r\na CAPABILITY\r\n").await;
    client.0.expect_end().await;
    let mut client = Client::signed_in(&bed).await;
    assert_eq!(client.ask("NAMESPACE", "OK").await, ["* NAMESPACE ((\"\" \"/\")) NIL NIL"]);
    assert_eq!(client.ask("LIST \"\" *", "OK").await, ["* LIST () \"/\" \"INBOX\""]);
    assert_eq!(client.ask("LSUB \"\" %", "OK").await, ["* LSUB () \"/\" \"INBOX\""]);
    assert_eq!(client.ask("LIST \"\" Sent", "OK").await, [""; 0]);
    client.ask("ID NIL", "OK").await;
    client.ask("CREATE Sent", "NO [CANNOT]").await;
    client.ask("SELECT Sent", "NO [NONEXISTENT]").await;
    client.ask("FETCH 1 FLAGS", "BAD").await;
    client.ask("NONSENSE", "BAD").await;
    client.ask("LOGOUT", "OK").await;
    client.0.expect_end().await;
}

#[tokio::test]
async fn every_way_to_sign_in_works_with_the_right_secret_alone() {
    let bed = Testbed::start().await;
    let reading = bed.grant(ANA, "mail.read.imap").await["access_token"].as_str().unwrap().to_owned();
    let sending =
        bed.grant(ANA, "mail.send mail.read.pop3").await["access_token"].as_str().unwrap().to_owned();
    let plain = |password: &str| format!("AUTHENTICATE PLAIN {}", base64(&format!("\0{ANA}\0{password}")));
    let xoauth2 = |token: &str| {
        format!("AUTHENTICATE XOAUTH2 {}", base64(&format!("user={ANA}\x01auth=Bearer {token}\x01\x01")))
    };
    for line in [plain("sandbox"), xoauth2(&reading)] {
        let mut client = Client::encrypted(&bed).await;
        client.ask(&line, "OK [CAPABILITY ").await;
        client.ask(&line, "BAD Signed in already").await;
    }
    let mut client = Client::encrypted(&bed).await;
    client.0.send(&format!("a {}\r\n", xoauth2(&sending))).await;
    assert!(client.0.line().await.unwrap().starts_with("+ eyJ"));
    client.0.send("\r\n").await;
    client.until("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "XOAUTH2").await;
    client.ask("LOGIN ana@sandbox.test wrong", "NO [AUTHENTICATIONFAILED]").await;
    client.ask(&plain("wrong"), "NO [AUTHENTICATIONFAILED]").await;
    assert_eq!(client.0.line().await.unwrap(), "* BYE Too many wrong sign-ins");
    client.0.expect_end().await;
    let body = json!({"security": {"second_step": "keys"}}).to_string();
    assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", &body).await.0, 200);
    let mut client = Client::encrypted(&bed).await;
    client.ask(&plain("sandbox"), "NO [ALERT] Application-specific password required").await;
}

#[tokio::test]
async fn faults_strike_here_in_the_words_of_this_door() {
    let bed = Testbed::start().await;
    let at_connect = r#"{"door":"imap","fault":"reply","phase":"connect","text":"BYE Too busy","times":1}"#;
    bed.fault(at_connect).await;
    let mut client = Client(bed.connect_to(bed.ready.imap).await);
    assert_eq!(client.0.line().await.unwrap(), "* BYE Too busy");
    client.0.expect_end().await;
    bed.fault(r#"{"door":"imap","fault":"reply","phase":"auth","text":"NO [WEBALERT https://x.test/] y","times":1}"#)
        .await;
    let mut client = Client::encrypted(&bed).await;
    client.ask("LOGIN ana@sandbox.test sandbox", "NO [WEBALERT https://x.test/] y").await;
    bed.fault(r#"{"door":"imap","fault":"reply","text":"NO [UNAVAILABLE] later","times":1}"#).await;
    let mut client = Client::signed_in(&bed).await;
    client.ask("SELECT INBOX", "NO [UNAVAILABLE] later").await;
    client.ask("SELECT INBOX", "OK").await;
    // One for all doors ends the sessions here too.
    bed.fault(r#"{"fault":"refuse_sign_in"}"#).await;
    assert_eq!(client.0.line().await.unwrap(), "* BYE Signed out: sign in again");
    client.0.expect_end().await;
    let mut client = Client::encrypted(&bed).await;
    let refusal = "NO [AUTHENTICATIONFAILED] 5.7.8 Sign-in refused by the sandbox";
    client.ask("LOGIN ana@sandbox.test sandbox", refusal).await;
}
