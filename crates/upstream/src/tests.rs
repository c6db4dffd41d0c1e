//! What the tests of this room share: a provider that follows a script, over a real socket, and remembers every byte it was sent.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_core::{Clock, OsRandom, SecretText, Timestamp, TlsMode, Trouble, World};
use gatepost_net::{
    Authority, ClientTls, Connection, Dialer, Guard, Host, LineEnd, Resolver, ServerTls, StartTlsError,
};
use gatepost_wire::message::{MessageId, Sought};
use gatepost_wire::sasl::Mechanism;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::endpoint::Endpoint;
use crate::error::{Evidence, UpstreamError};
use crate::sign_in::{Credential, SignIn};

pub(crate) fn password() -> SignIn {
    SignIn::new("reception".into(), Credential::Password(SecretText::new("hunter2".into())))
}

pub(crate) fn token() -> SignIn {
    SignIn::new("reception".into(), Credential::Bearer(SecretText::new("ya29.token".into())))
}

/// As a provider's preset says it.
pub(crate) fn preferring(mechanisms: &[Mechanism], sign_in: SignIn) -> SignIn {
    SignIn { preferred: mechanisms.to_vec(), ..sign_in }
}

/// Long enough to be known again in a server's words.
pub(crate) const LONG_SECRET: &str = "correct-horse-battery-9";

/// A sign-in with it: as an access token, or as a password.
pub(crate) fn with_long_secret(is_token: bool) -> SignIn {
    let secret = SecretText::new(LONG_SECRET.into());
    let credential = if is_token { Credential::Bearer(secret) } else { Credential::Password(secret) };
    SignIn::new("reception".into(), credential)
}

/// The lines that carry it, by the mechanism.
pub(crate) fn line_of(mechanism: Mechanism) -> String {
    BASE64_STANDARD.encode(match mechanism {
        Mechanism::Plain => format!("\0reception\0{LONG_SECRET}"),
        Mechanism::XOAuth2 => format!("user=reception\x01auth=Bearer {LONG_SECRET}\x01\x01"),
        Mechanism::Login | Mechanism::OAuthBearer => LONG_SECRET.to_owned(),
    })
}

/// What a server says about a token before it refuses it, and what is kept of that.
pub(crate) fn about_token() -> (String, String) {
    let said = |token: &str| format!("{{\"status\":\"400\",\"token\":\"{token}\"}}");
    (BASE64_STANDARD.encode(said(LONG_SECRET)), said("[removed]"))
}

/// Words that are made while the test runs.
pub(crate) fn say(words: String) -> Act {
    Act::Say(Box::leak(words.into_boxed_str()))
}

/// A message to look for.
pub(crate) fn sought(id: &str) -> Sought {
    Sought::by_id(MessageId::new(id).expect("an id"))
}

/// Base64 of NUL, `reception`, NUL, `hunter2`.
pub(crate) const PLAIN: &str = "AHJlY2VwdGlvbgBodW50ZXIy";

pub(crate) fn trouble(error: &UpstreamError) -> Trouble {
    match error.evidence() {
        Evidence::Trouble(trouble) => trouble,
        Evidence::Reply(phase, reply) => panic!("{phase:?} {reply}"),
    }
}

