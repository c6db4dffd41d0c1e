//! Which account a letter leaves by: accounts knows, submission asks.

use gatepost_accounts::Accounts;
use gatepost_delivery::{Choice, ChosenAccount};
use gatepost_identity::SignedIn;
use gatepost_submission::{ChooseAccount, ChooseError};

use crate::carry_out::{may_send_as, target};

/// Translates between the two.
pub(super) struct Chooser(Accounts);

impl Chooser {
    pub(super) fn new(accounts: Accounts) -> Self {
        Self(accounts)
    }
}

impl ChooseAccount for Chooser {
    async fn choose(&self, who: &SignedIn) -> Result<Choice, ChooseError> {
        let target = target(who.target, who.home_location);
        let chosen = self.0.choose(who.organisation, target).await?;
        let account = chosen.account.map(|id| ChosenAccount { id, running_now: chosen.running_now });
        let addresses = may_send_as(&chosen, who.user_name.parse().ok());
        Ok(Choice {
            account,
            because: chosen.because,
            addresses,
            max_message_bytes: chosen.max_message_bytes,
        })
    }
}
