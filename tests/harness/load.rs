//! Applications that hand in letters as fast as they are taken, and write down what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gatepost_testkit::wait_until;
use rustls::ClientConfig;
use serde_json::Value;

use super::{AppPassword, Installation, Mailboxes, Running, Smtp, trusting};

const N_APPLICATIONS: usize = 8;
/// From the start of a server to the first 250, on a machine that does other things.
const FIRST_WITHIN: Duration = Duration::from_secs(60);
/// From the last start to the end of the last letter.
const DRAINED_WITHIN: Duration = Duration::from_secs(300);

/// Whose letters they are: the address of a mail account with an app password.
pub(crate) struct Load {
    pub(crate) from: &'static str,
    pub(crate) password: AppPassword,
    n_letters: Arc<AtomicU64>,
    acknowledged: Vec<String>,
}

/// Applications at work.
pub(crate) struct Applications {
    threads: Vec<JoinHandle<io::Error>>,
    told: Receiver<String>,
}

/// What the applications were promised and what lies in the provider's mailboxes, side by side by Message-ID.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) n_acknowledged: usize,
    /// Acknowledged, and never arrived.
    pub(crate) lost: BTreeSet<String>,
    /// How many arrived more than once.
    pub(crate) n_repeated: usize,
    /// Arrived more often than the outbox admits, with how often.
    pub(crate) unexplained: Vec<(String, usize)>,
}

impl Load {
    pub(crate) fn new(from: &'static str, password: AppPassword) -> Self {
        Self { from, password, n_letters: Arc::default(), acknowledged: Vec::new() }
    }

    /// Sends from several applications at once, and returns when the first letter was acknowledged.
    #[track_caller]
    pub(crate) fn begin(&mut self, server: &Running) -> Applications {
        let applications = self.start(server);
        match applications.told.recv_timeout(FIRST_WITHIN) {
            Ok(first) => self.acknowledged.push(first),
            Err(_) => panic!("no letter is acknowledged: {:?}", self.end(applications)),
        }
        applications
    }

    /// Sends from several applications at once.
    pub(crate) fn start(&self, server: &Running) -> Applications {
        let (address, tls) =
            (server.text("submission_tls"), trusting(Path::new(&server.text("certificate"))));
        let (tell, told) = channel();
        let threads = (0..N_APPLICATIONS)
            .map(|n| {
                let application = Application {
                    address: address.clone(),
                    tls: tls.clone(),
                    password: self.password.clone(),
                    from: self.from,
                    to: mailbox(n),
                    n_letters: self.n_letters.clone(),
                    acknowledged: tell.clone(),
                };
                thread::spawn(move || application.hand_in())
            })
            .collect();
        drop(tell);
        Applications { threads, told }
    }

    /// Waits for the end of all connections, and gives what was said at each. One that just ended says
    /// nothing; what the server said instead of yes is of the kind [`io::ErrorKind::Other`].
    pub(crate) fn end(&mut self, applications: Applications) -> Vec<io::Error> {
        let last_words = applications.threads.into_iter().map(|it| it.join().unwrap()).collect();
        self.acknowledged.extend(applications.told);
        last_words
    }

    /// Waits until a running server has sent all it holds, then compares.
    #[track_caller]
    pub(crate) fn compare(&self, house: &Installation, mailboxes: &Mailboxes) -> Comparison {
        let left = || house.letters(&["--state", "waiting,deferred"]);
        let drained = wait_until(DRAINED_WITHIN, || {
            let left = left();
            // What two kills have met waits its turn, lest it be the letter that kills; nobody here has a minute.
            for letter in left.iter().filter(|it| it["state"] == "deferred") {
                house.command(&["outbox", "retry", letter["id"].as_str().unwrap(), "--json"]);
            }
            left.is_empty().then_some(())
        });
        assert!(drained.is_some(), "letters are left: {:?}", left());
        assert_eq!(house.letters(&["--state", "held,failed,cancelled"]), Vec::<Value>::new());
        self.compare_witnesses(house, mailboxes)
    }

    fn compare_witnesses(&self, house: &Installation, mailboxes: &Mailboxes) -> Comparison {
        let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
        for message in (0..N_APPLICATIONS).flat_map(|n| mailboxes.messages(&mailbox(n))) {
            *arrived.entry(message["message_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let letters: BTreeMap<String, Value> = house.letters(&[]).into_iter().map(by_message_id).collect();
        let lost = self.acknowledged.iter().filter(|it| !arrived.contains_key(*it)).cloned().collect();
        let mut comparison =
            Comparison { n_acknowledged: self.acknowledged.len(), lost, ..Comparison::default() };
        for (id, copies) in arrived.into_iter().filter(|(_, copies)| *copies > 1) {
            comparison.n_repeated += 1;
            if !letters.get(&id).is_some_and(|letter| admits(house, letter, copies - 1)) {
                comparison.unexplained.push((id, copies));
            }
        }
        comparison
    }
}

fn mailbox(n: usize) -> String {
    format!("witness-{n}@sandbox.test")
}

fn by_message_id(letter: Value) -> (String, Value) {
    (letter["message_id"].as_str().unwrap().trim_matches(['<', '>']).to_owned(), letter)
}

/// Whether the outbox says that this letter may have arrived so many times more.
fn admits(house: &Installation, letter: &Value, n_extra: usize) -> bool {
    let shown = house.letter(letter["id"].as_str().unwrap());
    let attempts = shown["attempts"].as_array().unwrap();
    let n_uncertain = attempts.iter().filter(|it| it["result"] == "uncertain").count();
    letter["recipients"][0]["uncertain"] == true && n_extra <= n_uncertain
}

/// One application that hands in letters until the connection ends.
struct Application {
    address: String,
    tls: Arc<ClientConfig>,
    password: AppPassword,
    from: &'static str,
    to: String,
    n_letters: Arc<AtomicU64>,
    acknowledged: Sender<String>,
}

impl Application {
    fn hand_in(self) -> io::Error {
        self.try_hand_in().expect_err("it ends with the connection alone")
    }

    fn try_hand_in(self) -> io::Result<Infallible> {
        let mut smtp = self.sign_in()?;
        let envelope = format!("MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n", self.from, self.to);
        smtp.write(&envelope)?;
        loop {
            smtp.expect(250)?;
            smtp.expect(250)?;
            smtp.expect(354)?;
            let id = format!("{}@applications.example", self.n_letters.fetch_add(1, Ordering::Relaxed));
            let letter = format!(
                "From: <{}>\r\nTo: <{}>\r\nSubject: Letter {id}\r\nMessage-ID: <{id}>\r\n\r\nKeep me.\r\n",
                self.from, self.to
            );
            // The next envelope leaves with the end of this letter (RFC 2920).
            smtp.write(&format!("{letter}.\r\n{envelope}"))?;
            smtp.expect(250)?;
            self.acknowledged.send(id).map_err(io::Error::other)?;
        }
    }

    /// On a machine so busy that removals were not read for a second, sign-ins are put off.
    fn sign_in(&self) -> io::Result<Smtp> {
        loop {
            let mut smtp = Smtp::connect(&self.address, &self.tls)?;
            match smtp.auth(&self.password)?.code() {
                235 => return Ok(smtp),
                454 => {}
                code => return Err(io::Error::other(format!("AUTH was answered {code}"))),
            }
        }
    }
}
