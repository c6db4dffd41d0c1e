//! A client that does not begin TLS, for the person who waits for its first sign-in (B10).

use super::{Dialect, Session};
use crate::conduct::Ending;
use crate::enter::door;

/// How far a client has come without TLS.
#[derive(Debug)]
pub(super) enum WithoutTls {
    /// A look whether anybody is there, as load balancers have it.
    Silent,
    /// It has asked what is possible, and heard that it is TLS.
    Asked,
    /// It was reported.
    Told,
    /// It has TLS, or wanted it.
    Settled,
}

impl WithoutTls {
    pub(super) const fn of(is_encrypted: bool) -> Self {
        if is_encrypted { Self::Settled } else { Self::Silent }
    }
}

impl<D: Dialect> Session<'_, D> {
    /// The client knows now that there is TLS.
    pub(crate) fn has_asked(&mut self) {
        if matches!(self.without_tls, WithoutTls::Silent) {
            self.without_tls = WithoutTls::Asked;
        }
    }

    /// The client wants TLS, whatever comes of it.
    pub(super) fn begins_tls(&mut self) {
        self.without_tls = WithoutTls::Settled;
    }

    /// The client wanted something that needs TLS. Told once a connection.
    pub(crate) fn needs_tls(&mut self) {
        if matches!(self.without_tls, WithoutTls::Silent | WithoutTls::Asked) {
            self.without_tls = WithoutTls::Told;
            let stands = &self.gateway.stands;
            let source = self.connection.peer().ip();
            stands.sign_ins.reports().without_tls(stands.world.now(), source, door(D::PROTOCOL));
        }
    }

    /// A client that leaves once it knows did not find the way to sign in that it was looking for: curl does so.
    /// Then that is why it is over.
    pub(super) fn ends_without_tls(&mut self, ending: Ending) -> Ending {
        let has_left = matches!(ending, Ending::Goodbye | Ending::ClientGone(_));
        if has_left && matches!(self.without_tls, WithoutTls::Asked) {
            self.needs_tls();
        }
        if has_left && matches!(self.without_tls, WithoutTls::Told) {
            Ending::LeftUnencrypted
        } else {
            ending
        }
    }
}
