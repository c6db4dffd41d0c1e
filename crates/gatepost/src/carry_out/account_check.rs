//! `account check`: signs in at the provider and says how far it came; what waits goes when that works.

use gatepost_accounts::{Direction, NotUsable, Outcome, Step};
use gatepost_identity::Organisation;
use serde_json::Value;

use super::account::diagnosis;
use super::{done, words};
use crate::answer::StepShown;
use crate::app::App;
use crate::control::{Refusal, Report};

impl App {
    pub(crate) async fn check_account(
        &self,
        organisation: &Organisation,
        text: &str,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let checked = self.accounts.check(organisation.id, account.id, &self.reach).await;
        let check = checked.map_err(|error| match error {
            NotUsable::Store(error) => self.refuse(error),
            other => {
                Refusal::new(format!("{}: {other}. Remove the account and add it again", account.address))
            }
        })?;
        self.changed(organisation, account.id, check.change).await?;
        let mut failed = None;
        for (direction, step, outcome) in check.steps() {
            let Some(shown) = shown(direction, step, outcome) else { continue };
            if let (Outcome::Failed { diagnosis, .. }, None) = (outcome, &failed) {
                let cannot = match direction {
                    Direction::Sending => "cannot send",
                    Direction::Reading => "cannot be read",
                };
                failed = Some(format!(
                    "{} {cannot}: {} Cure: {} Who can do this: {}",
                    account.address, diagnosis.cause, diagnosis.cure, diagnosis.who
                ));
            }
            report.item(done(shown)?).await;
        }
        match failed {
            Some(text) => Err(Refusal::new(text)),
            None => self.show_account(organisation, text).await,
        }
    }
}

/// Nothing is said of steps that were not reached.
fn shown(direction: Direction, step: Step, outcome: &Outcome) -> Option<StepShown> {
    let (ok, found, reply) = match outcome {
        Outcome::Passed => (true, None, None),
        Outcome::Failed { diagnosis: it, reply } => (false, Some(diagnosis(it)), reply.as_deref().map(words)),
        Outcome::NotReached => return None,
    };
    let text = match direction {
        Direction::Sending => step.to_string(),
        Direction::Reading => format!("for reading: {step}"),
    };
    let (direction, step) = (direction.word().to_owned(), step.word().to_owned());
    Some(StepShown { direction, step, ok, text, diagnosis: found, reply })
}
