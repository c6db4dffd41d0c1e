//! An application that reads: connects with TLS, signs in, asks.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use rustls::pki_types::ServerName;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::client_tls;
use crate::channel::Channel;

/// What is read from the socket at once: rustls by itself asks the system for 4 KiB each time.
const SOCKET_BYTES: usize = 128 * 1024;

/// Which server, and as whom.
#[derive(Args)]
pub(crate) struct ReadingDoorArgs {
    /// Where the server listens for IMAP with TLS from the first byte
    #[arg(long)]
    server: SocketAddr,
    /// The authority to trust, PEM
    #[arg(long)]
    authority: PathBuf,
    #[arg(long)]
    user: String,
    /// A file that holds the password
    #[arg(long)]
    password_file: PathBuf,
}

/// A server that can be connected to any number of times.
pub(crate) struct ReadingDoor {
    server: SocketAddr,
    tls: TlsConnector,
    login: String,
}

impl ReadingDoorArgs {
    pub(crate) fn open(self) -> anyhow::Result<ReadingDoor> {
        let password = std::fs::read_to_string(&self.password_file)
            .with_context(|| format!("cannot read {}", self.password_file.display()))?;
        Ok(ReadingDoor {
            server: self.server,
            tls: client_tls(&self.authority, false)?.into(),
            login: format!("LOGIN \"{}\" \"{}\"", self.user, password.trim_end()),
        })
    }
}

impl ReadingDoor {
    /// A new connection, signed in, that will read much: its buffer is large.
    pub(crate) async fn sign_in(&self) -> anyhow::Result<Reader<BufReader<TcpStream>>> {
        let socket = BufReader::with_capacity(SOCKET_BYTES, self.connect().await?);
        self.encrypt_and_sign_in(socket).await
    }

    /// The same for one that will read next to nothing.
    pub(crate) async fn sign_in_small(&self) -> anyhow::Result<Reader<TcpStream>> {
        self.encrypt_and_sign_in(self.connect().await?).await
    }

    async fn connect(&self) -> anyhow::Result<TcpStream> {
        let socket = TcpStream::connect(self.server).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }

    async fn encrypt_and_sign_in<S>(&self, socket: S) -> anyhow::Result<Reader<S>>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let name = ServerName::try_from("localhost").expect("localhost is a name");
        let stream = self.tls.connect(name, socket).await.context("TLS")?;
        let mut reader = Reader { channel: Channel::new(stream) };
        let greeting = reader.channel.line().await.context("waiting for the greeting")?;
        ensure!(greeting.starts_with(b"* OK"), "the server greets {:?}", String::from_utf8_lossy(greeting));
        reader.ask(&self.login).await?;
        Ok(reader)
    }
}

/// A signed-in connection.
pub(crate) struct Reader<S> {
    channel: Channel<TlsStream<S>>,
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Reader<S> {
    /// Sends a command and reads to its end. Tells how many octets its literals had.
    pub(crate) async fn ask(&mut self, command: &str) -> anyhow::Result<u64> {
        self.channel.output.extend_from_slice(b"t ");
        self.channel.output.extend_from_slice(command.as_bytes());
        self.channel.output.extend_from_slice(b"\r\n");
        self.channel.flush().await?;
        let mut n_literal = 0;
        loop {
            let line = self.channel.line().await.context("waiting for a response")?;
            if let Some(answer) = line.strip_prefix(b"t ") {
                let name = command.split(' ').next().unwrap_or_default();
                ensure!(answer.starts_with(b"OK"), "{name}: {}", String::from_utf8_lossy(answer));
                return Ok(n_literal);
            }
            if let Some(n) = literal_at_the_end(line) {
                self.channel.skip(n).await?;
                n_literal += n;
            }
        }
    }
}

/// RFC 9051 §4.3: `{n}` at the end of a line.
fn literal_at_the_end(line: &[u8]) -> Option<u64> {
    let digits = line.strip_suffix(b"}")?.rsplit(|it| *it == b'{').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_seen_at_the_end_of_a_line_alone() {
        for (line, n) in [
            (&b"* 1 FETCH (BODY[] {20480}"[..], Some(20_480)),
            (b"* OK {5} is no literal", None),
            (b"* 1 FETCH ({x}", None),
            (b"t OK", None),
        ] {
            assert_eq!(literal_at_the_end(line), n, "{}", String::from_utf8_lossy(line));
        }
    }
}
