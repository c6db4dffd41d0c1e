//! Real programs that read a mailbox of Dovecot through the built program: mbsync, fetchmail, getmail, neomutt, curl, and Python's own.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;

use gatepost_testkit::{StoredLetter, fresh_folder};
use harness::{
    AppPassword, OTHER_READER, Outcome, READER, READERS_PASSWORD, ReadingDoor, ReadingHouse, output_of,
    python, with_input,
};
use tempfile::TempDir;

/// With what a follower of lines could stumble over.
fn letter(subject: &str) -> String {
    format!(
        "From: Anna <anna@practice.example>\r\nTo: {READER}\r\nSubject: {subject}\r\nMessage-ID: <{id}@practice.example>\r\n\
         Date: Mon, 2 Feb 2026 10:00:00 +0000\r\n\r\nThis is {subject}.\r\n.\r\n..two dots\r\n* BYE not me\r\na1 LOGIN a b\r\n{{7}}\r\n{{7+}}\r\nend\r\n",
        id = subject.replace(' ', ".")
    )
}

fn deliver(at: &ReadingHouse, subject: &str) {
    at.dovecot.deliver(READER, None, letter(subject).as_bytes());
}

/// What Dovecot holds.
fn held(at: &ReadingHouse, folder: Option<&str>) -> Vec<StoredLetter> {
    at.dovecot.letters(READER, folder)
}

fn flags_of(all: &[StoredLetter], subject: &str) -> Option<String> {
    let words = format!("\nSubject: {subject}");
    let is_it = |it: &&StoredLetter| String::from_utf8_lossy(&it.text).replace('\r', "").contains(&words);
    all.iter().find(is_it).map(|it| it.flags.clone())
}

/// Whatever lies in a folder, one text for each file.
fn files(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_file());
    all.map(|it| String::from_utf8_lossy(&fs::read(it).unwrap()).replace('\r', "")).collect()
}

/// Asserts that exactly this letter is there, to its last line.
#[track_caller]
fn is_whole(texts: &[String], subject: &str) {
    let [_, body] = letter(subject)
        .replace('\r', "")
        .split_once("\n\n")
        .map(|(a, b)| [a.to_owned(), b.to_owned()])
        .unwrap();
    let found = texts.iter().filter(|it| it.contains(&format!("\nSubject: {subject}\n"))).collect::<Vec<_>>();
    assert!(matches!(found[..], [it] if it.trim_end().ends_with(body.trim_end())), "{subject}: {texts:#?}");
}

fn private(home: &TempDir, name: &str, text: &str) {
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

trait Ended {
    fn ended_well(self, at: &ReadingHouse) -> Outcome;
}

impl Ended for Outcome {
    #[track_caller]
    fn ended_well(self, at: &ReadingHouse) -> Outcome {
        assert_eq!(self.code, Some(0), "{self:#?}\n{}", at.told());
        self
    }
}

#[test]
fn mbsync_pulls_pushes_moves_flags_and_deletes() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    for door in ReadingDoor::IMAP {
        let home = fresh_folder();
        let tls = door.tls;
        let text = format!(
            "IMAPAccount gatepost\nHost localhost\nPort {port}\nUser {user_name}\nPass \"{password}\"\nSSLType {kind}\n\
             SystemCertificates no\nCertificateFile {authority}\n\n\
             IMAPStore far\nAccount gatepost\n\nMaildirStore near\nPath {here}/\nInbox {here}/INBOX\n\n\
             Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync All\nExpunge Both\nSyncState *\n",
            port = door.port(&at.server),
            kind = if tls == "tls" { "IMAPS" } else { "STARTTLS" },
            authority = at.server.text("certificate"),
            here = home.path().display(),
        );
        private(&home, "mbsyncrc", &text);
        let mbsync = || {
            let mut command = at.program("mbsync", &home);
            output_of(command.args(["-c", "mbsyncrc", "-V", "all"])).ended_well(&at);
        };
        let (kept, removed, ours) =
            (format!("kept over {tls}"), format!("removed over {tls}"), format!("ours over {tls}"));
        deliver(&at, &kept);
        deliver(&at, &removed);
        mbsync();
        let inbox = home.path().join("INBOX");
        let (new, cur) = (inbox.join("new"), inbox.join("cur"));
        let all = [files(&new), files(&cur)].concat();
        is_whole(&all, &kept);
        is_whole(&all, &removed);

        for it in fs::read_dir(&new).unwrap().map(|it| it.unwrap()) {
            let is_kept = fs::read_to_string(it.path()).unwrap().contains(&kept);
            let name = it.file_name().into_string().unwrap();
            let name = name.split(":2,").next().unwrap();
            let to = cur.join(format!("{name}:2,{}", if is_kept { "FS" } else { "T" }));
            fs::rename(it.path(), to).unwrap();
        }
        fs::write(new.join("1700000000.1.here"), letter(&ours).replace('\r', "")).unwrap();
        mbsync();
        let all = held(&at, None);
        assert_eq!(flags_of(&all, &kept).as_deref(), Some("FS"), "{all:?}");
        assert_eq!(flags_of(&all, &removed), None, "{all:?}");
        assert!(flags_of(&all, &ours).is_some(), "{all:?}");
    }
    at.server.stop();
}

