//! One connection to the sink.

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use gatepost_wire::smtp::{Capabilities, Command, DataProgress, DataReader, LineEnds, SizeLimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::tally::{self, Tally};
use crate::channel::Channel;

/// How much of a letter is looked at for its Message-ID: more than any server puts above it.
const HEAD_BYTES: usize = 8 * 1024;

/// Largest letter taken.
const SIZE_BYTES: u64 = 1 << 30;

/// How a connection begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// In the clear, until STARTTLS.
    Plain,
    /// With TLS.
    Encrypted,
}

pub(super) async fn serve(
    socket: TcpStream,
    greeting: Greeting,
    tls: TlsAcceptor,
    tally: Arc<Mutex<Tally>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if greeting == Greeting::Encrypted {
        return Session::new(tls.accept(socket).await?, true, tally).run(true).await.map(drop);
    }
    let plain = Session::new(socket, false, Arc::clone(&tally)).run(true).await?;
    match plain {
        Some(socket) => Session::new(tls.accept(socket).await?, true, tally).run(false).await.map(drop),
        None => Ok(()),
    }
}

struct Session<S> {
    channel: Channel<S>,
    is_encrypted: bool,
    is_signed_in: bool,
    has_recipient: bool,
    tally: Arc<Mutex<Tally>>,
}

/// Why no more commands are read.
enum Last {
    Quit,
    StartTls,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S, is_encrypted: bool, tally: Arc<Mutex<Tally>>) -> Self {
        let channel = Channel::new(stream);
        Self { channel, is_encrypted, is_signed_in: false, has_recipient: false, tally }
    }

    /// Until QUIT; gives the connection back when the client wants TLS on it.
    async fn run(mut self, greet: bool) -> io::Result<Option<S>> {
        if greet {
            self.say(b"220 sink.bench.example ESMTP\r\n");
        }
        loop {
            // Answers to pipelined commands leave together (RFC 2920 §3.2).
            if self.channel.buffered().is_empty() {
                self.channel.flush().await?;
            }
            let command = Command::parse(self.channel.line().await?);
            let step = match command {
                Ok(command) => self.obey(command).await?,
                Err(error) => {
                    error.reply().write_to(&mut self.channel.output);
                    ControlFlow::Continue(())
                }
            };
            match step {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Last::Quit) => return self.channel.close().await.map(|()| None),
                ControlFlow::Break(Last::StartTls) => {
                    self.channel.flush().await?;
                    return self.channel.into_stream().map(Some);
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) -> io::Result<ControlFlow<Last>> {
        match command {
            Command::Ehlo(_) => {
                capabilities(self.is_encrypted)
                    .to_reply("sink.bench.example")
                    .write_to(&mut self.channel.output);
            }
            Command::StartTls if !self.is_encrypted => {
                self.say(b"220 2.0.0 Go ahead\r\n");
                return Ok(ControlFlow::Break(Last::StartTls));
            }
            Command::Auth { initial, .. } if self.is_encrypted => self.sign_in(initial.is_some()).await?,
            Command::Mail(_) if self.is_signed_in => self.say(b"250 2.1.0 Sender ok\r\n"),
            Command::Rcpt(_) if self.is_signed_in => {
                self.has_recipient = true;
                self.say(b"250 2.1.5 Recipient ok\r\n");
            }
            Command::Data if self.has_recipient => self.take_letter().await?,
            Command::Rset | Command::Noop => self.say(b"250 2.0.0 Ok\r\n"),
            Command::Quit => {
                self.say(b"221 2.0.0 Bye\r\n");
                return Ok(ControlFlow::Break(Last::Quit));
            }
            _ => self.say(b"503 5.5.1 Not now\r\n"),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn say(&mut self, reply: &[u8]) {
        self.channel.output.extend_from_slice(reply);
    }

    /// Whoever comes is let in.
    async fn sign_in(&mut self, has_response: bool) -> io::Result<()> {
        if !has_response {
            self.say(b"334 \r\n");
            self.channel.flush().await?;
            self.channel.line().await?;
        }
        self.is_signed_in = true;
        self.say(b"235 2.7.0 Welcome\r\n");
        Ok(())
    }

    async fn take_letter(&mut self) -> io::Result<()> {
        self.say(b"354 Go ahead\r\n");
        self.channel.flush().await?;
        let mut reader = DataReader::new(LineEnds::Strict);
        let mut head = Vec::with_capacity(HEAD_BYTES);
        loop {
            if self.channel.buffered().is_empty() {
                self.channel.fill().await?;
            }
            let length = self.channel.buffered().len();
            let keep = |piece: &[u8]| {
                let n = piece.len().min(HEAD_BYTES - head.len());
                head.extend_from_slice(piece.get(..n).unwrap_or_default());
            };
            match reader.push(self.channel.buffered(), keep).map_err(io::Error::other)? {
                DataProgress::More => self.channel.consume(length),
                DataProgress::End { consumed } => {
                    self.channel.consume(consumed);
                    break;
                }
            }
        }
        self.has_recipient = false;
        tally::lock(&self.tally).add(&head)?;
        self.say(b"250 2.0.0 Taken\r\n");
        Ok(())
    }
}

fn capabilities(is_encrypted: bool) -> Capabilities {
    Capabilities {
        size: SizeLimit::AtMost(SIZE_BYTES),
        starttls: !is_encrypted,
        pipelining: true,
        eight_bit_mime: true,
        enhanced_status_codes: true,
        auth: if is_encrypted { vec!["PLAIN".to_owned()] } else { Vec::new() },
        ..Capabilities::default()
    }
}
