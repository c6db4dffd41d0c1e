//! The steps of one direction while they are taken.

use gatepost_core::Diagnosis;
use tokio::sync::watch;

use super::step::{Outcome, Step};
use crate::status::Direction;

/// How far a check has come. Only ever grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The steps that are over, in the order in which they were.
    pub taken: Vec<Taken>,
    /// The one that is being tried.
    pub under_way: Option<(Direction, Step)>,
}

/// A step that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Of which direction.
    pub direction: Direction,
    /// Which one.
    pub step: Step,
    /// How it went.
    pub outcome: Outcome,
}

/// The steps of one direction. A step that was passed stays so, also when the sign-in is repeated with a new access token.
pub(super) struct Course<'a> {
    direction: Direction,
    planned: Vec<Step>,
    taken: Vec<Outcome>,
    progress: &'a watch::Sender<Progress>,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        direction: Direction,
        planned: Vec<Step>,
        progress: &'a watch::Sender<Progress>,
    ) -> Self {
        let course = Self { direction, planned, taken: Vec::new(), progress };
        course.tell(None);
        course
    }

    /// A tick for each step up to this one.
    pub(super) fn pass(&mut self, last: Step) {
        if let Some(place) = self.place(last) {
            while self.taken.len() <= place {
                self.take(Outcome::Passed);
            }
        }
    }

    /// This one is over with an outcome of its own; a tick for each step before it.
    pub(super) fn end(&mut self, step: Step, outcome: Outcome) {
        if let Some(place) = self.place(step) {
            while self.taken.len() < place {
                self.take(Outcome::Passed);
            }
        }
        self.take(outcome);
    }

    /// Nothing is tried: this step has to wait, and nobody hears of those before it.
    pub(super) fn wait(&mut self, step: Step, outcome: Outcome) {
        let place = self.place(step).unwrap_or(0);
        self.taken.resize(place.max(self.taken.len()), Outcome::NotReached);
        self.take(outcome);
    }

    /// A cross for this step, or for the one under way if that comes later.
    pub(super) fn fail(&mut self, step: Step, diagnosis: Diagnosis, reply: Option<Vec<u8>>) {
        let failed = Outcome::Failed { diagnosis: Box::new(diagnosis), reply };
        let place = self.place(step).unwrap_or(self.taken.len());
        let under_way = self.planned.get(place.max(self.taken.len())).copied();
        self.end(under_way.unwrap_or(step), failed);
    }

    pub(super) fn has_passed(&self, step: Step) -> bool {
        self.place(step).and_then(|it| self.taken.get(it)).is_some_and(Outcome::is_tick)
    }

    /// All steps, those that were not reached included.
    pub(super) fn finish(self) -> Vec<(Step, Outcome)> {
        self.progress.send_modify(|it| it.under_way = None);
        let rest = std::iter::repeat(Outcome::NotReached);
        self.planned.into_iter().zip(self.taken.into_iter().chain(rest)).collect()
    }

    fn place(&self, step: Step) -> Option<usize> {
        self.planned.iter().position(|it| *it == step)
    }

    fn take(&mut self, outcome: Outcome) {
        let Some(step) = self.planned.get(self.taken.len()).copied() else { return };
        self.taken.push(outcome.clone());
        self.tell(Some(Taken { direction: self.direction, step, outcome }));
    }

    fn tell(&self, taken: Option<Taken>) {
        let has_failed = self.taken.iter().any(|it| !it.is_tick());
        let next = self.planned.get(self.taken.len()).filter(|_| !has_failed);
        let under_way = next.map(|step| (self.direction, *step));
        self.progress.send_modify(|it| {
            it.taken.extend(taken);
            it.under_way = under_way;
        });
    }
}
