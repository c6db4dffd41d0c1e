//! Trying whether a parked account can sign in again (SC-8): sign-in only, no letter.

use gatepost_accounts::{AccountsError, Direction, What};
use gatepost_core::{MailAccountId, OrganisationId};

use super::Shared;
use super::attempt::{Unconnected, connect, report};

/// Signs in once and reports what came of it; success releases what waits. Fails if that could not be stored.
pub(super) async fn probe(
    shop: Shared,
    organisation: OrganisationId,
    id: MailAccountId,
) -> Result<(), AccountsError> {
    let Ok(account) = shop.accounts.signing_in(organisation, id).await else { return Ok(()) };
    match connect(&shop, &account).await {
        Ok(open) => {
            let by = open.by;
            open.session.quit().await;
            report(&shop, &account, by, What::Succeeded).await
        }
        Err(Unconnected::Upstream(err, by)) => {
            let catalogue = shop.accounts.providers().catalogue();
            let what = What::failed(&err, catalogue, account.server(Direction::Sending));
            report(&shop, &account, by, what).await
        }
        // The refresh that failed has moved the account's status itself.
        Err(Unconnected::NoToken(_)) => Ok(()),
    }
}
