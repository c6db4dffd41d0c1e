use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_testkit::on_both_engines;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

on_both_engines!(
    ROOMS;
    a_mailbox_that_cannot_be_opened_is_blocked_until_it_opens,
    a_parked_mailbox_is_probed_by_schedule_once_among_all_nodes,
    nothing_is_probed_that_has_no_mailbox_no_secret_or_a_pause,
    a_pop3_server_is_not_signed_in_to_sooner_than_it_wants,
    what_a_preset_prefers_is_said_to_the_server,
    a_failure_to_read_counts_for_its_protocol_alone_and_until_somebody_gets_in,
    a_failure_to_read_counts_no_more_once_the_account_is_changed_or_resumed,
    what_pop3_alone_refuses_is_told_to_its_program_and_leaves_the_mailbox_as_it_is,
    what_pop3_alone_refuses_is_logged_without_addresses,
    a_server_that_wants_tls_is_told_with_the_setting_that_cures_it,
);

/// A reading server on loopback without encryption, for as many connections as come.
#[derive(Default)]
struct Server {
    port: u16,
    refuses_sign_in: AtomicBool,
    refuses_to_open: AtomicBool,
    n_sign_ins: AtomicUsize,
    /// How it refuses every sign-in, or that it offers none.
    refusal: Mutex<Option<&'static str>>,
}

/// It offers no sign-in.
const NONE_OFFERED: &str = "";

impl Server {
    async fn start(is_imap: bool) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let it = Arc::new(Self { port: listener.local_addr().unwrap().port(), ..Self::default() });
        let server = Arc::clone(&it);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = Arc::clone(&server);
                tokio::spawn(async move { server.serve(socket, is_imap).await });
            }
        });
        it
    }

    async fn serve(&self, mut socket: TcpStream, is_imap: bool) {
        let (reading, mut writing) = socket.split();
        let mut lines = BufReader::new(reading).lines();
        let greeting = if is_imap { "* OK ready\r\n" } else { "+OK ready\r\n" };
        writing.write_all(greeting.as_bytes()).await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = if is_imap { self.imap(&line) } else { self.pop3(&line) };
            if writing.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn imap(&self, line: &str) -> String {
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        match command.split(' ').next() {
            Some("CAPABILITY") if self.refusal() == Some(NONE_OFFERED) => {
                format!("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n")
            }
            Some("CAPABILITY") => {
                format!("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK done\r\n")
            }
            Some("AUTHENTICATE") if self.signs_in() => format!("{tag} OK in\r\n"),
            Some("AUTHENTICATE") => {
                let words = self.refusal().unwrap_or("NO [AUTHENTICATIONFAILED] Invalid credentials");
                format!("{tag} {words}\r\n")
            }
            Some("SELECT") if self.refuses_to_open.load(Ordering::SeqCst) => {
                format!("{tag} NO [ALERT] Your account is not enabled for IMAP use.\r\n")
            }
            Some("LOGOUT") => format!("* BYE\r\n{tag} OK done\r\n"),
            _ => format!("{tag} OK done\r\n"),
        }
    }

    fn pop3(&self, line: &str) -> String {
        match line.split(' ').next() {
            Some("CAPA") => "+OK\r\nUSER\r\nLOGIN-DELAY 900\r\n.\r\n".into(),
            Some("PASS") if self.signs_in() => "+OK in\r\n".into(),
            Some("PASS") => format!("{}\r\n", self.refusal().unwrap_or("-ERR [AUTH] no")),
            Some("STAT") => "+OK 0 0\r\n".into(),
            _ => "+OK\r\n".into(),
        }
    }

    fn refusal(&self) -> Option<&'static str> {
        *self.refusal.lock().unwrap()
    }

    fn signs_in(&self) -> bool {
        self.n_sign_ins.fetch_add(1, Ordering::SeqCst);
        !self.refuses_sign_in.load(Ordering::SeqCst) && self.refusal().is_none()
    }

    fn refuse_sign_in(&self, refuses: bool) {
        self.refuses_sign_in.store(refuses, Ordering::SeqCst);
    }

    fn n_sign_ins(&self) -> usize {
        self.n_sign_ins.load(Ordering::SeqCst)
    }
}

/// Points reading at this server; nobody answers for sending.
async fn point(it: &Fixture, server: &Server, is_imap: bool) {
    let (imap, pop3) = if is_imap { (Some(server), None) } else { (None, Some(server)) };
    point_at(it, imap, pop3).await;
}

