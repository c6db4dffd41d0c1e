//! An application of ours, for what the ready-made ones cannot do: pipeline, look at each reply, and write down when.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::AppPassword;

/// Longer than any reply takes, also on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(45);

/// How applications connect to a server whose authority they were told.
pub(crate) fn trusting(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// One encrypted connection.
pub(crate) struct Smtp {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

/// One reply, all its lines, without the last line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply(pub(crate) String);

impl Reply {
    pub(crate) fn code(&self) -> u16 {
        self.0.get(..3).and_then(|it| it.parse().ok()).unwrap_or(0)
    }
}

impl Smtp {
    /// Connects to the door with TLS from the first byte, and says EHLO.
    pub(crate) fn connect(address: &str, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(tls.clone(), name).map_err(io::Error::other)?;
        let mut this = Self { stream: BufReader::new(StreamOwned::new(connection, socket)) };
        this.expect(220)?;
        this.write("EHLO application.practice.example\r\n")?;
        this.expect(250)?;
        Ok(this)
    }

    /// Connects and signs in.
    pub(crate) fn sign_in(address: &str, tls: &Arc<ClientConfig>, with: &AppPassword) -> io::Result<Self> {
        let mut this = Self::connect(address, tls)?;
        let reply = this.auth(with)?;
        if reply.code() == 235 { Ok(this) } else { Err(io::Error::other(format!("AUTH: {}", reply.0))) }
    }

    /// AUTH PLAIN, and what is answered.
    pub(crate) fn auth(&mut self, with: &AppPassword) -> io::Result<Reply> {
        let initial = STANDARD.encode(format!("\0{}\0{}", with.user_name, with.password));
        self.write(&format!("AUTH PLAIN {initial}\r\n"))?;
        self.reply()
    }

    /// Writes in one piece.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// Writes one command and reads its reply.
    pub(crate) fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.write(&format!("{line}\r\n"))?;
        self.reply()
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let mut text = String::new();
        loop {
            let start = text.len();
            if self.stream.read_line(&mut text)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // RFC 5321 §4.2.1: a hyphen behind the code says that more lines follow.
            if text.as_bytes().get(start + 3) != Some(&b'-') {
                return Ok(Reply(text.trim_end().to_owned()));
            }
        }
    }

    /// The next reply, which must have this code.
    pub(crate) fn expect(&mut self, code: u16) -> io::Result<Reply> {
        let reply = self.reply()?;
        if reply.code() == code {
            Ok(reply)
        } else {
            Err(io::Error::other(format!("not {code}: {}", reply.0)))
        }
    }

    /// Sends one whole letter, and gives the answer to its end or to what was refused before.
    pub(crate) fn send(&mut self, from: &str, to: &[&str], text: &str) -> io::Result<Reply> {
        let recipients: String = to.iter().map(|it| format!("RCPT TO:<{it}>\r\n")).collect();
        self.write(&format!("MAIL FROM:<{from}>\r\n{recipients}DATA\r\n"))?;
        let replies: Vec<Reply> = (0..to.len() + 2).map(|_| self.reply()).collect::<io::Result<_>>()?;
        match replies.into_iter().find(|it| it.code() >= 400) {
            Some(refused) => Ok(refused),
            None => self.command(&format!("{text}\r\n.")),
        }
    }

    /// Waits until the server says something or ends the connection, without asking: its words, or none at all.
    pub(crate) fn overhear(&mut self) -> Option<Reply> {
        self.reply().ok()
    }

    /// Reads until the server has closed, and fails if it says anything more.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = self.stream.read_to_end(&mut rest);
        // A server that dies does not say goodbye to TLS either.
        rest.is_empty() && read.map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |_| true)
    }
}
