//! The POP3 server of a mailbox that is read by IMAP: no status tells of it, and nothing depends on it (docs/decisions/0016).

use std::time::Duration;

use gatepost_core::{MailAccountId, MailProtocol, OrganisationId};
use gatepost_upstream::{Deadlines, UpstreamError, Way, pop3};

use super::what::{Server, diagnosed};
use super::{Outcome, Reach};
use crate::accounts::Accounts;
use crate::endpoint::Endpoints;
use crate::error::AccountsError;

/// For the connection, and for each answer: nobody waits long for what only has to be warned of.
const PATIENCE: Duration = Duration::from_secs(10);

impl Accounts {
    /// Whether the POP3 server beside IMAP greets, and encrypts as the account wants it. `None`: there is none.
    ///
    /// Nobody signs in: most providers lock a mailbox that is read by POP3, and some want time between two sign-ins.
    pub async fn pop3_beside_imap(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        reach: &Reach,
    ) -> Result<Option<Outcome>, AccountsError> {
        let account = self.get(organisation, id).await?;
        let Endpoints { imap: Some(_), pop3: Some(server), .. } = &account.endpoints else { return Ok(None) };
        let endpoint = server.dialled()?;
        let Err(failure) = greeted(&endpoint, reach).await else { return Ok(Some(Outcome::Passed)) };
        let provider_kind = account.provider_kind(self.providers());
        let server = Server { protocol: MailProtocol::Pop3, endpoint: &endpoint, provider_kind };
        let (diagnosis, reply) = diagnosed(&failure, self.providers().catalogue(), server);
        Ok(Some(Outcome::Failed { diagnosis: Box::new(diagnosis), reply }))
    }
}

async fn greeted(endpoint: &gatepost_upstream::Endpoint, reach: &Reach) -> Result<(), UpstreamError> {
    let dialer = reach.dialer.clone().with_patience(PATIENCE);
    let deadlines =
        Deadlines { handshake: PATIENCE, greeting: PATIENCE, command: PATIENCE, ..Deadlines::default() };
    let way = Way { dialer: &dialer, tls: &reach.tls, deadlines: &deadlines, reached: &mut |_| {} };
    pop3::Greeted::connect_by(way, endpoint).await?.quit().await;
    Ok(())
}
