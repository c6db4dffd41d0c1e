//! Peers that do what no honest one does, as scripts: a provider, and a client, with the program between them.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gatepost_testkit::wait_until;

use super::{AppPassword, LineClient, ReadingDoor, ReadingHouse, with_input};

/// Longer than the minute that a client has for its sign-in.
const PATIENCE: Duration = Duration::from_secs(100);

/// More than anybody may swallow who does not pass it on.
const ENDLESS: usize = 256 * 1024 * 1024;

/// What is written or taken at a time of much.
const LITTLE: usize = 1024 * 1024;

/// By how much the program may grow over all that odd peers do to it at the same time.
const GROWS_BY_KIB: u64 = 64 * 1024;

/// One thing that a peer does. In what is said, `«user»`, `«password»`, `«address»` and `«port»` stand for the account of the row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Writes it in one piece.
    Says(&'static str),
    /// Writes what is no text.
    Writes(&'static [u8]),
    /// Writes it so often, in one piece.
    Repeats(&'static str, usize),
    /// Writes so many octets.
    Streams(usize),
    /// Writes it until the other side has gone.
    NeverStops(&'static str),
    /// Writes it over and over, an octet a second, until the other side has gone. Sleeps: it plays somebody slow, and waits for nothing.
    Drips(&'static str),
    /// The next line begins so.
    Hears(&'static str),
    /// So many lines, which are all this one.
    HearsOften(&'static str, usize),
    /// Takes so many octets, whatever they are.
    Takes(usize),
    /// The same, pausing longer than anybody waits for the last octets of a session. Sleeps, for the same reason.
    TakesSlowly(usize),
    /// This is all that still comes before the other side closes.
    HearsLast(&'static str),
    /// The other side has gone, whatever it has said before.
    IsLeft,
}

/// What has happened honestly when the scripts begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// A client connects, without TLS yet. Nobody needs a provider.
    Plain,
    /// A client has begun TLS. Nobody needs a provider.
    Encrypted,
    /// An honest client signs in, and the provider is connected to.
    Greeting,
    /// The same towards an account with STARTTLS.
    GreetingBeforeTls,
    /// The provider has been asked to let it in.
    SignIn,
    /// It has, and the client knows.
    Open,
}

/// One row: who meets whom, and what comes of it.
pub(crate) struct Meeting {
    pub(crate) name: &'static str,
    /// `imap` or `pop3`.
    pub(crate) protocol: &'static str,
    pub(crate) from: Begins,
    pub(crate) provider: &'static [Step],
    pub(crate) client: &'static [Step],
}

use Step::{Hears, Says};

const IMAP_GREETS: [Step; 3] = [
    Says("* OK ready\r\n"),
    Hears("g1 CAPABILITY"),
    Says("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\ng1 OK done\r\n"),
];
const IMAP_IS_ASKED: [Step; 1] = [Hears("g2 AUTHENTICATE PLAIN ")];
const IMAP_LETS_IN: [Step; 1] = [Says("g2 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n")];
const POP3_GREETS: [Step; 3] =
    [Says("+OK ready\r\n"), Hears("CAPA"), Says("+OK\r\nSASL PLAIN\r\nUSER\r\n.\r\n")];
const POP3_IS_ASKED: [Step; 3] = [Hears("AUTH PLAIN"), Says("+ \r\n"), Hears("")];
const POP3_LETS_IN: [Step; 3] = [Says("+OK in\r\n"), Hears("CAPA"), Says("+OK\r\nUSER\r\nUIDL\r\n.\r\n")];

impl Meeting {
    /// What an honest provider does before.
    fn before(&self) -> Vec<Step> {
        let (greets, is_asked, lets_in) = match self.protocol {
            "imap" => (&IMAP_GREETS[..], &IMAP_IS_ASKED[..], &IMAP_LETS_IN[..]),
            _ => (&POP3_GREETS[..], &POP3_IS_ASKED[..], &POP3_LETS_IN[..]),
        };
        match self.from {
            Begins::Plain | Begins::Encrypted | Begins::Greeting | Begins::GreetingBeforeTls => Vec::new(),
            Begins::SignIn => [greets, is_asked].concat(),
            Begins::Open => [greets, is_asked, lets_in].concat(),
        }
    }

    const fn has_provider(&self) -> bool {
        !matches!(self.from, Begins::Plain | Begins::Encrypted)
    }
}

/// The account of one row.
#[derive(Clone)]
struct Names {
    address: String,
    port: u16,
    with: AppPassword,
}

impl Names {
    fn in_place(&self, text: &str) -> String {
        text.replace("«user»", &self.with.user_name)
            .replace("«password»", &self.with.password.replace(' ', ""))
            .replace("«address»", &self.address)
            .replace("«port»", &self.port.to_string())
    }
}

/// `heard` has been heard already.
fn play(peer: &mut LineClient, steps: &[Step], names: &Names, mut heard: Option<String>) {
    for step in steps {
        match *step {
            Step::Says(text) => peer.write(names.in_place(text).as_bytes()),
            Step::Writes(bytes) => peer.write(bytes),
            Step::Repeats(text, n) => {
                let _ = peer.try_to_write(text.repeat(n).as_bytes());
            }
            Step::Streams(n) => {
                let piece = vec![b'x'; LITTLE];
                (0..n / LITTLE).for_each(|_| peer.write(&piece));
            }
            Step::NeverStops(text) => {
                let piece = text.repeat(16 * 1024 / text.len());
                let n_taken = (0..ENDLESS / piece.len()).take_while(|_| peer.try_to_write(piece.as_bytes()));
                assert!(n_taken.count() < ENDLESS / piece.len(), "it takes everything");
            }
            Step::Drips(text) => {
                for octet in text.bytes().cycle() {
                    if !peer.try_to_write(&[octet]) {
                        break;
                    }
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Step::Hears(start) => {
                let start = names.in_place(start);
                let line = heard.take().unwrap_or_else(|| peer.hear());
                assert!(line.starts_with(&start), "{line:?} is not {start:?}");
            }
            Step::HearsOften(line, n) => (0..n).for_each(|_| assert_eq!(peer.hear(), line)),
            Step::Takes(n) => {
                (0..n / LITTLE).for_each(|_| drop(peer.octets(LITTLE)));
                drop(peer.octets(n % LITTLE));
            }
            Step::TakesSlowly(n) => {
                for _ in 0..n / LITTLE {
                    thread::sleep(Duration::from_millis(700));
                    peer.octets(LITTLE);
                }
            }
            Step::HearsLast(text) => {
                assert_eq!(String::from_utf8_lossy(&peer.rest()), names.in_place(text));
            }
            Step::IsLeft => drop(peer.rest()),
        }
    }
}

/// A provider that plays its part for the first that comes, and must not be asked again.
fn provider(listener: TcpListener, steps: &[Step], names: &Names) {
    listener.set_nonblocking(true).unwrap();
    let accept = || -> Option<TcpStream> { listener.accept().ok().map(|(it, _)| it) };
    let socket = wait_until(PATIENCE, accept).expect("nobody has come");
    socket.set_nonblocking(false).unwrap();
    let mut peer = LineClient::of(socket);
    peer.wait_for(PATIENCE);
    play(&mut peer, steps, names, None);
    drop(peer);
    assert!(accept().is_none(), "it was asked twice");
}

fn client(at: &ReadingHouse, it: &Meeting, names: &Names) {
    let door = match it.protocol {
        "imap" => ReadingDoor::IMAP,
        _ => ReadingDoor::POP3,
    };
    let mut client = match it.from {
        Begins::Plain => {
            let address = at.server.text(&format!("{}_starttls", it.protocol));
            let mut client = LineClient::plain(&address);
            client.hear();
            client
        }
        _ => at.connect(door[1]),
    };
    client.wait_for(PATIENCE);
    let mut heard = it.has_provider().then(|| signs_in(&mut client, it.protocol, &names.with));
    if it.from == Begins::Open {
        let heard = heard.take().unwrap_or_default();
        let opens = ["l OK [CAPABILITY IMAP4rev1 IDLE] ", "+OK "].iter().any(|it| heard.starts_with(it));
        assert!(opens, "{heard}");
    }
    play(&mut client, it.client, names, heard);
}

/// What is answered to an honest client, who tries again while a busy machine keeps the program from looking at its database in time.
fn signs_in(client: &mut LineClient, protocol: &str, with: &AppPassword) -> String {
    let AppPassword { user_name, password, .. } = with;
    let answer = || {
        let answer = if protocol == "imap" {
            client.ask(&format!("l LOGIN {user_name} \"{password}\""))
        } else {
            assert!(client.ask(&format!("USER {user_name}")).starts_with("+OK"));
            client.ask(&format!("PASS {password}"))
        };
        (!answer.ends_with(" right now: try again")).then_some(answer)
    };
    wait_until(PATIENCE, answer).expect("the machine comes to rest")
}

/// An account of its own for each row: what is known of one says nothing about the other.
fn account(at: &ReadingHouse, n: usize, it: &Meeting, port: u16) -> Names {
    // A small machine has better things to do than to run a hundred commands at the same time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = format!("row{n}@practice.example");
    let tls = if it.from == Begins::GreetingBeforeTls { "starttls" } else { "none" };
    let mut command = at.it.gatepost();
    command.args(["account", "add", "--provider", "custom", "--address", &address]);
    command.args(["--smtp", "127.0.0.1:1", "--smtp-tls", "starttls"]);
    let server = format!("127.0.0.1:{port}");
    command.args([&format!("--{}", it.protocol), &server, &format!("--{}-tls", it.protocol), tls]);
    with_input(command.args(["--password-stdin", "--unchecked", "--json"]), "secret").json();
    let with = at.it.app_password(&address, &[]);
    Names { address, port, with }
}

/// Nobody who is honest notices anything of it.
#[track_caller]
fn is_honest_to(at: &ReadingHouse, with: &AppPassword) {
    let mut imap = at.signed_in(ReadingDoor::IMAP[0], with);
    assert!(imap.command("s SELECT INBOX").last().unwrap().starts_with("s OK"));
    imap.command("q LOGOUT");
    assert!(imap.rest().is_empty());
    let mut pop3 = at.signed_in(ReadingDoor::POP3[1], with);
    assert_eq!(pop3.ask("STAT"), "+OK 0 0");
    assert!(pop3.ask("QUIT").starts_with("+OK"));
    assert!(pop3.rest().is_empty());
}

/// Plays a part beside all others. Its name stands before whatever it complains about.
fn part<'a>(scope: &'a thread::Scope<'a, '_>, name: String, part: impl FnOnce() + Send + 'a) {
    thread::Builder::new().name(name).spawn_scoped(scope, part).unwrap();
}

/// Lets all of them meet at the same time, and asserts that each hears what it should; that the program has not grown much, lets every
/// session end, serves the honest, and has not panicked.
#[track_caller]
pub(crate) fn meet(rows: &[Meeting]) {
    let at = ReadingHouse::start();
    let honest = at.app_password(&[]);
    is_honest_to(&at, &honest);
    let n_before = 2;
    let before = at.peak_kib();
    thread::scope(|scope| {
        for (n, it) in rows.iter().enumerate() {
            let (at, honest) = (&at, &honest);
            let row = move || {
                if !it.has_provider() {
                    return client(at, it, &Names { address: String::new(), port: 0, with: honest.clone() });
                }
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let names = account(at, n, it, listener.local_addr().unwrap().port());
                let steps = [&it.before()[..], it.provider].concat();
                thread::scope(|scope| {
                    part(scope, format!("{}: the provider", it.name), || provider(listener, &steps, &names));
                    client(at, it, &names);
                });
            };
            part(scope, format!("{} {}", it.protocol, it.name), row);
        }
    });
    is_honest_to(&at, &honest);
    let log = || fs::read_to_string(&at.server.log).unwrap();
    let n_sessions = n_before + rows.len() + 2;
    let are_over = || (log().matches(" session ended").count() >= n_sessions).then_some(());
    assert!(wait_until(PATIENCE, are_over).is_some(), "not all {n_sessions} have ended: {}", log());
    let grown = at.peak_kib() - before;
    assert!(grown < GROWS_BY_KIB, "it has grown by {grown} KiB");
    assert!(!log().contains("panicked"), "{}", log());
    assert_eq!(at.server.stop().code(), Some(0));
}