#[test]
fn fetchmail_takes_letters_away_by_both_protocols() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    for door in ReadingDoor::ALL {
        let home = fresh_folder();
        let ReadingDoor { protocol, tls } = door;
        let subjects = ["one", "two"].map(|it| format!("{it} by {protocol} over {tls}"));
        subjects.iter().for_each(|it| deliver(&at, it));
        let text = format!(
            "poll localhost service {port} protocol {protocol} user \"{user_name}\" password \"{password}\" {kind} \
             sslcertck sslcertfile {authority} fetchall nokeep mda \"/bin/sh -c 'cat > $(mktemp {here}/letter.XXXXXX)'\"\n",
            port = door.port(&at.server),
            kind = if tls == "tls" { "ssl" } else { "sslproto \"TLS1.2+\"" },
            authority = at.server.text("certificate"),
            here = home.path().display(),
        );
        private(&home, "fetchmailrc", &text);
        let mut command = at.program("fetchmail", &home);
        command.env("FETCHMAILHOME", home.path());
        output_of(command.args(["-f", "fetchmailrc", "--nosyslog", "-v"])).ended_well(&at);
        let taken = files(home.path());
        subjects.iter().for_each(|it| is_whole(&taken, it));
        assert!(held(&at, None).is_empty(), "{door:?}");
    }
    at.server.stop();
}

#[test]
fn getmail_takes_letters_away_by_both_protocols_also_with_the_app_password_as_a_token() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    for (kind, door, signs_in) in [
        ("SimpleIMAPSSLRetriever", ReadingDoor::IMAP[1], format!("password = {password}")),
        ("SimplePOP3SSLRetriever", ReadingDoor::POP3[1], format!("password = {password}")),
        (
            "SimpleIMAPSSLRetriever",
            ReadingDoor::IMAP[1],
            format!("use_xoauth2 = true\npassword_command = (\"/bin/echo\", \"-n\", \"{password}\")"),
        ),
    ] {
        let home = fresh_folder();
        let subject = format!("by {kind}");
        deliver(&at, &subject);
        fs::create_dir(home.path().join("taken")).unwrap();
        let text = format!(
            "[retriever]\ntype = {kind}\nserver = localhost\nport = {port}\nusername = {user_name}\n{signs_in}\nca_certs = {authority}\n\n\
             [destination]\ntype = MDA_external\npath = /bin/sh\narguments = (\"-c\", \"cat > $(mktemp {here}/taken/letter.XXXXXX)\")\n\
             allow_root_commands = true\n\n[options]\nread_all = true\ndelete = true\n",
            port = door.port(&at.server),
            authority = at.server.text("certificate"),
            here = home.path().display(),
        );
        private(&home, "getmailrc", &text);
        let mut command = at.program("getmail", &home);
        let getmail = output_of(command.args(["--getmaildir", ".", "--rcfile", "getmailrc"])).ended_well(&at);
        let taken = files(&home.path().join("taken"));
        assert_eq!(taken.len(), 1, "{getmail:?}");
        is_whole(&taken, &subject);
        assert!(held(&at, None).is_empty(), "{kind}");
    }
    at.server.stop();
}

