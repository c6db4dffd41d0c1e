//! Checking a mailbox because somebody asked: sign in for sending and for reading, send a letter from the mailbox to itself,
//! find it there, and say how far it came.
//!
//! [`sending`] and [`reading`] are the two directions. They know no store, so that a mailbox can be checked before it is an
//! account; [`Accounts::check`] puts them together for one that is, and lets its status know. Whoever asked can watch the steps
//! as they are taken ([`Progress`]).

mod beside;
mod course;
mod letter;
mod reading;
mod sending;
mod step;
mod what;

use std::time::Duration;

use gatepost_core::{Domain, MailAccountId, OrganisationId, Timestamp, World};
use gatepost_net::{ClientTls, Dialer};
use gatepost_providers::Catalogue;
use gatepost_upstream::{Deadlines, Milestone, Way};
use tokio::sync::watch;

pub use course::{Progress, Taken};
pub use step::{Outcome, Step};
pub use what::Server;
pub(crate) use what::lasts;

use crate::accounts::Accounts;
use crate::credential::Used;
use crate::error::AccountsError;
use crate::report::{Change, Event};
use crate::sending::{NotUsable, SendingAccount};
use crate::sign_ins::SignIns;
use crate::standing::What;
use crate::status::Direction;
use letter::TestLetter;

/// Somebody watches a check, so it gives up sooner than a delivery. Real servers greet within seconds; those that make
/// strangers wait do so for less than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it takes to reach a provider.
#[derive(Clone)]
pub struct Reach {
    /// Dials, under the address guard.
    pub dialer: Dialer,
    /// Verifies.
    pub tls: ClientTls,
    /// What we call ourselves.
    pub own_name: Domain,
    /// How long a letter may take to arrive.
    pub arrival: Arrival,
}

/// How long a check looks for its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// How long after one look the next one comes, by IMAP.
    pub looks_every: Duration,
    /// How long it is looked for in all; by POP3, how long after the first look the second and last one comes.
    pub looks_for: Duration,
}

impl Default for Arrival {
    fn default() -> Self {
        Self { looks_every: Duration::from_secs(3), looks_for: Duration::from_secs(60) }
    }
}

/// How much a check is to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// That the account can sign in, and that its mailbox can be opened.
    SignIn,
    /// That, and that a letter leaves the mailbox and arrives there.
    Letter {
        /// Who wants to know. The letter says so, because whoever reads that mailbox has not asked for it.
        asked_by: String,
    },
}

/// What a check is to do, and who watches.
#[derive(Clone, Copy)]
pub struct Errand<'a> {
    /// The way to the servers.
    pub reach: &'a Reach,
    /// How far it goes.
    pub proof: &'a Proof,
    /// Shows the steps as they are taken.
    pub progress: &'a watch::Sender<Progress>,
}

/// How long servers may take.
fn deadlines() -> Deadlines {
    Deadlines { greeting: PATIENCE, command: PATIENCE, message: PATIENCE, ..Deadlines::default() }
}

impl Reach {
    /// The way to a server, with a tick for each milestone.
    pub(crate) fn way<'a>(
        &'a self,
        deadlines: &'a Deadlines,
        reached: &'a mut (dyn FnMut(Milestone) + Send),
    ) -> Way<'a> {
        Way { dialer: &self.dialer, tls: &self.tls, deadlines, reached }
    }
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Every step on the way to sending, in the order in which they happen.
    pub sending: Vec<(Step, Outcome)>,
    /// The same for reading, where the account has a server for that.
    pub reading: Option<Vec<(Step, Outcome)>>,
    /// What it made of the account; its success releases what the account holds.
    pub change: Change,
}

impl Check {
    /// Whether everything worked, the letter's arrival included if there was one.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.steps().all(|(_, _, outcome)| outcome.is_tick())
    }

    /// All steps: first those of sending, then those of reading.
    pub fn steps(&self) -> impl Iterator<Item = (Direction, Step, &Outcome)> {
        let sending = self.sending.iter().map(|(step, it)| (Direction::Sending, *step, it));
        let reading = self.reading.iter().flatten().map(|(step, it)| (Direction::Reading, *step, it));
        sending.chain(reading)
    }
}

/// How one direction went.
pub(crate) struct Examined {
    /// Its steps, in the order in which they happen.
    pub(crate) steps: Vec<(Step, Outcome)>,
    /// What it says of the mailbox; nothing where the server wants to be left alone for now.
    pub(crate) what: Option<What>,
    /// What it signed in with.
    pub(crate) used: Used,
    /// When that began.
    pub(crate) began_at: Timestamp,
}

impl Examined {
    /// What the account is told; one event, because a second one would be older than what the first has changed.
    pub(crate) fn event(self) -> Option<Event> {
        let Self { what, used, began_at, .. } = self;
        what.map(|what| Event { used, began_at, what })
    }
}

/// What every check is made with.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) world: &'a World,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) sign_ins: &'a SignIns,
}

/// A check of one mailbox under way.
pub(crate) struct Checking<'a> {
    account: SendingAccount,
    errand: Errand<'a>,
    means: Means<'a>,
    letter: Option<TestLetter>,
    /// Whether the letter was taken.
    is_letter_on_its_way: bool,
}

impl<'a> Checking<'a> {
    /// Of a mailbox that need be no account yet.
    pub(crate) fn new(account: SendingAccount, errand: Errand<'a>, means: Means<'a>) -> Self {
        let letter = match errand.proof {
            Proof::SignIn => None,
            Proof::Letter { asked_by } => {
                Some(TestLetter::new(&account, asked_by, &errand.reach.own_name, means.world))
            }
        };
        Self { account, errand, means, letter, is_letter_on_its_way: false }
    }

