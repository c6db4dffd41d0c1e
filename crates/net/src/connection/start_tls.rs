//! Turning a connection into an encrypted one.

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::Connection;
use super::read_ahead::ReadAhead;
use super::stream::Stream;
use crate::host::Host;
use crate::tls::{ClientTls, HandshakeError, Protocols, ServerTls};

/// Why TLS did not begin. The connection cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum StartTlsError {
    /// Bytes were waiting that would have been taken for encrypted ones (SS-4, SC-3).
    #[error("unencrypted bytes were sent behind the change to TLS")]
    BytesWaiting,
    /// TLS is on already.
    #[error("the connection is encrypted already")]
    AlreadyEncrypted,
    /// It was tried, and failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
}

impl Connection {
    /// The server's side of the handshake. `protocols` are the names this door answers to in ALPN.
    ///
    /// Refuses if the peer has sent anything behind its STARTTLS: those bytes came before encryption, and whoever put them
    /// there was perhaps not the peer (RFC 3207 §4.2; CVE-2011-0411).
    pub async fn start_tls_server(
        &mut self,
        tls: &ServerTls,
        protocols: Protocols,
        deadline: Instant,
    ) -> Result<(), StartTlsError> {
        let socket = self.take_socket()?;
        let stream = timeout_at(deadline, tls.acceptor(protocols).accept(ReadAhead::new(socket)))
            .await
            .map_err(|_elapsed| HandshakeError::TimedOut)?
            .map_err(HandshakeError::from)?;
        self.stream = Stream::Server(Box::new(stream));
        Ok(())
    }

    /// The client's side of the handshake with `host`, whose certificate must verify for that very name.
    pub async fn start_tls_client(
        &mut self,
        tls: &ClientTls,
        host: &Host,
        deadline: Instant,
    ) -> Result<(), StartTlsError> {
        let socket = self.take_socket()?;
        let name = ClientTls::server_name(host)?;
        let stream = timeout_at(deadline, tls.connector().connect(name, ReadAhead::new(socket)))
            .await
            .map_err(|_elapsed| HandshakeError::TimedOut)?
            .map_err(HandshakeError::from)?;
        self.stream = Stream::Client(Box::new(stream));
        Ok(())
    }

    /// The bare socket, if nothing is buffered. Whatever follows, this connection speaks plain text no more.
    fn take_socket(&mut self) -> Result<TcpStream, StartTlsError> {
        if self.is_encrypted() {
            return Err(StartTlsError::AlreadyEncrypted);
        }
        if !self.buffered().is_empty() {
            self.stream = Stream::Gone;
            return Err(StartTlsError::BytesWaiting);
        }
        match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Plain(socket) => Ok(socket),
            _ => Err(HandshakeError::Closed.into()),
        }
    }
}
