//! The work on the outbox: which accounts have something due, and the connections that send it.

mod account;
mod attempt;
mod clock;
mod connection;
mod dispatcher;
mod probe;

use std::sync::Arc;

use gatepost_accounts::Accounts;
use gatepost_core::{Domain, NodeId};
use gatepost_net::{ClientTls, Dialer};

use crate::Outbox;

pub use dispatcher::Dispatcher;

/// What every part of the work needs.
pub struct Workshop {
    /// The letters.
    pub outbox: Outbox,
    /// The accounts they leave by.
    pub accounts: Accounts,
    /// Reaches providers, under the address guard.
    pub dialer: Dialer,
    /// Verifies them.
    pub tls: ClientTls,
    /// What we call ourselves, at EHLO and in bounces.
    pub host: Domain,
    /// This process.
    pub node: NodeId,
}

type Shared = Arc<Workshop>;