    /// Signs in for sending and sends the letter. With `tokens`, an access token that is refused is replaced once (SC-8).
    pub(crate) async fn sending(&mut self, tokens: Option<&Accounts>) -> Result<Examined, NotUsable> {
        let examined = self.examine(Direction::Sending, tokens).await?;
        self.is_letter_on_its_way = examined.what == Some(What::LetterSent);
        Ok(examined)
    }

    /// Signs in for reading, if the mailbox has a server for that, and looks for the letter that [`Checking::sending`] has sent.
    pub(crate) async fn reading(&mut self, tokens: Option<&Accounts>) -> Result<Option<Examined>, NotUsable> {
        if self.account.reading().is_none() {
            return Ok(None);
        }
        self.examine(Direction::Reading, tokens).await.map(Some)
    }

    async fn examine(
        &mut self,
        direction: Direction,
        tokens: Option<&Accounts>,
    ) -> Result<Examined, NotUsable> {
        let mode = match (self.account.reading(), direction) {
            (Some(server), Direction::Reading) => server.endpoint.tls,
            _ => self.account.endpoint.tls,
        };
        let steps = Step::all(mode, direction, self.errand.proof);
        let mut course = course::Course::new(direction, steps, self.errand.progress);
        let mut began_at = self.means.world.now();
        if let Some(until) = self.waits_until(direction) {
            course.wait(Step::SignIn, Outcome::Waits { until });
            return Ok(Examined { steps: course.finish(), what: None, used: self.account.used, began_at });
        }
        let mut ended = self.go(direction, &mut course).await;
        if ended.as_ref().is_err_and(|it| it.is_sign_in_refused())
            && let Some(accounts) = tokens
        {
            let SendingAccount { organisation, id, used, .. } = self.account;
            if let Some(anew) = accounts.signing_in_anew(organisation, id, used).await? {
                (self.account, began_at) = (anew, self.means.world.now());
                ended = self.go(direction, &mut course).await;
            }
        }
        let is_signed_in = course.has_passed(Step::SignIn);
        let what = match ended {
            Ok(what) => what,
            Err(failure) => {
                let judged = failure.judge(
                    direction,
                    is_signed_in,
                    self.means.catalogue,
                    self.account.server(direction),
                );
                course.fail(failure.step(), judged.diagnosis, judged.reply);
                judged.what
            }
        };
        Ok(Examined { steps: course.finish(), what: Some(what), used: self.account.used, began_at })
    }

    /// Until when the server does not want to be signed in to again, if it has said so.
    fn waits_until(&self, direction: Direction) -> Option<Timestamp> {
        let server = self.account.reading().filter(|_| direction == Direction::Reading)?;
        self.means.sign_ins.waits_until(self.account.id, &server.endpoint, self.means.world.now())
    }

    async fn go(&self, direction: Direction, course: &mut course::Course<'_>) -> Result<What, what::Failure> {
        match (direction, self.account.reading()) {
            (Direction::Reading, Some(server)) => {
                let letter = self.letter.as_ref().filter(|_| self.is_letter_on_its_way);
                reading::read((&self.account, server), self.errand.reach, self.means, letter, course).await
            }
            (Direction::Sending, _) | (Direction::Reading, None) => {
                sending::send(&self.account, self.errand.reach, self.letter.as_ref(), course).await
            }
        }
    }
}

impl Accounts {
    /// Checks an account once for sending and once for reading, whatever its status, and reports how it went: a success
    /// releases what the account holds, a failure shows as its diagnosis. By a paused account no letter is sent.
    pub async fn check(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        errand: Errand<'_>,
    ) -> Result<Check, NotUsable> {
        let account = self.get(organisation, id).await.map_err(not_usable)?;
        let errand = match account.paused_at {
            Some(_) => Errand { proof: &Proof::SignIn, ..errand },
            None => errand,
        };
        let handed = self.signing_in(organisation, id).await?;
        let mut checking = Checking::new(handed, errand, self.means());
        let sent = checking.sending(Some(self)).await?;
        let sending = sent.steps.clone();
        // Told at once: what waits need not wait for the letter's arrival as well.
        let mut change = self.report_examined(organisation, id, Direction::Sending, sent).await?;
        let mut steps = None;
        if let Some(read) = checking.reading(Some(self)).await? {
            steps = Some(read.steps.clone());
            change = change.then(self.report_examined(organisation, id, Direction::Reading, read).await?);
        }
        Ok(Check { sending, reading: steps, change })
    }

    pub(crate) async fn report_examined(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        direction: Direction,
        examined: Examined,
    ) -> Result<Change, NotUsable> {
        if let Some(event) = examined.event() {
            return self.report(organisation, id, direction, event).await.map_err(not_usable);
        }
        let shown = self.status(organisation, id).await.map_err(not_usable)?.status;
        Ok(Change { before: shown, after: shown, released: false })
    }

    pub(crate) fn means(&self) -> Means<'_> {
        Means { world: self.world(), catalogue: self.providers().catalogue(), sign_ins: &self.sign_ins }
    }
}

fn not_usable(why: AccountsError) -> NotUsable {
    match why {
        AccountsError::Store(failure) => NotUsable::Store(failure),
        AccountsError::NotFound(_) | AccountsError::AlreadyThere(_) | AccountsError::Invalid(_) => {
            NotUsable::Removed
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
