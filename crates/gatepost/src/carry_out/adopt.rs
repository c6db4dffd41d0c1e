//! Letters that were accepted when no mail account served their sender, or whose account was removed: chosen again when an
//! account comes.

use gatepost_accounts::{Chosen, Target};
use gatepost_core::{EmailAddress, LocationId, SubmissionId};
use gatepost_delivery::ChosenAccount;
use gatepost_identity::{Organisation, Target as LoginTarget};

use crate::app::App;
use crate::control::Refusal;

impl App {
    /// The same for every organisation, now and then: a letter may be accepted while an account comes.
    pub(crate) async fn adopt_all_orphans(&self) -> Result<u64, Refusal> {
        let organisations = self.identity.list_organisations().await.map_err(|error| self.refuse(error))?;
        let mut n_adopted = 0;
        for organisation in organisations {
            n_adopted += self.adopt_orphans(&organisation).await?;
        }
        Ok(n_adopted)
    }

    /// Gives every letter without an account the one that serves its sender now, if any does. Returns how many.
    pub(super) async fn adopt_orphans(&self, organisation: &Organisation) -> Result<u64, Refusal> {
        let (mut after, mut n_adopted) = (SubmissionId::from_uuid(uuid::Uuid::nil()), 0);
        loop {
            let orphans = self.outbox.orphans(organisation.id, after).await;
            let orphans = orphans.map_err(|error| self.refuse(error))?;
            let Some(last) = orphans.last() else { return Ok(n_adopted) };
            after = last.id;
            for orphan in orphans {
                let target = match orphan.login {
                    Some(login) => {
                        let found = self.identity.find_login(organisation.id, login).await;
                        found
                            .map_err(|error| self.refuse(error))?
                            .map(|(login, home)| target(login.target, home))
                    }
                    None => Some(Target::Organisation),
                };
                let Some(target) = target else { continue };
                let chosen = self.accounts.choose(organisation.id, target).await;
                let chosen = chosen.map_err(|error| self.refuse(error))?;
                if let Some(id) = chosen.account {
                    let account = ChosenAccount { id, running_now: chosen.running_now };
                    let adopted = self.outbox.adopt(organisation.id, orphan.id, account).await;
                    adopted.map_err(|error| self.refuse(error))?;
                    n_adopted += 1;
                }
            }
        }
    }
}

/// From which addresses letters may come. Where no account is found they are held until one is, and only the login's own address
/// can be right; a location has none, so its letters are refused.
pub(crate) fn may_send_as(chosen: &Chosen, own: Option<EmailAddress>) -> Vec<EmailAddress> {
    match chosen.account {
        Some(_) => chosen.addresses.clone(),
        None => own.into_iter().collect(),
    }
}

/// What a login points at, as accounts are chosen by it.
pub(crate) fn target(target: LoginTarget, home: Option<LocationId>) -> Target {
    match target {
        LoginTarget::Account(id) => Target::Account(id),
        LoginTarget::Person(id) => Target::Person { id, home },
        LoginTarget::Location(id) => Target::Location(id),
    }
}