#[test]
fn neomutt_copies_flags_deletes_and_uploads() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    for door in ReadingDoor::IMAP {
        let home = fresh_folder();
        let tls = door.tls;
        let (flagged, removed, sent) =
            (format!("flagged over {tls}"), format!("removed over {tls}"), format!("sent over {tls}"));
        deliver(&at, &flagged);
        deliver(&at, &removed);
        let here = home.path().display();
        let scheme = if tls == "tls" { "imaps" } else { "imap" };
        let folder = format!("{scheme}://localhost:{}", door.port(&at.server));
        let text = format!(
            "set imap_user = \"{user_name}\"\nset imap_pass = \"{password}\"\nset folder = \"{folder}\"\n\
             set ssl_starttls = yes\nset ssl_force_tls = yes\nset ssl_ca_certificates_file = {authority}\n\
             set certificate_file = {here}/certificates\nset mbox_type = Maildir\n\
             set confirmappend = no\nset confirmcreate = no\nset delete = yes\nset quit = yes\nset wait_key = no\nset mail_check = 5\n",
            authority = at.server.text("certificate"),
        );
        // Keys are pressed by a macro, on a screen that nobody sees.
        let neomutt = |mailbox: &str, keys: &str| {
            private(&home, "muttrc", &format!("{text}push '{keys}<quit>'\n"));
            let mut command = at.program("script", &home);
            command.env("TERM", "xterm").env("COLUMNS", "100").env("LINES", "40");
            let neomutt = format!("neomutt -n -F muttrc -f {mailbox}");
            command.args(["--quiet", "--return", "--command", &neomutt, "screen"]);
            output_of(&mut command).ended_well(&at);
        };
        neomutt(
            "+INBOX",
            &format!(
                "<limit>~s\"over {tls}\"<enter><tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>{here}/copied<enter>\
                 <untag-pattern>~A<enter><tag-pattern>~s\"flagged\"<enter><tag-prefix><flag-message><untag-pattern>~A<enter>\
                 <tag-pattern>~s\"removed\"<enter><tag-prefix><delete-message><sync-mailbox>"
            ),
        );
        let copied = home.path().join("copied");
        let all = [files(&copied.join("new")), files(&copied.join("cur"))].concat();
        is_whole(&all, &flagged);
        is_whole(&all, &removed);
        let all = held(&at, None);
        assert_eq!(flags_of(&all, &removed), None, "{all:?}");
        assert!(flags_of(&all, &flagged).unwrap().contains('F'), "{all:?}");

        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(home.path().join("ours").join(part)).unwrap();
        }
        private(&home, "ours/new/1700000000.1.here", &letter(&sent).replace('\r', ""));
        neomutt("ours", "<copy-message><kill-line>+Sent<enter>");
        let all = held(&at, Some("Sent"));
        assert!(flags_of(&all, &sent).is_some(), "{all:?}");
    }
    at.server.stop();
}

