//! One connection and its patience, the same for every protocol.

use std::time::Duration;

use gatepost_core::{Phase, TlsMode};
use gatepost_net::{Connection, Line, LineEnd, Permit};
use tokio::time::Instant;

use crate::deadlines::Deadlines;
use crate::endpoint::Endpoint;
use crate::error::UpstreamError;
use crate::way::{Milestone, Way};

/// What a session speaks over.
pub(crate) struct Channel {
    pub(crate) connection: Connection,
    pub(crate) deadlines: Deadlines,
}

impl Channel {
    /// Dials, and begins TLS where it comes from the first byte.
    pub(crate) async fn open(way: &mut Way<'_>, endpoint: &Endpoint) -> Result<Self, UpstreamError> {
        let dialled = way.dialer.dial(&endpoint.host, endpoint.port).await?;
        demand_encryption(endpoint, dialled.permit)?;
        (way.reached)(Milestone::Connected);
        let mut channel = Self { connection: dialled.connection, deadlines: *way.deadlines };
        if endpoint.tls == TlsMode::Implicit {
            channel.encrypt(way, endpoint).await?;
        }
        Ok(channel)
    }

    /// Turns TLS on; the certificate must verify for the endpoint's host (SC-2). Bytes that wait already end it (SC-3).
    pub(crate) async fn encrypt(
        &mut self,
        way: &mut Way<'_>,
        endpoint: &Endpoint,
    ) -> Result<(), UpstreamError> {
        self.connection
            .start_tls_client(way.tls, &endpoint.host, within(self.deadlines.handshake))
            .await
            .map_err(|error| UpstreamError::from_tls(error, endpoint))?;
        (way.reached)(Milestone::Encrypted);
        Ok(())
    }

    /// Writes whole commands in one piece.
    pub(crate) async fn send(&mut self, bytes: &[u8], phase: Phase) -> Result<(), UpstreamError> {
        self.connection.queue(bytes);
        let flushed = self.connection.flush(within(self.deadlines.block)).await;
        flushed.map_err(|error| UpstreamError::from_write(error, phase))
    }

    /// A line of at most `limit` octets with its CRLF. `too_long` and the like become what `garbled` makes of them.
    pub(crate) async fn line(
        &mut self,
        limit: usize,
        end: LineEnd,
        (phase, deadline): (Phase, Instant),
        garbled: &Garbled,
    ) -> Result<Line, UpstreamError> {
        let line = self.connection.read_line(limit - 2, end, deadline).await;
        line.map_err(|error| UpstreamError::from_read(error, phase, garbled))
    }
}

/// What lines that no honest server sends are called in a protocol.
pub(crate) struct Garbled {
    pub(crate) too_long: crate::error::NotTheProtocol,
    pub(crate) bare_line_feed: crate::error::NotTheProtocol,
}

/// SC-1: what is sent in the clear reaches only addresses the operator has named.
pub(crate) fn demand_encryption(endpoint: &Endpoint, permit: Permit) -> Result<(), UpstreamError> {
    if endpoint.tls == TlsMode::None && permit != Permit::Listed {
        return Err(UpstreamError::EncryptionRequired { endpoint: endpoint.clone() });
    }
    Ok(())
}

/// When something that may take `span` must be over.
pub(crate) fn within(span: Duration) -> Instant {
    Instant::now() + span
}