async fn point_at(it: &Fixture, imap: Option<&Server>, pop3: Option<&Server>) {
    let at = |port| Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
    let reading = |server: Option<&Server>| server.map(|it| at(it.port));
    let smtp = at(gatepost_testkit::free_port());
    let endpoints = Endpoints { smtp, imap: reading(imap), pop3: reading(pop3) };
    it.accounts.edit_endpoints(it.organisation, it.id, endpoints, Actor::Command).await.unwrap();
    let secret = SecretText::new("correct horse".into());
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    it.advance(1);
}

fn reach(it: &Fixture) -> Reach {
    Reach {
        dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(vec!["127.0.0.1".parse().unwrap()]))),
        tls: ClientTls::new(&[], &it.it.world).unwrap(),
        own_name: "gatepost.example".parse().unwrap(),
        arrival: Arrival::default(),
    }
}

async fn check(it: &Fixture) -> Check {
    let (progress, _nobody) = tokio::sync::watch::channel(Progress::default());
    let reach = reach(it);
    let errand = Errand { reach: &reach, proof: &Proof::SignIn, progress: &progress };
    it.accounts.check(it.organisation, it.id, errand).await.unwrap_or_else(|why| panic!("{why}"))
}

async fn read(it: &Fixture, what: What) {
    let event = it.event(what).await;
    it.accounts.report(it.organisation, it.id, Direction::Reading, event).await.unwrap();
}

fn reading_blocked() -> What {
    What::Blocked { diagnosis: diagnosis("im-g-off", RetryClass::Hold), reply: None }
}

async fn due(it: &Fixture) -> Vec<(OrganisationId, MailAccountId)> {
    it.accounts.due_probes(it.now(), Direction::Reading).await.unwrap()
}

/// docs/decisions/0002: a block or limit met after the sign-in is no reason to sign in again.
async fn a_mailbox_that_cannot_be_opened_is_blocked_until_it_opens(it: TestStore) {
    let it = Fixture::new(it).await;
    let server = Server::start(true).await;
    point(&it, &server, true).await;
    server.refuse_sign_in(true);
    check(&it).await;
    assert_eq!(it.status().await.reading.status, StatusName::NeedsSignIn);
    server.refuse_sign_in(false);
    server.refuses_to_open.store(true, Ordering::SeqCst);
    it.advance(1);
    for _ in 0..2 {
        let checked = check(&it).await;
        let crosses: Vec<_> = checked
            .reading
            .unwrap()
            .into_iter()
            .filter_map(|(step, outcome)| match outcome {
                Outcome::Failed { diagnosis, .. } => Some((step, diagnosis.rule)),
                _ => None,
            })
            .collect();
        assert_eq!(crosses, [(Step::Open, "im-g-off".to_owned())]);
        let reading = it.status().await.reading;
        assert_eq!(reading.status, StatusName::Failing, "the sign-in was good");
        assert_eq!(reading.diagnosis.unwrap().rule, "im-g-off");
        it.advance(60);
    }
    // The clock moves while it is looked: what was said behind the sign-in still counts.
    read(&it, refused()).await;
    it.advance(1);
    let event = it.event(reading_blocked()).await;
    it.advance(1);
    it.accounts.report(it.organisation, it.id, Direction::Reading, event).await.unwrap();
    assert_eq!(it.status().await.reading.status, StatusName::Failing);
    let since = it.status().await.reading.since;
    read(&it, What::Succeeded).await;
    assert_eq!(it.status().await.reading.since, since, "a sign-in proves nothing about a block");
    assert_eq!(due(&it).await, [], "what is blocked is not parked");
    server.refuses_to_open.store(false, Ordering::SeqCst);
    check(&it).await;
    assert_eq!(it.status().await.reading.status, StatusName::Connected);
}