#[test]
fn curl_reads_flags_uploads_and_deletes_with_every_way_to_sign_in() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    let joined = password.replace(' ', "");
    let password_by =
        |options: &'static str| (format!("{user_name}:{password}"), vec!["--login-options", options]);
    for (n, (user, how)) in [
        password_by("AUTH=PLAIN"),
        password_by("AUTH=LOGIN"),
        (user_name.clone(), vec!["--oauth2-bearer", &joined, "--login-options", "AUTH=OAUTHBEARER"]),
        (user_name.clone(), vec!["--oauth2-bearer", &joined, "--login-options", "AUTH=XOAUTH2", "--sasl-ir"]),
        (format!("{user_name}:{password}"), vec!["--sasl-ir"]),
    ]
    .into_iter()
    .enumerate()
    {
        for door in ReadingDoor::ALL {
            let ReadingDoor { protocol, tls } = door;
            let curl = |path: &str, more: &[&str], input: &str| {
                let scheme = if tls == "tls" { format!("{protocol}s") } else { protocol.to_owned() };
                let mut command = at.program("curl", &at.folder);
                command.args([
                    "--silent",
                    "--show-error",
                    "--ssl-reqd",
                    "--cacert",
                    &at.server.text("certificate"),
                ]);
                command.args(["--user", &user]).args(&how).args(more);
                command.arg(format!("{scheme}://localhost:{}/{path}", door.port(&at.server)));
                with_input(&mut command, input).ended_well(&at).stdout
            };
            let subject = format!("number {n} by {protocol} over {tls}");
            if protocol == "pop3" {
                deliver(&at, &subject);
                assert_eq!(curl("1", &[], ""), letter(&subject));
                curl("1", &["--request", "DELE", "--head"], "");
            } else {
                private(&at.folder, "letter", &letter(&subject));
                curl("INBOX", &["--upload-file", "letter"], "");
                assert_eq!(curl("INBOX;MAILINDEX=1", &[], ""), letter(&subject));
                curl("INBOX", &["--request", "STORE 1 +FLAGS (\\Flagged)"], "");
                assert!(flags_of(&held(&at, None), &subject).unwrap().contains('F'));
                curl("INBOX", &["--request", "STORE 1 +FLAGS (\\Deleted)"], "");
                curl("INBOX", &["--request", "EXPUNGE"], "");
            }
            assert!(held(&at, None).is_empty(), "{subject}");
        }
    }
    at.server.stop();
}

/// Python's imaplib and poplib at one door, or at Dovecot itself.
const IMAPLIB: &str = r#"
import hashlib, imaplib, ssl, sys
door, port, authority, user, password, what = sys.argv[1:]
trust = ssl.create_default_context(cafile=authority)
if door == "tls":
    session = imaplib.IMAP4_SSL("localhost", int(port), ssl_context=trust)
else:
    session = imaplib.IMAP4("localhost", int(port))
    session.starttls(ssl_context=trust)
def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]
ok(session.login(user, password))
"#;

/// Runs the program behind the signing in.
fn imaplib(
    at: &ReadingHouse,
    (tls, port, authority): (&str, &str, &str),
    (user, password): (&str, &str),
    program: &str,
    what: &str,
) -> String {
    let program = format!("{IMAPLIB}{program}");
    let mut command = python();
    command.arg("-c").arg(program).args([tls, port, authority, user, password, what]);
    output_of(&mut command).ended_well(at).stdout
}

impl ReadingHouse {
    fn imaplib(&self, door: ReadingDoor, with: &AppPassword, program: &str, what: &str) -> String {
        let (port, authority) = (door.port(&self.server), self.server.text("certificate"));
        imaplib(self, (door.tls, &port, &authority), (&with.user_name, &with.password), program, what)
    }

    /// Without Gatepost between.
    fn imaplib_at_dovecot(&self, program: &str, what: &str) -> String {
        let authority = self.folder.path().join("authority.pem");
        let port = self.dovecot.imaps.to_string();
        let there = ("tls", port.as_str(), authority.to_str().unwrap());
        imaplib(self, there, (READER, READERS_PASSWORD), program, what)
    }
}

#[test]
fn imaplib_reads_flags_copies_uploads_and_deletes() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    for door in ReadingDoor::IMAP {
        deliver(&at, "first");
        let program = r#"
assert "IDLE" in session.capabilities and "UIDPLUS" in ok(session.capability())[0].decode()
ok(session.xatom("ID", '("name" "a test")'))
assert ok(session.select("INBOX")) == [b"1"]
text = ok(session.fetch("1", "(FLAGS BODY.PEEK[])"))[0][1]
assert text == what.encode().replace(b"\\r\\n", b"\r\n"), text
assert b"\\Flagged" in ok(session.store("1", "+FLAGS", "(\\Flagged \\Seen)"))[0]
ok(session.copy("1", "Sent"))
ok(session.append("INBOX", "(\\Answered)", None, text.replace(b"Subject: first", b"Subject: second")))
assert ok(session.search(None, "ANSWERED")) == [b"2"], "the mailbox tells of itself"
assert ok(session.search("UTF-8", "SUBJECT", '"first"')) == [b"1"]
ok(session.store("1", "+FLAGS", "\\Deleted"))
assert ok(session.expunge()) == [b"1"]
ok(session.close())
ok(session.status("INBOX", "(MESSAGES)"))
assert session.logout()[0] == "BYE"
"#;
        at.imaplib(door, &with, program, &letter("first").replace("\r\n", "\\r\\n"));
        let all = held(&at, None);
        assert_eq!(flags_of(&all, "second").as_deref(), Some("R"), "{all:?}");
        assert_eq!(all.len(), 1);
        assert_eq!(flags_of(&held(&at, Some("Sent")), "first").as_deref(), Some("FS"));
        at.imaplib(
            door,
            &with,
            "session.select()\nsession.store('1', '+FLAGS', '\\\\Deleted')\nok(session.expunge())",
            "",
        );
    }
    at.server.stop();
}

