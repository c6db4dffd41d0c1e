//! The sandbox's mailboxes, read by Python's imaplib and poplib.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use gatepost_testkit::take_slot;
use harness::pages::FilledSandbox;
use harness::{output_of, python};
use serde_json::json;

/// Signs in with a password and with a token, finds a letter, reads it, marks it and removes it.
const BY_IMAP: &str = r#"
import imaplib, ssl, sys
host, port, certificate, token = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
trust = ssl.create_default_context(cafile=certificate)
def begin():
    imap = imaplib.IMAP4(host, port)
    imap.starttls(trust)
    return imap
imap = begin()
imap.login("anna@sandbox.test", "sandbox")
assert imap.list() == ("OK", [b'() "/" "INBOX"']), imap.list()
assert imap.select() == ("OK", [b"2"])
assert imap.uid("SEARCH", "SUBJECT", "scan")[1] == [b"2"]
kind, data = imap.uid("FETCH", "1", "(BODY.PEEK[] FLAGS)")
assert b"see you on Monday at nine." in data[0][1], data
assert b"FLAGS ()" in data[0][0] or b"FLAGS ()" in data[1], data
assert imap.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
assert imap.expunge() == ("OK", [b"1"])
assert imap.append("INBOX", r"(\Seen)", None, b"Subject: kept\r\n\r\nx\r\n")[0] == "OK"
imap.logout()
imap = begin()
imap.authenticate("XOAUTH2", lambda _: f"user=anna@sandbox.test\x01auth=Bearer {token}\x01\x01".encode())
assert imap.select(readonly=True) == ("OK", [b"2"])
assert imap.fetch("2", "(UID FLAGS)")[1] == [b"2 (UID 3 FLAGS (\\Seen))"], imap.fetch("2", "(UID FLAGS)")
imap.logout()
imap = begin()
try:
    imap.login("anna@sandbox.test", "wrong")
    sys.exit("a wrong password opens it")
except imaplib.IMAP4.error as error:
    assert "AUTHENTICATIONFAILED" in str(error), error
"#;

/// The same by POP3, with what is left.
const BY_POP3: &str = r#"
import poplib, ssl, sys
host, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
trust = ssl.create_default_context(cafile=certificate)
pop = poplib.POP3(host, port)
assert "STLS" in pop.capa()
pop.stls(trust)
pop.user("anna@sandbox.test")
pop.pass_("sandbox")
assert pop.stat()[0] == 2
assert len(pop.uidl()[1]) == 2
assert b"Subject: A scan" in pop.top(1, 0)[1]
assert pop.retr(2)[1][-2:] == [b"", b"x"], pop.retr(2)
pop.dele(1)
pop.quit()
pop = poplib.POP3(host, port)
pop.stls(trust)
pop.user("anna@sandbox.test")
pop.pass_("sandbox")
assert pop.stat()[0] == 1
pop.quit()
"#;

#[test]
fn python_reads_the_mailboxes_by_imap_and_pop3() {
    let _slot = take_slot();
    let sandbox = FilledSandbox::start();
    let certificate = sandbox.running.text("certificate");
    let grant = json!({"account": "anna@sandbox.test", "scopes": "mail.read.imap"}).to_string();
    let granted = sandbox.mailboxes().post("oauth/grants", &grant);
    let token = granted["access_token"].as_str().unwrap();
    for (script, door) in [(BY_IMAP, "sandbox_imap"), (BY_POP3, "sandbox_pop3")] {
        let address = sandbox.running.text(door);
        let (_, port) = address.rsplit_once(':').unwrap();
        output_of(python().args(["-c", script, "localhost", port, &certificate, token])).done();
    }
}