/// SC-8.
async fn a_parked_mailbox_is_probed_by_schedule_once_among_all_nodes(it: TestStore) {
    let it = Fixture::new(it).await;
    let server = Server::start(true).await;
    point(&it, &server, true).await;
    it.report(What::Succeeded).await;
    server.refuse_sign_in(true);
    read(&it, refused()).await;
    assert_eq!(
        it.accounts.due_probes(it.now() + Duration::from_hours(9), Direction::Sending).await.unwrap(),
        []
    );
    let (one, other, reach) = (it.accounts.clone(), it.restarted(), reach(&it));
    let mut n_probes = 0;
    for minutes in [5, 30, 120, 24 * 60] {
        it.advance(minutes * 60 - 1);
        assert_eq!(due(&it).await, [], "not yet after {minutes} minutes");
        it.advance(1);
        assert_eq!(due(&it).await, [(it.organisation, it.id)], "{minutes} minutes");
        let (first, second) = tokio::join!(one.probe_reading(&reach), other.probe_reading(&reach));
        assert!(first.unwrap() + second.unwrap() >= 1);
        n_probes += 1;
        assert_eq!(server.n_sign_ins(), n_probes, "two nodes make one sign-in");
        assert_eq!(due(&it).await, []);
    }
    // It may have been the other node's, which is seen here a second later.
    it.accounts.refresh(it.organisation).await.unwrap();
    let reason = it.status().await.reading.diagnosis.unwrap().rule;
    assert_eq!(reason, "im-authfailed");
    server.refuse_sign_in(false);
    it.advance(24 * 60 * 60);
    one.probe_reading(&reach).await.unwrap();
    it.accounts.refresh(it.organisation).await.unwrap();
    let status = it.status().await;
    assert_eq!(status.reading.status, StatusName::Connected);
    assert_eq!(status.sending.status, StatusName::Connected);
    assert_eq!(one.probe_reading(&reach).await.unwrap(), 0);
}

async fn nothing_is_probed_that_has_no_mailbox_no_secret_or_a_pause(it: TestStore) {
    let it = Fixture::new(it).await;
    let server = Server::start(true).await;
    let long = Duration::from_hours(1_000);
    // No server to read from.
    read(&it, refused()).await;
    let due = async || it.accounts.due_probes(it.now() + long, Direction::Reading).await.unwrap();
    assert_eq!(due().await, []);
    point(&it, &server, true).await;
    read(&it, refused()).await;
    assert_eq!(due().await.len(), 1);
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    assert_eq!(due().await, []);
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    assert_eq!(due().await.len(), 1);
    // The secret was sealed for other servers: there is nothing to sign in with.
    it.tamper(&tampering::POINT_ELSEWHERE, vec![it.id.into(), "elsewhere.example".into()]).await;
    it.advance(300);
    it.accounts.probe_reading(&reach(&it)).await.unwrap();
    assert_eq!(due().await, []);
    assert_eq!(server.n_sign_ins(), 0);
}

/// RFC 2449 §6.5.
async fn a_pop3_server_is_not_signed_in_to_sooner_than_it_wants(it: TestStore) {
    let it = Fixture::new(it).await;
    let server = Server::start(false).await;
    point(&it, &server, false).await;
    let began = it.now();
    check(&it).await;
    assert_eq!((it.status().await.reading.status, server.n_sign_ins()), (StatusName::Connected, 1));
    it.advance(899);
    let checked = check(&it).await;
    let reading = checked.reading.unwrap();
    assert!(reading.contains(&(Step::SignIn, Outcome::Waits { until: began + Duration::from_secs(900) })));
    assert!(
        reading.iter().all(|(_, it)| matches!(it, Outcome::Waits { .. } | Outcome::NotReached)),
        "no cross"
    );
    assert_eq!((it.status().await.reading.status, server.n_sign_ins()), (StatusName::Connected, 1));
    it.advance(1);
    check(&it).await;
    assert_eq!((it.status().await.reading.status, server.n_sign_ins()), (StatusName::Connected, 2));
    // Nor by a probe, which then comes when it may.
    read(&it, refused()).await;
    let probe = async || it.accounts.probe_reading(&reach(&it)).await.unwrap();
    for _ in 0..2 {
        it.advance(300);
        assert_eq!((probe().await, server.n_sign_ins()), (1, 2));
    }
    it.advance(300);
    assert_eq!((probe().await, server.n_sign_ins()), (1, 3));
    assert_eq!(it.status().await.reading.status, StatusName::Connected);
}