/// One step of a script.
pub(crate) enum Act {
    Say(&'static str),
    /// So often; a multiple of a thousand.
    Repeat(&'static str, usize),
    /// The next line must begin so.
    Hear(&'static str),
    /// The handshake.
    Tls,
    /// Until the client has sent something that nobody reads.
    Pause,
    Close,
    /// One such line after the other, for ever.
    Flood {
        line: &'static str,
    },
    /// One byte now and then, for ever.
    Drip {
        line: &'static str,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Certificate {
    Good,
    Expired,
    Early,
    OtherName,
    OtherAuthority,
}

/// All the client has sent.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) clear: String,
    pub(crate) encrypted: String,
}

impl Heard {
    /// Neither user name nor secret, in no form, in the clear or not.
    #[track_caller]
    pub(crate) fn assert_no_credential(&self) {
        let all = [self.clear.as_str(), &self.encrypted].concat();
        let encoded = |text: &str| BASE64_STANDARD.encode(text).trim_end_matches('=').to_owned();
        for secret in ["reception", "hunter2", "ya29.token"] {
            assert!(!all.contains(secret) && !all.contains(&encoded(secret)), "{all}");
        }
        assert!(!all.contains("AUTH") && !all.contains(PLAIN), "{all}");
    }
}

pub(crate) struct Provider {
    pub(crate) endpoint: Endpoint,
    pub(crate) dialer: Dialer,
    pub(crate) client_tls: ClientTls,
    task: JoinHandle<Heard>,
}

struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

const DAY: Duration = Duration::from_secs(86_400);

fn world_at(now: Timestamp) -> World {
    World::new(Arc::new(Stopped(now)), Arc::new(OsRandom))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

impl Provider {
    /// Listens on loopback and plays the script to the first client.
    pub(crate) async fn start(mode: TlsMode, certificate: Certificate, acts: Vec<Act>) -> Self {
        let today = Timestamp::from_millis(1_795_262_400_000);
        let world = world_at(today);
        let (authority, _) = Authority::generate(&world_at(today - DAY * 1000)).unwrap();
        let (other, _) = Authority::generate(&world).unwrap();
        let own_name = [Host::from(Ipv4Addr::LOCALHOST)];
        let issued = match certificate {
            Certificate::Good => authority.issue(&own_name, &world),
            Certificate::Expired => authority.issue(&own_name, &world_at(today - DAY * 400)),
            Certificate::Early => authority.issue(&own_name, &world_at(today + DAY)),
            Certificate::OtherName => authority.issue(&["mail.example.net".parse().unwrap()], &world),
            Certificate::OtherAuthority => other.issue(&own_name, &world),
        };
        let server_tls = ServerTls::from_issued(&issued.unwrap(), &world).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            play(Connection::from_tcp(socket).unwrap(), &server_tls, acts).await
        });
        let guard = Guard::new(vec![format!("127.0.0.1/32:{port}").parse().unwrap()]);
        Self {
            endpoint: Endpoint { host: Ipv4Addr::LOCALHOST.into(), port, tls: mode },
            dialer: Dialer::new(Resolver::system(), Arc::new(guard)),
            client_tls: ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap(),
            task,
        }
    }

    /// As if the operator had not named the address.
    pub(crate) fn forbid(&mut self) {
        self.dialer = Dialer::new(Resolver::system(), Arc::default());
    }

    /// What it was sent, once the client has gone.
    pub(crate) async fn heard(self) -> Heard {
        tokio::time::timeout_at(soon(), self.task).await.expect("the client hangs up").unwrap()
    }
}

async fn play(mut connection: Connection, tls: &ServerTls, acts: Vec<Act>) -> Heard {
    let mut heard = Heard::default();
    for act in acts {
        match act {
            Act::Say(words) => {
                if connection.write_all(words.as_bytes(), soon()).await.is_err() {
                    break;
                }
            }
            Act::Repeat(words, times) => {
                let block = words.repeat(1_000);
                for _ in 0..times / 1_000 {
                    if connection.write_all(block.as_bytes(), soon()).await.is_err() {
                        return heard;
                    }
                }
            }
            Act::Hear(start) => {
                let Ok(line) = connection.read_line(12_288, LineEnd::Crlf, soon()).await else { break };
                let line = String::from_utf8_lossy(&line).into_owned();
                remember(&mut heard, &connection, &format!("{line}\r\n"));
                assert!(line.starts_with(start), "wanted {start:?}, heard {line:?}");
            }
            Act::Tls => match connection.start_tls_server(tls, &["smtp"], soon()).await {
                Ok(()) => {}
                // A client that finds fault with the certificate breaks off.
                Err(StartTlsError::Handshake(_)) => return heard,
                Err(other) => panic!("{other}"),
            },
            Act::Pause => {
                connection.fill(soon()).await.unwrap();
            }
            Act::Close => {
                connection.close(soon()).await;
                return heard;
            }
            Act::Flood { line } => {
                let block = line.repeat(1_000);
                while connection.write_all(block.as_bytes(), soon()).await.is_ok() {}
                return heard;
            }
            Act::Drip { line } => {
                for byte in line.bytes().cycle() {
                    if connection.write_all(&[byte], soon()).await.is_err() {
                        return heard;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
    while let Ok(bytes) = connection.fill(soon()).await {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let length = bytes.len();
        connection.consume(length);
        remember(&mut heard, &connection, &text);
    }
    heard
}

fn remember(heard: &mut Heard, connection: &Connection, text: &str) {
    if connection.is_encrypted() { heard.encrypted.push_str(text) } else { heard.clear.push_str(text) }
}
