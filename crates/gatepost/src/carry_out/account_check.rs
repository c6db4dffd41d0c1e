//! `account check`: signs in at the provider, has the mailbox send a letter to itself, and says how far it came while it does;
//! what waits goes when that works.

use gatepost_accounts::{Direction, Errand, MailAccount, NotUsable, Outcome, Progress, Proof, Step, Taken};
use gatepost_core::Diagnosis;
use gatepost_identity::Organisation;
use serde_json::Value;
use tokio::sync::watch;

use super::account::diagnosis;
use super::{done, words};
use crate::answer::{StepShown, minute};
use crate::app::App;
use crate::control::{Refusal, Report};

/// Whom the letter of a check names.
pub(super) const SOMEBODY: &str = "Somebody at the command line";

impl App {
    pub(crate) async fn check_account(
        &self,
        organisation: &Organisation,
        text: &str,
        sends_letter: bool,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let proof =
            if sends_letter { Proof::Letter { asked_by: SOMEBODY.to_owned() } } else { Proof::SignIn };
        let (progress, watched) = watch::channel(Progress::default());
        let checking = async {
            let errand = Errand { reach: &self.reach, proof: &proof, progress: &progress };
            let checked = self.accounts.check(organisation.id, account.id, errand).await;
            // Whoever watches has seen all of it.
            drop(progress);
            checked
        };
        let (checked, ()) = tokio::join!(checking, tell(watched, report));
        if let Err(NotUsable::NoToken { diagnosis }) = &checked {
            report.item(done(no_token(diagnosis))?).await;
        }
        let check = checked.map_err(|error| match error {
            NotUsable::Store(error) => self.refuse(error),
            NotUsable::NoToken { diagnosis: it } => Refusal::new(format!(
                "{} cannot sign in: {} Cure: {} Who can do this: {}",
                account.address, it.cause, it.cure, it.who
            )),
            other => {
                Refusal::new(format!("{}: {other}. Remove the account and add it again", account.address))
            }
        })?;
        self.changed(organisation, account.id, check.change).await?;
        let failed = check.steps().find_map(|(direction, _, outcome)| match outcome {
            Outcome::Failed { diagnosis, .. } => Some((direction, diagnosis)),
            _ => None,
        });
        let Some((direction, diagnosis)) = failed else {
            self.tell_of_pop3(organisation, &account, report).await?;
            return self.show_account(organisation, text).await;
        };
        let cannot = match direction {
            Direction::Sending => "cannot send",
            Direction::Reading => "cannot be read",
        };
        Err(Refusal::new(format!(
            "{} {cannot}: {} Cure: {} Who can do this: {}",
            account.address, diagnosis.cause, diagnosis.cure, diagnosis.who
        )))
    }

    /// A warning where IMAP works and POP3 beside it does not: it turns no account red, and no program could use it.
    pub(super) async fn tell_of_pop3(
        &self,
        organisation: &Organisation,
        account: &MailAccount,
        report: &Report,
    ) -> Result<(), Refusal> {
        let tried = self.accounts.pop3_beside_imap(organisation.id, account.id, &self.reach).await;
        if let Some(outcome) = tried.map_err(|error| self.refuse(error))? {
            report.item(done(beside(outcome))?).await;
        }
        Ok(())
    }
}

fn beside(outcome: Outcome) -> StepShown {
    let mut it = shown(Taken { direction: Direction::Reading, step: Step::Greet, outcome });
    it.step = "pop3".to_owned();
    it.text = format!("for reading by POP3: {}", Step::Greet);
    if let Some(why) = &it.diagnosis {
        (it.ok, it.outcome) = (None, "warning".to_owned());
        it.note = Some(format!(
            "Only programs that read by POP3 are stopped by this: {} Cure: {} Who can do this: {}",
            why.cause, why.cure, why.who_in_words
        ));
    }
    it
}

/// Hands each step on as it is taken, until the check is over.
pub(super) async fn tell(mut watched: watch::Receiver<Progress>, report: &Report) {
    let mut n_told = 0;
    loop {
        let new = watched.borrow_and_update().taken.get(n_told..).unwrap_or_default().to_vec();
        n_told += new.len();
        for it in new {
            // Nothing in it can fail to be JSON.
            if let Ok(item) = done(shown(it)) {
                report.item(item).await;
            }
        }
        if watched.changed().await.is_err() {
            return;
        }
    }
}

/// The cross of a sign-in that ended at the service that gives tokens, before any server.
pub(super) fn no_token(why: &Diagnosis) -> StepShown {
    let outcome = Outcome::Failed { diagnosis: Box::new(why.clone()), reply: None };
    shown(Taken { direction: Direction::Sending, step: Step::SignIn, outcome })
}

fn shown(Taken { direction, step, outcome }: Taken) -> StepShown {
    let note = outcome.note().map(str::to_owned);
    let word = outcome.word().to_owned();
    let (ok, found, reply) = match &outcome {
        Outcome::Passed | Outcome::PassedInJunk => (Some(true), None, None),
        Outcome::NotSeen { .. } | Outcome::Waits { .. } | Outcome::NotReached => (None, None, None),
        Outcome::Failed { diagnosis: it, reply } => {
            (Some(false), Some(diagnosis(it)), reply.as_deref().map(words))
        }
    };
    let mut text = match direction {
        Direction::Sending => step.to_string(),
        Direction::Reading => format!("for reading: {step}"),
    };
    if let Outcome::Waits { until } = outcome {
        text.push_str(&format!(
            " later: the provider wants some time between two sign-ins by POP3, and the next is possible at {}",
            minute(&until.to_string())
        ));
    }
    let (direction, step) = (direction.word().to_owned(), step.word().to_owned());
    StepShown { direction, step, ok, outcome: word, text, note, diagnosis: found, reply }
}
