//! The steps of a check as people see them, as they are taken.

use gatepost_accounts::{Direction, Outcome, Progress, Step};

use crate::frame::Page;
use crate::page::badge::Shape;

/// The steps of one direction.
pub(crate) struct Course {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// One step, with a tick, a cross or nothing yet.
pub(crate) struct Line {
    pub(crate) shape: Shape,
    pub(crate) tone: &'static str,
    pub(crate) words: String,
    /// What the shape says, for those who do not see it.
    pub(crate) outcome: String,
}

/// Those of sending, then those of reading, as far as they have come.
pub(crate) fn courses(page: &Page, progress: &Progress) -> Vec<Course> {
    let course = |direction: Direction, key: &str| {
        let taken = progress.taken.iter().filter(|it| it.direction == direction);
        let under_way = progress.under_way.filter(|(it, _)| *it == direction);
        let lines: Vec<Line> = taken
            .map(|it| line(page, it.step, Some(&it.outcome)))
            .chain(under_way.map(|(_, step)| line(page, step, None)))
            .collect();
        (!lines.is_empty()).then(|| Course { title: page.t.of(key).to_owned(), lines })
    };
    let all =
        [course(Direction::Sending, "accounts.sending"), course(Direction::Reading, "accounts.reading")];
    all.into_iter().flatten().collect()
}

/// One step; without an outcome it is being tried.
fn line(page: &Page, step: Step, outcome: Option<&Outcome>) -> Line {
    let t = page.t;
    let words = t.of(match step {
        Step::Resolve => "course.resolve",
        Step::Connect => "course.connect",
        Step::Greet => "course.greet",
        Step::Encrypt => "course.encrypt",
        Step::SignIn => "course.sign_in",
        Step::MaySend => "course.may_send",
        Step::Open => "course.open",
        Step::Arrival => "course.arrival",
    });
    let (shape, tone, outcome) = match outcome {
        Some(Outcome::Passed) => (Shape::Tick, "good", t.of("course.passed").to_owned()),
        Some(Outcome::PassedInJunk) => (Shape::Tick, "good", t.of("course.in_junk").to_owned()),
        Some(Outcome::NotSeen { in_sent: false }) => {
            (Shape::Question, "warn", t.of("course.not_seen").to_owned())
        }
        Some(Outcome::NotSeen { in_sent: true }) => {
            (Shape::Question, "warn", t.of("course.in_sent").to_owned())
        }
        Some(Outcome::Waits { until }) => {
            let time = page.moment(*until).words;
            (Shape::Clock, "warn", t.fill("course.waits", &[("time", &time)]))
        }
        Some(Outcome::Failed { .. }) => (Shape::Cross, "bad", t.of("course.failed").to_owned()),
        Some(Outcome::NotReached) => (Shape::Dot, "calm", t.of("course.not_reached").to_owned()),
        None => (Shape::Clock, "calm", t.of("course.under_way").to_owned()),
    };
    Line { shape, tone, words: words.to_owned(), outcome }
}