#[test]
fn poplib_lists_reads_and_deletes_and_keeps_what_it_leaves_without_quit() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    let program = r#"
import poplib, ssl, sys
door, port, authority, user, password, first = sys.argv[1:]
first = first.replace("\\r\\n", "\r\n").encode()
trust = ssl.create_default_context(cafile=authority)
def begin():
    if door == "tls":
        session = poplib.POP3_SSL("localhost", int(port), context=trust)
    else:
        session = poplib.POP3("localhost", int(port))
        assert "STLS" in session.capa()
        session.stls(context=trust)
    assert "USER" in session.capa()
    session.user(user)
    session.pass_(password)
    return session
session = begin()
known = session.capa()
assert "UIDL" in known and "TOP" in known and "STLS" not in known and "SASL" not in known and "USER" not in known, known
assert session.stat()[0] == 2
listing = session.list()[1]
assert [it.split()[0] for it in listing] == [b"1", b"2"]
assert session.list(1).split()[-1] == listing[0].split()[-1]
ids = session.uidl()[1]
assert session.uidl(2).endswith(ids[1])
text = session.retr(1)[1]
assert b"\r\n".join(text) + b"\r\n" == first, text
assert b"\r\n".join(session.top(1, 2)[1]).endswith(b"\r\n.")
session.noop()
session.dele(2)
session.rset()
session.dele(1)
session.close()
session = begin()
assert session.stat()[0] == 2, "only QUIT deletes"
session.dele(1)
session.quit()
session = begin()
assert session.uidl()[1][0].split()[1] == ids[1].split()[1]
session.dele(1)
session.quit()
"#;
    for door in ReadingDoor::POP3 {
        deliver(&at, "first");
        deliver(&at, "second");
        let mut command = python();
        let authority = at.server.text("certificate");
        command.arg("-c").arg(program).args([door.tls, &door.port(&at.server), &authority]);
        command.args([&user_name, &password, &letter("first").replace("\r\n", "\\r\\n")]);
        output_of(&mut command).ended_well(&at);
        assert!(held(&at, None).is_empty(), "{door:?}");
    }
    at.server.stop();
}

/// Every message by its number, size and hash.
const HASHES: &str = r#"
n = int(ok(session.select("INBOX", readonly=True))[0])
for item in ok(session.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[])")):
    if isinstance(item, tuple):
        print(item[0].decode(), hashlib.sha256(item[1]).hexdigest())
print(n)
"#;

#[test]
fn two_thousand_messages_are_byte_for_byte_those_of_a_direct_connection() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    for n in 0..2_000_usize {
        let mut text = letter(&format!("number {n}")).into_bytes();
        // Of every size, some without a last line end, some with every octet but NUL.
        text.extend((0..n * 7 % 9_001).map(|it| match (n % 5, it % 83) {
            (_, 81) => b'\r',
            (_, 82) => b'\n',
            (0, at) => u8::try_from((at * n) % 255 + 1).unwrap(),
            (_, at) => b"0123456789 {12}abc"[at % 18],
        }));
        at.dovecot.deliver(READER, None, &text);
    }
    let direct = at.imaplib_at_dovecot(HASHES, "");
    assert_eq!(direct.lines().count(), 2_001);
    assert!(direct.ends_with("\n2000\n"));
    for door in ReadingDoor::IMAP {
        let through = at.imaplib(door, &with, HASHES, "");
        assert!(through == direct, "{door:?} differs");
    }
    at.server.stop();
}