async fn what_a_preset_prefers_is_said_to_the_server(it: TestStore) {
    let it = Fixture::new(it).await;
    let preferred = async |provider: &str, text: &str| {
        let new = NewAccount { provider: provider.into(), ..other(it.organisation, text) };
        let id = it.accounts.add(new).await.unwrap().id;
        let handed = it.accounts.signing_in(it.organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
        handed.sign_in().unwrap().preferred.iter().map(|it| it.name()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(preferred("zoho", "a@example.org").await, "LOGIN PLAIN");
    assert_eq!(preferred("fastmail", "b@example.org").await, "OAUTHBEARER XOAUTH2 PLAIN LOGIN");
    assert_eq!(preferred("microsoft365", "c@example.org").await, "XOAUTH2 LOGIN");
    assert_eq!(preferred("custom", "d@example.org").await, "PLAIN LOGIN");
}

/// As an application does.
async fn open(it: &Fixture, reach: &Reach, protocol: ReadingProtocol) -> Result<(), NotReadable> {
    let readable = it.accounts.readable(it.organisation, Target::Account(it.id), protocol).await?;
    it.accounts.open_mailbox(it.organisation, &readable, protocol, reach).await.map(drop)
}

/// Applications try again by themselves, and the provider is not asked each time; but what is wrong with POP3 says nothing about IMAP.
async fn a_failure_to_read_counts_for_its_protocol_alone_and_until_somebody_gets_in(it: TestStore) {
    let it = Fixture::new(it).await;
    let server = Server::start(true).await;
    point(&it, &server, true).await;
    let reach = reach(&it);
    let open = async |protocol| open(&it, &reach, protocol).await;
    let words = |why: Result<(), NotReadable>| why.unwrap_err().to_string();
    assert!(words(open(ReadingProtocol::Pop3).await).contains("has no server for POP3"));
    assert!(open(ReadingProtocol::Imap).await.is_ok(), "it has one for IMAP");
    server.refuse_sign_in(true);
    assert!(words(open(ReadingProtocol::Imap).await).contains("cannot be read"));
    let n_sign_ins = server.n_sign_ins();
    assert!(open(ReadingProtocol::Imap).await.is_err());
    assert_eq!(server.n_sign_ins(), n_sign_ins, "it was asked a moment ago");
    server.refuse_sign_in(false);
    it.advance(1);
    check(&it).await;
    assert!(open(ReadingProtocol::Imap).await.is_ok(), "somebody has got in");
}

/// What cures it is seen at once, and not when the memory of the failure ends.
async fn a_failure_to_read_counts_no_more_once_the_account_is_changed_or_resumed(it: TestStore) {
    let it = Fixture::new(it).await;
    let (imap, pop3) = (Server::start(true).await, Server::start(false).await);
    let nobody = Server { port: gatepost_testkit::free_port(), ..Server::default() };
    let reach = reach(&it);
    let open = async || open(&it, &reach, ReadingProtocol::Pop3).await.map_err(|why| why.to_string());
    // The servers.
    point_at(&it, Some(&imap), Some(&nobody)).await;
    assert!(open().await.unwrap_err().contains("cannot be read by POP3"));
    point_at(&it, Some(&imap), Some(&pop3)).await;
    assert_eq!(open().await, Ok(()));
    // A pause, over before anybody has tried.
    pop3.refuse_sign_in(true);
    assert!(open().await.is_err());
    pop3.refuse_sign_in(false);
    assert!(open().await.is_err(), "it was asked a moment ago");
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.advance(1);
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    assert_eq!(open().await, Ok(()));
    // The secret, by another process than the one that has failed.
    pop3.refuse_sign_in(true);
    assert!(open().await.is_err());
    pop3.refuse_sign_in(false);
    let secret = SecretText::new("better horse".into());
    it.restarted().replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    it.accounts.refresh(it.organisation).await.unwrap();
    assert_eq!(open().await, Ok(()));
}

/// E1: POP3 is switched off at some providers, and its server comes with the provider.
async fn what_pop3_alone_refuses_is_told_to_its_program_and_leaves_the_mailbox_as_it_is(it: TestStore) {
    let it = Fixture::new(it).await;
    let (imap, pop3) = (Server::start(true).await, Server::start(false).await);
    point_at(&it, Some(&imap), Some(&pop3)).await;
    let reach = reach(&it);
    let open = async |protocol| open(&it, &reach, protocol).await.map_err(|why| why.to_string());
    let status = async || it.status().await.reading.status;
    assert_eq!(open(ReadingProtocol::Pop3).await, Ok(()));
    assert_eq!(status().await, StatusName::Unchecked, "the status tells of IMAP");
    pop3.refuse_sign_in(true);
    let refused = open(ReadingProtocol::Pop3).await.unwrap_err();
    assert!(refused.contains("cannot be read by POP3: The provider refused the sign-in."), "{refused}");
    assert!(refused.ends_with("whom its owner lets in."), "with the cure: {refused}");
    assert_eq!(imap.n_sign_ins(), 1, "it is asked whether the password is wrong");
    assert_eq!(status().await, StatusName::Connected);
    assert_eq!(open(ReadingProtocol::Imap).await, Ok(()));
    // Where both refuse it, it is the password's fault, and the board says so.
    it.advance(1);
    imap.refuse_sign_in(true);
    let refused = open(ReadingProtocol::Pop3).await.unwrap_err();
    assert!(refused.ends_with("Look at it in Gatepost"), "{refused}");
    assert_eq!(status().await, StatusName::NeedsSignIn);
    imap.refuse_sign_in(false);
    it.advance(1);
    check(&it).await;
    assert_eq!(status().await, StatusName::Connected, "it does not look at POP3");
    // Nobody answers by POP3.
    let n_sign_ins = imap.n_sign_ins();
    let nobody = Server { port: gatepost_testkit::free_port(), ..Server::default() };
    point_at(&it, Some(&imap), Some(&nobody)).await;
    let refused = open(ReadingProtocol::Pop3).await.unwrap_err();
    assert!(refused.contains("cannot be read by POP3: ") && refused.contains("Check the port"), "{refused}");
    assert_eq!((status().await, imap.n_sign_ins()), (StatusName::Unchecked, n_sign_ins));
}

/// OP-1: servers like to name the mailbox that they refuse.
async fn what_pop3_alone_refuses_is_logged_without_addresses(it: TestStore) {
    let it = Fixture::new(it).await;
    let (imap, pop3) = (Server::start(true).await, Server::start(false).await);
    point_at(&it, Some(&imap), Some(&pop3)).await;
    *pop3.refusal.lock().unwrap() = Some("-ERR [AUTH] <reception@example.org> may not use POP3");
    let reach = reach(&it);
    let (log, _listening) = told::Log::listen();
    open(&it, &reach, ReadingProtocol::Pop3).await.unwrap_err();
    let lines = log.lines();
    let line = lines.iter().find(|it| it.contains("cannot be read by one protocol")).unwrap();
    assert!(line.contains("r…@example.org may not use POP3") && !line.contains("reception@"), "{line}");
}

/// Whoever reads it, in a mail program or on the board, reads what to set, and not the server's words alone.
async fn a_server_that_wants_tls_is_told_with_the_setting_that_cures_it(it: TestStore) {
    let it = Fixture::new(it).await;
    let reach = reach(&it);
    for (protocol, refusal, rule) in [
        (ReadingProtocol::Imap, "NO [PRIVACYREQUIRED] Say STARTTLS first", "im-privacy"),
        (ReadingProtocol::Imap, "NO Say STARTTLS first", "im-encryption-wanted"),
        (ReadingProtocol::Imap, NONE_OFFERED, "im-sign-in-needs-encryption"),
        (ReadingProtocol::Pop3, "-ERR Say STLS first", "pop-encryption-wanted"),
    ] {
        let is_imap = protocol == ReadingProtocol::Imap;
        let server = Server::start(is_imap).await;
        point(&it, &server, is_imap).await;
        // What failed before counts no more.
        check(&it).await;
        it.advance(3_600);
        *server.refusal.lock().unwrap() = Some(refusal);
        let told = open(&it, &reach, protocol).await.unwrap_err().to_string();
        let setting = if is_imap {
            "port 993 with TLS, or 143 with STARTTLS"
        } else {
            "port 995 with TLS, or 110 with STARTTLS"
        };
        for words in [" cannot be read: The server ", "encryption", "server settings in Gatepost", setting] {
            assert!(told.contains(words), "{words:?} is not in {told:?}");
        }
        let status = it.status().await.reading;
        let shown = status.diagnosis.unwrap();
        assert_eq!((shown.rule.as_str(), status.status), (rule, StatusName::NeedsSignIn));
        assert!(shown.cure.contains(setting), "{}", shown.cure);
        // From the memory of it, too.
        let again = open(&it, &reach, protocol).await.unwrap_err().to_string();
        assert_eq!(again, told);
    }
}
