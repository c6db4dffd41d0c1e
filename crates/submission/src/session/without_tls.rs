//! A client that does not begin TLS, for the person who waits for its first sign-in (B10).

use gatepost_identity::Protocol;

use super::{Ending, Session};
use crate::ChooseAccount;

/// How far a client has come without TLS.
#[derive(Debug, Default)]
pub(super) enum WithoutTls {
    /// A look whether anybody is there, as load balancers have it.
    #[default]
    Silent,
    /// It has said EHLO, and was offered STARTTLS.
    Greeted,
    /// It was reported.
    Told,
    /// It began TLS.
    Settled,
}

impl<C: ChooseAccount> Session<'_, C> {
    /// The client knows now that there is STARTTLS.
    pub(crate) fn has_greeted_without_tls(&mut self) {
        if matches!(self.without_tls, WithoutTls::Silent) {
            self.without_tls = WithoutTls::Greeted;
        }
    }

    /// The client wants TLS, whatever comes of it.
    pub(crate) fn begins_tls(&mut self) {
        self.without_tls = WithoutTls::Settled;
    }

    /// The client wanted something that needs TLS. Told once a connection.
    pub(crate) fn needs_tls(&mut self) {
        if matches!(self.without_tls, WithoutTls::Silent | WithoutTls::Greeted) {
            self.without_tls = WithoutTls::Told;
            let stands = &self.server.stands;
            stands.sign_ins.reports().without_tls(stands.world.now(), self.peer(), Protocol::Smtp);
        }
    }

    /// A client that leaves after EHLO did not find the AUTH that it was looking for: swaks does so.
    /// Then that is why it is over.
    pub(super) fn ends_without_tls(&mut self, ending: Ending) -> Ending {
        let has_left = matches!(ending, Ending::Quit | Ending::Gone(_));
        if has_left && matches!(self.without_tls, WithoutTls::Greeted) {
            self.needs_tls();
        }
        if has_left && matches!(self.without_tls, WithoutTls::Told) {
            Ending::LeftUnencrypted
        } else {
            ending
        }
    }
}