/// MP-7: a connection to the provider is nobody else's, however many come and go at the same time.
#[test]
fn whoever_reads_at_the_same_time_reads_their_own_mailbox_alone() {
    let at = ReadingHouse::start();
    at.connect_other();
    let readers = [READER, OTHER_READER].map(|address| {
        let canary = format!("only for {address}");
        at.dovecot.deliver(address, None, format!("Subject: {canary}\r\n\r\n{canary}\r\n").as_bytes());
        (at.it.app_password(address, &[]), canary)
    });
    let reads = |with: &AppPassword, own: &str| {
        for door in ReadingDoor::IMAP {
            let mut client = at.signed_in(door, with);
            client.command("s SELECT INBOX");
            let heard = client.command("f FETCH 1:* BODY[]").join("\n");
            assert_eq!(heard.matches("only for ").count(), heard.matches(own).count(), "{heard}");
            assert_eq!(heard.matches(own).count(), 2, "{heard}");
            client.command("q LOGOUT");
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            for (with, own) in &readers {
                let reads = &reads;
                scope.spawn(move || (0..4).for_each(|_| reads(with, own)));
            }
        }
    });
    at.server.stop();
}

#[test]
fn thirty_megabytes_go_both_ways_byte_for_byte_and_are_never_held() {
    /// Buffers of both connections, and what the allocator keeps.
    const MOST_KIB: u64 = 16 * 1024;
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    // What every first session needs once.
    at.imaplib(ReadingDoor::IMAP[0], &with, "session.noop()", "");
    let before = at.peak_kib();
    let program = r#"
import random
source = random.Random(7)
lines = [bytes(source.choices(range(33, 127), k=76)) for _ in range(1000)]
text = b"Subject: large\r\n\r\n" + b"\r\n".join(lines[n % 1000] + str(n).encode() for n in range(400_000)) + b"\r\n"
text = text[:30 * 1024 * 1024 - 2] + b"\r\n"
assert len(text) == 30 * 1024 * 1024
ok(session.append("INBOX", None, None, text))
ok(session.select("INBOX"))
back = ok(session.fetch("1", "(BODY.PEEK[])"))[0][1]
assert back == text, (len(back), len(text))
"#;
    at.imaplib(ReadingDoor::IMAP[1], &with, program, "");
    let after = at.peak_kib();
    assert!(after < before + MOST_KIB, "{before} KiB, then {after} KiB");
    // And by POP3.
    let mut command = at.program("curl", &at.folder);
    command.args([
        "--silent",
        "--show-error",
        "--cacert",
        &at.server.text("certificate"),
        "--output",
        "large",
    ]);
    command.args(["--user", &format!("{}:{}", with.user_name, with.password)]);
    command.arg(format!("pop3s://localhost:{}/1", ReadingDoor::POP3[1].port(&at.server)));
    output_of(&mut command).ended_well(&at);
    let large = fs::read(at.folder.path().join("large")).unwrap();
    assert_eq!(large.len(), 30 * 1024 * 1024);
    // Dovecot keeps lines as Maildir has them.
    assert!(
        held(&at, None)[0].text == large.iter().copied().filter(|it| *it != b'\r').collect::<Vec<_>>()
            || held(&at, None)[0].text == large
    );
    let after = at.peak_kib();
    assert!(after < before + MOST_KIB, "{before} KiB, then {after} KiB");
    at.server.stop();
}

#[test]
fn idle_tells_of_a_new_message_at_once() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    for door in ReadingDoor::IMAP {
        let mut client = at.signed_in(door, &with);
        client.command("a SELECT INBOX");
        for n in 0..3 {
            assert!(client.ask("b IDLE").starts_with("+ "));
            deliver(&at, &format!("message {n}"));
            let lines = client.until("* ");
            assert!(lines.iter().any(|it| it.ends_with(" EXISTS")), "{lines:?}");
            client.say("DONE");
            assert!(client.until("b ").last().unwrap().starts_with("b OK"));
        }
        client.command("c LOGOUT");
    }
    at.server.stop();
}
