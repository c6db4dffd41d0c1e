//! Sockets: listeners, TLS, deadlines, capped line reading, and dialling with the address guard.
//!
//! Other rooms see one [`Connection`], with or without TLS, that reads lines and bytes up to a limit and a deadline and
//! writes replies in one piece. Incoming connections come through [`serve`], which counts them per source and keeps a share
//! for those who have signed in; outgoing ones through a [`Dialer`], whose guard judges every address before it is dialled.
//!
//! *Trust note.* Everything that arrives here is hostile: every read has a limit and a deadline, and nothing a peer sends
//! makes this room panic or take memory without bound. It knows no protocol but TLS and PROXY. It must never hold a
//! credential for longer than a line or a reply is in its buffers, never dial an address the guard has not judged, and never
//! offer a way to accept a certificate that does not verify.

mod authority;
mod connection;
mod dial;
mod host;
mod serve;
#[cfg(test)]
mod testing;
mod tls;

pub use authority::{Authority, AuthorityError, Issued};
pub use connection::{Connection, Line, LineEnd, Pace, ReadError, StartTlsError, WriteError};
pub use dial::{
    AllowedNetwork, AllowedNetworkError, CONNECT_WITHIN, DialError, Dialer, Dialled, Errand, Forbidden,
    Guard, MailExchanger, Permit, Resolver,
};
pub use host::{Host, HostError};
pub use serve::{Admission, BindError, Counts, Door, Farewell, Limits, Listener, Service, Ticket, serve};
pub use tls::{
    CertificateError, CertificateInfo, CertificateProblem, ClientTls, EncryptedSocket, HandshakeError,
    KeyKind, Protocols, Reload, ServerTls, is_tls_error,
};
