//! An application: connects, signs in, hands letters in.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use gatepost_core::SecretBytes;
use gatepost_wire::smtp::{Command, Reply, ReplyParser};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::client_tls;
use crate::channel::Channel;

/// Which server, and as whom.
#[derive(Args)]
pub(crate) struct DoorArgs {
    /// Where the server listens
    #[arg(long)]
    server: SocketAddr,
    /// How TLS begins
    #[arg(long, value_enum, default_value = "starttls")]
    encryption: Encryption,
    /// The authority to trust, PEM
    #[arg(long)]
    authority: PathBuf,
    /// Resume TLS sessions, as some applications do; else each connection makes a full handshake
    #[arg(long)]
    resume: bool,
    #[arg(long)]
    user: String,
    /// A file that holds the password
    #[arg(long)]
    password_file: PathBuf,
    /// Reverse path of each letter
    #[arg(long)]
    pub(crate) from: String,
    /// Recipient of each letter
    #[arg(long, default_value = "witness@bench.example")]
    pub(crate) to: String,
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Encryption {
    Starttls,
    Implicit,
}

/// A server that can be connected to any number of times.
pub(crate) struct Door {
    server: SocketAddr,
    encryption: Encryption,
    tls: TlsConnector,
    /// AUTH PLAIN with its initial response.
    auth: Command,
    envelope: Vec<u8>,
}

impl DoorArgs {
    pub(crate) fn open(self) -> anyhow::Result<Door> {
        let password = std::fs::read_to_string(&self.password_file)
            .with_context(|| format!("cannot read {}", self.password_file.display()))?;
        let initial = format!("\0{}\0{}", self.user, password.trim_end());
        Ok(Door {
            server: self.server,
            encryption: self.encryption,
            tls: client_tls(&self.authority, self.resume)?.into(),
            auth: Command::Auth {
                mechanism: "PLAIN".to_owned(),
                initial: Some(SecretBytes::new(initial.into_bytes())),
            },
            envelope: format!("MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n", self.from, self.to).into_bytes(),
        })
    }
}

impl Door {
    /// A new connection, encrypted and signed in.
    pub(crate) async fn sign_in(&self) -> anyhow::Result<Client> {
        let socket = TcpStream::connect(self.server).await?;
        socket.set_nodelay(true)?;
        let socket = match self.encryption {
            Encryption::Implicit => socket,
            Encryption::Starttls => start_tls(socket).await?,
        };
        let name = ServerName::try_from("localhost").expect("localhost is a name");
        let stream = self.tls.connect(name, socket).await.context("TLS")?;
        let mut client = Client { channel: Channel::new(stream), envelope: self.envelope.clone() };
        if self.encryption == Encryption::Implicit {
            expect(&mut client.channel, 220).await?;
        }
        client.channel.output.extend_from_slice(b"EHLO application.bench.example\r\n");
        expect(&mut client.channel, 250).await?;
        self.auth.write_to(&mut client.channel.output);
        expect(&mut client.channel, 235).await?;
        Ok(client)
    }
}

async fn start_tls(socket: TcpStream) -> anyhow::Result<TcpStream> {
    let mut channel = Channel::new(socket);
    expect(&mut channel, 220).await?;
    channel.output.extend_from_slice(b"EHLO application.bench.example\r\n");
    expect(&mut channel, 250).await?;
    channel.output.extend_from_slice(b"STARTTLS\r\n");
    expect(&mut channel, 220).await?;
    Ok(channel.into_stream()?)
}

/// A signed-in connection.
pub(crate) struct Client {
    pub(crate) channel: Channel<TlsStream<TcpStream>>,
    envelope: Vec<u8>,
}

impl Client {
    /// MAIL, RCPT and DATA in one piece, as PIPELINING allows (RFC 2920), up to the server's 354.
    pub(crate) async fn begin(&mut self) -> anyhow::Result<()> {
        self.channel.output.extend_from_slice(&self.envelope);
        expect(&mut self.channel, 250).await?;
        expect(&mut self.channel, 250).await?;
        expect(&mut self.channel, 354).await
    }

    /// Sends the rest of what waits, and takes the server's word for the letter.
    pub(crate) async fn acknowledged(&mut self) -> anyhow::Result<()> {
        expect(&mut self.channel, 250).await
    }

    pub(crate) async fn quit(mut self) -> anyhow::Result<()> {
        self.channel.output.extend_from_slice(b"QUIT\r\n");
        expect(&mut self.channel, 221).await?;
        // The server may have closed already; the letter is safe either way.
        let _closed = self.channel.close().await;
        Ok(())
    }
}

/// Sends what waits and reads one reply.
async fn expect<S>(channel: &mut Channel<S>, code: u16) -> anyhow::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    channel.flush().await?;
    let reply = read_reply(channel).await?;
    ensure!(reply.code == code, "the server answered {reply} instead of {code}");
    Ok(())
}

async fn read_reply<S>(channel: &mut Channel<S>) -> anyhow::Result<Reply>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut parser = ReplyParser::new();
    loop {
        match parser.push(channel.line().await.context("waiting for a reply")?) {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => {}
            Err(error) => bail!(error),
        }
    }
}
